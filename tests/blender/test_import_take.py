# SPDX-License-Identifier: GPL-3.0-or-later
"""Import take: from the command line and the panel's buttons, with what was found put before the person."""

from __future__ import annotations

import argparse
import io
import json
import shutil

import bpy
import pytest

from . import validate_shot


@pytest.fixture
def shot(module, holdfast, tmp_path):
    found = validate_shot.new_file(tmp_path, holdfast.__name__)
    truth = module("pipeline.truth").GroundTruth.open(found.truth)
    for frame in truth.frames:  # the render is what the first take shows
        beauty = found.truth / f"beauty/beauty.{frame:04d}.png"
        beauty.parent.mkdir(exist_ok=True)
        shutil.copyfile(found.takes / f"t001/frames/{frame:04d}.png", beauty)
    module("operators.state_cache").on_load_post()
    module("operators.state_cache").refresh(bpy.context.scene)
    yield found
    module("operators.state_cache").on_load_post()


def given(footage, **more):
    usual = {
        "footage": footage,
        "take": None,
        "provider": "somebody",
        "model": "",
        "seed": None,
        "frames_by": "",
    }
    return argparse.Namespace(**{**usual, **more})


def imported(module, shot, **more):
    stream = io.StringIO()
    reporter = module("pipeline.reporting").Reporter(json_lines=True, stream=stream)
    module("operators.import_take").run_command(
        bpy.context.scene, given(shot.takes / "t001/frames", **more), reporter
    )
    module("operators.state_cache").refresh(bpy.context.scene)
    events = [json.loads(line) for line in stream.getvalue().splitlines() if line.startswith("{")]
    return next(event for event in events if event["event"] == "imported")


def test_pictures_made_elsewhere_become_a_take_and_wait_for_a_word(module, shot):
    event = imported(module, shot)
    print(event)
    cache, stage = module("operators.state_cache"), module("operators.import_take")
    shown = cache.shown(bpy.context.scene)
    assert event["take"] == shown.take == "t003"
    assert stage.waiting(shown)["says"] == event["says"]
    assert bpy.ops.holdfast.confirm_take(which="FOUND") == {"FINISHED"}
    assert stage.waiting(cache.shown(bpy.context.scene)) is None
    take = module("pipeline.take").TakeFolder.open(shot.takes / "t003")
    assert take.manifest.data["provider"] == "somebody" and take.manifest.data["import"]["chosen"] == "found"


def test_the_map_may_be_chosen_at_once(module, shot):
    imported(module, shot, take="client_v2", frames_by="said")
    take = module("pipeline.take").TakeFolder.open(shot.takes / "client_v2")
    assert take.manifest.data["import"]["chosen"] == "said"


def test_a_take_is_never_written_over(module, shot):
    with pytest.raises(module("pipeline.errors").InputError, match="take t001 already"):
        imported(module, shot, take="t001")


def test_a_film_that_is_not_there_is_a_sentence(module, shot, tmp_path):
    stage, errors = module("operators.import_take"), module("pipeline.errors")
    reporter = module("pipeline.reporting").Reporter(stream=io.StringIO())
    with pytest.raises(errors.InputError, match="no such film"):
        stage.run_command(bpy.context.scene, given(tmp_path / "gone.mp4"), reporter)
