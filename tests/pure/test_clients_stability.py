# SPDX-License-Identifier: GPL-3.0-or-later
"""Stability's 3D, against a server that speaks its contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, job_of
from tests.loopback.server import Answer, Fault
from tests.loopback.stability import StabilityServer

FAST, AWARE = "stable-fast-3d", "stable-point-aware-3d"


@pytest.fixture
def server() -> Iterator[StabilityServer]:
    with StabilityServer() as running:
        yield running


def of(server: StabilityServer, model: str, tmp_path: Path) -> Adapter:
    return adapter_for("stability", model, server, tmp_path / "spool")


def picture(adapter: Adapter, tmp_path: Path, more: bytes = b"") -> MediaRef:
    (tmp_path / "a.png").write_bytes(media.png() + more)
    return adapter.put(tmp_path / "a.png", "picture")


def test_the_answer_is_the_mesh(server: StabilityServer, tmp_path: Path) -> None:
    adapter = of(server, AWARE, tmp_path)
    job = job_of("stability", AWARE, picture(adapter, tmp_path), prompt="", seed=9, polycount=500, target_type="face",
                 guidance=3, texture_resolution="512")  # fmt: skip
    assert adapter.create(job).patience_s > 60
    handle = adapter.submit(job)
    fields = {name: body.decode() for name, file, _, body in server.log[0].parts if not file}
    assert fields == {
        "seed": "9", "target_count": "500", "target_type": "face", "guidance_scale": "3", "texture_resolution": "512",
    }  # fmt: skip
    done = adapter.poll(handle)
    assert done.state is State.SUCCEEDED and done.cost_micros == 40_000
    [file] = adapter.fetch(done.outputs[0], tmp_path / "got")
    assert file.path.read_bytes() == media.glb() and file.path.suffix == ".glb"
    assert len(server.log) == 1
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED


def test_a_mesh_within_json_and_one_that_was_filtered(server: StabilityServer, tmp_path: Path) -> None:
    adapter = of(server, FAST, tmp_path)
    job = job_of("stability", FAST, picture(adapter, tmp_path), prompt="", seed=9)
    server.as_json = True
    done = adapter.poll(adapter.submit(job))
    assert adapter.fetch(done.outputs[0], tmp_path / "got")
    server.faults = [Fault(answer=Answer(200, {"model": "", "finish_reason": "CONTENT_FILTERED"}))]
    with pytest.raises(ProviderRejected, match="filtered the result"):
        adapter.submit(job)
    for odd in (Answer(200, {"model": "%"}), Answer(200, {}), Answer(200, body=b"")):
        server.faults = [Fault(answer=odd)]
        ended = adapter.poll(adapter.submit(job))
        assert ended.state is State.FAILED and ended.failure is not None and ended.failure.billed is None


def test_refusals(server: StabilityServer, tmp_path: Path) -> None:
    adapter = of(server, FAST, tmp_path)
    with pytest.raises(ProviderRejected, match=r"did not allow.*flagged.*Change the prompt or the pictures"):
        adapter.submit(job_of("stability", FAST, picture(adapter, tmp_path, b"forbidden"), prompt=""))
    job = job_of("stability", FAST, picture(adapter, tmp_path), prompt="")
    server.credits = 0
    with pytest.raises(ProviderRejected, match="payment or credits"):
        adapter.submit(job)
    for status, kind, says in (
        (422, ProviderRejected, "can't work with"), (429, ProviderBusy, "slow down"),
        (413, ProviderRejected, "too large"), (403, ProviderRejected, "key"),
    ):  # fmt: skip
        server.faults = [Fault(answer=Answer(status, {"name": "x", "errors": ["y"]}))]
        with pytest.raises(kind, match=says):
            adapter.submit(job)
    with pytest.raises(ProviderRejected, match="key"):
        adapter_for("stability", FAST, server, tmp_path, keys={"K": "wrong-key"}).submit(job)
    with pytest.raises(ProviderRejected, match=r"0\.1 to 1\.0"):
        adapter.submit(job_of("stability", FAST, picture(adapter, tmp_path), prompt="", foreground_ratio=1.3))


def test_a_lost_answer_is_not_asked_for_again(server: StabilityServer, tmp_path: Path) -> None:
    adapter = of(server, FAST, tmp_path)
    job = job_of("stability", FAST, picture(adapter, tmp_path), prompt="")
    for fault in (Fault(drop="after"), Fault(cut=20), Fault(answer=Answer(500, {}))):
        server.faults = [fault]
        with pytest.raises(Uncertain):
            adapter.submit(job)
    with pytest.raises(Refused, match="can't be asked"):
        adapter.find(job, 0.0)
    assert server.made == 2
    handle = adapter.submit(job)
    found = adapter.find(job, 0.0)
    assert found is not None and adapter.poll(found).outputs == adapter.poll(handle).outputs
