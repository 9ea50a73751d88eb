# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes with known answers, and a driver of the stage without a worker process."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType

import bpy
from holdfast.operators import truth as stage
from holdfast.operators.drive import render_frames
from holdfast.operators.steps import Progress, RenderJob, StageOptions
from holdfast.pipeline.context import Context
from holdfast.pipeline.project import Project, ShotFolder
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering import pack

STAGE: ModuleType = stage


def new_scene(size: tuple[int, int], frames: int, samples: int = 1) -> bpy.types.Scene:
    scene = bpy.context.scene
    scene.render.engine, scene.render.resolution_x, scene.render.resolution_y = "CYCLES", *size
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end, scene.render.fps = 1, frames, 24
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", samples, False
    scene.cycles.use_adaptive_sampling = False
    scene.holdfast.truth.samples = 0
    data = bpy.data.cameras.new("Camera")
    data.lens, data.sensor_width, data.clip_start = 50.0, 36.0, 0.01
    scene.camera = bpy.data.objects.new("Camera", data)
    scene.collection.objects.link(scene.camera)
    return scene


def add_mesh(name: str, vertices, faces, part: bool = True) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.holdfast.is_part = part
    return thing


def add_plane(name: str, half: float, part: bool = True) -> bpy.types.Object:
    corners = [(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)]
    return add_mesh(name, corners, [(0, 1, 2, 3)], part)


def add_ball(name: str, radius: float, at) -> bpy.types.Object:
    import bmesh

    mesh, work = bpy.data.meshes.new(name), bmesh.new()
    bmesh.ops.create_icosphere(work, subdivisions=4, radius=radius)
    work.to_mesh(mesh)
    work.free()
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    thing.location, thing.holdfast.is_part = at, True
    return thing


def key(thing, path: str, values: dict[int, tuple[float, ...]]) -> None:
    """Linear keys."""
    for frame, value in values.items():
        setattr(thing, path, value)
        thing.keyframe_insert(path, frame=frame)
    straight(thing)


def straight(thing) -> None:
    from holdfast.compat import fcurves_of

    for curve in fcurves_of(thing.animation_data.action):
        for point in curve.keyframe_points:
            point.interpolation = "LINEAR"


def shot_in(folder: Path) -> ShotFolder:
    return Project(folder / "shot.holdfast").shot("sh010")


def drive(generator, rendered: list[int] | None = None):
    """Runs the stage in this process; the frames that it renders are added to ``rendered``."""
    answer = None
    try:
        while True:
            step = generator.send(answer)
            answer = None
            if isinstance(step, RenderJob):
                render_frames(step, Context())
                if rendered is not None and step.scene.name.endswith("beauty"):
                    rendered += step.frames
            elif not isinstance(step, Progress):
                assert step.function == "rendering.pack:run"
                answer = pack.run(step.request, Context())
    except StopIteration as stop:
        return stop.value


def make(folder: Path, frames: tuple[int, ...] | None = None, **options) -> GroundTruth:
    shot = shot_in(folder)
    drive(stage.run(bpy.context.scene, shot, StageOptions(frames=frames, **options)))
    return GroundTruth.open(shot.truth)


def two_parts(size: tuple[int, int]) -> bpy.types.Scene:
    """Two parts that move before a floor, lit, with depth of field, a compositor and a bound camera marker."""
    scene = new_scene(size, 4, samples=4)
    body, lid = add_ball("body", 0.3, (0, 0, 0)), add_ball("lid", 0.25, (0, 0, 0.5))
    body.holdfast.part_id, lid.holdfast.part_id = 1, 2
    key(lid, "location", {1: (0, 0, 0.9), 4: (0.1, 0, 0.45)})
    floor = add_plane("floor", 4, part=False)
    floor.location.z = -0.3
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    body.data.materials.append(material)
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    lamp.data.energy, lamp.location = 100, (2, -2, 3)
    scene.collection.objects.link(lamp)
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, -3.2, 0.9), (math.radians(80), 0, 0)
    camera.data.dof.use_dof, camera.data.dof.focus_distance = True, 3.2
    scene.timeline_markers.new("cut", frame=1).camera = camera
    scene.frame_set(2)
    lid.select_set(True)
    return scene


def inverting_compositor(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """An artist's compositor that shows the negative."""
    if hasattr(scene, "compositing_node_group"):
        tree = scene.compositing_node_group = bpy.data.node_groups.new("artist", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        output = tree.nodes.new("NodeGroupOutput")
    else:
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        output = tree.nodes.new("CompositorNodeComposite")
    layer, invert = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeInvert")
    tree.links.new(layer.outputs["Image"], invert.inputs["Color"])
    tree.links.new(invert.outputs[0], output.inputs[0])
    return tree
