# SPDX-License-Identifier: GPL-3.0-or-later
"""Runway against a server that speaks its contract: the cycle, both meanings of DELETE, and every documented refusal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.clients.descriptor import read_catalogue
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, model_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.runway import RunwayServer
from tests.loopback.server import Answer, Fault


@pytest.fixture
def server() -> Iterator[RunwayServer]:
    with RunwayServer() as made:
        yield made


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(mp4())
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "key.png"
    path.write_bytes(png(320, 180) + b"\0" * 512)
    return path


def _link(role: str = "source_video", link: str = "https://studio.example/a.mp4") -> MediaRef:
    return MediaRef("https", link, role)


def test_the_cycle_with_an_upload(server: RunwayServer, clip: Path, picture: Path, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    film, key = runway.put(clip, "source_video"), runway.put(picture, "keyframe")
    assert film.kind == "vendor_uri" and server.uploads[film.value] == mp4() and film.expires_at
    job = job_of(
        "runway", "aleph2", film, key, seed=7, keyframes_at=[0.25], keyframes_span=[[0, 2]], ratio="16:9"
    )
    handle = runway.submit(job)
    assert handle.raw["estimate_micros"] == 1_400_000
    assert server.of("POST", "video_to_video")[0].json == {
        "model": "aleph2", "videoUri": film.value, "promptText": "ink drawing", "seed": 7, "targetAspectRatio": "16:9",
        "keyframes": [{"seconds": 0.25, "uri": key.value, "range": {"start_seconds": 0, "end_seconds": 2}}],
    }  # fmt: skip
    states = [runway.poll(handle) for _ in range(4)]
    assert [one.state for one in states] == [State.QUEUED, State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert states[2].progress == 0.42 and states[3].cost_micros == 1_400_000
    (got,) = runway.fetch(states[3].outputs[0], tmp_path / "out")
    assert got.path.name == "00.mp4" and got.path.read_bytes() == mp4()
    assert "authorization" not in server.of("GET", "/files/")[0].headers


@pytest.mark.parametrize(
    "model, inputs, options, path, body",
    [
        ("gen4.5", (), {"seconds": 8}, "text_to_video", {"promptText": "ink drawing", "ratio": "1280:720", "duration": 8}),
        ("gen4.5", (_link("first"),), {"ratio": "960:960"}, "image_to_video",
         {"promptText": "ink drawing", "promptImage": _link().value, "ratio": "960:960", "duration": 5}),
        ("gen4_image", (_link("reference"), _link("reference")), {"tags": ["lantern"]}, "text_to_image",
         {"promptText": "ink drawing", "ratio": "1920:1080", "referenceImages": [
             {"uri": _link().value, "tag": "lantern"}, {"uri": _link().value, "tag": "picture2"}]}),
        ("act_two", (_link("picture"), _link("reference_video")), {"body": True, "intensity": 4}, "character_performance",
         {"character": {"type": "image", "uri": _link().value}, "reference": {"type": "video", "uri": _link().value},
          "bodyControl": True, "expressionIntensity": 4}),
        ("act_two", (_link(), _link("reference_video")), {}, "character_performance",
         {"character": {"type": "video", "uri": _link().value}, "reference": {"type": "video", "uri": _link().value}}),
        ("magnific_video_upscaler_creative", (_link(),), {"resolution": "4k", "grain": 5}, "video_upscale",
         {"videoUri": _link().value, "resolution": "4k", "smartGrain": 5}),
        ("enhance_frame_rate", (_link(),), {"fps": "48"}, "video_upscale",
         {"videoUri": _link().value, "targetFramerate": "48"}),
    ],
)  # fmt: skip
def test_what_each_model_is_sent(
    server: RunwayServer, tmp_path: Path, model: str, inputs: tuple[MediaRef, ...],
    options: dict[str, Any], path: str, body: dict[str, Any],
) -> None:  # fmt: skip
    runway = adapter_for("runway", model, server, tmp_path)
    done = until_done(runway, runway.submit(job_of("runway", model, *inputs, **options)))
    (sent,) = server.of("POST")
    assert sent.path == f"/v1/{path}" and sent.json == {"model": model, **body}
    assert runway.fetch(done.outputs[0], tmp_path / "out")


def test_a_picture_sequence_comes_as_zip(server: RunwayServer, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    done = until_done(runway, runway.submit(job_of("runway", "aleph2", _link(), format="png_sequence")))
    assert runway.fetch(done.outputs[0], tmp_path)[0].path.suffix == ".zip"


def test_cancel_stops_what_is_at_work_and_never_deletes_a_result(
    server: RunwayServer, tmp_path: Path
) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", _link()))
    assert runway.cancel(handle) is CancelOutcome.REQUESTED
    assert (runway.poll(handle).state, runway.poll(handle).cost_micros) == (State.CANCELLED, 0)
    done = runway.submit(job_of("runway", "aleph2", _link()))
    output = until_done(runway, done).outputs[0]
    deletes = len(server.of("DELETE"))
    assert runway.cancel(done) is CancelOutcome.TOO_LATE and len(server.of("DELETE")) == deletes
    assert runway.fetch(output, tmp_path / "out")


def test_a_delete_without_an_answer_is_not_repeated_blindly(server: RunwayServer, tmp_path: Path) -> None:
    """It could come after the end and destroy the result: it is asked how the task is before another one."""
    server.script = ["RUNNING", "RUNNING", "SUCCEEDED"]
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", _link()))
    for fault in (Fault(("DELETE", ""), drop="before"), Fault(("DELETE", ""), 1, Answer(503))):
        server.faults = [fault]
        with pytest.raises(ProviderBusy, match="did not say whether it stops"):
            runway.cancel(handle)
    assert len(server.of("DELETE")) == 2
    assert runway.cancel(handle) is CancelOutcome.TOO_LATE and len(server.of("DELETE")) == 2
    assert runway.fetch(runway.poll(handle).outputs[0], tmp_path / "out")


def test_the_other_meaning_of_delete(server: RunwayServer, tmp_path: Path) -> None:
    """The server destroys what has ended: what ``cancel`` must not come to."""
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", _link()))
    output = until_done(runway, handle).outputs[0]
    assert runway.wire.ask(runway.stop(handle)).status == 204  # type: ignore[arg-type]
    with pytest.raises(ProviderRejected, match="no longer at Runway"):
        runway.fetch(output, tmp_path / "out")
    assert runway.poll(aged(handle, 600)).state is State.EXPIRED


def test_a_cancelled_running_task_is_billed(server: RunwayServer, tmp_path: Path) -> None:
    server.script = ["RUNNING", "RUNNING", "SUCCEEDED"]
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", _link()))
    assert runway.poll(handle).state is State.RUNNING
    assert runway.cancel(handle) is CancelOutcome.REQUESTED
    assert runway.poll(handle).cost_micros == 1_400_000


@pytest.mark.parametrize(
    "code, kind, billed",
    [
        ("SAFETY.INPUT.TEXT", FailureKind.MODERATED, True),
        ("SAFETY.OUTPUT.VIDEO", FailureKind.MODERATED, True),
        ("INPUT_PREPROCESSING.SAFETY.TEXT", FailureKind.MODERATED, True),
        ("ASSET.INVALID", FailureKind.MEDIA_REJECTED, True),
        ("INTERNAL.BAD_OUTPUT.CODE01", FailureKind.PROVIDER_INTERNAL, True),
        ("THIRD_PARTY.UNAVAILABLE", FailureKind.PROVIDER_INTERNAL, True),
    ],
)
def test_failed_tasks(
    server: RunwayServer, tmp_path: Path, code: str, kind: FailureKind, billed: bool
) -> None:
    server.script, server.ending = ["RUNNING", "FAILED"], {"failure": "It did not work.", "failureCode": code}
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    failed = until_done(runway, runway.submit(job_of("runway", "aleph2", _link())))
    assert failed.state is State.FAILED and failed.failure is not None
    assert (failed.failure.kind, failed.failure.billed) == (kind, billed) and code in failed.failure.says


def test_refused_creates(server: RunwayServer, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    with pytest.raises(ProviderRejected, match="Validation of body failed"):
        runway.submit(job_of("runway", "aleph2", MediaRef("vendor_uri", "runway://unknown", "source_video")))
    server.balance = 0
    with pytest.raises(ProviderRejected, match=r"asks for credits.*balance"):
        runway.submit(job_of("runway", "aleph2", _link()))
    server.balance, server.daily = 1000, 0
    with pytest.raises(ProviderBusy, match="daily task limit"):
        runway.submit(job_of("runway", "aleph2", _link()))
    stranger = adapter_for("runway", "aleph2", server, tmp_path, keys={"RUNWAYML_API_SECRET": "wrong-key"})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        stranger.submit(job_of("runway", "aleph2", _link()))
    old = adapter_for("runway", "aleph2", server, tmp_path, settings={"version": "2023-01-01"})
    with pytest.raises(ProviderRejected, match="X-Runway-Version"):
        old.submit(job_of("runway", "aleph2", _link()))
    assert not server.tasks


def test_refused_before_anything_is_sent(server: RunwayServer, tmp_path: Path) -> None:
    bad = [
        ("aleph2", job_of("runway", "aleph2", _link(), prompt="\N{PERFORMING ARTS}" * 501)),
        (
            "aleph2",
            job_of("runway", "aleph2", _link(), _link("keyframe"), _link("keyframe"), keyframes_at=[0.0]),
        ),
        ("aleph2", job_of("runway", "aleph2", _link(), seed=-1)),
        ("gen4.5", job_of("runway", "gen4.5", ratio="960:960")),
        ("gen4.5", job_of("runway", "gen4.5", seconds=11)),
        ("act_two", job_of("runway", "act_two", _link("reference_video"))),
    ]
    for model, job in bad:
        with pytest.raises(ProviderRejected):
            adapter_for("runway", model, server, tmp_path).submit(job)
    big = tmp_path / "big.mp4"
    with big.open("wb") as stream:
        stream.truncate((200 << 20) + 1)
    with pytest.raises(InputError, match="200 MB"):
        adapter_for("runway", "aleph2", server, tmp_path).put(big, "source_video")
    assert not server.log


def test_an_answer_that_never_came(server: RunwayServer, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    server.faults = [Fault(("POST", "video_to_video"), drop="after")]
    job = job_of("runway", "aleph2", _link())
    with pytest.raises(Uncertain):
        runway.submit(job)
    assert len(server.tasks) == 1
    with pytest.raises(Refused, match="can't be asked"):
        runway.find(job, 0.0)


def test_bad_days_while_it_is_polled(server: RunwayServer, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", _link()))
    server.faults = [Fault(("GET", "tasks"), 2, Answer(503)), Fault(("GET", "tasks"), 1, drop="before")]
    assert runway.poll(handle).state is State.QUEUED
    server.faults = [Fault(("GET", "tasks"), 1, Answer(200, {"status": "DREAMING"}))]
    assert runway.poll(handle).state is State.UNKNOWN
    server.faults = [Fault(("GET", "tasks"), 1, Answer(200, {"status": "SUCCEEDED", "output": []}))]
    assert runway.poll(handle).state is State.FAILED
    server.forget(handle.job_id)
    assert runway.poll(handle).state is State.UNKNOWN
    assert runway.poll(aged(handle, 600)).state is State.EXPIRED
    assert runway.cancel(handle) is CancelOutcome.TOO_LATE


def test_expired_links_are_renewed_by_another_poll(server: RunwayServer, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", _link()))
    output = until_done(runway, handle).outputs[0]
    server.expired = 4
    with pytest.raises(ProviderRejected, match="expired"):
        runway.fetch(output, tmp_path / "out")
    server.tasks[handle.job_id]["polls"] = 5
    assert runway.fetch(runway.poll(handle).outputs[0], tmp_path / "out")


def test_uploads_that_fail(server: RunwayServer, clip: Path, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    server.faults = [Fault(("POST", "/storage"), 1, Answer(403))]
    with pytest.raises(ProviderRejected, match="storage refused"):
        runway.put(clip, "source_video")
    server.faults = [Fault(("POST", "/v1/uploads"), 1, Answer(200, {"uploadUrl": 5}))]
    with pytest.raises(ProviderRejected, match="where to put"):
        runway.put(clip, "source_video")
    small = tmp_path / "small.png"
    small.write_bytes(png(8, 8))
    assert runway.put(small, "keyframe").kind == "data_uri"


def test_prices() -> None:
    aleph, picture = model_of("runway", "aleph2").price, model_of("runway", "gen4_image").price
    assert (aleph.estimate_micros(1.0), aleph.estimate_micros(5.0)) == (560_000, 1_400_000)
    assert aleph.estimate_micros(5.0, options={"format": "prores"}) == 1_650_000
    assert picture.estimate_micros(0, 1, 0, {"ratio": "1280:720"}) == 50_000
    assert read_catalogue().services["runway"].keys[0] == "HOLDFAST_RUNWAY_KEY"
