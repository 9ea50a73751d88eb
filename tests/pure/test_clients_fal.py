# SPDX-License-Identifier: GPL-3.0-or-later
"""fal: what it is asked, and every answer that it is documented to give."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.check import check_job
from holdfast.clients.contract import CancelOutcome, FailureKind, Handle, MediaRef, State
from holdfast.clients.descriptor import read_catalogue
from holdfast.clients.payload import body_of
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.fal import Fal, refused
from tests.loopback.harness import adapter_for, aged, job_of, model_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.server import Answer, Fault

DEPTH = "fal-ai/wan-22-vace-fun-a14b/depth"


@pytest.fixture
def server() -> Iterator[Fal]:
    with Fal() as made:
        yield made


def adapter(server: Fal, tmp_path: Path, model: str = DEPTH, **more: Any) -> Adapter:
    return adapter_for(
        "fal", model, server, tmp_path, settings={"rest": server.url, **more.pop("settings", {})}, **more
    )


def clip(server: Fal, role: str = "control_video") -> MediaRef:
    return MediaRef("https", f"{server.url}/files/out.mp4", role)


def test_a_depth_clip_from_upload_to_disk(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    film = tmp_path / "depth.mp4"
    film.write_bytes(mp4())
    control, first = ours.put(film, "control_video"), None
    still = tmp_path / "first.png"
    still.write_bytes(png())
    first = ours.put(still, "first")
    assert [body for _, body in server.uploads.values()] == [mp4(), png()]
    assert "authorization" in server.of("POST", "/files/upload")[0].headers
    assert server.key not in server.of("POST", "/files/upload")[0].headers["authorization"]

    handle = ours.submit(job_of("fal", DEPTH, control, first, seed=7, resolution="720p"))
    assert server.requests[handle.job_id].input == {
        "prompt": "ink drawing", "video_url": control.value, "first_frame_url": first.value, "seed": 7,
        "resolution": "720p", "preprocess": False, "match_input_num_frames": True,
        "match_input_frames_per_second": True,
    }  # fmt: skip
    waiting = ours.poll(handle)
    assert (waiting.state, waiting.queue_position) == (State.QUEUED, 2)
    assert ours.poll(handle).state is State.RUNNING
    done = ours.poll(handle)
    assert done.state is State.SUCCEEDED and done.raw == {"seed": 7}
    [got] = ours.fetch(done.outputs[0], tmp_path / "take")
    assert got.path.name == "00.mp4" and got.path.read_bytes() == mp4()
    assert "authorization" not in server.of("GET", "/files/")[-1].headers


def test_the_addresses_that_came_are_used_and_built_if_none_came(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    server.faults.append(Fault(("POST", "depth$"), answer=Answer(200, {"request_id": "r9"})))
    handle = ours.submit(job_of("fal", DEPTH, clip(server)))
    assert handle.poll_ref == f"{server.url}/fal-ai/wan-22-vace-fun-a14b/requests/r9/status"
    by_id = ours.named(Handle("fal", "r9", "", 0.0), job_of("fal", DEPTH, clip(server)))
    assert (by_id.poll_ref, by_id.raw["response_url"]) == (
        handle.poll_ref,
        handle.poll_ref.removesuffix("/status"),
    )
    with_addresses = ours.submit(job_of("fal", DEPTH, clip(server)))
    assert with_addresses.raw["cancel_url"].endswith(f"{with_addresses.job_id}/cancel")


@pytest.mark.parametrize(
    ("result", "kind", "word"),
    [
        (refused("prompt", "flagged", "content_policy_violation"), FailureKind.MODERATED, "flagged"),
        (refused("num_frames", "4n+1", "value_error"), FailureKind.INVALID_REQUEST, "num_frames"),
        (refused("video_url", "too large", "file_too_large"), FailureKind.MEDIA_REJECTED, "video_url"),
        (Answer(500, {"detail": "boom", "error_type": "runner_disconnected"}), FailureKind.PROVIDER_INTERNAL, "boom"),
        (Answer(200, {"video": None}), FailureKind.PROVIDER_INTERNAL, "without a file"),
    ],
)  # fmt: skip
def test_completed_may_be_a_failure(
    server: Fal, tmp_path: Path, result: Answer, kind: FailureKind, word: str
) -> None:
    server.result = result
    done = until_done(made := adapter(server, tmp_path), made.submit(job_of("fal", DEPTH, clip(server))))
    assert done.state is State.FAILED and done.failure is not None
    assert done.failure.kind is kind and word in done.failure.says
    assert done.failure.billed is (False if result.status == 500 else None)


def test_completed_with_an_error_beside_it(server: Fal, tmp_path: Path) -> None:
    server.script = [{"status": "COMPLETED", "error": "no runner", "error_type": "startup_timeout"}]
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(job_of("fal", DEPTH, clip(server))))
    assert done.state is State.FAILED and done.failure is not None and "no runner" in done.failure.says
    assert done.failure.kind is FailureKind.PROVIDER_INTERNAL


def test_a_result_that_can_not_be_had_now_is_asked_for_again(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    server.script = [{"status": "COMPLETED"}]
    handle = ours.submit(job_of("fal", DEPTH, clip(server)))
    server.faults.append(Fault(("GET", "requests/[^/]+$"), times=5, answer=Answer(502, None, b"nginx")))
    with pytest.raises(ProviderBusy):
        ours.poll(handle)
    assert ours.poll(handle).state is State.SUCCEEDED


def test_cancel(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    handle = ours.submit(job_of("fal", DEPTH, clip(server)))
    assert ours.cancel(handle) is CancelOutcome.REQUESTED
    assert until_done(ours, handle).state is State.CANCELLED
    ended = ours.submit(job_of("fal", DEPTH, clip(server)))
    until_done(ours, ended)
    assert ours.cancel(ended) is CancelOutcome.TOO_LATE
    server.forget(ended.job_id)
    assert ours.cancel(ended) is CancelOutcome.TOO_LATE


def test_a_vanished_record(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    handle = ours.submit(job_of("fal", DEPTH, clip(server)))
    server.forget(handle.job_id)
    assert ours.poll(handle).state is State.UNKNOWN
    assert ours.poll(aged(handle, 3600)).state is State.EXPIRED


def test_a_result_whose_address_has_expired(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(job_of("fal", DEPTH, clip(server))))
    server.media.clear()
    with pytest.raises(ProviderRejected, match="no longer"):
        ours.fetch(done.outputs[0], tmp_path / "take")


def test_the_word_of_a_state_that_nobody_knows(server: Fal, tmp_path: Path) -> None:
    server.script = [{"status": "PAUSED_BY_MOON"}]
    ours = adapter(server, tmp_path)
    assert ours.poll(ours.submit(job_of("fal", DEPTH, clip(server)))).state is State.UNKNOWN


def test_refusals_of_the_create(server: Fal, tmp_path: Path) -> None:
    with pytest.raises(ProviderRejected, match="key"):
        adapter(server, tmp_path, keys={"HOLDFAST_FAL_KEY": "wrong"}).submit(
            job_of("fal", DEPTH, clip(server))
        )
    ours, job = adapter(server, tmp_path), job_of("fal", DEPTH, clip(server))
    for status, error in (
        (429, ProviderBusy),
        (402, ProviderRejected),
        (403, ProviderRejected),
        (500, Uncertain),
    ):
        server.faults.append(Fault(("POST", "depth$"), answer=Answer(status, {"detail": "no"})))
        with pytest.raises(error):
            ours.submit(job)
    server.faults.append(Fault(("POST", "depth$"), drop="after"))
    with pytest.raises(Uncertain):
        ours.submit(job)
    assert len(server.requests) == 1, "it was sent once, and fal has it"
    with pytest.raises(Refused, match="can't be asked"):
        ours.find(job, 0.0)
    with pytest.raises(ProviderRejected, match="720p"):
        ours.submit(job_of("fal", DEPTH, clip(server), resolution="8k"))


def test_uploads_that_are_refused(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    film = tmp_path / "a.mp4"
    with pytest.raises(InputError):
        ours.put(film, "control_video")
    film.write_bytes(mp4())
    server.faults.append(Fault(("POST", "/storage"), answer=Answer(403, {"detail": "no storage"})))
    with pytest.raises(ProviderRejected, match="no storage"):
        ours.put(film, "control_video")
    server.faults.append(Fault(("POST", "/files/upload"), answer=Answer(200, {})))
    with pytest.raises(ProviderRejected, match="no address"):
        ours.put(film, "control_video")


def test_a_large_file_goes_in_parts(server: Fal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.clients.providers.fal.MULTIPART_ABOVE", 1000)
    monkeypatch.setattr("holdfast.clients.providers.fal.PART", 1000)
    ours, film = adapter(server, tmp_path), tmp_path / "a.mp4"
    film.write_bytes(mp4())
    ours.put(film, "control_video")
    assert [body for _, body in server.uploads.values()] == [mp4()] and len(server.parts) > 1
    assert not any(server.key in each.headers["authorization"] for each in server.of("PUT"))
    server.faults.append(Fault(("PUT", "/2$"), answer=Answer(403, {"detail": "token is over"})))
    with pytest.raises(ProviderRejected, match="token is over"):
        ours.put(film, "control_video")
    monkeypatch.setattr("holdfast.clients.providers.fal.FILE_MAX", 100)
    with pytest.raises(InputError, match="fal takes"):
        ours.put(film, "control_video")


def test_how_long_files_are_kept_can_be_said(server: Fal, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path, settings={"keep_s": 3600, "priority": "low"})
    film = tmp_path / "a.mp4"
    film.write_bytes(mp4())
    ours.submit(job_of("fal", DEPTH, ours.put(film, "control_video")))
    said = '{"expiration_duration_seconds": 3600}'
    assert server.of("POST", "/files/upload")[0].headers["x-fal-object-lifecycle"] == said
    sent = server.of("POST", "depth$")[0].headers
    assert (sent["x-fal-object-lifecycle-preference"], sent["x-fal-queue-priority"]) == (said, "low")


def test_meshes_outlines_and_several_files(server: Fal, tmp_path: Path) -> None:
    trellis = adapter(server, tmp_path, "fal-ai/trellis-2")
    picture = MediaRef("https", f"{server.url}/files/frame.png", "picture")
    done = until_done(
        trellis, trellis.submit(job_of("fal", "fal-ai/trellis-2", picture, prompt="", polycount=9000))
    )
    assert server.of("POST", "trellis-2")[0].json == {"image_url": picture.value, "decimation_target": 9000}
    assert trellis.fetch(done.outputs[0], tmp_path / "mesh")[0].path.suffix == ".glb"

    masks = adapter(server, tmp_path, "fal-ai/sam-3/video-rle")
    points = [{"x": 5, "y": 6, "label": "1", "object_id": 1, "frame_index": 0}]
    job = job_of(
        "fal", "fal-ai/sam-3/video-rle", clip(server, "source_video"), prompt="lantern", points=points
    )
    done = until_done(masks, masks.submit(job))
    assert server.of("POST", "video-rle")[0].json["point_prompts"] == points
    [kept] = masks.fetch(done.outputs[0], tmp_path / "masks")
    assert json.loads(kept.path.read_text())["rle"] == ["0 12 64 8", "3 4"]

    server.result = Answer(200, {"video": {"url": f"{server.url}/files/out.mp4"},
                                 "raw_depths": {"url": f"{server.url}/files/d.npz"}})  # fmt: skip
    depth = adapter(server, tmp_path, "fal-ai/depth-anything-video")
    done = until_done(
        depth, depth.submit(job_of("fal", "fal-ai/depth-anything-video", clip(server, "source_video")))
    )
    assert [(out.name, out.ref.role) for out in done.outputs] == [("00", "video"), ("01", "raw_depths")]
    assert "prompt" not in server.of("POST", "depth-anything")[0].json


def test_pictures_made_and_edited(server: Fal, tmp_path: Path) -> None:
    name = "fal-ai/nano-banana-2/edit"
    ours = adapter(server, tmp_path, name)
    still = tmp_path / "still.png"
    still.write_bytes(png())
    picture, other = (
        ours.put(still, "picture"),
        MediaRef("https", f"{server.url}/files/frame.png", "reference"),
    )
    job = job_of("fal", name, picture, other, seed=3, ratio="16:9", resolution="2K", count=3)
    done = until_done(ours, ours.submit(job))
    assert server.of("POST", "banana-2/edit$")[0].json == {
        "prompt": "ink drawing", "image_urls": [picture.value, other.value], "seed": 3, "aspect_ratio": "16:9",
        "resolution": "2K", "num_images": 3,
    }  # fmt: skip
    assert [ours.fetch(each, tmp_path / "out")[0].path.name for each in done.outputs] == [
        "00.png",
        "01.png",
        "02.png",
    ]
    price = model_of("fal", name).price
    assert price.estimate_micros(0, 3, options={"resolution": "2K"}) == 3 * 120_000


def test_every_model_of_the_catalogue_spells_its_roles() -> None:
    entries = [each for each in read_catalogue().models.values() if each.provider == "fal"]
    for entry in entries:
        refs = tuple(
            MediaRef("https", "https://a/b", role)
            for role, limit in entry.inputs.items()
            for _ in range(max(1, limit.count[0]))
        )
        job = job_of("fal", entry.model, *refs, seed=1)
        check_job(job, entry)
        body = body_of(job, entry)
        assert not set(body) & set(entry.inputs), f"{entry.id}: a role is not spelled"
        assert entry.price.as_of or "the price" in entry.unconfirmed, entry.id
