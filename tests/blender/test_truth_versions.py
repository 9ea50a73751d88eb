# SPDX-License-Identifier: GPL-3.0-or-later
"""The same shot, by the same Blender in other chunks, order and process: the same bytes. By another: within tolerances.

`python tests/blender/version_shot.py table` prints the table of docs/truth.md for all versions.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import pytest
from holdfast.operators.steps import StageOptions
from holdfast.pipeline.truth import GroundTruth

from . import truth_scenes as scenes
from . import version_scenes, version_shot

HERE = f"{bpy.app.version[0]}.{bpy.app.version[1]}"
OTHER = "4.2" if HERE != "4.2" else "5.2"


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> GroundTruth:
    """The shot, made here in one go."""
    return version_shot.make(tmp_path_factory.mktemp("whole"))


def _bytes(truth: GroundTruth) -> dict[str, bytes]:
    """Every file of the package but the manifest, which says when it was made; frames without the seconds they took."""
    found = {}
    for path in sorted(truth.folder.rglob("*.*")):
        if path.is_file() and path.name != "truth.json":
            content = path.read_bytes()
            if path.suffix == ".json":
                content = json.dumps({**json.loads(content), "seconds": 0}).encode()
            found[path.relative_to(truth.folder).as_posix()] = content
    return found


def _differing(one: GroundTruth, other: GroundTruth) -> list[str]:
    here, there = _bytes(one), _bytes(other)
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def test_chunks_in_any_order_are_the_same_bytes(truth, tmp_path: Path) -> None:
    """Each frame alone, the last one first: its vectors at the chunk's edges too."""
    version_shot.build()
    shot = scenes.shot_in(tmp_path)
    for frame in (3, 1, 2):
        scenes.drive(scenes.STAGE.run(bpy.context.scene, shot, StageOptions(frames=(frame,))))
    assert _differing(truth, GroundTruth.open(shot.truth)) == []


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> dict[str, object]:
    """This and another version, each in a process of its own, as far as there are such environments."""
    return {
        version: version_shot.start(version, tmp_path_factory.mktemp("other"))
        for version in (HERE, OTHER)
        if version_scenes.python_of(version).exists()
    }


@pytest.mark.checkout
def test_another_process_gives_the_same_bytes(started, truth) -> None:
    if HERE not in started:
        pytest.skip(f"no Blender {HERE} to start")
    assert _differing(truth, version_shot.made(started[HERE])) == []


@pytest.mark.checkout
def test_another_version_gives_the_same_within_tolerances(started, truth) -> None:
    if OTHER not in started:
        pytest.skip(f"no Blender {OTHER}")
    measured = version_shot.compare(truth, version_shot.made(started[OTHER]))
    print(f"{HERE} against {OTHER}:", {name: f"{value:.2g}" for name, value in measured.items()})
    assert version_shot.beyond(measured) == []
