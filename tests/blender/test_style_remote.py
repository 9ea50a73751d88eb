# SPDX-License-Identifier: GPL-3.0-or-later
"""Style by a remote model: consent, price, one bill, the take at the shot's size; against a service on this machine."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import bpy
import pytest
from holdfast.operators import clips, drive, encoders, locate, steps, style, style_remote
from holdfast.operators import truth as truth_stage
from holdfast.pipeline import consent, secret
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import ProviderRejected, Refused, UsageError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.ledger import Ledger
from holdfast.pipeline.take import TakeFolder

from tests.loopback.runway import RunwayServer

spec = importlib.util.spec_from_file_location(
    "clip_truth", Path(__file__).parents[1] / "pure" / "clip_truth.py"
)
analytic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(analytic)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Where the control clips of the first test are kept for the others: the package is the same."""
    return tmp_path_factory.mktemp("kept") / "controls"


@pytest.fixture
def runway():
    with RunwayServer() as server:
        server.script, server.expired = (
            ["SUCCEEDED"],
            -1,
        )  # done, and its link good, when it is first asked for
        yield server


@pytest.fixture
def scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runway: RunwayServer, kept: Path
) -> bpy.types.Scene:
    """A saved scene with an analytic package, whose project knows Runway at the loopback address."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    fresh = steps.Stage("truth", "", truth_stage.STAGE.run, lambda scene, shot: steps.StageState("fresh", ""))
    monkeypatch.setattr(truth_stage, "STAGE", fresh)
    monkeypatch.setattr(clips, "encoders", lambda: {**encoders.encoders(), "ffmpeg": []})
    scene = bpy.context.scene
    analytic.write(
        locate.shot_of(scene).truth, [analytic.View((0.02 * i, 0, 0.03 * i)) for i in range(3)], fps=(24, 1)
    )
    own = locate.project().root / "catalogue"
    own.mkdir(parents=True)
    (own / "runway.toml").write_text(
        f'[[service]]\nid = "runway"\nlabel = "Runway"\nbase = "{runway.url}"\nkeys = ["HOLDFAST_RUNWAY_KEY"]\n'
        'settings = { version = "2024-11-06", credit_micros = 10000 }\n'
    )
    scene.holdfast.style.provider = "runway/aleph2"
    scene.holdfast.style.prompt = "ink drawing"
    secret.hold("HOLDFAST_RUNWAY_KEY", runway.key)
    controls = locate.shot_of(scene).controls
    if kept.exists():
        shutil.copytree(kept, controls)
    yield scene
    if controls.exists() and not kept.exists():
        shutil.copytree(controls, kept)
    secret.hold("HOLDFAST_RUNWAY_KEY", "")


def restyle(scene: bpy.types.Scene, **options: object):
    return drive.run_blocking(
        style.STAGE.run(scene, locate.shot_of(scene), steps.StageOptions(**options)), Context()
    )


def creates(runway: RunwayServer) -> int:
    return len(runway.of("POST", "/v1/video_to_video"))


def test_a_take_is_made_once_and_found_again(scene, runway):
    made = restyle(scene)
    shot = locate.shot_of(scene)
    take = TakeFolder.open(shot.takes / made.data["take"])
    assert (take.manifest.data["provider"], take.manifest.data["model"]) == ("runway", "aleph2")
    assert take.manifest.data["cost_micros"] == 1_400_000
    assert style.STAGE.state(scene, shot).status in ("fresh", "partial")
    (job,) = JobStore(locate.project().root).jobs()
    assert (job.step, job.shot, job.counts) == (Step.APPLIED, shot.name, 1_400_000)
    restyle(scene)
    assert creates(runway) == 1, "the same request is not billed again"
    body = runway.of("POST", "/v1/video_to_video")[0].json
    assert body["promptText"] == "ink drawing" and body["videoUri"].startswith("runway://")


def test_a_result_that_waits_is_applied_without_a_new_bill(scene, runway):
    restyle(scene)
    shot = locate.shot_of(scene)
    shutil.rmtree(shot.takes / "t001")
    restyle(scene)
    assert creates(runway) == 1 and (shot.takes / "t001/take.json").exists()


def test_over_the_cap_nothing_is_sent(scene, runway):
    scene.holdfast.jobs.cap_request = 0.10
    with pytest.raises(Refused, match="over the cap"):
        restyle(scene)
    assert runway.log == [] and JobStore(locate.project().root).jobs() == []


def test_what_the_service_refuses_is_a_sentence_and_costs_nothing(scene, runway):
    secret.hold("HOLDFAST_RUNWAY_KEY", "another key")
    with pytest.raises(ProviderRejected, match="key"):
        restyle(scene)
    (job,) = JobStore(locate.project().root).jobs()
    assert (job.step, job.counts) == (Step.FAILED, 0)
    assert "another key" not in job.says


def test_a_host_beyond_this_machine_needs_consent_and_online_access(scene, runway):
    own = locate.project().root / "catalogue/runway.toml"
    own.unlink()
    with pytest.raises(Refused, match=r"offline|agreed"):
        restyle(scene)
    store, model = JobStore(locate.project().root), style_remote.chosen("runway/aleph2")
    consent.agree(Ledger(locate.project().ledger), "runway", ["api.dev.runwayml.com"], "what was shown")
    if bpy.app.online_access:
        style_remote.check_allowed(store, model)
    else:
        with pytest.raises(Refused, match="offline"):
            style_remote.check_allowed(store, model)
    assert runway.log == []


def test_an_unknown_provider_is_a_sentence(scene):
    scene.holdfast.style.provider = "midjourney/v9"
    with pytest.raises(UsageError, match="midjourney"):
        restyle(scene)


def test_the_button_says_what_it_costs(scene):
    from holdfast.panels.style import HOLDFAST_PT_style

    scene.frame_start, scene.frame_end = 1, 96
    assert HOLDFAST_PT_style.words_of_button(HOLDFAST_PT_style, bpy.context)[0] == "Restyle for $1.12"


def test_the_rehearsal_as_a_remote_service_needs_nobody(scene, runway):
    own = locate.project().root / "catalogue/rehearsal.toml"
    own.write_text(
        '[[service]]\nid = "rehearsal_remote"\nlabel = "Rehearsal, as if remote"\nbase = "http://127.0.0.1"\n'
        'settings = { seconds = 0.1, bad_day = "no_answer" }\n'
    )
    scene.holdfast.style.provider = "rehearsal_remote/flat-drawing-1"
    made = restyle(scene)
    assert (made.data["provider"], made.data["cost_micros"]) == ("rehearsal_remote", 0)
    take = TakeFolder.open(locate.shot_of(scene).takes / made.data["take"])
    assert take.size == tuple(scene_size(scene)) and runway.log == []


def scene_size(scene: bpy.types.Scene) -> list[int]:
    from holdfast.pipeline.truth import GroundTruth

    return list(GroundTruth.open(locate.shot_of(scene).truth).size)
