# SPDX-License-Identifier: GPL-3.0-or-later
"""The throw-away scenes that a frame of ground truth is rendered from, each to a file of its own.

* ``data``: one Cycles sample through the centre of each pixel, without blur: depth, normals, vectors, UVs, hard ids;
* ``ids``: hard ids alone, where instances have to be made real objects before they can be told apart;
* ``whole``: the parts alone, all of one material that lets the ray go on: what each covers, seen or hidden;
* ``cover``: coverage by Cryptomatte at a few samples, where the beauty can't give it;
* ``beauty``: the artist's picture, display-referred (``beauty``) and scene-linear (``film``); where Cycles renders it
  as it is, ``film`` holds the coverage too.

They are scenes of their own rather than view layers of one, because Cycles (4.2 to 5.2) mixes up the passes of
view layers that differ in their passes when it keeps its data from frame to frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..pipeline.errors import InputError
from . import mattes, raw
from .drawn import NO_MATERIAL
from .parts import Part
from .surfaces import is_fog, is_misty
from .throwaway import MARK, copy_of, rendered_layer, rendered_layers, seen_objects, show_only

COVER_SAMPLES = 8
CRYPTO_LEVELS = 6
MOST_LEVELS = 16
XRAY = 0.1
"""How much a surface of the scene ``whole`` takes of a ray that goes through it."""


@dataclass(frozen=True)
class Order:
    """What is asked for. ``samples``: Cycles samples of the beauty, quickly denoised; 0 keeps the scene's own settings.

    ``scene_engine``: the engine that the scene is set to renders the beauty, otherwise Cycles. ``picture_bits``: 8 or 16.
    ``beauty``: False if the pictures are there already.
    """

    parts: Sequence[Part]
    samples: int
    scene_engine: bool
    picture_bits: int = 8
    beauty: bool = True

    @property
    def realised(self) -> bool:
        """Whether instances must be made real objects to be told apart."""
        return any(part.realised for part in self.parts)

    @property
    def slots(self) -> bool:
        """Whether a part is one material of an object."""
        return any(part.material for part in self.parts)


@dataclass(frozen=True)
class Job:
    """A scene, the kind of raw file that it leaves, and whether its instances are to be realised before each frame."""

    kind: str
    scene: bpy.types.Scene
    realised: bool = False


def make(scene: bpy.types.Scene, folder: Path, order: Order) -> list[Job]:
    """The scenes to render into ``folder``, the quick ones first. To be called inside of ``throwaway.copies``."""
    seen = _seen_through(scene)
    jobs = [Job("data", _data(scene, folder, order, seen))]
    if order.realised:
        jobs.append(Job("ids", _ids(scene, folder, order, seen), True))
    jobs.append(Job("whole", _whole(scene, folder, order), order.realised))
    beauty = _beauty(scene, folder, order) if order.beauty else None
    if beauty is not None and not order.realised and seen is None and _is_cycles(beauty):
        _add_film(beauty, folder, order, coverage=True)
    else:
        jobs.append(Job("cover", _cover(scene, folder, order, seen), order.realised))
        if beauty is not None:
            _add_film(beauty, folder, order, coverage=False)
    return jobs if beauty is None else [*jobs, Job("beauty", beauty)]


def kinds(jobs: Sequence[Job]) -> list[str]:
    """The kinds of raw files that the jobs leave for each frame; the last one is written last."""
    found = [job.kind for job in jobs]
    return found if "beauty" not in found else [*found[:-1], "film", "beauty"]


def _seen_through(scene: bpy.types.Scene) -> list[bpy.types.Object] | None:
    """What stands in the scenes of the parts where that is not simply the rendered layer; None where it is.

    Fog is left out: rays that scatter in it by chance would leave holes in every pass.
    """
    layers = rendered_layers(scene)
    seen = seen_objects(scene)
    clear = [thing for thing in seen if not thing.holdfast.see_through and not is_fog(thing)]
    plain = len(layers) == 1 and len(clear) == len(seen) and not is_misty(scene.world)
    return None if plain else clear


def _beauty(scene: bpy.types.Scene, folder: Path, order: Order) -> bpy.types.Scene:
    copy = _copy(scene, "beauty", folder)
    if not order.scene_engine:
        _use_cycles(copy)
    compat.write_png(copy.render.image_settings, order.picture_bits)
    copy.render.dither_intensity = 0.0
    if order.samples and _is_cycles(copy):
        copy.cycles.time_limit = 0.0
        compat.denoise_quickly(copy, order.samples)
    return copy


def _data(
    scene: bpy.types.Scene, folder: Path, order: Order, seen: list[bpy.types.Object] | None
) -> bpy.types.Scene:
    copy = _geometry(scene, "data", folder, order, seen)
    layer = rendered_layer(copy)
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_vector = layer.use_pass_uv = True
    layer.pass_cryptomatte_depth = 2
    _sharp(copy)
    return copy


def _ids(
    scene: bpy.types.Scene, folder: Path, order: Order, seen: list[bpy.types.Object] | None
) -> bpy.types.Scene:
    copy = _geometry(scene, "ids", folder, order, seen)
    rendered_layer(copy).pass_cryptomatte_depth = 2
    _sharp(copy)
    return copy


def _cover(
    scene: bpy.types.Scene, folder: Path, order: Order, seen: list[bpy.types.Object] | None
) -> bpy.types.Scene:
    copy = _geometry(scene, "cover", folder, order, seen)
    copy.cycles.samples = COVER_SAMPLES
    rendered_layer(copy).pass_cryptomatte_depth = CRYPTO_LEVELS
    return copy


def _whole(scene: bpy.types.Scene, folder: Path, order: Order) -> bpy.types.Scene:
    copy = _geometry(scene, "whole", folder, order, None)
    show_only(copy, [thing for part in order.parts if not part.material for thing in part.objects])
    for part in order.parts:
        if part.material:
            copy.collection.objects.link(_slot_alone(part))
    layer = rendered_layer(copy)
    layer.material_override = _xray()
    layer.pass_cryptomatte_depth = _whole_levels(order.parts)
    layer.use_pass_cryptomatte_material = False
    copy.cycles.transparent_max_bounces = copy.cycles.min_transparent_bounces = (
        1024  # no ray is dropped by chance
    )
    _sharp(copy)
    return copy


def _whole_levels(parts: Sequence[Part]) -> int:
    things = sum(len(part.cover) for part in parts)
    return min(MOST_LEVELS, max(2, things + things % 2))


def _slot_alone(part: Part) -> bpy.types.Object:
    """A copy of the part's object that has only the faces of its material, whatever modifiers make them."""
    alone = part.object.copy()
    alone[MARK] = True
    alone.name = mattes.alone(part.record())[0]
    slots = [number for number, slot in enumerate(part.object.material_slots)
             if (slot.material.name if slot.material else NO_MATERIAL) == part.material]  # fmt: skip
    groups: Any = bpy.data.node_groups
    tree = groups.new("holdfast slot", "GeometryNodeTree")
    tree[MARK] = True
    for way in ("INPUT", "OUTPUT"):
        tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
    new, link = tree.nodes.new, tree.links.new
    rest = new("NodeGroupInput").outputs[0]
    joined = new("GeometryNodeJoinGeometry")
    for slot in slots:
        equal = new("FunctionNodeCompare")
        equal.data_type, equal.operation = "INT", "EQUAL"
        whole = [socket for socket in equal.inputs if socket.type == "INT"]
        link(new("GeometryNodeInputMaterialIndex").outputs[0], whole[0])
        whole[1].default_value = slot
        chosen = new("GeometryNodeSeparateGeometry")
        chosen.domain = "FACE"
        link(rest, chosen.inputs["Geometry"])
        link(equal.outputs["Result"], chosen.inputs["Selection"])
        link(chosen.outputs["Selection"], joined.inputs[0])
    link(joined.outputs[0], new("NodeGroupOutput").inputs[0])
    modifier: Any = alone.modifiers.new("holdfast slot", "NODES")
    modifier.node_group = tree
    return alone


def crop(copy: bpy.types.Scene, box: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    """Has ``copy`` render only the pixels x0..x1, y0..y1 (origin top left) of a picture of ``size``."""
    (left, top, right, bottom), (width, height) = box, size
    render = copy.render
    render.use_border = render.use_crop_to_border = True
    aside = 0.25  # Blender rounds down: aim into the pixel
    render.border_min_x, render.border_max_x = (left + aside) / width, (right + aside) / width
    render.border_min_y, render.border_max_y = (
        (height - bottom + aside) / height,
        (height - top + aside) / height,
    )


def _copy(scene: bpy.types.Scene, what: str, folder: Path) -> bpy.types.Scene:
    copy = copy_of(scene, what)
    copy.render.filepath = str(folder / f"{what}.")
    copy.render.use_persistent_data = True
    return copy


def _geometry(
    scene: bpy.types.Scene, what: str, folder: Path, order: Order, seen: list[bpy.types.Object] | None
) -> bpy.types.Scene:
    """Cycles with no light, no denoising, one sample, and no pass but Cryptomatte."""
    copy = _copy(scene, what, folder)
    render, cycles = copy.render, copy.cycles
    _use_cycles(copy)
    copy.world = None
    render.use_compositing = render.use_freestyle = False
    compat.write_multilayer_exr(render.image_settings, "NONE")  # quick, for a file that is soon gone
    cycles.samples, cycles.time_limit, cycles.seed, cycles.use_animated_seed = 1, 0.0, 0, False
    cycles.use_denoising = cycles.use_adaptive_sampling = cycles.use_light_tree = False
    cycles.use_layer_samples = "IGNORE"
    for bounces in ("max", "diffuse", "glossy", "transmission", "volume"):
        setattr(cycles, f"{bounces}_bounces", 0)
    layer = rendered_layer(copy)
    for other in copy.view_layers:
        other.use = other == layer
    for prop in layer.bl_rna.properties:
        if prop.identifier.startswith("use_pass_"):
            setattr(layer, prop.identifier, False)
    layer.use_pass_cryptomatte_object, layer.use_pass_cryptomatte_material = True, order.slots
    if seen is not None:
        show_only(copy, seen)
    return copy


def _is_cycles(scene: bpy.types.Scene) -> bool:
    return str(scene.render.engine) == "CYCLES"


def _use_cycles(scene: bpy.types.Scene) -> None:
    render: Any = scene.render  # the stubs know of no engine that is an add-on
    try:
        render.engine = "CYCLES"
    except TypeError as error:
        todo = "Enable Cycles Render Engine in the preferences."
        raise InputError("Cycles is switched off", todo=todo) from error


def _xray() -> bpy.types.Material:
    """A material that lets a ray through and is counted on the way: Cryptomatte then knows all that a ray meets."""
    material = bpy.data.materials.new("holdfast x-ray")
    material[MARK] = True
    tree = compat.node_tree_of(material)
    tree.nodes.clear()
    new, link = tree.nodes.new, tree.links.new
    mix = new("ShaderNodeMixShader")
    mix.inputs[0].default_value = XRAY
    link(new("ShaderNodeBsdfTransparent").outputs[0], mix.inputs[1])
    link(new("ShaderNodeEmission").outputs[0], mix.inputs[2])
    link(mix.outputs[0], new("ShaderNodeOutputMaterial").inputs["Surface"])
    return material


def _sharp(copy: bpy.types.Scene) -> None:
    """Neither shutter nor lens blur: the copy gets cameras of its own where a lens would."""
    copy.render.use_motion_blur = False
    sharp: dict[bpy.types.Object, bpy.types.Object] = {}

    def replaced(camera: bpy.types.Object | None) -> bpy.types.Object | None:
        if camera is None or camera.type != "CAMERA" or not camera.data.dof.use_dof:
            return camera
        if camera not in sharp:
            sharp[camera] = camera.copy()
            sharp[camera].data = camera.data.copy()
            sharp[camera].data.dof.use_dof = False
            sharp[camera][MARK] = sharp[camera].data[MARK] = True
            copy.collection.objects.link(sharp[camera])
        return sharp[camera]

    copy.camera = replaced(copy.camera)
    for marker in copy.timeline_markers:
        marker.camera = replaced(marker.camera)


def _add_film(copy: bpy.types.Scene, folder: Path, order: Order, coverage: bool) -> None:
    """Lets the compositor of the copy write the scene-linear picture, and coverage, beside what the artist does there."""
    layer = rendered_layer(copy)
    if coverage:
        layer.use_pass_cryptomatte_object, layer.pass_cryptomatte_depth = True, CRYPTO_LEVELS
        layer.use_pass_cryptomatte_material = layer.use_pass_cryptomatte_material or order.slots
    tree, artists = compat.own_compositor(copy)
    tree_id = getattr(copy, "compositing_node_group", None)
    if tree_id is not None:
        tree_id[MARK] = True
    copy.render.use_compositing = True
    copy.render.compositor_device, copy.render.compositor_precision = "CPU", "FULL"
    for node in tree.nodes:
        if node.bl_idname == "CompositorNodeOutputFile":
            node.mute = True
        elif node.bl_idname == "CompositorNodeRLayers":
            node.scene = copy
    source = tree.nodes.new("CompositorNodeRLayers")
    source.scene, source.layer = copy, layer.name
    if not artists:
        tree.links.new(source.outputs["Image"], compat.add_composite_output(tree))
    target = compat.add_multilayer_output(tree, str(folder), "film.####")
    tree.links.new(
        compat.composite_source(tree) or source.outputs["Image"], compat.add_output_layer(target, raw.PICTURE)
    )
    layers = ("CryptoObject", "CryptoMaterial") if order.slots else ("CryptoObject",)
    for crypto in layers if coverage else ():
        for level in range(CRYPTO_LEVELS // 2):
            name = f"{crypto}{level:02d}"
            tree.links.new(source.outputs[name], compat.add_output_layer(target, name))
