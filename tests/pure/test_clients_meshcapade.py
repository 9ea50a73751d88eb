# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshcapade, against a server that speaks what is known of its contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.meshcapade import MeshcapadeServer
from tests.loopback.server import Answer, Fault

ID, MODEL = "meshcapade", "mocapade-avatar"


@pytest.fixture
def server() -> Iterator[MeshcapadeServer]:
    with MeshcapadeServer() as running:
        yield running


@pytest.fixture
def adapter(server: MeshcapadeServer, tmp_path: Path) -> Adapter:
    return adapter_for(ID, MODEL, server, tmp_path / "spool")


@pytest.fixture
def film(adapter: Adapter, tmp_path: Path) -> MediaRef:
    (tmp_path / "a.mp4").write_bytes(media.mp4())
    return adapter.put(tmp_path / "a.mp4", "source_video")


def test_a_film_becomes_a_body_in_motion(
    server: MeshcapadeServer, adapter: Adapter, film: MediaRef, tmp_path: Path
) -> None:
    assert (film.kind, server.films) == ("asset_id", {"avatar-0": media.mp4()})
    assert "authorization" not in server.of("PUT")[0].headers
    handle = adapter.submit(job_of(ID, MODEL, film, prompt="", format="glb", lock_feet=False, pose="a"))
    assert server.log[-1].json == {"lockFeet": False, "modelVersion": "SMPLX"}
    states = [adapter.poll(handle).state for _ in range(3)]
    assert states == [State.QUEUED, State.RUNNING, State.RUNNING] and len(server.meshes) == 1
    assert server.of("POST", "export")[0].json == {
        "format": "glb", "pose": "a", "compatibilityMode": "DEFAULT", "animation": "motion-1", "filename": "holdfast",
    }  # fmt: skip
    again = adapter_for(ID, MODEL, server, tmp_path / "spool")  # after a restart
    done = until_done(again, handle)
    [file] = again.fetch(done.outputs[0], tmp_path / "got")
    assert file.path.name == "00.glb" and len(server.meshes) == 1
    assert "authorization" not in server.log[-1].headers


def test_a_lost_fit_is_found_by_its_avatar(
    server: MeshcapadeServer, adapter: Adapter, film: MediaRef
) -> None:
    job = job_of(ID, MODEL, film, prompt="", format="glb")
    assert adapter.find(job, 0.0) is None
    server.faults = [Fault(("POST", "fit"), drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job)
    again = job_of(
        ID, MODEL, MediaRef("path", "/a.mp4", "source_video"), prompt="", format="glb"
    )  # after a restart
    found = adapter.find(again, 0.0)
    assert found is not None and until_done(adapter, found).state is State.SUCCEEDED and server.fits == 1
    server.avatars.clear()
    assert adapter.find(job, 0.0) is None


def test_a_lost_export_is_asked_for_again(server: MeshcapadeServer, adapter: Adapter, film: MediaRef) -> None:
    handle = adapter.submit(job_of(ID, MODEL, film, prompt="", format="glb"))
    server.script = ["READY"]
    server.faults = [
        Fault(("POST", "export"), drop="after"),
        Fault(("POST", "export"), answer=Answer(409, {})),
    ]
    for _ in range(2):
        with pytest.raises(ProviderBusy):
            adapter.poll(handle)
    assert until_done(adapter, handle).state is State.SUCCEEDED and server.fits == 1


def test_refusals(server: MeshcapadeServer, adapter: Adapter, film: MediaRef, tmp_path: Path) -> None:
    job = job_of(ID, MODEL, film, prompt="")
    server.credits = 0
    with pytest.raises(ProviderRejected, match=r"payment or credits: Not enough credits"):
        adapter.submit(job)
    server.faults = [Fault(answer=Answer(429, {"errors": [{"detail": "slow"}]}))]
    with pytest.raises(ProviderBusy, match="slow down: slow"):
        adapter.submit(job)
    server.faults = [Fault(answer=Answer(200, {"errors": [{"detail": "odd"}]}))]
    with pytest.raises(ProviderRejected, match="odd"):
        adapter.submit(job)
    with pytest.raises(ProviderRejected, match="key"):
        adapter_for(ID, MODEL, server, tmp_path, keys={"K": "wrong-key"}).submit(job)
    path = tmp_path / "a.mp4"
    with pytest.raises(Refused):
        adapter.put(path, "mask")
    for fault, kind, says in (
        (Fault(("POST", "create"), answer=Answer(200, {"data": {}})), ProviderRejected, "no avatar"),
        (Fault(("POST", "video$"), answer=Answer(200, {"data": {}})), ProviderRejected, "no avatar"),
        (Fault(("PUT", ""), times=9, answer=Answer(403)), ProviderBusy, "storage"),
        (Fault(("POST", "create"), answer=Answer(402, {})), ProviderRejected, "payment"),
    ):
        server.faults = [fault]
        with pytest.raises(kind, match=says):
            adapter.put(path, "source_video")
    server.faults = [Fault(("POST", r"\d/video$"), answer=Answer(200, {"data": {"links": {}}}))]
    with pytest.raises(ProviderRejected, match="no address"):
        adapter.put(path, "source_video")


def test_failed_gone_and_cancelled(server: MeshcapadeServer, adapter: Adapter, film: MediaRef) -> None:
    handle = adapter.submit(job_of(ID, MODEL, film, prompt=""))
    server.script = ["AWAITING_MIRACLE"]
    assert adapter.poll(handle).state is State.UNKNOWN
    assert adapter.cancel(handle) is CancelOutcome.REQUESTED
    assert adapter.poll(handle).state is State.CANCELLED
    assert adapter.cancel(handle) is CancelOutcome.TOO_LATE
    server.avatars[handle.job_id].update(state="PROCESSING", polls=0)
    server.script = ["ERROR"]
    assert adapter.poll(handle).state is State.FAILED
    server.avatars.clear()
    assert adapter.poll(handle).state is State.UNKNOWN
    assert adapter.poll(aged(handle, 999)).state is State.EXPIRED
