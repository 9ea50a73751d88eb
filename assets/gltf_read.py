# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of a checked glTF as one mesh: every node that shows a mesh, placed."""

from __future__ import annotations

import numpy as np

from .facts import Facts
from .fields import Record, child, indices, integer, items, numbers
from .gltf_check import DRACO, INSTANCING
from .gltf_file import GltfFile
from .mesh import F64, I64, Mesh

_SCALES = {"<i1": 127.0, "<u1": 255.0, "<i2": 32767.0, "<u2": 65535.0}


def read_gltf(facts: Facts) -> Mesh:
    """All nodes of the scene (of the file, if it names none). Raises InputError for packed meshes."""
    file = GltfFile(facts)
    parts: dict[int, list[Mesh]] = {}
    placed: list[Mesh] = []
    total = 0
    for node, matrix in _placed(file):
        number = node["mesh"]
        if number not in parts:
            parts[number] = [
                _primitive(file, one) for one in items(facts, file.doc["meshes"][number], "primitives")
            ]
        place = (
            np.eye(4) if "skin" in node else matrix
        )  # a skin stands where its joints are: bound, that is here
        for one in [part for way in _instances(file, node) for part in _moved(parts[number], place @ way)]:
            total += len(one.triangles)
            facts.most(total, facts.limits.triangles, "triangles with all instances")
            placed.append(one)
    names = tuple(str(m.get("name", n)) for n, m in enumerate(items(facts, file.doc, "materials")))
    return _together(placed, names)


def _placed(file: GltfFile) -> list[tuple[Record, F64]]:
    """(node that shows a mesh, its matrix in the world)."""
    facts, nodes = file.facts, items(file.facts, file.doc, "nodes")
    scenes = items(facts, file.doc, "scenes")
    below = {one for node in nodes for one in indices(facts, node, "children", nodes)}
    roots = [n for n in range(len(nodes)) if n not in below]
    if scenes:
        chosen = integer(facts, file.doc, "scene", 0, len(scenes) - 1, 0)
        roots = indices(facts, scenes[chosen], "nodes", nodes)
    found, stack = [], [(root, np.eye(4)) for root in dict.fromkeys(roots)]
    while stack:
        number, above = stack.pop()
        matrix = above @ _matrix(file, nodes[number])
        if "mesh" in nodes[number]:
            found.append((nodes[number], matrix))
        stack += [(one, matrix) for one in indices(facts, nodes[number], "children", nodes)]
    return found


def _matrix(file: GltfFile, node: Record) -> F64:
    if given := numbers(file.facts, node, "matrix", 16):
        return np.array(given).reshape(4, 4).T
    move = np.array(numbers(file.facts, node, "translation", 3) or [0.0, 0.0, 0.0])
    turn = np.array(numbers(file.facts, node, "rotation", 4) or [0.0, 0.0, 0.0, 1.0])
    size = np.array(numbers(file.facts, node, "scale", 3) or [1.0, 1.0, 1.0])
    return _trs(move[None], turn[None], size[None])[0]


def _trs(move: F64, turn: F64, size: F64) -> F64:
    """(K, 4, 4) of translations, quaternions x y z w and scales."""
    length = np.linalg.norm(turn, axis=1, keepdims=True)
    x, y, z, w = (turn / np.where(length > 0.0, length, 1.0)).T
    matrix = np.zeros((len(move), 4, 4))
    rows = [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]]  # fmt: skip
    matrix[:, :3, :3] = np.array(rows).transpose(2, 0, 1) * size[:, None, :]
    matrix[:, :3, 3], matrix[:, 3, 3] = move, 1.0
    return matrix


def _instances(file: GltfFile, node: Record) -> F64:
    """(K, 4, 4) of EXT_mesh_gpu_instancing; one that does nothing where there is none."""
    extensions = child(file.facts, node, "extensions")
    attributes = child(file.facts, child(file.facts, extensions, INSTANCING), "attributes")
    known = {"TRANSLATION": [0.0] * 3, "ROTATION": [0.0, 0.0, 0.0, 1.0], "SCALE": [1.0] * 3}
    count = max((file.count(attributes[name]) for name in known if name in attributes), default=1)
    values = []
    for name, usual in known.items():
        given = _floats(file, attributes[name]) if name in attributes else np.array([usual] * count)
        if given.shape != (count, len(usual)):
            raise file.facts.bad("has instances that are damaged")
        values.append(given)
    return _trs(*values)


def _floats(file: GltfFile, number: int) -> F64:
    """An accessor as numbers: whole ones stand for parts of one if it says so."""
    raw = file.array(number)
    values = raw.astype(np.float64)
    if file.accessors[number].get("normalized") is True and raw.dtype.str.replace("|", "<") in _SCALES:
        return np.maximum(values / _SCALES[raw.dtype.str.replace("|", "<")], -1.0)
    return values


def _primitive(file: GltfFile, primitive: Record) -> Mesh:
    facts = file.facts
    attributes = child(facts, primitive, "attributes")
    mode = integer(facts, primitive, "mode", 0, 6, 4)
    if DRACO in child(facts, primitive, "extensions"):
        raise facts.bad("is packed by Draco, which is read by Blender alone", "Import it in Blender.")
    if "POSITION" not in attributes or mode < 4:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    used = [attributes[name] for name in ("POSITION", "TEXCOORD_0") if name in attributes]
    used += [primitive["indices"]] if "indices" in primitive else []
    if not all(file.plain(n) or "bufferView" not in file.accessors[n] for n in used):
        raise facts.bad("is packed by meshopt, which is read by Blender alone", "Import it in Blender 5.2.")
    points = _floats(file, attributes["POSITION"])
    order = (
        np.arange(len(points))
        if "indices" not in primitive
        else file.array(primitive["indices"])[:, 0].astype(np.int64)
    )
    triangles = _triangles(order, mode)
    uv = None
    if "TEXCOORD_0" in attributes:
        uv = (_floats(file, attributes["TEXCOORD_0"])[:, :2] * [1.0, -1.0] + [0.0, 1.0])[
            triangles
        ]  # v is down there
    return Mesh(points, triangles, uv, np.full(len(triangles), int(primitive.get("material", -1))))


def _triangles(order: I64, mode: int) -> I64:
    if mode == 4:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if len(order) < 3:
        return np.zeros((0, 3), np.int64)
    if mode == 6:
        return np.column_stack([np.full(len(order) - 2, order[0]), order[1:-1], order[2:]])
    strip = np.column_stack([order[:-2], order[1:-1], order[2:]])
    strip[1::2] = strip[1::2][:, [1, 0, 2]]
    return strip


def _moved(parts: list[Mesh], matrix: F64) -> list[Mesh]:
    """Placed, and z up; mirrored ones are turned so that they still face outwards."""
    turned = np.linalg.det(matrix[:3, :3]) < 0.0
    up = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    order = [0, 2, 1] if turned else [0, 1, 2]
    return [
        Mesh((part.points @ matrix[:3, :3].T + matrix[:3, 3]) @ up.T, part.triangles[:, order],
             None if part.uv is None else part.uv[:, order], part.material)
        for part in parts
    ]  # fmt: skip


def _together(parts: list[Mesh], names: tuple[str, ...]) -> Mesh:
    """One mesh of many; UVs are kept if any part has them, with none (NaN) for the others."""
    starts = np.cumsum([0, *(len(part.points) for part in parts)])
    points = np.concatenate([np.zeros((0, 3)), *(part.points for part in parts)])
    shifted = (part.triangles + start for part, start in zip(parts, starts[:-1], strict=True))
    triangles = np.concatenate([np.zeros((0, 3), np.int64), *shifted])
    material = np.concatenate([np.zeros(0, np.int64), *(part.material for part in parts)])
    uv = None
    if any(part.uv is not None for part in parts):
        given = (np.full((len(p.triangles), 3, 2), np.nan) if p.uv is None else p.uv for p in parts)
        uv = np.concatenate([np.zeros((0, 3, 2)), *given])
    return Mesh(points, triangles, uv, material, names)
