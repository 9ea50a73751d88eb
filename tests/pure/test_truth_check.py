# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the ground truth: silent about every right package, and a planted defect each that they must find."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from holdfast.pipeline.colour import ToLinear
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import ExitCode, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.passes import PASSES
from holdfast.pipeline.pictures import read_exr, read_gray, write_exr, write_gray
from holdfast.pipeline.truth import MANIFEST, SCHEMA, TO_LINEAR, GroundTruth
from holdfast.rendering import check, check_command
from holdfast.rendering.check import Failure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import truth_analytic as analytic
from .truth_analytic import Body, Shot

BALL = Body("ball", "ball", (0.5, 0, 0), (-0.5, 0.1, 2.6), (0.04, 0.01, 0.02), (0, 1, 1), 0.3, 0.1)
BOX = Body("box", "box", (0.45, 0.35, 0.3), (0.75, 0.2, 3.1), (-0.03, 0, 0), (1, 2, 0.5), 0.6, 0.12)
CHIP = Body("chip", "box", (0.16, 0.16, 0.01), (0.1, -0.75, 2.4), (0, 0.03, 0), (0, 1, 0), 0.2, 0.05)
WALL = Body("wall", "box", (9, 9, 0.2), (0, 0, 6), part=False)
SHOT = Shot((BALL, BOX, CHIP, WALL), pan=0.01, slide=(0.01, 0, 0))


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return analytic.write(SHOT, tmp_path_factory.mktemp("right") / "truth")


@pytest.fixture
def truth(right: Path, tmp_path: Path) -> GroundTruth:
    return GroundTruth.open(Path(shutil.copytree(right, tmp_path / "truth")))


def found(truth: GroundTruth, **options: bool) -> list[Failure]:
    return check.check(GroundTruth(truth.folder, truth.manifest), Context(), **options)


def test_a_right_package_passes(truth: GroundTruth) -> None:
    assert found(truth, hashes=True) == []
    assert check.run({"folder": str(truth.folder)}, Context()) == {"failures": [], "warnings": []}
    assert check.refuse_if_wrong(truth.folder, truth.manifest, Context()) == []


NUMBER = st.floats(-1, 1)
SMALL = st.floats(-0.3, 0.3)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Body, ...]:
    made = [WALL] if draw(st.booleans()) else []
    for index in range(draw(st.integers(1, 4))):
        size = 10 ** draw(st.floats(-2, -0.1))
        thin = draw(st.sampled_from([1.0, 0.4, 0.01]))
        place = 1.6 * draw(NUMBER), 1.3 * draw(NUMBER), 3 + 1.2 * draw(NUMBER)
        shift = draw(SMALL), draw(SMALL), draw(SMALL)
        axis = draw(NUMBER), draw(NUMBER), 1.1
        shape = draw(st.sampled_from(["ball", "box"]))
        half = (size, size * draw(st.floats(0.3, 1)), size * thin)
        turns = 3 * draw(NUMBER), draw(SMALL)
        made.append(
            Body(f"part {index}", shape, half, place, shift, axis, *turns, draw(st.booleans()) or not index)
        )
    return tuple(made)


@given(
    bodies(),
    st.booleans(),
    st.tuples(SMALL, SMALL),
    SMALL,
    st.sampled_from([0, 1, 4]),
    st.sampled_from([0, 0.5]),
)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_right_package_is_doubted(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[Body, ...], orthographic: bool,
    slide: tuple[float, float], pan: float, noisy: int, shutter: float,
) -> None:  # fmt: skip
    shot = Shot(
        made, (40, 30), (1, 2), 45.0, slide=(*slide, 0), pan=pan / 5, orthographic=orthographic, grid=4, noisy=noisy,
        shutter=shutter,
    )  # fmt: skip
    folder = analytic.write(shot, tmp_path_factory.mktemp("any"))
    assert [str(each) for each in check.check(GroundTruth.open(folder), Context())] == []


# --- defects: each changes one thing in frame 2 (or where it says) and names the check that must find it --------------


def _gray(truth: GroundTruth, kind: str, part: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    path = truth.path(kind, 2, part)
    stored = read_gray(path)
    write_gray(path, change(stored.copy()).astype(stored.dtype))


def _exr(truth: GroundTruth, kind: str, change: Callable[[np.ndarray], np.ndarray], frame: int = 2) -> None:
    path = truth.path(kind, frame)
    write_exr(path, np.ascontiguousarray(change(read_exr(path)), np.float32))


def _record(truth: GroundTruth, **changes: object) -> None:
    data = {**truth.manifest.data, **changes}
    manifest = Manifest(SCHEMA, {}, {}, data, truth.manifest.files)
    manifest.save(truth.folder / MANIFEST)
    truth.manifest = manifest


def _own(truth: GroundTruth, part: str) -> np.ndarray:
    return truth.ids(2) == truth.part(part).id


def _shift(array: np.ndarray, columns: int = 1) -> np.ndarray:
    return np.roll(array, columns, 1)


def _hole(truth: GroundTruth) -> np.ndarray:
    """A patch of 6 x 6 pixels well inside the box."""
    rows, columns = np.nonzero(cv2.erode(_own(truth, "box").astype(np.uint8), np.ones((7, 7))))
    patch = np.zeros(truth.size[::-1], bool)
    row, column = rows[len(rows) // 2], columns[len(columns) // 2]
    patch[row - 3 : row + 3, column - 3 : column + 3] = True
    return patch


def _wipe(mask: np.ndarray, value: float = 0) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[mask] = value
        return array

    return change


def _ids_gone(truth: GroundTruth) -> None:
    _gray(truth, "ids", "", _wipe(_own(truth, "box")))


def _ids_with_holes(truth: GroundTruth) -> None:
    _gray(truth, "ids", "", _wipe(_hole(truth)))


def _id_of_nobody(truth: GroundTruth) -> None:
    _gray(truth, "ids", "", _wipe(_hole(truth), 77))


def _ids_swapped(truth: GroundTruth) -> None:
    _gray(truth, "ids", "", lambda ids: np.array([0, 2, 1, 3])[ids])


def _ids_merged(truth: GroundTruth) -> None:
    _gray(truth, "ids", "", lambda ids: np.where(ids == 2, 1, ids))


def _ids_shifted(truth: GroundTruth) -> None:
    _gray(truth, "ids", "", _shift)


def _matte_gone(truth: GroundTruth) -> None:
    _gray(truth, "matte", "chip", lambda matte: matte * 0)


def _matte_doubled(truth: GroundTruth) -> None:
    _gray(truth, "matte", "ball", lambda matte: matte * 0 + 255)


def _matte_shifted(truth: GroundTruth) -> None:
    _gray(truth, "matte", "box", lambda matte: _shift(matte, 2))


def _matte_faded(truth: GroundTruth) -> None:
    _gray(truth, "matte", "ball", lambda matte: matte * 0.7)


def _matte_bleeds(truth: GroundTruth) -> None:
    def bleed(matte: np.ndarray) -> np.ndarray:
        return np.maximum(matte, 0.8 * cv2.dilate(matte, np.ones((5, 5), np.uint8)))

    _gray(truth, "matte", "chip", bleed)


def _sure_of_all(truth: GroundTruth) -> None:
    _gray(truth, "sure", "", lambda sure: sure * 0 + 255)


def _whole_gone(truth: GroundTruth) -> None:
    _gray(truth, "whole", "box", lambda whole: whole * 0)


def _whole_shifted(truth: GroundTruth) -> None:
    _gray(truth, "whole", "ball", lambda whole: _shift(whole, 5))


def _depth_not_a_number(truth: GroundTruth) -> None:
    _exr(truth, "depth", _wipe(_hole(truth), np.nan))


def _vector_infinite(truth: GroundTruth) -> None:
    _exr(truth, "vector", _wipe(_hole(truth), np.inf))


def _depth_below_zero(truth: GroundTruth) -> None:
    _exr(truth, "depth", _wipe(_hole(truth), -1))


def _depth_scaled(truth: GroundTruth) -> None:
    for frame in truth.frames:
        _exr(truth, "depth", lambda depth: depth * 1.05, frame)


def _depth_nearer(truth: GroundTruth) -> None:
    for frame in truth.frames:
        _exr(truth, "depth", lambda depth: depth * 0.96, frame)


def _depth_along_the_ray(truth: GroundTruth) -> None:
    for frame in truth.frames:
        _exr(truth, "depth", lambda depth, frame=frame: truth.camera(frame).distances(depth), frame)


def _depth_behind(truth: GroundTruth) -> None:
    _exr(truth, "depth", _wipe(_own(truth, "chip"), 5.8))


def _depth_none(truth: GroundTruth) -> None:
    _exr(truth, "depth", _wipe(_own(truth, "chip")))


def _depth_of_another_frame(truth: GroundTruth) -> None:
    shutil.copy(truth.path("depth", 3), truth.path("depth", 2))


def _normals_in_world(truth: GroundTruth) -> None:
    _exr(truth, "normal", lambda normal: normal[..., [0, 2, 1]])


def _normals_away(truth: GroundTruth) -> None:
    _exr(truth, "normal", np.negative)


def _normals_mixed(truth: GroundTruth) -> None:
    _exr(truth, "normal", lambda normal: cv2.blur(normal, (3, 3)))


def _vectors_negated(truth: GroundTruth) -> None:
    _exr(truth, "vector", np.negative)


def _vectors_upside_down(truth: GroundTruth) -> None:
    _exr(truth, "vector", lambda vector: vector * [1, -1, 1, -1])


def _vectors_swapped(truth: GroundTruth) -> None:
    _exr(truth, "vector", lambda vector: vector[..., [2, 3, 0, 1]])


def _vectors_slightly_off(truth: GroundTruth) -> None:
    _exr(truth, "vector", lambda vector: vector + 0.13)


def _vectors_still(truth: GroundTruth) -> None:
    _exr(truth, "vector", _wipe(_own(truth, "ball")))


def _dropped_from_a_frame(truth: GroundTruth) -> None:
    """Everything tells the same lie: the chip is not there."""
    own = _own(truth, "chip")
    _ids = truth.path("ids", 2)
    write_gray(_ids, np.where(own, 0, read_gray(_ids)).astype(np.uint8))
    _exr(truth, "depth", _wipe(own, 5.8))
    for kind in ("matte", "whole"):
        truth.path(kind, 2, "chip").unlink()
    _gray(truth, "sure", "", _wipe(cv2.dilate(own.astype(np.uint8), np.ones((5, 5))) > 0, 255))
    _record(truth, empty={**truth.manifest.data["empty"], "matte/chip": "2", "whole/chip": "2"})


def _visible_dropped(truth: GroundTruth) -> None:
    """The chip is not seen although nothing is before it; its whole matte stays."""
    own = _own(truth, "chip")
    _gray(truth, "ids", "", _wipe(own))
    _exr(truth, "depth", _wipe(own, 5.8))
    _matte_gone(truth)


def _hole_through_everything(truth: GroundTruth) -> None:
    patch = _hole(truth)
    _gray(truth, "ids", "", _wipe(patch))
    for kind in ("matte", "whole"):
        _gray(truth, kind, "box", _wipe(patch))
    _exr(truth, "depth", _wipe(patch, 5.8))


def _poses_late(truth: GroundTruth) -> None:
    with np.load(truth.folder / "poses.npz") as stored:
        poses = np.array([[body.pose(frame - 3) for body in SHOT.parts] for frame in truth.frames])
        np.savez(truth.folder / "poses.npz", poses=poses, frames=stored["frames"])


def _pose_not_a_number(truth: GroundTruth) -> None:
    with np.load(truth.folder / "poses.npz") as stored:
        poses, frames = stored["poses"].copy(), stored["frames"]
    poses[1, 0, 0, 3] = np.nan
    np.savez(truth.folder / "poses.npz", poses=poses, frames=frames)


def _camera(truth: GroundTruth, change: Callable[[dict], None]) -> None:
    cameras = json.loads(json.dumps(truth.manifest.data["camera"]))
    change(cameras[1])
    _record(truth, camera=cameras)


def _camera_scaled(truth: GroundTruth) -> None:
    def scale(record: dict) -> None:
        record["world_to_camera"] = (np.diag([2, 2, 2, 1.0]) @ record["world_to_camera"]).tolist()

    _camera(truth, scale)


def _focal_length_wrong(truth: GroundTruth) -> None:
    _camera(truth, lambda record: record.update(K=(np.diag([1.08, 1.08, 1]) @ record["K"]).tolist()))


def _camera_of_another_frame(truth: GroundTruth) -> None:
    _camera(truth, lambda record: record.update(truth.manifest.data["camera"][2], frame=2))


def _frame_left_out(truth: GroundTruth) -> None:
    _record(truth, frames=[1, 3])


def _id_twice(truth: GroundTruth) -> None:
    parts = json.loads(json.dumps(truth.manifest.data["parts"]))
    parts[1]["id"] = 1
    _record(truth, parts=parts)


def _file_missing(truth: GroundTruth) -> None:
    truth.path("normal", 2).unlink()


def _file_damaged(truth: GroundTruth) -> None:
    truth.path("matte", 2, "box").write_bytes(b"nothing")


def _file_of_another_size(truth: GroundTruth) -> None:
    write_gray(truth.path("whole", 2, "box"), np.zeros((5, 5), np.uint8))


def _points_of_others(truth: GroundTruth) -> None:
    np.savez(truth.folder / "points.npz", points=np.zeros((2, 9, 3)))


DEFECTS: dict[Callable[[GroundTruth], None], str] = {
    _ids_gone: "id", _ids_with_holes: "id", _id_of_nobody: "ids", _ids_swapped: "id", _ids_merged: "id",
    _ids_shifted: "id", _matte_gone: "matte", _matte_doubled: "coverage", _matte_shifted: "id",
    _matte_bleeds: "bleeding", _sure_of_all: "sure", _whole_gone: "whole", _whole_shifted: "whole",
    _depth_not_a_number: "finite", _vector_infinite: "finite", _depth_below_zero: "depth", _depth_scaled: "depth",
    _depth_nearer: "depth", _depth_along_the_ray: "depth", _depth_behind: "depth", _depth_none: "depth",
    _depth_of_another_frame: "vectors", _normals_away: "normal",
    _normals_mixed: "normal", _vectors_negated: "vectors", _vectors_upside_down: "vectors",
    _vectors_swapped: "vectors", _vectors_slightly_off: "vectors", _vectors_still: "vectors",
    _dropped_from_a_frame: "seen", _visible_dropped: "seen", _hole_through_everything: "flicker",
    _poses_late: "whole", _pose_not_a_number: "poses", _camera_scaled: "camera",
    _focal_length_wrong: "vectors", _camera_of_another_frame: "vectors", _frame_left_out: "frames", _id_twice: "parts",
    _file_missing: "files", _file_damaged: "files", _file_of_another_size: "files", _points_of_others: "points",
}  # fmt: skip
NO_FRAME = {_poses_late, _depth_scaled, _depth_nearer, _depth_along_the_ray}


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__.strip("_"))
def test_planted_defects_are_found_and_placed(
    truth: GroundTruth, defect: Callable[[GroundTruth], None]
) -> None:
    defect(truth)
    failures = found(truth)
    for failure in failures[:4]:
        print(failure)
    assert DEFECTS[defect] in {failure.check for failure in failures if failure.stops}
    if defect not in NO_FRAME:
        assert 2 in {failure.frame for failure in failures} or DEFECTS[defect] in {
            "frames",
            "parts",
            "points",
            "poses",
        }
    with pytest.raises(InputError, match="failed its own checks"):
        check.refuse_if_wrong(truth.folder, truth.manifest, Context())


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_needs_no_blender(truth: GroundTruth, capfd: pytest.CaptureFixture[str]) -> None:
    assert check_command.main([str(truth.folder), "--json", "--frames", "2-3"]) == ExitCode.OK
    assert "2 frames, 3 parts: 0 wrong, 0 worth a look" in capfd.readouterr().out
    _matte_faded(truth)
    assert (
        check_command.main([str(truth.folder)]) == ExitCode.VERDICT_FAIL
    )  # its hash, and how sure the ids are
    _ids_gone(truth)
    assert check_command.main([str(truth.folder), "--json"]) == ExitCode.VERDICT_FAIL
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("wrong: id (frame 2, box): ") for line in lines)
    events = [json.loads(line) for line in lines if line.startswith("{")]
    placed = {(each["check"], each["frame"], each["part"]) for each in events if each["event"] == "check"}
    assert ("id", 2, "box") in placed and ("hash", 2, "") in placed
    assert check_command.main([str(truth.folder), "--frames", "8"]) == ExitCode.USAGE
    assert check_command.main([str(truth.folder / "none")]) == ExitCode.INPUT


def test_what_is_only_worth_a_look_stops_nothing(truth: GroundTruth) -> None:
    _record(
        truth,
        passes={kind: {"pattern": each["pattern"]} for kind, each in truth.manifest.data["passes"].items()},
    )
    assert {failure.stops for failure in found(truth)} == {False}
    assert check_command.main([str(truth.folder)]) == ExitCode.OK
    assert check_command.main([str(truth.folder), "--fail-on", "review"]) == ExitCode.VERDICT_REVIEW
    warnings = check.refuse_if_wrong(truth.folder, truth.manifest, Context())
    assert any("truth.json does not say" in sentence for sentence in warnings)


# --- what lies beside the passes: the baked motion, and the picture's light -------------------------------------------


def _bake(truth: GroundTruth, digest: str, off: float = 0.0) -> None:
    poses = np.array([[body.pose(frame) for body in SHOT.parts] for frame in truth.frames])
    poses[1, 1, 0, 3] += off
    folder = truth.folder.parent / "motion"
    folder.mkdir()
    np.savez(folder / "poses.npz", poses=poses, frames=np.array(truth.frames))
    data = {"motion_hash": digest, "parts": [body.name for body in SHOT.parts], "poses": "poses.npz"}
    Manifest("holdfast/motion", {}, {}, data).save(folder / "motion.json")


@pytest.mark.parametrize(
    ("digest", "off", "expected"), [("m", 0, []), ("m", 2e-5, [("motion", 2, "box", True)]), ("n", 0, [("motion", 1, "", False)])]
)  # fmt: skip
def test_poses_are_those_of_the_baked_motion(
    truth: GroundTruth, digest: str, off: float, expected: list[tuple[str, int, str, bool]]
) -> None:
    _record(truth, motion_hash="m")
    _bake(truth, digest, off)
    assert [(each.check, each.frame, each.part, each.stops) for each in found(truth)] == expected


@pytest.mark.parametrize(("stops", "expected"), [(0.0, set()), (1.0, {2})])
def test_beauty_and_linear_are_of_the_same_light(
    truth: GroundTruth, stops: float, expected: set[int]
) -> None:
    nodes = np.linspace(0, 1, 65) ** 2.2
    lattice = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), -1)
    curves = np.repeat(np.linspace(0, 64, 256)[:, None], 3, 1)
    ToLinear(np.float32(curves), np.float32(np.arcsinh(lattice / 0.01)), 0.01).save(truth.folder / TO_LINEAR)
    passes = {**truth.manifest.data["passes"], "linear": PASSES["linear"].record()}
    _record(truth, passes=passes)
    truth = GroundTruth(truth.folder, Manifest(SCHEMA, {}, {}, truth.manifest.data))
    for frame in truth.frames:
        light = (truth.beauty(frame) / 255.0) ** 2.2 * 2 ** (stops if frame == 2 else 0)
        write_exr(truth.path("linear", frame), light.astype(np.float32), half=True)
    assert {each.frame for each in found(truth) if each.check == "colour" and each.stops} == expected
    assert {each.check for each in found(truth)} <= {"colour"}


def test_no_more_than_two_frames_are_held(truth: GroundTruth, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[check.Plate]] = []
    most = 0

    class Counted(check.Plate):
        def __init__(self, *given: Any) -> None:
            nonlocal most
            super().__init__(*given)
            held.append(weakref.ref(self))
            most = max(most, sum(each() is not None for each in held))

    monkeypatch.setattr(check, "Plate", Counted)
    assert found(truth) == [] and len(held) == len(truth.frames) and most == 2


def test_normals_in_another_space_are_worth_a_look(truth: GroundTruth) -> None:
    """No more: bumps, and smooth shading of a coarse mesh, give as much."""
    _normals_in_world(truth)
    failures = [failure for failure in found(truth) if failure.check == "normal"]
    assert {failure.part for failure in failures} >= {"box", "chip"} and not any(
        each.stops for each in failures
    )
