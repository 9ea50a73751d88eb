# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of the joints' overlay: looked at, dragged and clicked on a small scene of its own."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import physics_parts

Check = Generator[float, None, str | None]
REDRAWS = 9


def scene_with(kind: str) -> Any:
    """A body and a lid with its peg apart, joined by a joint of this kind; gives the joint."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 96
    body, lid, peg = physics_parts.lantern()
    lid.location = (0.0, 0.0, 0.03)
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.kind, joint.peg, joint.socket = "lid lock", kind, peg, body
    for thing in (body, lid, peg):
        thing.color = (0.55, 0.56, 0.6, 1.0)
    return joint


def look(walk: Any, distance: float = 0.16) -> Generator[float, None, None]:
    """Looks at the joint from the front and a little above."""
    from mathutils import Euler

    yield 0.3
    yield from walk.hand.show_tab()
    space = walk.hand.area.spaces[0]
    space.shading.type = "SOLID"
    space.overlay.show_floor = space.overlay.show_axis_x = space.overlay.show_axis_y = False
    space.overlay.show_cursor = space.overlay.show_relationship_lines = False
    view = space.region_3d
    view.view_perspective = "PERSP"
    view.view_location, view.view_distance = (0.0, 0.0, 0.004), distance
    view.view_rotation = Euler((1.15, 0.0, 0.35)).to_quaternion()
    space.clip_start = 0.001
    yield 0.8


def overlay_of_every_kind(walk: Any) -> Check:
    """The overlay of each kind is drawn without an error, quickly, and looks like something."""
    overlay = walk.module("operators.overlay")
    said = []
    for kind in walk.module("physics.joints").KINDS:
        scene_with(kind.name)
        errors, spent = _watched(overlay)
        yield from look(walk)
        for _again in range(REDRAWS):
            walk.hand.area.tag_redraw()
            yield 0.001
        walk.hand.picture(f"30-overlay-{kind.name.lower()}")
        _unwatched(overlay)
        assert not errors, errors[0]
        assert spent, "nothing was drawn"
        median = 1000 * statistics.median(spent)
        assert median < 16.0, f"{kind.name}: {median:.1f} ms a redraw"
        said.append(f"{kind.name} {2 * median:.2f} ms")
    return "median of the overlay's own time a redraw: " + ", ".join(said)


_KEPT: dict[str, Any] = {}


def _watched(overlay: Any) -> tuple[list[BaseException], list[float]]:
    """Notes the errors and the seconds of both drawing functions, until ``_unwatched``."""
    errors: list[BaseException] = []
    spent: list[float] = []
    overlay.remove()
    for name in ("_draw_lines", "_draw_text"):
        _KEPT[name] = function = getattr(overlay, name)

        def timed(function: Any = function) -> None:
            began = time.thread_time()
            try:
                function()
            except BaseException as error:
                errors.append(error)
                raise
            spent.append(time.thread_time() - began)

        setattr(overlay, name, timed)
    overlay.add()
    return errors, spent


def _unwatched(overlay: Any) -> None:
    overlay.remove()
    for name, function in _KEPT.items():
        setattr(overlay, name, function)
    overlay.add()


ALL = (overlay_of_every_kind,)
