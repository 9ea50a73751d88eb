# SPDX-License-Identifier: GPL-3.0-or-later
"""What gives way, tried with real contacts: the detent's torque, snap-fit and press-fit, every preset of theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from holdfast.physics import rigid, trials
from holdfast.physics.flexing import placed
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import Check, Outcome, Pose
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.spec import JointSpec

pytestmark = [pytest.mark.sweep, pytest.mark.usefixtures("remembered")]


def spec(kind: str, preset: str = "", *sizes: float) -> JointSpec:
    peg, length, bore, deep = sizes or (7.5, 10.0, 7.7, 12.0)
    values = kind_named(kind).presets[preset].values if preset else {}
    return checked(JointSpec(kind, "joint", "peg", "body", peg, length, bore, deep, values))


def tried(wish: JointSpec, *names: str) -> dict[str, Check]:
    """The checks of the trials called ``names``, of all where none are given, from the engaged pose."""
    kind = kind_named(wish.kind)
    made = kind.make(wish)
    checks: list[Check] = []
    for trial in kind.trials(wish, made, made.at(Pose())):
        if not names or trial.name in names:
            running = trials.run(made, trial, trials.LabSettings())
            try:
                while True:
                    next(running)
            except StopIteration as stop:
                outcome: Outcome = stop.value
            checks += trial.judge(outcome)
    for check in checks:
        print(f"{wish.kind} {check.id}: {check.value:.4f} against {check.limit:g} {check.unit}: {check.says}")
    return {check.id: check for check in checks}


@pytest.mark.parametrize("preset", ["", "toy_30mm", "luer", "camera", "garden"])
def test_the_detent_gives_way_at_its_torque_in_contact(preset: str) -> None:
    found = tried(spec("TWIST_LOCK", preset), "detent")
    assert all(check.ok for check in found.values()), found
    assert abs(found["detent.torque"].value) < 3.0


@pytest.mark.parametrize("sizes", [(3.0, 8.0, 3.1, 9.0), (18.3, 9.9, 18.5, 12.0), (20.0, 25.0, 20.3, 30.0)])
def test_the_detent_gives_way_at_its_torque_in_other_sizes(sizes: tuple[float, ...]) -> None:
    assert all(check.ok for check in tried(spec("TWIST_LOCK", "", *sizes), "detent").values())


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_detent_of_another_strength_is_seen(factor: float) -> None:
    kind, wish = kind_named("TWIST_LOCK"), spec("TWIST_LOCK")
    made = kind.make(wish)
    trial = next(one for one in kind.trials(wish, made, made.at(Pose())) if one.name == "detent")
    running = trials.run(made, replace(trial, tuned=factor), trials.LabSettings())
    try:
        while True:
            next(running)
    except StopIteration as stop:
        found = {check.id: check for check in trial.judge(stop.value)}
    print(f"{factor:g} times as stiff: {found['detent.torque'].says}")
    assert not found["detent.torque"].ok
    assert not found["detent.holds" if factor < 1.0 else "detent.passed"].ok


@pytest.mark.parametrize("kind", ["SNAP_FIT", "PRESS_FIT"])
def test_it_goes_together_holds_and_lets_go_and_its_controls_fail(kind: str) -> None:
    found = tried(spec(kind))
    assert all(check.ok for check in found.values()), [check for check in found.values() if not check.ok]
    assert sum(name.startswith("control.") for name in found) >= 4


@pytest.mark.parametrize("preset", list(kind_named("SNAP_FIT").presets))
def test_every_preset_of_the_snap_fit_snaps_at_its_forces(preset: str) -> None:
    found = tried(spec("SNAP_FIT", preset), "insertion", "pull", "weak_lip")
    assert all(check.ok for check in found.values()), [check for check in found.values() if not check.ok]


@pytest.mark.parametrize("preset", list(kind_named("PRESS_FIT").presets))
def test_every_preset_of_the_press_fit_holds_by_friction(preset: str) -> None:
    found = tried(spec("PRESS_FIT", preset), "press", "half_pressure")
    assert all(check.ok for check in found.values()), [check for check in found.values() if not check.ok]


def test_a_flexure_keeps_its_shape_wherever_the_socket_lies() -> None:
    pad = kind_named("SNAP_FIT").make(spec("SNAP_FIT")).flexures()[0]
    frame = rigid.multiply(rigid.translation((0.1, 0.2, 0.3)), rigid.rotation(0, 1.0), rigid.rotation(2, 2.0))
    moved = placed(pad, frame, 0.5)
    back = (moved.points - frame[:3, 3]) @ frame[:3, :3]
    assert np.abs(back - pad.points).max() < 1e-15
    assert np.abs(frame[:3, :3].T @ np.array(moved.way) - np.array(pad.way)).max() < 1e-15
    assert moved.stiffness == 0.5 * pad.stiffness
