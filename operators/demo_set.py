# SPDX-License-Identifier: GPL-3.0-or-later
"""The little stage that the demo's product stands on: a sweep, three lights and a camera, at real size."""

import math

import bpy
from mathutils import Vector

from .. import compat

SWEEP_WIDTH, SWEEP_DEPTH, SWEEP_HEIGHT, SWEEP_RADIUS = 1.2, 0.35, 0.6, 0.18
CAMERA_AT, CAMERA_LENS, AIM = (0.075, -0.335, 0.105), 71.0, (0.0, 0.0, 0.041)
# name, location, edge in metres, watts, colour
LIGHTS = (
    ("Key", (-0.26, -0.24, 0.34), 0.16, 3.2, (1.0, 0.93, 0.84)),
    ("Rim", (0.24, 0.20, 0.26), 0.12, 2.6, (0.78, 0.88, 1.0)),
    ("Fill", (0.34, -0.30, 0.10), 0.30, 0.5, (1.0, 0.97, 0.94)),
)


def build(scene: bpy.types.Scene) -> None:
    """Adds sweep, lights and camera to ``scene`` in a collection of their own. Lengths in metres."""
    collection = bpy.data.collections.new("Set")
    scene.collection.children.link(collection)
    collection.objects.link(_sweep())
    for name, location, size, watts, colour in LIGHTS:
        light = bpy.data.lights.new(name, "AREA")
        light.size, light.energy, light.color = size, watts, colour
        collection.objects.link(_aimed(bpy.data.objects.new(name, light), location))
    camera = bpy.data.cameras.new("Camera")
    camera.lens, camera.clip_start, camera.clip_end = CAMERA_LENS, 0.01, 10.0
    scene.camera = _aimed(bpy.data.objects.new("Camera", camera), CAMERA_AT)
    collection.objects.link(scene.camera)
    scene.world = _world()


def _aimed(thing: bpy.types.Object, location: tuple[float, float, float]) -> bpy.types.Object:
    thing.location = location
    direction = Vector(AIM) - Vector(location)
    thing.rotation_euler = direction.to_track_quat("-Z", "Y").to_euler()
    return thing


def _sweep() -> bpy.types.Object:
    """A floor that bends up into a back wall, so that no horizon cuts the picture."""
    steps = 24
    curve = [(-SWEEP_DEPTH * 2, 0.0)]
    for index in range(steps + 1):
        angle = math.pi / 2 * index / steps
        curve.append((SWEEP_DEPTH + SWEEP_RADIUS * math.sin(angle), SWEEP_RADIUS * (1 - math.cos(angle))))
    curve.append((SWEEP_DEPTH + SWEEP_RADIUS, SWEEP_HEIGHT))
    half = SWEEP_WIDTH / 2
    vertices = [(x, y, z) for y, z in curve for x in (-half, half)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(curve) - 1)]
    mesh = bpy.data.meshes.new("Sweep")
    mesh.from_pydata(vertices, [], faces)
    mesh.shade_smooth()
    material = bpy.data.materials.new("Sweep")
    shader = compat.node_tree_of(material).nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (0.21, 0.19, 0.18, 1.0)
    shader.inputs["Roughness"].default_value = 0.75
    mesh.materials.append(material)
    return bpy.data.objects.new("Sweep", mesh)


def _world() -> bpy.types.World:
    world = bpy.data.worlds.new("Studio")
    background = compat.node_tree_of(world).nodes["Background"]
    background.inputs["Color"].default_value = (0.055, 0.06, 0.07, 1.0)
    return world
