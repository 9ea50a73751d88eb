# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's own SDK drives the loopback server, and our requests are its requests."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.contract import MediaRef, State
from holdfast.clients.providers import tripo as ours

from tests.loopback import media
from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of, until_done
from tests.loopback.tripo import TripoServer

os.environ["TRIPO_DISABLE_GEO_DETECTION"] = "1"  # importing the SDK would ask a server of others where we are
tripo3d = pytest.importorskip("tripo3d")
URL = "https://example.com/{}.png"
TASK = "11111111-2222-4333-8444-000000000099"


@pytest.fixture
def server() -> Iterator[TripoServer]:
    with TripoServer() as running:
        yield running


def ask(server: TripoServer, work: Callable[[Any], Awaitable[Any]]) -> Any:
    async def all_of_it() -> Any:
        async with tripo3d.TripoClient(api_key=server.key, v3_base_url=server.url) as client:
            return await work(client)

    return asyncio.run(all_of_it())


def ref(role: str, kind: str = "https") -> MediaRef:
    return MediaRef(kind, TASK if kind == "job_output" else URL.format(role), role)


def test_the_whole_cycle(server: TripoServer, tmp_path: Path) -> None:
    path = tmp_path / "lamp.png"
    path.write_bytes(media.png())

    async def cycle(client: Any) -> Any:
        name = await client.image_to_model(path, model_seed=7, texture_seed=9, face_limit=20000)
        while not (task := await client.get_task(name)).status.is_terminal():
            pass
        return task, await client.download_task_models(task, str(tmp_path))

    task, files = ask(server, cycle)
    assert task.status.value == "success" and Path(files["model"]).read_bytes() == media.glb()
    theirs = list(server.log)
    server.log.clear()
    adapter = adapter_for("tripo", "image-to-model", server, tmp_path / "spool")
    job = job_of(
        "tripo",
        "image-to-model",
        adapter.put(path, "picture"),
        prompt="",
        seed=7,
        texture_seed=9,
        polycount=20000,
    )
    done = until_done(adapter, adapter.submit(job))
    adapter.fetch(done.outputs[0], tmp_path / "got")
    assert done.state is State.SUCCEEDED and len(server.log) == len(theirs)
    upload, create, *looks, _ = server.log
    assert_same(upload, theirs[0])
    assert_same(create, theirs[1], free={"input"})  # the token of each one's own upload
    for mine, other in zip(looks, theirs[2:-1], strict=True):
        assert mine.path.startswith("/v3/tasks/") and other.path.startswith("/v3/tasks/")
        assert mine.headers["authorization"] == other.headers["authorization"]


CASES: dict[str, tuple[str, list[MediaRef], dict[str, Any], Callable[[Any], Awaitable[Any]]]] = {
    "text": (
        "text-to-model", [],
        {"prompt": "a lantern", "negative": "rust", "seed": 7, "image_seed": 8, "texture_seed": 9, "pbr": False,
         "geometry_quality": "detailed", "compress": True, "quad": True},
        lambda c: c.text_to_model("a lantern", "rust", model_seed=7, image_seed=8, texture_seed=9, pbr=False,
                                  geometry_quality="detailed", compress=True, quad=True),
    ),
    "picture": (
        "image-to-model", [ref("picture")],
        {"texture_quality": "detailed", "auto_size": True, "orientation": "align_image", "enable_image_autofix": True},
        lambda c: c.image_to_model(URL.format("picture"), texture_quality="detailed", auto_size=True,
                                   orientation="align_image", enable_image_autofix=True),
    ),
    "views": (
        "multiview-to-model", [ref("view_front"), ref("view_back")], {"seed": 5},
        lambda c: c.multiview_to_model([URL.format("view_front"), None, URL.format("view_back"), None], model_seed=5),
    ),
    "texture": (
        "texture", [ref("mesh", "job_output"), ref("reference")], {"prompt": "oak", "seed": 3, "bake": False},
        lambda c: c.texture_model(TASK, text_prompt="oak", style_image=URL.format("reference"), texture_seed=3, bake=False),
    ),
    "convert": (
        "convert", [ref("mesh", "job_output")], {"format": "FBX", "polycount": 9000, "texture_size": 2048},
        lambda c: c.convert_model(TASK, "FBX", face_limit=9000, texture_size=2048),
    ),
    "rig": (
        "rig", [ref("mesh", "job_output")],
        {"rig_model": "v3.0-20260909", "rig_type": "quadruped", "spec": "unity", "format": "fbx"},
        lambda c: c.rig(TASK, model="v3.0-20260909", rig_type="quadruped", spec="unity", out_format="fbx"),
    ),
    "depth": (
        "image-to-depth", [ref("picture")], {"kind": "gray", "process_res": 1008},
        lambda c: c.image_to_depth(URL.format("picture"), kind="gray", process_res=1008),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_requests_are_equal(server: TripoServer, tmp_path: Path, case: str) -> None:
    model, inputs, options, work = CASES[case]
    assert ask(server, work) in server.tasks
    adapter = adapter_for("tripo", model, server, tmp_path)
    adapter.submit(job_of("tripo", model, *inputs, **{"prompt": "", **options}))
    theirs, mine = server.log
    assert_same(mine, theirs)
    assert mine.json.get("inputs") == theirs.json.get("inputs")


def test_a_large_file_goes_to_storage(
    server: TripoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lamp.png"
    path.write_bytes(media.png())
    monkeypatch.setattr(tripo3d.TripoClient, "MULTIPART_MAX_BYTES", 10)
    monkeypatch.setattr(ours, "IN_FORM", 10)
    ask(server, lambda client: client.upload_file(path))
    adapter_for("tripo", "image-to-model", server, tmp_path).put(path, "picture")
    presign, put, my_presign, my_put = server.log
    assert_same(my_presign, presign)
    assert my_put.body == put.body and my_put.headers["content-type"] == put.headers["content-type"]
    assert "authorization" not in my_put.headers and "authorization" not in put.headers


def test_failures_are_understood_alike(server: TripoServer, tmp_path: Path) -> None:
    server.credits = 0
    with pytest.raises(tripo3d.TripoAPIError, match="You need more credits"):
        ask(server, lambda client: client.text_to_model("a lantern"))
    with pytest.raises(Exception, match="You need more credits"):
        adapter_for("tripo", "text-to-model", server, tmp_path).submit(job_of("tripo", "text-to-model"))
