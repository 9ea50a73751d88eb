# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy, against a server that speaks its contract."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.clients.job_steps import spec_of
from holdfast.clients.takes import digest_of
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.meshy import MeshyServer
from tests.loopback.server import Answer, Fault

PICTURE = MediaRef("https", "https://example.com/lamp.png", "picture")


@pytest.fixture
def server() -> Iterator[MeshyServer]:
    with MeshyServer() as running:
        yield running


def of(server: MeshyServer, model: str, tmp_path: Path) -> Adapter:
    return adapter_for("meshy", model, server, tmp_path / "spool")


def test_text_becomes_a_preview_that_is_refined(server: MeshyServer, tmp_path: Path) -> None:
    preview = of(server, "text-to-3d", tmp_path)
    handle = preview.submit(
        job_of("meshy", "text-to-3d", prompt="a lantern", polycount=5000, topology="quad")
    )
    sent = server.of("POST")[0].json
    assert sent == {
        "mode": "preview", "prompt": "a lantern", "target_polycount": 5000, "topology": "quad", "target_formats": ["glb"],
    }  # fmt: skip
    first = preview.poll(handle)
    assert (first.state, first.queue_position) == (State.QUEUED, 2)
    assert preview.poll(handle).progress == 0.4
    done = preview.poll(handle)
    assert done.state is State.SUCCEEDED and done.cost_micros == 400_000
    [output] = done.outputs
    assert output.ref.expires_at is not None and output.ref.expires_at > time.time() + 86400
    [file] = preview.fetch(output, tmp_path / "got")
    assert file.path.name == "00.glb" and file.path.read_bytes() == media.glb()
    assert "authorization" not in server.of("GET", "/files/")[0].headers
    refine = of(server, "text-to-3d-refine", tmp_path)
    mesh = MediaRef("job_output", handle.job_id, "mesh")
    handle = refine.submit(job_of("meshy", "text-to-3d-refine", mesh, prompt="brass", pbr=True))
    assert server.of("POST")[1].json == {
        "mode": "refine", "preview_task_id": mesh.value, "texture_prompt": "brass", "enable_pbr": True, "target_formats": ["glb"],
    }  # fmt: skip
    assert until_done(refine, handle).state is State.SUCCEEDED


def test_pictures_go_as_data_or_address(server: MeshyServer, tmp_path: Path) -> None:
    single = of(server, "image-to-3d", tmp_path)
    path = tmp_path / "a.png"
    path.write_bytes(media.png())
    job = job_of(
        "meshy",
        "image-to-3d",
        single.put(path, "picture"),
        prompt="",
        texture=False,
        format="fbx",
        ai_model="meshy-7",
    )
    single.submit(job)
    sent = server.of("POST")[0].json
    assert sent["image_url"].startswith("data:image/png;base64,") and sent["should_texture"] is False
    assert sent["target_formats"] == ["fbx"]
    several = of(server, "multi-image-to-3d", tmp_path)
    several.submit(job_of("meshy", "multi-image-to-3d", PICTURE, PICTURE, prompt=""))
    assert server.of("POST")[1].json["image_urls"] == [PICTURE.value] * 2
    with pytest.raises(ProviderRejected, match="1 to 4 picture"):
        several.submit(job_of("meshy", "multi-image-to-3d", *[PICTURE] * 5))
    chained = MediaRef("job_output", "018a", "picture")
    single.submit(job_of("meshy", "image-to-3d", chained, prompt=""))
    assert server.of("POST")[2].json["input_task_id"] == "018a"


def test_every_route_knows_its_own_models(server: MeshyServer, tmp_path: Path) -> None:
    with pytest.raises(ProviderRejected, match="ai_model can't be 'meshy-7'"):
        of(server, "text-to-3d", tmp_path).submit(job_of("meshy", "text-to-3d", ai_model="meshy-7"))
    with pytest.raises(ProviderRejected, match="ultra mode"):
        of(server, "image-to-3d", tmp_path).submit(
            job_of("meshy", "image-to-3d", PICTURE, ai_model="meshy-6", ultra_mode=True)
        )
    assert not server.log


def test_retexture_remesh_and_rig(server: MeshyServer, tmp_path: Path) -> None:
    mesh = MediaRef("https", "https://example.com/lamp.glb", "mesh")
    retexture = of(server, "retexture", tmp_path)
    retexture.submit(job_of("meshy", "retexture", mesh, prompt="oak", pbr=True))
    body = server.log[0].json
    assert (body["model_url"], body["text_style_prompt"]) == (mesh.value, "oak")
    for wrong in ((mesh,), (mesh, MediaRef("https", "https://example.com/s.png", "reference"))):
        with pytest.raises(ProviderRejected, match="one of the two"):
            retexture.submit(job_of("meshy", "retexture", *wrong, prompt="oak" if len(wrong) > 1 else ""))
    remesh = of(server, "remesh", tmp_path)
    handle = remesh.submit(job_of("meshy", "remesh", mesh, prompt="", polycount=900, format="obj"))
    assert server.log[1].json == {"model_url": mesh.value, "target_polycount": 900, "target_formats": ["obj"]}
    assert [out.media_type for out in until_done(remesh, handle).outputs] == ["model/obj"]
    rig = of(server, "rigging", tmp_path)
    handle = rig.submit(job_of("meshy", "rigging", mesh, prompt="", height_meters=1.8))
    assert server.of("POST")[-1].json == {"model_url": mesh.value, "height_meters": 1.8}
    assert [out.name for out in until_done(rig, handle).outputs] == ["00"]


def test_refusals_are_told_apart(server: MeshyServer, tmp_path: Path) -> None:
    adapter, job = of(server, "text-to-3d", tmp_path), job_of("meshy", "text-to-3d")
    server.slots = 0
    with pytest.raises(ProviderBusy, match=r"no free slot.*another job has ended"):
        adapter.submit(job)
    server.slots, server.credits = 10, 0
    with pytest.raises(ProviderRejected, match="payment or credits"):
        adapter.submit(job)
    server.faults = [
        Fault(answer=Answer(429, {"message": "RateLimitExceeded"}, headers={"Retry-After": "3"}))
    ]
    with pytest.raises(ProviderBusy, match="slow down"):
        adapter.submit(job)
    server.faults = [Fault(answer=Answer(422, {"message": "no pose"}))]
    with pytest.raises(ProviderRejected, match="can't work with what was sent: no pose"):
        adapter.submit(job)
    server.faults = [Fault(answer=Answer(200, {"nothing": 1}))]
    with pytest.raises(Uncertain, match="no id"):
        adapter.submit(job)
    adapter = adapter_for("meshy", "text-to-3d", server, tmp_path, keys={"MESHY_API_KEY": "wrong-key"})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        adapter.submit(job)


def test_failed_gone_and_strange_tasks(server: MeshyServer, tmp_path: Path) -> None:
    adapter = of(server, "text-to-3d", tmp_path)
    server.script, server.error = ["FAILED"], "Timed out"
    failed = adapter.poll(adapter.submit(job_of("meshy", "text-to-3d")))
    assert failed.state is State.FAILED and failed.failure is not None
    assert failed.failure.billed is False and failed.failure.says.endswith("Timed out")
    server.script = ["SOMETHING_NEW", "EXPIRED"]
    handle = adapter.submit(job_of("meshy", "text-to-3d"))
    assert adapter.poll(handle).state is State.UNKNOWN
    assert adapter.poll(handle).state is State.EXPIRED
    server.gone = True
    assert adapter.poll(handle).state is State.UNKNOWN
    late = adapter.poll(aged(handle, 400))
    assert late.state is State.EXPIRED and late.failure is not None
    assert late.failure.kind is FailureKind.NOT_FOUND


def test_an_expired_link_and_something_else_than_a_mesh(server: MeshyServer, tmp_path: Path) -> None:
    adapter = of(server, "text-to-3d", tmp_path)
    [output] = until_done(adapter, adapter.submit(job_of("meshy", "text-to-3d"))).outputs
    server.faults = [Fault(("GET", "/files/"), answer=Answer(403, body=b"expired"))]
    with pytest.raises(ProviderRejected, match="expired"):
        adapter.fetch(output, tmp_path)
    server.faults = [Fault(("GET", "/files/"), answer=Answer(200, body=media.png()))]
    with pytest.raises(ProviderRejected):
        adapter.fetch(output, tmp_path)


def test_a_lost_create_is_found_by_its_time_and_prompt(server: MeshyServer, tmp_path: Path) -> None:
    adapter, job, since = of(server, "text-to-3d", tmp_path), job_of("meshy", "text-to-3d"), time.time()
    assert adapter.find(job, since) is None
    server.faults = [Fault(("POST", ""), drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job)
    adapter.submit(job_of("meshy", "text-to-3d", prompt="something else"))
    found = adapter.find(job, since)
    assert found is not None and found.job_id == min(server.tasks)
    assert until_done(adapter, found).state is State.SUCCEEDED
    assert adapter.find(job, since + 3600) is None
    adapter.submit(job)
    with pytest.raises(Refused, match="2 tasks"):
        adapter.find(job, since)


def test_an_earlier_result_needs_no_upload(server: MeshyServer, tmp_path: Path) -> None:
    adapter = of(server, "text-to-3d-refine", tmp_path)
    earlier = {"kind": "job_output", "value": "018a", "role": "mesh"}
    request = {"inputs": [earlier], "prompt": "brass", "seed": None, "options": {}}
    job = SimpleNamespace(id="1", provider="meshy", model="text-to-3d-refine")
    spec = spec_of(request, job, adapter)  # type: ignore[arg-type]
    assert spec.inputs == (MediaRef("job_output", "018a", "mesh"),) and not server.log
    other = {**request, "inputs": [{**earlier, "value": "018b"}]}
    assert digest_of(adapter.model, request) != digest_of(adapter.model, other)


def test_cancel(server: MeshyServer, tmp_path: Path) -> None:
    adapter = of(server, "text-to-3d", tmp_path)
    handle = adapter.submit(job_of("meshy", "text-to-3d"))
    assert adapter.cancel(handle) is CancelOutcome.REQUESTED
    assert adapter.cancel(handle) is CancelOutcome.TOO_LATE
