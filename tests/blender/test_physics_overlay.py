# SPDX-License-Identifier: GPL-3.0-or-later
"""The overlay's side of the scene: joints as they are drawn, what a drag or a click sets, and the timing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy
import holdfast.operators.gizmos  # noqa: F401  registered by the extension
import holdfast.operators.handles as handles
import holdfast.operators.overlay_joints as overlay_joints
import holdfast.operators.overlay_strip as strips
import holdfast.operators.overlay_text as texts
import holdfast.operators.physics as stage
import holdfast.operators.pick as pick
import holdfast.operators.timeline as timeline
import holdfast.operators.timeline_keys as timeline_keys
import pytest
from holdfast.compat import fcurves_of
from holdfast.physics import features
from holdfast.physics.joints import KINDS
from mathutils import Euler, Vector

sys.path.insert(0, str(Path(__file__).parent))
import physics_parts as parts_of

MM = 0.001
NAMES = [kind.name for kind in KINDS]


def lantern(kind: str = "TWIST_LOCK"):
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 96
    body, lid, peg = parts_of.lantern()
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.kind, joint.peg, joint.socket = "lock", kind, peg, body
    bpy.context.view_layer.update()
    return joint, body, lid, peg


@pytest.mark.parametrize("kind", NAMES)
def test_every_kind_is_known_to_the_overlay_with_its_handles(kind: str) -> None:
    joint, *_ = lantern(kind)
    shown = overlay_joints.active(bpy.context.scene)
    assert shown.model is not None and shown.model.mechanism.bore_radius == pytest.approx(7.7 * MM)
    found = handles.handles(shown)
    print(kind, [(handle.key, round(handle.value, 3)) for handle in found])
    assert found, "nothing to drag"
    for handle in found:
        assert hasattr(joint, handle.key) and (handle.at - shown.socket.world.translation).length < 0.1
    again = overlay_joints.active(bpy.context.scene)
    assert again.model is shown.model, "made anew at a redraw"


def test_an_unfinished_joint_is_silent() -> None:
    joint, body, lid, _peg = lantern()
    shown = lambda: overlay_joints.active(bpy.context.scene)  # noqa: E731
    joint.depth_mm = 50.0
    assert shown().model is None and shown().peg is not None
    joint.depth_mm = 0.0
    body["holdfast_feature"] = "{not json"
    assert shown().model is None and shown().socket is None
    del body["holdfast_feature"]
    assert shown().socket is None and not handles.handles(shown())
    joint.socket = joint.peg = None
    assert shown().model is None and shown().peg is not None, "the only peg there is, as the stage takes it"
    lid.scale = (1.0, 2.0, 1.0)
    bpy.context.view_layer.update()
    assert shown().peg is None
    bpy.context.scene.holdfast.physics.joints.clear()
    assert shown() is None


def test_the_frame_follows_a_moved_turned_and_scaled_part() -> None:
    _, body, *_ = lantern()
    body.location, body.scale = (0.1, 0.2, 0.3), (2.0, 2.0, 2.0)
    body.rotation_euler = Euler((0.3, -0.7, 1.9))
    bpy.context.view_layer.update()
    side = overlay_joints.active(bpy.context.scene).socket
    assert side.scale == pytest.approx(2.0)
    assert (side.world.translation - Vector((0.1, 0.2, 0.3))).length < 1e-7
    axis = body.matrix_world.to_3x3() @ Vector((0, 0, 1))
    assert side.world.to_3x3().col[2].angle(axis) < 1e-3
    assert side.world.to_scale()[0] == pytest.approx(1.0, abs=1e-5)


def test_a_handle_is_where_its_value_is() -> None:
    """A ray through the place where a handle would stand with another value gives just that value."""
    joint, *_ = lantern()
    for key, other in (("depth_mm", 7.5), ("twist_deg", 40.0)):
        setattr(joint, key, {"depth_mm": 10.0, "twist_deg": 60.0}[key])
        before = next(h for h in handles.handles(overlay_joints.active(bpy.context.scene)) if h.key == key)
        setattr(joint, key, other)
        after = next(h for h in handles.handles(overlay_joints.active(bpy.context.scene)) if h.key == key)
        eye = after.at + Vector((0.05, -0.3, 0.12))
        moved = (handles.around if before.turns else handles.along)(before, eye, after.at - eye)
        value = before.value + moved * before.gain
        print(f"{key}: {value:.6f} for {other}")
        assert value == pytest.approx(other, abs=0.01)
    assert handles.along(before, Vector((0, 0, 1)), before.axis) is None
    assert handles.around(before, Vector((1, 0, 0)), Vector((-1, 0, 0))) is None


@pytest.mark.parametrize(
    "kind, key, wanted, low, high",
    [
        ("TWIST_LOCK", "depth_mm", 30.0, 9.9, 10.0),
        ("TWIST_LOCK", "twist_deg", 175.0, 60.0, 170.0),
        ("TWIST_LOCK", "twist_deg", -20.0, 4.9, 60.0),
        ("SLIDER", "travel_mm", 500.0, 4.0, 10.0),
        ("BALL", "swing_deg", 90.0, 20.0, 35.0),
    ],
)
def test_a_drag_beyond_what_can_be_made_stops_at_the_limit(kind, key, wanted, low, high) -> None:
    joint, *_ = lantern(kind)
    why = handles.set_value(bpy.context.scene, key, wanted)
    print(f"{kind} {key} {wanted:g} becomes {getattr(joint, key):g}: {why}")
    assert low <= getattr(joint, key) <= high and why
    assert overlay_joints.active(bpy.context.scene).model is not None


def test_the_drag_operator_sets_a_value_and_refuses_what_is_not_there() -> None:
    joint, *_ = lantern()
    assert bpy.ops.holdfast.drag_joint(parameter="depth_mm", value=8.0) == {"FINISHED"}
    assert joint.depth_mm == pytest.approx(8.0)
    with pytest.raises(RuntimeError, match="has no 'travel_mm'"):
        bpy.ops.holdfast.drag_joint(parameter="travel_mm", value=8.0)


def test_a_click_states_the_peg_and_the_bore_of_moved_parts() -> None:
    _joint, body, _lid, peg = lantern()
    del peg["holdfast_feature"], body["holdfast_feature"]
    body.location, body.rotation_euler = (0.3, -0.1, 0.2), Euler((0.4, 1.1, -0.6))
    bpy.context.view_layer.update()
    on_peg = peg.matrix_world @ Vector((0.0075, 0.0, -0.006))
    in_bore = body.matrix_world @ Vector((0.0, 0.0077, -0.005))
    assert bpy.ops.holdfast.pick_axis(side="PEG", point=on_peg, use_point=True) == {"FINISHED"}
    assert bpy.ops.holdfast.pick_axis(side="SOCKET", part="body", point=in_bore, use_point=True) == {
        "FINISHED"
    }
    found = json.loads(peg["holdfast_feature"])
    assert found["axis"] == [0.0, 0.0, -1.0] and found["radius"] == pytest.approx(7.5 * MM, abs=2e-5)
    bore = features.parse(body["holdfast_feature"], "body")[0]
    assert bore.kind == "socket" and bore.axis[2] > 0.9999 and abs(bore.length - 12 * MM) < 1e-4
    assert bore.source == "picked" and overlay_joints.active(bpy.context.scene).model is not None


def test_a_peg_that_hangs_on_nothing_wants_the_second_click() -> None:
    _joint, _body, _lid, peg = lantern()
    peg.parent = None
    bpy.context.view_layer.update()
    text, side = peg["holdfast_feature"], peg.matrix_world @ Vector((0.0075, 0.0, -0.005))
    with pytest.raises(RuntimeError, match="edge of"):
        bpy.ops.holdfast.pick_axis(side="PEG", point=side, use_point=True)
    assert peg["holdfast_feature"] == text, "a refusal changes nothing"
    tip = peg.matrix_world @ Vector((0.0, 0.0074, -0.010))
    found = bpy.ops.holdfast.pick_axis(side="PEG", point=side, use_point=True, end=tip, use_end=True)
    assert found == {"FINISHED"} and json.loads(peg["holdfast_feature"])["axis"] == [0.0, 0.0, -1.0]


def test_no_part_is_picked_by_accident() -> None:
    joint, body, _lid, _peg = lantern()
    body.holdfast.is_part = False
    with pytest.raises(RuntimeError, match="no part of this scene"):
        bpy.ops.holdfast.pick_axis(side="SOCKET", use_point=True)
    joint.socket = None
    with pytest.raises(RuntimeError, match="No object is chosen"):
        bpy.ops.holdfast.pick_axis(side="SOCKET", use_point=True)


def test_a_part_keeps_its_other_features() -> None:
    one = features.Feature("socket", 0.01, 0.02, (0, 0, 1), (0, 0, 0))
    two = features.Feature("peg", 0.005, 0.01, (0, 0, -1), (0, 0, -0.03))
    three = features.Feature("socket", 0.008, 0.02, (0, 0, -1), (0, 0, -0.05))
    text = pick.restated("[]", "body", one, 0)
    assert isinstance(json.loads(text), dict)
    text = pick.restated(pick.restated(text, "body", two, 0), "body", three, 1)
    assert features.parse(text, "body") == [one, two, three]
    text = pick.restated(text, "body", three, 0)
    assert features.parse(text, "body") == [three, two, three]


def two_joints(together: bool = False):
    joint, body, _lid, _peg = lantern()
    other = bpy.context.scene.holdfast.physics.joints.add()
    other.name, other.kind, other.together, other.delay_frames = "swing", "HINGE", together, 3
    other.socket = body
    return joint, other


@pytest.mark.parametrize("mode", ["AUTHORED", "FREE"])
@pytest.mark.parametrize("together", [False, True])
def test_rows_of_the_strip_are_the_tracks_of_the_stage(together: bool, mode: str) -> None:
    scene = bpy.context.scene
    _joint, body, _lid, _peg = lantern()
    bores = json.loads(body["holdfast_feature"])
    body["holdfast_feature"] = json.dumps([bores, {**bores, "axis": [0, 0, -1], "origin": [0, 0, -0.036]}])
    knob, pin = parts_of.lathe("knob", parts_of.PROFILE_LID), parts_of.peg()
    pin.name, pin.parent = "pin", knob
    for number, thing in enumerate((knob, pin), 4):
        thing.holdfast.is_part, thing.holdfast.part, thing.holdfast.part_id = True, thing.name, number
    other = scene.holdfast.physics.joints.add()
    other.name, other.kind, other.peg, other.socket, other.together = "swing", "HINGE", pin, body, together
    other.delay_frames, other.mode = 5, mode
    planned = stage.plan(scene)
    tracks = {j.spec.name: track for j, track in zip(planned.assembly.joints, planned.tracks, strict=True)}
    for row in timeline.rows(scene):
        track = tracks[row.name]
        assert (row.start, row.ends, row.steps) == (track.start, track.ends, track.steps)


def test_keys_go_as_far_as_the_moves_allow_and_round_trip() -> None:
    scene = bpy.context.scene
    joint, _other = two_joints()
    row = timeline.rows(scene)[0]
    assert row.keys == (1, 18, 34, 50, 54, 72)
    assert timeline.moved(row, 2, 40) == (1, 18, 40, 56, 60, 78)
    assert timeline.moved(row, 2, 5) == (1, 18, 20, 36, 40, 58)
    assert timeline.moved(row, 0, -9) == row.keys
    assert timeline.moved(row, 1, 1)[1] == 5, "the first move holds still for three frames before it starts"
    assert timeline.legal(row, (1.2, 18, 17, 50.6, 51, 72)) == (1, 17, 19, 51, 53, 72)
    timeline.write(scene, row, (4, 21, 40, 50, 54, 80))
    assert timeline.rows(scene)[0].keys == (4, 21, 40, 50, 54, 80)
    assert joint.delay_frames == 3 and [step.frames for step in joint.steps] == [18, 19, 10, 4, 26]
    assert timeline.rows(scene)[1].start == 84


def test_the_timing_operator_ripples() -> None:
    scene = bpy.context.scene
    lantern()
    assert bpy.ops.holdfast.drag_timing(joint=0, key=2, frame=44) == {"FINISHED"}
    assert timeline.rows(scene)[0].keys == (1, 18, 44, 60, 64, 82)
    with pytest.raises(RuntimeError, match="no such key"):
        bpy.ops.holdfast.drag_timing(joint=0, key=9, frame=44)


def move(curve: bpy.types.FCurve, index: int, frame: float) -> None:
    curve.keyframe_points[index].co_ui.x = frame
    curve.update()


def test_keys_in_the_dope_sheet_and_the_settings_follow_each_other() -> None:
    scene = bpy.context.scene
    joint, _other = two_joints()
    assert bpy.ops.holdfast.timing_keys() == {"FINISHED"}
    ob = timeline_keys.keeper(scene)
    first, second = fcurves_of(ob.animation_data.action)
    frames = lambda curve: tuple(round(point.co.x) for point in curve.keyframe_points)  # noqa: E731
    assert [frames(first), frames(second)] == [row.keys for row in timeline.rows(scene)]
    move(first, 2, 40.0)
    timeline_keys.agree(scene)
    assert timeline.rows(scene)[0].keys == (1, 18, 40, 50, 54, 72), "a key moves alone, as in the Dope Sheet"
    assert frames(second) == timeline.rows(scene)[1].keys
    move(first, 5, 80.0)
    timeline_keys.agree(scene)
    assert frames(second) == timeline.rows(scene)[1].keys and frames(second)[0] == 84, (
        "what follows moves along"
    )
    joint.steps[0].frames += 2
    timeline_keys.agree(scene)
    assert frames(first) == timeline.rows(scene)[0].keys
    before = timeline.rows(scene)
    timeline_keys.agree(scene)
    assert timeline.rows(scene) == before
    assert bpy.ops.holdfast.timing_keys() == {"FINISHED"}
    assert timeline_keys.keeper(scene) is None and timeline.rows(scene) == before
    assert not [action for action in bpy.data.actions if action.name.startswith(timeline_keys.NAME)]


def test_other_moves_make_other_keys_and_strange_keys_mean_nothing() -> None:
    scene = bpy.context.scene
    _joint, *_ = lantern()
    timeline_keys.show(scene)
    ob = timeline_keys.keeper(scene)
    fcurves_of(ob.animation_data.action)[0].keyframe_points.add(1)
    before = timeline.rows(scene)
    timeline_keys.agree(scene)
    assert timeline.rows(scene) == before
    bpy.ops.holdfast.edit_moves(edit="START")
    bpy.ops.holdfast.edit_moves(edit="ADD", phase="UNTWIST")
    timeline_keys.agree(scene)
    timeline_keys._fill_all()
    keys = [round(p.co.x) for p in fcurves_of(ob.animation_data.action)[0].keyframe_points]
    assert tuple(keys) == timeline.rows(scene)[0].keys
    bpy.data.objects.remove(ob)
    assert timeline_keys.keeper(scene) is None
    timeline_keys.agree(scene)


def test_bars_edges_are_frames() -> None:
    lantern()
    strip = strips.Layout(10.0, 910.0, 12.0, 1.0, 1, 96, tuple(timeline.rows(bpy.context.scene)))
    for frame in (1, 18, 50, 96):
        assert strip.frame(strip.x(frame)) == pytest.approx(frame)
    assert strip.x(1) == strip.start and strip.x(96) == pytest.approx(910.0)
    assert strip.hit(strip.x(34) + 3, 20.0) == (0, 2) and strip.hit(strip.x(42), 20.0) is None
    assert strip.hit(strip.x(34), 60.0) is None


def test_the_strip_ends_with_the_finale_as_the_stage_times_it() -> None:
    lantern()
    scene = bpy.context.scene
    assert timeline.finale(scene, timeline.rows(scene)) is None
    scene.holdfast.physics.finale.kind = "DROP"
    planned = stage.plan(scene).finale
    found = timeline.finale(scene, timeline.rows(scene))
    assert found == ("Drop", planned.start, planned.release, planned.end)


def test_plates_give_way_to_each_other() -> None:
    white = (1.0, 1.0, 1.0)
    tags = [texts.Tag("Twist 60°", 100.0, 100.0, white), texts.Tag("Insert", 102.0, 103.0, white),
            texts.Tag("Depth", 100.0, 100.0, white, before=True)]  # fmt: skip
    boxes = texts.placed(tags, [(60.0, 10.0)] * 3, 1.0)
    assert boxes[1].y >= boxes[0].y + boxes[0].height or boxes[1].y + boxes[1].height <= boxes[0].y
    assert boxes[2].x + boxes[2].width <= 100.0
