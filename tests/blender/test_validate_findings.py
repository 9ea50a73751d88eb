# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a take: what the list shows and filters, the jump, and markers that touch nobody else's."""

from __future__ import annotations

from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from . import validate_shot


@pytest.fixture
def shot(module, holdfast, tmp_path):
    found = validate_shot.new_file(tmp_path, holdfast.__name__)
    module("operators.state_cache").on_load_post()
    module("operators.state_cache").refresh(bpy.context.scene)
    bpy.ops.holdfast.choose_take(take="t001")
    yield found
    module("operators.state_cache").on_load_post()


@pytest.fixture
def cached(module, shot):
    return module("operators.state_cache").shown(bpy.context.scene)


def _names(scene=None):
    return [marker.name for marker in (scene or bpy.context.scene).timeline_markers]


def test_the_list_has_a_row_for_each_finding_of_the_take_that_is_looked_at(cached):
    view = bpy.context.window_manager.holdfast
    assert [row.name for row in view.findings] == [f"t001 f0{number}" for number in (1, 2, 3, 4, 5)]
    bpy.ops.holdfast.choose_take(take="t002")
    assert len(view.findings) == 0 and cached.report.data["verdict"] == "pass"


@pytest.mark.parametrize(
    ("part", "kind", "word", "expected"),
    [
        ("*", "*", "ALL", "f01 f02 f03 f04 f05"),
        ("lid", "*", "ALL", "f02 f03"),
        ("*", "rubber", "ALL", "f02"),
        ("lid", "vanished", "ALL", ""),
        ("*", "*", "MAJOR", "f01 f03"),
        ("*", "*", "UNSURE", "f05"),
        ("*", "*", "OPEN", "f02 f03 f04 f05"),
        ("*", "*", "ACCEPTED", "f01"),
        ("*", "*", "NOT_A_FAULT", ""),
    ],
)
def test_filters_by_part_kind_and_verdict(module, cached, part, kind, word, expected):
    bpy.ops.holdfast.say_word(index=0, word="ACCEPTED")
    view, panel = bpy.context.window_manager.holdfast, module("panels.findings")
    view.only_part, view.only_kind, view.only_word = part, kind, word
    words = module("operators.words")
    said = [(each, words.of(cached, each)) for each in cached.findings()]
    shown = [each["id"] for each, spoken in said
             if panel.kept(each, spoken.word if spoken else "", view.only_part, view.only_kind, view.only_word)]  # fmt: skip
    assert " ".join(shown) == expected
    listed = SimpleNamespace(bitflag_filter_item=1 << 30)
    flags, order = panel.HOLDFAST_UL_findings.filter_items(listed, bpy.context, view, "findings")
    assert [
        each["id"] for each, flag in zip(cached.findings(), flags, strict=True) if flag
    ] == shown and order == []


def test_what_a_finding_says_has_value_limit_millimetres_and_how_sure(module, cached):
    rows = dict(module("panels.findings").facts(cached.findings()[1]))
    print(rows)
    assert rows == {"Bend": "4.2 px", "Limit": "2.7 px", "On the part": "0.38 mm", "Frames": "16-22, worst 20",
                    "Sure": "81%, minor"}  # fmt: skip
    rows = dict(module("panels.findings").facts(cached.findings()[4]))
    assert rows["Sure"] == "no, you decide"


def test_a_click_goes_to_the_frame_and_selects_the_part(cached):
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.holdfast.jump_to_finding(index=1)
    assert bpy.context.scene.frame_current == 16
    assert [thing.name for thing in bpy.context.selected_objects] == ["lid"]
    assert bpy.context.window_manager.holdfast.active_finding == 1


def test_markers_stand_at_findings_and_no_others_are_touched(cached):
    scene = bpy.context.scene
    theirs = [
        scene.timeline_markers.new(name, frame=frame)
        for name, frame in (("! peg vanished", 3), ("shot", 5), ("! my own", 9))
    ]
    before = [(marker.name, marker.frame) for marker in theirs]
    for _again in range(2):
        bpy.ops.holdfast.mark_findings()
        found = sorted((marker.frame, marker.name) for marker in scene.timeline_markers)
        assert len(found) == 3 + 5, found
        assert (
            (7, "! peg vanished 2") in found
            and (18, "? body outline wobbles") in found
            and (16, "! lid bends") in found
            and (3, "! lid doubled") in found
        )
    theirs[1].frame = 6
    bpy.ops.holdfast.clear_marks()
    left = [(marker.name, marker.frame) for marker in scene.timeline_markers]
    assert left == [before[0], ("shot", 6), before[2]]
    assert not bpy.ops.holdfast.clear_marks.poll()


def test_a_long_span_has_its_end_marked(module):
    markers = module("operators.markers")
    long = {**validate_shot.RUBBER, "frames": [10, 40]}
    assert markers.marks([long], 24.0) == [(10, "! lid bends"), (40, "! lid bends ends")]
    assert markers.marks([long], 100.0) == [(10, "! lid bends")]
    assert markers.marks([{**long, "part": "", "title": "stands still"}], 100.0) == [(10, "! stands still")]


def test_a_marker_that_somebody_renamed_is_theirs(cached):
    bpy.ops.holdfast.mark_findings()
    marker = bpy.context.scene.timeline_markers["! lid bends"]
    marker.name = "look here"
    bpy.ops.holdfast.clear_marks()
    assert _names() == ["look here"]


def test_false_alarms_are_not_marked(cached):
    bpy.ops.holdfast.say_word(index=0, word="NOT_A_FAULT")
    bpy.ops.holdfast.mark_findings()
    assert len(_names()) == 4 and not any("peg" in name for name in _names())


def _strip(scene, shot, start, first=1):
    edit = scene.sequence_editor_create()
    strips = edit.strips if hasattr(edit, "strips") else edit.sequences
    folder = shot.takes / "t001" / "frames"
    strip = strips.new_image("take", str(folder / f"{first:04d}.png"), channel=1, frame_start=start)
    for frame in range(first + 1, 25):
        strip.elements.append(f"{frame:04d}.png")
    return strip


def test_an_edit_that_shows_the_take_is_marked_where_it_shows_the_fault(module, cached, shot):
    edit = bpy.data.scenes.new("edit")
    _strip(edit, shot, start=101, first=4)  # frame 4 of the take is at 101, so frame 7 at 104
    bpy.ops.holdfast.mark_findings()
    assert {(marker.frame, marker.name) for marker in edit.timeline_markers} == {
        (104, "! peg vanished"),
        (113, "! lid bends"),
        (115, "? body outline wobbles"),
    }  # fmt: skip  the ghost and the colour begin before the cut
    assert len(_names()) == 5
    bpy.ops.holdfast.clear_marks()
    assert not _names(edit) and not _names()


def test_an_edit_in_the_shots_own_scene_is_not_marked_twice(cached, shot):
    _strip(bpy.context.scene, shot, start=1)
    bpy.ops.holdfast.mark_findings()
    assert len(_names()) == 5


def test_a_trimmed_strip_is_marked_only_where_it_shows(module, cached, shot):
    edit = bpy.data.scenes.new("edit")
    strip = _strip(edit, shot, start=101)
    if hasattr(strip, "right_handle"):
        strip.right_handle = 110
    else:
        strip.frame_final_end = 110
    bpy.ops.holdfast.mark_findings()
    assert sorted(marker.frame for marker in edit.timeline_markers) == [102, 103, 107]


def test_the_pair_of_pictures_becomes_a_square_with_the_take_below(module):
    pair = np.zeros((330, 892, 3), np.uint8)
    pair[:, :446, 0], pair[:, 446:, 2] = 255, 255
    found = module("operators.thumbnails").square_of(pair)
    assert found.shape == (256, 256, 4)
    middle = found[:, 128]
    np.testing.assert_allclose(middle[64, :3], [0, 0, 1])
    np.testing.assert_allclose(middle[192, :3], [1, 0, 0])
    assert found[128, 2, 3] == 0.0 and found[128, 128, 3] == 1.0


def test_pictures_of_findings_are_loaded_once(module, holdfast, cached, shot):
    pictures, thumbnails = module("pipeline.pictures"), module("operators.thumbnails")
    folder = shot.reports / "t001"
    pictures.write_picture(folder / "crops" / "f01.png", np.full((33, 88, 3), 90, np.uint8))
    shown = {**validate_shot.VANISHED, "crop": "crops/f01.png"}
    truth, take = cached.manifests["truth"].digest, cached.takes["t001"].digest
    validate_shot.report(shot.root, holdfast.__name__, "t001", truth, take, [shown])
    module("operators.state_cache").refresh(bpy.context.scene)
    assert str(folder / "crops" / "f01.png") in thumbnails._stamps  # without a window no preview has an icon
    assert list(thumbnails.show_pairs([folder / "crops" / "f01.png", folder / "crops" / "none.png"])) == []
