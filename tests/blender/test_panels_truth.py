# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel Ground Truth says before and after a render: parts, their check, the estimate, what is out of date."""

from __future__ import annotations

import math

import bpy
import pytest
from holdfast.compat import node_tree_of

from .truth_scenes import add_ball, add_plane, key, new_scene

SIZE = (320, 180)


@pytest.fixture
def preflight(module, monkeypatch):
    """No stage has just ended: the check looks away for some seconds after one."""
    monkeypatch.setattr(module("operators.session").current, "ended", float("-inf"))
    return module("operators.preflight")


def _scene(frames: int = 4):
    scene = new_scene(SIZE, frames)
    scene.camera.location = (0, -6, 0)
    scene.camera.rotation_euler = (math.pi / 2, 0, 0)
    return scene


def _wall(at: float, half: float = 1.0):
    wall = add_plane("wall", half, part=False)
    wall.location, wall.rotation_euler = (0, at, 0), (math.pi / 2, 0, 0)
    return wall


def _said(checked, part: str) -> list[str]:
    return [finding.says for finding in checked.findings if finding.part == part]


def _clear_material() -> bpy.types.Material:
    material = bpy.data.materials.new("clear")
    node_tree_of(material).nodes["Principled BSDF"].inputs["Transmission Weight"].default_value = 1.0
    return material


def test_a_part_that_is_well_seen_is_not_mentioned_and_its_size_is_right(preflight):
    scene = _scene()
    add_ball("ball", 0.5, (0, 0, 0))
    checked = preflight.check(scene)
    assert checked.findings == []
    focal = SIZE[0] * 50.0 / 36.0
    expected = (
        math.pi * focal**2 * 0.5**2 / (36.0 - 0.5**2)
    )  # the outline of a ball is that of its tangent cone
    print(f"{checked.sizes['ball'].seen:.0f} px, expected {expected:.0f}")
    assert checked.sizes["ball"].seen == pytest.approx(expected, rel=0.06)


def test_a_part_behind_a_wall_is_never_seen_and_the_wall_is_named(preflight):
    scene = _scene()
    add_ball("ball", 0.3, (0, 0, 0))
    _wall(-1.0)
    (said,) = _said(preflight.check(scene), "ball")
    assert said == "ball is never seen in all 4 frames looked at: wall hides it"


def test_a_wall_that_is_hidden_in_renders_hides_nothing(preflight):
    scene = _scene()
    add_ball("ball", 0.3, (0, 0, 0))
    _wall(-1.0).hide_render = True
    assert preflight.check(scene).findings == []


@pytest.mark.parametrize("at", [(9, 0, 0), (0, -9, 0)])
def test_a_part_beside_or_behind_the_camera_is_outside(preflight, at):
    scene = _scene()
    add_ball("ball", 0.3, at)
    (said,) = _said(preflight.check(scene), "ball")
    assert said == "ball is outside of the picture in all 4 frames looked at"


def test_a_small_part_is_named_with_the_frame_at_which_it_is_smallest(preflight):
    scene = _scene(frames=4)
    ball = add_ball("ball", 0.5, (0, 0, 0))
    key(ball, "scale", {1: (1, 1, 1), 3: (0.04, 0.04, 0.04), 4: (1, 1, 1)})
    before = scene.frame_current
    checked = preflight.check(scene)
    (finding,) = checked.findings
    print(finding.says)
    focal = SIZE[0] * 50.0 / 36.0
    expected = math.pi * (focal * 0.02 / 6.0) ** 2
    assert finding.frame == 3 and finding.level == "WARNING"
    assert checked.sizes["ball"].seen == pytest.approx(expected, rel=0.15)
    assert scene.frame_current == before and len(bpy.data.scenes) == 1


@pytest.mark.parametrize("see_through", [False, True])
def test_glass_before_a_part_is_named_unless_it_is_marked(preflight, see_through):
    scene = _scene()
    add_ball("ball", 0.3, (0, 0, 0))
    pane = _wall(-1.0)
    pane.data.materials.append(_clear_material())
    pane.holdfast.see_through = see_through
    said = _said(preflight.check(scene), "ball")
    assert len(said) == (0 if see_through else 1)
    assert see_through or said[0].startswith("wall is clear and stands before ball")


def test_a_fast_part_is_smeared_by_motion_blur(preflight):
    scene = _scene(frames=2)
    ball = add_ball("ball", 0.5, (0, 0, 0))
    key(ball, "location", {1: (0, 0, 0), 2: (1, 0, 0)})
    scene.render.use_motion_blur, scene.render.motion_blur_shutter = True, 0.5
    found = [finding for finding in preflight.check(scene).findings if "smears" in finding.says]
    expected = 0.5 * SIZE[0] * 50.0 / 36.0 / 6.0
    print(found[0].says, expected)
    assert f"over {expected:.0f} px" in found[0].says and found[0].level == "INFO"


def test_an_orthographic_camera_sees_as_many_pixels_as_it_renders(preflight):
    scene = _scene()
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 4.0
    add_ball("ball", 0.5, (0, 0, 0))
    expected = math.pi * (0.5 * SIZE[0] / 4.0) ** 2
    assert preflight.check(scene).sizes["ball"].seen == pytest.approx(expected, rel=0.05)


def test_what_would_be_refused_is_said_before(preflight):
    scene = _scene()
    scene.camera = None
    said = [finding.says for finding in preflight.check(scene).findings]
    print(said)
    assert any("no parts" in each for each in said) and any("no camera" in each for each in said)


def test_a_change_makes_the_result_old_and_a_frame_does_not(preflight, module):
    scene = _scene()
    ball = add_ball("ball", 0.5, (0, 0, 0))
    key(ball, "location", {1: (0, 0, 0), 4: (1, 0, 0)})
    bpy.context.view_layer.update()
    found = preflight.check(scene)
    for _again in range(2):
        scene.frame_set(3)
        bpy.context.view_layer.update()
        module("operators.state_cache").refresh(scene)
        assert not found.stale
    scene.camera.location.x += 0.1
    bpy.context.view_layer.update()
    assert found.stale
    for change in (
        lambda: add_plane("floor", 1.0, part=False),
        lambda: setattr(scene.render, "resolution_x", 64),
    ):
        found = preflight.check(scene)
        assert not found.stale
        change()
        module("operators.state_cache").refresh(scene)
        assert found.stale


def test_slots_collections_and_instances_are_seen_each_for_itself(preflight, module):
    scene = _scene()
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 4.0
    two = add_plane("two", 0.5, part=False)
    two.data.clear_geometry()
    two.data.from_pydata(
        [(-1, 0, 0), (0, 0, 0), (0, 0, 1), (-1, 0, 1), (0.5, 0, 0), (0.5, 0, 1)],
        [],
        [(0, 1, 2, 3), (1, 4, 5, 2)],
    )
    for number, name in enumerate(("left", "right")):
        two.data.materials.append(bpy.data.materials.new(name))
        two.data.polygons[number].material_index = number
    marking = module("operators.marking")
    bpy.context.view_layer.update()
    marking.mark_slots(scene, [two])
    checked = preflight.check(scene)
    pixel = (4.0 / SIZE[0]) ** 2
    print({name: round(sight.seen) for name, sight in checked.sizes.items()})
    assert checked.sizes["two left"].seen == pytest.approx(1.0 / pixel, rel=0.1)
    assert checked.sizes["two right"].seen == pytest.approx(0.5 / pixel, rel=0.1)
    rows = module("operators.part_rows")
    named = {row.name: rows.holder(row).part for row in rows.read(scene)}
    assert named == {"two left": "two left", "two right": "two right"}


def test_instances_are_seen_each_for_itself(preflight, module):
    scene = _scene()
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 4.0
    source = bpy.data.collections.new("source")
    for number, side in enumerate((0.4, 0.8)):
        wall = add_plane(f"tile {number}", side / 2, part=False)
        wall.location, wall.rotation_euler = (number * 1.2, 0, 0), (math.pi / 2, 0, 0)
        scene.collection.objects.unlink(wall)
        source.objects.link(wall)
    maker = bpy.data.objects.new("set", None)
    maker.instance_type, maker.instance_collection = "COLLECTION", source
    scene.collection.objects.link(maker)
    bpy.context.view_layer.update()
    assert module("operators.marking").mark_instances(scene, [maker], False) == 2
    checked = preflight.check(scene)
    seen = sorted(sight.seen * (4.0 / SIZE[0]) ** 2 for sight in checked.sizes.values())
    print(seen, checked.findings)
    assert seen == pytest.approx([0.16, 0.64], rel=0.1)
    names = [row.name for row in module("operators.part_rows").read(scene)]
    assert len(set(names)) == 2


def test_a_view_that_can_not_be_undone_is_said_before(preflight):
    scene = _scene()
    add_ball("ball", 0.5, (0, 0, 0))
    scene.view_settings.view_transform = "False Color"
    (finding,) = preflight.check(scene).findings
    print(finding.says)
    assert finding.level == "ERROR" and "can't be undone" in finding.says


def test_values_under_the_mouse_are_those_of_the_package(module, tmp_path):
    from tests.pure import truth_package

    truth = module("pipeline.truth").GroundTruth.open(truth_package.write(tmp_path))
    reader = module("operators.read_pixel").Reader(truth, 2)
    while reader.read_one():
        pass
    column, row = (round(each) for each in truth_package.centre_px("right", 2))
    said = reader.says(column, row)
    print(said)
    assert said.startswith(f"{column}, {row}  ·  right ({truth.part('right').id})  ·  1.6 m")
    assert f"moves {truth_package.STEP:+.2f}, " in said
    assert "no part" in reader.says(0, 0)
    assert reader.says(-1, 3) == reader.says(truth.size[0], 3) == ""


def test_a_frame_that_was_rendered_gives_an_estimate(module, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    scene = _scene(frames=72)
    forecast = module("operators.forecast")
    shot = module("operators.locate").shot_of(scene)
    assert forecast.of(scene, shot).seconds is None
    picture = shot.truth / "beauty" / "beauty.0003.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"x" * 1000)
    forecast.note(scene, [3], 2.5)
    found = forecast.of(scene, shot)
    assert (found.seconds, found.bytes, found.basis()) == (180.0, 72_000, "Measured on 1 frame.")
    scene.holdfast.truth.samples += 7
    assert forecast.of(scene, shot).seconds is None


def test_the_list_says_what_is_wrong_with_a_mark(module):
    scene = _scene()
    one, two = add_ball("one", 0.5, (0, 0, 0)), add_ball("two", 0.5, (1, 0, 0))
    one.holdfast.part_id = two.holdfast.part_id = 3
    rows = module("operators.part_rows").read(scene)
    assert [row.id for row in rows] == [3, 3]
    assert all(row.wrong.startswith("Another part has the number 3") for row in rows)
    two.holdfast.part_id = 4
    rows = module("operators.part_rows").read(scene)
    assert [(row.id, row.name, row.wrong) for row in rows] == [(3, "one", ""), (4, "two", "")]
    one.hide_render = True
    assert [row.wrong for row in module("operators.part_rows").read(scene) if row.wrong]
