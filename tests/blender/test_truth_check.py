# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks on what Blender renders: silent on odd scenes, and what went wrong for others with ground truth, a test each."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from holdfast.command_line import main
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import ExitCode
from holdfast.pipeline.pictures import read_gray, write_gray
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering import check, points
from holdfast.rendering.parts import read_parts

from . import odd_scenes
from . import truth_scenes as scenes
from .odd_scenes import ODD, SIZE, add_cubes, look_down


def found(truth: GroundTruth) -> list[check.Failure]:
    return check.check(truth, Context(), hashes=True)


def exact(truth: GroundTruth) -> dict[str, bool]:
    with np.load(truth.folder / points.FILE) as stored:
        return dict(zip(truth.names, stored["exact"].tolist(), strict=True))


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__.strip("_"))
def test_odd_scenes_are_not_refused(tmp_path: Path, odd: Callable[[bpy.types.Scene], None]) -> None:
    odd(odd_scenes.base())
    truth = scenes.make(tmp_path)
    for failure in found(truth):
        print("wrong" if failure.stops else "look", failure)
    assert [name for name, sure in exact(truth).items() if sure] == ODD[odd].split()
    assert [str(failure) for failure in found(truth) if failure.stops] == []


def test_fog_leaves_no_hole(tmp_path: Path) -> None:
    """A ray scatters in fog by chance: what is known of the parts must be what it is in clear air."""
    scene = scenes.new_scene(SIZE, 1, samples=4)
    two_planes(scene)
    clear = scenes.make(tmp_path / "clear")
    odd_scenes.foggy(scene)
    foggy = scenes.make(tmp_path / "foggy")
    kinds = ("ids", "depth", "normal", "vector")
    assert all((getattr(clear, kind)(1) == getattr(foggy, kind)(1)).all() for kind in kinds)
    assert np.abs(clear.matte("upper", 1) - foggy.matte("upper", 1)).max() < 0.5  # sampled apart, no more
    assert found(foggy) == []


# --- field.md, pain 13: what was wrong with the ground truth of others, a test each -----------------------------------


def two_planes(scene: bpy.types.Scene) -> None:
    """A tilted plane, that moves, above a level one: two depths, two normals, one edge all around."""
    look_down(scene)
    upper = scenes.add_plane("upper", 0.3)
    upper.rotation_euler = (0, math.radians(25), 0.4)
    scenes.key(upper, "location", {1: (-0.1, 0.05, 0.3), 3: (0.1, -0.05, 0.3)})
    scenes.add_plane("lower", 3).location.z = -0.2


def test_no_mask_is_missing_or_incomplete(tmp_path: Path) -> None:
    """Masks of some objects were incomplete every few thousand images: every part of every frame is accounted for."""
    scene = scenes.new_scene((96, 72), 4, samples=4)
    look_down(scene, 2.2)
    for index in range(24):
        thing = add_cubes(f"piece {index:02d}", [(0, 0, 0)], 0.02 + 0.0035 * index)
        start = (0.26 * (index % 6) - 0.65, 0.26 * (index // 6) - 0.4, 0.1 * (index % 3))
        end = tuple(value + 0.12 * math.sin(index * 3.0 + axis) for axis, value in enumerate(start))
        scenes.key(thing, "location", {1: start, 4: end})
        thing.rotation_euler = (index, 2.0 * index, 0.5 * index)
    truth = scenes.make(tmp_path)
    assert all(exact(truth).values()) and found(truth) == []
    seen = [(truth.ids(frame) == part.id).any() for frame in truth.frames for part in truth.parts]
    print(f"{sum(seen)} of {len(seen)} masks have pixels, each checked against {points.COUNT} points")
    assert all(seen)


def test_disconnected_small_pieces_are_all_the_object(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 1, samples=8)
    look_down(scene)
    places = [(0.2 * x - 0.5, 0.2 * y - 0.3, 0.0) for x in range(6) for y in range(4)]
    add_cubes("crumbs", places, 0.028)
    scenes.add_plane("table", 3, part=False).location.z = -0.1
    truth = scenes.make(tmp_path)
    count, _ = cv2.connectedComponents((truth.ids(1) == 1).astype(np.uint8), connectivity=8)
    middles = truth.project(np.add(places, [0, 0, 0.028]), 1)
    ids = truth.ids(1)[middles[:, 1].astype(int), middles[:, 0].astype(int)]
    print(f"{count - 1} pieces of {len(places)}, {int((truth.ids(1) == 1).sum())} pixels")
    assert count - 1 == len(places) and (ids == 1).all() and found(truth) == []


def test_nothing_bleeds_over_an_edge_and_no_normal_is_a_mixture(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 3, samples=16)
    two_planes(scene)
    truth = scenes.make(tmp_path)
    ids, depth, normal = truth.ids(2), truth.depth(2), truth.normal(2)
    upper = ids == truth.part("upper").id
    assert set(np.unique(ids)) == {1, 2}
    assert np.abs(depth[~upper] - 2.2).max() < 1e-5  # an edge that mixes depths would lie between
    assert depth[upper].max() < 1.9
    for own in (upper, ~upper):
        assert np.abs(normal[own] - np.median(normal[own], 0)).max() < 1e-3
    assert np.abs(np.linalg.norm(normal, axis=-1) - 1).max() < 2e-3
    edge = cv2.dilate(upper.astype(np.uint8), np.ones((3, 3))) - cv2.erode(
        upper.astype(np.uint8), np.ones((3, 3))
    )
    matte = truth.matte("upper", 2)
    assert (matte[(edge == 0) & ~upper] == 0).all() and (matte[(edge == 0) & upper] == 1).all()
    assert (truth.sure(2)[edge == 0] == 1).all() and found(truth) == []


def digests(truth: GroundTruth) -> dict[str, str]:
    kinds = ("ids", "sure", "depth", "normal", "vector", "uv")
    files = [truth.path(kind, frame) for kind in kinds for frame in truth.frames]
    files += [path for kind in ("matte", "whole") for path in sorted((truth.folder / kind).rglob("*.png"))]
    return {
        file.relative_to(truth.folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def test_exposure_and_view_change_no_id(tmp_path: Path) -> None:
    """Film exposure shifted ids that were drawn as colours."""
    scene = scenes.new_scene(SIZE, 2, samples=4)
    two_planes(scene)
    before = scenes.make(tmp_path / "before")
    scene.cycles.film_exposure, scene.render.dither_intensity = 3.7, 2.0
    scene.view_settings.view_transform = (
        "Standard" if scene.view_settings.view_transform != "Standard" else "Filmic"
    )
    scene.view_settings.exposure, scene.view_settings.gamma = -1.5, 1.8
    after = scenes.make(tmp_path / "after")
    assert digests(before) == digests(after) and len(digests(before)) > 12
    assert before.beauty(1).tobytes() != after.beauty(1).tobytes() or before.colour != after.colour


def test_objects_that_share_a_mesh_stay_apart(tmp_path: Path) -> None:
    """Instances were merged into one, or shared one id."""
    scene = scenes.new_scene(SIZE, 2, samples=4)
    look_down(scene)
    first = add_cubes("twin", [(0, 0, 0)], 0.12)
    for index in range(1, 4):
        copy = first.copy()
        copy.name = f"twin {index}"
        copy.location.x = 0.3 * index - 0.45
        scene.collection.objects.link(copy)
    first.location.x = -0.45
    truth = scenes.make(tmp_path)
    assert len({thing.data for thing in scene.objects if thing.holdfast.is_part}) == 1
    assert sorted(np.unique(truth.ids(1)).tolist()) == [0, 1, 2, 3, 4]
    for part in truth.parts:
        at = truth.project(truth.pose(part.name, 1)[:3, 3], 1)
        assert truth.ids(1)[int(at[1]), int(at[0])] == part.id
    assert found(truth) == []


# --- the command, and a defect in a rendered package ------------------------------------------------------------------


def test_the_command_finds_a_defect(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    scenes.two_parts(SIZE)
    truth = scenes.make(tmp_path, frames=None)
    assert truth.manifest.data["warnings"] == [] and found(truth) == []
    assert main(["truth", "check", str(truth.folder)]) == ExitCode.OK
    ids = read_gray(truth.path("ids", 3))
    ids[ids == 2] = 0
    write_gray(truth.path("ids", 3), ids)
    capfd.readouterr()
    assert main(["truth", "check", str(truth.folder), "--json"]) == ExitCode.VERDICT_FAIL
    printed = capfd.readouterr().out
    assert "wrong: id (frame 3, lid): " in printed and '"check": "id"' in printed
    assert main(["truth", "check", str(tmp_path)]) == ExitCode.INPUT
    assert main(["truth", "repair"]) == ExitCode.USAGE


# --- points -----------------------------------------------------------------------------------------------------------


def test_points_lie_on_the_surface_that_is_rendered() -> None:
    scene = scenes.new_scene(SIZE, 1)
    ball = scenes.add_ball("ball", 0.5, (1, 2, 3))
    ball.modifiers.new("shell", "SOLIDIFY").show_viewport = False
    ball.modifiers["shell"].thickness = 0.1
    before = {thing.name for thing in bpy.data.objects}
    arrays = points.sample(scene, read_parts(scene))
    radius = np.linalg.norm(arrays["points"][0], axis=1)
    outward = (arrays["points"][0] * arrays["normals"][0]).sum(1)
    assert {thing.name for thing in bpy.data.objects} == before
    assert ((abs(radius - 0.5) < 0.01) | (abs(radius - 0.4) < 0.01)).all() and 0.5 < (
        radius > 0.45
    ).mean() < 0.7
    assert (np.sign(outward) == np.where(radius > 0.45, 1, -1)).all()
    area = 4 * math.pi * (0.5**2 + 0.4**2)
    assert arrays["areas"][0] == pytest.approx(area, rel=0.02) and arrays["exact"].tolist() == [True]
    again = points.sample(scene, read_parts(scene))
    assert all((arrays[name] == again[name]).all() for name in arrays)


def _cube_part(
    scene: bpy.types.Scene, name: str, x: float, parent: bpy.types.Object | None = None
) -> bpy.types.Object:
    thing = add_cubes(name, [(0, 0, 0)], 0.2)
    thing.location.x, thing.parent, thing.holdfast.is_part = x, parent, False
    return thing


def test_points_of_slots_and_collections(tmp_path: Path) -> None:
    scene = scenes.new_scene(SIZE, 2, samples=4)
    look_down(scene, 2.5)
    two_sided = _cube_part(scene, "two-sided", -0.5)
    for index, name in enumerate(("bare", "red")):
        two_sided.data.materials.append(bpy.data.materials.new(name) if index else None)
    two_sided.data.polygons[4].material_index = two_sided.data.polygons[5].material_index = 1
    two_sided.holdfast.is_part, two_sided.holdfast.split = True, "SLOTS"
    made = {}
    for name, parented in (("rigid", True), ("loose", False)):
        made[name] = bpy.data.collections.new(name)
        scene.collection.children.link(made[name])
        made[name].holdfast.is_part = True
        first = _cube_part(scene, f"{name} 1", 0.1 + 0.4 * (not parented))
        second = _cube_part(scene, f"{name} 2", 0.0 if parented else 0.6, first if parented else None)
        second.location.y = 0.45
        for thing in (first, second):
            made[name].objects.link(thing)
            scene.collection.objects.unlink(thing)
        first.rotation_euler.z = 0.3
    truth = scenes.make(tmp_path)
    assert exact(truth) == {
        "loose": False,
        "rigid": True,
        "two-sided default_surface": True,
        "two-sided red": True,
    }
    with np.load(truth.folder / points.FILE) as stored:
        placed = dict(zip(truth.names, stored["points"], strict=True))
    assert (np.abs(placed["two-sided red"][:, 2]) == np.float32(0.2)).all()
    assert np.ptp(placed["rigid"][:, 1]) == pytest.approx(0.85, abs=0.02)
    assert found(truth) == []
