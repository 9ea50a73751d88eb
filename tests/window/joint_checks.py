# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of the joints' overlay: looked at, dragged and clicked on a small scene of its own."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "blender"))
import physics_parts
from overlay_watch import unwatched, watched

Check = Generator[float, None, str | None]
REDRAWS = 6
DRAWN = ("_draw_lines", "_draw_text")


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
    bpy.context.preferences.system.viewport_aa = "OFF"  # a window drawn by software has no time for it
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
        errors, spent = watched(overlay, DRAWN)
        yield from look(walk)
        for _again in range(REDRAWS):
            walk.hand.area.tag_redraw()
            yield 0.001
        unwatched(overlay)
        shading = walk.hand.area.spaces[0].shading
        shading.show_xray, shading.xray_alpha = True, 0.7
        yield 0.8
        walk.hand.picture(f"30-overlay-{kind.name.lower()}")
        shading.show_xray = False
        assert not errors, errors[0]
        assert spent, "nothing was drawn"
        whole = [lines + words for lines, words in zip(spent[::2], spent[1::2], strict=False)]
        median = 1000 * statistics.median(whole)
        assert median < 16.0, f"{kind.name}: {median:.1f} ms a redraw"
        said.append(f"{kind.name} {median:.2f} (first {1000 * whole[0]:.1f}) ms")
    return "median of the overlay's own time a redraw: " + ", ".join(said)


def pixel(walk: Any, place: Any) -> tuple[int, int]:
    """The window's pixel of a point in the viewport."""
    from bpy_extras.view3d_utils import location_3d_to_region_2d

    region = next(region for region in walk.hand.area.regions if region.type == "WINDOW")
    at = location_3d_to_region_2d(region, walk.hand.area.spaces[0].region_3d, place)
    return round(region.x + at.x), round(region.y + at.y)


def drag(
    walk: Any, start: tuple[int, int], end: tuple[int, int], name: str = "31-dragging"
) -> Generator[float, None, None]:
    """Drags with the left mouse button, in some steps."""
    hand, window = walk.hand, walk.hand.window
    for away in (6, 3, 0):
        yield from hand.move(start[0] + away, start[1])
        yield 0.15
    window.event_simulate("LEFTMOUSE", "PRESS", x=start[0], y=start[1])
    yield 0.2
    for share in (0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = (round(a + share * (b - a)) for a, b in zip(start, end, strict=True))
        yield from hand.move(x, y)
        yield 0.1
    hand.picture(name)
    window.event_simulate("LEFTMOUSE", "RELEASE", x=end[0], y=end[1])
    yield 0.4


def handles_are_dragged(walk: Any) -> Check:
    """A drag on a handle changes the measure of its joint, within its limits, in one undo step."""
    from mathutils import Vector

    handles, joints = walk.module("operators.handles"), walk.module("operators.overlay_joints")
    said = []
    for kind, key, way in (("TWIST_LOCK", "depth_mm", (0.0, 0.0, 0.003)), ("TWIST_LOCK", "twist_deg", (0.004, 0.0, 0.0)),
                           ("SLIDER", "travel_mm", (0.0, 0.0, 0.002)), ("BALL", "swing_deg", (-0.002, 0.0, 0.0))):  # fmt: skip
        joint = scene_with(kind)
        yield from look(walk)
        with walk.hand.override():
            bpy.ops.ed.undo_push(message="scene")
        before = getattr(joint, key)
        handle = next(h for h in handles.handles(joints.active(bpy.context.scene)) if h.key == key)
        yield from drag(walk, pixel(walk, handle.at), pixel(walk, handle.at + Vector(way)))
        after = getattr(bpy.context.scene.holdfast.physics.joints[0], key)
        assert after != before, f"{kind}: dragging {key} changed nothing"
        said.append(f"{kind} {key} {handle.value:.4g} to {after:.4g}")
        yield from walk.hand.key("Z", ctrl=True)
        yield 0.4
        again = getattr(bpy.context.scene.holdfast.physics.joints[0], key)
        assert again == before, f"{kind}: undo left {key} at {again}, not {before}"
    return ", ".join(said)


def a_click_finds_the_axis(walk: Any) -> Check:
    """A click on the peg's side states the peg; Esc leaves everything as it was."""
    from mathutils import Vector

    scene_with("TWIST_LOCK")
    peg = bpy.data.objects["peg"]
    del peg["holdfast_feature"]
    yield from look(walk)
    for end in ("ESC", "CLICK"):
        with walk.hand.override():
            assert bpy.ops.holdfast.pick_axis("INVOKE_DEFAULT", side="PEG") == {"RUNNING_MODAL"}
        side = pixel(walk, peg.matrix_world @ Vector((0.003, -0.0068, -0.007)))
        yield from walk.hand.move(*side)
        walk.hand.picture("32-click-the-axis")
        if end == "ESC":
            yield from walk.hand.key("ESC")
            assert "holdfast_feature" not in peg
        else:
            yield from walk.hand.click(*side)
    yield 0.5
    peg = bpy.data.objects["peg"]
    walk.hand.picture("33-clicked")
    found = json.loads(peg["holdfast_feature"])
    assert abs(found["radius"] - 0.0075) < 2e-5 and found["axis"] == [0.0, 0.0, -1.0], found
    return (
        f"radius {1000 * found['radius']:.3f} mm, length {1000 * found['length']:.3f} mm, {found['source']}"
    )


def two_joints_on_a_light_screen(walk: Any) -> Check:
    """Two joints, one of them unfinished, on a light background with large letters, are drawn without an error."""
    overlay = walk.module("operators.overlay")
    scene_with("TWIST_LOCK")
    scene = bpy.context.scene
    body = bpy.data.objects["body"]
    bore = json.loads(body["holdfast_feature"])
    body["holdfast_feature"] = json.dumps([bore, {**bore, "axis": [0, 0, -1], "origin": [0, 0, -0.036]}])
    knob, pin = physics_parts.lathe("knob", physics_parts.PROFILE_LID), physics_parts.peg()
    pin.name, pin.parent = "pin", knob
    knob.rotation_euler, knob.location = (3.14159265, 0.0, 0.0), (0.0, 0.0, -0.062)
    for number, thing in enumerate((knob, pin), 4):
        thing.holdfast.is_part, thing.holdfast.part, thing.holdfast.part_id = True, thing.name, number
    for name, kind, plug in (("foot hinge", "HINGE", pin), ("nothing yet", "BALL", None)):
        joint = scene.holdfast.physics.joints.add()
        joint.name, joint.kind, joint.peg, joint.socket = name, kind, plug, body
    scene.holdfast.physics.finale.kind = "DROP"
    preferences = bpy.context.preferences
    gradients = preferences.themes[0].view_3d.space.gradients
    before = preferences.view.ui_scale, tuple(gradients.high_gradient)
    preferences.view.ui_scale, gradients.high_gradient = 1.5, (0.93, 0.93, 0.93)
    errors, _ = watched(overlay, DRAWN)
    yield from look(walk, 0.24)
    walk.hand.area.spaces[0].region_3d.view_location = (0.0, 0.0, -0.015)
    yield 1.0
    walk.hand.picture("36-two-joints")
    unwatched(overlay)
    preferences.view.ui_scale, gradients.high_gradient = before
    assert not errors, errors[0]
    return None


def timing_is_dragged(walk: Any) -> Check:
    """A drag on a key of the strip gives the move before it more frames; undo takes it back."""
    strips, timeline = walk.module("operators.overlay_strip"), walk.module("operators.timeline")
    scene_with("TWIST_LOCK")
    yield from look(walk)
    with walk.hand.override():
        bpy.ops.ed.undo_push(message="scene")
        strip = strips.layout(bpy.context)
    before = timeline.rows(bpy.context.scene)[0]
    region = next(region for region in walk.hand.area.regions if region.type == "WINDOW")
    y = round(region.y + strip.y(0) + 8)
    x, to = (round(region.x + strip.x(frame)) for frame in (before.keys[2], before.keys[2] + 8))
    yield from drag(walk, (x, y), (to, y), "34-timing")
    after = timeline.rows(bpy.context.scene)[0]
    assert [b - a for a, b in zip(before.keys, after.keys, strict=True)] == [0, 0, 8, 8, 8, 8], after
    yield from walk.hand.key("Z", ctrl=True)
    yield 0.4
    assert timeline.rows(bpy.context.scene)[0] == before
    return f"{before.labels[1]} ends at frame {after.keys[2]} instead of {before.keys[2]}"


def timing_keys_round_trip(walk: Any) -> Check:
    """Keys moved in the Timeline set the frames of the moves at once, and undo takes both back."""
    timeline = walk.module("operators.timeline")
    scene_with("TWIST_LOCK")
    yield from look(walk)
    with walk.hand.override():
        bpy.ops.holdfast.timing_keys()
        bpy.ops.ed.undo_push(message="keys")
    yield 0.5
    before = timeline.rows(bpy.context.scene)[0].keys
    sheet = next(area for area in walk.hand.window.screen.areas if area.type == "DOPESHEET_EDITOR")
    region = next(region for region in sheet.regions if region.type == "WINDOW")
    bpy.context.scene.frame_set(before[2])
    yield 0.4
    with bpy.context.temp_override(window=walk.hand.window, area=sheet, region=region):
        bpy.ops.action.select_all(action="DESELECT")
        bpy.ops.action.select_column(mode="CFRA")
        bpy.ops.transform.transform("EXEC_DEFAULT", True, mode="TIME_TRANSLATE", value=(5.0, 0.0, 0.0, 0.0))
    yield 0.8
    walk.hand.picture("35-keys")
    after = timeline.rows(bpy.context.scene)[0].keys
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 0, 5, 0, 0, 0], (before, after)
    yield from walk.hand.key("Z", ctrl=True)
    yield 0.6
    assert timeline.rows(bpy.context.scene)[0].keys == before, timeline.rows(bpy.context.scene)[0].keys
    joint = bpy.context.scene.holdfast.physics.joints[0]
    with walk.hand.override():
        bpy.ops.holdfast.edit_moves(edit="START")
    bpy.context.scene.holdfast.physics.joints[0].steps[0].frames += 6
    yield 0.5
    action = next(action for action in bpy.data.actions if action.name.startswith("Holdfast timing"))
    curve = walk.module("compat").fcurves_of(action)[0]
    keys = [round(point.co.x) for point in curve.keyframe_points]
    assert keys == list(timeline.rows(bpy.context.scene)[0].keys), (joint, keys)
    with walk.hand.override():
        bpy.ops.holdfast.timing_keys()
    return f"keys {before} became {after}; settings moved them to {tuple(keys)}"


ALL = (
    overlay_of_every_kind,
    two_joints_on_a_light_screen,
    handles_are_dragged,
    a_click_finds_the_axis,
    timing_is_dragged,
    timing_keys_round_trip,
)
