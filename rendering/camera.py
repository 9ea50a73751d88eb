# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras and poses of a scene, frame by frame, without moving the artist's own scene."""

from collections.abc import Iterable, Mapping
from typing import Any

import bpy
import numpy as np

from ..pipeline.camera import F64, camera_from
from ..pipeline.errors import InputError
from .throwaway import rendered_layer

_CV_FROM_GL = np.diag([1.0, -1.0, -1.0, 1.0])


def picture_size(scene: bpy.types.Scene) -> tuple[int, int]:
    """Width and height in pixels of what the scene renders."""
    render = scene.render
    return (
        render.resolution_x * render.resolution_percentage // 100,
        render.resolution_y * render.resolution_percentage // 100,
    )


def intrinsics(projection: F64, size: tuple[int, int], orthographic: bool) -> F64:
    """K (3, 3) of a camera with the OpenGL ``projection`` (4, 4), for pixels with y down; see pipeline.truth.Camera.

    Perspective: x_ndc = (P00 x + P02 z_gl) / -z_gl. Orthographic: x_ndc = P00 x + P03.
    """
    width, height = size
    fx, fy = projection[0, 0] * width / 2, projection[1, 1] * height / 2
    if orthographic:
        across, down = 1 + projection[0, 3], 1 - projection[1, 3]
    else:
        across, down = 1 - projection[0, 2], 1 + projection[1, 2]
    return np.array([[fx, 0, across * width / 2], [0, fy, down * height / 2], [0, 0, 1]])


def camera_record(scene: bpy.types.Scene) -> dict[str, Any]:
    """The camera at the scene's current frame: K, world_to_camera, projection, and which it is. Raises InputError.

    ``clip``: nothing nearer or farther is drawn, metres along the camera's axis.
    """
    if scene.camera is None:
        raise InputError(
            "The shot has no camera", where=scene.name, todo="Add one and make it the scene's camera."
        )
    depsgraph = rendered_layer(scene).depsgraph
    camera = scene.camera.evaluated_get(depsgraph)
    if camera.type != "CAMERA" or camera.data.type == "PANO":
        todo = "Use a perspective or orthographic camera."
        raise InputError("This kind of camera has no flat picture", where=scene.camera.name, todo=todo)
    size, render = picture_size(scene), scene.render
    projection = np.array(
        camera.calc_matrix_camera(
            depsgraph, x=size[0], y=size[1], scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y
        )
    )
    orthographic = camera.data.type == "ORTHO"
    pose = np.array(camera.matrix_world, np.float64)
    pose[:3, :3] /= np.linalg.norm(pose[:3, :3], axis=0)  # Cycles ignores a camera's scale
    return {
        "K": intrinsics(projection, size, orthographic).tolist(),
        "world_to_camera": (_CV_FROM_GL @ np.linalg.inv(pose)).tolist(),
        "projection": "orthographic" if orthographic else "perspective",
        "name": scene.camera.name,
        "clip": [camera.data.clip_start, camera.data.clip_end],
    }


def picture_box(
    scene: bpy.types.Scene, names: Iterable[str], record: Mapping[str, Any], size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Pixels (left, top, right, bottom) that hold all of the objects called ``names`` at the scene's current frame.

    With a margin for what the boxes of Blender don't know of. None if nothing of them is in the picture; all of it where
    one reaches behind the camera, grows hair, or is not in the scene.
    """
    everything = (0, 0, *size)
    depsgraph = rendered_layer(scene).depsgraph
    corners = []
    for name in names:
        thing = scene.objects.get(name)
        if thing is None or len(thing.particle_systems) or thing.type in {"CURVES", "VOLUME"}:
            return everything
        shown = thing.evaluated_get(depsgraph)
        box = np.array(shown.bound_box, np.float64)
        corners.append(box @ np.array(shown.matrix_world)[:3, :3].T + np.array(shown.matrix_world)[:3, 3])
    if not corners:
        return everything
    seen = camera_from(record).project(np.concatenate(corners))
    if seen[:, 2].min() <= 0:
        return everything
    low, high = seen[:, :2].min(0), seen[:, :2].max(0)
    margin = 8 + 0.1 * (high - low)
    left, top = np.clip(np.floor(low - margin), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high + margin), 0, size).astype(int).tolist()
    return (left, top, right, bottom) if right > left and bottom > top else None
