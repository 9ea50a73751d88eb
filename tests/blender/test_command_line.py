# SPDX-License-Identifier: GPL-3.0-or-later
"""The command: exit codes, sentences and lines; bad input never shows a traceback."""

import json
from pathlib import Path

import bpy
import pytest
from holdfast.command_line import _verdict_code, main
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.store import write_json


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "lantern.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


def run(capfd: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = main(argv)
    out = capfd.readouterr()
    assert "Traceback" not in out.out + out.err
    return code, out.out + out.err


def test_status_lists_every_stage_in_order(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out = run(capfd, "status")
    assert code == 0
    names = [line.split()[0] for line in out.splitlines() if line[:1].isalpha()]
    assert names == ["ideate", "assets", "physics", "truth", "style", "validate", "repair", "finish"]


def test_status_as_json(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, out = run(capfd, "status", "--json")
    states = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert {state["event"] for state in states} == {"state"}
    assert {state["status"] for state in states} <= {"missing", "stale", "fresh", "partial", "failed"}


@pytest.mark.parametrize(
    "stage", ["ideate", "assets", "physics", "truth", "style", "validate", "repair", "finish"]
)
def test_an_unsaved_file_says_where_output_would_go(stage: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, out = run(capfd, stage)
    assert code == 20
    assert "never saved" in out
    assert "Save the .blend first" in out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["physics", "--frames", "9-3"], "runs backwards"),
        (["physics", "--frames", "many"], "not a frame range"),
        (["physics", "--shot", "sh999"], "No scene holds the shot"),
        (["physics", "--set", "finish.colour=1"], "not a setting"),
        (["physics", "--set", "finish.exposure=bright"], "no value for finish.exposure"),
        (["physics", "--set", "style.look=WATERCOLOUR_OF_2090"], "no value for style.look"),
        (["physics", "--set", "physics.joints[0].depth_mm=3"], "not a setting"),
        (["physics", "--set", "physics.finale.speed_mps=1,2"], "no value for physics.finale.speed_mps"),
        (["run", "--through", "polish"], "no stage 'polish'"),
        (["polish"], "invalid choice"),
        ([], "required"),
    ],
)
def test_nonsense_is_a_usage_error(
    saved: Path, argv: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capfd, *argv)
    assert code == 2
    assert words in out


def test_settings_for_one_run(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = run(capfd, "status", "--set", "finish.exposure=0.3", "--set", "shot_name=sh020")
    assert code == 0
    assert bpy.context.scene.holdfast.finish.exposure == pytest.approx(0.3)
    assert bpy.context.scene.holdfast.shot_name == "sh020"


def test_settings_of_groups_lists_and_vectors(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    physics = bpy.context.scene.holdfast.physics
    for name in ("lock", "swing"):
        physics.joints.add().name = name
    given = ("physics.timing.hold_frames=24", "physics.finale.kind=THROW", "physics.finale.speed_mps=0.5,0,-1",
             "physics.joints[1].kind=HINGE", "physics.joints[lock].lugs=3")  # fmt: skip
    code, out = run(capfd, "status", *(word for one in given for word in ("--set", one)))
    assert code == 0, out
    assert physics.timing.hold_frames == 24 and physics.finale.kind == "THROW"
    assert tuple(physics.finale.speed_mps) == (0.5, 0.0, -1.0)
    assert physics.joints[1].kind == "HINGE" and physics.joints[0].lugs == 3
    code, out = run(capfd, "status", "--set", "physics.joints[bolt].lugs=3")
    assert code == 2 and "not a setting" in out


@pytest.mark.parametrize("name", ["../up", "", "a/b", "CON:"])
def test_a_shot_name_is_never_a_path(saved: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    bpy.context.scene.holdfast.shot_name = name
    code, out = run(capfd, "status")
    assert code == 2
    assert "can't be the name of a shot" in out


@pytest.mark.parametrize("stage", ["physics", "truth", "style", "validate", "repair", "finish"])
def test_a_stage_without_its_inputs_says_what_to_run(
    saved: Path, stage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code, out = run(capfd, stage)
    assert code == 20, out
    assert "openjd_fail: " in out
    assert not list((saved.parent / "lantern.holdfast").glob("**/*.part*"))


def test_a_damaged_manifest_is_a_sentence(saved: Path, capfd: pytest.CaptureFixture[str]) -> None:
    motion = saved.parent / "lantern.holdfast" / "sh010" / "motion"
    write_json(motion / "motion.json", {"schema": "holdfast/motion", "version": 99})
    code, out = run(capfd, "truth")
    assert code == 20, out
    assert "newer Holdfast" in out or "camera" in out or "part" in out


@pytest.mark.parametrize(
    ("verdict", "fail_on", "code"),
    [
        ("fail", None, 0),
        ("fail", "fail", 10),
        ("review", "fail", 0),
        ("review", "review", 11),
        ("fail", "review", 10),
        ("pass", "review", 0),
        ("not_engaged", "fail", 10),
        ("inconclusive", "review", 11),
        ("engaged", "review", 0),
    ],
)
def test_a_verdict_is_data_unless_asked_for(verdict: str, fail_on: str | None, code: int) -> None:
    manifest = Manifest("holdfast/report", {}, {}, {"verdict": verdict})
    assert _verdict_code(manifest, fail_on) == code
