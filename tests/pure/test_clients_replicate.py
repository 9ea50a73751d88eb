# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicate: what it is asked, and every answer that it is documented to give."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, JobSpec, MediaRef, State
from holdfast.clients.providers.replicate import posix
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4
from tests.loopback.replicate import VERSION, Replicate, now, problem
from tests.loopback.server import Answer, Fault

SAM, SEEDANCE = "meta/sam-2-video", "bytedance/seedance-2.0"
CREATE = ("POST", "predictions$")


@pytest.fixture
def server() -> Iterator[Replicate]:
    with Replicate() as made:
        yield made


def adapter(server: Replicate, tmp_path: Path, model: str = SAM, **more: Any) -> Adapter:
    return adapter_for("replicate", model, server, tmp_path, base=server.base, **more)


def masks(server: Replicate, **more: Any) -> JobSpec:
    plate = MediaRef("https", f"{server.url}/files/plate.mp4", "source_video")
    options = {
        "click_coordinates": "[32,18]",
        "click_labels": "1",
        "click_frames": "0",
        "click_object_ids": "lantern",
    }
    return job_of("replicate", SAM, plate, prompt="", **{**options, **more})


def test_a_mask_for_each_frame_from_upload_to_disk(server: Replicate, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    film = tmp_path / "plate.mp4"
    film.write_bytes(mp4())
    plate = ours.put(film, "source_video")
    assert server.files["file0"] == mp4() and plate.value == f"{server.base}/files/file0"
    assert plate.expires_at is not None and plate.expires_at > time.time()

    handle = ours.submit(job_of("replicate", SAM, plate, prompt="", click_coordinates="[32,18]", every=2))
    assert server.of("GET", "/models/")[0].path == "/v1/models/meta/sam-2-video"
    assert server.of(*CREATE)[0].json == {"version": VERSION, "input": {
        "input_video": plate.value, "click_coordinates": "[32,18]", "mask_type": "binary", "output_format": "png",
        "output_video": False, "output_frame_interval": 2,
    }}  # fmt: skip
    assert ours.poll(handle).state is State.QUEUED
    working = ours.poll(handle)
    assert (working.state, working.progress) == (State.RUNNING, 0.4)
    done = ours.poll(handle)
    assert [out.name for out in done.outputs] == ["00", "01", "02"]
    assert [ours.fetch(out, tmp_path / "m")[0].path.name for out in done.outputs] == [
        "00.png",
        "01.png",
        "02.png",
    ]
    assert "authorization" not in server.of("GET", "^/files/")[0].headers


def test_many_frames_keep_their_order_and_files_of_theirs_are_signed(
    server: Replicate, tmp_path: Path
) -> None:
    server.output = [f"{server.base}/files/{n}" for n in range(120)]
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(masks(server)))
    assert (done.outputs[0].name, done.outputs[-1].name) == ("000", "119")
    assert {out.ref.kind for out in done.outputs} == {"vendor_uri"}


def test_by_name_by_version_and_waiting_for_it(server: Replicate, tmp_path: Path) -> None:
    server.output = f"{server.url}/files/out.mp4"
    ours = adapter(server, tmp_path, SEEDANCE, settings={"wait_s": 300, "cancel_after": "30m"})
    job = job_of("replicate", SEEDANCE, MediaRef("https", "https://a/b.png", "reference"), seconds=5)
    done = ours.poll(ours.submit(job))
    assert done.state is State.SUCCEEDED, "it was waited for"
    sent = server.of(*CREATE)[0]
    assert sent.path == "/v1/models/bytedance/seedance-2.0/predictions"
    assert (sent.headers["prefer"], sent.headers["cancel-after"]) == ("wait=45", "30m")
    assert sent.json == {
        "input": {"prompt": "ink drawing", "reference_images": ["https://a/b.png"], "duration": 5}
    }
    named = adapter(server, tmp_path, settings={"version": "deadbeef"})
    with pytest.raises(ProviderRejected, match="does not exist"):
        named.submit(masks(server))


@pytest.mark.parametrize(
    ("state", "error", "kind"),
    [
        ("failed", "NSFW content detected. Try running it again", FailureKind.MODERATED),
        ("failed", "CUDA out of memory", FailureKind.PROVIDER_INTERNAL),
        ("aborted", "deadline exceeded", FailureKind.PROVIDER_INTERNAL),
    ],
)
def test_failures(server: Replicate, tmp_path: Path, state: str, error: str, kind: FailureKind) -> None:
    server.script, server.outcome = ["starting", state], {"error": error}
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(masks(server)))
    assert done.state is (State.FAILED if state == "failed" else State.CANCELLED)
    assert done.failure is not None and done.failure.kind is kind and error[:4] in done.failure.says


def test_done_without_a_file_gone_and_unknown(server: Replicate, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    server.output = None
    assert until_done(ours, ours.submit(masks(server))).state is State.FAILED
    server.output = "https://x/y.png"
    old = ours.submit(masks(server))
    until_done(ours, old)
    server.remove_data(old.job_id)
    gone = ours.poll(old)
    assert gone.state is State.EXPIRED and gone.failure is not None and gone.failure.billed is True
    server.script = ["resting"]
    assert ours.poll(ours.submit(masks(server))).state is State.UNKNOWN
    del server.predictions[old.job_id]
    assert (ours.poll(old).state, ours.poll(aged(old, 600)).state) == (State.UNKNOWN, State.EXPIRED)


def test_an_address_that_has_expired(server: Replicate, tmp_path: Path) -> None:
    server.output = [f"{server.url}/files/gone.png"]
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(masks(server)))
    with pytest.raises(ProviderRejected, match="no longer"):
        ours.fetch(done.outputs[0], tmp_path / "m")


def test_cancel(server: Replicate, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    handle = ours.submit(masks(server))
    assert ours.cancel(handle) is CancelOutcome.REQUESTED
    assert ours.poll(handle).state is State.CANCELLED
    server.predictions.clear()
    assert ours.cancel(handle) is CancelOutcome.TOO_LATE


def test_refusals_of_the_create(server: Replicate, tmp_path: Path) -> None:
    with pytest.raises(ProviderRejected, match="key"):
        adapter(server, tmp_path, keys={"HOLDFAST_REPLICATE_KEY": "wrong"}).submit(masks(server))
    ours = adapter(server, tmp_path)
    throttled = "Request was throttled. Your rate limit resets in ~30s."
    for answer, error, word in (
        (Answer(429, {"detail": throttled}), ProviderBusy, "throttled"),
        (problem(402, "Insufficient credit", "Go buy some"), ProviderRejected, "payment"),
        (
            problem(422, "Input validation failed", "- input: mask_type must be one of"),
            ProviderRejected,
            "mask_type",
        ),
        (problem(500, "Internal", "oops"), Uncertain, "500"),
    ):
        server.faults.append(Fault(CREATE, answer=answer))
        with pytest.raises(error, match=word):
            ours.submit(masks(server))
    server.faults.append(Fault(("GET", "/models/"), answer=Answer(200, {"latest_version": None})))
    with pytest.raises(ProviderRejected, match="no version"):
        adapter(server, tmp_path).submit(masks(server))


def test_a_create_that_got_no_answer_is_found_in_the_list(server: Replicate, tmp_path: Path) -> None:
    ours, before = adapter(server, tmp_path), time.time()
    assert ours.find(masks(server), before) is None
    server.page = 1
    server.faults.append(Fault(CREATE, drop="after"))
    with pytest.raises(Uncertain):
        ours.submit(masks(server))
    other = adapter(server, tmp_path, SEEDANCE)
    other.submit(job_of("replicate", SEEDANCE, seconds=5))
    ours.submit(masks(server, click_frames="3"))
    later = replace(masks(server), inputs=(MediaRef("path", str(tmp_path / "plate.mp4"), "source_video"),))
    found = ours.find(later, before)
    assert found is not None and found.job_id == "p000", "on the third page, told apart by what was asked"
    assert ours.find(masks(server), time.time() + 3600) is None
    ours.submit(masks(server))
    with pytest.raises(Refused, match="2 jobs"):
        ours.find(masks(server), before)
    server.faults.append(Fault(("GET", "predictions$"), times=9, answer=Answer(503, {"detail": "later"})))
    with pytest.raises(ProviderBusy):
        ours.find(masks(server), before)


def test_uploads_that_are_refused(server: Replicate, tmp_path: Path) -> None:
    ours, film = adapter(server, tmp_path), tmp_path / "a.mp4"
    with pytest.raises(InputError):
        ours.put(film, "source_video")
    film.write_bytes(mp4())
    server.faults.append(Fault(("POST", "/files"), answer=problem(413, "Too large", "max 100MB")))
    with pytest.raises(ProviderRejected, match="too large"):
        ours.put(film, "source_video")
    server.faults.append(Fault(("POST", "/files"), answer=Answer(201, {"id": "f"})))
    with pytest.raises(ProviderRejected, match="no address"):
        ours.put(film, "source_video")


def test_times() -> None:
    assert posix("2026-11-22T06:00:00Z") == posix("2026-11-22T07:00:00+01:00")
    assert posix(None) is None and posix("soon") is None
    told = posix(now())
    assert told is not None and abs(told - time.time()) < 5
