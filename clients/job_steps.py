# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a remote job, each a transition that is written down before it is taken."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..pipeline.errors import HoldfastError, InputError, ProviderBusy, ProviderRejected, Refused, Uncertain
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.jobs_index import YOUR_TURN
from ..pipeline.store import hash_input
from .adapter import Adapter
from .calls import number as finite
from .check import check_job
from .contract import CancelOutcome, Fetched, Handle, JobSpec, MediaRef, Output, Snapshot, State
from .probe import probe

ASKED, PATIENCE_S = "Asked to stop; waiting for its word.", 60.0
LATE_S = 60.0
"""A service may list a job so long after it took it."""


def spec_of(request: Mapping[str, Any], job: Job, adapter: Adapter | None = None) -> JobSpec:
    """The job as its adapter wants it; files are made known to the service (``adapter``) on the way.

    Raises InputError if a file changed since it was prepared, ProviderBusy, ProviderRejected.
    """
    refs = []
    for entry in request["inputs"]:
        if "value" in entry:  # on the web or an earlier result at the service: nothing to bring there
            refs.append(MediaRef(entry["kind"], entry["value"], entry["role"]))
            continue
        path = Path(entry["path"])
        if entry.get("sha256") and hash_input(path) != entry["sha256"]:
            raise InputError(
                "A file changed after the job was made", where=str(path), todo="Make the job again."
            )
        kinds = (
            adapter.model.inputs[entry["role"]].kinds
            if adapter and entry["role"] in adapter.model.inputs
            else ()
        )
        local = adapter is None or "path" in kinds
        refs.append(MediaRef("path", str(path), entry["role"]) if local else adapter.put(path, entry["role"]))  # type: ignore[union-attr]
    return _spec(request, job, tuple(refs))


def submit(store: JobStore, job: Job, adapter: Adapter) -> None:
    """Uploads, then sends the create once. In doubt the job is uncertain, not failed; a cancel waits until its answer is
    written down. Raises what uploads raise, and Cancelled, while nothing was sent."""
    request = store.request(job.id)
    check_job(spec_of(request, job), adapter.model, before_upload=True)
    spec = spec_of(request, job, adapter)
    wire = adapter.wire
    # first said, then asked: whoever wants to end this process sees one or is seen by the other
    with wire.calm():
        wire.context.cancel.check()
        store.move(job.id, Step.SUBMITTING, begun=time.time())
        try:
            handle = adapter.submit(spec)
        except (ProviderRejected, ProviderBusy, Refused, InputError) as error:
            store.move(job.id, Step.FAILED, says=str(error), billed=0)
            return
        except Exception as error:  # also an answer that no document foresees: it may have arrived
            ours = isinstance(error, HoldfastError)
            says = (
                str(error)
                if ours
                else f"The answer of {wire.name} was not understood ({type(error).__name__})."
            )
            if wire.sent or isinstance(error, Uncertain):
                store.move(job.id, Step.UNCERTAIN, says=says)
            else:
                store.move(job.id, Step.FAILED, says=says, billed=0)
            return
        store.move(job.id, Step.REMOTE, handle=json.dumps(asdict(handle)), says="")


def look_up(store: JobStore, job: Job, adapter: Adapter) -> None:
    """Asks whether a job without an answer is there; not being listed proves nothing until it had time to be. Raises
    Refused where the service can't be asked."""
    found = adapter.find(spec_of(store.request(job.id), job), job.begun - 60.0)
    if found is not None:
        store.move(job.id, Step.REMOTE, handle=json.dumps(asdict(found)), says="")
    elif 0.0 <= time.time() - job.begun < LATE_S:
        says = f"{adapter.wire.name} does not list it yet; asked again soon."
        store.note(job.id, says=says, due=time.time() + LATE_S / 4.0)
    else:
        store.move(job.id, Step.FAILED, says=f"{adapter.wire.name} never got it.", billed=0)


def poll(store: JobStore, job: Job, adapter: Adapter) -> float | None:
    """Asks once; returns how long the service wants to be left alone, if it says so."""
    snapshot = adapter.poll(handle_of(store, job, adapter))
    cost = {} if snapshot.cost_micros is None else {"cost": snapshot.cost_micros}
    if snapshot.state is State.SUCCEEDED:
        outputs = [asdict(output) for output in snapshot.outputs]
        if not outputs:
            raise ProviderRejected(f"{adapter.wire.name} says that it is done, but gave no result")
        store.move(
            job.id,
            Step.DOWNLOADING,
            handle=json.dumps({**json.loads(job.handle), "outputs": outputs}),
            **cost,
        )
    elif snapshot.state.terminal:
        _ended(store, job, snapshot, cost, adapter)
    else:
        progress, queue = finite(snapshot.progress) or 0.0, finite(snapshot.queue_position)
        store.note(job.id, progress=min(max(progress, 0.0), 1.0), queue=-1 if queue is None else int(queue),
                   says="" if snapshot.failure is None else snapshot.failure.says)  # fmt: skip
    return snapshot.retry_after_s


def _ended(store: JobStore, job: Job, snapshot: Snapshot, cost: Mapping[str, int], adapter: Adapter) -> None:
    says = snapshot.failure.says if snapshot.failure else f"{adapter.wire.name}: {snapshot.state}"
    free = snapshot.failure is not None and snapshot.failure.billed is False
    step = Step.CANCELLED if snapshot.state is State.CANCELLED else Step.FAILED
    store.move(job.id, step, says=says, **({"billed": 0} if free else {}), **cost)


def download(store: JobStore, job: Job, adapter: Adapter) -> None:
    """Brings all results, decodes a little of each, and says that they are here."""
    outputs = [
        Output(entry["name"], MediaRef(**entry["ref"]), entry["media_type"])
        for entry in json.loads(job.handle)["outputs"]
    ]
    folder, files = store.folder(job.id) / "results", []
    for number, output in enumerate(outputs):
        for fetched in _brought(store, job, adapter, output, number, folder):
            probe(fetched.path)
            files.append([fetched.path.name, fetched.sha256])
        store.note(job.id, beat=time.time(), progress=len(files) / len(outputs))
    store.move(job.id, Step.READY, results=json.dumps(files), says="")


def _brought(
    store: JobStore, job: Job, adapter: Adapter, output: Output, number: int, folder: Path
) -> list[Fetched]:
    """One output; if its link has died meanwhile, the service is asked for a new one, once."""
    try:
        return adapter.fetch(output, folder)
    except ProviderRejected:
        again = adapter.poll(handle_of(store, job, adapter))
        if (
            again.state is not State.SUCCEEDED
            or len(again.outputs) <= number
            or again.outputs[number].ref == output.ref
        ):
            raise
        return adapter.fetch(again.outputs[number], folder)


def cancel(store: JobStore, job: Job, adapter: Adapter) -> None:
    """Asks the service to stop, after asking how it is (some delete what is done), and waits for its word."""
    handle = handle_of(store, job, adapter)
    before = adapter.poll(handle)
    if before.state is State.SUCCEEDED:
        store.move(job.id, Step.REMOTE, says="It was done before it could be stopped.")
        return
    if job.says == ASKED and before.state in (State.EXPIRED, State.UNKNOWN):
        store.move(job.id, Step.CANCELLED, says="Stopped.")
        return
    if before.state.terminal:
        _ended(store, job, before, {}, adapter)
        return
    if job.says == ASKED:
        if time.time() - job.updated > PATIENCE_S:
            store.move(
                job.id,
                Step.CANCELLED,
                says=f"{adapter.wire.name} was asked to stop and did not say that it has.",
            )
            return
        store.note(job.id, due=time.time() + 2.0)
        return
    outcome = adapter.cancel(handle)
    if outcome is CancelOutcome.UNSUPPORTED:
        says = f"{adapter.wire.name} can't be stopped: it goes on there and is billed."
        store.move(job.id, Step.REMOTE, says=says)
    elif outcome is CancelOutcome.TOO_LATE:
        store.move(job.id, Step.REMOTE, says="It was too late to stop it.")
    else:
        store.note(job.id, says=ASKED, due=time.time() + adapter.model.job.poll_min_s)


def handle_of(store: JobStore, job: Job, adapter: Adapter) -> Handle:
    """The handle that was written down; one that a person gave by its id alone is completed. Raises ProviderRejected."""
    data = {key: value for key, value in json.loads(job.handle).items() if key != "outputs"}
    handle = Handle(**data)
    if handle.poll_ref:
        return handle
    request = store.request(job.id)
    roles = tuple(
        MediaRef(str(entry.get("kind", "path")), "", str(entry["role"])) for entry in request["inputs"]
    )
    return adapter.named(handle, _spec(request, job, roles))


def _spec(request: Mapping[str, Any], job: Job, refs: tuple[MediaRef, ...]) -> JobSpec:
    return JobSpec(
        job.provider, job.model, refs, str(request.get("prompt", "")), request.get("seed"),
        dict(request.get("options") or {}), job.id,
    )  # fmt: skip


__all__ = ["YOUR_TURN", "cancel", "download", "handle_of", "look_up", "poll", "spec_of", "submit"]
