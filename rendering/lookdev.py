# SPDX-License-Identifier: GPL-3.0-or-later
"""Look development: a throw-away studio scene that shows the product in every variant, one frame each."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .. import compat
from .finishes import Variant, slot_of
from .materials import build, linear

SIZE_PX, SAMPLES = 384, 8
LENS_MM, SENSOR_MM = 85.0, 36.0
VIEW = Vector((0.40, -1.0, 0.36)).normalized()
# where from (in radii of the product), edge (in radii), watts per square metre of distance, colour
LIGHTS = (
    ((-3.2, -2.6, 3.4), 2.6, 11.0, (1.0, 0.95, 0.88)),
    ((3.0, 2.4, 2.6), 1.6, 13.0, (0.82, 0.90, 1.0)),
    ((3.6, -2.4, 1.0), 3.2, 2.2, (1.0, 0.98, 0.95)),
)


@dataclass(frozen=True)
class PreviewPart:
    """A part to show: its mesh in the asset's space (metres, axis on +Z), which asset it belongs to, the mechanism
    features found on it, and its texture per variant id."""

    name: str
    mesh: bpy.types.Mesh
    asset: int
    features: tuple[Mapping[str, Any], ...] = ()
    textures: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_peg(self) -> bool:
        """True for a part that is a peg and nothing else."""
        return any(feature.get("kind") == "peg" for feature in self.features)


@contextmanager
def studio(
    parts: Sequence[PreviewPart], variants: Sequence[Variant], folder: Path
) -> Iterator[bpy.types.Scene]:
    """The scene, with frame i showing variant i (from 1), rendering to ``folder``/NNNN.png.

    Everything that it made is removed at the end; the artist's scenes are not touched.
    """
    before = {kind: set(getattr(bpy.data, kind)) for kind in _KINDS}
    scene = bpy.data.scenes.new("Holdfast look development")
    try:
        _fill(scene, parts, variants)
        _render_settings(scene, folder, len(variants))
        yield scene
    finally:
        compat.remove_scene(scene)
        for kind in _KINDS:
            for block in set(getattr(bpy.data, kind)) - before[kind]:
                if not block.use_fake_user and block.users == 0:
                    getattr(bpy.data, kind).remove(block)


_KINDS = ("objects", "lights", "cameras", "meshes", "materials", "images", "worlds", "actions", "node_groups")
"""Removed in this order: users before what they use."""


def _fill(scene: bpy.types.Scene, parts: Sequence[PreviewPart], variants: Sequence[Variant]) -> None:
    places = arrange(parts)
    centre, radius = bounds(parts, places)
    for number, variant in enumerate(variants, 1):
        for part in parts:
            shown = bpy.data.objects.new(f"{variant.id} {part.name}", part.mesh)
            scene.collection.objects.link(shown)
            shown.matrix_world = places[part.asset]
            _dress(shown, part, variant)
            for frame, hidden in ((number - 1, True), (number, False), (number + 1, True)):
                shown.hide_render = hidden
                shown.keyframe_insert("hide_render", frame=frame)
    _sweep(scene, variants, radius)
    _lights(scene, centre, radius)
    _camera(scene, centre, radius)


def _dress(shown: bpy.types.Object, part: PreviewPart, variant: Variant) -> None:
    material = bpy.data.materials.new(f"{variant.id} {part.name}")
    texture = part.textures.get(variant.id)
    image = bpy.data.images.load(str(texture)) if texture is not None else None
    build(material, variant.finishes[slot_of(part.asset, part.is_peg)], image)
    if not shown.data.materials:
        shown.data.materials.append(None)
    for entry in shown.material_slots:
        entry.link = "OBJECT"
        entry.material = material


def arrange(parts: Sequence[PreviewPart]) -> dict[int, Matrix]:
    """World matrix per asset: the first stands on the floor, one with a peg hovers over it, others stand beside."""
    extents = {
        asset: _extent([part for part in parts if part.asset == asset]) for asset in {p.asset for p in parts}
    }
    first = min(extents)
    low, high = extents[first]
    places = {first: Matrix.Translation((0, 0, -low.z))}
    top, right = high.z - low.z, high.x
    for asset in sorted(extents)[1:]:
        low, high = extents[asset]
        width, height = high.x - low.x, high.z - low.z
        if any(part.is_peg for part in parts if part.asset == asset):
            lift = top + 0.14 * height - low.z
            tilt = Matrix.Rotation(math.radians(11), 4, "Y") @ Matrix.Rotation(math.radians(-7), 4, "X")
            places[asset] = Matrix.Translation((0.05 * width, 0, lift + 0.04 * width)) @ tilt
            top = lift + high.z
        else:
            places[asset] = Matrix.Translation((right + 0.25 * width - low.x, 0, -low.z))
            right += 1.25 * width
    return places


def _extent(parts: Sequence[PreviewPart]) -> tuple[Vector, Vector]:
    points = np.concatenate([_coordinates(part.mesh) for part in parts])
    return Vector(points.min(0)), Vector(points.max(0))


def _coordinates(mesh: bpy.types.Mesh) -> np.ndarray:
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def bounds(parts: Sequence[PreviewPart], places: Mapping[int, Matrix]) -> tuple[Vector, float]:
    """Centre and radius of the whole product, in metres."""
    corners = []
    for part in parts:
        matrix = np.array(places[part.asset])
        corners.append(_coordinates(part.mesh) @ matrix[:3, :3].T + matrix[:3, 3])
    points = np.concatenate(corners)
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2
    return Vector(centre), float(np.linalg.norm(points - centre, axis=1).max())


def _sweep(scene: bpy.types.Scene, variants: Sequence[Variant], radius: float) -> None:
    """A floor that bends up into a wall, its colour keyed per variant."""
    bend, wide, steps = 3.0 * radius, 30.0 * radius, 20
    curve = [(-14.0 * radius, 0.0)]
    for index in range(steps + 1):
        angle = math.pi / 2 * index / steps
        curve.append((4.0 * radius + bend * math.sin(angle), bend * (1 - math.cos(angle))))
    curve.append((4.0 * radius + bend, 24.0 * radius))
    vertices = [(x, y, z) for y, z in curve for x in (-wide, wide)]
    mesh = bpy.data.meshes.new("Sweep")
    mesh.from_pydata(vertices, [], [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(curve) - 1)])
    mesh.shade_smooth()
    material = bpy.data.materials.new("Sweep")
    nodes = compat.node_tree_of(material).nodes
    shader = next(node for node in nodes if node.bl_idname == "ShaderNodeBsdfPrincipled")
    shader.inputs["Roughness"].default_value = 0.7
    for number, variant in enumerate(variants, 1):
        shader.inputs["Base Color"].default_value = linear(variant.sweep)
        shader.inputs["Base Color"].keyframe_insert("default_value", frame=number)
    mesh.materials.append(material)
    sweep = bpy.data.objects.new("Sweep", mesh)
    sweep.rotation_euler.z = math.atan2(VIEW.x, -VIEW.y)
    scene.collection.objects.link(sweep)


def aim(thing: bpy.types.Object, place: Vector, target: Vector) -> None:
    """Puts a camera or a light at ``place``, looking at ``target``."""
    thing.location = place
    thing.rotation_euler = (target - place).to_track_quat("-Z", "Y").to_euler()


def _lights(scene: bpy.types.Scene, centre: Vector, radius: float) -> None:
    for number, (place, edge, watts, colour) in enumerate(LIGHTS):
        light = bpy.data.lights.new(f"Light {number}", "AREA")
        offset = Vector(place) * radius
        light.size, light.color = edge * radius, colour
        light.energy = watts * offset.length_squared
        lamp = bpy.data.objects.new(f"Light {number}", light)
        aim(lamp, centre + offset, centre)
        scene.collection.objects.link(lamp)
    world = bpy.data.worlds.new("Look development")
    nodes = compat.node_tree_of(world).nodes
    background = next(node for node in nodes if node.bl_idname == "ShaderNodeBackground")
    background.inputs["Color"].default_value = (0.10, 0.105, 0.115, 1.0)
    scene.world = world


def _camera(scene: bpy.types.Scene, centre: Vector, radius: float) -> None:
    camera = bpy.data.cameras.new("Look development")
    camera.lens, camera.sensor_width = LENS_MM, SENSOR_MM
    distance = 1.12 * radius / math.sin(math.atan(SENSOR_MM / 2 / LENS_MM))
    camera.clip_start, camera.clip_end = distance * 0.01, distance * 20
    seen = bpy.data.objects.new("Look development", camera)
    aim(seen, centre + VIEW * distance, centre)
    scene.collection.objects.link(seen)
    scene.camera = seen


_CHOICES = (
    ("render", "engine", "CYCLES"),
    ("view_settings", "view_transform", "AgX"),
    ("view_settings", "look", "AgX - Medium High Contrast"),
)


def _render_settings(scene: bpy.types.Scene, folder: Path, count: int) -> None:
    render, cycles = scene.render, scene.cycles
    for owner, name, value in _CHOICES:
        setattr(getattr(scene, owner), name, value)
    render.resolution_x = render.resolution_y = SIZE_PX
    render.resolution_percentage = 100
    render.filepath = str(folder / "####")
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.use_persistent_data = True
    scene.frame_start, scene.frame_end = 1, count
    cycles.device, cycles.max_bounces = "CPU", 3
    compat.denoise_quickly(scene, SAMPLES)
    cycles.use_light_tree = cycles.use_adaptive_sampling = False
