# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes of evaluated objects as arrays, and as mesh data-blocks again.

While Blender renders, no data-block may be made; so a mesh is read into arrays there and built later.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .throwaway import MARK

Array = NDArray[Any]
_KINDS: dict[str, tuple[str, int, type]] = {
    "FLOAT": ("value", 1, np.float32), "INT": ("value", 1, np.int32), "BOOLEAN": ("value", 1, np.bool_),
    "FLOAT2": ("vector", 2, np.float32), "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32), "BYTE_COLOR": ("color", 4, np.float32),
}  # fmt: skip
"""Kinds of attributes that shaders read: property, width and type of their values."""
_TOPOLOGY = (
    ("vertices", "co", 3, np.float32), ("edges", "vertices", 2, np.int32), ("loops", "vertex_index", 1, np.int32),
    ("loops", "edge_index", 1, np.int32), ("polygons", "loop_start", 1, np.int32),
)  # fmt: skip


@dataclass(frozen=True)
class Geometry:
    """A mesh: its topology, its attributes by name (kind, domain, values), and the materials of its slots."""

    topology: tuple[Array, ...]
    attributes: dict[str, tuple[str, str, Array]]
    render_uv: str
    corner_normals: Array | None
    materials: tuple[bpy.types.Material | None, ...] = field(default=())

    @cached_property
    def digest(self) -> str:
        """Names what it looks like."""
        state = hashlib.sha256(
            repr((self.render_uv, [each and each.name_full for each in self.materials])).encode()
        )
        for array in (*self.topology, self.corner_normals):
            state.update(b"" if array is None else array.tobytes())
        for name, (kind, domain, values) in sorted(self.attributes.items()):
            state.update(f"{name} {kind} {domain}".encode() + values.tobytes())
        return state.hexdigest()[:24]


def read_geometry(thing: bpy.types.Object, materials: tuple[bpy.types.Material | None, ...]) -> Geometry:
    """The mesh of an evaluated object; of metaballs what is drawn of them."""
    if thing.type == "MESH":
        return _read(thing.data, materials)
    mesh = thing.to_mesh()
    try:
        return _read(mesh, materials)
    finally:
        thing.to_mesh_clear()


def _read(mesh: Any, slots: tuple[bpy.types.Material | None, ...]) -> Geometry:
    topology = tuple(
        _values(getattr(mesh, owner), name, width, kind) for owner, name, width, kind in _TOPOLOGY
    )
    attributes: dict[str, tuple[str, str, Array]] = {}
    for each in mesh.attributes:
        if each.data_type in _KINDS and each.name != "position" and not each.name.startswith("."):
            attributes[each.name] = (each.data_type, each.domain, _values(each.data, *_KINDS[each.data_type]))
    uv = next((layer.name for layer in mesh.uv_layers if layer.active_render), "")
    normals = _values(mesh.corner_normals, "vector", 3, np.float32) if mesh.has_custom_normals else None
    made = [material and material.original for material in mesh.materials]
    return Geometry(topology, attributes, uv, normals, (*slots, *made[len(slots) :]))


def _values(things: Any, name: str, width: int, kind: type) -> Array:
    values: Array = np.zeros(len(things) * width, kind)
    things.foreach_get(name, values)
    return values


def mesh_of(geometry: Geometry) -> bpy.types.Mesh:
    """A throw-away mesh data-block of this geometry; the one that is there already if one is."""
    name = f"{MARK} {geometry.digest}"
    if name in bpy.data.meshes:
        return bpy.data.meshes[name]
    mesh: Any = bpy.data.meshes.new(name)
    mesh[MARK] = True
    vertices, edges, corners, _, starts = geometry.topology
    for things, count in zip(
        (mesh.vertices, mesh.edges, mesh.loops, mesh.polygons),
        (len(vertices) // 3, len(edges) // 2, len(corners), len(starts)),
        strict=True,
    ):
        things.add(count)
    for (owner, what, _, _), values in zip(_TOPOLOGY, geometry.topology, strict=True):
        getattr(mesh, owner).foreach_set(what, values)
    for material in geometry.materials:
        mesh.materials.append(material)
    for title, (kind, domain, values) in geometry.attributes.items():
        made = mesh.attributes.get(title) or mesh.attributes.new(title, kind, domain)
        made.data.foreach_set(_KINDS[kind][0], values)
    if geometry.render_uv in mesh.uv_layers:
        mesh.uv_layers[geometry.render_uv].active_render = True
    mesh.update()
    if geometry.corner_normals is not None:
        mesh.normals_split_custom_set(geometry.corner_normals.reshape(-1, 3))
    return mesh
