# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole loop with the remote rehearsal: Style has a bad day, Validate finds it, Repair has the span drawn again by the
same model as a job, Validate passes it. One bill a request, whatever happens in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy
import pytest
from holdfast.clients import span_takes
from holdfast.operators import (
    clips,
    drive,
    encoders,
    locate,
    repair,
    repair_edit,
    repair_line,
    rerun_remote,
    steps,
    style,
    validate,
)
from holdfast.operators import truth as truth_stage
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Refused, UsageError
from holdfast.pipeline.jobs import JobStore, Step

from tests.pure.finishing_scene import write_truth

pytestmark = pytest.mark.sweep

FRAMES = tuple(range(1, 25))
MODEL = "rehearsal_remote/flat-drawing-1"
PRICED = """
[[model]]
provider = "rehearsal_remote"
model = "flat-drawing-1"
mode = "video_restyle"
also = ["mask"]
label = "Rehearsal, with a price"
adapter = "offline.remote:RemoteRehearsal"
network = true
inputs.source_video = { kinds = ["path"] }
inputs.mask_video = { kinds = ["path"], count = [0, 1] }
seed = { strength = "exact", range = [0, 4294967295] }
job = { poll_min_s = 1.0, idempotency = "external_id_lookup" }
price = { per_second_micros = 240000, as_of = "2026-11-22" }
[model.controls]
size = { multiple = 2, max = [1280, 720] }
count = { step = 4, offset = 1 }
kinds = { beauty = { field = "source_video" }, matte = { white = "change", field = "mask_video" } }
evidence = { size = "ours", count = "ours", kinds = "ours" }
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as Style and Validate left it, for all tests."""
    return tmp_path_factory.mktemp("kept") / "project"


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: Path) -> bpy.types.Scene:
    """A ball that rolls, drawn by the remote rehearsal with seed 1, which alone has a bad day: 9 to 16 are smeared."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    fresh = steps.Stage("truth", "", truth_stage.STAGE.run, lambda scene, shot: steps.StageState("fresh", ""))
    monkeypatch.setattr(truth_stage, "STAGE", fresh)
    told = {**encoders.encoders(), "ffmpeg": []}
    monkeypatch.setattr(clips, "encoders", lambda: told)
    monkeypatch.setattr(encoders, "encoders", lambda: told)
    scene = bpy.context.scene
    scene.holdfast.style.provider, scene.holdfast.style.seed = MODEL, 1
    scene.holdfast.repair.handles, scene.holdfast.repair.budget = 2, 1.0
    if kept.exists():
        shutil.copytree(kept, locate.project().root)
        return scene
    write_truth(locate.shot_of(scene).truth, FRAMES)
    own = locate.project().root / "catalogue"
    own.mkdir(parents=True)
    (own / "rehearsal.toml").write_text(
        '[[service]]\nid = "rehearsal_remote"\nlabel = "Rehearsal"\nbase = "http://127.0.0.1"\n'
        'settings = { seconds = 0.01, bad_day = "smeared", bad_seed = 1 }\n' + PRICED
    )
    run(style.STAGE, scene)
    report = run(validate.STAGE, scene)
    assert report.data["verdict"] == "fail", report.data["summary"]
    repair.make_plan(scene, locate.shot_of(scene))
    shutil.copytree(locate.project().root, kept)
    return scene


def run(stage: steps.Stage, scene: bpy.types.Scene, **options: object):
    return drive.run_blocking(
        stage.run(scene, locate.shot_of(scene), steps.StageOptions(**options)), Context()
    )


def jobs() -> list:
    return JobStore(locate.project().root).jobs()


def drawn_again(scene: bpy.types.Scene) -> list:
    """All that the plan for the first take does is to draw the smeared frames again, in one piece."""
    shot, wanted = locate.shot_of(scene), {"kind": "rerun_span", "frames": (8, 17), "enabled": True}
    count = len(repair_edit.load_plan(shot, "t001").data["actions"])
    return [repair_edit.change(scene, shot, "t001", index, **wanted) for index in range(count)]


def test_style_fails_and_the_span_drawn_again_passes(scene, monkeypatch):
    shot = locate.shot_of(scene)
    for action in drawn_again(scene):
        assert (
            action.settings["provider"] == MODEL and (action.cost_micros or 0) % 40_000 == 10_000
        )  # 4n+1 frames

    scene.holdfast.jobs.cap_request = 0.10
    with pytest.raises(Refused, match="over the cap"):
        run(repair.STAGE, scene)
    assert [job.purpose for job in jobs()] == ["take"], "over a cap nothing is prepared"
    scene.holdfast.jobs.cap_request = 5.0
    with monkeypatch.context() as dying:  # after the result has come and before it is used
        dying.setattr(rerun_remote, "APPLY", "no.such:task")
        with pytest.raises(Exception, match="no"):
            run(repair.STAGE, scene)
    newest = jobs()[0]
    assert (newest.purpose, newest.step) == ("span", Step.READY)
    best = run(repair.STAGE, scene)
    assert best.data["take"] == "t002" and repair.STAGE.state(scene, shot).status == "fresh"
    assert [job.purpose for job in jobs()] == ["span", "take"], "the result that was paid for is used"
    assert jobs()[0].price == 170_000, "14 frames with handles are a clip of 17"
    assert best.data["cost_micros"] == 0, "what the service told in the end"
    made = span_takes.Manifest.load(shot.takes / "t002/spans/0008-0017/take.json", "holdfast/take")
    assert made.data["frames"] == list(range(6, 20)) and made.data["model"] == "flat-drawing-1"
    request = JobStore(locate.project().root).request(jobs()[0].id)
    assert [each["role"] for each in request["inputs"]] == ["source_video", "mask_video"]
    assert Path(request["inputs"][0]["path"]).name == "take.mp4", "with the take around what is repainted"


def test_who_can_draw_again_and_what_it_costs(scene):
    with pytest.raises(UsageError, match="can't draw"):
        repair_edit.change(scene, locate.shot_of(scene), "t001", 0, provider="fal/fal-ai/sam2/video")
    take = span_takes.Manifest("holdfast/take", {}, {}, {"provider": "import", "model": "film.mp4"})
    assert rerun_remote.own(take) == "import" and not rerun_remote.can_draw("import")
    assert rerun_remote.expected_price("rehearsal", 12) == 0
    assert rerun_remote.expected_price("import", 12) is None
    assert rerun_remote.expected_price(MODEL, 12) == 130_000
    kling = {"provider": "kling", "model": "kling-3.0-omni"}
    cheap, usual = (
        rerun_remote.pricer(span_takes.Manifest("holdfast/take", {"options": told}, {}, kling))
        for told in ({"resolution": "720p"}, {})
    )
    dear, less = (price("kling/kling-3.0-omni", 100, (24, 1)) for price in (usual, cheap))
    assert dear and less == pytest.approx(0.75 * dear, abs=1), "the options of the take are in the price"
    with pytest.raises(UsageError, match="its own takes"):
        repair_edit.change(scene, locate.shot_of(scene), "t001", 0, provider="rehearsal")
    assert repair_line.WORKERS.keys() == {"rehearsal"}
