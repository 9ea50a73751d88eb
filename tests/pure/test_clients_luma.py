# SPDX-License-Identifier: GPL-3.0-or-later
"""Luma's two APIs against servers that speak their contracts."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter, data_uri
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, model_of, until_done
from tests.loopback.luma import LumaLegacyServer, LumaServer
from tests.loopback.media import mp4, png
from tests.loopback.server import Answer, Fault

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
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(mp4())
    return path


def luma(server: LumaServer, spool: Path, model: str = "ray-3.2", **more: Any) -> Adapter:
    """The adapter of a model."""
    return adapter_for("luma", model, server, spool, base=f"{server.url}/v1", **more)


def legacy(server: LumaLegacyServer, spool: Path) -> Adapter:
    """That of the older API."""
    return adapter_for("luma_legacy", "ray-2", server, spool, base=f"{server.url}/dream-machine/v1")


def _link(role: str = "source_video", link: str = LINK) -> MediaRef:
    return MediaRef("https", link, role)


def test_the_cycle_with_uploads_and_controls(server: LumaServer, clip: Path, tmp_path: Path) -> None:
    adapter = luma(server, tmp_path)
    key = tmp_path / "key.png"
    key.write_bytes(png())
    film, frame = adapter.put(clip, "source_video"), adapter.put(key, "keyframe")
    assert film.kind == "asset_id" and server.bytes[film.value] == mp4()
    assert server.files[frame.value]["purpose"] == "reference"
    handle = adapter.submit(job_of(
        "luma", "ray-3.2", film, frame, strength="adhere_2", depth=True, depth_blur=0.1, normals=True, face=False,
        pose_strength="coarse", trajectory_sparsity=0.5, keyframes_at=[0.5], fps=30, resolution="1080p",
    ))  # fmt: skip
    assert handle.raw["request_id"] == "req-1"
    assert server.of("POST", "generations")[0].json == {
        "model": "ray-3.2", "type": "video_edit", "prompt": "ink drawing", "source": {"file_id": film.value},
        "video": {"resolution": "1080p", "edit": {
            "strength": "adhere_2", "keyframes": [{"file_id": frame.value}], "keyframe_indexes": [15],
            "controls": {"depth": {"enabled": True, "blur": 0.1}, "normals": {"enabled": True},
                         "pose": {"strength": "coarse"}, "trajectory": {"sparsity": 0.5}, "face": {"enabled": False}},
        }},
    }  # fmt: skip
    states = [adapter.poll(handle) for _ in range(3)]
    assert [one.state for one in states] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    (got,) = adapter.fetch(states[2].outputs[0], tmp_path / "out")
    assert got.path.read_bytes() == mp4() and "authorization" not in server.of("GET", "/files/")[-1].headers


@pytest.mark.parametrize(
    "model, inputs, options, body",
    [
        ("ray-3.2", (_link(),), {"auto": True, "ratio": "16:9"},
         {"type": "video_edit", "source": {"url": LINK, "media_type": "video/mp4"}, "aspect_ratio": "16:9",
          "video": {"resolution": "720p", "edit": {"auto_controls": True}}}),
        ("ray-3.2", (MediaRef("job_output", "g1", "source_video"),), {},
         {"type": "video_edit", "source": {"generation_id": "g1"}, "video": {"resolution": "720p", "edit": {}}}),
        ("ray-3.2-film", (_link("first"), _link("last")), {"seconds": 10},
         {"type": "video", "video": {"resolution": "720p", "duration": "10s", "start_frame": {"url": LINK},
                                     "end_frame": {"url": LINK}}}),
        ("ray-3.2-film", (_link("keyframe"), _link("keyframe")), {"keyframes_at": [0, 2.5], "hdr": True},
         {"type": "video", "video": {"resolution": "720p", "duration": "5s", "hdr": True,
                                     "keyframes": [{"url": LINK}] * 2, "keyframe_indexes": [0, 60]}}),
        ("uni-1", (_link("picture"), _link("reference")), {"format": "png"},
         {"type": "image_edit", "source": {"url": LINK}, "image_ref": [{"url": LINK}], "output_format": "png"}),
        ("uni-1", (), {}, {"type": "image"}),
    ],
)  # fmt: skip
def test_what_is_sent(
    server: LumaServer,
    tmp_path: Path,
    model: str,
    inputs: tuple[MediaRef, ...],
    options: dict[str, Any],
    body: Any,
) -> None:
    adapter = luma(server, tmp_path, model)
    done = until_done(adapter, adapter.submit(job_of("luma", model, *inputs, **options)))
    name = "uni-1" if model == "uni-1" else "ray-3.2"
    assert server.of("POST")[0].json == {"model": name, "prompt": "ink drawing", **body}
    assert adapter.fetch(done.outputs[0], tmp_path / "out")


def test_small_files_may_go_along(server: LumaServer, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    adapter = luma(server, tmp_path, "ray-3.2-film")
    adapter.submit(job_of("luma", "ray-3.2-film", MediaRef("data_uri", data_uri(picture), "first")))
    sent = server.of("POST")[0].json["video"]["start_frame"]
    assert sent["media_type"] == "image/png" and not sent["data"].startswith("data:")


@pytest.mark.parametrize(
    "code, kind",
    [
        ("content_moderated", FailureKind.MODERATED),
        ("budget_exhausted", FailureKind.QUOTA),
        ("corrupt_input", FailureKind.MEDIA_REJECTED),
        ("generation_failed", FailureKind.PROVIDER_INTERNAL),
        ("something_new", FailureKind.PROVIDER_INTERNAL),
    ],
)
def test_failed_generations(server: LumaServer, tmp_path: Path, code: str, kind: FailureKind) -> None:
    server.script, server.ending = ["failed"], {"failure_code": code, "failure_reason": "No."}
    adapter = luma(server, tmp_path)
    failed = until_done(adapter, adapter.submit(job_of("luma", "ray-3.2", _link())))
    assert failed.failure is not None and failed.failure.kind is kind and code in failed.failure.says


def test_refusals(server: LumaServer, tmp_path: Path) -> None:
    adapter, job = luma(server, tmp_path), job_of("luma", "ray-3.2", _link())
    with pytest.raises(ProviderRejected, match="not ready"):
        adapter.submit(job_of("luma", "ray-3.2", MediaRef("asset_id", "f77", "source_video")))
    server.at_once = 0
    with pytest.raises(ProviderBusy, match="as many jobs"):
        adapter.submit(job)
    server.faults = [Fault(("POST", "generations"), 1, Answer(429, {"detail": "Rate limit exceeded"}))]
    with pytest.raises(ProviderBusy, match="slow down"):
        adapter.submit(job)
    server.faults = [Fault(("POST", "generations"), 1, Answer(400, {"failure_code": "content_moderated"}))]
    with pytest.raises(ProviderRejected, match="for its content"):
        adapter.submit(job)
    server.at_once, server.budget = 9, 0
    with pytest.raises(ProviderRejected, match="payment or credits"):
        adapter.submit(job)
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        luma(server, tmp_path, keys={"LUMA_AGENTS_API_KEY": "wrong-key"}).submit(job)
    assert not server.jobs


def test_refused_before_anything_is_sent(server: LumaServer, tmp_path: Path) -> None:
    bad = [
        ("ray-3.2", job_of("luma", "ray-3.2", _link(), strength="gently")),
        ("ray-3.2", job_of("luma", "ray-3.2", _link(), depth_blur=1.5)),
        (
            "ray-3.2",
            job_of("luma", "ray-3.2", _link(), _link("keyframe"), _link("keyframe"), keyframes_at=[0, 0.01]),
        ),
        ("ray-3.2-film", job_of("luma", "ray-3.2-film", _link("first"), _link("keyframe"))),
        ("ray-3.2", job_of("luma", "ray-3.2", _link(), prompt="x" * 6001)),
    ]
    for model, job in bad:
        with pytest.raises(ProviderRejected):
            luma(server, tmp_path, model).submit(job)
    assert not server.log


def test_files_that_are_refused_or_never_ready(server: LumaServer, clip: Path, tmp_path: Path) -> None:
    adapter = luma(server, tmp_path)
    server.ready = ["failed"]
    with pytest.raises(ProviderRejected, match="moderation refused it"):
        adapter.put(clip, "source_video")
    server.ready = ["pending"]
    with pytest.raises(ProviderBusy, match="not finished"):
        adapter.put(clip, "source_video")
    server.faults = [Fault(("PUT", "storage"), 1, Answer(403))]
    with pytest.raises(ProviderRejected):
        adapter.put(clip, "source_video")


def test_lost_records_and_links(server: LumaServer, tmp_path: Path) -> None:
    adapter, job = luma(server, tmp_path), job_of("luma", "ray-3.2", _link())
    handle = adapter.submit(job)
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED
    output = until_done(adapter, handle).outputs[0]
    server.expired = 3
    with pytest.raises(ProviderRejected, match="expired"):
        adapter.fetch(output, tmp_path / "out")
    assert adapter.fetch(adapter.poll(handle).outputs[0], tmp_path / "out")
    server.faults = [Fault(("GET", "generations"), 1, Answer(200, {"state": "completed", "output": None}))]
    assert adapter.poll(handle).state is State.FAILED
    server.jobs.clear()
    assert (adapter.poll(handle).state, adapter.poll(aged(handle, 600)).state) == (
        State.UNKNOWN,
        State.EXPIRED,
    )
    server.faults = [Fault(("POST", "generations"), drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job)
    with pytest.raises(Refused):
        adapter.find(job, 0.0)


def test_prices() -> None:
    edit, film = model_of("luma", "ray-3.2").price, model_of("luma", "ray-3.2-film").price
    assert [edit.estimate_micros(5, options={"resolution": r}) for r in ("540p", "720p", "1080p")] == [
        720_000, 1_080_000, 2_160_000]  # fmt: skip
    assert film.estimate_micros(10, options={"resolution": "1080p", "seconds": 10}) == 3_600_000


def test_the_older_api(old: LumaLegacyServer, tmp_path: Path) -> None:
    adapter = legacy(old, tmp_path)
    job = job_of(
        "luma_legacy", "ray-2", _link(), _link("first", "https://studio.example/f.png"), strength="flex_2"
    )
    began = time.time()
    assert adapter.find(job, began) is None
    handle = adapter.submit(job)
    assert old.of("POST")[0].json == {
        "generation_type": "modify_video", "model": "ray-2", "mode": "flex_2", "prompt": "ink drawing",
        "media": {"url": LINK}, "first_frame": {"url": "https://studio.example/f.png"},
    }  # fmt: skip
    found = adapter.find(job, began)
    assert found is not None and found.job_id == handle.job_id
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED
    assert [adapter.poll(handle).state for _ in range(2)] == [State.QUEUED, State.RUNNING]
    assert adapter.fetch(adapter.poll(handle).outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()
    adapter.submit(job)
    with pytest.raises(Refused, match="2 jobs"):
        adapter.find(job, began)
    with pytest.raises(Refused, match="can't be given a file"):
        adapter.put(tmp_path / "a.mp4", "source_video")


def test_the_older_api_fails(old: LumaLegacyServer, tmp_path: Path) -> None:
    adapter = legacy(old, tmp_path)
    old.script, old.reason = ["failed"], "Content was flagged by moderation"
    failed = until_done(adapter, adapter.submit(job_of("luma_legacy", "ray-2", _link())))
    assert failed.failure is not None and failed.failure.kind is FailureKind.MODERATED
    with pytest.raises(ProviderRejected, match="must be an address"):
        adapter.submit(job_of("luma_legacy", "ray-2", _link("source_video", "http://a/b.mp4")))
