# SPDX-License-Identifier: GPL-3.0-or-later
"""Standards' protocols at full length by contact, by their names; where their numbers come from: joints/protocols.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import Check, Trial
from holdfast.physics.joints.protocols import LAB_RATE, PROTOCOLS
from holdfast.physics.joints.spec import JointSpec

sys.path.insert(0, str(Path(__file__).parent))
from physics_tried import TYPICAL, joint, tried

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("remembered")]

LOADED = ("pull", "unscrewing", "torque_")
"""Beginnings of the names of the trials that a protocol decides."""


def of_preset(
    kind: str, name: str, protocol: str, measures: tuple[float, float, float, float] = TYPICAL
) -> JointSpec:
    return joint(kind, measures, **{**kind_named(kind).presets[name].values, "protocol": protocol})


def loaded(spec: JointSpec) -> dict[str, Check]:
    """The checks of the trials that the protocol decides."""
    checks = tried(spec, lambda trial: trial.name.startswith(LOADED))
    for check in checks:
        print(
            f"{spec.kind} {spec.values['protocol']}: {check.id} {check.value:.6f} {check.unit}: {check.says}"
        )
    assert not [check for check in checks if not check.ok]
    return {check.id: check for check in checks}


def pulls(spec: JointSpec) -> Trial:
    kind = kind_named(spec.kind)
    mechanism = kind.make(spec)
    trials = kind.trials(spec, mechanism, mechanism.at(kind.phases[0].pose(mechanism, 0.0)))
    return next(trial for trial in trials if trial.name == "pull")


def test_iso_594_2_separation_force_and_unscrewing_torque_of_a_luer_lock() -> None:
    spec = of_preset("TWIST_LOCK", "luer", "ISO_594_2", (3.0, 6.0, 3.1, 7.0))
    curve = pulls(spec).pull
    assert curve is not None and len(curve) == 13.5 * LAB_RATE and curve[:, 2].max() == 35.0
    assert (curve[1:, 2] - curve[:-1, 2]).max() * LAB_RATE == pytest.approx(10.0)
    assert sum(curve[:, 2] == 35.0) >= 10 * LAB_RATE
    assert {"pull.held", "pull.lift", "torque.unscrewing", "torque.reached"} <= set(loaded(spec))


def test_iso_594_2_unscrews_a_lock_whose_detent_is_too_weak() -> None:
    spec = of_preset("TWIST_LOCK", "luer", "ISO_594_2", (3.0, 6.0, 3.1, 7.0)).changed(torque_nm=0.015)
    checks = tried(spec, lambda trial: trial.name == "unscrewing")
    assert not next(check for check in checks if check.id == "torque.unscrewing").ok


@pytest.mark.parametrize("kind,name", [("TWIST_LOCK", "toy_30mm"), ("HINGE", "figure_limb")])  # fmt: skip
def test_en_71_1_8_4_tension_of_toys(kind: str, name: str) -> None:
    spec = of_preset(kind, name, "EN_71_1_TENSION")
    assert PROTOCOLS["EN_71_1_TENSION"].pull(spec) == 90.0 and pulls(spec).frames == 15 * LAB_RATE
    assert {"pull.held", "pull.lift"} <= set(loaded(spec))


def test_en_71_1_8_4_pulls_small_parts_with_50_n() -> None:
    spec = of_preset("TWIST_LOCK", "toy_30mm", "EN_71_1_TENSION", (2.5, 6.0, 2.7, 7.0))
    assert PROTOCOLS["EN_71_1_TENSION"].pull(spec) == 50.0
    loaded(spec)


@pytest.mark.parametrize("kind,name,stops", [
    ("TWIST_LOCK", "toy_30mm", ("locked",)), ("SCREW", "toy", ("tight",)), ("HINGE", "figure_limb", ("closed", "open")),
    ("SLIDER", "plunger", ("left", "right")),
])  # fmt: skip
def test_en_71_1_8_3_torque_against_every_stop_of_toys(kind: str, name: str, stops: tuple[str, ...]) -> None:
    found = loaded(of_preset(kind, name, "EN_71_1_TORQUE"))
    for stop in stops:
        assert found[f"torque.{stop}_reached"].value >= 0.33 and abs(found[f"torque.{stop}"].value) <= 0.1
