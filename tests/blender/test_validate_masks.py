# SPDX-License-Identifier: GPL-3.0-or-later
"""``validate --masks``: a tracker's masks of a take, through Blender's command."""

import json
from pathlib import Path

import bpy
import pytest
from holdfast.command_line import main
from holdfast.operators import mask_actions, state_cache
from holdfast.pipeline.jobs import JobStore
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_gray, write_picture
from holdfast.pipeline.truth import GroundTruth
from holdfast.validation.masks_stage import SCHEMA

from tests.pure import truth_package


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A saved file whose shot has a ground truth and a take."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"))
    folder = tmp_path / "two.holdfast" / bpy.context.scene.holdfast.shot_name
    truth = GroundTruth.open(truth_package.write(folder / "truth"))
    for frame in truth.frames:
        write_picture(folder / f"takes/t001/frames/{frame:04d}.png", truth.beauty(frame))
        write_gray(tmp_path / f"masks/{frame:04d}.png", truth.ids(frame))
    data = {
        "take": "t001",
        "size": list(truth.size),
        "frames": list(truth.frames),
        "pattern": "frames/{frame:04d}.png",
    }
    Manifest("holdfast/take", {}, {"truth": truth.digest}, data).save(folder / "takes/t001/take.json")
    return folder


def test_masks_of_a_take(shot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--masks", str(tmp_path / "masks"), "--json"]) == 0
    out = capfd.readouterr().out
    event = next(json.loads(line) for line in out.splitlines() if '"event": "masks"' in line)
    assert "J 1.000, F 1.000 over 3 frames and 2 parts" in event["summary"]
    made = Manifest.load(shot / "reports/t001/masks.json", SCHEMA)
    assert made.digest == event["digest"]
    assert made.data["mean"] == {"J": 1.0, "F": 1.0, "J&F": 1.0}


def test_no_masks_is_one_sentence(shot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--masks", str(tmp_path / "nothing")]) == 20
    assert "There is no folder or video of masks" in capfd.readouterr().out
    assert not (shot / "reports/t001").exists()


def test_masks_by_a_model_are_asked_for_once(
    shot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The rehearsal's tracker, as a job: a film and a job a part; the second run finds the results."""
    own = shot.parent / "catalogue"
    own.mkdir()
    (own / "rehearsal.toml").write_text(
        '[[service]]\nid = "rehearsal_remote"\nlabel = "Rehearsal, as if remote"\nbase = "http://127.0.0.1"\n'
        "settings = { seconds = 0.01 }\n"
    )
    for _ in range(2):
        assert main(["validate", "--masks", "rehearsal_remote/flow-tracker-1", "--json"]) == 0, (
            capfd.readouterr()
        )
    made = Manifest.load(shot / "reports/t001/masks.json", SCHEMA)
    assert made.settings["by"] == "rehearsal_remote/flow-tracker-1" and made.data["cost_micros"] == 0
    assert made.data["mean"]["J"] > 0.7, made.data["summary"]
    assert [job.purpose for job in JobStore(shot.parent).jobs()] == ["masks", "masks"]
    assert mask_actions.words_of_button(bpy.context.scene, state_cache.Shown()) == "Track Parts"


def test_the_button_says_what_the_masks_cost(shot: Path, tmp_path: Path) -> None:
    scene = bpy.context.scene
    scene.holdfast.validate.track = "MODEL"
    state_cache.refresh(scene)
    assert mask_actions.words_of_button(scene, state_cache.shown(scene)) == "Track Parts for free"
    scene.holdfast.validate.track_model = "replicate/meta/sam-2-video"
    assert mask_actions.words_of_button(scene, state_cache.shown(scene)) == "Track Parts (price unknown)"
