# SPDX-License-Identifier: GPL-3.0-or-later
"""MiniMax's two contracts: H3 (version 2) and Hailuo (version 1, 200 even when it says no, a file id for a link)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.minimax import MiniMaxServer, base, refusal
from tests.loopback.server import Answer, Fault

H3, HAILUO = "MiniMax-H3", "MiniMax-Hailuo-02"
CLIP = MediaRef("https", "https://example.org/clip.mp4", "source_video")


@pytest.fixture
def server() -> Iterator[MiniMaxServer]:
    with MiniMaxServer() as running:
        yield running


@pytest.fixture
def h3(server: MiniMaxServer, tmp_path: Path) -> Adapter:
    return adapter_for("minimax", H3, server, tmp_path / "spool")


@pytest.fixture
def hailuo(server: MiniMaxServer, tmp_path: Path) -> Adapter:
    server.script = ["Preparing", "Queueing", "Processing", "Success"]
    return adapter_for("minimax", HAILUO, server, tmp_path / "spool")


def test_h3_from_an_upload_to_a_file(h3: Adapter, server: MiniMaxServer, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    ref = h3.put(clip, "source_video")
    assert ref.value == "mm_file://990" and server.files["990"] == mp4()
    (tmp_path / "a.png").write_bytes(png())
    handle = h3.submit(
        job_of("minimax", H3, ref, h3.put(tmp_path / "a.png", "reference"), seconds=5, resolution="768P")
    )
    body = server.of("POST", "video_generation")[0].json
    assert [one.get("role") for one in body["content"]] == [None, "reference_video", "reference_image"]
    assert (body["duration"], body["resolution"], body["aigc_watermark"]) == (5, "768P", False)
    assert [h3.poll(handle).state for _ in range(2)] == [State.QUEUED, State.RUNNING]
    done = h3.poll(handle)
    assert done.raw["usage"] == {"output_seconds": 5}
    assert h3.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()
    larger = h3.submit(job_of("minimax", H3, MediaRef("job_output", handle.job_id, "source_video")))
    assert server.of("POST", "regeneration")[0].json["source_task_id"] == handle.job_id
    assert until_done(h3, larger).state is State.SUCCEEDED


def test_h3_cancel_stops_what_waits_and_destroys_nothing(h3: Adapter, server: MiniMaxServer) -> None:
    server.script = ["queued"]
    handle = h3.submit(job_of("minimax", H3, CLIP))
    assert h3.cancel(handle) is CancelOutcome.REQUESTED and h3.poll(handle).state is State.CANCELLED
    server.script = ["succeeded"]
    handle = h3.submit(job_of("minimax", H3, CLIP))
    assert h3.cancel(handle) is CancelOutcome.TOO_LATE and handle.job_id in server.tasks
    with pytest.raises(Refused):
        h3.find(job_of("minimax", H3, CLIP), 0.0)


def test_h3_failures(h3: Adapter, server: MiniMaxServer) -> None:
    server.script = ["failed"]
    failure = until_done(h3, h3.submit(job_of("minimax", H3, CLIP))).failure
    assert failure is not None and failure.kind is FailureKind.MODERATED and failure.billed is False
    with pytest.raises(ProviderRejected, match="refused the prompt"):
        h3.submit(job_of("minimax", H3, CLIP, prompt="forbidden"))
    with pytest.raises(ProviderRejected, match="refused a setting"):
        h3.submit(job_of("minimax", H3))  # a pure prompt needs a ratio
    with pytest.raises(ProviderRejected, match="needs a prompt"):
        h3.submit(job_of("minimax", H3, CLIP, prompt=""))
    server.script = ["expired"]
    assert until_done(h3, h3.submit(job_of("minimax", H3, CLIP))).state is State.EXPIRED


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusal(401, "authorized_error", 1004), ProviderRejected, "key"),
        (refusal(402, "insufficient_balance_error", 1008), ProviderRejected, "payment"),
        (refusal(429, "rate_limit_error", 1002), ProviderBusy, "slow down"),
        (refusal(500, "server_error", 1000), Uncertain, "error of its own"),
        (base(1002, "rate limit"), ProviderBusy, "slow down"),
        (base(1000, "unknown"), Uncertain, "error of its own"),
        (base(2056, "quota"), ProviderRejected, "quota"),
        (base(2049, "invalid key"), ProviderRejected, "key"),
    ],
)
def test_a_refused_create_is_sent_once(
    h3: Adapter, server: MiniMaxServer, answer: Answer, error: type, words: str
) -> None:
    server.faults.append(Fault(answer=answer))
    with pytest.raises(error, match=words):
        h3.submit(job_of("minimax", H3, CLIP))
    assert len(server.log) == 1


def test_h3_vanishes_after_seven_days(h3: Adapter, server: MiniMaxServer, tmp_path: Path) -> None:
    handle = h3.submit(job_of("minimax", H3, CLIP))
    done = until_done(h3, handle)
    server.faults.append(Fault(on=("GET", "/files/"), answer=Answer(403)))
    with pytest.raises(ProviderRejected, match="no longer"):
        h3.fetch(done.outputs[0], tmp_path)
    server.tasks.clear()
    assert h3.poll(handle).state is State.UNKNOWN
    assert h3.poll(aged(handle, 8 * 86400)).state is State.EXPIRED


def test_hailuo_takes_a_hop_to_its_file(hailuo: Adapter, server: MiniMaxServer, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    frames = [hailuo.put(tmp_path / "a.png", role) for role in ("first", "last")]
    handle = hailuo.submit(job_of("minimax", HAILUO, *frames, seconds=6, resolution="768P"))
    body = server.log[0].json
    assert body["first_frame_image"].startswith("data:image/png") and body["duration"] == 6
    states = [hailuo.poll(handle).state for _ in range(3)]
    assert states == [State.QUEUED, State.QUEUED, State.RUNNING]
    done = hailuo.poll(handle)
    assert done.outputs[0].ref.value.endswith(f"/files/1{handle.job_id}.mp4")
    assert hailuo.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()
    assert hailuo.cancel(handle) is CancelOutcome.UNSUPPORTED


def test_hailuo_says_no_with_200(hailuo: Adapter, server: MiniMaxServer, tmp_path: Path) -> None:
    with pytest.raises(ProviderRejected, match="refused the prompt"):
        hailuo.submit(job_of("minimax", HAILUO, prompt="forbidden"))
    other = adapter_for("minimax", HAILUO, server, tmp_path, keys={"HOLDFAST_MINIMAX_KEY": "wrong"})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        other.submit(job_of("minimax", HAILUO))
    server.script = ["Fail"]
    failure = until_done(hailuo, hailuo.submit(job_of("minimax", HAILUO))).failure
    assert failure is not None and failure.kind is FailureKind.MODERATED
    server.fail = 0
    failure = until_done(hailuo, hailuo.submit(job_of("minimax", HAILUO))).failure
    assert failure is not None and failure.kind is FailureKind.PROVIDER_INTERNAL


def test_hailuo_bad_days_while_polling(hailuo: Adapter, server: MiniMaxServer) -> None:
    handle = hailuo.submit(job_of("minimax", HAILUO))
    server.faults.append(Fault(answer=base(1002, "rate limit")))
    with pytest.raises(ProviderBusy):
        hailuo.poll(handle)
    server.faults.append(Fault(answer=base(1004, "login fail")))
    with pytest.raises(ProviderRejected, match="key"):
        hailuo.poll(handle)
    server.tasks[handle.job_id]["script"] = ["Success"]
    server.faults.append(Fault(on=("GET", "retrieve"), answer=base(1000, "unknown")))
    with pytest.raises(ProviderBusy):
        hailuo.poll(handle)
    server.tasks[handle.job_id]["script"] = ["Dreaming"]
    assert hailuo.poll(handle).state is State.UNKNOWN
    server.tasks.clear()
    assert hailuo.poll(handle).state is State.UNKNOWN
    assert hailuo.poll(aged(handle, 8 * 86400)).state is State.EXPIRED
