# SPDX-License-Identifier: GPL-3.0-or-later
"""From the results of the pieces of a long shot to one take."""

from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.pieced import Film, take_from_pieces
from ..pipeline.placing import Clip
from ..pipeline.store import write_json
from ..pipeline.truth import GroundTruth
from .takes import CLIPS


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: makes a take of the jobs of all pieces. ``request``: project, truth, out, take, settings, facts,
    optional identity, and ``pieces`` in order: job, clips (folder), first (place of its first frame in the clip of the
    whole shot). Once: jobs that are applied keep their take. Raises InputError, StorageError, Cancelled."""
    store = JobStore(Path(request["project"]))
    jobs = [store.get(str(piece["job"])) for piece in request["pieces"]]
    films = [_film(store, job, piece) for job, piece in zip(jobs, request["pieces"], strict=True)]
    truth, out = GroundTruth.open(Path(request["truth"])), Path(request["out"])
    own = {job.id: job for job in jobs}  # two equal pieces are one job
    facts = {
        "provider": jobs[0].provider,
        "model": jobs[0].model,
        "job": jobs[0].id,
        "jobs": [job.id for job in jobs],
        "cost_micros": sum(job.counts for job in own.values()),
        **request["facts"],
    }
    take = take_from_pieces(
        films, truth, out, str(request["take"]), ctx, settings=request["settings"], **facts
    )
    if request.get("identity"):
        write_json(out / "request.json", {"identity": request["identity"]})
    for job in own.values():
        if job.step is Step.READY:
            store.move(job.id, Step.APPLIED)
    ctx.progress(1.0, f"Take {take.name} is ready, of {len(films)} pieces")
    return {"take": take.name, "folder": str(out), "digest": take.manifest.digest}


def _film(store: JobStore, job: Job, piece: dict[str, Any]) -> Film:
    results = store.results(job)
    if job.step not in (Step.READY, Step.APPLIED) or not results:
        raise InputError(f"The job is {job.step}: {job.says or 'there is no result yet'}", where=job.id)
    clips = Manifest.load(Path(piece["clips"]) / "controls.json", CLIPS)
    return Film(results[0], Clip.of(clips.data), int(piece["first"]))
