# SPDX-License-Identifier: GPL-3.0-or-later
"""What a binary FBX holds: meshes, materials, pictures, and who hangs on whom."""

from __future__ import annotations

from pathlib import PureWindowsPath

import numpy as np

from .facts import Facts, Texture
from .fbx_file import FbxFile, FbxNode, Packed, words
from .gltf_check import check_tree
from .images import check_image, check_image_file
from .uri import reaches_out, trick_in


class _Found:
    def __init__(self) -> None:
        self.points: dict[int, int] = {}
        self.models: list[int] = []
        self.links: list[tuple[int, int]] = []
        self.names: dict[int, list[str]] = {}
        self.embedded: set[str] = set()


def check_fbx(facts: Facts) -> None:
    """Fills in the facts of a binary FBX. Raises InputError."""
    file, found = FbxFile(facts), _Found()
    facts.format = f"FBX {file.version / 1000:.1f}"
    for node in file.nodes():
        if node.path[0] == "Objects" and len(node.path) == 2:
            _count(facts, node, found)
        elif node.path[:2] == ("Objects", "Geometry") and len(node.path) == 3:
            _geometry(facts, file, node, found)
        elif node.path[:2] in (("Objects", "Texture"), ("Objects", "Video")) and len(node.path) == 3:
            _picture(facts, node, found)
        elif node.path == ("Connections", "C"):
            _link(facts, node, found)
    facts.instances = len(found.models)
    facts.most(facts.instances, facts.limits.instances, "objects")
    _check_links(facts, found)
    for names in found.names.values():
        _check_name(facts, names, found.embedded)


def _count(facts: Facts, node: FbxNode, found: _Found) -> None:
    kind, values = node.path[1], node.values
    sort = words(values[2]) if len(values) > 2 else ""
    facts.materials += kind == "Material"
    facts.animations += kind == "AnimationStack"
    facts.skins += kind == "Deformer" and sort == "Skin"
    facts.meshes += kind == "Geometry" and sort == "Mesh"
    facts.most(
        max(facts.materials, facts.animations, facts.skins, facts.meshes), facts.limits.nodes, "objects"
    )
    if kind == "Model" and values and isinstance(values[0], int):
        found.models.append(values[0])


def _geometry(facts: Facts, file: FbxFile, node: FbxNode, found: _Found) -> None:
    array = node.values[0] if node.values else None
    if not isinstance(array, Packed):
        return
    if node.path[2] == "Vertices":
        facts.most(array.count // 3, facts.limits.vertices, "vertices")
        if array.count % 3 or array.kind not in ("<f4", "<f8"):
            raise facts.bad("has vertices that are not of three numbers")
        if not np.isfinite(file.array(array)).all():
            raise facts.bad("has coordinates that are not finite numbers")
        found.points[node.owner] = array.count // 3
        facts.vertices += array.count // 3
        facts.most(facts.vertices, facts.limits.vertices, "vertices")
    elif node.path[2] == "PolygonVertexIndex" and array.count:
        facts.most(array.count, 4 * facts.limits.triangles, "corners of faces")
        corners = file.array(array).astype(np.int64)
        ends = corners < 0  # the last corner of a face is kept as -1 - vertex
        if (
            int(np.where(ends, -1 - corners, corners).max()) >= found.points.get(node.owner, 0)
            or not ends[-1]
        ):
            raise facts.bad("has a face of vertices that it does not have")
        facts.triangles += max(len(corners) - 2 * int(ends.sum()), 0)
        facts.most(facts.triangles, facts.limits.triangles, "triangles")


def _picture(facts: Facts, node: FbxNode, found: _Found) -> None:
    value = node.values[0] if node.values else None
    if not isinstance(value, np.ndarray):
        return
    if node.path[2] in ("FileName", "Filename", "RelativeFilename") and len(value):
        names = found.names.setdefault(node.owner, [])
        if words(value) not in names:
            names.append(words(value))
    elif node.path[2] == "Content" and len(value):
        names = found.names.setdefault(node.owner, [])
        name = PureWindowsPath(names[0]).name if names else f"picture {len(found.embedded)}"
        check_image(facts, name, value[: 1 << 20].tobytes(), len(value), embedded=True)
        found.embedded.add(name)
    facts.most(len(found.names), 2 * facts.limits.textures, "pictures")


def _link(facts: Facts, node: FbxNode, found: _Found) -> None:
    if len(node.values) >= 3 and words(node.values[0]) == "OO":
        below, above = node.values[1:3]
        if isinstance(below, int) and isinstance(above, int):
            found.links.append((below, above))
    facts.most(len(found.links), 20 * facts.limits.nodes, "connections")


def _check_links(facts: Facts, found: _Found) -> None:
    """The tree of models has no loop and is not too deep."""
    place = {number: n for n, number in enumerate(found.models)}
    children: list[list[int]] = [[] for _ in found.models]
    for below, above in dict.fromkeys(found.links):
        if below in place and above in place:
            children[place[above]].append(place[below])
    check_tree(facts, children)


def _check_name(facts: Facts, names: list[str], embedded: set[str]) -> None:
    """FBX names pictures by where they lay on the machine that wrote it: noted, and only looked for beside the file."""
    for name in names:
        if reaches_out(name):
            raise facts.bad(
                f"names a texture on another computer: {name[:80]}", "Put the texture beside the file."
            )
    facts.outside += [name for name in names if trick_in(name)]
    short = PureWindowsPath(names[0]).name
    if short in embedded or not short:
        return
    inside = [name for name in names if not trick_in(name)]
    check_image_file(facts, inside[0] if inside else short)
    if inside and facts.textures[-1] == Texture(inside[0], missing=True):
        facts.note("Some of its pictures are not beside it.")
