# SPDX-License-Identifier: GPL-3.0-or-later
"""What every stage does with remote jobs: may they be sent, has the same been paid for, send, wait, give the results."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..clients.descriptor import Descriptor, Service
from ..clients.hosts import hosts_of, is_local
from ..clients.registry import services
from ..clients.settings import read, that_count
from ..clients.takes import digest_of
from ..pipeline import consent
from ..pipeline.errors import HoldfastError, InputError, ProviderRejected, Refused
from ..pipeline.jobs import Asked, Job, JobStore, Step
from ..pipeline.money import Caps
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json
from ..properties_jobs import caps_of
from . import locate
from .steps import WorkerTask

WORKER = "clients.jobs:run"


@dataclass(frozen=True)
class Ask:
    """One request to a model (inputs, prompt, seed, options, as ``clients.takes.request_of`` makes it), what it is
    expected to cost in micros, and what for ("take", "masks", "span", ...). ``draw``: another number asks for another result
    of the same request, for models that take no seed."""

    model: Descriptor
    request: Mapping[str, Any]
    price: int
    purpose: str
    draw: int = 0

    @property
    def digest(self) -> str:
        """Equal for equal requests: a result that was paid for is found by it."""
        digest = digest_of(self.model, self.request, that_count(service_of(self.model)))
        return digest_json([digest, self.draw]) if self.draw else digest


def own_entries() -> tuple[Path, ...]:
    """The project's own catalogue files; none before it is saved."""
    try:
        return tuple(locate.project().catalogue())
    except HoldfastError:
        return ()


def service_of(model: Descriptor) -> Service:
    """Its service with what people set of it. Raises InputError for settings that can't be."""
    return read(locate.project().root).over(services(own_entries())[model.provider])


def check_allowed(store: JobStore, model: Descriptor) -> None:
    """Raises Refused before anything is made or written if it could not be sent anyway."""
    service = service_of(model)
    if is_local(service):
        return
    if not bpy.app.online_access:
        todo = "Allow it in Preferences > System > Network > Allow Online Access."
        raise Refused("Blender is offline, so nothing is sent", where=model.label, todo=todo)
    if not set(hosts_of(service)) <= set(consent.agreed(store.project).get(model.provider, ())):
        todo = "Read and agree in the Jobs panel, or run jobs --agree."
        raise Refused(f"Nobody has agreed to send anything to {model.provider}", where=model.label, todo=todo)


def results(
    scene: bpy.types.Scene,
    shot: ShotFolder,
    asks: Sequence[Ask],
    share: tuple[float, float],
    *,
    force: bool = False,
    again: str = "Run it again",
) -> Generator[WorkerTask, Any, list[Job]]:
    """The jobs of ``asks``, in order, each ready or applied with its files in the store: what was paid for is found
    again, what is on its way is waited for, only the rest is sent. ``force`` sends all anew. ``again`` is what a person
    does to go on waiting. Raises Refused (caps, consent, doubt: all or none are prepared), ProviderRejected, InputError.
    """
    store = JobStore(locate.project().root)
    jobs = prepared(store, shot.name, asks, caps_of(scene), force)
    waits = [job.id for job in jobs if job.step not in (Step.READY, Step.APPLIED)]
    if waits:
        yield WorkerTask(WORKER, worker_request(store, waits), share, keys=True)
    return [finished(store.get(job.id), ask.model, again) for job, ask in zip(jobs, asks, strict=True)]


def worker_request(store: JobStore, jobs: list[str]) -> dict[str, Any]:
    """What the worker of jobs is told."""
    return {
        "project": str(store.project),
        "online": bool(bpy.app.online_access),
        "jobs": jobs,
        "catalogue": [str(path) for path in own_entries()],
    }


def known(store: JobStore, ask: Ask) -> Job | None:
    """A job of the same request that has its result or is on its way."""
    return store.same(ask.digest) or store.going(ask.digest)


def prepared(store: JobStore, shot: str, asks: Sequence[Ask], caps: Caps, force: bool = False) -> list[Job]:
    """A job for each of ``asks``: one that is there, or a new one. All that are new, or none. Raises Refused."""
    new = [ask for ask in asks if force or known(store, ask) is None]
    for model in {ask.model.id: ask.model for ask in new}.values():
        check_allowed(store, model)
    return store.prepare_all([_asked(ask, shot) for ask in asks], caps, anew=force)


def _asked(ask: Ask, shot: str) -> Asked:
    model = ask.model
    facts = {"provider": model.provider, "model": model.model, "shot": shot, "purpose": ask.purpose}
    return Asked(ask.request, ask.price, {**facts, "digest": ask.digest}, model.price.currency)


def finished(job: Job, model: Descriptor, again: str = "Run it again") -> Job:
    """The job if its result is here. Raises what became of it otherwise."""
    if job.step in (Step.READY, Step.APPLIED):
        return job
    where = ", ".join(
        filter(None, (model.label, job.purpose.partition(", ")[2]))
    )  # which piece, if it is one
    if job.step is Step.UNCERTAIN:
        raise Refused(f"{job.says}", where=where, todo="Decide in the Jobs panel what became of it.")
    if job.step in (Step.FAILED, Step.CANCELLED):
        kept = "The other pieces are kept: run it again, and only what is missing is sent."
        todo = kept if where != model.label else ""
        raise ProviderRejected(job.says or f"The job was {job.step}", where=where, todo=todo)
    raise InputError(f"The job is {job.step}: {job.says}", where=where, todo=f"{again} to go on waiting.")


def apply(store: JobStore, jobs: Sequence[Job]) -> None:
    """Says that the results were used: once."""
    for job in jobs:
        if store.get(job.id).step is Step.READY:
            store.move(job.id, Step.APPLIED)
