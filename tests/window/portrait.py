# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the picture of the panels for the docs: opens a finished shot and photographs the window.

    blender SHOT.blend --enable-event-simulate --python tests/window/portrait.py -- --out FILE.png [--sidebar]
    blender --enable-event-simulate --python tests/window/portrait.py -- --out FILE.png --overlay

With ``--sidebar`` only the sidebar, with every panel open; else the whole window as an artist sees it. With ``--overlay``
what the viewport shows of every kind of joint, on a small scene of its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import bpy  # noqa: E402
import drive  # noqa: E402
import joint_checks  # noqa: E402
import robot  # noqa: E402

SMALL = ("SCREW", "SNAP_FIT", "HINGE", "SLIDER", "BALL")
SIDE_PX = 580


def main() -> None:
    parser = argparse.ArgumentParser(prog="portrait.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sidebar", action="store_true")
    parser.add_argument("--overlay", action="store_true")
    options = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])
    blend = bpy.data.filepath
    module = drive.extension()
    bpy.context.preferences.view.show_splash = False
    if options.sidebar or options.overlay:
        drive.open_every_panel(module)
    hand = robot.Robot(options.out.parent)

    def steps() -> robot.Steps:
        bpy.ops.wm.open_mainfile(filepath=blend, load_ui=False)
        yield 1.0
        space = hand.area.spaces[0]
        space.shading.type, space.shading.color_type, space.shading.show_cavity = "SOLID", "TEXTURE", True
        space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
        space.overlay.show_extras = space.overlay.show_cursor = False
        space.region_3d.view_perspective = "CAMERA"
        space.region_3d.view_camera_zoom, space.region_3d.view_camera_offset = 22.0, (0.06, 0.0)
        bpy.context.scene.frame_set(_lock_frame(bpy.context.scene))
        yield from hand.show_tab()
        yield from hand.move(hand.area.x + 60, hand.area.y + 60)
        cache, session = module("operators.state_cache"), module("operators.session")
        while cache.dirty or session.current.refresh is not None:
            yield 0.2
        yield 4.0
        hand.picture(options.out.stem, hand.sidebar if options.sidebar else None)

    robot.run((lambda: overlay(hand, options.out)) if options.overlay else steps, 240.0)


def overlay(hand: robot.Robot, out: Path) -> robot.Steps:
    """A twist-lock in the whole window, and below it the middle of the viewport for other kinds."""
    walk: Any = argparse.Namespace(hand=hand)
    for kind in ("TWIST_LOCK", *SMALL):
        joint = joint_checks.scene_with(kind)
        joint.name = "lid lock" if kind == "TWIST_LOCK" else kind.replace("_", "-").lower()
        for name, colour in (
            ("body", (0.24, 0.36, 0.46)),
            ("lid", (0.62, 0.42, 0.3)),
            ("peg", (0.7, 0.55, 0.42)),
        ):
            bpy.data.objects[name].color = (*colour, 1.0)
        yield from joint_checks.look(walk, 0.105)
        bpy.context.preferences.system.viewport_aa = "8"
        bpy.context.preferences.view.ui_scale = 1.4 if kind in SMALL else 1.0  # these are shown smaller
        bpy.context.scene.frame_set(40)
        hand.area.spaces[0].show_gizmo_navigate = hand.area.spaces[0].show_region_ui = kind not in SMALL
        shading = hand.area.spaces[0].shading
        shading.color_type, shading.show_xray, shading.xray_alpha = "OBJECT", True, 0.75
        if kind not in SMALL:
            yield from hand.scroll(1)
        yield 1.5
        hand.picture(kind)
    middle = next(region for region in hand.area.regions if region.type == "WINDOW")
    left, top = middle.x + (middle.width - SIDE_PX) // 2, hand.window.height - middle.y - middle.height
    crop = f"{SIDE_PX}x{SIDE_PX}+{left}+{top + (middle.height - SIDE_PX) // 2 - 10}"
    row = [
        "(",
        *(f"{out.parent / kind}.png" for kind in SMALL),
        "-crop",
        crop,
        "+repage",
        "+append",
        "-resize",
        "1600x",
        ")",
    ]
    look = ["-append", "-resize", "1280x", "+dither", "-colors", "200", f"PNG8:{out}"]
    subprocess.run(["convert", f"{out.parent / 'TWIST_LOCK'}.png", *row, *look], check=True)


def _lock_frame(scene: bpy.types.Scene) -> int:
    """A frame shortly before the lid meets the body."""
    timing = scene.holdfast.physics.timing
    return scene.frame_start + timing.align_frames + timing.insert_frames // 3


if __name__ == "__main__":
    main()
