# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over a take, as far as that can be known without a window: what is looked up, where, in which colours."""

from __future__ import annotations

from dataclasses import replace

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
    module("operators.take_overlay").forget()
    module("operators.state_cache").on_load_post()


@pytest.fixture
def looked(module, shot, monkeypatch):
    """What an editor that shows t001 looks at, with the worker's work done."""
    viewer, cached = module("operators.viewer"), module("operators.state_cache").shown(bpy.context.scene)
    monkeypatch.setattr(viewer, "showing", lambda: viewer.Shown("take", "t001"))
    request = {
        "truth": str(shot.truth),
        "frame": 9,
        "report": str(shot.reports / "t001"),
        "digest": cached.report.digest,
    }
    module("pipeline.sheet").run(request, module("pipeline.context").Context())
    bpy.context.scene.frame_set(9)
    return lambda: module("operators.take_overlay").looked(bpy.context)


def test_the_outline_of_the_vanished_part_is_where_the_render_has_it(module, looked):
    lines = module("operators.take_overlay").lines_of(looked())
    assert sorted(lines) == [1, 2, 3]
    x, y, radius = validate_shot.AT["peg"]
    width, height = validate_shot.SIZE
    points = lines[3][0]
    away = np.hypot((points[:, 0] - x) * width, (1 - points[:, 1] - y) * height) - radius * width
    print(f"{abs(away).max():.2f} px")
    assert abs(away).max() < 0.5


def test_it_follows_the_timeline_and_the_reports_frame_map(module, holdfast, looked, shot):
    cached = module("operators.state_cache").shown(bpy.context.scene)
    assert (looked().taken, looked().source) == (9, 9)
    bpy.context.scene.frame_set(400)
    assert looked().taken == 24, "after its end the last picture stands"
    late = [[frame, frame + 2] for frame in validate_shot.FRAMES[:-2]]
    truth, take = cached.manifests["truth"].digest, cached.takes["t001"].digest
    validate_shot.report(
        shot.root, holdfast.__name__, "t001", truth, take, [validate_shot.VANISHED], frame_map=late
    )
    module("operators.state_cache").refresh(bpy.context.scene)
    bpy.context.scene.frame_set(9)
    assert (looked().taken, looked().source) == (9, 7)
    bpy.context.scene.frame_set(1)
    assert looked().source is None
    assert module("operators.take_overlay").lines_of(looked()) == {}
    text, warning = module("operators.outline_draw").sentence(looked(), None)
    assert warning and "no rendered frame" in text


@pytest.fixture
def reported(module, holdfast, looked, shot):
    """Writes another report on t001 and looks again."""
    cached = module("operators.state_cache").shown(bpy.context.scene)

    def write(**more):
        truth, take = cached.manifests["truth"].digest, cached.takes["t001"].digest
        found = validate_shot.report(
            shot.root, holdfast.__name__, "t001", truth, take, [validate_shot.VANISHED], **more
        )
        request = {
            "truth": str(shot.truth),
            "frame": 9,
            "report": str(shot.reports / "t001"),
            "digest": found.digest,
        }
        module("pipeline.sheet").run(request, module("pipeline.context").Context())
        module("operators.state_cache").refresh(bpy.context.scene)
        return looked()

    return write


def test_outlines_heat_and_places_lie_where_a_cropped_take_shows_them(module, reported, monkeypatch):
    outline = module("operators.outline_draw")
    monkeypatch.setattr(outline, "picture", lambda context: (100.0, 50.0, 1600.0, 900.0))
    assert outline.render(bpy.context, reported()) == (100.0, 50.0, 1600.0, 900.0)
    seen = reported(
        fit={"scale": [1.2, 1.1], "offset_px": [48.0, 27.0], "shake_px": 12.0, "shake": [[9, 12.0, 0.0]]}
    )
    left, bottom, width, height = outline.render(bpy.context, seen)
    x, y, _radius = validate_shot.AT["peg"]
    found = left + x * width, bottom + (1 - y) * height
    wanted = 100 + 1600 * (1.2 * (x - 0.5) + 0.5 + 60 / 1920), 50 + 900 * (1.1 * (0.5 - y) + 0.5 - 27 / 1080)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_first_look_leaves_the_outlines_of_the_frames_that_it_skipped(module, reported):
    looks = [[frame, frame] for frame in validate_shot.FRAMES[::3]]
    seen = reported(stage="coarse", frame_map=looks)
    assert [9, 9] not in looks and (seen.taken, seen.source) == (9, 9)
    heat, sheet = module("operators.heat_draw"), module("operators.take_overlay").sheet_of(seen)
    assert heat.without(seen, sheet, None) == "The first look skipped this frame"


def test_a_late_takes_heat_is_that_of_its_own_frame(module, reported):
    late = [[frame, frame + 2] for frame in validate_shot.FRAMES[:-2]]
    seen = reported(frame_map=late)
    sheet = module("operators.take_overlay").sheet_of(seen)
    heat = module("operators.heat_draw")
    assert heat.frame_of(seen, sheet) is not None
    kept = [frame for frame in sheet.frames if frame != 9]
    fewer = replace(sheet, frames=tuple(kept), heat=sheet.heat[: len(kept)])
    assert seen.source == 7 in kept and heat.frame_of(seen, fewer) is None, "not that of another frame"


def test_the_finding_of_the_list_is_the_one_that_is_drawn(module, looked):
    overlay, outline = module("operators.take_overlay"), module("operators.outline_draw")
    bpy.ops.holdfast.jump_to_finding(index=2)
    finding = overlay.finding_of(bpy.context, looked())
    assert finding["id"] == "f03"
    assert outline.sentence(looked(), finding) == ("t001, frame 3: lid doubled 3-5", True)
    bpy.context.scene.frame_set(9)
    assert outline.sentence(looked(), finding) == (
        "t001, frame 9: lid doubled 3-5 (not in this frame)",
        False,
    )
    np.testing.assert_allclose(outline.corners([0.6, 0.1, 0.2, 0.3])[0], [0.6, 0.9], atol=1e-6)
    bpy.ops.holdfast.choose_take(take="t002")
    assert overlay.finding_of(bpy.context, looked()) is None


def test_segments_close_each_line(module):
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    found = module("operators.outline_draw").segments([square, square + 2]).reshape(-1, 2, 2)
    assert len(found) == 8
    np.testing.assert_array_equal(found[3], [(0, 1), (0, 0)])


def test_the_heat_is_where_the_report_says_and_nowhere_else(module, looked):
    heat, overlay = module("operators.heat_draw"), module("operators.take_overlay")
    found = heat.frame_of(looked(), overlay.sheet_of(looked()))
    assert found.shape == (45, 80) and found.max() == pytest.approx(1.55, abs=0.01)
    points, tints = heat.mesh(found)
    middle = points.reshape(-1, 3, 3).mean(1)
    inside = np.zeros(len(middle), bool)
    for part in ("body", "peg"):
        x, y, radius = validate_shot.AT[part]
        inside |= np.hypot(middle[:, 0] - x, (1 - middle[:, 1] - y) * 9 / 16) < radius + 0.03
    assert inside.all() and len(points) % 3 == 0 and tints.shape == (len(points), 4)
    assert len(heat.mesh(np.zeros((45, 80), np.float32))[0]) == 0


def test_colours_grow_stronger_and_tell_the_limit(module):
    colours = module("operators.heat_draw").colours(np.array([0.0, 0.4, 0.98, 1.0, 1.5, 3.0, np.nan]))
    assert colours[0, 3] == colours[1, 3] == colours[6, 3] == 0.0
    assert list(colours[2:6, 3]) == sorted(colours[2:6, 3])
    assert colours[2, 2] > colours[2, 0] and colours[3, 0] > colours[3, 2], "blue below the limit, warm above"


def test_a_place_on_the_strip_is_a_frame_and_a_part(module, looked):
    strip, overlay = module("operators.heat_strip"), module("operators.take_overlay")
    sheet = overlay.sheet_of(looked())
    where = strip.Layout(10.0, 10.0 + strip.NAME + 240.0, 20.0, 1.0, sheet.frames, (0, 1, 2))
    assert [where.frame(where.start + (n + 0.5) * where.step) for n in range(24)] == list(
        validate_shot.FRAMES
    )
    assert where.frame(-99) == 1 and where.frame(9999) == 24
    for row in range(3):
        assert where.hit(50.0, where.y(row) + 3) == row
    assert where.hit(50.0, 19.0) is None and where.hit(50.0, where.top) is None
    strengths = sheet.strength
    assert strip.tint(strengths[0][23]) == strip.UNKNOWN and strip.tint(strengths[0][22]) == strip.FINE
    assert strip.tint(strengths[2][8]) not in (strip.UNKNOWN, strip.FINE)
    assert strip.runs([strip.FINE, strip.FINE, strip.UNKNOWN]) == [(0, 2, strip.FINE), (2, 3, strip.UNKNOWN)]


def test_without_a_take_or_its_ground_truth_the_buttons_are_off(module, shot):
    assert bpy.ops.holdfast.overlay_take.poll()
    (shot.truth / "truth.json").unlink()
    module("operators.state_cache").refresh(bpy.context.scene)
    assert not bpy.ops.holdfast.overlay_take.poll()
