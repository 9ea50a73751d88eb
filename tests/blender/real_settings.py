# SPDX-License-Identifier: GPL-3.0-or-later
"""More scenes that no one made for the ground truth: by their settings, cameras and layers; and what each scene gives."""

from __future__ import annotations

from pathlib import Path

import bpy

from . import real_scenes
from . import truth_scenes as scenes
from .real_scenes import SIZE, base, part


def view_layers() -> None:
    """A second rendered layer that alone shows one part; a third that is off."""
    scene = base()
    front = bpy.data.collections.new("front")
    scene.collection.children.link(front)
    front.objects.link(part("lid"))
    scene.collection.objects.unlink(part("lid"))
    scene.view_layers[0].layer_collection.children["front"].exclude = True
    second = scene.view_layers.new("second")
    second.layer_collection.children["front"].exclude = False
    scene.view_layers.new("off").use = False


def artists_compositor() -> None:
    """Render Layers of this scene, a blur, a File Output of the artist's own."""
    scene = base()
    tree = scenes.inverting_compositor(scene)
    own = tree.nodes.new("CompositorNodeOutputFile")
    if hasattr(own, "base_path"):
        own.base_path = str(Path(bpy.app.tempdir) / "artist")
    tree.nodes.new("CompositorNodeViewer")


def blurred() -> None:
    scene = base()
    scene.render.use_motion_blur, scene.camera.data.dof.use_dof = True, True
    scene.camera.data.dof.focus_distance, scene.camera.data.dof.aperture_fstop = 2.0, 0.2
    scene.cycles.samples = 16


def sheared_and_mirrored() -> None:
    scene = base()
    turned = bpy.data.objects.new("turned", None)
    scene.collection.objects.link(turned)
    turned.scale, turned.rotation_euler = (1.5, 1, 0.5), (0, 0.6, 0)
    part("lid").parent, part("lid").rotation_euler = turned, (0, 0.4, 0)
    part("ball").scale.x = -1


def parented_camera() -> None:
    scene = base()
    rig = bpy.data.objects.new("rig", None)
    scene.collection.objects.link(rig)
    scene.camera.parent, rig.scale = rig, (1.2, 1, 1)
    scenes.key(rig, "rotation_euler", {1: (0, 0, 0), 2: (0, 0, 0.05)})


def camera_markers() -> None:
    scene = base()
    other = bpy.data.objects.new("other", scene.camera.data.copy())
    other.location, other.rotation_euler = (0, -6, 1), (1.4, 0, 0)
    other.data.lens = 85
    scene.collection.objects.link(other)
    scene.timeline_markers.new("one", frame=1).camera = scene.camera
    scene.timeline_markers.new("two", frame=2).camera = other


def time_remapped() -> None:
    scene = base()
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 200


def odd_frame_rate() -> None:
    scene = base()
    scene.render.fps, scene.render.fps_base = 30, 1.001


def border_and_percentage() -> None:
    scene = base()
    scene.render.resolution_x, scene.render.resolution_y = SIZE[0] * 2, SIZE[1] * 2
    scene.render.resolution_percentage = 50
    scene.render.use_border = scene.render.use_crop_to_border = True
    scene.render.border_max_x = 0.5


def simplified_film() -> None:
    scene = base()
    part("ball").modifiers.new("smooth", "SUBSURF").render_levels = 2
    scene.render.use_simplify, scene.render.simplify_subdivision_render = True, 0
    scene.render.film_transparent = True


def stereo_and_freestyle() -> None:
    scene = base()
    scene.render.use_multiview = scene.render.use_freestyle = True


def sequencer() -> None:
    scene = base()
    scene.render.use_sequencer = True
    scene.sequence_editor_create()
    editor = scene.sequence_editor
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strips.new_scene("itself", scene, 1, 1)


def _in_collection(name: str, thing: bpy.types.Object) -> bpy.types.LayerCollection:
    scene = bpy.context.scene
    collection = bpy.data.collections.new(name)
    scene.collection.children.link(collection)
    scene.collection.objects.unlink(thing)
    collection.objects.link(thing)
    return scene.view_layers[0].layer_collection.children[name]


def hidden_collections() -> None:
    """One hidden in renders, one seen only in reflections."""
    base()
    for name in ("hidden", "indirect"):
        thing = scenes.add_ball(f"in {name}", 0.3, (0, -1, 0))
        thing.holdfast.is_part = False
        layer = _in_collection(name, thing)
        layer.indirect_only, layer.collection.hide_render = name == "indirect", name == "hidden"


def holdout_before_the_parts() -> None:
    base()
    thing = scenes.add_ball("cut out", 0.3, (0, -1, 0))
    thing.holdfast.is_part = False
    _in_collection("hold", thing).holdout = True


def part_in_hidden_collection() -> None:
    base()
    _in_collection("hidden", part("lid")).collection.hide_render = True


def holdout_object_before_the_parts() -> None:
    base()
    thing = scenes.add_ball("cut out", 0.3, (0, -1, 0))
    thing.holdfast.is_part, thing.is_holdout = False, True


def holdout_part() -> None:
    base()
    part("lid").is_holdout = True


def unseen_by_camera() -> None:
    base()
    part("lid").visible_camera = False


def driven_by_frame() -> None:
    base()
    part("ball").driver_add("location", 2).driver.expression = "frame * 0.05"


def cloth() -> None:
    base()
    part("ball").modifiers.new("cloth", "CLOTH")


def orthographic_shift() -> None:
    scene = base()
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 4.0
    scene.camera.data.shift_x = 0.1


def panorama() -> None:
    base().camera.data.type = "PANO"


def inside_a_part() -> None:
    """The camera within the ball."""
    scene = base()
    part("ball").scale = (20, 20, 20)
    assert scene


ALONE = {"ball": 204, "lid": 130}
"""Pixels of the hard id map in frame 1 where nothing stands before the parts."""
GIVEN: dict[object, dict[str, int]] = {
    real_scenes.hair_curves_with_asset: {**ALONE, "hair": 6}, real_scenes.hair_particles: {"ball": 210, "lid": 130},
    real_scenes.volume: {"ball": 0, "lid": 130}, real_scenes.transparent: {"ball": 204, "lid": 0}, real_scenes.glass_before_a_part: {"ball": 0, "lid": 0},
    real_scenes.seen_through_glass: ALONE, real_scenes.instances: {"field": 72, "instance": 52}, real_scenes.linked_library: {}, real_scenes.names_of_the_world: {},
    real_scenes.zero_scale: {"ball": 0}, view_layers: ALONE, artists_compositor: ALONE, blurred: ALONE,
    sheared_and_mirrored: {"ball": 204, "lid": 97}, parented_camera: ALONE, camera_markers: ALONE, time_remapped: ALONE,
    odd_frame_rate: ALONE, border_and_percentage: ALONE, simplified_film: ALONE, stereo_and_freestyle: ALONE,
    sequencer: ALONE, hidden_collections: ALONE, holdout_before_the_parts: {},
    holdout_object_before_the_parts: {}, holdout_part: {"ball": 204, "lid": 0},
    unseen_by_camera: {"ball": 204, "lid": 0}, driven_by_frame: ALONE, real_scenes.missing_texture: ALONE, real_scenes.edit_mode: ALONE,
    orthographic_shift: {"ball": 112, "lid": 72}, inside_a_part: {"ball": 0, "lid": 130},
    real_scenes.text_and_curves: {"curve": 74, "font": 144, "meta": 82}, real_scenes.empty_mesh: {**ALONE, "nothing": 0},
    real_scenes.template_general: {"Cube": 240}, real_scenes.five_hundred_parts: {},
}  # fmt: skip
"""What each scene gives: parts with the pixels of their id in frame 1, where that is known."""
REFUSED: dict[object, str] = {
    real_scenes.template_2d_animation: "has no coverage in a render", real_scenes.template_sculpting: "has no camera",
    real_scenes.template_vfx: "has no parts", real_scenes.template_video_editing: "has no parts",
    real_scenes.same_name_in_library: "shows bolt, as others do", part_in_hidden_collection: "hidden in renders",
    panorama: "no flat picture", cloth: "live simulation",
}  # fmt: skip
"""What is refused, and words of the sentence that says so."""
