# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw Again by a paid model, against a service on this machine that counts its bills: one for a span, whatever dies."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import bpy
import pytest
from holdfast.finishing.rerun import Rerun
from holdfast.operators import clips, drive, encoders, locate, rerun_remote, steps
from holdfast.operators import truth as truth_stage
from holdfast.pipeline import secret
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Refused
from holdfast.pipeline.jobs import JobStore
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.take import SCHEMA, TakeFolder

from tests.loopback.runway import RunwayServer

pytestmark = pytest.mark.sweep

spec = importlib.util.spec_from_file_location(
    "clip_truth", Path(__file__).parents[1] / "pure" / "clip_truth.py"
)
analytic = importlib.util.module_from_spec(spec)
spec.loader.exec_module(analytic)
MODEL = "runway/aleph2"


@pytest.fixture
def runway():
    with RunwayServer() as server:
        server.script, server.expired = ["SUCCEEDED"], -1
        yield server


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runway: RunwayServer) -> bpy.types.Scene:
    """A shot of twelve frames whose take was made by Runway, which is on this machine."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    fresh = steps.Stage("truth", "", truth_stage.STAGE.run, lambda scene, shot: steps.StageState("fresh", ""))
    monkeypatch.setattr(truth_stage, "STAGE", fresh)
    monkeypatch.setattr(clips, "encoders", lambda: {**encoders.encoders(), "ffmpeg": []})
    scene = bpy.context.scene
    shot = locate.shot_of(scene)
    analytic.write(shot.truth, [analytic.View((0.002 * i, 0, 0)) for i in range(12)], fps=(24, 1))
    own = locate.project().root / "catalogue"
    own.mkdir(parents=True)
    (own / "runway.toml").write_text(
        f'[[service]]\nid = "runway"\nlabel = "Runway"\nbase = "{runway.url}"\nkeys = ["HOLDFAST_RUNWAY_KEY"]\n'
        'settings = { version = "2024-11-06", credit_micros = 10000 }\n'
    )
    secret.hold("HOLDFAST_RUNWAY_KEY", runway.key)
    yield scene
    secret.hold("HOLDFAST_RUNWAY_KEY", "")


def parent() -> Manifest:
    data = {"take": "t001", "provider": "runway", "model": "aleph2", "size": list(analytic.SIZE), "seed": 7,
            "frames": list(range(1, 13)), "fps": [24, 1]}  # fmt: skip
    return Manifest(SCHEMA, {"prompt": "ink drawing", "provider": "runway", "model": "aleph2"}, {}, data)


def redraw(scene: bpy.types.Scene, seed: int = 8) -> dict:
    shot = locate.shot_of(scene)
    rerun = Rerun((5, 7), 1, ("box",), ("f01",), ("rubber",), MODEL, seed)
    record = rerun.record(shot.takes / "t002")
    drive.run_blocking(rerun_remote.redraw(scene, shot, parent(), [(rerun, record)], (0, 1)), Context())
    return record


def test_one_bill_for_a_span_whatever_dies_on_the_way(scene, runway, monkeypatch):
    assert rerun_remote.own(parent()) == MODEL
    scene.holdfast.jobs.cap_request = 0.01
    with pytest.raises(Refused, match="over the cap"):
        redraw(scene)
    assert runway.log == [], "over a cap the network is not touched"
    scene.holdfast.jobs.cap_request = 5.0
    with monkeypatch.context() as dying:
        dying.setattr(rerun_remote, "APPLY", "no.such:task")
        with pytest.raises(Exception, match="no"):
            redraw(scene)
    record = redraw(scene)
    assert len(runway.of("POST", "/v1/video_to_video")) == 1
    body = runway.of("POST", "/v1/video_to_video")[0].json
    assert body["promptText"] == "ink drawing" and body["seed"] == 8
    (job,) = JobStore(locate.project().root).jobs()
    assert (job.purpose, record["job"], record["cost_micros"]) == ("span", job.id, job.counts)
    assert record["cost_micros"] > 0
    span = TakeFolder.open(Path(record["folder"]))
    assert set(span.frames) <= set(range(4, 9)) and span.size == analytic.SIZE
    redraw(scene, seed=9)
    assert len(runway.of("POST", "/v1/video_to_video")) == 2, "another seed is another request"
