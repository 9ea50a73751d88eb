# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that hold a body still through the pre-roll and let go of it at its pose with a velocity and a spin."""

from collections.abc import Sequence

import bpy
import numpy as np

from ..compat import ensure_fcurve
from .lab import MARK
from .rigid import Array, from_quaternion, multiply, sine_cosine, to_quaternion

PREROLL = 3
"""Frames in which nothing moves, so that the world is built from poses that no race can change."""
RELEASE = PREROLL + 2
"""The first frame that is simulated; in the one before, bodies that are thrown move up to their pose."""


def key_release(
    ob: bpy.types.Object,
    at: Array,
    velocity: Sequence[float],
    spin: Sequence[float],
    seconds: float,
    scale: float,
) -> None:
    """Keys one body: still, then in one frame of ``seconds`` from where its velocity has it come from, then free.

    ``at`` (4, 4) in metres, ``velocity`` m/s, ``spin`` rad/s about world axes; ``scale`` units a metre.
    """
    action = bpy.data.actions.new("holdfast lab release")
    action[MARK] = True
    ob.animation_data_create().action = action
    pose = np.concatenate((scale * at[:3, 3], to_quaternion(at)))
    back = np.concatenate(
        (pose[:3] - scale * seconds * np.array(velocity), _turned_back(pose[3:], spin, seconds))
    )
    for index in range(7 if any(spin) else 3):
        path, axis = ("location", index) if index < 3 else ("rotation_quaternion", index - 3)
        _keys(ensure_fcurve(action, ob, path, axis), ((PREROLL, back[index]), (PREROLL + 1, pose[index])))
    _keys(ensure_fcurve(action, ob, "rigid_body.kinematic", 0), ((PREROLL, 1.0), (RELEASE, 0.0)))


def _turned_back(quaternion: Array, spin: Sequence[float], seconds: float) -> Array:
    """The unit quaternion ``seconds`` before, when it turns by ``spin`` rad/s about world axes."""
    rate = np.array(spin, dtype=np.float64)
    speed = float(np.sqrt((rate * rate).sum()))
    if speed == 0.0:
        return quaternion
    sine, cosine = sine_cosine(0.5 * speed * seconds)
    turn = np.concatenate(((cosine,), -sine * rate / speed))
    before = to_quaternion(multiply(from_quaternion(turn), from_quaternion(quaternion)))
    return -before if float((before * quaternion).sum()) < 0.0 else before


def _keys(curve: bpy.types.FCurve, keys: Sequence[tuple[float, float]]) -> None:
    curve.keyframe_points.add(len(keys))
    curve.keyframe_points.foreach_set("co", np.array(keys, dtype=np.float32).ravel())
    for point in curve.keyframe_points:
        point.interpolation = "CONSTANT"
    curve.update()
