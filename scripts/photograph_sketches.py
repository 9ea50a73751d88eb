# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographs the drawn sheets: ``python scripts/photograph_sketches.py SHEETS OUT [WIDTH]`` (needs bpy and cv2).

A curled, once folded sheet lies on a wooden desk beside a window; a path tracer with depth of field renders it, then the
camera's own faults are added: vignette, softness, sensor noise, JPEG.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Vector

PAPER = (0.148, 0.210)
VIEWS = {
    "lantern_body": {
        "camera": (0.020, -0.098, 0.272),
        "look": (0.006, 0.000),
        "turn": 3.0,
        "seed": 3,
        "curl": 0.011,
    },
    "lantern_lid": {
        "camera": (-0.026, -0.096, 0.285),
        "look": (0.002, -0.004),
        "turn": -2.0,
        "seed": 8,
        "curl": 0.014,
    },
}


def material(name: str) -> tuple[bpy.types.Material, bpy.types.NodeTree, bpy.types.Node]:
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    return made, made.node_tree, made.node_tree.nodes["Principled BSDF"]


def desk() -> None:
    """An oiled wooden table top."""
    bpy.ops.mesh.primitive_plane_add(size=1.6, location=(0, 0, -0.0015))
    made, tree, shader = material("wood")
    place = tree.nodes.new("ShaderNodeTexCoord")
    stretch = tree.nodes.new("ShaderNodeMapping")
    stretch.inputs["Scale"].default_value = (26, 1.5, 1)
    grain = tree.nodes.new("ShaderNodeTexNoise")
    grain.inputs["Scale"].default_value = 9
    grain.inputs["Detail"].default_value = 12
    grain.inputs["Distortion"].default_value = 1.1
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[0].color = 0.3, (0.055, 0.024, 0.010, 1)
    ramp.color_ramp.elements[1].position, ramp.color_ramp.elements[1].color = 0.75, (0.20, 0.105, 0.048, 1)
    bump = tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.25, 0.0006
    tree.links.new(place.outputs["Generated"], stretch.inputs["Vector"])
    tree.links.new(stretch.outputs["Vector"], grain.inputs["Vector"])
    tree.links.new(grain.outputs["Fac"], ramp.inputs["Fac"])
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])
    tree.links.new(grain.outputs["Fac"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    shader.inputs["Roughness"].default_value = 0.42
    bpy.context.object.data.materials.append(made)


def sheet(picture: Path, curl: float, turn_deg: float) -> None:
    """A4 folded... an A5 sheet: one corner lifts, the old fold across its middle stands up a little."""
    nx, ny = 90, 126
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, nx), np.linspace(-0.5, 0.5, ny))
    lift = curl * np.clip(x + y - 0.45, 0, 1) ** 2 * 2.6 + 0.5 * curl * np.clip(-x + y - 0.62, 0, 1) ** 2 * 4
    fold = 0.0016 * np.exp(-np.abs(y + 0.02) / 0.05) + 0.0004 * np.sin(5 * x + 2 * y)
    z = lift + fold + 0.0004
    vertices = np.stack([x * PAPER[0], y * PAPER[1], z], axis=-1).reshape(-1, 3)
    faces = [
        (r * nx + c, r * nx + c + 1, (r + 1) * nx + c + 1, (r + 1) * nx + c)
        for r in range(ny - 1)
        for c in range(nx - 1)
    ]
    mesh = bpy.data.meshes.new("sheet")
    mesh.from_pydata(vertices.tolist(), [], faces)
    uv = mesh.uv_layers.new()
    flat = np.stack([x + 0.5, y + 0.5], axis=-1).reshape(-1, 2)
    for loop in mesh.loops:
        uv.data[loop.index].uv = flat[loop.vertex_index]
    mesh.shade_smooth()
    thing = bpy.data.objects.new("sheet", mesh)
    thing.rotation_euler[2] = math.radians(turn_deg)
    bpy.context.collection.objects.link(thing)
    made, tree, shader = material("paper")
    image = tree.nodes.new("ShaderNodeTexImage")
    image.image = bpy.data.images.load(str(picture))
    tree.links.new(image.outputs["Color"], shader.inputs["Base Color"])
    shader.inputs["Roughness"].default_value = 0.85
    mesh.materials.append(made)


def pencil(x: float, y: float, turn_deg: float) -> None:
    """The pencil that drew it, half in the picture."""
    parts = (
        (6, 0.0036, 0.0036, 0.13, 0.0, (0.10, 0.16, 0.10)),
        (24, 0.0036, 0.0008, 0.018, 0.074, (0.55, 0.36, 0.19)),
        (12, 0.0008, 0.0002, 0.003, 0.0845, (0.03, 0.03, 0.03)),
    )
    for sides, r1, r2, length, at, colour in parts:
        bpy.ops.mesh.primitive_cone_add(vertices=sides, radius1=r1, radius2=r2, depth=length)
        part = bpy.context.object
        part.rotation_euler = (math.radians(90), 0, math.radians(turn_deg))
        a = math.radians(turn_deg)
        part.location = (x + math.sin(a) * at, y - math.cos(a) * at, 0.0046)
        made, _, shader = material("pencil")
        shader.inputs["Base Color"].default_value = (*colour, 1)
        shader.inputs["Roughness"].default_value = 0.3
        part.data.materials.append(made)


def light() -> None:
    """A window to the left, a weak room, and something (the person) that keeps the light from one side."""
    world = bpy.data.worlds.new("room")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.55, 0.50, 0.45, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.55
    bpy.context.scene.world = world
    bpy.ops.object.light_add(type="AREA", location=(-0.75, 0.45, 0.62))
    window = bpy.context.object
    window.data.size, window.data.energy, window.data.color = 0.5, 15, (0.93, 0.97, 1.0)
    window.rotation_euler = (Vector((0, 0, 0)) - window.location).to_track_quat("-Z", "Y").to_euler()
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.085, location=(-0.235, 0.0, 0.235))
    bpy.context.object.visible_camera = False


def camera(position: tuple[float, float, float], look: tuple[float, float]) -> None:
    bpy.ops.object.camera_add(location=position)
    thing = bpy.context.object
    target = Vector((look[0], look[1], 0))
    thing.rotation_euler = (target - thing.location).to_track_quat("-Z", "Y").to_euler()
    thing.data.lens, thing.data.sensor_fit, thing.data.sensor_height = 30, "VERTICAL", 28
    thing.data.dof.use_dof = True
    thing.data.dof.focus_distance = (target - thing.location).length * 1.01
    thing.data.dof.aperture_fstop = 5.6
    bpy.context.scene.camera = thing


def expose(raw: np.ndarray, seed: int) -> np.ndarray:
    """The phone's own faults: vignette, softness, sharpening halo, noise."""
    rng = np.random.default_rng(seed)
    h, w = raw.shape[:2]
    yy, xx = np.mgrid[:h, :w].astype(np.float32)
    r2 = ((xx - w / 2) ** 2 + (yy - h / 2) ** 2) / ((w / 2) ** 2 + (h / 2) ** 2)
    picture = raw.astype(np.float32) * (1 - 0.26 * r2)[..., None] * np.array([0.955, 0.99, 1.025], np.float32)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.85)
    picture = soft + 0.5 * (soft - cv2.GaussianBlur(soft, (0, 0), 2.2))
    luma = rng.normal(0, 1, (h, w, 1)).astype(np.float32)
    chroma = cv2.GaussianBlur(rng.normal(0, 1, (h, w, 3)).astype(np.float32), (0, 0), 1.3) * 2.4
    strength = 1.1 + 1.0 * np.sqrt(np.clip(picture, 0, 255) / 255)
    return np.clip(picture + strength * luma + 0.6 * chroma, 0, 255).astype(np.uint8)


def main(sheets: Path, out: Path, width: int) -> None:
    """Writes OUT/<name>.jpg for every view."""
    out.mkdir(parents=True, exist_ok=True)
    for name, view in VIEWS.items():
        if not (sheets / f"{name}_sheet.png").exists():
            continue
        bpy.ops.wm.read_factory_settings(use_empty=True)
        desk()
        sheet(sheets / f"{name}_sheet.png", view["curl"], view["turn"])
        pencil(0.094 if name.endswith("body") else -0.091, -0.035, 196 if name.endswith("body") else 170)
        light()
        camera(view["camera"], view["look"])
        scene = bpy.context.scene
        scene.render.engine = "CYCLES"
        scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 12, True, view["seed"]
        scene.render.resolution_x, scene.render.resolution_y = width, width * 4 // 3
        scene.view_settings.view_transform = "AgX"
        scene.view_settings.look = "AgX - High Contrast"
        scene.view_settings.exposure = 1.15
        raw = out / f".{name}_raw.png"
        scene.render.filepath = str(raw)
        bpy.ops.render.render(write_still=True)
        photo = expose(cv2.imread(str(raw)), view["seed"])
        raw.unlink()
        quality = 84
        while True:
            data = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            if len(data) < 390_000:
                break
            quality -= 3
        (out / f"{name}.jpg").write_bytes(data.tobytes())
        print(name, photo.shape, len(data), quality)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1500)
