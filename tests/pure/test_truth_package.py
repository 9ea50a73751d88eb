# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a package, the camera's arithmetic, and the checks against planted faults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import read_exr, read_gray, write_exr, write_gray
from holdfast.pipeline.truth import MANIFEST, SCHEMA, Camera, GroundTruth
from holdfast.rendering import check, passes
from hypothesis import given
from hypothesis import strategies as st

from . import truth_package as package


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return package.write(tmp_path / "truth")


def test_everything_is_read(folder: Path) -> None:
    truth = GroundTruth.open(folder)
    assert (truth.size, truth.fps, truth.frames, truth.names) == (
        (48, 32),
        (24, 1),
        (1, 2, 3),
        ("left", "right"),
    )
    height, width = truth.size[::-1]
    assert truth.beauty(1).shape == (height, width, 3) and truth.beauty(1).dtype == np.uint8
    assert truth.ids(2).shape == (height, width) and set(np.unique(truth.ids(2))) == {0, 1, 2}
    matte = truth.matte("left", 3)
    assert matte.dtype == np.float32 and matte.max() == 1 and matte.shape == (height, width)
    assert truth.depth(1).dtype == np.float32 and truth.depth(1)[16, 12] == 2
    assert truth.normal(1)[0, 0].tolist() == [0, 0, 1]
    assert truth.vector(1)[16, 28].tolist() == [3, 0, -3, 0]
    assert truth.pose("right", 2)[2, 3] == 1.6 and truth.pose("right", 2).dtype == np.float64
    assert truth.digest == Manifest.load(folder / MANIFEST, SCHEMA).digest
    x, y, z = truth.project(truth.pose("right", 2)[:3, 3], 2)
    assert (x, y, z) == (pytest.approx(31), pytest.approx(16), pytest.approx(1.6))


def test_what_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    truth = GroundTruth.open(folder)
    for ask, says in (
        (lambda: truth.ids(9), "no frame 9"),
        (lambda: truth.matte("peg", 1), "no part 'peg'. *It has left, right|no part 'peg'"),
        (lambda: GroundTruth.open(tmp_path), "no ground truth yet"),
    ):
        with pytest.raises(InputError, match=says):
            ask()
    truth.path("depth", 1).unlink()
    with pytest.raises(InputError, match="missing"):
        truth.depth(1)
    truth.path("ids", 1).write_text("not a picture")
    with pytest.raises(InputError, match="not a picture"):
        truth.ids(1)
    write_gray(truth.path("ids", 2), np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match="frame 2"):
        truth.ids(2)
    (folder / "poses.npz").write_bytes(b"")
    with pytest.raises(InputError, match="poses"):
        GroundTruth.open(folder).pose("left", 1)


@pytest.mark.parametrize("key", ["size", "frames", "parts", "passes", "camera", "colour"])
def test_incomplete_manifest_is_a_sentence(folder: Path, key: str) -> None:
    manifest = Manifest.load(folder / MANIFEST, SCHEMA)
    data = {name: value for name, value in manifest.data.items() if name != key}
    Manifest(SCHEMA, {}, {}, data).save(folder / MANIFEST)
    with pytest.raises(InputError, match="incomplete"):
        GroundTruth.open(folder)
    (folder / MANIFEST).write_text(json.dumps(data))
    with pytest.raises(InputError):
        GroundTruth.open(folder)


NUMBER = st.floats(min_value=-2, max_value=2)


@given(st.tuples(NUMBER, NUMBER, NUMBER), st.booleans(), NUMBER)
def test_unproject_undoes_project(point: tuple[float, float, float], orthographic: bool, turn: float) -> None:
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    pose[2, 3] = 4  # everything is before the camera
    camera = Camera(np.array([[50.0, 0, 20], [0, 60, 15], [0, 0, 1]]), pose, orthographic)
    seen = camera.project(np.array(point))
    assert np.allclose(camera.unproject(seen[:2], np.array(seen[2])), point, atol=1e-9)


def test_background_of_a_panning_camera() -> None:
    turn = 0.02
    here = Camera(np.array([[50.0, 0, 24], [0, 50, 16], [0, 0, 1]]), np.eye(4))
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    mask = np.zeros((32, 48), bool)
    mask[15, 23] = mask[16, 24] = True
    moved = passes.background_motion(here, Camera(here.K, pose), mask)
    assert moved[:, 0] == pytest.approx(50 * np.tan(turn), abs=0.01)
    assert np.abs(moved[:, 1]).max() < 0.02


def _clear_ids(truth: GroundTruth) -> None:
    ids = truth.ids(2)
    ids[ids == 2] = 0
    write_gray(truth.path("ids", 2), ids)


def _unknown_id(truth: GroundTruth) -> None:
    ids = truth.ids(2)
    ids[0, 0] = 77
    write_gray(truth.path("ids", 2), ids)


def _no_matte(truth: GroundTruth) -> None:
    path = truth.path("matte", 2, "right")
    write_gray(path, read_gray(path) * 0)


def _double_matte(truth: GroundTruth) -> None:
    write_gray(truth.path("matte", 2, "left"), np.full(truth.size[::-1], 255, np.uint8))


def _not_a_number(truth: GroundTruth) -> None:
    depth = truth.depth(2)
    depth[3, 3] = np.nan
    write_exr(truth.path("depth", 2), depth)


def _wrong_sign(truth: GroundTruth) -> None:
    path = truth.path("vector", 2)
    write_exr(path, -2 * read_exr(path))


def _vanished(truth: GroundTruth) -> None:
    depth = truth.depth(2)
    depth[truth.ids(2) == 2] = 5
    write_exr(truth.path("depth", 2), depth)
    _clear_ids(truth)
    _no_matte(truth)


FAULTS = {
    _clear_ids: "id", _unknown_id: "ids", _no_matte: "matte", _double_matte: "coverage", _not_a_number: "finite",
    _wrong_sign: "vectors", _vanished: "seen",
}  # fmt: skip


def test_a_right_package_passes(folder: Path) -> None:
    assert check.run({"folder": str(folder)}, Context())["failures"] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__.strip("_"))
def test_planted_faults_are_found_and_placed(folder: Path, fault: Callable[[GroundTruth], None]) -> None:
    truth = GroundTruth.open(folder)
    fault(truth)
    found = check.check(truth, Context())
    assert FAULTS[fault] in {failure.check for failure in found}
    assert {failure.frame for failure in found} <= {1, 2}
    with pytest.raises(InputError, match=r"frame [12]"):
        check.refuse_if_wrong(folder, truth.manifest, Context())
