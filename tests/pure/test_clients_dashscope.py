# SPDX-License-Identifier: GPL-3.0-or-later
"""DashScope's contract: Wan edits a clip from its own store, VACE repaints by control and mask, records vanish."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.dashscope import DashScopeServer, refusal
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.server import Answer, Fault

EDIT, VACE, WAN3 = "wan2.7-videoedit", "wan2.1-vace-plus", "wan3.0-video"
CLIP = MediaRef("https", "https://example.org/clip.mp4", "source_video")


def _ref(role: str, name: str = "x.mp4") -> MediaRef:
    return MediaRef("https", f"https://example.org/{name}", role)


@pytest.fixture
def server() -> Iterator[DashScopeServer]:
    with DashScopeServer() as running:
        yield running


@pytest.fixture
def wan(server: DashScopeServer, tmp_path: Path) -> Adapter:
    return adapter_for("dashscope", EDIT, server, tmp_path / "spool")


@pytest.fixture
def vace(server: DashScopeServer, tmp_path: Path) -> Adapter:
    return adapter_for("dashscope", VACE, server, tmp_path / "spool")


def test_a_clip_goes_up_is_edited_and_comes_back(
    wan: Adapter, server: DashScopeServer, tmp_path: Path
) -> None:
    clip = tmp_path / "my clip.mp4"
    clip.write_bytes(mp4())
    ref = wan.put(clip, "source_video")
    assert server.store[ref.value.removeprefix("oss://")] == mp4() and "my" not in ref.value
    assert ref.expires_at is not None and "authorization" not in server.of("POST", "/oss")[0].headers
    handle = wan.submit(
        job_of("dashscope", EDIT, ref, seed=1, resolution="720P", sound="origin", negative="blur")
    )
    sent = server.of("POST", "synthesis")[0]
    assert sent.headers["x-dashscope-ossresourceresolve"] == "enable"
    assert sent.json == {
        "model": EDIT,
        "input": {"prompt": "ink drawing", "negative_prompt": "blur", "media": [{"type": "video", "url": ref.value}]},
        "parameters": {"resolution": "720P", "audio_setting": "origin", "prompt_extend": False, "watermark": False, "seed": 1},
    }  # fmt: skip
    assert [wan.poll(handle).state for _ in range(2)] == [State.QUEUED, State.RUNNING]
    done = wan.poll(handle)
    assert done.state is State.SUCCEEDED and done.raw["usage"]["duration"] == 10
    assert wan.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()


@pytest.mark.parametrize(
    ("refs", "options", "function", "rest"),
    [
        ((CLIP,), {"control": "edge", "strength": 0.9}, "video_repainting", {"control_condition": "scribble", "strength": 0.9}),
        ((CLIP,), {}, "video_repainting", {"control_condition": "depth"}),
        ((CLIP, _ref("mask_video")), {"mask_type": "tracking"}, "video_edit", {"mask_type": "tracking"}),
        ((CLIP, _ref("mask")), {"expand": 0.1}, "video_edit", {"expand_ratio": 0.1}),
        ((_ref("first"),), {"control": "pose"}, "video_extension", {"control_condition": "posebodyface"}),
        ((_ref("reference"), _ref("reference")), {"size": "1280*720"}, "image_reference", {"size": "1280*720"}),
    ],
)  # fmt: skip
def test_what_is_given_says_the_function(
    vace: Adapter, server: DashScopeServer, refs: tuple, options: dict, function: str, rest: dict
) -> None:
    vace.submit(job_of("dashscope", VACE, *refs, **options))
    body = server.log[0].json
    assert body["input"]["function"] == function
    assert body["parameters"] == {"prompt_extend": False, "watermark": False, **rest}
    assert ("mask_frame_id" in body["input"]) == (refs[-1].role == "mask")


def test_what_does_not_go_together(vace: Adapter, server: DashScopeServer, tmp_path: Path) -> None:
    for refs in ([_ref("mask")], [CLIP, _ref("mask"), _ref("mask_video")]):
        with pytest.raises(ProviderRejected, match="one mask"):
            vace.submit(job_of("dashscope", VACE, *refs))
    with pytest.raises(ProviderRejected, match="one reference"):
        vace.submit(job_of("dashscope", VACE, CLIP, _ref("reference"), _ref("reference")))
    wan3 = adapter_for("dashscope", WAN3, server, tmp_path)
    with pytest.raises(ProviderRejected, match="not both"):
        wan3.submit(job_of("dashscope", WAN3, _ref("first"), _ref("reference")))
    with pytest.raises(ProviderRejected, match="only with a first"):
        wan3.submit(job_of("dashscope", WAN3, _ref("last")))
    assert not server.log
    wan3.submit(
        job_of("dashscope", WAN3, CLIP, _ref("control_video"), _ref("reference", "a.png"), seconds=-1)
    )
    types = [media["type"] for media in server.log[0].json["input"]["media"]]
    assert types == ["reference_image", "reference_video", "reference_video"]


def test_hosts_of_a_workspace_and_small_pictures(server: DashScopeServer, tmp_path: Path) -> None:
    told = {"workspace": "ws-1", "region": "eu-central-1"}
    there = adapter_for("dashscope", EDIT, server, tmp_path, settings=told)
    assert there.wire.base == "https://ws-1.eu-central-1.maas.aliyuncs.com"
    (tmp_path / "a.png").write_bytes(png())
    assert there.put(tmp_path / "a.png", "reference").kind == "data_uri"


def test_uploads_that_fail(wan: Adapter, server: DashScopeServer, tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(mp4())
    server.most_mb = "0.001"
    with pytest.raises(ProviderRejected, match="up to"):
        wan.put(clip, "source_video")
    server.most_mb = "100"
    server.faults.append(Fault(on=("GET", "uploads"), answer=Answer(200, {"data": {}})))
    with pytest.raises(ProviderBusy, match="no place"):
        wan.put(clip, "source_video")
    server.faults.append(Fault(on=("POST", "/oss"), answer=Answer(403)))
    with pytest.raises(ProviderRejected):
        wan.put(clip, "source_video")


def test_cancel_only_while_it_waits(wan: Adapter, server: DashScopeServer) -> None:
    server.script = ["PENDING"]
    handle = wan.submit(job_of("dashscope", EDIT, CLIP))
    assert wan.cancel(handle) is CancelOutcome.REQUESTED
    assert wan.poll(handle).state is State.CANCELLED
    server.script = ["RUNNING"]
    assert wan.cancel(wan.submit(job_of("dashscope", EDIT, CLIP))) is CancelOutcome.TOO_LATE


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("DataInspectionFailed", FailureKind.MODERATED),
        ("InternalError.Algo", FailureKind.PROVIDER_INTERNAL),
        ("InvalidParameter.FileFormat", FailureKind.INVALID_REQUEST),
    ],
)
def test_a_task_that_fails_says_why(
    wan: Adapter, server: DashScopeServer, code: str, kind: FailureKind
) -> None:
    server.script, server.error = ["FAILED"], {"code": code, "message": "because"}
    failure = until_done(wan, wan.submit(job_of("dashscope", EDIT, CLIP))).failure
    assert failure is not None and failure.kind is kind and "because" in failure.says


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "Arrearage", ProviderRejected),
        (429, "Throttling.AllocationQuota", ProviderRejected),
        (429, "Throttling.RateQuota", ProviderBusy),
        (400, "DataInspectionFailed", ProviderRejected),
        (500, "InternalError", Uncertain),
    ],
)
def test_a_refused_create_is_sent_once(
    wan: Adapter, server: DashScopeServer, status: int, code: str, error: type
) -> None:
    server.faults.append(Fault(answer=refusal(status, code)))
    with pytest.raises(error):
        wan.submit(job_of("dashscope", EDIT, CLIP))
    assert len(server.log) == 1


def test_unknown_is_late_and_then_gone(wan: Adapter, server: DashScopeServer, tmp_path: Path) -> None:
    handle = wan.submit(job_of("dashscope", EDIT, CLIP))
    done = until_done(wan, handle)
    server.faults.append(Fault(on=("GET", "/files/"), answer=Answer(403)))
    with pytest.raises(ProviderRejected, match="no longer"):
        wan.fetch(done.outputs[0], tmp_path)
    server.tasks.clear()
    assert wan.poll(handle).state is State.UNKNOWN
    assert wan.poll(aged(handle, 25 * 3600)).state is State.EXPIRED
    with pytest.raises(Refused):
        wan.find(job_of("dashscope", EDIT, CLIP), 0.0)
    other = adapter_for("dashscope", EDIT, server, tmp_path, keys={"HOLDFAST_DASHSCOPE_KEY": "wrong"})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        other.submit(job_of("dashscope", EDIT, CLIP))
