# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings made parts into the scene: one object a part, at real size, named and marked, never twice.

A part that is there already keeps its object, its place, its settings and whatever material the artist edited;
only its mesh is exchanged.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import bpy
import numpy as np

from ..physics import meshes as kept_meshes
from ..pipeline.errors import InputError
from ..rendering.finishes import Finish
from ..rendering.materials import build, is_untouched
from ..rendering.obj_mesh import ObjMesh, read_obj
from ..rendering.part_numbers import Numbers
from . import locate

COLLECTION = "Holdfast parts"
SHARP_RAD = math.radians(35.0)


@dataclass(frozen=True)
class MadePart:
    """A part as the asset stage made it; lengths in metres, ``features`` in the part's own space."""

    name: str
    asset: str
    mesh: Path
    texture: Path | None
    features: Sequence[Mapping[str, Any]]
    finish: Finish

    @property
    def is_peg(self) -> bool:
        """True for a part that is a peg."""
        return any(feature.get("kind") == "peg" for feature in self.features)


def mesh_from_obj(obj: ObjMesh, name: str) -> bpy.types.Mesh:
    """A mesh data-block with exactly these vertices, faces and UVs, smooth but for edges over 35 degrees."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(obj.vertices.tolist(), [], obj.faces)
    if obj.uvs is not None:
        mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", obj.uvs.ravel())
    if mesh.validate():
        bpy.data.meshes.remove(mesh)
        raise InputError(f"The mesh of {name} has invalid faces", todo="Run Assets again.")
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=SHARP_RAD)
    return mesh


def find_part(scene: bpy.types.Scene, name: str) -> bpy.types.Object | None:
    """The scene's object that is the part ``name``."""
    for thing in scene.objects:
        if thing.holdfast.is_part and (thing.holdfast.part or thing.name) == name:
            return thing
    return None


def import_parts(
    scene: bpy.types.Scene, parts: Sequence[MadePart], source: str, *, renew: bool = True
) -> list[bpy.types.Object]:
    """Puts the parts into the scene; ``source`` is the digest of what they were made from. Raises InputError.

    All meshes are read before anything in the scene changes. Without ``renew``, a part that is there and was made
    from the same source is left as it is, a lock that Physics cut into it included.
    """
    loaded = [read_obj(part.mesh) for part in parts]
    objects: dict[str, bpy.types.Object] = {}
    new: list[MadePart] = []
    for part, obj in zip(parts, loaded, strict=True):
        thing = find_part(scene, part.name)
        if thing is not None and not renew and thing.get("holdfast_source") == source:
            objects[part.name] = thing
            continue
        mesh = mesh_from_obj(obj, part.name)
        if thing is None:
            thing = _new_object(scene, part, mesh)
            new.append(part)
        else:
            _swap_mesh(thing, mesh)
        _dress(thing, part)
        _mark(thing, part, source)
        objects[part.name] = thing
    _place(new, parts, objects)
    return list(objects.values())


def parts_collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The collection that everything brought in goes to; made if there is none."""
    for child in scene.collection.children_recursive:
        if child.name == COLLECTION or child.get("holdfast_parts"):
            return child
    made = bpy.data.collections.new(COLLECTION)
    made["holdfast_parts"] = True
    scene.collection.children.link(made)
    return made


def _new_object(scene: bpy.types.Scene, part: MadePart, mesh: bpy.types.Mesh) -> bpy.types.Object:
    thing = bpy.data.objects.new(part.name, mesh)
    parts_collection(scene).objects.link(thing)
    thing.holdfast.is_part, thing.holdfast.part = True, part.name
    thing.holdfast.part_id = Numbers(scene).give(part.name)
    return thing


def _swap_mesh(thing: bpy.types.Object, mesh: bpy.types.Mesh) -> None:
    if thing.type != "MESH":
        raise InputError(f"The part {thing.name!r} is no mesh object", todo="Delete it and run Assets again.")
    kept_meshes.restore(thing)  # a lock that Physics fitted goes with the old mesh
    old = cast("bpy.types.Mesh", thing.data)
    for material in old.materials:
        mesh.materials.append(material)
    thing.data = mesh
    if old.users == 0:
        bpy.data.meshes.remove(old)


def _dress(thing: bpy.types.Object, part: MadePart) -> None:
    """Gives the part its material, or renews it, unless the artist edited it or chose another."""
    mesh = thing.data
    worn = mesh.materials[0] if mesh.materials else None
    if worn is not None and not is_untouched(worn):
        return
    material = worn or bpy.data.materials.new(part.name)
    build(material, part.finish, _image(part.texture))
    if worn is None:
        mesh.materials.append(material)


def _image(path: Path | None) -> bpy.types.Image | None:
    if path is None:
        return None
    if not path.exists():
        raise InputError(f"The texture {path.name} is missing", where=str(path), todo="Run Assets again.")
    image = bpy.data.images.load(str(path), check_existing=True)
    image.filepath = locate.beside(path)
    image.reload()
    return image


def _mark(thing: bpy.types.Object, part: MadePart, source: str) -> None:
    thing["holdfast_part"], thing["holdfast_asset"], thing["holdfast_source"] = part.name, part.asset, source
    if part.features:
        stated = [dict(feature) for feature in part.features]
        thing["holdfast_feature"] = json.dumps(stated[0] if len(stated) == 1 else stated)
    elif thing.get("holdfast_feature") is not None:
        del thing["holdfast_feature"]


def _place(
    new: Sequence[MadePart], parts: Sequence[MadePart], objects: Mapping[str, bpy.types.Object]
) -> None:
    """Stands new parts where they belong: pegs under the main part of their asset, mated assets on their socket,
    the rest on the floor side by side."""
    leaders = {part.asset: part for part in reversed(parts) if not part.is_peg}
    edge = 0.0
    for part in new:
        thing, leader = objects[part.name], leaders.get(part.asset)
        if leader is not None and leader is not part:
            thing.parent = objects[leader.name]
            continue
        target = _seat(part, parts, objects)
        if target is not None:
            thing.location = target
            continue
        low, high = _extent(thing)
        beside = edge - float(low[0]) if edge > 0 else 0.0
        thing.location = (beside, 0.0, -float(low[2]))
        edge = beside + float(high[0]) + 0.25 * float(high[0] - low[0])


def _extent(thing: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    corners = np.array(thing.bound_box)
    return corners.min(0), corners.max(0)


def _seat(
    part: MadePart, parts: Sequence[MadePart], objects: Mapping[str, bpy.types.Object]
) -> tuple[float, float, float] | None:
    """Where an asset with a peg sits when its shoulder lies on the rim of the first socket of another asset."""
    pegs = [
        f for other in parts if other.asset == part.asset for f in other.features if f.get("kind") == "peg"
    ]
    for other in parts:
        for socket in other.features:
            if pegs and socket.get("kind") == "socket" and other.asset != part.asset:
                base = objects[other.name].location
                x, y, z = (
                    float(base[i]) + float(socket["origin"][i]) - float(pegs[0]["origin"][i])
                    for i in range(3)
                )
                return (x, y, z)
    return None
