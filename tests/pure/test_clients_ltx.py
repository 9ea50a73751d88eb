# SPDX-License-Identifier: GPL-3.0-or-later
"""LTX's contract: retake, extend and the rest; a service that is busy says how long; jobs are gone after a day."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.ltx import LtxServer, refusal
from tests.loopback.media import mp4, zipped
from tests.loopback.server import Answer, Fault

MODEL = "ltx-2-3-pro"
CLIP = MediaRef("https", "https://example.org/clip.mp4", "source_video")


def _ref(role: str) -> MediaRef:
    return MediaRef("https", f"https://example.org/{role}", role)


@pytest.fixture
def server() -> Iterator[LtxServer]:
    with LtxServer() as running:
        yield running


@pytest.fixture
def ltx(server: LtxServer, tmp_path: Path) -> Adapter:
    return adapter_for("ltx", MODEL, server, tmp_path / "spool")


def test_a_span_is_drawn_again(ltx: Adapter, server: LtxServer, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    ref = ltx.put(clip, "source_video")
    assert server.store[ref.value] == mp4() and ref.expires_at is not None
    handle = ltx.submit(job_of("ltx", MODEL, ref, start=1, seconds=3))
    assert server.of("POST", "/v2/retake")[0].json == {
        "video_uri": ref.value, "prompt": "ink drawing", "start_time": 1, "duration": 3, "mode": "replace_video"
    }  # fmt: skip
    assert [ltx.poll(handle).state for _ in range(2)] == [State.QUEUED, State.RUNNING]
    done = ltx.poll(handle)
    assert ltx.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()
    assert ltx.cancel(handle) is CancelOutcome.UNSUPPORTED
    with pytest.raises(ProviderRejected, match="span"):
        ltx.submit(job_of("ltx", MODEL, ref))


@pytest.mark.parametrize(
    ("roles", "options", "end"),
    [
        ((), {"camera": "dolly_in"}, "text-to-video"),
        (("first",), {}, "image-to-video"),
        (("first", "last"), {"audio": True}, "image-to-video"),
        (("audio",), {}, "audio-to-video"),
        (("source_video",), {"task": "extend", "side": "start"}, "extend"),
    ],
)
def test_what_is_given_says_the_address(
    ltx: Adapter, server: LtxServer, roles: tuple, options: dict, end: str
) -> None:
    job = job_of("ltx", MODEL, *map(_ref, roles), seconds=6, resolution="1920x1080", fps=24, **options)
    assert until_done(ltx, ltx.submit(job)).state is State.SUCCEEDED
    body = server.log[0].json
    assert server.log[0].path == f"/v2/{end}" and body["model"] == MODEL
    assert (
        body["mode"] == "start" if end == "extend" else body["generate_audio"] is options.get("audio", False)
    )


def test_hdr_gives_a_zip_of_frames(ltx: Adapter, server: LtxServer, tmp_path: Path) -> None:
    handle = ltx.submit(job_of("ltx", MODEL, CLIP, task="hdr"))
    assert server.log[0].json == {"video_uri": CLIP.value}
    done = until_done(ltx, handle)
    assert ltx.fetch(done.outputs[0], tmp_path)[0].path.read_bytes() == zipped()


def test_what_does_not_go_together(ltx: Adapter, server: LtxServer) -> None:
    with pytest.raises(ProviderRejected, match="needs a clip"):
        ltx.submit(job_of("ltx", MODEL, task="extend"))
    with pytest.raises(ProviderRejected, match="only with a first"):
        ltx.submit(job_of("ltx", MODEL, _ref("last")))
    with pytest.raises(Refused):
        ltx.find(job_of("ltx", MODEL), 0.0)
    assert not server.log


def test_a_third_job_is_told_when_to_come_again(ltx: Adapter, server: LtxServer) -> None:
    server.script = ["processing"]
    job = job_of("ltx", MODEL, CLIP, seconds=3)
    for _ in range(2):
        ltx.submit(job)
    with pytest.raises(ProviderBusy, match="again after 12 s"):
        ltx.submit(job)
    assert len(server.of("POST")) == 3 and len(server.jobs) == 2


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusal(401, "authentication_error"), ProviderRejected, "key"),
        (refusal(402, "billing"), ProviderRejected, "payment"),
        (refusal(400, "invalid_request_error", "bad fps"), ProviderRejected, "bad fps"),
        (refusal(422, "unprocessable", "too short"), ProviderRejected, "too short"),
        (refusal(429, "rate_limit_error", wait=3), ProviderBusy, "slow down"),
        (refusal(503, "api_error"), Uncertain, "error of its own"),
    ],
)
def test_a_refused_create_is_sent_once(
    ltx: Adapter, server: LtxServer, answer: Answer, error: type, words: str
) -> None:
    server.faults.append(Fault(answer=answer))
    with pytest.raises(error, match=words):
        ltx.submit(job_of("ltx", MODEL, CLIP, seconds=3))
    assert len(server.log) == 1


def test_refused_content_and_failed_jobs(ltx: Adapter, server: LtxServer) -> None:
    with pytest.raises(ProviderRejected, match="refused the content"):
        ltx.submit(job_of("ltx", MODEL, CLIP, seconds=3, prompt="forbidden"))
    server.script = ["failed"]
    failure = until_done(ltx, ltx.submit(job_of("ltx", MODEL, CLIP, seconds=3))).failure
    assert failure is not None and failure.kind is FailureKind.PROVIDER_INTERNAL
    server.error = {"type": "content_filtered", "message": "policy"}
    failure = until_done(ltx, ltx.submit(job_of("ltx", MODEL, CLIP, seconds=3))).failure
    assert failure is not None and failure.kind is FailureKind.MODERATED


def test_uploads_that_fail_and_a_wrong_key(ltx: Adapter, server: LtxServer, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    server.faults.append(Fault(on=("PUT", "bucket"), answer=Answer(403)))
    with pytest.raises(ProviderBusy, match="403"):
        ltx.put(clip, "first")
    server.faults.append(Fault(on=("POST", "upload"), answer=Answer(200, {})))
    with pytest.raises(ProviderBusy, match="no place"):
        ltx.put(clip, "first")
    other = adapter_for("ltx", MODEL, server, tmp_path, keys={"HOLDFAST_LTX_KEY": "wrong"})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        other.put(clip, "first")


def test_jobs_are_gone_after_a_day(ltx: Adapter, server: LtxServer, tmp_path: Path) -> None:
    server.script = ["warming", "completed"]
    handle = ltx.submit(job_of("ltx", MODEL, CLIP, seconds=3))
    assert ltx.poll(handle).state is State.UNKNOWN
    done = ltx.poll(handle)
    server.faults.append(Fault(on=("GET", "/files/"), answer=Answer(403)))
    with pytest.raises(ProviderRejected, match="no longer"):
        ltx.fetch(done.outputs[0], tmp_path)
    server.jobs.clear()
    assert ltx.poll(handle).state is State.UNKNOWN
    assert ltx.poll(aged(handle, 90000)).state is State.EXPIRED
