# SPDX-License-Identifier: GPL-3.0-or-later
"""The small studio of show_joints: parts, the stage run on them, light, camera, and pictures of chosen frames."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bpy
import physics_parts as parts_of
from mathutils import Vector
from PIL import Image, ImageDraw, ImageFont

MM = 0.001
WIDE, HIGH, GAP, FOOT = 258, 352, 8, 60
PAPER, INK, GREY = (236, 234, 230), (52, 54, 60), (112, 114, 120)
BODY, INSIDE, HEAD, SET, ARMS = (
    (0.02, 0.17, 0.25),
    (0.83, 0.72, 0.52),
    (0.85, 0.20, 0.03),
    (0.80, 0.79, 0.77),
    (0.045, 0.05, 0.06),
)
BORE, DEEP, PEG, LONG = 0.0077, 0.012, 0.0075, 0.010
OPENED: dict[str, tuple[float, float]] = {"TWIST_LOCK": (-2.0, 96.0)}
"""From which angle to which the socket is cut open, in degrees about its axis; others take ``QUARTER``."""
QUARTER = (0.0, 100.0)
STEPS: dict[str, tuple[tuple[str, int], ...]] = {}
"""Moves that tell more than the choreography that a kind starts from."""
SHOWN: dict[str, tuple[str, ...]] = {"HINGE": ("open",), "SLIDER": ("extend",)}
"""Moves that are pictured where the way back would show the same again."""
ARM = {"HINGE": 0.012}
"""Half length in metres of the arm on the head, by which its turn is seen."""


class Shot:
    """One joint in the studio. ``make`` runs the stage; then ``strip`` and ``clip`` take pictures."""

    def __init__(self, module: Callable[[str], Any], kind: Any, folder: Path, samples: int) -> None:
        self.module, self.kind, self.folder, self.samples = module, kind, folder, samples
        self.events: dict[str, list[int]] = {}
        self.verdict = ""

    def make(self) -> None:
        """Builds the parts, joins them, and cuts the socket open for the picture. Raises HoldfastError."""
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        scene.frame_start, scene.frame_end, scene.render.fps = 1, 10, 24
        self.body = _parts(self.kind.name)
        joint = scene.holdfast.physics.joints.add()
        joint.name, joint.kind = "joint", self.kind.name
        for phase, frames in STEPS.get(self.kind.name, ()):
            step = joint.steps.add()
            step.phase, step.frames = phase, frames
        stage, drive = self.module("operators.physics"), self.module("operators.drive")
        shot = self.module("pipeline.project").ShotFolder(self.folder)
        running = stage.run(scene, shot, self.module("operators.steps").StageOptions())
        made = drive.run_blocking(running, self.module("pipeline.context").Context())
        self.events, self.verdict = made.data["events"], made.data["verdict"]
        self.motion = json.loads((self.folder / "motion" / "proof.json").read_text(encoding="utf-8"))["data"][
            "motion"
        ]
        low, high = OPENED.get(self.kind.name, QUARTER)
        _open(self.body, low, high)
        _studio(scene, 0.5 * (low + high), self.samples)
        for ob in scene.objects:
            if ob.name.startswith("Holdfast") or ob.display_type == "WIRE":
                ob.hide_render = True

    def moving(self) -> list[tuple[int, str]]:
        """Frames in which something moves, with the label of their move."""
        found = []
        for name, (begin, end) in sorted(self.events.items(), key=lambda event: event[1]):
            wanted = SHOWN.get(self.kind.name, (name,))
            if name in wanted and name.upper() not in {"REST", "HOLD", "TUG"}:
                label = self.kind.phase(name.upper()).label
                start = begin + 2 * (end - begin) // 3 if name == "align" else begin
                found += [(frame, label) for frame in range(start, end + 1)]
        return found

    def strip(self, target: Path, count: int) -> Path:
        """``count`` pictures evenly over the moves, side by side, with the name of the move below each."""
        moving = self.moving()
        picks = [moving[round(k * (len(moving) - 1) / (count - 1))] for k in range(count)]
        top = 0 if "align" in self.events else 64
        pictures = [self.picture(frame).crop((0, top, WIDE, HIGH)) for frame, _ in picks]
        high = HIGH - top
        sheet = Image.new("RGB", (count * WIDE + (count - 1) * GAP + 12, high + FOOT), PAPER)
        draw, large, small = ImageDraw.Draw(sheet), ImageFont.load_default(19), ImageFont.load_default(14)
        for index, (picture, (frame, label)) in enumerate(zip(pictures, picks, strict=True)):
            left = 6 + index * (WIDE + GAP)
            sheet.paste(picture, (left, 6))
            draw.text((left + WIDE // 2, high + 22), label, INK, large, anchor="mm")
            draw.text((left + WIDE // 2, high + 43), self.measured(frame), GREY, small, anchor="mm")
        return _save(sheet, target)

    def measured(self, frame: int) -> str:
        """What the proof measured at a frame: depth, and turn or tilt."""
        at = self.motion["times"].index(float(frame))
        depth, turned, tilt = (self.motion[name][at] for name in ("depth_mm", "turned_deg", "tilt_deg"))
        if depth <= 0.0:
            return "not in yet"
        if (
            max(self.motion["turned_deg"]) - min(self.motion["turned_deg"]) > 350.0
        ):  # whole turns are not counted
            turned = 0.0
        told = f"{depth:.1f} mm in"
        if tilt > 0.5:
            return f"{told}, tilted {tilt:.0f}°"
        return f"{told}, turned {turned:.0f}°" if abs(turned) > 0.5 else told

    def clip(self, target: Path, every: int = 2) -> Path:
        """A looping clip of all moves, every second frame."""
        moving = [frame for frame, _ in self.moving()]
        last = moving[-1]
        frames = [*moving[::every], *[last] * 8]
        pictures = {frame: self.picture(frame) for frame in sorted(set(frames))}
        shown = [pictures[frame] for frame in frames]
        shown[0].save(target, save_all=True, append_images=shown[1:], duration=1000 * every // 24, loop=0, quality=92,
                      method=6)  # fmt: skip
        return target

    def picture(self, frame: int) -> Image.Image:
        """One rendered frame."""
        scene, path = bpy.context.scene, self.folder / f"{frame:04d}.png"
        scene.frame_set(frame)
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        return Image.open(path).convert("RGB")


def _parts(kind: str) -> bpy.types.Object:
    """A squat body with a bore, and a head with a peg and an arm; gives the body."""
    profile = ((0, -0.0165), (0.0115, -0.0165), (0.0125, -0.0155), (0.0125, -0.001), (0.0115, 0.0), (BORE, 0.0),
               (BORE, -DEEP), (0, -DEEP))  # fmt: skip
    body = parts_of.lathe("body", profile)
    body["holdfast_feature"] = json.dumps(
        {"kind": "socket", "radius": BORE, "depth": DEEP, "axis": [0, 0, 1], "origin": [0, 0, 0]}
    )
    head = parts_of.lathe("head", ((0, 0), (0.0105, 0), (0.0112, 0.0007), (0.0112, 0.0032), (0.0104, 0.004),
                                   (0.004, 0.0046), (0, 0.0046)))  # fmt: skip
    peg = parts_of.peg(PEG, LONG)
    peg.parent = head
    for number, (ob, colour) in enumerate(((body, BODY), (head, HEAD), (peg, HEAD)), 1):
        ob.holdfast.is_part, ob.holdfast.part, ob.holdfast.part_id = True, ob.name, number
        _paint(ob, colour)
    arm = _arm(ARM.get(kind, 0.008))
    arm.parent = head
    return body


def _arm(half: float) -> bpy.types.Object:
    """A round bar across the head."""
    r, steps = 0.0019, 8
    cap = [
        (r * math.sin(0.5 * math.pi * k / steps), -r * math.cos(0.5 * math.pi * k / steps))
        for k in range(steps + 1)
    ]
    profile = [(a, z - half) for a, z in cap] + [(a, half - z) for a, z in reversed(cap)]
    bar = parts_of.lathe("arm", tuple((0.0 if a < 1e-9 else a, z) for a, z in profile), 48)
    bar.rotation_euler, bar.location = (0.0, 0.5 * math.pi, 0.0), (0.0, 0.0, 0.0056)
    _paint(bar, ARMS)
    return bar


def _paint(ob: bpy.types.Object, colour: Sequence[float], roughness: float = 0.38) -> None:
    ob.data.materials.clear()
    ob.data.materials.append(_plastic(ob.name, colour, roughness))


def _plastic(
    name: str, colour: Sequence[float], roughness: float, bevel: float = 0.25 * MM
) -> bpy.types.Material:
    """Moulded plastic, its edges rounded by the shader."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    if bevel:
        rounded = tree.nodes.new("ShaderNodeBevel")
        rounded.samples, rounded.inputs["Radius"].default_value = 6, bevel
        tree.links.new(rounded.outputs["Normal"], shader.inputs["Normal"])
    return material


def _open(body: bpy.types.Object, low: float, high: float) -> None:
    """Takes the sector from ``low`` to ``high`` degrees out of the body, for the picture."""
    angles = [math.radians(low + (high - low) * k / 8) for k in range(9)]
    ring = [(0.0, 0.0), *((0.05 * math.cos(a), 0.05 * math.sin(a)) for a in angles)]
    count = len(ring)
    mesh = bpy.data.meshes.new("opening")
    faces = [tuple(reversed(range(count))), tuple(range(count, 2 * count))]
    faces += [(k, (k + 1) % count, count + (k + 1) % count, count + k) for k in range(count)]
    mesh.from_pydata([(x, y, z) for z in (-0.05, 0.05) for x, y in ring], [], faces)
    mesh.materials.append(_plastic("inside", INSIDE, 0.6, 0.0))
    cutter = bpy.data.objects.new("opening", mesh)
    cutter.hide_render = True
    bpy.context.scene.collection.objects.link(cutter)
    cutter.matrix_world = body.matrix_world
    opening = body.modifiers.new("opening", "BOOLEAN")
    opening.operation, opening.solver, opening.material_mode, opening.object = (
        "DIFFERENCE",
        "EXACT",
        "TRANSFER",
        cutter,
    )


def _studio(scene: bpy.types.Scene, azimuth: float, samples: int) -> None:
    """A light table, a soft key from the left, a rim from behind, and a long lens that looks into the opening."""
    floor = bpy.data.meshes.new("floor")
    floor.from_pydata(
        [(-2, -2, -0.0166), (2, -2, -0.0166), (2, 2, -0.0166), (-2, 2, -0.0166)], [], [(0, 1, 2, 3)]
    )
    floor.materials.append(_plastic("floor", SET, 0.7, 0.0))
    scene.collection.objects.link(bpy.data.objects.new("floor", floor))
    world = scene.world = bpy.data.worlds.new("studio")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.92, 0.94, 1.0, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.38
    turn = math.radians(azimuth)

    def at(around: float, far: float, up: float) -> Vector:
        a = turn + math.radians(around)
        return Vector((far * math.cos(a), far * math.sin(a), up))

    aim = Vector((0.0, 0.0, 0.0005))
    for around, far, up, size, watts in ((-50.0, 0.16, 0.16, 0.12, 0.42), (150.0, 0.16, 0.12, 0.08, 0.45), (60.0, 0.2, 0.05, 0.1, 0.1)):  # fmt: skip
        light = bpy.data.lights.new("soft", "AREA")
        light.size, light.energy = size, watts
        lamp = bpy.data.objects.new("soft", light)
        lamp.location = at(around, far, up)
        lamp.rotation_euler = (aim - lamp.location).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
    lens = bpy.data.cameras.new("camera")
    lens.lens, lens.clip_start, lens.sensor_fit, lens.sensor_height = 116.0, 0.001, "VERTICAL", 24.0
    camera = bpy.data.objects.new("camera", lens)
    camera.location = at(0.0, 0.215, 0.085)
    camera.rotation_euler = (aim - camera.location).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.camera = camera
    render = scene.render
    render.engine, render.resolution_x, render.resolution_y, render.resolution_percentage = (
        "CYCLES",
        WIDE,
        HIGH,
        100,
    )
    render.image_settings.file_format, render.use_persistent_data = "PNG", True
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    scene.view_settings.exposure = -0.28
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = samples, True, 6
    scene.cycles.device = "CPU"


def _save(sheet: Image.Image, target: Path, limit: int = 120_000) -> Path:
    """As JPEG of at most ``limit`` bytes."""
    for quality in (92, 88, 84, 80, 75, 70):
        sheet.save(target, quality=quality, optimize=True, progressive=True)
        if target.stat().st_size <= limit:
            break
    return target
