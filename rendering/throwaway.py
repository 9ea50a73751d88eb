# SPDX-License-Identifier: GPL-3.0-or-later
"""Throw-away copies of the artist's scene, made to be rendered and removed again.

A copy shares every object with the original; only what belongs to the scene itself (render settings, view
layers, compositor) is changed, and only in the copy. Three copies give the three raw files of a frame:

* ``beauty``: the artist's picture, and the coverage of the parts (Cryptomatte) where Cycles renders it;
* ``data``: one Cycles sample through the centre of each pixel, without blur: depth, normals, vectors, hard ids;
* ``cover``: only for other engines than Cycles, Cryptomatte at a few samples.

They are scenes of their own rather than view layers of one, because Cycles (4.2 to 5.2) mixes up the passes of
view layers that differ in their passes when it keeps its data from frame to frame.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .. import compat

MARK = "holdfast_throwaway"
COVER_SAMPLES = 8
CRYPTO_LEVELS = 6
_STAMPS = "camera date filename frame frame_range hostname labels lens marker memory note render_time scene sequencer_strip time"


@dataclass(frozen=True)
class Copies:
    """The scenes to render; ``cover`` is None where ``beauty`` writes the coverage itself."""

    beauty: bpy.types.Scene
    data: bpy.types.Scene
    cover: bpy.types.Scene | None

    @property
    def scenes(self) -> tuple[bpy.types.Scene, ...]:
        """All of them, the quick ones first."""
        return tuple(scene for scene in (self.data, self.cover, self.beauty) if scene is not None)


@contextmanager
def copies(scene: bpy.types.Scene, raw: Path, samples: int, scene_engine: bool) -> Iterator[Copies]:
    """Copies of ``scene`` that render into the folder ``raw``; gone afterwards, whatever happens.

    ``samples`` is the number of Cycles samples of the beauty, quickly denoised; 0 keeps the scene's own settings.
    ``scene_engine``: the engine that the scene is set to renders the beauty, otherwise Cycles.
    """
    purge()
    try:
        beauty = _copy(scene, "beauty", raw)
        if not scene_engine:
            _use_cycles(beauty)
        _set_up_beauty(beauty, samples)
        data = _copy(scene, "data", raw)
        _set_up_data(data)
        cover = None
        if _is_cycles(beauty):
            _add_coverage(beauty, raw)
        else:
            cover = _copy(scene, "cover", raw)
            _set_up_cover(cover)
        yield Copies(beauty, data, cover)
    finally:
        purge()


def purge() -> None:
    """Removes every throw-away thing, those of a run that crashed included."""
    for scene in [scene for scene in bpy.data.scenes if scene.get(MARK)]:
        scene.render.use_persistent_data = False  # frees what Cycles kept for it
        bpy.data.scenes.remove(scene)
    kinds: tuple[Any, ...] = (bpy.data.objects, bpy.data.cameras, bpy.data.node_groups)
    for things in kinds:
        for thing in [thing for thing in things if thing.get(MARK)]:
            things.remove(thing)


def _copy(scene: bpy.types.Scene, what: str, raw: Path) -> bpy.types.Scene:
    copy = scene.copy()
    copy[MARK] = True
    copy.name = f"{scene.name} {what}"
    _stop_physics(copy)
    render = copy.render
    render.filepath = str(raw / f"{what}.")
    render.use_file_extension = render.use_overwrite = True
    render.use_placeholder = render.use_sequencer = render.use_multiview = render.use_border = False
    render.use_persistent_data = True
    copy.frame_step = 1
    for stamp in _STAMPS.split():
        if hasattr(render, f"use_stamp_{stamp}"):
            setattr(
                render, f"use_stamp_{stamp}", False
            )  # dates in the file's metadata would make every run differ
    render.use_stamp = False
    return copy


def _stop_physics(copy: bpy.types.Scene) -> None:
    """Takes the rigid-body world out of the copy: two worlds would build, and free, the same shared bodies."""
    if copy.rigidbody_world is not None:
        with bpy.context.temp_override(scene=copy):
            bpy.ops.rigidbody.world_remove()


def _is_cycles(scene: bpy.types.Scene) -> bool:
    return str(scene.render.engine) == "CYCLES"


def _use_cycles(scene: bpy.types.Scene) -> None:
    render: Any = scene.render  # the stubs know of no engine that is an add-on
    render.engine = "CYCLES"


def _set_up_beauty(copy: bpy.types.Scene, samples: int) -> None:
    compat.write_png(copy.render.image_settings)
    copy.render.dither_intensity = 0.0
    if samples and _is_cycles(copy):
        copy.cycles.time_limit = 0.0
        compat.denoise_quickly(copy, samples)


def _set_up_data(copy: bpy.types.Scene) -> None:
    layer = _only_geometry(copy, samples=1)
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_vector = True
    layer.pass_cryptomatte_depth = 2
    compat.write_multilayer_exr(
        copy.render.image_settings, "NONE"
    )  # a third of the work, for a file soon gone
    copy.render.use_motion_blur = False
    _without_depth_of_field(copy)


def _set_up_cover(copy: bpy.types.Scene) -> None:
    _only_geometry(copy, samples=COVER_SAMPLES).pass_cryptomatte_depth = CRYPTO_LEVELS


def _only_geometry(copy: bpy.types.Scene, samples: int) -> bpy.types.ViewLayer:
    """Cycles with no light, no denoising and no pass but Cryptomatte. The rendered layer."""
    render, cycles = copy.render, copy.cycles
    _use_cycles(copy)
    render.use_compositing = render.use_freestyle = False
    compat.write_multilayer_exr(render.image_settings)
    cycles.samples, cycles.time_limit, cycles.seed, cycles.use_animated_seed = samples, 0.0, 0, False
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
    layer.use_pass_cryptomatte_object = True
    return layer


def rendered_layer(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """The view layer that the ground truth is taken from: the first that is rendered."""
    return next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])


def _without_depth_of_field(copy: bpy.types.Scene) -> None:
    """Gives the copy cameras of its own where a lens would blur."""
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


def _add_coverage(copy: bpy.types.Scene, raw: Path) -> None:
    """Lets the compositor of the copy write Cryptomatte beside whatever the artist does there."""
    layer = rendered_layer(copy)
    layer.use_pass_cryptomatte_object, layer.pass_cryptomatte_depth = True, CRYPTO_LEVELS
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
    target = compat.add_multilayer_output(tree, str(raw), "cover.####")
    for level in range(CRYPTO_LEVELS // 2):
        name = f"CryptoObject{level:02d}"
        tree.links.new(source.outputs[name], compat.add_output_layer(target, name))
