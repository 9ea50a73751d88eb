# SPDX-License-Identifier: GPL-3.0-or-later
"""Screw and ball with real contacts, the same values in every version of Blender."""

from __future__ import annotations

import pytest
from holdfast.physics import trials
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import Check, Pose
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.spec import JointSpec

pytestmark = pytest.mark.usefixtures("remembered")


def tried(kind: str) -> list[Check]:
    spec = checked(JointSpec(kind, "joint", "peg", "body", 7.5, 10.0, 7.7, 12.0, {}))
    made = kind_named(kind)
    mechanism, found = made.make(spec), []
    for trial in made.trials(spec, mechanism, mechanism.at(Pose())):
        running = trials.run(mechanism, trial, trials.LabSettings())
        try:
            while True:
                next(running)
        except StopIteration as stop:
            found += trial.judge(stop.value)
    return found


@pytest.mark.parametrize("kind", ["SCREW", "BALL"])
def test_real_contacts_hold_and_controls_fail(kind: str) -> None:
    checks = tried(kind)
    for check in checks:
        print(f"{check.id}: {check.value:.6f} {check.unit}, limit {check.limit:g}")
    assert checks and all(check.ok for check in checks)
