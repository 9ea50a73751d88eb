# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of a glTF file held to the format: nodes, meshes, skins, animations, materials, textures, extensions."""

from __future__ import annotations

from .facts import Facts
from .fields import Record, child, index, indices, integer, items, numbers, text
from .gltf_file import GltfFile
from .images import check_image, check_image_file
from .uri import data_uri

_READ = {
    "KHR_lights_punctual", "KHR_texture_transform", "KHR_mesh_quantization", "EXT_mesh_gpu_instancing",
    "KHR_animation_pointer", "EXT_texture_webp", "KHR_draco_mesh_compression",
    *(f"KHR_materials_{name}" for name in (
        "pbrSpecularGlossiness", "unlit", "clearcoat", "variants", "emissive_strength", "transmission", "specular",
        "sheen", "ior", "volume", "anisotropy",
    )),
}  # fmt: skip
"""What the importers of Blender 4.2 to 5.2 all read, as their own lists say."""
_READ_SINCE_5_2 = {
    "EXT_meshopt_compression", "KHR_meshopt_compression", "KHR_materials_dispersion", "KHR_materials_iridescence",
}  # fmt: skip
DRACO = "KHR_draco_mesh_compression"
INSTANCING = "EXT_mesh_gpu_instancing"


def triangles_of(mode: int, corners: int) -> int:
    """How many triangles a primitive of that mode makes: 4 a list, 5 a strip, 6 a fan, below points and lines."""
    return corners // 3 if mode == 4 else max(corners - 2, 0) if mode > 4 else 0


def check_gltf(facts: Facts) -> None:
    """Fills in the facts of a .glb or .gltf. Raises InputError."""
    file = GltfFile(facts)
    _check_extensions(facts, file.doc)
    for number in range(len(file.accessors)):
        file.check_accessor(number)
    _check_images(file)
    _check_materials(file)
    triangles = _check_meshes(file)
    _check_nodes(file, triangles)
    _check_skins(file)
    _check_animations(file)


def _check_extensions(facts: Facts, doc: Record) -> None:
    used, required = doc.get("extensionsUsed", []), doc.get("extensionsRequired", [])
    for names in (used, required):
        if not isinstance(names, list) or not all(
            isinstance(name, str) and len(name) < 100 for name in names
        ):
            raise facts.bad("has a list of extensions that is damaged")
        facts.most(len(names), 200, "extensions")
    facts.extensions += [*used, *required]
    for name in required:
        if name in _READ_SINCE_5_2:
            facts.note(
                f"It needs {name}, which Blender reads from version 5.2 on; 4.2 to 5.1 refuse the file."
            )
        elif name not in _READ:
            todo = "Export it again without that extension."
            hint = "; no Blender up to 5.2 reads KTX2 pictures" if name == "KHR_texture_basisu" else ""
            raise facts.bad(f"needs the extension {name}, which no Blender from 4.2 to 5.2 reads{hint}", todo)
    if "KHR_texture_basisu" in used and "KHR_texture_basisu" not in required:
        facts.note(
            "Its KTX2 pictures are read by no Blender up to 5.2; the other pictures are used if there are any."
        )


def _check_images(file: GltfFile) -> None:
    facts = file.facts
    for number, image in enumerate(items(facts, file.doc, "images", facts.limits.textures)):
        name = text(facts, image, "name") or f"image {number}"
        uri = text(facts, image, "uri")
        if uri.startswith("data:"):
            data, _kind = data_uri(facts, uri, facts.limits.json_bytes, "texture")
            check_image(facts, name, data, len(data), embedded=True)
        elif uri:
            check_image_file(facts, uri)
        else:
            view = file.view_bytes(index(facts, image, "bufferView", file.views))
            check_image(facts, name, view[: 1 << 20].tobytes(), len(view), embedded=True)


def _check_materials(file: GltfFile) -> None:
    facts, doc = file.facts, file.doc
    images, samplers = items(facts, doc, "images"), items(facts, doc, "samplers")
    textures = items(facts, doc, "textures")
    for texture in textures:
        for key, pool in (("source", images), ("sampler", samplers)):
            if key in texture:
                index(facts, texture, key, pool)
        for extension in child(facts, texture, "extensions").values():
            if isinstance(extension, dict) and "source" in extension:
                index(facts, extension, "source", images)
    materials = items(facts, doc, "materials")
    facts.materials = len(materials)
    for material in materials:
        _check_texture_links(facts, material, textures)


def _check_texture_links(facts: Facts, record: Record, textures: list[Record]) -> None:
    """Every ``...Texture`` below a material names a texture that is there. The depth of JSON bounds the climb."""
    for key, value in record.items():
        if isinstance(value, dict):
            if key.endswith("Texture") and "index" in value:
                index(facts, value, "index", textures)
            _check_texture_links(facts, value, textures)


def _check_meshes(file: GltfFile) -> list[int]:
    """The triangles of each mesh."""
    facts, counted, seen = file.facts, [], set[int]()
    materials = items(facts, file.doc, "materials")
    for mesh in items(facts, file.doc, "meshes"):
        before = facts.triangles
        primitives = items(facts, mesh, "primitives")
        if not primitives:
            raise facts.bad("has a mesh without any primitive")
        for primitive in primitives:
            if "material" in primitive:
                index(facts, primitive, "material", materials)
            _check_primitive(file, primitive, seen)
        counted.append(facts.triangles - before)
        facts.meshes += 1
    return counted


def _check_primitive(file: GltfFile, primitive: Record, seen: set[int]) -> None:
    facts = file.facts
    attributes = child(facts, primitive, "attributes")
    if "POSITION" not in attributes:
        facts.note("A mesh without positions is empty.")
        return
    place = index(facts, attributes, "POSITION", file.accessors)
    points = _check_attributes(file, attributes, file.count(place))
    for target in items(facts, primitive, "targets", 1000):
        _check_attributes(file, target, points)
    compressed = DRACO in child(facts, primitive, "extensions")
    if compressed:
        packed = child(facts, child(facts, primitive, "extensions"), DRACO)
        file.view_bytes(index(facts, packed, "bufferView", file.views))
        facts.note(
            "It is packed by Draco: counts are what the file claims. Blender 4.2 to 5.2 read it, where the build has Draco's library."
        )
    mode = integer(facts, primitive, "mode", 0, 6, 4)
    corners = points
    if "indices" in primitive:
        corners = _check_indices(file, index(facts, primitive, "indices", file.accessors), points, compressed)
    facts.vertices += 0 if place in seen else points
    seen.add(place)
    facts.triangles += triangles_of(mode, corners)
    facts.most(facts.vertices, facts.limits.vertices, "vertices")
    facts.most(facts.triangles, facts.limits.triangles, "triangles")


def _check_attributes(file: GltfFile, attributes: Record, points: int) -> int:
    """All attributes are as long as the positions, and positions and UVs are finite."""
    facts = file.facts
    facts.most(len(attributes), 64, "attributes of one mesh")
    for name in attributes:
        number = index(facts, attributes, name, file.accessors)
        if file.count(number) != points:
            raise facts.bad(f"has {file.count(number):,} values of {name} for {points:,} vertices")
        kind, width = file.dtype(number)
        if name == "POSITION" and width != 3:
            raise facts.bad("has positions that are not of three numbers")
        if kind == "<f4" and file.plain(number) and not file.finite(number):
            raise facts.bad(f"has {name} that are not finite numbers")
        if not file.plain(number) and "bufferView" in file.accessors[number]:
            facts.note("It is packed by meshopt: positions are not looked at.")
    return points


def _check_indices(file: GltfFile, number: int, points: int, compressed: bool) -> int:
    facts = file.facts
    kind, width = file.dtype(number)
    if width != 1 or kind not in ("<u1", "<u2", "<u4"):
        raise facts.bad("has indices that are no whole numbers")
    if not compressed and file.plain(number) and file.largest(number) >= points:
        raise facts.bad("has triangles of vertices that it does not have")
    return file.count(number)


def _check_nodes(file: GltfFile, triangles: list[int]) -> None:
    facts = file.facts
    nodes = items(facts, file.doc, "nodes")
    lists = {"mesh": "meshes", "skin": "skins", "camera": "cameras"}
    pools = {key: items(facts, file.doc, name) for key, name in lists.items()}
    children = [indices(facts, node, "children", nodes) for node in nodes]
    shown = 0
    for node in nodes:
        for key, pool in pools.items():
            if key in node:
                index(facts, node, key, pool)
        for key, length in (("matrix", 16), ("translation", 3), ("rotation", 4), ("scale", 3)):
            numbers(facts, node, key, length)
        copies = _copies(file, node)
        if "mesh" in node:
            facts.instances += copies
            shown += copies * triangles[node["mesh"]]
    facts.most(facts.instances, facts.limits.instances, "instances")
    facts.most(shown, 20 * facts.limits.triangles, "triangles with all instances")
    for scene in items(facts, file.doc, "scenes"):
        indices(facts, scene, "nodes", nodes)
    check_tree(facts, children)


def _copies(file: GltfFile, node: Record) -> int:
    """How often a node shows its mesh: once, or as EXT_mesh_gpu_instancing says."""
    facts = file.facts
    extensions = child(facts, node, "extensions")
    if INSTANCING not in extensions:
        return 1
    attributes = child(facts, child(facts, extensions, INSTANCING), "attributes")
    counts = {file.count(index(facts, attributes, name, file.accessors)) for name in attributes}
    if len(counts) > 1:
        raise facts.bad("has instances whose lists differ in length")
    return max(counts, default=1)


def check_tree(facts: Facts, children: list[list[int]]) -> None:
    """Raises InputError if a node has two parents, is its own ancestor, or lies too deep. Does not recurse."""
    parent = [-1] * len(children)
    for node, below in enumerate(children):
        for one in below:
            if parent[one] >= 0 or one == node:
                raise facts.bad("has a node with two parents, or one that is its own parent")
            parent[one] = node
    reached, layer, depth = 0, [n for n, above in enumerate(parent) if above < 0], 0
    while layer:
        reached, depth = reached + len(layer), depth + 1
        if depth > facts.limits.node_depth:
            raise facts.bad(f"has nodes nested more than {facts.limits.node_depth} deep")
        layer = [one for node in layer for one in children[node]]
    if reached < len(children):
        raise facts.bad("has nodes that are their own ancestors")


def _check_skins(file: GltfFile) -> None:
    facts = file.facts
    nodes = items(facts, file.doc, "nodes")
    skins = items(facts, file.doc, "skins")
    for skin in skins:
        joints = indices(facts, skin, "joints", nodes)
        if "skeleton" in skin:
            index(facts, skin, "skeleton", nodes)
        if "inverseBindMatrices" in skin:
            number = index(facts, skin, "inverseBindMatrices", file.accessors)
            if file.dtype(number)[1] != 16 or file.count(number) < len(joints):
                raise facts.bad("has a skin with fewer matrices than joints")
    facts.skins = len(skins)


def _check_animations(file: GltfFile) -> None:
    facts = file.facts
    nodes = items(facts, file.doc, "nodes")
    animations = items(facts, file.doc, "animations")
    for animation in animations:
        samplers = items(facts, animation, "samplers")
        for sampler in samplers:
            for key in ("input", "output"):
                index(facts, sampler, key, file.accessors)
        for channel in items(facts, animation, "channels"):
            index(facts, channel, "sampler", samplers)
            target = child(facts, channel, "target")
            if "node" in target:
                index(facts, target, "node", nodes)
    facts.animations = len(animations)
