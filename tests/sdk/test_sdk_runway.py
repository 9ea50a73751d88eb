# SPDX-License-Identifier: GPL-3.0-or-later
"""Runway's own SDK drives the loopback server, and our requests are those that it sends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.contract import MediaRef, State

from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.runway import RunwayServer
from tests.loopback.server import Answer, Fault

runwayml = pytest.importorskip("runwayml")
LINK = "https://studio.example/a.mp4"


@pytest.fixture
def server() -> Iterator[RunwayServer]:
    with RunwayServer() as made:
        yield made


@pytest.fixture
def sdk(server: RunwayServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("runwayml.lib.polling.POLL_TIME", 0)
    monkeypatch.setattr("runwayml.lib.polling.POLL_JITTER", 0)
    return runwayml.RunwayML(api_key=server.key, base_url=server.url, max_retries=0)


def test_the_sdk_goes_through_the_whole_cycle(server: RunwayServer, sdk: Any, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    film = sdk.uploads.create_ephemeral(file=clip).uri
    made = sdk.video_to_video.create(model="aleph2", video_uri=film, prompt_text="ink drawing")
    assert made.estimated_cost.credits == 140
    done = made.wait_for_task_output()
    assert done.status == "SUCCEEDED" and done.cost.credits == 140 and done.output[0].startswith(server.url)
    sdk.tasks.delete(done.id)
    with pytest.raises(runwayml.NotFoundError):
        sdk.tasks.retrieve(done.id)


def test_the_sdk_reads_every_state(server: RunwayServer, sdk: Any) -> None:
    server.script = ["PENDING", "THROTTLED", "RUNNING", "FAILED"]
    made = sdk.video_to_video.create(model="aleph2", video_uri=LINK)
    tasks = [sdk.tasks.retrieve(made.id) for _ in range(4)]
    assert [type(task).__name__ for task in tasks] == [
        f"Awaitable{word}" for word in ("Pending", "Throttled", "Running", "Failed")
    ]
    other = sdk.video_to_video.create(model="aleph2", video_uri=LINK)
    sdk.tasks.delete(other.id)
    assert type(sdk.tasks.retrieve(other.id)).__name__ == "AwaitableCancelled"


def test_the_sdk_knows_the_errors(server: RunwayServer, sdk: Any) -> None:
    with pytest.raises(runwayml.BadRequestError):
        sdk.video_to_video.create(model="aleph2", video_uri="runway://unknown")
    server.daily = 0
    with pytest.raises(runwayml.RateLimitError):
        sdk.video_to_video.create(model="aleph2", video_uri=LINK)
    with pytest.raises(runwayml.AuthenticationError):
        sdk.with_options(api_key="wrong-key").tasks.retrieve("x")
    server.faults = [Fault(("GET", "tasks"), 1, Answer(503))]
    with pytest.raises(runwayml.InternalServerError):
        sdk.tasks.retrieve("x")


JOBS: list[Any] = [
    ("aleph2", [("source_video", LINK), ("keyframe", LINK)], {"keyframes_at": [0.5], "keyframes_span": [[0, 2]], "format": "prores",
     "prores_profile": "422 HQ", "ratio": "21:9"}, "video_to_video",
     {"video_uri": LINK, "prompt_text": "ink drawing", "seed": 5, "target_aspect_ratio": "21:9", "output_format": "prores",
      "prores_profile": "422 HQ", "keyframes": [{"seconds": 0.5, "uri": LINK, "range": {"start_seconds": 0, "end_seconds": 2}}]}),
    ("gen4.5", [], {"seconds": 4}, "text_to_video",
     {"prompt_text": "ink drawing", "seed": 5, "duration": 4, "ratio": "1280:720"}),
    ("gen4.5", [("first", LINK)], {"format": "png_sequence", "ratio": "960:960"}, "image_to_video",
     {"prompt_text": "ink drawing", "prompt_image": LINK, "seed": 5, "duration": 5, "ratio": "960:960",
      "output_format": "png_sequence"}),
    ("gen4_image", [("reference", LINK)], {"tags": ["lamp"]}, "text_to_image",
     {"prompt_text": "ink drawing", "seed": 5, "ratio": "1920:1080", "reference_images": [{"uri": LINK, "tag": "lamp"}]}),
    ("act_two", [("picture", LINK), ("reference_video", LINK)], {"body": True, "intensity": 3, "ratio": "1280:720"},
     "character_performance", {"character": {"type": "image", "uri": LINK}, "reference": {"type": "video", "uri": LINK},
      "seed": 5, "body_control": True, "expression_intensity": 3, "ratio": "1280:720"}),
    ("magnific_video_upscaler_creative", [("source_video", LINK)], {"resolution": "2k", "grain": 3, "fps_boost": False,
     "creativity": 10, "sharpen": 1, "flavor": "natural"}, "video_upscale",
     {"video_uri": LINK, "resolution": "2k", "smart_grain": 3, "fps_boost": False, "creativity": 10, "sharpen": 1,
      "flavor": "natural"}),
    ("enhance_frame_rate", [("source_video", LINK)], {"fps": "23_98"}, "video_upscale",
     {"video_uri": LINK, "target_framerate": "23_98"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "model, inputs, options, resource, theirs", JOBS, ids=[f"{j[0]}-{j[3]}" for j in JOBS]
)
def test_creates_are_equal(
    server: RunwayServer, sdk: Any, tmp_path: Path, model: str, inputs: list[tuple[str, str]],
    options: dict[str, Any], resource: str, theirs: dict[str, Any],
) -> None:  # fmt: skip
    refs = [MediaRef("https", link, role) for role, link in inputs]
    adapter_for("runway", model, server, tmp_path).submit(job_of("runway", model, *refs, seed=5, **options))
    getattr(sdk, resource).create(model=model, **theirs)
    assert_same(*server.log)


def test_polls_and_deletes_are_equal(server: RunwayServer, sdk: Any, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    handle = runway.submit(job_of("runway", "aleph2", MediaRef("https", LINK, "source_video")))
    runway.poll(handle)
    sdk.tasks.retrieve(handle.job_id)
    assert_same(*server.of("GET"))
    runway.cancel(handle)
    other = runway.submit(job_of("runway", "aleph2", MediaRef("https", LINK, "source_video")))
    sdk.tasks.delete(other.job_id)
    ours, their = server.of("DELETE")
    assert ours.headers["x-runway-version"] == their.headers["x-runway-version"]
    assert {ours.path.rpartition("/")[0], their.path.rpartition("/")[0]} == {"/v1/tasks"}
    assert ours.body == their.body == b""


def test_uploads_are_equal(server: RunwayServer, sdk: Any, tmp_path: Path) -> None:
    picture = tmp_path / "key.png"
    picture.write_bytes(png(640, 360) + b"\0" * 512)
    adapter_for("runway", "aleph2", server, tmp_path).put(picture, "keyframe")
    sdk.uploads.create_ephemeral(file=picture)
    assert_same(*server.of("POST", "/v1/uploads"))
    ours, theirs = server.of("POST", "/storage")
    free = {"key"}  # each upload has its own
    assert_same(ours, theirs, free)
    assert [part[:3] for part in ours.parts] == [part[:3] for part in theirs.parts]


def test_what_the_sdk_made_our_adapter_finishes(server: RunwayServer, sdk: Any, tmp_path: Path) -> None:
    runway = adapter_for("runway", "aleph2", server, tmp_path)
    made = sdk.video_to_video.create(model="aleph2", video_uri=LINK)
    done = until_done(runway, runway.handle(made.id))
    assert done.state is State.SUCCEEDED and runway.fetch(done.outputs[0], tmp_path / "out")
