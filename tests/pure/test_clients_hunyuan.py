# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D at Tencent Cloud, against a server that speaks its contract and checks its signature."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.clients.providers.hunyuan import auth
from holdfast.clients.providers.tencent_sign import signature
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.hunyuan import HunyuanServer
from tests.loopback.server import Answer, Fault

MESH = MediaRef("https", "https://example.com/lamp.glb?sign=1", "mesh")


@pytest.fixture
def server() -> Iterator[HunyuanServer]:
    with HunyuanServer() as running:
        yield running


def of(server: HunyuanServer, model: str, tmp_path: Path, **settings: object) -> Adapter:
    return adapter_for("hunyuan", model, server, tmp_path / "spool", settings=settings)


def body(server: HunyuanServer) -> dict[str, object]:
    found = server.log[-1].json
    assert isinstance(found, dict)
    return found


def test_the_signature_of_the_document() -> None:
    said = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    kind = "application/json; charset=utf-8"
    made = signature(
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", "cvm", 1551113065, "cvm.tencentcloudapi.com", kind, said
    )
    assert made == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_a_prompt_becomes_a_mesh(server: HunyuanServer, tmp_path: Path) -> None:
    adapter = of(server, "pro", tmp_path, credit_micros=10000)
    handle = adapter.submit(
        job_of("hunyuan", "pro", prompt="a lantern", version="3.1", polycount=50000, pbr=True)
    )
    assert body(server) == {"Prompt": "a lantern", "Model": "3.1", "FaceCount": 50000, "EnablePBR": True}
    assert server.log[0].headers["x-tc-action"] == "SubmitHunyuanTo3DProJob"
    assert adapter.poll(handle).state is State.QUEUED
    done = until_done(adapter, handle)
    assert done.cost_micros == 200_000
    assert [out.media_type for out in done.outputs] == ["model/gltf-binary", "model/obj"]
    names = [adapter.fetch(out, tmp_path / "got")[0].path.name for out in done.outputs]
    assert names == ["00.glb", "01.zip"]
    assert "authorization" not in server.log[-1].headers


def test_pictures_go_as_bare_base64(server: HunyuanServer, tmp_path: Path) -> None:
    adapter, path = of(server, "pro", tmp_path), tmp_path / "a.png"
    path.write_bytes(media.png())
    back = MediaRef("https", "https://example.com/b.png", "view_back")
    adapter.submit(job_of("hunyuan", "pro", adapter.put(path, "picture"), back, prompt=""))
    sent = body(server)
    assert base64.b64decode(str(sent["ImageBase64"])) == media.png()
    assert sent["MultiViewImages"] == [{"ViewType": "back", "ViewImageUrl": back.value}]
    picture = MediaRef("https", "https://example.com/a.png", "picture")
    with pytest.raises(ProviderRejected, match="not both"):
        adapter.submit(job_of("hunyuan", "pro", picture, prompt="and words"))
    adapter.submit(job_of("hunyuan", "pro", picture, prompt="and words", generate_type="Sketch"))
    with pytest.raises(ProviderRejected, match="needs a prompt or a picture"):
        adapter.submit(job_of("hunyuan", "pro", prompt=""))


def test_operations_on_meshes(server: HunyuanServer, tmp_path: Path) -> None:
    style = MediaRef("https", "https://example.com/s.png", "picture")
    texture = of(server, "texture", tmp_path)
    handle = texture.submit(job_of("hunyuan", "texture", MESH, style, prompt="", keep_uv=True))
    assert body(server) == {
        "File3D": {"Type": "GLB", "Url": MESH.value}, "Image": {"Url": style.value}, "EnableKeepUV": True,
    }  # fmt: skip
    assert until_done(texture, handle).state is State.SUCCEEDED
    of(server, "reduce-face", tmp_path).submit(
        job_of("hunyuan", "reduce-face", MESH, prompt="", face_level="low")
    )
    assert body(server)["FaceLevel"] == "low"
    rig = of(server, "auto-rig", tmp_path)
    assert until_done(rig, rig.submit(job_of("hunyuan", "auto-rig", MESH, prompt="", motion=13))).outputs


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [("AuthFailure.UnauthorizedOperation", ProviderRejected, "did not accept the key"),
     ("RequestLimitExceeded", ProviderBusy, "slow down"), ("LimitExceeded", ProviderBusy, "free slot"),
     ("ResourceInsufficient", ProviderRejected, "credits"), ("InternalError", ProviderBusy, "error of its own"),
     ("OperationDenied.ImageIllegalDetected", ProviderRejected, "did not allow"),
     ("InvalidParameterValue", ProviderRejected, "refused it")],
)  # fmt: skip
def test_failures_in_good_answers(
    server: HunyuanServer, tmp_path: Path, code: str, error: type[Exception], says: str
) -> None:
    server.code = code
    with pytest.raises(error, match=says):
        of(server, "rapid", tmp_path).submit(job_of("hunyuan", "rapid"))


def test_slots_keys_and_clocks(server: HunyuanServer, tmp_path: Path) -> None:
    job = job_of("hunyuan", "rapid")
    server.slots = 0
    with pytest.raises(ProviderBusy, match="another job has ended"):
        of(server, "rapid", tmp_path).submit(job)
    server.slots = 3
    with pytest.raises(ProviderRejected, match="signature is not right"):
        adapter_for(
            "hunyuan", "rapid", server, tmp_path, keys={"HOLDFAST_HUNYUAN_KEY": "AKIDloopback:no"}
        ).submit(job)
    pair = {"TENCENTCLOUD_SECRET_ID": "AKIDloopback", "TENCENTCLOUD_SECRET_KEY": "the-secret-key"}
    adapter_for("hunyuan", "rapid", server, tmp_path, keys=pair).submit(job)
    server.now = lambda: 0.0
    with pytest.raises(ProviderRejected, match="too old"):
        of(server, "rapid", tmp_path).submit(job)
    for keys in ({}, {"TENCENTCLOUD_SECRET_ID": "x"}, {"HOLDFAST_HUNYUAN_KEY": "one"}):
        with pytest.raises(Refused, match="no key"):
            auth(keys, {})


def test_failed_lost_and_gone(server: HunyuanServer, tmp_path: Path) -> None:
    adapter, job = of(server, "pro", tmp_path), job_of("hunyuan", "pro")
    server.script = ["FAIL"]
    failed = adapter.poll(adapter.submit(job))
    assert failed.state is State.FAILED and failed.failure is not None
    assert failed.failure.says.endswith("nothing came of it")
    server.script = ["THINKING"]
    handle = adapter.submit(job)
    assert adapter.poll(handle).state is State.UNKNOWN
    server.faults = [
        Fault(answer=Answer(200, {"Response": {"Error": {"Code": "InternalError", "Message": "x"}}}))
    ]
    with pytest.raises(ProviderBusy):
        adapter.poll(handle)
    server.jobs.clear()
    assert adapter.poll(handle).state is State.UNKNOWN
    gone = adapter.poll(aged(handle, 90000))
    assert gone.state is State.EXPIRED and gone.failure is not None
    assert gone.failure.kind is FailureKind.NOT_FOUND
    server.faults = [Fault(drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job)
    with pytest.raises(Refused):
        adapter.find(job, 0.0)
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED
