# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes by remote models: the jobs of the form, drafts made final, and what came back into the shot's pool."""

import json
import re
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import bpy

from ..assets.bring import pool
from ..clients.asset_jobs import Form, refine_request, refining, reserve_of
from ..clients.descriptor import Descriptor
from ..clients.registry import catalogue
from ..pipeline.errors import HoldfastError, InputError, ProviderRejected, Refused
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..properties_jobs import caps_of
from . import asset_form, locate, remote_jobs
from .asset_form import PURPOSE
from .asset_identity import Identity
from .remote_jobs import Ask
from .steps import WorkerTask

BRING, BRING_ALL = "assets.bring:run", "assets.bring:run_all"
POOL = "pool"
DONE = (Step.READY, Step.APPLIED)


def pool_of(shot: ShotFolder) -> Path:
    """Folder of the meshes that may be chosen."""
    return shot.assets / POOL


def item_of(job: Job) -> str:
    """The id that the result of a job has in the pool."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"{job.model.rpartition('/')[2]}-{job.id[:8]}")


def asking(scene: bpy.types.Scene, shot: ShotFolder, asks: Sequence[Ask], force: bool = False) -> list[Job]:
    """Writes the jobs down, all or none; a worker goes on with them. Raises Refused, InputError."""
    store = JobStore(locate.project().root)
    return remote_jobs.prepared(store, shot.name, asks, caps_of(scene), force)


def made(
    scene: bpy.types.Scene,
    shot: ShotFolder,
    asks: Sequence[Ask],
    share: tuple[float, float],
    force: bool = False,
) -> Generator[WorkerTask, Any, tuple[list[str], list[str]]]:
    """Sends, waits and brings in: (ids in the pool of those that came, what became of the others, a sentence each).

    Raises ProviderRejected or Refused if none came, with all that was said.
    """
    store = JobStore(locate.project().root)
    jobs = asking(scene, shot, asks, force)
    waits = [job.id for job in jobs if job.step not in DONE]
    low, high = share
    if waits:
        yield WorkerTask(
            remote_jobs.WORKER,
            remote_jobs.worker_request(store, waits),
            (low, low + 0.8 * (high - low)),
            keys=True,
        )
    problems: list[HoldfastError] = []
    done: dict[str, Job] = {}
    work: list[dict[str, Any]] = []
    for job, ask in zip(jobs, asks, strict=True):
        try:
            ready = remote_jobs.finished(store.get(job.id), ask.model, "Run Assets again")
        except (ProviderRejected, InputError, Refused) as error:
            problems.append(error)
        else:
            work.append(request_of(store, shot, ready, ask.model))
            done[work[-1]["out"]] = ready
    brought = yield WorkerTask(BRING_ALL, {"each": work}, (low + 0.8 * (high - low), high))
    problems += [InputError(says) for says in brought["problems"].values()]
    if not brought["came"]:
        raise problems[0]
    remote_jobs.apply(store, [done[out] for out in brought["came"]])
    return list(brought["came"].values()), [str(error) for error in problems]


def request_of(store: JobStore, shot: ShotFolder, job: Job, model: Descriptor) -> dict[str, Any]:
    """What the worker that brings a result into the pool is told."""
    asked = store.request(job.id)
    remote = _remote(job)
    inputs = {
        f"{each['role']} {n}": each["sha256"]
        for n, each in enumerate(asked["inputs"], 1)
        if each.get("sha256")
    }
    before = [each["value"] for each in asked["inputs"] if each.get("kind") == "job_output"]
    origin_id, origin = _item_with(pool_of(shot), before[0]) if before else ("", None)
    draft = _was_draft(model, asked["options"]) and not before
    service = remote_jobs.service_of(model)
    if origin is not None:
        inputs["mesh"] = str(origin.data.get("sha256", ""))
    identity = Identity(
        job.provider, job.model, remote or job.id, inputs, service.terms or "not told", "", f"{model.label} ({service.label})"
    )  # fmt: skip
    data = {
        "name": origin.data["name"] if origin is not None else _name(asked, model), "label": model.label, "job": job.id,
        "remote": remote, "model": model.id, "draft": draft, "of": origin_id, "cost_micros": job.counts,
        "currency": job.currency, "seconds": round(max(0.0, job.updated - job.begun), 1) if job.step is Step.READY else 0.0,
        "identity": identity.to_json(),
    }  # fmt: skip
    files = [str(path) for path in store.results(job)]
    return {"files": files, "out": str(pool_of(shot) / item_of(job)), "data": data, "inputs": inputs}


def _remote(job: Job) -> str:
    """The service's own id of a job; empty if it has none."""
    try:
        return str(json.loads(job.handle).get("job_id") or "")
    except (ValueError, AttributeError):
        return ""


def _name(asked: dict[str, Any], model: Descriptor) -> str:
    pictures = [Path(each["path"]).stem for each in asked["inputs"] if "path" in each]
    return pictures[0] if pictures else str(asked.get("prompt", ""))[:40] or model.model


def _was_draft(model: Descriptor, options: dict[str, Any]) -> bool:
    step = refining(model)
    return step is not None and (
        step.always or all(options.get(name) == value for name, value in step.draft.items())
    )


def _item_with(folder: Path, remote: str) -> tuple[str, Manifest | None]:
    """What a job of the service, by its own id, gave to the pool."""
    found = [
        (name, item) for name, item in pool(folder).items() if remote and item.data.get("remote") == remote
    ]
    return found[0] if found else ("", None)


# -- a draft made final -------------------------------------------------------------------------------------------


def refine_ask(scene: bpy.types.Scene, shot: ShotFolder, name: str) -> Ask:
    """The request that makes the draft ``name`` of the pool final. Raises InputError for what is no draft."""
    item = pool(pool_of(shot)).get(name)
    if item is None:
        raise InputError(f"There is no mesh {name!r} in the pool", where=shot.name)
    model = catalogue(remote_jobs.own_entries()).get(str(item.data.get("model", "")))
    step = refining(model) if model is not None and item.data.get("draft") else None
    if model is None or step is None or not item.data.get("remote"):
        raise InputError(f"{item.data.get('label', name)} is no draft", where=name, todo="Use it as it is.")
    final = catalogue(remote_jobs.own_entries())[f"{model.provider}/{step.model}"]
    store = JobStore(locate.project().root)
    before = store.request(str(item.data["job"]))
    pictures = [("main", Path(each["path"])) for each in before["inputs"] if "path" in each][:1]
    assets = scene.holdfast.assets
    form = Form(
        pictures, before["prompt"], int(assets.seed) if assets.seed >= 0 else None, asset_form.common(assets)
    )
    request = refine_request(final, step, str(item.data["remote"]), form)
    return Ask(final, request, reserve_of(final, request["options"]), PURPOSE)


# -- the window: nothing waits, what comes is gathered --------------------------------------------------------------


def gathering(shot: ShotFolder, jobs: Iterable[Job]) -> list[tuple[Job, WorkerTask]]:
    """The work that puts results which are here into the pool. One whose model is in no catalogue any more is not."""
    store, models = JobStore(locate.project().root), catalogue(remote_jobs.own_entries())
    found = []
    for job in jobs:
        model = models.get(f"{job.provider}/{job.model}")
        if model is not None and not (pool_of(shot) / item_of(job)).exists():
            found.append((job, WorkerTask(BRING, request_of(store, shot, job, model))))
    return found
