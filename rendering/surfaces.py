# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a part's mesh, in its own axes, is at every frame exactly the surface that Cycles shows of it.

Only of such parts can geometry be held against pixels. Everything here is read from settings, never from a frame,
so that every chunk of a shot answers alike; what can't be known for sure is answered with no.
"""

from collections.abc import Iterator
from typing import Any

import bpy

from .. import compat
from .throwaway import rendered_layer

STILL_MODIFIERS = frozenset(
    (
        "ARRAY", "BEVEL", "CAST", "DECIMATE", "EDGE_SPLIT", "LAPLACIANSMOOTH", "MASK", "MIRROR", "MULTIRES",
        "NORMAL_EDIT", "REMESH", "SCREW", "SIMPLE_DEFORM", "SKIN", "SMOOTH", "SOLIDIFY", "SUBSURF", "TRIANGULATE",
        "UV_WARP", "WEIGHTED_NORMAL", "WELD", "WIREFRAME",
    )
)  # fmt: skip
"""Modifiers whose result depends on the mesh and their settings alone, as long as they point at no object."""
SMOOTH_BY_ANGLE = "Smooth by Angle"
"""The node group that took the place of auto smooth in 4.1: it changes no vertex."""


def is_exact(thing: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    """True for a mesh object that never deforms, is opaque, not displaced by its material, and drawn in every frame."""
    if thing.type != "MESH" or thing.particle_systems or not _always_drawn(thing, rendered_layer(scene)):
        return False
    if thing.modifiers and (scene.render.use_simplify or _diced(thing)):
        return False
    mesh: Any = thing.data
    if mesh.shape_keys is not None or _animated(mesh) or _steers(thing, ("modifiers",)):
        return False
    instead = rendered_layer(scene).material_override
    materials = [instead] if instead else [slot.material for slot in thing.material_slots if slot.material]
    return all(_is_still(each) for each in thing.modifiers if each.show_render) and all(
        is_opaque(material) for material in materials
    )


def cuts_holes(scene: bpy.types.Scene) -> bool:
    """True if something in the rendered layer is a holdout: where it stands, nothing is known of what is behind it."""
    layer = rendered_layer(scene)
    for thing in layer.objects:
        if thing.is_holdout or thing.holdout_get(view_layer=layer):
            return True
        trees = [compat.shader_nodes_of(slot.material) for slot in thing.material_slots if slot.material]
        if any(str(node.type) == "HOLDOUT" for tree in trees if tree for node in _nodes(tree)):
            return True
    return False


def moves_with(thing: bpy.types.Object, leader: bpy.types.Object) -> bool:
    """True if ``thing`` is ``leader`` or hangs on it without any motion of its own."""
    while thing is not leader:
        own = _animated(thing) or thing.constraints or thing.rigid_body
        if own or thing.parent is None or thing.parent_type != "OBJECT":
            return False
        thing = thing.parent
    return True


def is_opaque(material: bpy.types.Material) -> bool:
    """True if the material can't let a ray through unbent, and does not move the surface."""
    tree = compat.shader_nodes_of(material)
    if tree is None:
        return True
    output = tree.get_output_node("CYCLES")
    if output is None or not output.inputs["Surface"].is_linked:
        return False
    moved = getattr(material, "displacement_method", "BUMP") != "BUMP"
    if moved and output.inputs["Displacement"].is_linked:
        return False
    return not any(_lets_through(node) for node in _nodes(tree))


def is_fog(thing: bpy.types.Object) -> bool:
    """True for a volume, or a shape whose materials have no surface: a ray scatters in it by chance."""
    materials = [slot.material for slot in thing.material_slots if slot.material]
    return thing.type == "VOLUME" or (bool(materials) and all(map(_is_volume, materials)))


def is_misty(world: bpy.types.World | None) -> bool:
    """True if the world itself is a volume."""
    return world is not None and _is_volume(world)


def _is_volume(block: bpy.types.Material | bpy.types.World) -> bool:
    tree = compat.shader_nodes_of(block)
    output = tree.get_output_node("CYCLES") if tree is not None else None
    if output is None or not output.inputs["Volume"].is_linked:
        return False
    return isinstance(block, bpy.types.World) or not output.inputs["Surface"].is_linked


def _nodes(tree: bpy.types.NodeTree) -> Iterator[bpy.types.Node]:
    for node in tree.nodes:
        if str(node.type) == "GROUP" and node.node_tree is not None:
            yield from _nodes(node.node_tree)
        else:
            yield node


def _lets_through(node: bpy.types.Node) -> bool:
    if str(node.type) in {"BSDF_TRANSPARENT", "HOLDOUT", "SCRIPT", "RAY_PORTAL_BSDF"}:
        return True
    alpha: Any = node.inputs.get("Alpha") if str(node.type) == "BSDF_PRINCIPLED" else None
    return alpha is not None and (alpha.is_linked or alpha.default_value < 1)


def _always_drawn(thing: bpy.types.Object, layer: bpy.types.ViewLayer) -> bool:
    hidden = thing.hide_render or thing.is_holdout or thing.is_shadow_catcher or not thing.visible_camera
    if layer.objects.get(thing.name) is not None:
        hidden = hidden or thing.holdout_get(view_layer=layer) or thing.indirect_only_get(view_layer=layer)
    hidden = hidden or thing.holdfast.see_through
    repeats = thing.instance_type != "NONE"
    return not (hidden or repeats or _steers(thing, ("hide_", "visible_", "is_", "show_")))


def _diced(thing: bpy.types.Object) -> bool:
    """Cycles' adaptive subdivision: a setting of the object up to 4.5, of the modifier from 5.0 on."""
    owners = [getattr(thing, "cycles", None), *thing.modifiers]
    return any(getattr(owner, "use_adaptive_subdivision", False) for owner in owners)


def _is_still(modifier: bpy.types.Modifier) -> bool:
    if modifier.type == "NODES":
        return modifier.node_group is not None and modifier.node_group.name.startswith(SMOOTH_BY_ANGLE)
    if modifier.type not in STILL_MODIFIERS:
        return False
    pointers = [prop.identifier for prop in modifier.bl_rna.properties if prop.type == "POINTER"]
    return all(not isinstance(getattr(modifier, name), bpy.types.ID) for name in pointers)


def _animated(block: bpy.types.ID) -> bool:
    held = block.animation_data
    return held is not None and bool(held.action or held.drivers or held.nla_tracks)


def _steers(thing: bpy.types.Object, starts: tuple[str, ...]) -> bool:
    """True if a key, driver or strip of the object changes a property whose path begins so."""
    held = thing.animation_data
    if held is None:
        return False
    actions = [held.action, *(strip.action for track in held.nla_tracks for strip in track.strips)]
    curves = [curve for action in actions if action for curve in compat.fcurves_of(action)]
    return any(curve.data_path.startswith(starts) for curve in [*curves, *held.drivers])
