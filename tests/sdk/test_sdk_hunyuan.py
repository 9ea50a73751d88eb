# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent Cloud's own SDK drives the loopback server, signs as we do, and its requests are ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.contract import MediaRef
from holdfast.clients.providers.tencent_sign import signature

from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of, until_done
from tests.loopback.hunyuan import HunyuanServer

ai3d = pytest.importorskip("tencentcloud.ai3d.v20250513.ai3d_client")
models = pytest.importorskip("tencentcloud.ai3d.v20250513.models")
credential = pytest.importorskip("tencentcloud.common.credential")
client_profile = pytest.importorskip("tencentcloud.common.profile.client_profile")
http_profile = pytest.importorskip("tencentcloud.common.profile.http_profile")
exceptions = pytest.importorskip("tencentcloud.common.exception.tencent_cloud_sdk_exception")
COUNTED = ("content-type", "x-tc-action", "x-tc-version", "x-tc-region")
PICTURE = MediaRef("https", "https://example.com/a.png", "picture")
BACK = MediaRef("https", "https://example.com/b.png", "view_back")
MESH = MediaRef("https", "https://example.com/a.glb", "mesh")


@pytest.fixture
def server() -> Iterator[HunyuanServer]:
    with HunyuanServer() as running:
        yield running


def client(server: HunyuanServer, key: str = "") -> Any:
    identity, _, secret = (key or server.key).partition(":")
    http = http_profile.HttpProfile(protocol="http", endpoint=server.url.removeprefix("http://"))
    profile = client_profile.ClientProfile(httpProfile=http)
    return ai3d.Ai3dClient(credential.Credential(identity, secret), "ap-guangzhou", profile)


def request(name: str, **fields: Any) -> Any:
    made = getattr(models, f"{name}Request")()
    made._deserialize(fields)
    return made


def test_the_whole_cycle(server: HunyuanServer, tmp_path: Path) -> None:
    theirs = client(server)
    job = theirs.SubmitHunyuanTo3DProJob(
        request("SubmitHunyuanTo3DProJob", Prompt="a lantern", FaceCount=50000)
    ).JobId
    states = []
    while not states or states[-1] not in ("DONE", "FAIL"):
        answer = theirs.QueryHunyuanTo3DProJob(request("QueryHunyuanTo3DProJob", JobId=job))
        states.append(answer.Status)
    assert states == ["WAIT", "RUN", "DONE"] and answer.ResultFile3Ds[1].Type == "GLB"
    before = list(server.log)
    server.log.clear()
    adapter = adapter_for("hunyuan", "pro", server, tmp_path)
    until_done(adapter, adapter.submit(job_of("hunyuan", "pro", prompt="a lantern", polycount=50000)))
    assert len(before) == len(server.log) == 4
    assert_same(server.log[0], before[0], headers=COUNTED)
    for mine, other in zip(server.log[1:], before[1:], strict=True):
        assert_same(mine, other, free={"JobId"}, headers=COUNTED)


CASES: dict[str, tuple[str, list[MediaRef], dict[str, Any], str, dict[str, Any]]] = {
    "views": (
        "pro", [PICTURE, BACK], {"version": "3.1", "topology": "quadrilateral", "format": "FBX"}, "SubmitHunyuanTo3DProJob",
        {"ImageUrl": PICTURE.value, "MultiViewImages": [{"ViewType": "back", "ViewImageUrl": BACK.value}], "Model": "3.1",
         "PolygonType": "quadrilateral", "ResultFormat": "FBX"},
    ),
    "rapid": (
        "rapid", [], {"prompt": "a lantern", "format": "GLB", "pbr": True}, "SubmitHunyuanTo3DRapidJob",
        {"Prompt": "a lantern", "ResultFormat": "GLB", "EnablePBR": True},
    ),
    "texture": (
        "texture", [MESH, PICTURE], {"keep_uv": True, "texture_size": 2048}, "SubmitTextureTo3DJob",
        {"File3D": {"Type": "GLB", "Url": MESH.value}, "Image": {"Url": PICTURE.value}, "EnableKeepUV": True, "TextureSize": 2048},
    ),
    "faces": (
        "reduce-face", [MESH], {"face_level": "low"}, "SubmitReduceFaceJob",
        {"File3D": {"Type": "GLB", "Url": MESH.value}, "FaceLevel": "low"},
    ),
    "rig": (
        "auto-rig", [MESH], {"motion": 13}, "SubmitAutoRiggingJob",
        {"File3D": {"Type": "GLB", "Url": MESH.value}, "MotionType": 13},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_requests_are_equal(server: HunyuanServer, tmp_path: Path, case: str) -> None:
    model, inputs, options, action, fields = CASES[case]
    assert getattr(client(server), action)(request(action, **fields)).JobId in server.jobs
    adapter = adapter_for("hunyuan", model, server, tmp_path)
    adapter.submit(job_of("hunyuan", model, *inputs, **{"prompt": "", **options}))
    assert_same(server.log[1], server.log[0], headers=COUNTED)


def test_their_signature_is_ours(server: HunyuanServer) -> None:
    client(server).SubmitHunyuanTo3DRapidJob(request("SubmitHunyuanTo3DRapidJob", Prompt="a lantern"))
    got = server.log[0]
    made = signature(
        "the-secret-key", "ai3d", int(got.headers["x-tc-timestamp"]), got.headers["host"],
        got.headers["content-type"], got.body,
    )  # fmt: skip
    assert got.headers["authorization"].endswith(f"Signature={made}")


def test_failures_are_understood_alike(server: HunyuanServer) -> None:
    asked = request("SubmitHunyuanTo3DRapidJob", Prompt="a lantern")
    with pytest.raises(exceptions.TencentCloudSDKException, match="signature"):
        client(server, "AKIDloopback:wrong").SubmitHunyuanTo3DRapidJob(asked)
    server.slots = 0
    with pytest.raises(exceptions.TencentCloudSDKException, match="Too many jobs"):
        client(server).SubmitHunyuanTo3DRapidJob(asked)
