# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid-body constraints as plain data: what joins two bodies, in newtons, metres and radians."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .rigid import Array

LINEAR, ANGULAR = ("x", "y", "z"), ("ang_x", "ang_y", "ang_z")
_HOLDS = {
    "FIXED": LINEAR, "POINT": LINEAR, "HINGE": LINEAR, "SLIDER": LINEAR[1:], "PISTON": LINEAR[1:],
}  # fmt: skip
"""Linear axes that each kind of link holds whatever its limits are."""


@dataclass(frozen=True)
class Link:
    """Joins body ``a`` to body ``b`` at ``frame`` (4, 4), in the world, when it is made.

    ``kind`` as in Blender: FIXED, POINT, HINGE (about z), SLIDER (along x), PISTON (along and about x), GENERIC,
    GENERIC_SPRING, MOTOR. ``break_n`` newtons at which it lets go; None holds for ever. ``limits`` {axis: (lower,
    upper)} and ``springs`` {axis: (stiffness, damping)} by the axes x, y, z (m, N/m) and ang_x, ang_y, ang_z (rad,
    N m/rad). ``motor`` (velocity m/s, impulse N s, spin rad/s, impulse N m s), of a in the frame. ``collide``:
    whether a and b also touch. ``iterations`` of the solver for this link alone; 0 takes the world's.
    """

    name: str
    kind: str
    a: str
    b: str
    frame: Array
    break_n: float | None = None
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    springs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    motor: tuple[float, float, float, float] | None = None
    collide: bool = False
    iterations: int = 0

    def apply(self, made: Any, a: Any, b: Any, dt: float, scale: float = 1.0) -> None:
        """Sets up a Blender rigid-body constraint between objects ``a`` and ``b`` for substeps of ``dt`` seconds.

        ``scale``: units a metre. Forces grow with it, stiffness along stays, torques and stiffness about grow squared.
        """
        made.type, made.object1, made.object2 = self.kind, a, b
        made.disable_collisions = not self.collide
        if self.break_n is not None:
            made.use_breaking, made.breaking_threshold = True, self.break_n * dt * scale
        if self.iterations:
            made.use_override_solver_iterations, made.solver_iterations = True, self.iterations
        for axis, (lower, upper) in sorted(self.limits.items()):
            name, unit = (f"lin_{axis}", scale) if axis in LINEAR else (axis, 1.0)
            setattr(made, f"use_limit_{name}", True)
            setattr(made, f"limit_{name}_lower", unit * lower)
            setattr(made, f"limit_{name}_upper", unit * upper)
        if self.springs:
            made.spring_type = "SPRING2"
        for axis, (stiffness, damping) in sorted(self.springs.items()):
            setattr(made, f"use_spring_{axis}", True)
            unit = 1.0 if axis in LINEAR else scale * scale
            setattr(made, f"spring_stiffness_{axis}", unit * stiffness)
            setattr(made, f"spring_damping_{axis}", unit * damping)
        if self.motor is not None:
            made.use_motor_lin, made.use_motor_ang = self.motor[1] > 0.0, self.motor[3] > 0.0
            made.motor_lin_target_velocity = scale * self.motor[0]
            made.motor_lin_max_impulse = scale * self.motor[1]
            made.motor_ang_target_velocity = self.motor[2]
            made.motor_ang_max_impulse = scale * scale * self.motor[3]


def opening(link: Link, b_in_a: Array) -> float:
    """Metres by which the frame on b, (4, 4) in the frame on a, is outside of what the link allows."""
    held = _HOLDS.get(link.kind, ())
    total = 0.0
    for index, axis in enumerate(LINEAR):
        lower, upper = (0.0, 0.0) if axis in held else link.limits.get(axis, (-np.inf, np.inf))
        beyond = max(lower - b_in_a[index, 3], b_in_a[index, 3] - upper, 0.0)
        total += beyond * beyond
    return float(np.sqrt(total))
