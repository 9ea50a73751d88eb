# SPDX-License-Identifier: GPL-3.0-or-later
"""Luma's own SDKs drive the loopback servers, and our requests are those that they send."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import MediaRef

from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of, until_done
from tests.loopback.luma import LumaLegacyServer, LumaServer
from tests.loopback.media import mp4

luma_agents = pytest.importorskip("luma_agents")
lumaai = pytest.importorskip("lumaai")
LINK = "https://studio.example/a.mp4"


@pytest.fixture
def server() -> Iterator[LumaServer]:
    with LumaServer() as made:
        yield made


@pytest.fixture
def old() -> Iterator[LumaLegacyServer]:
    with LumaLegacyServer() as made:
        yield made


@pytest.fixture
def sdk(server: LumaServer) -> Any:
    return luma_agents.Luma(auth_token=server.key, base_url=f"{server.url}/v1", max_retries=0)


@pytest.fixture
def old_sdk(old: LumaLegacyServer) -> Any:
    return lumaai.LumaAI(auth_token=old.key, base_url=f"{old.url}/dream-machine/v1", max_retries=0)


def ours(server: Any, model: str, spool: Path) -> Adapter:
    """Our adapter on the same server."""
    old = isinstance(server, LumaLegacyServer)
    base = f"{server.url}/dream-machine/v1" if old else f"{server.url}/v1"
    return adapter_for("luma_legacy" if old else "luma", model, server, spool, base=base)


def test_the_sdk_goes_through_the_whole_cycle(server: LumaServer, sdk: Any, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    film = ours(server, "ray-3.2", tmp_path).put(clip, "source_video")  # the SDK leaves the PUT to its user
    begun = sdk.files.create(
        mime_type="video/mp4", size_bytes=len(mp4()), purpose="input", filename="clip.mp4"
    )
    assert begun.upload.method == "PUT" and begun.file.state == "pending"
    assert_same(*server.of("POST", "/v1/files$"))
    server.bytes[begun.id] = mp4()
    sdk.files.complete(begun.id)
    mine, theirs = server.of("POST", "complete")
    assert (mine.headers["authorization"], mine.body) == (theirs.headers["authorization"], theirs.body)
    assert [sdk.files.get(begun.id).state for _ in range(2)] == ["pending", "ready"]
    made = sdk.generations.create(
        prompt="ink", model="ray-3.2", type="video_edit", source={"file_id": film.value}
    )
    assert [sdk.generations.get(made.id).state for _ in range(3)] == [
        "queued",
        "processing",
        "completed",
    ]
    assert sdk.generations.get(made.id).output[0].url.startswith(server.url)


def test_the_sdk_knows_the_errors(server: LumaServer, sdk: Any) -> None:
    with pytest.raises(luma_agents.UnprocessableEntityError):
        sdk.generations.create(prompt="ink", model="ray-3.2", type="video_edit")
    server.at_once = 0
    with pytest.raises(luma_agents.RateLimitError):
        sdk.generations.create(prompt="ink")
    with pytest.raises(luma_agents.AuthenticationError):
        sdk.with_options(auth_token="wrong-key").generations.get("x")
    with pytest.raises(luma_agents.NotFoundError):
        sdk.generations.get("x")


JOBS: list[Any] = [
    ("ray-3.2", [("source_video", LINK), ("keyframe", LINK)], {"strength": "flex_1", "depth": True, "depth_blur": 0.25,
     "normals": True, "normals_augmentation": 0.5, "pose": True, "pose_strength": "precise", "trajectory": True,
     "trajectory_sparsity": 0.1, "face": True, "keyframes_at": [1.0], "fps": 24, "resolution": "540p", "ratio": "16:9"},
     {"type": "video_edit", "model": "ray-3.2", "aspect_ratio": "16:9", "source": {"url": LINK, "media_type": "video/mp4"},
      "video": {"resolution": "540p", "edit": {"strength": "flex_1", "keyframes": [{"url": LINK}], "keyframe_indexes": [24],
       "controls": {"depth": {"enabled": True, "blur": 0.25}, "normals": {"enabled": True, "augmentation": 0.5},
        "pose": {"enabled": True, "strength": "precise"}, "trajectory": {"enabled": True, "sparsity": 0.1},
        "face": {"enabled": True}}}}}),
    ("ray-3.2-film", [("first", LINK), ("last", LINK)], {"seconds": 5, "ratio": "9:16"},
     {"type": "video", "model": "ray-3.2", "aspect_ratio": "9:16", "video": {"resolution": "720p", "duration": "5s",
      "start_frame": {"url": LINK}, "end_frame": {"url": LINK}}}),
    ("ray-3.2-film", [("keyframe", LINK), ("keyframe", LINK)], {"seconds": 10, "keyframes_at": [0, 10], "hdr": True,
     "exr_export": True}, {"type": "video", "model": "ray-3.2", "video": {"resolution": "720p", "duration": "10s",
      "hdr": True, "exr_export": True, "keyframes": [{"url": LINK}, {"url": LINK}], "keyframe_indexes": [0, 240]}}),
    ("uni-1", [("picture", LINK), ("reference", LINK)], {"format": "jpeg"},
     {"type": "image_edit", "model": "uni-1", "source": {"url": LINK}, "image_ref": [{"url": LINK}],
      "output_format": "jpeg"}),
]  # fmt: skip


@pytest.mark.parametrize("model, inputs, options, theirs", JOBS)
def test_creates_and_polls_are_equal(
    server: LumaServer, sdk: Any, tmp_path: Path, model: str, inputs: Any, options: Any, theirs: Any
) -> None:
    adapter = ours(server, model, tmp_path)
    refs = [MediaRef("https", link, role) for role, link in inputs]
    handle = adapter.submit(job_of("luma", model, *refs, **options))
    made = sdk.generations.create(prompt="ink drawing", **theirs)
    assert_same(*server.log)
    adapter.poll(handle)
    sdk.generations.get(handle.job_id)
    assert_same(*server.of("GET"))
    assert until_done(adapter, adapter.handle(made.id)).outputs


def test_the_older_sdk(old: LumaLegacyServer, old_sdk: Any, tmp_path: Path) -> None:
    adapter = ours(old, "ray-2", tmp_path)
    refs = [MediaRef("https", LINK, "source_video"), MediaRef("https", LINK, "first")]
    job = job_of("luma_legacy", "ray-2", *refs, strength="reimagine_1")
    handle = adapter.submit(job)
    made = old_sdk.generations.video.modify(
        generation_type="modify_video", media={"url": LINK}, first_frame={"url": LINK}, mode="reimagine_1", model="ray-2",
        prompt="ink drawing",
    )  # fmt: skip
    assert_same(*old.log)
    adapter.poll(handle)
    old_sdk.generations.get(id=handle.job_id)
    assert_same(*old.of("GET"))
    old.log.clear()
    adapter.wire.ask(adapter.lookup(job, 0.0))  # type: ignore[arg-type]
    assert len(old_sdk.generations.list(limit=100, offset=0).generations) == 2
    assert_same(*old.log)
    states = [old_sdk.generations.get(id=made.id).state for _ in range(3)]
    assert states == ["queued", "dreaming", "completed"]
    assert old_sdk.generations.get(id=made.id).assets.video.startswith(old.url)
    with pytest.raises(lumaai.NotFoundError):
        old_sdk.generations.get(id="x")
    with pytest.raises(lumaai.BadRequestError):
        old_sdk.generations.video.modify(
            generation_type="modify_video", media={"url": "x"}, mode="flex_1", model="ray-2"
        )
