# SPDX-License-Identifier: GPL-3.0-or-later
"""What moves while the shutter is open: matrices at its ends, as keys of a pivot."""

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ..pipeline.truth import F64
from .throwaway import MARK


def ends(scene: bpy.types.Scene) -> tuple[float, ...]:
    """When the shutter opens and closes, in frames from the frame itself; nothing without motion blur."""
    render: Any = scene.render
    if not render.use_motion_blur:
        return ()
    opens = {"START": 0.0, "CENTER": -0.5, "END": -1.0}[
        render.motion_blur_position
    ] * render.motion_blur_shutter
    return tuple(end for end in (opens, opens + render.motion_blur_shutter) if end)


def move(pivot: bpy.types.Object, frame: int, matrix: F64, others: Mapping[float, F64]) -> None:
    """Has what hangs on ``pivot``, with the world matrix ``matrix`` (4, 4) at ``frame``, go through ``others``.

    ``others`` are its world matrices by the time in frames from ``frame``. The pivot has the change between them, without
    its shear. Cycles asks for no other times than these.
    """
    _forget(pivot)
    pivot.rotation_mode = "QUATERNION"
    steps = {end: _change(matrix, other) for end, other in others.items()}
    moving = any(np.abs(step - np.eye(4)).max() > 1e-7 for step in steps.values())
    for end, step in {**steps, 0.0: np.eye(4)}.items():
        pivot.location, pivot.rotation_quaternion, pivot.scale = Matrix(step.tolist()).decompose()
        for path in ("location", "rotation_quaternion", "scale") if moving else ():
            pivot.keyframe_insert(path, frame=frame + end)
    if moving:
        pivot.animation_data.action[MARK] = True


def _change(start: F64, end: F64) -> F64:
    """The matrix that takes what is at ``start`` to ``end``; none for what has no extent."""
    return end @ np.linalg.inv(start) if abs(np.linalg.det(start)) > 1e-12 else np.eye(4)


def _forget(pivot: bpy.types.Object) -> None:
    if pivot.animation_data is not None:
        action = pivot.animation_data.action
        pivot.animation_data_clear()
        if action is not None:
            bpy.data.actions.remove(action)
