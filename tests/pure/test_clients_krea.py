# SPDX-License-Identifier: GPL-3.0-or-later
"""Krea, against a server that speaks its contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.krea import OWN, KreaServer
from tests.loopback.server import Answer, Fault


@pytest.fixture
def server() -> Iterator[KreaServer]:
    with KreaServer() as running:
        yield running


@pytest.fixture
def adapter(server: KreaServer, tmp_path: Path) -> Adapter:
    return adapter_for("krea", OWN, server, tmp_path / "spool")


def test_words_and_references_become_a_picture(server: KreaServer, adapter: Adapter, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(media.png())
    given = adapter.put(tmp_path / "a.png", "reference")
    assert server.assets == {"0.png": media.png()} and given.kind == "https"
    handle = adapter.submit(
        job_of("krea", OWN, given, prompt="ink", seed=4, ratio="16:9", creativity="raw", strength=1.2)
    )
    assert server.log[-1].path == f"/generate/{OWN}"
    assert server.log[-1].json == {
        "prompt": "ink", "seed": 4, "aspect_ratio": "16:9", "resolution": "1K", "creativity": "raw",
        "image_style_references": [{"url": given.value, "strength": 1.2}],
    }  # fmt: skip
    assert [adapter.poll(handle).state for _ in range(3)] == [State.QUEUED, State.RUNNING, State.RUNNING]
    done = adapter.poll(handle)
    [file] = adapter.fetch(done.outputs[0], tmp_path / "got")
    assert file.path.name == "00.png" and "authorization" not in server.log[-1].headers


def test_what_the_service_needs_is_always_sent(server: KreaServer, adapter: Adapter, tmp_path: Path) -> None:
    adapter.submit(job_of("krea", OWN, prompt="ink"))
    assert server.log[-1].json == {"prompt": "ink", "aspect_ratio": "1:1", "resolution": "1K"}
    other = adapter_for("krea", "image/google/nano-banana-pro", server, tmp_path)
    (tmp_path / "a.png").write_bytes(media.png())
    other.submit(job_of("krea", other.model.model, other.put(tmp_path / "a.png", "picture"), prompt="ink"))
    assert server.log[-1].json["style_images"][0]["strength"] == 1
    with pytest.raises(Refused):
        other.put(tmp_path / "a.png", "mask")


def test_refusals(server: KreaServer, adapter: Adapter, tmp_path: Path) -> None:
    job = job_of("krea", OWN)
    server.slots = 0
    with pytest.raises(ProviderBusy, match="no free slot"):
        adapter.submit(job)
    server.faults = [Fault(answer=Answer(429, {"error": "slow"}, headers={"Retry-After": "4"}))]
    with pytest.raises(ProviderBusy, match="slow down"):
        adapter.submit(job)
    server.balance = 0
    with pytest.raises(ProviderRejected, match="Insufficient balance"):
        adapter.submit(job)
    server.retired = {OWN}
    with pytest.raises(ProviderRejected, match="does not offer this model any more since Tue"):
        adapter.submit(job)
    with pytest.raises(ProviderRejected, match="key"):
        adapter_for("krea", OWN, server, tmp_path, keys={"K": "wrong-key"}).submit(job)
    (tmp_path / "a.png").write_bytes(media.png())
    server.faults = [Fault(answer=Answer(413, {"error": "too big"}))]
    with pytest.raises(ProviderRejected, match="too large"):
        adapter.put(tmp_path / "a.png", "reference")
    server.faults = [Fault(answer=Answer(200, {"id": "x"}))]
    with pytest.raises(ProviderRejected, match="no address"):
        adapter.put(tmp_path / "a.png", "reference")


def test_failed_lost_and_gone(server: KreaServer, adapter: Adapter, tmp_path: Path) -> None:
    server.script, server.error = ["failed"], "Content was flagged by moderation"
    failed = adapter.poll(adapter.submit(job_of("krea", OWN)))
    assert failed.failure is not None
    assert (failed.failure.kind, failed.failure.billed) == (FailureKind.MODERATED, False)
    server.error = "GPU fell over"
    failed = adapter.poll(adapter.submit(job_of("krea", OWN)))
    assert failed.failure is not None and failed.failure.kind is FailureKind.PROVIDER_INTERNAL
    server.script = ["completed"]
    handle = adapter.submit(job_of("krea", OWN))
    server.faults = [Fault(answer=Answer(200, {"status": "completed", "result": {"urls": []}}))]
    assert adapter.poll(handle).state is State.FAILED
    [output] = until_done(adapter, handle).outputs
    server.faults = [Fault(("GET", "/files/"), answer=Answer(403))]
    with pytest.raises(ProviderRejected, match="expired"):
        adapter.fetch(output, tmp_path)
    server.faults = [Fault(answer=Answer(200, {"status": "dreaming"}))]
    assert adapter.poll(handle).state is State.UNKNOWN
    server.jobs.clear()
    assert adapter.poll(handle).state is State.UNKNOWN
    assert adapter.poll(aged(handle, 999)).state is State.EXPIRED
    server.faults = [Fault(("POST", ""), drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job_of("krea", OWN))
    with pytest.raises(Refused):
        adapter.find(job_of("krea", OWN), 0.0)


def test_cancel(server: KreaServer, adapter: Adapter) -> None:
    handle = adapter.submit(job_of("krea", OWN))
    assert adapter.cancel(handle) is CancelOutcome.REQUESTED
    assert adapter.poll(handle).state is State.CANCELLED
    assert adapter.cancel(handle) is CancelOutcome.TOO_LATE
