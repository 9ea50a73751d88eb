# SPDX-License-Identifier: GPL-3.0-or-later
"""Ark's contract: the whole life of a Seedance task, and every documented way to fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.ark import ArkServer, refusal
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.server import Answer, Fault

MODEL = "dreamina-seedance-2-5-260628"
CLIP = MediaRef("https", "https://example.org/clip.mp4", "source_video")


@pytest.fixture
def server() -> Iterator[ArkServer]:
    with ArkServer() as running:
        yield running


@pytest.fixture
def ark(server: ArkServer, tmp_path: Path) -> Adapter:
    return adapter_for("ark", MODEL, server, tmp_path / "spool", base=server.base)


def test_edit_of_a_clip_to_a_file(ark: Adapter, server: ArkServer, tmp_path: Path) -> None:
    handle = ark.submit(job_of("ark", MODEL, CLIP, audio=False, resolution="720p"))
    assert server.log[0].json == {
        "model": MODEL, "watermark": False, "generate_audio": False, "resolution": "720p", "ratio": "adaptive",
        "duration": -1, "omni_reference_task_type": "video_editing",
        "safety_identifier": "0b6f5a1e-3c1d-4a8e-9f20-5d1c2b3a4e5f",
        "content": [{"type": "text", "text": "ink drawing"},
                    {"type": "video_url", "video_url": {"url": CLIP.value}, "role": "reference_video"}],
    }  # fmt: skip
    assert [ark.poll(handle).state for _ in range(2)] == [State.QUEUED, State.RUNNING]
    done = ark.poll(handle)
    assert done.state is State.SUCCEEDED and done.raw["usage"]["completion_tokens"] == 108900
    fetched = ark.fetch(done.outputs[0], tmp_path)[0]
    assert fetched.path.name == "00.mp4" and fetched.path.read_bytes() == mp4()
    assert "authorization" not in server.of("GET", "/files/")[0].headers


def test_frames_seed_and_pictures_inside(server: ArkServer, tmp_path: Path) -> None:
    ark = adapter_for("ark", "seedance-1-5-pro-251215", server, tmp_path, base=server.base)
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    ark.submit(job_of("ark", ark.model.model, ark.put(picture, "first"), ark.put(picture, "last"), seed=7))
    body = server.log[0].json
    assert body["seed"] == 7 and [c.get("role") for c in body["content"]] == [
        None,
        "first_frame",
        "last_frame",
    ]
    assert body["content"][1]["image_url"]["url"].startswith("data:image/png;base64,")
    with pytest.raises(ProviderRejected, match="only with a first frame"):
        ark.submit(job_of("ark", ark.model.model, ark.put(picture, "last")))


def test_china_has_its_own_host_and_names(server: ArkServer, tmp_path: Path) -> None:
    ark = adapter_for("ark", MODEL, server, tmp_path, settings={"region": "cn-beijing"})
    assert ark.wire.base == "https://ark.cn-beijing.volces.com/api/v3"
    assert ark.create(job_of("ark", MODEL, CLIP)).json["model"] == "doubao-seedance-2-5-260628"


def test_a_lost_create_is_found_in_the_list(ark: Adapter, server: ArkServer) -> None:
    job = job_of("ark", MODEL, CLIP)
    assert ark.find(job, 0.0) is None
    server.faults.append(Fault(on=("POST", "tasks"), drop="after"))
    with pytest.raises(Uncertain):
        ark.submit(job)
    ark.submit(job_of("ark", MODEL, CLIP, own_id="another"))
    found = ark.find(job, 0.0)
    assert found is not None and found.job_id == "cgt-20261122-00000"
    assert len(server.of("POST")) == 2
    with pytest.raises(Refused):
        ark.find(job_of("ark", MODEL, CLIP, own_id=""), 0.0)


def test_cancel_stops_what_waits_and_destroys_nothing(ark: Adapter, server: ArkServer) -> None:
    server.script = ["queued"]
    handle = ark.submit(job_of("ark", MODEL, CLIP))
    assert ark.cancel(handle) is CancelOutcome.REQUESTED
    assert ark.poll(handle).state is State.CANCELLED
    for script in (["running"], ["succeeded"]):
        server.script = script
        handle = ark.submit(job_of("ark", MODEL, CLIP))
        assert ark.cancel(handle) is CancelOutcome.TOO_LATE
        assert handle.job_id in server.tasks
    server.script = ["queued", "running"]  # it begins between our look and our request
    assert ark.cancel(ark.submit(job_of("ark", MODEL, CLIP))) is CancelOutcome.TOO_LATE
    assert len(server.of("DELETE")) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("OutputVideoSensitiveContentDetected.PolicyViolation", FailureKind.MODERATED),
        ("InputTextRiskDetection", FailureKind.MODERATED),
        ("InternalServiceError", FailureKind.PROVIDER_INTERNAL),
        ("InvalidParameter.TaskTypeMismatch", FailureKind.INVALID_REQUEST),
        ("SomethingNew", FailureKind.INVALID_REQUEST),
    ],
)
def test_a_task_that_fails_says_why(ark: Adapter, server: ArkServer, code: str, kind: FailureKind) -> None:
    server.script, server.error = ["failed"], {"code": code, "message": "because"}
    failure = until_done(ark, ark.submit(job_of("ark", MODEL, CLIP))).failure
    assert failure is not None and failure.kind is kind and failure.billed is False
    assert "because" in failure.says and code in failure.says


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "AuthenticationError", ProviderRejected),
        (403, "AccountOverdueError", ProviderRejected),
        (404, "InvalidEndpointOrModel.NotFound", ProviderRejected),
        (400, "MissingParameter", ProviderRejected),
        (429, "ModelAccountRpmRateLimitExceeded", ProviderBusy),
        (429, "QuotaExceeded", ProviderBusy),
        (429, "ServerOverloaded", ProviderBusy),
        (500, "InternalServiceError", Uncertain),
    ],
)
def test_a_refused_create_is_sent_once(
    ark: Adapter, server: ArkServer, status: int, code: str, error: type
) -> None:
    server.faults.append(Fault(answer=refusal(status, code)))
    with pytest.raises(error):
        ark.submit(job_of("ark", MODEL, CLIP))
    assert len(server.log) == 1


def test_wrong_key_real_faces_and_mixed_inputs(ark: Adapter, server: ArkServer, tmp_path: Path) -> None:
    other = adapter_for("ark", MODEL, server, tmp_path, keys={"HOLDFAST_ARK_KEY": "wrong"}, base=server.base)
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        other.submit(job_of("ark", MODEL, CLIP))
    face = MediaRef("https", "https://example.org/real-person.png", "reference")
    with pytest.raises(ProviderRejected, match="real person"):
        ark.submit(job_of("ark", MODEL, CLIP, face))
    first = MediaRef("https", "https://example.org/a.png", "first")
    with pytest.raises(ProviderRejected, match="not both"):
        ark.submit(job_of("ark", MODEL, CLIP, first))
    with pytest.raises(ProviderRejected, match="sound"):
        ark.submit(job_of("ark", MODEL, MediaRef("https", "https://example.org/a.mp3", "audio")))
    with pytest.raises(Refused, match="can't be given a file"):
        ark.put(tmp_path / "clip.mp4", "source_video")


def test_vanished_records_expired_links_and_strange_words(
    ark: Adapter, server: ArkServer, tmp_path: Path
) -> None:
    server.script = ["dreaming", "expired", "succeeded"]
    handle = ark.submit(job_of("ark", MODEL, CLIP))
    assert [ark.poll(handle).state for _ in range(2)] == [State.UNKNOWN, State.EXPIRED]
    done = ark.poll(handle)
    server.faults.append(Fault(on=("GET", "/files/"), answer=Answer(403)))
    with pytest.raises(ProviderRejected, match="no longer"):
        ark.fetch(done.outputs[0], tmp_path)
    server.tasks.clear()
    assert ark.poll(handle).state is State.UNKNOWN
    assert ark.poll(aged(handle, 90000)).state is State.EXPIRED
    server.faults.append(Fault(times=9, answer=refusal(429, "RateLimitExceeded.EndpointRPMExceeded")))
    with pytest.raises(ProviderBusy):
        ark.poll(handle)
