# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene's fingerprint: what changes it, what does not, and that it survives saving, loading and a process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from holdfast.compat import fcurves_of
from holdfast.rendering.fingerprint import fingerprint

from . import truth_scenes as scenes


@pytest.fixture
def scene() -> bpy.types.Scene:
    return small_scene()


def small_scene() -> bpy.types.Scene:
    """A moving part with modifier, material and picture, a driven lamp."""
    scene = scenes.new_scene((64, 36), 24)
    ball = scenes.add_ball("ball", 0.3, (0, 0, 0))
    scenes.key(ball, "location", {1: (0, 0, 0), 24: (1, 0, 0)})
    ball.modifiers.new("Bevel", "BEVEL")
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    image = bpy.data.images.new("picture", 4, 4)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    ball.data.materials.append(material)
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "AREA"))
    scene.collection.objects.link(lamp)
    driver = lamp.data.driver_add("energy").driver
    driver.expression = "frame * 2"
    scene.world = bpy.data.worlds.new("world")
    bpy.context.view_layer.update()
    return scene


def _vertex(scene) -> None:
    scene.objects["ball"].data.vertices[7].co.x += 1e-4


def _light(scene) -> None:
    scene.objects["lamp"].data.size += 0.1


def _light_moved(scene) -> None:
    scene.objects["lamp"].location.z += 0.1


def _driver(scene) -> None:
    scene.objects["lamp"].data.animation_data.drivers[0].driver.expression = "frame * 3"


def _material(scene) -> None:
    nodes = bpy.data.materials["paint"].node_tree.nodes
    next(node for node in nodes if node.type == "BSDF_PRINCIPLED").inputs["Roughness"].default_value = 0.9


def _link(scene) -> None:
    tree = bpy.data.materials["paint"].node_tree
    shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
    tree.links.new(tree.nodes["Image Texture"].outputs["Color"], shader.inputs["Base Color"])


def _painted(scene) -> None:
    bpy.data.images["picture"].pixels[0] = 0.5


def _keyframe(scene) -> None:
    curve = next(iter(fcurves_of(scene.objects["ball"].animation_data.action)))
    curve.keyframe_points[1].co.y += 0.1
    curve.update()


def _modifier(scene) -> None:
    scene.objects["ball"].modifiers["Bevel"].width *= 2


def _modifier_off(scene) -> None:
    scene.objects["ball"].modifiers["Bevel"].show_render = False


def _lens(scene) -> None:
    scene.camera.data.lens = 51


def _size(scene) -> None:
    scene.render.resolution_x += 2


def _view(scene) -> None:
    scene.view_settings.exposure += 0.5


def _bounces(scene) -> None:
    scene.cycles.max_bounces += 1


def _world(scene) -> None:
    scene.world.use_nodes = True
    scene.world.color = (1, 0, 0)


def _excluded(scene) -> None:
    collection = bpy.data.collections.new("more")
    scene.collection.children.link(collection)
    bpy.context.view_layer.layer_collection.children["more"].exclude = True


def _hidden(scene) -> None:
    scene.objects["ball"].hide_render = True


CHANGES = (
    _vertex, _light, _light_moved, _driver, _material, _link, _painted, _keyframe, _modifier, _modifier_off, _lens, _size, _view,
    _bounces, _world, _excluded, _hidden,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_what_decides_the_picture_changes_it(scene, change: Callable) -> None:
    before = fingerprint(scene)
    change(scene)
    bpy.context.view_layer.update()
    assert fingerprint(scene) != before


def test_what_does_not_leaves_it(scene) -> None:
    before = fingerprint(scene)
    scene.frame_set(17)
    assert fingerprint(scene) == before
    scene.objects["ball"].select_set(True)
    bpy.context.view_layer.objects.active = scene.objects["lamp"]
    scene.objects["lamp"].hide_select = True
    scene.objects["ball"].show_name = True
    scene.objects["ball"].modifiers["Bevel"].show_expanded = False
    bpy.data.materials["paint"].node_tree.nodes["Image Texture"].location.x += 50
    scene.render.filepath = "/elsewhere/"
    bpy.data.materials["paint"].name = "another name"
    scene.objects["ball"].animation_data.action.name = "run again"
    scene.holdfast.finish.title = "Another"
    bpy.context.view_layer.update()
    assert fingerprint(scene) == before


def test_it_survives_saving_and_loading(scene, tmp_path: Path) -> None:
    before = fingerprint(scene)
    path = str(tmp_path / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    assert fingerprint(scene) == before
    bpy.ops.wm.open_mainfile(filepath=path)
    bpy.context.scene.frame_set(5)
    assert fingerprint(bpy.context.scene) == before


def test_it_is_quick(scene) -> None:
    for number in range(60):
        scenes.add_ball(f"ball{number}", 0.1, (number, 0, 0))
    bpy.context.view_layer.update()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        fingerprint(scene)
        times.append(time.perf_counter() - started)
    print(f"fingerprint of 60 objects: {statistics.median(times) * 1000:.0f} ms")
    assert min(times) < 0.5
