# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gemini API: pictures that come at once, films by interactions, files that get ready."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.gemini import GeminiServer, refusal
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.server import Fault

OMNI, IMAGE = "gemini-omni-1.2-flash", "gemini-3.1-flash-image"


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with GeminiServer() as running:
        yield running


@pytest.fixture
def omni(server: GeminiServer, tmp_path: Path) -> Adapter:
    return adapter_for("gemini", OMNI, server, tmp_path / "spool")


@pytest.fixture
def images(server: GeminiServer, tmp_path: Path) -> Adapter:
    return adapter_for("gemini", IMAGE, server, tmp_path / "spool")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(mp4())
    return path


def test_a_picture_comes_at_once_and_survives(images: Adapter, server: GeminiServer, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png())
    job = job_of("gemini", IMAGE, images.put(path, "picture"), seed=4, ratio="16:9", resolution="2K")
    handle = images.submit(job)
    config = server.log[0].json["generationConfig"]
    assert config == {
        "responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}, "seed": 4
    }  # fmt: skip
    again = adapter_for("gemini", IMAGE, server, tmp_path / "spool")
    done = again.poll(handle)
    assert done.state is State.SUCCEEDED
    assert again.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == png()
    assert again.find(job, 0.0) is not None and len(server.log) == 1


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("IMAGE_SAFETY", FailureKind.MODERATED),
        ("PROHIBITED_CONTENT", FailureKind.MODERATED),
        ("IMAGE_RECITATION", FailureKind.MODERATED),
        ("NO_IMAGE", FailureKind.PROVIDER_INTERNAL),
    ],
)
def test_an_answer_without_a_picture_has_failed_and_may_be_billed(
    images: Adapter, server: GeminiServer, reason: str, kind: FailureKind
) -> None:
    server.finish = reason
    done = images.poll(images.submit(job_of("gemini", IMAGE)))
    assert done.state is State.FAILED and done.failure is not None
    assert (done.failure.kind, done.failure.billed) == (kind, None) and reason in done.failure.says


def test_a_blocked_prompt_and_too_many_pictures(images: Adapter, server: GeminiServer) -> None:
    server.block = "PROHIBITED_CONTENT"
    with pytest.raises(ProviderRejected, match="refused the content: PROHIBITED_CONTENT"):
        images.submit(job_of("gemini", IMAGE))
    large = [MediaRef("data_uri", "data:image/png;base64," + "A" * (11 << 20), "reference")] * 2
    with pytest.raises(ProviderRejected, match="20 MB"):
        images.submit(job_of("gemini", IMAGE, *large))
    assert len(server.log) == 1


def test_a_clip_is_edited(omni: Adapter, server: GeminiServer, clip: Path, tmp_path: Path) -> None:
    ref = omni.put(clip, "source_video")
    assert ref.kind == "vendor_uri" and server.files["f0"]["body"] == clip.read_bytes()
    assert "x-goog-api-key" not in server.of("POST", "/up/")[0].headers
    handle = omni.submit(job_of("gemini", OMNI, ref, resolution="720p", seconds=5))
    body = server.of("POST", "/interactions")[0].json
    assert body["generation_config"] == {"video_config": {"task": "edit"}} and body["background"] is True
    assert body["response_format"] == {
        "type": "video",
        "delivery": "uri",
        "resolution": "720p",
        "duration": "5s",
    }
    states = [omni.poll(handle).state for _ in range(2)]
    assert states == [State.RUNNING, State.RUNNING]  # done, but its file is not ready
    looks = len(server.of("GET", "/interactions"))
    done = omni.poll(handle)
    assert done.state is State.SUCCEEDED and len(server.of("GET", "/interactions")) == looks
    assert omni.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()
    assert server.of("GET", ":download")[0].headers["x-goog-api-key"] == server.key


def test_a_film_inside_the_answer(omni: Adapter, server: GeminiServer, tmp_path: Path) -> None:
    server.inline = True
    handle = omni.submit(job_of("gemini", OMNI, MediaRef("job_output", "int-9", "source_video"), seed=1))
    body = server.log[0].json
    assert body["previous_interaction_id"] == "int-9" and body["generation_config"]["seed"] == 1
    done = until_done(omni, handle)
    asked = len(server.log)
    assert omni.poll(handle).state is State.SUCCEEDED and len(server.log) == asked
    assert omni.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()


@pytest.mark.parametrize(
    ("role", "task"),
    [("first", "image_to_video"), ("reference", "reference_to_video"), ("", "text_to_video")],
)
def test_what_is_given_says_the_task(omni: Adapter, role: str, task: str) -> None:
    refs = [MediaRef("data_uri", "data:image/png;base64,eA==", role)] if role else []
    body = omni.create(job_of("gemini", OMNI, *refs)).json
    assert body["generation_config"]["video_config"]["task"] == task


def test_files_that_fail(omni: Adapter, server: GeminiServer, clip: Path, tmp_path: Path) -> None:
    server.file_script = ["PROCESSING", "FAILED"]
    with pytest.raises(ProviderRejected, match="can't use the file"):
        omni.put(clip, "source_video")
    (tmp_path / "a.png").write_bytes(png())
    with pytest.raises(InputError, match="MP4"):
        omni.put(tmp_path / "a.png", "source_video")
    failed = until_done(omni, omni.submit(job_of("gemini", OMNI)))
    assert failed.state is State.FAILED


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        ("failed", {"code": "internal", "message": "broke"}, FailureKind.PROVIDER_INTERNAL),
        ("failed", {"code": "safety", "message": "blocked"}, FailureKind.MODERATED),
        ("incomplete", {}, FailureKind.PROVIDER_INTERNAL),
        ("budget_exceeded", {}, FailureKind.QUOTA),
    ],
)
def test_failed_interactions(
    omni: Adapter, server: GeminiServer, status: str, error: dict[str, str], kind: FailureKind
) -> None:
    server.script, server.error = [status], error
    done = until_done(omni, omni.submit(job_of("gemini", OMNI)))
    assert done.state is State.FAILED and done.failure is not None and done.failure.kind is kind


def test_cancel_vanish_and_strange_words(omni: Adapter, server: GeminiServer) -> None:
    server.script = ["in_progress"]
    handle = omni.submit(job_of("gemini", OMNI))
    assert omni.cancel(handle) is CancelOutcome.REQUESTED
    assert omni.poll(handle).state is State.CANCELLED
    assert omni.cancel(handle) is CancelOutcome.TOO_LATE
    server.script = ["pondering"]
    assert omni.poll(omni.submit(job_of("gemini", OMNI))).state is State.UNKNOWN
    server.interactions.clear()
    assert omni.poll(handle).state is State.UNKNOWN
    assert omni.poll(aged(handle, 1e7)).state is State.EXPIRED
    with pytest.raises(Refused):
        omni.find(job_of("gemini", OMNI), 0.0)


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (refusal(403, "PERMISSION_DENIED"), ProviderRejected, "does not allow"),
        (refusal(400, "FAILED_PRECONDITION"), ProviderRejected, "country"),
        (refusal(400, "INVALID_ARGUMENT", "bad"), ProviderRejected, "bad"),
        (
            refusal(429, "RESOURCE_EXHAUSTED", "slow", [{"retryDelay": "21s"}]),
            ProviderBusy,
            "again after 21s",
        ),
        (refusal(503, "UNAVAILABLE"), Uncertain, "error of its own"),
    ],
)
def test_refused_creates_are_sent_once(
    omni: Adapter, server: GeminiServer, answer: object, error: type, words: str
) -> None:
    server.faults.append(Fault(answer=answer))  # type: ignore[arg-type]
    with pytest.raises(error, match=words):
        omni.submit(job_of("gemini", OMNI))
    assert len(server.log) == 1


def test_a_wrong_key_and_a_gone_result(omni: Adapter, server: GeminiServer, tmp_path: Path) -> None:
    other = adapter_for("gemini", OMNI, server, tmp_path, keys={"HOLDFAST_GEMINI_KEY": "wrong"})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        other.submit(job_of("gemini", OMNI))
    server.file_script = ["ACTIVE"]
    handle = omni.submit(job_of("gemini", OMNI))
    assert until_done(omni, handle).state is State.SUCCEEDED
    server.files.clear()
    assert omni.poll(handle).state is State.EXPIRED
