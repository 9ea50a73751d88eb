# SPDX-License-Identifier: GPL-3.0-or-later
"""How well the camera sees each part, without rendering: rays through a grid over the part's place in the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..pipeline.camera import Camera, camera_from
from ..pipeline.sights import Sight
from ..pipeline.truth import F64
from .camera import camera_record, picture_size
from .parts import Part
from .throwaway import rendered_layer

GRID = 16
"""Rays across a part; fewer where there are many parts."""
RAYS_A_FRAME = 12_000
MOST_SURFACES = 6
"""What a ray may pass on its way to a part: glass, and what is not in the picture."""
_CLEAR = {"ShaderNodeBsdfGlass", "ShaderNodeBsdfRefraction", "ShaderNodeBsdfTransparent"}
_NEAREST = 1e-4


@dataclass
class _Ray:
    """What one ray meets on its way to a part: what hides it, and glass before it."""

    hider: str = ""
    glass: str = ""


def look(scene: bpy.types.Scene, parts: Sequence[Part], frame: int) -> Iterator[Sight]:
    """How each part is seen at ``frame`` of a throw-away ``scene``, part by part so that the caller can breathe."""
    scene.frame_set(frame)
    camera = camera_from(camera_record(scene))
    grid = max(5, min(GRID, int((RAYS_A_FRAME / max(len(parts), 1)) ** 0.5)))
    smeared = _smears(scene, parts, camera, frame)
    depsgraph = rendered_layer(scene).depsgraph
    for part, smear in zip(parts, smeared, strict=True):
        yield _seen(scene, depsgraph, part, camera, frame, grid, smear)


def _seen(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, part: Part, camera: Camera, frame: int, grid: int, smear: float
) -> Sight:  # fmt: skip
    bodies = [thing.evaluated_get(depsgraph) for thing in covering(scene, part)]
    corners = np.array([body.matrix_world @ Vector(corner) for body in bodies for corner in body.bound_box])
    box = _box(camera, corners, picture_size(scene)) if len(corners) else None
    if box is None:
        return Sight(part.name, frame, 0.0, 0.0, smear=smear)
    left, top, right, bottom = box
    across = np.linspace(left, right, 2 * grid + 1)[1::2]
    down = np.linspace(top, bottom, 2 * grid + 1)[1::2]
    pixels = np.array(list(product(across, down)))
    nearest = np.full(len(pixels), max(scene.camera.data.clip_start, _NEAREST))
    starts = camera.unproject(pixels, nearest)
    ways = camera.unproject(pixels, nearest + 1.0) - starts
    met = []
    names = {body.original.name for body in bodies}
    for start, way in zip(starts, ways, strict=True):
        origin, direction = Vector(start), Vector(way).normalized()
        far = _distance(bodies, origin, direction)
        if far is not None:
            met.append(_follow(scene, depsgraph, names, origin, direction, far))
    area = (right - left) * (bottom - top) / len(pixels)
    free = [ray for ray in met if not ray.hider and not ray.glass]
    hiders, glasses = [ray.hider for ray in met if ray.hider], [ray.glass for ray in met if ray.glass]
    return Sight(
        part.name, frame, area * len(met), area * len(free), _most(hiders), _most(glasses),
        area * len([ray for ray in met if ray.glass and not ray.hider]), smear,
    )  # fmt: skip


def covering(scene: bpy.types.Scene, part: Part) -> list[bpy.types.Object]:
    """The objects of the scene that a part's pixels are of."""
    found = [thing for name in part.cover if (thing := scene.objects.get(name)) is not None]
    return found or [part.object]


def _box(camera: Camera, corners: F64, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom in pixels of what of the corners' box is in the picture; None if nothing is."""
    placed = camera.project(corners)
    before = placed[:, 2] > _NEAREST
    if not camera.orthographic and not before.any():
        return None
    low, high = placed[before, :2].min(0), placed[before, :2].max(0)
    if not before.all() and not camera.orthographic:  # it reaches behind the camera: anywhere
        low, high = np.zeros(2), np.array(size, float)
    low, high = np.maximum(low, 0.0), np.minimum(high, size)
    if np.any(high - low <= 0.0):
        return None
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _distance(bodies: Sequence[bpy.types.Object], origin: Vector, direction: Vector) -> float | None:
    """How far along the ray the nearest surface of the part is, or None."""
    nearest: float | None = None
    for body in bodies:
        back: Matrix = body.matrix_world.inverted_safe()
        start, way = back @ origin, back.to_3x3() @ direction
        try:
            hit, place, _normal, _face = body.ray_cast(start, way)
        except RuntimeError:  # no surface at all: hair, an empty
            continue
        if hit:
            distance = (body.matrix_world @ place - origin).length
            nearest = distance if nearest is None else min(nearest, distance)
    return nearest


def _follow(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, names: set[str], origin: Vector, direction: Vector, far: float
) -> _Ray:  # fmt: skip
    """What is met before ``far`` metres."""
    ray, start, left = _Ray(), origin, far * (1 - 1e-4)
    for _surface in range(MOST_SURFACES):
        hit, place, _normal, _face, thing, _matrix = scene.ray_cast(
            depsgraph, start, direction, distance=left
        )
        if not hit or thing.original.name in names:
            return ray
        if not (thing.hide_render or not thing.visible_camera):
            if not is_clear(thing):
                ray.hider = thing.name
                return ray
            if not thing.holdfast.see_through:
                ray.glass = thing.name
        step = (place - start).length + 1e-5 * far
        start, left = start + direction * step, left - step
        if left <= 0.0:
            return ray
    return ray


def is_clear(thing: bpy.types.Object) -> bool:
    """Whether light goes through the object's material."""
    return any(_lets_through(slot.material) for slot in thing.material_slots if slot.material is not None)


def _lets_through(material: bpy.types.Material) -> bool:
    tree = material.node_tree
    for node in tree.nodes if tree is not None else ():
        if node.bl_idname in _CLEAR:
            return True
        if node.bl_idname == "ShaderNodeBsdfPrincipled":
            glass, alpha = node.inputs["Transmission Weight"], node.inputs["Alpha"]
            if glass.is_linked or glass.default_value > 0.0 or alpha.is_linked or alpha.default_value < 1.0:
                return True
    return False


def _smears(scene: bpy.types.Scene, parts: Sequence[Part], camera: Camera, frame: int) -> list[float]:
    """Pixels that the middle of each part moves while the shutter is open; 0 without motion blur."""
    if not scene.render.use_motion_blur:
        return [0.0] * len(parts)
    before = _middles(scene, parts)
    scene.frame_set(frame, subframe=min(scene.render.motion_blur_shutter, 0.999))
    after, moved = _middles(scene, parts), camera_from(camera_record(scene))
    scene.frame_set(frame)
    start, end = camera.project(before), moved.project(after)
    ahead = (start[:, 2] > _NEAREST) & (end[:, 2] > _NEAREST)
    return np.where(ahead, np.linalg.norm(end[:, :2] - start[:, :2], axis=1), 0.0).tolist()  # type: ignore[no-any-return]


def _middles(scene: bpy.types.Scene, parts: Sequence[Part]) -> F64:
    depsgraph = rendered_layer(scene).depsgraph
    found = []
    for part in parts:
        thing = part.object.evaluated_get(depsgraph)
        found.append(thing.matrix_world @ (sum((Vector(c) for c in thing.bound_box), Vector()) / 8.0))
    return np.array(found, np.float64).reshape(len(parts), 3)


def _most(names: Sequence[str]) -> str:
    return max(sorted(set(names)), key=names.count) if names else ""
