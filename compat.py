# SPDX-License-Identifier: GPL-3.0-or-later
"""Every difference between Blender 4.2 and 5.2, one function each."""

from typing import Any, Literal

import bpy


def ensure_fcurve(action: bpy.types.Action, owner: bpy.types.ID, path: str, index: int) -> bpy.types.FCurve:
    """The action's curve for ``path[index]`` of ``owner``, whose active action it is; made if missing.

    From 4.4 on curves live in the slot of their owner; from 5.0 on there is no other way to them.
    """
    if hasattr(action, "fcurve_ensure_for_datablock"):
        return action.fcurve_ensure_for_datablock(owner, path, index=index)
    return action.fcurves.find(path, index=index) or action.fcurves.new(path, index=index)


def fcurves_of(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """All curves of an action, whoever owns them. From 4.4 on they lie in slots; from 5.0 on nowhere else."""
    if not hasattr(action, "layers"):
        return list(action.fcurves)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags for curve in bag.fcurves]


def write_multilayer_exr(
    settings: bpy.types.ImageFormatSettings, codec: Literal["ZIP", "NONE"] = "ZIP"
) -> None:
    """Makes an output write 32-bit, single-part multilayer EXR with the compression ``codec``, ZIP or NONE.

    From 5.0 on the kind of media comes first, and several parts to a file are the default.
    """
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.color_depth = "32"
    settings.exr_codec = codec
    if hasattr(settings, "use_exr_interleave"):
        settings.use_exr_interleave = True


def write_png(settings: Any, bits: int = 8) -> None:
    """Makes a render write RGB PNG of 8 or 16 bits through the scene's view. From 5.0 on the kind of media comes first."""
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format = "PNG"
    settings.color_mode = "RGB"
    settings.color_depth = str(bits)
    settings.compression = 15
    settings.color_management = "FOLLOW_SCENE"


def own_compositor(scene: bpy.types.Scene) -> tuple[bpy.types.NodeTree, bool]:
    """The compositor tree of a copied scene, safe to change, and whether the artist's nodes are in it.

    Up to 4.5 the tree is part of the scene and copied with it; from 5.0 on it is a node group that scenes share,
    so it is copied here, under no other name than ``scene.compositing_node_group``.
    """
    wanted = scene.render.use_compositing
    if hasattr(scene, "compositing_node_group"):
        tree = scene.compositing_node_group if wanted else None
        scene.compositing_node_group = tree.copy() if tree else _new_compositor(scene.name)
        return scene.compositing_node_group, tree is not None
    wanted = wanted and scene.use_nodes and scene.node_tree is not None
    scene.use_nodes = True
    if not wanted:
        scene.node_tree.nodes.clear()
    return scene.node_tree, wanted


def _new_compositor(name: str) -> bpy.types.NodeTree:
    groups: Any = bpy.data.node_groups
    return groups.new(name, "CompositorNodeTree")


def add_composite_output(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    """The input of a new node that gives the finished picture; a group output from 5.0 on."""
    if hasattr(bpy.types, "CompositorNodeComposite"):
        return tree.nodes.new("CompositorNodeComposite").inputs["Image"]
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    return tree.nodes.new("NodeGroupOutput").inputs["Image"]


def composite_source(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket | None:
    """What is linked to the finished picture of a compositor; None if nothing is."""
    kind = "COMPOSITE" if hasattr(bpy.types, "CompositorNodeComposite") else "GROUP_OUTPUT"
    outputs = [node for node in tree.nodes if node.type == kind and not node.mute]
    active = next((node for node in outputs if getattr(node, "is_active_output", True)), None)
    sockets = [] if active is None else [socket for socket in active.inputs if socket.is_linked]
    return sockets[0].links[0].from_socket if sockets and sockets[0] == active.inputs[0] else None


def add_multilayer_output(tree: bpy.types.NodeTree, folder: str, name: str) -> bpy.types.Node:
    """A File Output node that writes multilayer EXR to ``folder``/``name`` (with #### for the frame), no inputs yet.

    Up to 4.5 one path names both; from 5.0 on folder and name are apart.
    """
    node = tree.nodes.new("CompositorNodeOutputFile")
    write_multilayer_exr(node.format, "NONE")  # quick, for a file that is soon gone
    if hasattr(node, "file_output_items"):
        node.directory, node.file_name = folder, name
        node.file_output_items.clear()
    else:
        node.base_path = f"{folder}/{name}.exr"
        node.layer_slots.clear()
    return node


def add_output_layer(node: bpy.types.Node, name: str) -> bpy.types.NodeSocket:
    """A new colour input ``name`` of a File Output node. The items have another name from 5.0 on."""
    if hasattr(node, "file_output_items"):
        node.file_output_items.new("RGBA", name)
    else:
        node.layer_slots.new(name)
    return next(socket for socket in node.inputs if socket.name == name)


def encodes_by_bt601() -> bool:
    """Whether Blender's H.264 output holds BT.601 code values under its BT.709 tag, as before 4.4."""
    return bpy.app.version < (4, 4, 0)


def denoise_quickly(scene: bpy.types.Scene, samples: int) -> None:
    """Cycles with ``samples``, denoised the quick way; with twice the samples where a build has no denoiser.

    Blender's own builds have OpenImageDenoise on all platforms; Debian's 4.3 and 5.2 are built without.
    """
    cycles = scene.cycles
    cycles.samples = samples
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError:
        cycles.samples, cycles.use_denoising = 2 * samples, False
        return
    cycles.use_denoising = True
    cycles.denoising_quality = cycles.denoising_prefilter = "FAST"


def node_tree_of(block: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree:
    """The shader nodes of a material or world. They must be asked for before 5.0; later they are always there."""
    if bpy.app.version < (5, 0, 0):
        block.use_nodes = True
    return block.node_tree


def shader_nodes_of(block: bpy.types.Material | bpy.types.World) -> bpy.types.NodeTree | None:
    """The shader nodes that a material or world is drawn with, None if it has a plain colour, as only before 5.0."""
    if bpy.app.version < (5, 0, 0) and not block.use_nodes:
        return None
    return block.node_tree


def scene_linear() -> str:
    """The colour space of scene-linear pixels: the file's working space from 5.0 on, the configuration's before."""
    if hasattr(bpy.data, "colorspace"):
        return str(bpy.data.colorspace.working_space)
    return "Linear Rec.709"


def make_linear(image: bpy.types.Image) -> None:
    """Makes the pixels of a new float image scene-linear.

    They are so before 5.0; then the working space can be another than that of new images, and has a name.
    """
    space: Any = image.colorspace_settings
    if hasattr(bpy.data, "colorspace"):
        space.name = "scene_linear"


def input_spaces() -> tuple[str, ...]:
    """The names of the colour spaces that a picture can be read in."""
    names: Any = bpy.types.ColorManagedInputColorspaceSettings.bl_rna.properties["name"]
    return tuple(item.identifier for item in names.enum_items)


def node_group_inputs(modifier: bpy.types.NodesModifier) -> list[Any]:
    """What a geometry nodes modifier hands to its node group. Properties of the modifier itself before 5.2."""
    if not hasattr(modifier, "properties"):
        return [modifier[key] for key in modifier.keys()]  # noqa: SIM118  a modifier is no mapping
    given = [getattr(modifier.properties.inputs, name) for name in dir(modifier.properties.inputs)]
    return [each.value for each in given if hasattr(each, "value")]


def fcurves_used(animation: bpy.types.AnimData) -> list[bpy.types.FCurve]:
    """The curves of the active action that move the owner of ``animation``: those of its slot, from 4.4 on."""
    action = animation.action
    if not hasattr(animation, "action_slot_handle"):
        return list(action.fcurves)
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags if bag.slot_handle == animation.action_slot_handle for curve in bag.fcurves]


def compositor_of(scene: bpy.types.Scene) -> bpy.types.NodeTree | None:
    """The artist's compositor, if it is in use. A part of the scene before 5.0, a node group then."""
    if hasattr(scene, "compositing_node_group"):
        return scene.compositing_node_group
    return scene.node_tree if scene.use_nodes else None


def nodes_are_off(block: bpy.types.bpy_struct) -> bool:
    """Whether a material, world or light has nodes that it doesn't use. They can't be switched off from 5.0 on."""
    prop: Any = block.bl_rna.properties.get("use_nodes")
    return (
        prop is not None
        and not getattr(prop, "is_deprecated", False)
        and not getattr(block, "use_nodes", True)
    )


def modifier_inputs(modifier: bpy.types.NodesModifier) -> list[tuple[str, Any, str]]:
    """(identifier, value, name of the attribute read instead or "") of what a modifier hands to its node group."""
    if modifier.node_group is None:
        return []
    items: Any = modifier.node_group.interface.items_tree
    names = [item.identifier for item in items if item.item_type == "SOCKET" and item.in_out == "INPUT"]
    if not hasattr(modifier, "properties"):
        held: Any = modifier
        return [
            (
                name,
                held.get(name),
                held.get(f"{name}_attribute_name", "") if held.get(f"{name}_use_attribute") else "",
            )
            for name in names
        ]
    given = [(name, getattr(modifier.properties.inputs, name, None)) for name in names]
    return [
        (
            name,
            getattr(held, "value", None),
            held.attribute_name if getattr(held, "type", "") == "ATTRIBUTE" else "",
        )
        for name, held in given
    ]


def vectors_know_zoom() -> bool:
    """Whether Cycles' vectors are of the neighbour frame's focal length; before 4.3 they were of this frame's."""
    return bpy.app.version >= (4, 3, 0)


def strips_of(scene: bpy.types.Scene) -> list[Any]:
    """All strips of a scene's edit. They are called so from 4.4 on."""
    edit: Any = scene.sequence_editor
    if edit is None:
        return []
    return list(edit.strips_all if hasattr(edit, "strips_all") else edit.sequences_all)


def strip_span(strip: Any) -> tuple[int, int, int]:
    """(frame at which the content of a strip begins, first frame that shows, frame after the last). Other names from 5.1 on."""
    if hasattr(strip, "content_start"):
        return round(strip.content_start), int(strip.left_handle), int(strip.right_handle)
    return round(strip.frame_start), int(strip.frame_final_start), int(strip.frame_final_end)


def fbx_importer() -> Any:
    """The operator that imports FBX: Blender's own from 4.5 on, which reads text files too; an add-on's before."""
    try:
        bpy.ops.wm.fbx_import.get_rna_type()
    except (KeyError, RuntimeError):
        return bpy.ops.import_scene.fbx
    return bpy.ops.wm.fbx_import


def pencil_strokes(thing: bpy.types.Object) -> list[tuple[list[Any], list[float], bool]]:
    """(points in the object's space, radii in metres, closed) of the visible strokes of a Grease Pencil object now.

    The data are other ones from 4.3 on; before, a stroke has a width in pixels, of which a thousand made a metre.
    """
    found: list[tuple[list[Any], list[float], bool]] = []
    for layer in thing.data.layers:
        if layer.hide:
            continue
        if hasattr(layer, "current_frame"):
            frame, place = layer.current_frame(), layer.matrix_local
            for stroke in frame.drawing.strokes if frame is not None and frame.drawing is not None else ():
                points = [place @ point.position for point in stroke.points]
                found.append((points, [point.radius for point in stroke.points], stroke.cyclic))
            continue
        for stroke in layer.active_frame.strokes if layer.active_frame is not None else ():
            radii = [stroke.line_width * point.pressure / 2000.0 for point in stroke.points]
            found.append(([point.co.copy() for point in stroke.points], radii, stroke.use_cyclic))
    return found


def is_pencil(thing: bpy.types.Object | None) -> bool:
    """Whether an object is a Grease Pencil drawing: GPENCIL before 4.3, GREASEPENCIL from then on."""
    return thing is not None and thing.type in ("GPENCIL", "GREASEPENCIL")


def remove_scene(scene: bpy.types.Scene) -> None:
    """Removes a scene that no window shows. Before 5.0 Blender dies if there is no window in the context, as in a
    timer or in a command on an opened file."""
    if bpy.context.window is None:
        bpy.data.batch_remove([scene])
    else:
        bpy.data.scenes.remove(scene)


def relative_path() -> Any:
    """The options of a property whose path may begin with //, the folder of the .blend. It need not be said before 4.5."""
    return {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()
