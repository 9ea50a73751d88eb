# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stage refuses, each in a sentence and before anything is rendered."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest
from holdfast.pipeline.errors import HoldfastError, InputError, StorageError, UsageError
from holdfast.rendering import shot as reading

from . import truth_scenes as scenes

SIZE = (64, 36)


@pytest.fixture
def scene() -> bpy.types.Scene:
    return scenes.two_parts(SIZE)


def _no_camera(scene) -> None:
    scene.camera = None


def _no_parts(scene) -> None:
    for thing in scene.objects:
        thing.holdfast.is_part = False


def _hidden(scene) -> None:
    scene.objects["lid"].hide_render = True


def _same_name(scene) -> None:
    scene.objects["lid"].holdfast.part = "body"


def _same_id(scene) -> None:
    scene.objects["lid"].holdfast.part_id = 1


def _panorama(scene) -> None:
    scene.camera.data.type = "PANO"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_no_camera, "no camera"), (_no_parts, "no parts"), (_hidden, "lid is hidden"), (_same_name, "same part name"),
        (_same_id, "same part number"), (_panorama, "no flat picture"),
    ],
)  # fmt: skip
def test_refusals(scene, tmp_path: Path, spoil, says: str) -> None:
    spoil(scene)
    with pytest.raises(InputError, match=says):
        scenes.make(tmp_path)
    assert not (scenes.shot_in(tmp_path).truth / "truth.json").exists()


def test_frames_outside_the_shot_are_refused(scene, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="7-8 are not in the shot"):
        scenes.make(tmp_path, frames=(4, 7, 8))


def test_full_disk_is_seen_before_rendering(scene, tmp_path: Path, monkeypatch) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(StorageError, match="GB left"):
        scenes.make(tmp_path)


def test_folder_that_is_a_file(scene, tmp_path: Path) -> None:
    shot = scenes.shot_in(tmp_path)
    shot.root.mkdir(parents=True)
    shot.truth.write_text("in the way")
    with pytest.raises(HoldfastError):
        scenes.make(tmp_path)


def test_a_live_simulation_is_refused(scene, tmp_path: Path) -> None:
    bpy.ops.rigidbody.world_add()
    world = scene.rigidbody_world
    world.collection = bpy.data.collections.new("Bodies")
    ball = bpy.data.objects.new("Ball", bpy.data.meshes.new("Ball"))
    scene.collection.objects.link(ball)
    world.collection.objects.link(ball)
    with pytest.raises(InputError, match="Ball is moved by a live simulation"):
        reading.refuse_live_physics(scene)
    ball.rigid_body.kinematic = True
    reading.refuse_live_physics(scene)
