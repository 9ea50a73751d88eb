# SPDX-License-Identifier: GPL-3.0-or-later
"""Finishes as Blender materials. The same builder makes look development and the final parts."""

import bpy

from .. import compat
from ..pipeline.store import digest_json
from .finishes import Colour, Finish

Image = bpy.types.NodeSocket | None
_MIX_INPUTS = ("Factor_Float", "A_Color", "B_Color")
SOURCE = "holdfast_finish"
"""Custom property: the fingerprint that the material had when it was made."""


def linear(colour: Colour) -> tuple[float, float, float, float]:
    """Display sRGB 0..1 as scene-linear RGBA."""
    values = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return (values[0], values[1], values[2], 1.0)


def _set(shader: bpy.types.Node, name: str, value: object) -> None:
    if name in shader.inputs:
        shader.inputs[name].default_value = value


def build(material: bpy.types.Material, finish: Finish, image: bpy.types.Image | None = None) -> None:
    """Fills ``material`` with the finish; with ``image`` (sRGB, on the active UV map) as its base colour."""
    tree = compat.node_tree_of(material)
    tree.nodes.clear()
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    output.location, shader.location = (300, 0), (0, 0)
    tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    _set(shader, "Base Color", linear(finish.base))
    _set(shader, "Metallic", finish.metallic)
    _set(shader, "Roughness", finish.roughness)
    _set(shader, "Coat Weight", finish.coat)
    _set(shader, "Coat Roughness", 0.08)
    _set(shader, "Sheen Weight", finish.sheen)
    picture: Image = None
    if image is not None:
        texture = tree.nodes.new("ShaderNodeTexImage")
        texture.image, texture.location = image, (-560, 180)
        picture = texture.outputs["Color"]
        tree.links.new(picture, shader.inputs["Base Color"])
    pattern = _PATTERNS.get(finish.pattern)
    if pattern is not None:
        pattern(tree, shader, finish, picture)
    material.diffuse_color = linear(finish.base)
    material.metallic, material.roughness = finish.metallic, finish.roughness
    material[SOURCE] = fingerprint(material)


def fingerprint(material: bpy.types.Material) -> str:
    """Changes when anybody edits the material's nodes, links or plain values."""
    if material.node_tree is None:
        return ""
    nodes = {
        node.name: [node.bl_idname, node.mute]
        + [_plain(socket.default_value) for socket in node.inputs if hasattr(socket, "default_value")]
        for node in material.node_tree.nodes
    }
    links = sorted(
        f"{a.from_node.name}>{a.to_node.name}.{a.to_socket.identifier}" for a in material.node_tree.links
    )
    return digest_json([nodes, links])


def is_untouched(material: bpy.types.Material) -> bool:
    """True for a material made here that nobody edited since."""
    return material.get(SOURCE) == fingerprint(material)


def _plain(value: object) -> object:
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return round(value, 5)
    try:
        return [round(float(item), 5) for item in value]  # type: ignore[attr-defined]
    except TypeError:
        return str(value)


def _coordinates(tree: bpy.types.NodeTree, scale: tuple[float, float, float]) -> bpy.types.NodeSocket:
    place = tree.nodes.new("ShaderNodeTexCoord")
    mapping = tree.nodes.new("ShaderNodeMapping")
    place.location, mapping.location = (-1100, -200), (-920, -200)
    mapping.inputs["Scale"].default_value = scale
    tree.links.new(place.outputs["Object"], mapping.inputs["Vector"])
    return mapping.outputs["Vector"]


def _noise(
    tree: bpy.types.NodeTree, vector: bpy.types.NodeSocket, scale: float, detail: float
) -> bpy.types.Node:
    noise = tree.nodes.new("ShaderNodeTexNoise")
    noise.location = (-740, -200)
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = scale, detail
    tree.links.new(vector, noise.inputs["Vector"])
    return noise


def _colour(
    tree: bpy.types.NodeTree,
    shader: bpy.types.Node,
    source: bpy.types.NodeSocket,
    finish: Finish,
    span: tuple[float, float],
    image: Image,
) -> None:
    """Runs the base colour from the second colour to the first over ``span`` of ``source``; over an image, which
    holds the first colour already, it multiplies by their ratio."""
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.location = (-560, -100)
    first, last = ramp.color_ramp.elements[0], ramp.color_ramp.elements[1]
    first.position, last.position = span
    tree.links.new(source, ramp.inputs["Fac"])
    low, high = linear(finish.second), linear(finish.base)
    if image is None:
        first.color, last.color = low, high
        tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
        return
    darker = min(
        sum(low[:3]) / max(sum(high[:3]), 1e-3), 1.0
    )  # mostly neutral, so that drawn decor keeps its hue
    ratio = [0.3 * min(a / max(b, 1e-3), 1.0) + 0.7 * darker for a, b in zip(low[:3], high[:3], strict=True)]
    first.color, last.color = (ratio[0], ratio[1], ratio[2], 1.0), (1.0, 1.0, 1.0, 1.0)
    product = tree.nodes.new("ShaderNodeMix")
    product.data_type, product.blend_type, product.location = "RGBA", "MULTIPLY", (-240, 80)
    factor, a, b = (next(s for s in product.inputs if s.identifier == name) for name in _MIX_INPUTS)
    factor.default_value = 1.0
    tree.links.new(image, a)
    tree.links.new(ramp.outputs["Color"], b)
    result = next(s for s in product.outputs if s.identifier == "Result_Color")
    tree.links.new(result, shader.inputs["Base Color"])


def _bump(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, height: bpy.types.NodeSocket, distance_m: float
) -> None:
    bump = tree.nodes.new("ShaderNodeBump")
    bump.location = (-260, -320)
    bump.inputs["Distance"].default_value = distance_m
    bump.inputs["Strength"].default_value = 0.6
    tree.links.new(height, bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])


def _wood(tree: bpy.types.NodeTree, shader: bpy.types.Node, finish: Finish, image: Image) -> None:
    scale = finish.pattern_scale
    rings = _noise(tree, _coordinates(tree, (scale, scale, scale * 0.09)), 1.0, 5.0)
    rings.inputs["Distortion"].default_value = 1.6
    _colour(tree, shader, rings.outputs["Fac"], finish, (0.36, 0.6), image)
    _bump(tree, shader, rings.outputs["Fac"], 0.00006)


def _glaze(tree: bpy.types.NodeTree, shader: bpy.types.Node, finish: Finish, image: Image) -> None:
    scale = finish.pattern_scale
    flow = _noise(tree, _coordinates(tree, (scale, scale, scale * 0.55)), 1.0, 3.0)
    _colour(tree, shader, flow.outputs["Fac"], finish, (0.22, 0.62), image)


def _felt(tree: bpy.types.NodeTree, shader: bpy.types.Node, finish: Finish, image: Image) -> None:
    scale = finish.pattern_scale
    fibres = _noise(tree, _coordinates(tree, (scale, scale, scale)), 1.0, 6.0)
    _colour(tree, shader, fibres.outputs["Fac"], finish, (0.3, 0.65), image)
    _bump(tree, shader, fibres.outputs["Fac"], 0.0003)


def _hammered(tree: bpy.types.NodeTree, shader: bpy.types.Node, finish: Finish, image: Image) -> None:
    dents = tree.nodes.new("ShaderNodeTexVoronoi")
    dents.location = (-740, -200)
    dents.inputs["Scale"].default_value = finish.pattern_scale
    tree.links.new(_coordinates(tree, (1, 1, 1)), dents.inputs["Vector"])
    _bump(tree, shader, dents.outputs["Distance"], 0.0004)


_PATTERNS = {"wood": _wood, "glaze": _glaze, "felt": _felt, "hammered": _hammered}
