# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz against a server that speaks its contract: the quote, the parts, the money, and what broke off."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.contract import CancelOutcome, FailureKind, JobSpec, MediaRef, State
from holdfast.clients.providers.topaz import Topaz
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4
from tests.loopback.server import Answer, Fault
from tests.loopback.topaz import TopazServer


@pytest.fixture
def server() -> Iterator[TopazServer]:
    with TopazServer() as made:
        yield made


@pytest.fixture
def job(tmp_path: Path) -> JobSpec:
    path = tmp_path / "clip.mp4"
    path.write_bytes(mp4(24))
    return job_of("topaz", "gcg-5", MediaRef("path", str(path), "source_video"), prompt="")


def topaz(server: TopazServer, spool: Path, **more: object) -> Topaz:
    """The adapter."""
    made = adapter_for("topaz", "gcg-5", server, spool / "spool", **more)  # type: ignore[arg-type]
    assert isinstance(made, Topaz)
    return made


def test_the_quote_is_what_is_accepted(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    assert topaz(server, tmp_path).quote(job) == 500_000
    assert server.balance == 100 and server.log[0].json == {
        "source": {"container": "mp4", "size": len(mp4(24)), "duration": 1.0, "frameCount": 24, "frameRate": 24.0,
                   "resolution": {"width": 64, "height": 36}},
        "filters": [{"model": "gcg-5"}],
        "output": {"resolution": {"width": 128, "height": 72}, "frameRate": 24.0, "container": "mp4",
                   "audioCodec": "AAC", "audioTransfer": "None", "dynamicCompressionLevel": "High"},
    }  # fmt: skip
    adapter = topaz(server, tmp_path)
    handle = adapter.submit(job)
    assert len(server.jobs) == 1 and server.balance == 95
    states = [adapter.poll(handle) for _ in range(5)]
    assert [one.state for one in states] == [State.RUNNING] * 4 + [State.SUCCEEDED]
    assert states[2].progress == 0.4
    (got,) = adapter.fetch(states[4].outputs[0], tmp_path / "out")
    assert got.path.read_bytes() == mp4()
    assert not any("x-api-key" in one.headers for one in server.of("PUT") + server.of("GET", "/files/"))


def test_another_job_is_another_quote(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    adapter = topaz(server, tmp_path)
    adapter.quote(job)
    faster = job_of("topaz", "gcg-5", *job.inputs, prompt="", fps=48.0, scale=4)
    adapter.quote(faster)
    assert len(server.jobs) == 2
    assert server.log[1].json["filters"][1] == {"model": "apo-8", "slowmo": 1, "fps": 48.0}
    assert server.log[1].json["output"]["resolution"] == {"width": 256, "height": 144}


def test_large_films_go_in_parts(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    server.part = 1000
    handle = topaz(server, tmp_path).submit(job)
    parts = server.jobs[handle.job_id]["parts"]
    assert len(parts) > 1 and b"".join(parts[number] for number in sorted(parts)) == mp4(24)


def test_cancel_pays_back_in_part(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    adapter = topaz(server, tmp_path)
    handle = adapter.submit(job)
    for _ in range(3):
        adapter.poll(handle)
    assert adapter.cancel(handle) is CancelOutcome.REQUESTED
    assert server.balance == 98 and adapter.poll(handle).state is State.CANCELLED
    assert adapter.cancel(handle) is CancelOutcome.TOO_LATE


def test_refusals(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    adapter = topaz(server, tmp_path)
    server.balance = 1
    with pytest.raises(ProviderRejected, match="more credits"):
        adapter.submit(job)
    server.faults = [Fault(("POST", "video"), 1, Answer(400, {
        "message": "Validation failed", "errorCode": "INVALID_INPUT", "errors": [{"path": "source.frameRate"}]}))]  # fmt: skip
    with pytest.raises(ProviderRejected, match=r"Validation failed \(source.frameRate\)"):
        adapter.submit(job)
    server.faults = [
        Fault(("POST", "video"), 9, Answer(503, {"errorCode": "SERVER_MAINTENANCE", "message": "later"}))
    ]
    with pytest.raises(ProviderBusy, match="maintenance"):
        adapter.submit(job)
    server.faults = [Fault(("POST", "video"), 1, Answer(200, {"requestId": "x"}))]
    with pytest.raises(ProviderRejected, match="no price"):
        adapter.submit(job)
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        topaz(server, tmp_path, keys={"TOPAZ_API_KEY": "wrong-key"}).submit(job)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    with pytest.raises(InputError, match="can't be read"):
        adapter.quote(job_of("topaz", "gcg-5", MediaRef("path", str(broken), "source_video"), prompt=""))
    assert server.balance == 1


def test_an_upload_that_fails_gives_the_credits_back(
    server: TopazServer, job: JobSpec, tmp_path: Path
) -> None:
    server.faults = [Fault(("PUT", "storage"), 1, Answer(403))]
    with pytest.raises(ProviderRejected, match="refused the film"):
        topaz(server, tmp_path).submit(job)
    assert server.balance == 100
    server.faults = [Fault(("PUT", "storage"), 1, Answer(403)), Fault(("DELETE", ""), 9, Answer(500))]
    with pytest.raises(Uncertain, match="job is accepted"):
        topaz(server, tmp_path).submit(job)


def test_what_broke_off_is_found_and_goes_on(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    assert topaz(server, tmp_path).find(job, 0.0) is None
    topaz(server, tmp_path).quote(job)
    assert topaz(server, tmp_path).find(job, 0.0) is None  # quoted, not accepted
    server.faults = [Fault(("PUT", "storage"), 9, drop="before"), Fault(("DELETE", ""), 9, drop="before")]
    with pytest.raises(Uncertain):
        topaz(server, tmp_path).submit(job)
    server.faults = []
    adapter = topaz(server, tmp_path)
    found = adapter.find(job, 0.0)
    assert found is not None and until_done(adapter, found).state is State.SUCCEEDED
    assert server.balance == 95
    again = adapter.find(job, 0.0)
    assert again is not None and again.job_id == found.job_id


def test_a_lost_answer_to_accept_gives_the_credits_back(
    server: TopazServer, job: JobSpec, tmp_path: Path
) -> None:
    server.faults = [Fault(("PATCH", "accept"), drop="after")]
    adapter = topaz(server, tmp_path)
    with pytest.raises(Uncertain):
        adapter.submit(job)
    assert server.balance == 95
    assert adapter.find(job, 0.0) is None and server.balance == 100


def test_failed_lost_and_expired(server: TopazServer, job: JobSpec, tmp_path: Path) -> None:
    server.script = ["processing", "failed"]
    adapter = topaz(server, tmp_path)
    handle = adapter.submit(job)
    failed = until_done(adapter, handle)
    assert failed.failure is not None and failed.failure.kind is FailureKind.PROVIDER_INTERNAL
    for body, state in (({"status": "pondering"}, State.UNKNOWN), ({"status": "complete"}, State.FAILED)):
        server.faults = [Fault(("GET", "status"), 1, Answer(200, body))]
        assert adapter.poll(handle).state is state
    server.jobs.clear()
    assert (adapter.poll(handle).state, adapter.poll(aged(handle, 600)).state) == (
        State.UNKNOWN,
        State.EXPIRED,
    )
    server.script = ["complete"]
    other = topaz(server, tmp_path / "other")
    done = until_done(other, other.submit(job))
    server.expired = True
    with pytest.raises(ProviderRejected, match="expired"):
        other.fetch(done.outputs[0], tmp_path / "out")
