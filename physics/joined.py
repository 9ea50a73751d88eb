# SPDX-License-Identifier: GPL-3.0-or-later
"""The rigid-body constraints of a scene as links of a simulation: an artist's own, and those of Holdfast's free joints."""

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

from .freed import rigid_part
from .links import ANGULAR, LINEAR, Link
from .rigid import Array

_SPRUNG = {"GENERIC_SPRING"}
_LIMITED = {"GENERIC", "GENERIC_SPRING", "HINGE", "SLIDER", "PISTON"}


def links_of(scene: bpy.types.Scene, bodies: Mapping[bpy.types.Object, str]) -> tuple[list[Link], list[str]]:
    """The links between ``bodies`` (names by object), by name, where their empties stand now; and what was left out."""
    world, found, said = scene.rigidbody_world, [], []
    held = world.constraints.objects if world is not None and world.constraints is not None else ()
    for ob in sorted(held, key=lambda ob: ob.name):
        rule = ob.rigid_body_constraint
        if rule is None or not rule.enabled:
            continue
        ends = [bodies.get(end) for end in (rule.object1, rule.object2)]
        if None in ends:
            if any(ends):
                said.append(
                    f"The constraint {ob.name} joins something that does not take part: it was left out."
                )
            continue
        seconds = scene.render.fps_base / (scene.render.fps * world.substeps_per_frame)
        found.append(_link(ob, rule, str(ends[0]), str(ends[1]), seconds))
    return found, said


def _link(ob: bpy.types.Object, rule: Any, a: str, b: str, seconds: float) -> Link:
    """One constraint; Blender states the force at which it breaks as an impulse of one substep of ``seconds``."""
    pose: Array = np.array(ob.matrix_world, dtype=np.float64)
    kind = str(rule.type)
    motor = None
    if kind == "MOTOR":
        motor = (
            float(rule.motor_lin_target_velocity), float(rule.motor_lin_max_impulse) * rule.use_motor_lin,
            float(rule.motor_ang_target_velocity), float(rule.motor_ang_max_impulse) * rule.use_motor_ang,
        )  # fmt: skip
    return Link(
        ob.name, kind, a, b, rigid_part(pose),
        break_n=float(rule.breaking_threshold) / seconds if rule.use_breaking else None,
        limits=_limits(rule) if kind in _LIMITED else {},
        springs=_springs(rule) if kind in _SPRUNG else {},
        motor=motor, collide=not rule.disable_collisions,
        iterations=int(rule.solver_iterations) if rule.use_override_solver_iterations else 0,
    )  # fmt: skip


def _limits(rule: Any) -> dict[str, tuple[float, float]]:
    """Lower and upper limit, metres or radians, of the axes that have one."""
    found = {}
    for axis in (*LINEAR, *ANGULAR):
        name = f"lin_{axis}" if axis in LINEAR else axis
        if getattr(rule, f"use_limit_{name}"):
            found[axis] = (
                float(getattr(rule, f"limit_{name}_lower")),
                float(getattr(rule, f"limit_{name}_upper")),
            )
    return found


def _springs(rule: Any) -> dict[str, tuple[float, float]]:
    return {
        axis: (
            float(getattr(rule, f"spring_stiffness_{axis}")),
            float(getattr(rule, f"spring_damping_{axis}")),
        )
        for axis in (*LINEAR, *ANGULAR)
        if getattr(rule, f"use_spring_{axis}")
    }
