# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints tried in the lab without a scene: a spec from measures, its trials run, their checks."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.physics import trials
from holdfast.physics.joints import kind_named
from holdfast.physics.joints.base import Check, Mechanism, Outcome, Pose, Trial
from holdfast.physics.joints.record import checked
from holdfast.physics.joints.spec import JointSpec

TYPICAL = (7.5, 10.0, 7.7, 12.0)
"""Radius and length of the peg, radius and depth of the bore, mm."""


def joint(
    kind: str, measures: tuple[float, float, float, float] = TYPICAL, **values: float | str
) -> JointSpec:
    return checked(JointSpec(kind, "joint", "peg", "body", *measures, values))


def outcome(mechanism: Mechanism, trial: Trial) -> Outcome:
    running = trials.run(mechanism, trial, trials.LabSettings())
    try:
        while True:
            next(running)
    except StopIteration as stop:
        found: Outcome = stop.value
        return found


def tried(spec: JointSpec, wanted: Callable[[Trial], bool] = lambda trial: True) -> list[Check]:
    """The checks of all wanted trials of a joint."""
    kind = kind_named(spec.kind)
    mechanism, found = kind.make(spec), []
    for trial in kind.trials(spec, mechanism, mechanism.at(Pose())):
        if wanted(trial):
            found += trial.judge(outcome(mechanism, trial))
    return found
