# SPDX-License-Identifier: GPL-3.0-or-later
"""GLB, glTF, OBJ, STL and PLY into plain arrays, so that a farm without Blender can inspect and repair them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .check import check_file
from .facts import Facts, Limits, MeshFile
from .gltf_read import read_gltf
from .mesh import F64, I64, Mesh, fan
from .obj_file import obj_blocks
from .ply_file import read_ply
from .stl_file import stl_blocks

READABLE = (".glb", ".gltf", ".obj", ".stl", ".ply")
"""What can be read here. The rest, and what Draco or meshopt packed, takes Blender's importers."""


def read_mesh(path: Path, limits: Limits = Limits()) -> tuple[Mesh, MeshFile]:  # noqa: B008  frozen, numbers alone
    """(all meshes of a file as one, in metres, z up as Blender's importers turn it; its facts).

    The file is checked first. One unit of the file is taken as a metre. Skins are in the pose they were bound in.
    Raises InputError, also for a format that only Blender reads.
    """
    found = check_file(path, limits)
    facts = Facts(Path(path), limits)
    suffix = facts.path.suffix.lower()
    if suffix not in READABLE:
        raise facts.bad("is of a format that is read by Blender alone", "Import it in Blender.")
    reader = {".glb": read_gltf, ".gltf": read_gltf, ".obj": _obj, ".stl": _stl, ".ply": _ply}[suffix]
    mesh = reader(facts)
    return Mesh(
        mesh.points, mesh.triangles, mesh.uv, mesh.material, mesh.materials, found.textures, facts.path.stem
    ), found


def upright(points: F64) -> F64:
    """(N, 3) from y up to z up."""
    return np.column_stack([points[:, 0], -points[:, 2], points[:, 1]])


def _obj(facts: Facts) -> Mesh:
    points, uvs, sizes, corners, materials = (
        [np.zeros((0, 3))],
        [np.zeros((0, 2))],
        list[I64](),
        list[I64](),
        list[I64](),
    )
    names: dict[str, int] = {}
    current = -1
    for block in obj_blocks(facts):
        if block.kind == "v":
            points.append(block.values)
        elif block.kind == "vt":
            uvs.append(block.values)
        elif block.kind == "usemtl":
            current = names.setdefault(block.name, len(names))
        elif block.kind == "f":
            sizes.append(block.sizes)
            corners.append(block.corners)
            materials.append(np.full(len(block.sizes), current))
    table = np.concatenate(corners) if corners else np.zeros((0, 2), np.int64)
    size = np.concatenate(sizes) if sizes else np.zeros(0, np.int64)
    place, uv = fan(size), np.concatenate(uvs)
    triangles = table[place]
    has_uv = len(uv) and len(table) and (table[:, 1] >= 0).any()
    material = np.repeat(np.concatenate(materials) if materials else size, np.maximum(size - 2, 0))
    found = (
        np.where(triangles[..., 1:] >= 0, uv[np.maximum(triangles[..., 1], 0)], np.nan) if has_uv else None
    )
    return Mesh(upright(np.concatenate(points)), triangles[..., 0], found, material, tuple(names))


def _stl(facts: Facts) -> Mesh:
    corners = np.concatenate([np.zeros((0, 3, 3)), *stl_blocks(facts)])
    return Mesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))


def _ply(facts: Facts) -> Mesh:
    ply = read_ply(facts)
    triangles = ply.corners[fan(ply.sizes)] if len(ply.sizes) else np.zeros((0, 3), np.int64)
    return Mesh(ply.points, triangles, None if ply.uv is None else ply.uv[triangles])
