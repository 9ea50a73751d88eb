# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a joint can be dragged in the viewport: where its handles stand, and which value a place of one means."""

import math
from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..physics.joints import kind_named
from ..physics.joints.base import Pose
from ..physics.joints.spec import Parameter
from ..physics.units import DEG, MM
from ..pipeline.errors import HoldfastError
from . import overlay_joints
from .overlay_joints import Shown
from .overlay_shape import DEPTH, RIM, SLIDE, TILT, TURN

ANGLES: Final = ("twist_deg", "swing_deg")
HALVINGS: Final = 16


@dataclass(frozen=True)
class Handle:
    """A handle of the parameter ``key``, in world space and metres.

    An arrow moves along ``axis`` from ``at``; a dot turns about ``axis`` through ``pivot``. ``value`` is what the parameter
    is now, ``gain`` how much of it one metre or radian is.
    """

    key: str
    turns: bool
    at: Vector
    axis: Vector
    pivot: Vector
    value: float
    gain: float
    colour: str


def handles(shown: Shown | None) -> list[Handle]:
    """The handles of a joint; none while it can't be made."""
    if shown is None or shown.model is None or shown.socket is None:
        return []
    model, world = shown.model, shown.socket.world
    mechanism = model.mechanism
    keys = [parameter.key for parameter in model.kind.parameters]
    ring, found = RIM * mechanism.reach, []
    if "depth_mm" in keys:
        at, down = (-ring, 0.0, -mechanism.depth), (0.0, 0.0, -1.0)
        found.append(_handle(world, "depth_mm", False, at, down, mechanism.depth / MM, 1.0 / MM, DEPTH))
    if "travel_mm" in keys:
        value = float(shown.settings.travel_mm)
        at = (ring, 0.0, mechanism.seat + value * MM)
        found.append(_handle(world, "travel_mm", False, at, (0.0, 0.0, 1.0), value, 1.0 / MM, SLIDE))
    return found + [_angle(shown, key, ring) for key in ANGLES if key in keys]


def _angle(shown: Shown, key: str, ring: float) -> Handle:
    """A dot at the far end of the arc that the joint turns or tilts through."""
    assert shown.model is not None and shown.socket is not None
    mechanism, value = shown.model.mechanism, float(getattr(shown.settings, key))
    tilting = [travel for travel in shown.model.drawing.travels if travel.motion == TILT]
    if tilting:
        pose = max(tilting[0].poses, key=lambda pose: (pose.tilt, -abs(pose.towards)))
        pose = Pose(pose.height, 0.0, 0.0, pose.tilt, 0.0, pose.about)
        at = mechanism.at(pose) @ np.array((0.0, 0.0, 2.0 * ring, 1.0))
        pivot = (0.0, 0.0, mechanism.seat if pose.about is None else pose.about)
        return _handle(shown.socket.world, key, True, at[:3], (0.0, 1.0, 0.0), value, 1.0 / DEG, TILT, pivot)
    entry = mechanism.entry
    at = (ring * math.cos(entry), ring * math.sin(entry), mechanism.seat)
    return _handle(shown.socket.world, key, True, at, (0.0, 0.0, -mechanism.turn), value, 1.0 / DEG, TURN)


def _handle(world: Matrix, key: str, turns: bool, at: Any, axis: Any, value: float, gain: float, colour: str,
            pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Handle:  # fmt: skip
    turn = world.to_3x3()
    return Handle(
        key, turns, world @ Vector(at), turn @ Vector(axis), world @ Vector(pivot), value, gain, colour
    )


def parameter_of(joint: Any, key: str) -> Parameter:
    """The parameter of a joint's kind. Raises KeyError."""
    return next(parameter for parameter in kind_named(joint.kind).parameters if parameter.key == key)


def nearest(shown: Shown, key: str, value: float) -> tuple[float, str]:
    """The value nearest to the wanted one with which the joint can be made, and why it is another one, if it is."""
    settings = shown.settings
    parameter = parameter_of(settings, key)
    wanted = min(max(value, parameter.low), parameter.high)
    limit = "" if wanted == value else f"{parameter.label} goes from {parameter.low:g} to {parameter.high:g}"
    why = overlay_joints.refusal(settings, shown.peg, shown.socket, **{key: wanted})
    if not why:
        return round(wanted, 3), limit
    good, bad = _value(shown, key), wanted
    for _ in range(HALVINGS):
        middle = 0.5 * (good + bad)
        if overlay_joints.refusal(settings, shown.peg, shown.socket, **{key: middle}):
            bad = middle
        else:
            good = middle
    down = math.floor if wanted > good else math.ceil
    rounded = down(good * 100.0) / 100.0
    return (
        good if overlay_joints.refusal(settings, shown.peg, shown.socket, **{key: rounded}) else rounded
    ), why


def _value(shown: Shown, key: str) -> float:
    """What a parameter is, also where it is left to the kind."""
    for handle in handles(shown):
        if handle.key == key:
            return handle.value
    return float(getattr(shown.settings, key))


def along(handle: Handle, origin: Vector, direction: Vector) -> float | None:
    """Metres along the handle's axis, from where it stands, at which a ray of sight passes nearest; None where they run
    alike.
    """
    across = direction.normalized()
    b = handle.axis.dot(across)
    if abs(b) > 0.995:
        return None
    to = handle.at - origin
    return float((b * across.dot(to) - handle.axis.dot(to)) / (1.0 - b * b))


def around(handle: Handle, origin: Vector, direction: Vector) -> float | None:
    """Radians about the handle's axis, from where it stands, at which a ray meets the plane that it turns in; None where
    that plane is seen from its edge.
    """
    way = direction.normalized()
    slope = way.dot(handle.axis)
    if abs(slope) < 0.05:
        return None
    hit = origin + way * ((handle.at - origin).dot(handle.axis) / slope)
    start, end = (_flat(point - handle.pivot, handle.axis) for point in (handle.at, hit))
    return math.atan2(start.cross(end).dot(handle.axis), start.dot(end))


def _flat(vector: Vector, axis: Vector) -> Vector:
    return vector - axis * vector.dot(axis)


def set_value(scene: bpy.types.Scene, key: str, value: float) -> str:
    """Sets a parameter of the active joint as near to ``value`` as it can be. Says why it is another, if it is.

    Raises HoldfastError where there is no joint with such a parameter.
    """
    physics = scene.holdfast.physics
    if not physics.joints:
        raise HoldfastError("The shot has no joint", todo="Add one in the panel Physics.")
    joint = physics.joints[min(physics.active_joint, len(physics.joints) - 1)]
    shown = overlay_joints.active(scene)
    names = [parameter.key for parameter in kind_named(joint.kind).parameters]
    if key not in names or shown is None:
        raise HoldfastError(f"{joint.name!r} has no {key!r}", todo=f"It has {', '.join(names)}.")
    found, why = nearest(shown, key, value)
    setattr(joint, key, found)
    return why
