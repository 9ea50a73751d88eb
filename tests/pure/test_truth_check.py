# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the ground truth: silent about every right package, and a planted defect each that they must find."""

from __future__ import annotations

import json
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from holdfast.pipeline.colour import ToLinear
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import ExitCode, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.passes import PASSES
from holdfast.pipeline.pictures import write_exr
from holdfast.pipeline.truth import SCHEMA, TO_LINEAR, GroundTruth
from holdfast.rendering import check, check_command
from holdfast.rendering.check import Failure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import truth_analytic as analytic
from . import truth_defects as defects
from .truth_analytic import Body, Shot
from .truth_defects import DEFECTS, NO_FRAME, SHOT, WALL


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
    defects.matte_faded(truth)
    assert (
        check_command.main([str(truth.folder)]) == ExitCode.VERDICT_FAIL
    )  # its hash, and how sure the ids are
    defects.ids_gone(truth)
    assert check_command.main([str(truth.folder), "--json"]) == ExitCode.VERDICT_FAIL
    lines = capfd.readouterr().out.splitlines()
    assert any(line.startswith("wrong: id (frame 2, box): ") for line in lines)
    events = [json.loads(line) for line in lines if line.startswith("{")]
    placed = {(each["check"], each["frame"], each["part"]) for each in events if each["event"] == "check"}
    assert ("id", 2, "box") in placed and ("hash", 2, "") in placed
    assert check_command.main([str(truth.folder), "--frames", "8"]) == ExitCode.USAGE
    assert check_command.main([str(truth.folder / "none")]) == ExitCode.INPUT


def test_what_is_only_worth_a_look_stops_nothing(truth: GroundTruth) -> None:
    defects.record(
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
    defects.record(truth, motion_hash="m")
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
    defects.record(truth, passes=passes)
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
    defects.normals_in_world(truth)
    failures = [failure for failure in found(truth) if failure.check == "normal"]
    assert {failure.part for failure in failures} >= {"box", "chip"} and not any(
        each.stops for each in failures
    )
