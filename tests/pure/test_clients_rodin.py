# SPDX-License-Identifier: GPL-3.0-or-later
"""Rodin, against a server that speaks its contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.rodin import RodinServer
from tests.loopback.server import Answer, Fault


@pytest.fixture
def server() -> Iterator[RodinServer]:
    with RodinServer() as running:
        yield running


@pytest.fixture
def adapter(server: RodinServer, tmp_path: Path) -> Adapter:
    return adapter_for("rodin", "gen-2", server, tmp_path / "spool")


def picture(adapter: Adapter, tmp_path: Path, name: str = "lamp.PNG") -> MediaRef:
    path = tmp_path / name
    path.write_bytes(media.png())
    return adapter.put(path, "picture")


def test_pictures_become_a_mesh(server: RodinServer, adapter: Adapter, tmp_path: Path) -> None:
    given = [picture(adapter, tmp_path), picture(adapter, tmp_path, "b.png")]
    job = job_of("rodin", "gen-2", *given, prompt="a lantern", seed=42, tier="Gen-2", topology="Quad", polycount=9000,
                 format="glb", tpose=True, bbox_condition=[1.0, 2.0, 0.5], addons=["HighPack"])  # fmt: skip
    handle = adapter.submit(job)
    task = server.tasks[handle.poll_ref]
    assert task["fields"] == {
        "prompt": "a lantern", "seed": "42", "tier": "Gen-2", "mesh_mode": "Quad", "quality_override": "9000",
        "geometry_file_format": "glb", "TAPose": "true", "bbox_condition": "[1,2,0.5]", "addons": "HighPack",
    }  # fmt: skip
    assert task["images"] == [media.png()] * 2
    assert [name for name, file, _, _ in server.log[0].parts if file] == ["images", "images"]
    assert (handle.job_id, handle.poll_ref) == ("uuid-0", "subscription-0")
    assert adapter.poll(handle).state is State.QUEUED
    half = adapter.poll(handle)
    assert (half.state, half.progress) == (State.RUNNING, 0.5)
    done = adapter.poll(handle)
    assert [out.media_type for out in done.outputs] == ["model/gltf-binary", "image/webp", "image/png"]
    [file] = adapter.fetch(done.outputs[0], tmp_path / "got")
    assert file.path == tmp_path / "got" / "00.glb" and file.path.read_bytes() == media.glb()


def test_links_that_died_are_asked_for_again(server: RodinServer, adapter: Adapter, tmp_path: Path) -> None:
    handle = adapter.submit(job_of("rodin", "gen-2"))
    done = until_done(adapter, handle)
    server.now += 700
    with pytest.raises(ProviderRejected, match="expired"):
        adapter.fetch(done.outputs[0], tmp_path)
    again = adapter.poll(handle).outputs[0]
    assert again.ref.value != done.outputs[0].ref.value
    assert adapter.fetch(again, tmp_path)


def test_text_alone_is_a_form_too(server: RodinServer, adapter: Adapter) -> None:
    handle = adapter.submit(job_of("rodin", "gen-2", prompt="a lantern"))
    assert server.log[0].headers["content-type"].startswith("multipart/form-data")
    assert server.tasks[handle.poll_ref]["fields"] == {"prompt": "a lantern"}
    with pytest.raises(ProviderRejected, match="pictures or a prompt"):
        adapter.submit(job_of("rodin", "gen-2", prompt=""))
    with pytest.raises(ProviderRejected, match="seed 65536"):
        adapter.submit(job_of("rodin", "gen-2", seed=65536))


def test_failures_in_good_answers(server: RodinServer, adapter: Adapter, tmp_path: Path) -> None:
    server.credits = 0
    with pytest.raises(ProviderRejected, match="Not enough credits"):
        adapter.submit(job_of("rodin", "gen-2"))
    server.credits = 9
    server.faults = [Fault(answer=Answer(201, {"error": None, "uuid": "u"}))]
    with pytest.raises(Uncertain, match="gave no key"):
        adapter.submit(job_of("rodin", "gen-2"))
    handle = adapter.submit(job_of("rodin", "gen-2"))
    server.script = [["Done", "Failed"]]
    failed = adapter.poll(handle)
    assert failed.state is State.FAILED and failed.failure is not None
    server.script = [["Done", "Done"]]
    server.faults = [
        Fault(("POST", "/download"), answer=Answer(200, {"error": "TRY_LATER", "message": "not yet"}))
    ]
    with pytest.raises(ProviderBusy, match="not yet"):
        adapter.poll(handle)
    for words, state in (
        ([["Canceled"]], State.CANCELLED),
        ([["Dreaming"]], State.UNKNOWN),
        ([[]], State.UNKNOWN),
    ):
        server.script = words
        assert adapter.poll(handle).state is state
    server.tasks.clear()
    assert adapter.poll(handle).state is State.UNKNOWN
    assert adapter.poll(aged(handle, 999)).state is State.EXPIRED


def test_refusals(server: RodinServer, adapter: Adapter, tmp_path: Path) -> None:
    job = job_of("rodin", "gen-2")
    for status, kind, says in (
        (402, ProviderRejected, "payment"), (429, ProviderBusy, "slow down"), (413, ProviderRejected, "too large"),
    ):  # fmt: skip
        server.faults = [Fault(answer=Answer(status, {"error": "X"}))]
        with pytest.raises(kind, match=says):
            adapter.submit(job)
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        adapter_for("rodin", "gen-2", server, tmp_path, keys={"K": "wrong-key"}).submit(job)
    server.faults = [Fault(("POST", "/rodin"), drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job)
    with pytest.raises(Refused):
        adapter.find(job, 0.0)
    assert adapter.cancel(adapter.submit(job)) is CancelOutcome.UNSUPPORTED
    big = tmp_path / "big.png"
    big.write_bytes(media.png() + bytes(21_000_000))
    with pytest.raises(InputError, match="more than Rodin takes"):
        adapter.put(big, "picture")
    with pytest.raises(ProviderRejected, match=r"big\.png is larger than Rodin takes \(20 MB\)"):
        adapter.submit(job_of("rodin", "gen-2", MediaRef("path", str(big), "picture")))
    with pytest.raises(InputError, match="Can't read"):
        adapter.put(tmp_path / "none.png", "picture")
