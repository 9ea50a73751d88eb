# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D's own server, both versions."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.pipeline.errors import ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.hunyuan_local import HunyuanLocalServer
from tests.loopback.server import Answer, Fault

ID = "hunyuan_local"


@pytest.fixture(params=[False, True])
def server(request: pytest.FixtureRequest) -> Iterator[HunyuanLocalServer]:
    with HunyuanLocalServer(request.param) as running:
        yield running


def of(server: HunyuanLocalServer, tmp_path: Path, **settings: object) -> Adapter:
    model = "hunyuan3d-2.1" if server.newer else "hunyuan3d-2"
    return adapter_for(ID, model, server, tmp_path / "spool", settings=settings)


def picture(adapter: Adapter, tmp_path: Path) -> MediaRef:
    (tmp_path / "a.png").write_bytes(media.png())
    return adapter.put(tmp_path / "a.png", "picture")


def test_sent_asked_about_and_kept(server: HunyuanLocalServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path)
    job = job_of(ID, adapter.model.model, picture(adapter, tmp_path), prompt="", seed=7, texture=True, polycount=40000,
                 steps=5, octree_resolution=256)  # fmt: skip
    server.script = ["processing", "texturing", "completed"]
    handle = adapter.submit(job)
    sent = server.log[0].json
    assert base64.b64decode(sent.pop("image")) == media.png()
    assert sent == {
        "seed": 7, "texture": True, "face_count": 40000, "num_inference_steps": 5, "octree_resolution": 256,
    }  # fmt: skip
    assert "authorization" not in server.log[0].headers
    assert [adapter.poll(handle).state for _ in range(2)] == [State.RUNNING] * 2
    done = adapter.poll(handle)
    [file] = adapter.fetch(done.outputs[0], tmp_path / "got")
    assert file.path.name == "00.glb" and file.path.read_bytes() == media.glb()
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED


def test_one_request_that_waits(server: HunyuanLocalServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path, wait=True)
    job = job_of(ID, adapter.model.model, picture(adapter, tmp_path), prompt="")
    assert adapter.create(job).patience_s == 900
    handle = adapter.submit(job)
    done = adapter.poll(handle)
    assert done.state is State.SUCCEEDED and adapter.fetch(done.outputs[0], tmp_path / "got")
    assert len(server.log) == 1
    found = adapter.find(job, 0.0)
    assert found is not None and found.poll_ref == handle.poll_ref
    server.crash = True
    with pytest.raises(ProviderRejected, match="CUDA out of memory"):
        adapter.submit(job)


def test_a_crash_is_told_or_found_by_the_clock(server: HunyuanLocalServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path, deadline_s=600)
    server.crash = True
    handle = adapter.submit(job_of(ID, adapter.model.model, picture(adapter, tmp_path), prompt=""))
    first = adapter.poll(handle)
    late = adapter.poll(aged(handle, 700))
    assert first.state is (State.FAILED if server.newer else State.RUNNING)
    assert late.state is State.FAILED and late.failure is not None and late.failure.billed is False
    assert ("out of memory" if server.newer else "more than 10 minutes") in late.failure.says


def test_bad_requests_and_bad_answers(server: HunyuanLocalServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path)
    with pytest.raises(ProviderRejected, match=r"needs a picture|takes 1 to 1 picture"):
        adapter.submit(job_of(ID, adapter.model.model, prompt=""))
    given = picture(adapter, tmp_path)
    handle = adapter.submit(job_of(ID, adapter.model.model, given, prompt=""))
    for body in ({"status": "completed"}, {"status": "completed", "model_base64": "%%%"}):
        server.faults = [Fault(answer=Answer(200, body))]
        assert adapter.poll(handle).state is State.FAILED
    server.faults = [Fault(answer=Answer(200, {"status": "dreaming"}))]
    assert adapter.poll(handle).state is State.UNKNOWN
    server.faults = [Fault(answer=Answer(200, {"status": "completed", "model_base64": "aGVsbG8="}))]
    strange = until_done(adapter, handle)
    with pytest.raises(ProviderRejected, match="something else"):
        adapter.fetch(strange.outputs[0], tmp_path / "got")
    server.faults = [Fault(("POST", ""), drop="after")]
    fresh = adapter_for(ID, adapter.model.model, server, tmp_path / "other")
    job = job_of(ID, adapter.model.model, given, prompt="")
    with pytest.raises(Uncertain):
        fresh.submit(job)
    with pytest.raises(Refused):
        fresh.find(job, 0.0)


def test_words_alone_where_the_server_takes_them(tmp_path: Path) -> None:
    with HunyuanLocalServer() as server:
        adapter = of(server, tmp_path)
        adapter.submit(job_of(ID, "hunyuan3d-2", prompt="a lantern"))
        assert server.log[0].json == {"text": "a lantern"}
