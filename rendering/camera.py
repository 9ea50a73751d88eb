# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras and poses of a scene, frame by frame, without moving the artist's own scene."""

from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.truth import F64
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


def poses(scene: bpy.types.Scene, objects: list[bpy.types.Object]) -> F64:
    """(P, 4, 4) float64 world matrices of objects at the scene's current frame."""
    depsgraph = rendered_layer(scene).depsgraph
    return np.array([thing.evaluated_get(depsgraph).matrix_world for thing in objects], np.float64)
