# SPDX-License-Identifier: GPL-3.0-or-later
"""How well the camera sees each part, without rendering: rays through a grid over the part's place in the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from ..pipeline.camera import Camera, camera_from
from ..pipeline.sights import Sight
from ..pipeline.truth import F64
from .camera import camera_record, picture_size
from .parts import Part
from .shapes import Shape, instances, own, pointer, triangles
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
    places = [pointer(part) for part in parts]
    repeated = instances(places, depsgraph)
    for number, (part, smear) in enumerate(zip(parts, smeared, strict=True)):
        shapes = [*own(places[number], depsgraph), *repeated.get(number, [])]
        yield _seen(scene, depsgraph, part, shapes, camera, frame, grid, smear)


def _seen(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, part: Part, shapes: Sequence[Shape], camera: Camera,
    frame: int, grid: int, smear: float,
) -> Sight:  # fmt: skip
    corners = np.array([shape.matrix @ Vector(corner) for shape in shapes for corner in shape.corners])
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
    bodies = [_Body(shape) for shape in shapes]
    met = []
    for start, way in zip(starts, ways, strict=True):
        origin, direction = Vector(start), Vector(way).normalized()
        hits = [far for body in bodies if (far := body.distance(origin, direction)) is not None]
        if hits:
            met.append(_follow(scene, depsgraph, origin, direction, min(hits)))
    area = (right - left) * (bottom - top) / len(pixels)
    free = [ray for ray in met if not ray.hider and not ray.glass]
    hiders, glasses = [ray.hider for ray in met if ray.hider], [ray.glass for ray in met if ray.glass]
    return Sight(
        part.name, frame, area * len(met), area * len(free), _most(hiders), _most(glasses),
        area * len([ray for ray in met if ray.glass and not ray.hider]), smear,
    )  # fmt: skip


class _Body:
    """A shape that rays are sent at."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._back = shape, shape.matrix.inverted_safe()
        self._turn: Matrix = self._back.to_3x3()
        self._tree: BVHTree | None = None
        if shape.slot is not None or shape.data is not None:
            points, corners = triangles(shape)
            self._tree = BVHTree.FromPolygons(points.tolist(), corners.tolist(), all_triangles=True)

    def distance(self, origin: Vector, direction: Vector) -> float | None:
        """How far along the ray (in the world, metres) its nearest surface is, or None."""
        start, way = self._back @ origin, self._turn @ direction
        found: Any
        if self._tree is not None:
            found = self._tree.ray_cast(start, way)
            place = found[0]
        else:
            try:
                found = self._shape.thing.ray_cast(start, way)
            except RuntimeError:  # no surface at all: hair, points
                return None
            place = found[1] if found[0] else None
        return None if place is None else float((self._shape.matrix @ place - origin).length)


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


def _follow(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, origin: Vector, direction: Vector, far: float
) -> _Ray:
    """What is met before ``far`` metres, where the part itself begins."""
    ray, start, left = _Ray(), origin, far * (1 - 1e-4)
    for _surface in range(MOST_SURFACES):
        hit, place, _normal, _face, thing, _matrix = scene.ray_cast(
            depsgraph, start, direction, distance=left
        )
        if not hit:
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
    """(P, 3) middles of the boxes of the objects that have the parts' poses."""
    depsgraph = rendered_layer(scene).depsgraph
    found = []
    for part in parts:
        thing = part.object.evaluated_get(depsgraph)
        found.append(thing.matrix_world @ (sum((Vector(c) for c in thing.bound_box), Vector()) / 8.0))
    return np.array(found, np.float64).reshape(len(parts), 3)


def _most(names: Sequence[str]) -> str:
    return max(sorted(set(names)), key=names.count) if names else ""
