# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the picture of the panels for the docs: opens a finished shot and photographs the window.

    blender SHOT.blend --enable-event-simulate --python tests/window/portrait.py -- --out FILE.png [--sidebar]

With ``--sidebar`` only the sidebar, with every panel open; else the whole window as an artist sees it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import bpy  # noqa: E402
import drive  # noqa: E402
import robot  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="portrait.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sidebar", action="store_true")
    options = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])
    blend = bpy.data.filepath
    module = drive.extension()
    bpy.context.preferences.view.show_splash = False
    if options.sidebar:
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

    robot.run(steps, 240.0)


def _lock_frame(scene: bpy.types.Scene) -> int:
    """A frame shortly before the lid meets the body."""
    timing = scene.holdfast.physics.timing
    return scene.frame_start + timing.align_frames + timing.insert_frames // 3


if __name__ == "__main__":
    main()
