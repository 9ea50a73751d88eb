# SPDX-License-Identifier: GPL-3.0-or-later
"""A checked mesh file into the scene: plain objects at real size, each with its origin in space and in fact.

Brought in again under the same asset's name, an object that is there keeps its place, settings and modifiers; only its
mesh is exchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import bpy
import numpy as np
from mathutils import Matrix

from ..physics import meshes as kept_meshes
from ..pipeline.errors import InputError
from ..rendering.part_numbers import Numbers
from . import asset_identity
from .asset_identity import Identity
from .asset_pose import joined, middle, pose
from .asset_read import Raw, read, safe_name
from .importing import parts_collection

ASSET, PLACED = "holdfast_asset", "holdfast_placed"
"""Custom properties: the asset that an object belongs to, and where it was put when it was brought in."""
TELL_UP = ("glb", "gltf", "fbx", "usd")
"""Kinds of file that say what is up; the others are only usual one way or the other."""
MOST_MARKED = 64
"""More objects than these are a scene, not a product: they are brought in, but not made parts."""


@dataclass(frozen=True)
class Wish:
    """How a file is to come in: see ``asset_pose``. ``name`` is the asset's, ``mark`` makes its objects parts."""

    name: str
    up: str = "AUTO"
    size_mm: float = 0.0
    measure: str = "LONGEST"
    origin: str = "MASS"
    floor: bool = True
    mark: bool = True


@dataclass
class Brought:
    """The objects, in the order of the file, and sentences on what was changed or guessed."""

    objects: list[bpy.types.Object] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def bring_in(scene: bpy.types.Scene, path: Path, kind: str, wish: Wish, identity: Identity) -> Brought:
    """Imports ``path``, which a worker has checked. Raises InputError; the scene is then as before."""
    contents = read(path, kind)
    raws, notes = contents.raws, list(contents.notes)
    try:
        arrays = [(kept_meshes.vertices(raw.mesh), kept_meshes.triangles(raw.mesh)) for raw in raws]
        if any(not np.isfinite(points).all() for points, _ in arrays):
            raise InputError(f"{path.name} has points that are no numbers", todo="Export it again.")
        placed = pose(
            *joined(arrays), up=wish.up, told_up=kind in TELL_UP, size_mm=wish.size_mm, measure=wish.measure,
            floor=wish.floor,
        )  # fmt: skip
        notes += placed.notes
        origins = []
        for raw, (points, triangles) in zip(raws, arrays, strict=True):
            own = points @ placed.whole[:3, :3].T + placed.whole[:3, 3]
            found = middle(own, triangles, wish.origin, raw.name)
            notes += [found.note] if found.note else []
            move = np.eye(4)
            move[:3, 3] = -found.point
            raw.mesh.transform(Matrix((move @ placed.whole).tolist()))
            origins.append(found.point)
    except InputError:
        bpy.data.batch_remove([raw.mesh for raw in raws])
        raise
    objects = _into_scene(scene, raws, origins, wish, identity)
    if wish.mark and not _marked(scene, objects, wish):
        notes.append(f"{len(objects)} objects are too many to be parts: mark those that are")
    return Brought(objects, notes)


def objects_of(scene: bpy.types.Scene, asset: str) -> list[bpy.types.Object]:
    """The scene's objects that were brought in as this asset."""
    return [thing for thing in scene.objects if thing.get(ASSET) == asset and thing.get(PLACED) is not None]


def _into_scene(
    scene: bpy.types.Scene, raws: Sequence[Raw], origins: Sequence[np.ndarray], wish: Wish, identity: Identity
) -> list[bpy.types.Object]:
    there = {thing.name: thing for thing in objects_of(scene, wish.name)}
    single = len(raws) == 1
    objects = []
    for number, (raw, origin) in enumerate(zip(raws, origins, strict=True)):
        name = safe_name(wish.name if single else raw.name, f"{wish.name} {number + 1}")
        thing = there.pop(name, None)
        if thing is None:
            thing = bpy.data.objects.new(name, raw.mesh)
            parts_collection(scene).objects.link(thing)
            thing.location = origin.tolist()
        else:
            _exchange(thing, raw.mesh, origin)
        raw.mesh.name = thing.name
        thing[ASSET], thing[PLACED] = wish.name, [float(each) for each in origin]
        asset_identity.put(identity, thing)
        objects.append(thing)
    _remove(list(there.values()))
    return objects


def _exchange(thing: bpy.types.Object, mesh: bpy.types.Mesh, origin: np.ndarray) -> None:
    """Another mesh for an object; it moves along only if nobody has moved it since."""
    if thing.type != "MESH":
        raise InputError(f"{thing.name!r} is no mesh object any more", todo="Delete or rename it.")
    kept_meshes.restore(thing)
    if np.allclose(np.array(thing.location), np.array(thing[PLACED]), atol=1e-6):
        thing.location = origin.tolist()
    old = cast("bpy.types.Mesh", thing.data)
    thing.data = mesh
    if old.users == 0:
        bpy.data.meshes.remove(old)


def _remove(things: Sequence[bpy.types.Object]) -> None:
    """Objects of an earlier choice that the new one does not have."""
    meshes = [thing.data for thing in things]
    bpy.data.batch_remove(things)
    bpy.data.batch_remove([mesh for mesh in meshes if mesh is not None and mesh.users == 0])


def _marked(scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], wish: Wish) -> bool:
    """Makes the objects parts, unless they are too many."""
    if len(objects) > MOST_MARKED:
        return False
    numbers = Numbers(scene)
    for thing in objects:
        own = thing.holdfast
        if not own.is_part:
            own.is_part, own.part = True, thing.name
            own.part_id = numbers.give(thing.name)
    return True
