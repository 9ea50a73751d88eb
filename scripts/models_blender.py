# SPDX-License-Identifier: GPL-3.0-or-later
"""One found model inside Blender: load, cut, plant, prove, photograph. Imported once bpy is there."""

from __future__ import annotations

import importlib
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector
from models import Model

IMPORTERS = {".obj": "obj_import", ".stl": "stl_import", ".ply": "ply_import"}
COLOURS = {"above": (0.93, 0.55, 0.16, 1.0), "below": (0.25, 0.42, 0.55, 1.0)}


def prove(model: Model, path: Path | None, package: str) -> dict[str, Any]:
    """The record of one model: what it was, what was done, the verdict and the seconds of each step."""
    module = lambda name: importlib.import_module(f"{package}.{name}")  # noqa: E731
    plant, mass, meshes, errors = (
        module(name) for name in ("physics.plant", "physics.mass", "physics.meshes", "pipeline.errors")
    )
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    axes = {} if path else {"forward_axis": "Y", "up_axis": "Z"}
    ob, size = load(path or sketched(module, model.file), model.size_mm, **axes)
    corners = meshes.triangles(ob.data)
    record: dict[str, Any] = {
        "name": model.name, "kind": model.kind, "package": model.package, "size_mm": model.size_mm,
        "triangles": len(corners), "open_before": mass.open_edges(_welded(meshes.vertices(ob.data), corners)),
        "done": [], "verdict": "refused", "seconds": {},
    }  # fmt: skip
    along = np.array(model.axis)
    reach = size @ along
    plane = plant.plane_at(tuple((reach.min() + model.share * np.ptp(reach)) * along), model.axis)
    start = time.perf_counter()
    try:
        made = plant.divide(ob, plane)
        record["seconds"]["plant"] = round(time.perf_counter() - start, 2)
        planted = made.planted
        record |= {
            "done": list(made.done), "boss": planted.boss or planted.root, "radius_mm": round(planted.radius * 1e3, 2),
            "length_mm": round(planted.length * 1e3, 2), "planted": planted.says,
        }  # fmt: skip
        start = time.perf_counter()
        says, verdict = run(module, (made.below, made.above))
        record |= {"says": says, "verdict": verdict}
    except errors.HoldfastError as error:
        record["says"] = str(error)
    record["seconds"]["physics" if "plant" in record["seconds"] else "plant"] = round(
        time.perf_counter() - start, 2
    )
    halves = [ob for ob in bpy.context.scene.objects if ob.type == "MESH" and ob.holdfast.is_part] or [ob]
    record["open_after"] = sum(mass.open_edges(meshes.triangles(half.data)) for half in halves)
    return record


def run(module: Any, parts: tuple[bpy.types.Object, ...]) -> tuple[str, str]:
    """The Physics stage on the two halves: what the proof says, and its verdict."""
    for number, (name, ob) in enumerate(zip(("below", "above"), parts, strict=True), 1):
        ob.holdfast.is_part, ob.holdfast.part, ob.holdfast.part_id = True, name, number
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 72, 24
    timing = scene.holdfast.physics.timing
    timing.align_frames, timing.insert_frames, timing.twist_frames = 16, 16, 16
    timing.click_frames, timing.hold_frames = 4, 20
    scene.holdfast.physics.pull_on_screen = True
    stage, drive = module("operators.physics"), module("operators.drive")
    options = module("operators.steps").StageOptions(frames=None)
    with tempfile.TemporaryDirectory() as folder:
        steps = stage.run(scene, module("pipeline.project").ShotFolder(Path(folder)), options)
        made = drive.run_blocking(steps, module("pipeline.context").Context())
    return str(made.data["says"]), str(made.data["verdict"])


def load(path: Path, size_mm: float, **axes: str) -> tuple[bpy.types.Object, np.ndarray]:
    """The model as one object at the origin, its longest side ``size_mm``; with its vertices (V, 3) in metres."""
    getattr(bpy.ops.wm, IMPORTERS[path.suffix])(filepath=str(path), **axes)
    found = [ob for ob in bpy.context.scene.objects if ob.type == "MESH"]
    for ob in found:
        ob.data.transform(ob.matrix_world)
        ob.matrix_world = Matrix.Identity(4)
    with bpy.context.temp_override(active_object=found[0], selected_editable_objects=found, object=found[0]):
        if len(found) > 1:
            bpy.ops.object.join()
    ob = found[0]
    mesh = ob.data
    mesh.materials.clear()
    for layer in list(mesh.uv_layers):
        mesh.uv_layers.remove(layer)
    points = np.array([vertex.co for vertex in mesh.vertices], dtype=np.float64)
    middle = 0.5 * (points.min(axis=0) + points.max(axis=0))
    points = (points - middle) * (1e-3 * size_mm / np.ptp(points, axis=0).max())
    mesh.vertices.foreach_set("co", points.astype(np.float32).ravel())
    mesh.update()
    return ob, points


def sketched(module: Any, name: str) -> Path:
    """The demo's sketch ``name`` read and built by the offline maker: the path of its first part."""
    samples = module("operators.demo").samples()
    heights = dict(module("operators.demo").SKETCHES)
    out = Path(tempfile.mkdtemp(prefix="holdfast-sketch-"))
    context = module("pipeline.context").Context()
    sketch = {"name": name, "path": str(samples / f"{name}.jpg"), "kind": "AUTO", "height_mm": heights[name]}
    module("clients.offline.ideate").run({"sketches": [sketch], "out": str(out)}, context)
    asked = {"outlines": [str(out / name / "outline.json")], "out": str(out), "detail": 96, "texture_px": 256}
    made = module("clients.offline.meshes").run(asked, context)
    return out / str(made["assets"][0]["parts"][0]["mesh"])


def _welded(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Triangles with equal corners as one, as a file of loose triangles means them."""
    _, index = np.unique(np.round(points, 8), axis=0, return_inverse=True)
    joined = index.reshape(-1)[corners]
    whole = (joined[:, 0] != joined[:, 1]) & (joined[:, 1] != joined[:, 2]) & (joined[:, 2] != joined[:, 0])
    return joined[whole]


def photograph(path: Path, package: str) -> None:
    """A small picture of the two halves drawn apart, lugs and slots in sight; of the whole model if it was refused."""
    scene = bpy.context.scene
    halves = {ob.holdfast.part: ob for ob in scene.objects if ob.type == "MESH" and ob.holdfast.is_part}
    shown = list(halves.values()) or [ob for ob in scene.objects if ob.type == "MESH"]
    up = Vector((0.0, 0.0, 1.0))
    if "below" in halves:
        import json

        stated = json.loads(halves["below"]["holdfast_feature"])[0]
        up = Vector(stated["axis"])
        gap = 1.9 * stated["depth"]
    for ob in list(scene.objects):
        if ob not in shown:
            bpy.data.objects.remove(ob)
    scene.rigidbody_world and bpy.ops.rigidbody.world_remove()
    for ob in shown:
        ob.animation_data_clear()
        ob.matrix_world = Matrix.Translation(up * gap if ob.holdfast.part == "above" else (0, 0, 0))
        ob.data.materials.clear()
        ob.data.materials.append(_paint(COLOURS["above" if ob.holdfast.part == "above" else "below"]))
    if up.z < -0.9:  # a model that stands on its head in its file
        upright = Matrix.Rotation(np.pi, 4, "X")
        for ob in shown:
            ob.matrix_world = upright @ ob.matrix_world
        up = -up
    _light_and_look(scene, shown, up)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def _paint(colour: tuple[float, float, float, float]) -> bpy.types.Material:
    material = bpy.data.materials.new("paint")
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = colour
    shader.inputs["Roughness"].default_value = 0.5
    return material


def _light_and_look(scene: bpy.types.Scene, shown: list[bpy.types.Object], up: Vector) -> None:
    bpy.context.view_layer.update()
    points = np.concatenate([_corners(ob) for ob in shown])
    middle = Vector((0.5 * (points.min(axis=0) + points.max(axis=0))).tolist())
    # seen across the axis and a little from above, so that the peg is seen from the side and the bore's rim from over it
    across = up.orthogonal().normalized() if abs(up.z) < 0.9 else Vector((0.3, -1.0, 0.0)).normalized()
    if abs(up.z) < 0.9:
        across = (up.cross(Vector((0.0, 0.0, 1.0)))).normalized()
    way = (across + 0.42 * up + Vector((0.0, 0.0, 0.25 if abs(up.z) < 0.9 else 0.0))).normalized()
    radius = max((Vector(point.tolist()) - middle).length for point in points)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 2.02 * radius
    camera.data.clip_start, camera.data.clip_end = 0.001, 10.0
    camera.location = middle + way * 1.0
    camera.rotation_euler = way.to_track_quat("Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.camera = camera
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.9, 0.93, 1.0, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.55
    scene.world = world
    turn = camera.rotation_euler.to_matrix()
    for place, power in (((-0.6, 0.7, 0.9), 2.6), ((0.9, -0.1, 0.5), 0.8)):
        sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
        sun.data.energy, sun.data.angle = power, 0.3
        sun.rotation_euler = (turn @ Vector(place)).to_track_quat("Z", "Y").to_euler()
        scene.collection.objects.link(sun)
    render = scene.render
    render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 12, True
    scene.cycles.device, render.threads_mode, render.threads = "CPU", "FIXED", 2
    render.resolution_x, render.resolution_y, render.resolution_percentage = 300, 300, 100
    render.film_transparent, render.image_settings.file_format = True, "PNG"
    scene.view_settings.view_transform = "Standard"


def _corners(ob: bpy.types.Object) -> np.ndarray:
    world = np.array(ob.matrix_world, dtype=np.float64)
    points = np.array([vertex.co for vertex in ob.data.vertices], dtype=np.float64)[::7]
    return points @ world[:3, :3].T + world[:3, 3]
