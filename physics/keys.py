# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain keys of a motion: location and quaternion, linear, each turn the short way round."""

from collections.abc import Sequence

import bpy
import numpy as np

from ..compat import ensure_fcurve
from .rigid import Array, continuous, to_quaternions

CHANNELS = (("location", 3), ("rotation_quaternion", 4))


def new_action(ob: bpy.types.Object, name: str, times: Sequence[float], poses: Array) -> bpy.types.Action:
    """A new action on ``ob`` with (T, 4, 4) rigid poses at scene times in frames; the object then turns by quaternions."""
    values = np.concatenate((poses[:, :3, 3], continuous(to_quaternions(poses[:, :3, :3]))), axis=1)
    action = bpy.data.actions.new(name)
    ob.rotation_mode = "QUATERNION"
    ob.animation_data_create().action = action
    column = 0
    for path, count in CHANNELS:
        for index in range(count):
            _write(ensure_fcurve(action, ob, path, index), times, values[:, column])
            column += 1
    return action


def _write(curve: bpy.types.FCurve, times: Sequence[float], values: Array) -> None:
    points = curve.keyframe_points
    points.add(len(times))
    points.foreach_set(
        "co", np.stack((np.array(times, dtype=np.float64), values), axis=1).astype(np.float32).ravel()
    )
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    points.foreach_set("interpolation", [linear] * len(times))
    curve.extrapolation = "CONSTANT"
    curve.update()
