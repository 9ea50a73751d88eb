# SPDX-License-Identifier: GPL-3.0-or-later
"""What the package holds beyond depth, normals and vectors: hidden parts, slots, glass, light, UVs, certainty."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy
import numpy as np
import pytest
from holdfast.operators.steps import StageOptions
from holdfast.pipeline.errors import InputError

from . import truth_scenes as scenes

SIZE = (96, 54)
HEIGHT, FOCAL = 2.0, 50.0 / 36.0 * SIZE[0]


def _above(scene: bpy.types.Scene) -> None:
    """The camera looks straight down from HEIGHT."""
    scene.camera.location, scene.camera.rotation_euler = (0, 0, HEIGHT), (0, 0, 0)


def _material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    return material


def _square(half_px: float) -> np.ndarray:
    """(H, W) coverage of a square of that half size about the middle of the picture, by area."""
    sides = [np.clip(np.minimum(np.arange(n) + 1, n / 2 + half_px) - np.maximum(np.arange(n), n / 2 - half_px), 0, 1)
             for n in SIZE[::-1]]  # fmt: skip
    return np.outer(*sides)


def test_a_hidden_part_is_whole_and_a_lost_one_is_not(tmp_path: Path) -> None:
    """Two planes: ``under`` is behind ``lid`` at frame 1, beside it at frame 2, out of the picture at frame 3."""
    scene = scenes.new_scene(SIZE, 3, samples=16)
    _above(scene)
    lid, under = scenes.add_plane("lid", 0.3), scenes.add_plane("under", 0.15)
    lid.location.z = 0.4
    scenes.key(under, "location", {1: (0, 0, 0), 2: (0.6, 0, 0), 3: (9, 0, 0)})
    truth = scenes.make(tmp_path)
    expected = _square(0.15 * FOCAL / HEIGHT)
    assert truth.is_empty("matte", "under", 1) and truth.matte("under", 1).max() == 0
    whole = truth.whole("under", 1)
    print(
        f"hidden: {whole.sum():.1f} px of {expected.sum():.1f}, largest difference {np.abs(whole - expected).max():.2f}"
    )
    assert abs(whole.sum() - expected.sum()) < 0.06 * expected.sum()
    assert (whole[expected > 0.99] == 1).all() and (whole[expected == 0] == 0).all()
    beside = truth.whole("under", 2)
    assert np.abs(beside - truth.matte("under", 2)).max() < 0.02
    assert truth.is_empty("whole", "under", 3) and not truth.path("whole", 3, "under").exists()
    assert np.abs(truth.background(2) - (1 - truth.matte("lid", 2) - beside)).max() < 0.02


def test_whole_parts_behind_many_walls(tmp_path: Path) -> None:
    """Each ball is inside of the next larger one, a ray meets up to 16 walls, and none is dropped by chance."""
    scene = scenes.new_scene(SIZE, 1, samples=1)
    _above(scene)
    for number in range(8):
        scenes.add_ball(f"ball {number}", 0.1 + 0.04 * number, (0, 0, 0))
    truth = scenes.make(tmp_path)
    for number in range(8):
        whole = truth.whole(f"ball {number}", 1)
        radius = 0.1 + 0.04 * number
        expected = (
            np.pi * (FOCAL * radius) ** 2 / (HEIGHT**2 - radius**2)
        )  # a sphere's outline, camera above it
        print(f"ball {number}: {whole.sum():.0f} px of {expected:.0f}")
        assert whole.sum() == pytest.approx(expected, rel=0.05) and truth.is_empty(
            "matte", f"ball {number}", 1
        ) == (number < 7)
        assert whole[SIZE[1] // 2, SIZE[0] // 2] == 1


def test_whole_parts_do_not_depend_on_the_chunk(tmp_path: Path) -> None:
    """The scene of whole parts is rendered only where they are, which differs from batch to batch."""
    scene = scenes.new_scene(SIZE, 2, samples=4)
    _above(scene)
    lid, under = scenes.add_plane("lid", 0.3), scenes.add_ball("under", 0.2, (0, 0, -0.3))
    scenes.key(lid, "location", {1: (0, 0, 0.4), 2: (0.3, 0.1, 0.4)})
    scenes.key(under, "location", {1: (0.02, 0, 0), 2: (-0.4, 0, 0)})
    both = scenes.make(tmp_path / "both")
    shot = scenes.shot_in(tmp_path / "one")
    scenes.drive(scenes.STAGE.run(scene, shot, StageOptions(frames=(1,))))
    for part in both.names:
        one = shot.truth / both.path("whole", 1, part).relative_to(both.folder)
        assert one.read_bytes() == both.path("whole", 1, part).read_bytes()


def test_material_slots_are_parts(tmp_path: Path) -> None:
    """A strip of two halves, red left and blue right, under a lid that hides the right end."""
    scene = scenes.new_scene(SIZE, 1, samples=16)
    _above(scene)
    strip = scenes.add_mesh(
        "strip", [(x, y, 0) for x in (-0.4, 0, 0.4) for y in (-0.1, 0.1)], [(0, 2, 3, 1), (2, 4, 5, 3)]
    )
    for name in ("red", "blue"):
        strip.data.materials.append(_material(name))
    strip.data.polygons[1].material_index = 1
    strip.holdfast.split = "SLOTS"
    lid = scenes.add_plane("lid", 0.1, part=False)
    lid.location = (0.35, 0, 0.2)
    truth = scenes.make(tmp_path)
    assert len(truth.parts) == 2 and {part.kind for part in truth.parts} == {"SLOT"}
    red, blue = (next(name for name in truth.names if colour in name) for colour in ("red", "blue"))
    columns = np.arange(SIZE[0]) + 0.5 - SIZE[0] / 2
    assert truth.matte(red, 1)[:, columns > 1].max() == 0 and truth.matte(blue, 1)[:, columns < -1].max() == 0
    assert np.abs(truth.matte(red, 1).sum() - 0.08 * (FOCAL / HEIGHT) ** 2) < 4
    assert truth.whole(red, 1)[:, columns > 1].max() == 0
    print(f"blue: seen {truth.matte(blue, 1).sum():.1f}, whole {truth.whole(blue, 1).sum():.1f} px")
    assert truth.whole(blue, 1).sum() == pytest.approx(truth.whole(red, 1).sum(), rel=0.1)
    assert truth.matte(blue, 1).sum() < 0.75 * truth.whole(blue, 1).sum()
    ids = truth.ids(1)
    assert (ids[27, :48][ids[27, :48] > 0] == truth.part(red).id).all()


def test_a_part_behind_glass_keeps_its_matte(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1, samples=16)
    _above(scene)
    scenes.add_plane("toy", 0.2)
    pane = scenes.add_plane("pane", 1.0, part=False)
    pane.location.z = 0.5
    assert scenes.make(tmp_path / "opaque").is_empty("matte", "toy", 1)
    pane.holdfast.see_through = True
    truth = scenes.make(tmp_path / "glass")
    assert truth.matte("toy", 1).sum() == pytest.approx(_square(0.2 * FOCAL / HEIGHT).sum(), rel=0.03)
    assert np.abs(truth.depth(1)[truth.ids(1) == 1] - HEIGHT).max() < 1e-5
    assert truth.beauty(1).shape == (*SIZE[::-1], 3)


def test_parts_of_every_rendered_view_layer(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1, samples=4)
    _above(scene)
    scenes.add_plane("front", 0.1).location = (-0.3, 0, 0)
    behind = bpy.data.collections.new("behind")
    scene.collection.children.link(behind)
    far = scenes.add_plane("far", 0.1)
    far.location = (0.3, 0, 0)
    scene.collection.objects.unlink(far)
    behind.objects.link(far)
    other = scene.view_layers.new("background")
    assert other.use
    scene.view_layers[0].layer_collection.children["behind"].exclude = True
    truth = scenes.make(tmp_path)
    assert {name: truth.matte(name, 1).sum() > 20 for name in truth.names} == {"front": True, "far": True}


def test_linear_light_and_sixteen_bits(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1, samples=1)
    _above(scene)
    scene.holdfast.truth.picture_depth = "16"
    scene.view_settings.view_transform = "Standard"
    plane = scenes.add_plane("plane", 5)
    paint = _material("glow")
    tree = paint.node_tree
    tree.nodes.clear()
    glow, end = tree.nodes.new("ShaderNodeEmission"), tree.nodes.new("ShaderNodeOutputMaterial")
    glow.inputs["Color"].default_value = (0.5, 0.18, 0.04, 1)
    tree.links.new(glow.outputs[0], end.inputs["Surface"])
    plane.data.materials.append(paint)
    truth = scenes.make(tmp_path)
    assert np.abs(truth.linear(1) - [0.5, 0.18, 0.04]).max() < 5e-4
    exact = truth.beauty_exact(1)
    assert exact.dtype == np.uint16
    srgb = [0.735357, 0.461356, 0.220916]
    print(f"16 bits: {np.abs(exact / 65535 - srgb).max():.1e} off the sRGB curve")
    assert np.abs(exact / 65535 - srgb).max() < 1e-4
    assert np.abs(truth.to_linear.apply(exact) - truth.linear(1)).max() < 2e-3


def test_uv_and_the_passes_that_follow_from_others(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1)
    _above(scene)
    plane = scenes.add_plane("plane", 0.25)
    plane.rotation_euler = (0, 0.3, 0)
    layer = plane.data.uv_layers.new(name="map")
    for loop, uv in zip(layer.data, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        loop.uv = uv
    computed = scenes.make(tmp_path / "computed")
    scene.holdfast.truth.extras = {"DISTANCE", "NORMAL_WORLD", "POSITION"}
    written = scenes.make(tmp_path / "written")
    own = computed.ids(1) == 1
    local = (computed.position(1)[own] - computed.pose("plane", 1)[:3, 3]) @ computed.pose("plane", 1)[:3, :3]
    uv = computed.uv(1)[own]
    print(f"UV {np.abs(uv[:, :2] - (local[:, :2] / 0.5 + 0.5)).max():.4f} off")
    assert np.abs(uv[:, :2] - (local[:, :2] / 0.5 + 0.5)).max() < 2e-3 and (uv[:, 2] == 1).all()
    assert (computed.uv(1)[~own] == 0).all() and np.abs(local[:, 2]).max() < 1e-5
    assert np.abs(computed.normal_world(1)[own] - computed.pose("plane", 1)[:3, 2]).max() < 1e-3
    for kind in ("distance", "normal_world", "position"):
        assert written.has(kind) and not computed.has(kind)
        assert np.abs(getattr(written, kind)(1) - getattr(computed, kind)(1)).max() < 1e-3


def test_blur_makes_a_band_where_the_id_is_not_sure(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 3, samples=64)
    _above(scene)
    plane = scenes.add_plane("plane", 0.3)
    scenes.key(plane, "location", {1: (-0.2, 0, 0), 3: (0.2, 0, 0)})
    sharp = scenes.make(tmp_path / "sharp", frames=None)
    scene.render.use_motion_blur, scene.render.motion_blur_shutter = True, 0.5
    blurred = scenes.make(tmp_path / "blurred")
    assert (sharp.ids(2) == blurred.ids(2)).all()
    uncertain = [int((truth.sure(2) < 0.98)[27].sum()) for truth in (sharp, blurred)]
    moved = 0.2 * FOCAL / HEIGHT * 0.5
    print(f"uncertain in the middle line: {uncertain} px; the edges move {moved:.1f} px in the shutter")
    assert uncertain[0] <= 4 and abs(uncertain[1] - 2 * moved) <= 5
    row = blurred.matte("plane", 2)[27]
    assert 0.3 < row[np.searchsorted(row > 0, True) + int(moved / 2)] < 0.7


def test_pictures_that_are_rendered_already(tmp_path: Path) -> None:
    scene = scenes.two_parts((64, 36))
    whole = scenes.make(tmp_path / "whole")
    given = tmp_path / "given"
    given.mkdir()
    for frame in whole.frames:
        shutil.copy(whole.path("beauty", frame), given / f"final_v2.{frame:04d}.png")
    scene.holdfast.truth.beauty_from = str(given)
    rendered: list[int] = []
    shot = scenes.shot_in(tmp_path / "aside")
    scenes.drive(scenes.STAGE.run(scene, shot, StageOptions()), rendered)
    truth = scenes.GroundTruth.open(shot.truth)
    assert rendered == [] and not truth.has("linear")
    for frame in truth.frames:
        assert (truth.beauty(frame) == whole.beauty(frame)).all()
        assert (truth.ids(frame) == whole.ids(frame)).all()
        assert np.abs(truth.matte("lid", frame) - whole.matte("lid", frame)).mean() < 0.01
    for frame in whole.frames:
        shutil.copy(whole.path("linear", frame), given / f"light.{frame:04d}.exr")
    lit = scenes.make(tmp_path / "lit")
    apart = max(np.abs(lit.beauty(f).astype(int) - whole.beauty(f)).max() for f in whole.frames)
    print(f"the picture of the light is {apart} levels from the rendered one")
    assert lit.has("linear") and apart <= 1 and (lit.linear(2) == whole.linear(2)).all()
    for path in (given / "final_v2.0003.png", *given.glob("*.exr")):
        path.unlink()
    with pytest.raises(InputError, match="Frames 3 are not among the rendered pictures"):
        scenes.make(tmp_path / "missing")
    shutil.copy(whole.path("ids", 3), given / "final_v2.0003.png")
    scene.render.resolution_x = 65
    with pytest.raises(InputError, match="not a picture of the shot's size"):
        scenes.make(tmp_path / "size")
