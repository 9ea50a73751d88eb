# SPDX-License-Identifier: GPL-3.0-or-later
"""The table with five things that the window test of Ground Truth's panel is made on."""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import bpy

Check = Generator[float, None, str | None]
NAMES = ("body", "lid", "handle", "knob", "foot")


def table(walk: Any, frames: int = 3) -> Check:
    """A saved file with five things on a table, a pane of glass, and one thing that the lid hides; none marked yet."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    scene = bpy.context.scene
    yield 0.3
    things(scene, frames)
    render = scene.render
    render.engine, scene.holdfast.truth.samples = "CYCLES", 4
    render.resolution_x, render.resolution_y, render.resolution_percentage = 640, 360, 50
    scene.frame_start, scene.frame_end = 1, frames
    bpy.ops.wm.save_as_mainfile(filepath=str(walk.folder / "table.blend"))
    only_truth(walk)
    yield from walk.hand.show_tab()
    look(walk)
    yield 0.8
    return None


def only_truth(walk: Any) -> None:
    """Takes the panels of the other stages away: buttons are looked for by moving the mouse over all there is."""
    for cls in walk.module("panels").CLASSES:
        name = cls.__name__
        if (
            issubclass(cls, bpy.types.Panel)
            and cls.is_registered
            and not name.endswith(("_truth", "_viewer"))
        ):
            bpy.utils.unregister_class(cls)


def things(scene: bpy.types.Scene, frames: int) -> None:
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0.2, -8.0, 3.0), (math.radians(75.0), 0.0, 0.0)
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "AREA"))
    lamp.location, lamp.data.energy, lamp.data.size = (2.0, -2.0, 4.0), 350.0, 3.0
    for thing in (camera, lamp):
        scene.collection.objects.link(thing)
    scene.camera = camera
    scene.view_settings.view_transform = "Standard"  # its way back is measured in a tenth of the steps of AgX
    world = scene.world = bpy.data.worlds.new("world")
    world.color = (0.05, 0.05, 0.06)
    bpy.ops.mesh.primitive_plane_add(size=9.0)
    made("table", (0.32, 0.3, 0.28))
    bpy.ops.mesh.primitive_cylinder_add(vertices=64, radius=0.8, depth=1.4, location=(-0.6, 0.0, 0.7))
    made("body", (0.25, 0.36, 0.5))
    bpy.ops.mesh.primitive_cylinder_add(vertices=64, radius=0.85, depth=0.3, location=(-0.6, 0.0, 1.56))
    lid = made("lid", (0.6, 0.4, 0.3))
    bpy.ops.mesh.primitive_torus_add(
        major_radius=0.5, minor_radius=0.09, location=(1.4, -0.3, 0.6), rotation=(1.3, 0.0, 0.6)
    )
    made("handle", (0.5, 0.5, 0.3))
    bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=16, radius=0.04, location=(1.9, -1.0, 0.04))
    made("knob", (0.7, 0.2, 0.2))
    bpy.ops.mesh.primitive_cube_add(size=0.4, location=(-0.7, 1.6, 0.2))
    made("foot", (0.3, 0.6, 0.4))
    for frame, height, turn in ((1, 2.2, 0.0), (frames, 1.56, 1.2)):
        lid.location.z, lid.rotation_euler.z = height, turn
        lid.keyframe_insert("location", frame=frame)
        lid.keyframe_insert("rotation_euler", frame=frame)
    scene.frame_set(1)


def made(name: str, colour: tuple[float, float, float]) -> bpy.types.Object:
    thing = bpy.context.object
    thing.name = thing.data.name = name
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*colour, 1.0)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (*colour, 1.0)
    thing.data.materials.append(material)
    return thing


def look(walk: Any) -> None:
    space = walk.hand.area.spaces[0]
    space.shading.type, space.shading.color_type = "SOLID", "MATERIAL"
    space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
    space.overlay.show_cursor = space.overlay.show_extras = space.overlay.show_relationship_lines = False
    space.region_3d.view_perspective = "CAMERA"
    space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 8.0, (0.05, 0.0)


def select(*names: str) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    for name in names:
        bpy.data.objects[name].select_set(True)
        bpy.context.view_layer.objects.active = bpy.data.objects[name]


def settle(walk: Any) -> Check:
    """Waits until the panels know what there is."""
    yield 0.8
    yield from walk.wait()
    return None
