# SPDX-License-Identifier: GPL-3.0-or-later
"""Negative controls: which wrongs each kind of joint must tell apart, and that a proof whose control can't fail decides
nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from holdfast.physics import proof
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import JointKind, Mechanism, Pose, Trial
from holdfast.physics.joints.spec import JointSpec
from holdfast.physics.proof import Evidence
from holdfast.physics.rigid import Array
from holdfast.physics.verify import swept

sys.path.insert(0, str(Path(__file__).parent))
from physics_tried import joint, tried

pytestmark = pytest.mark.sweep

WRONGS = {
    "TWIST_LOCK": {
        "unlocked pose": "unlocked", "no catch": "no_lugs", "early twist": "early_twist", "wrong axis": "wrong_axis",
        "misaligned entry": "misaligned_entry misaligned", "over-travel": "over_twist too_deep", "aside": "off_axis",
    },
    "HINGE": {
        "no catch": "no_lugs", "wrong axis": "wrong_axis", "over-travel": "past_closed past_open drawn too_deep",
        "aside": "off_axis",
    },
    "SLIDER": {
        "no catch": "no_keys", "wrong axis": "wrong_axis", "misaligned entry": "turned", "aside": "off_axis",
        "over-travel": "past_stop too_deep",
    },
    "SCREW": {
        "no catch": "no_thread", "early twist": "straight_push wrong_pitch wrong_hand", "wrong axis": "wrong_axis",
        "misaligned entry": "cross_threaded", "over-travel": "past_stop drawn too_deep", "aside": "off_axis",
    },
    "BALL": {
        "no catch": "small_ball", "wrong axis": "wrong_axis", "over-travel": "past_stop drawn too_deep", "aside": "off_axis",
    },
}  # fmt: skip
"""Kind: the wrongs that can be done to it, and the controls that must tell them. A hinge, a slider and a ball have no
unlocked pose, and nothing that could be twisted early."""
KINDS = sorted(WRONGS)


def controls_of(spec: JointSpec) -> dict[str, bool]:
    """Whether each control of a joint tells its wrong: motions that are swept, and trials."""
    mechanism = kind_named(spec.kind).make(spec)
    points, found = mechanism.surface_points(), {}
    for name, (_, poses) in mechanism.wrong_motions().items():
        found[name] = swept(poses, mechanism, points, np.empty((0, 3))).deepest > 1e-5
    for check in tried(spec, lambda trial: is_control(spec, trial)):
        if check.id.startswith("control."):
            name = check.id.removeprefix("control.")
            found[name] = check.ok and found.get(name, True)
    return found


def is_control(spec: JointSpec, trial: Trial) -> bool:
    return trial.name in " ".join(WRONGS[spec.kind].values()).split()


@pytest.mark.parametrize("kind", KINDS)
def test_every_wrong_that_a_kind_can_suffer_is_told(kind: str) -> None:
    found = controls_of(joint(kind))
    for wrong, names in WRONGS[kind].items():
        print(f"{kind}: {wrong}: {', '.join(f'{name} {found.get(name)}' for name in names.split())}")
        assert all(found.get(name) for name in names.split()), wrong
    print(f"{kind}: {sum(found.values())} of {len(found)} controls tell their wrong")
    assert all(found.values())


class Sabotaged(JointKind):
    """A kind whose trials are its controls alone, so that a proof of it is quick; the rest is that of ``honest``."""

    def __init__(self, honest: JointKind) -> None:
        self.honest = honest

    def __getattribute__(self, name: str) -> Any:
        if name in ("honest", "trials") or name.startswith("__"):
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "honest"), name)

    def make(self, spec: JointSpec) -> Mechanism:
        return self.honest.make(spec)

    def trials(self, spec: JointSpec, mechanism: Any, pose: Array) -> Sequence[Trial]:
        return [one for one in self.honest.trials(spec, mechanism, pose) if not one.catch]


def proven(spec: JointSpec, mechanism: Mechanism, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The proof of a joint that rests in its engaged pose."""
    monkeypatch.setattr(proof, "kind_of", lambda spec: Sabotaged(kind_named(spec.kind)))
    rest = np.stack([mechanism.at(Pose())] * 3)
    nothing = np.empty((0, 3))
    seen = Evidence(rest, 0, 2, {"rest": (0, 2)}, (), (0.0, 0.0), nothing, nothing, (1.0, 1.5, 2.0), 0.05)
    running = proof.prove(spec, mechanism, seen)
    try:
        while True:
            next(running)
    except StopIteration as stop:
        data: dict[str, Any] = stop.value
        return data


@pytest.mark.parametrize("kind", KINDS)
def test_a_control_that_cannot_fail_leaves_a_proof_inconclusive(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = joint(kind)
    mechanism = kind_named(kind).make(spec)
    assert proven(spec, mechanism, monkeypatch)["verdict"] == "engaged"
    kept = type(mechanism).peg_hulls
    with (
        monkeypatch.context() as sabotage
    ):  # the catch can't be taken off, so that nothing could ever come off
        sabotage.setattr(
            type(mechanism), "peg_hulls", lambda self, margin, catch=True: kept(self, margin, True)
        )
        caught = proven(spec, mechanism, monkeypatch)
    assert caught["verdict"] == "inconclusive" and "control must fail" in caught["says"]
    # a motion that is not wrong at all, in the place of some that are
    for name in list(mechanism.wrong_motions())[::4]:
        wrongs = mechanism.wrong_motions()
        wrongs[name] = (wrongs[name][0], np.stack([mechanism.at(Pose())]))
        with monkeypatch.context() as sabotage:
            sabotage.setattr(type(mechanism), "wrong_motions", lambda self, wrongs=wrongs: wrongs)
            data = proven(spec, mechanism, monkeypatch)
        assert data["verdict"] == "inconclusive", name
        assert [check["id"] for check in data["checks"] if not check["ok"]] == [f"control.{name}"]
