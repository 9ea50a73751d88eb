# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker task that makes one take of the jobs of all pieces: once, with what all of them cost."""

import pytest
from holdfast.clients import long_takes
from holdfast.clients.takes import CLIPS
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.jobs import Asked, JobStore, Step
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.money import Caps
from holdfast.pipeline.store import hash_file
from holdfast.pipeline.take import TakeFolder

from .jobs_service import FACTS, request
from .piece_films import FRAMES, SIZE, films, write_truth


def asked(tmp_path, digests=("a", "b")):
    """A project whose jobs are ready but the last, and what the task is asked."""
    store = JobStore(tmp_path / "project")
    wanted = [Asked(request(), 100_000, {**FACTS, "digest": digest}) for digest in digests]
    jobs = store.prepare_all(wanted, Caps())
    parts = []
    for job, film in zip(jobs, films(tmp_path / "films"), strict=True):
        folder = tmp_path / "clips" / film.path.stem
        data = {"frame_map": list(film.clip.shows), "fps": [24, 1], "fit": Fit(SIZE, SIZE).record()}
        Manifest(CLIPS, {}, {}, data).save(folder / "controls.json")
        parts.append({"job": job.id, "clips": str(folder), "first": film.first})
        result = store.folder(job.id) / "results/00.mp4"
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_bytes(film.path.read_bytes())
    write_truth(tmp_path / "truth")
    return store, jobs, {
        "project": str(store.project), "truth": str(tmp_path / "truth"), "out": str(tmp_path / "t001"), "take": "t001",
        "settings": {"seed": 3}, "facts": {"look": "Short", "seed": 3}, "identity": "same", "pieces": parts,
    }  # fmt: skip


def ready(store, job, cost):
    for step in (Step.SUBMITTING, Step.REMOTE, Step.DOWNLOADING):
        store.move(job.id, step)
    found = hash_file(store.folder(job.id) / "results/00.mp4")
    store.move(job.id, Step.READY, results=f'[["00.mp4", "{found}"]]', cost=cost)


def test_all_jobs_become_one_take_once(tmp_path):
    store, jobs, task = asked(tmp_path)
    ready(store, jobs[0], 90_000)
    with pytest.raises(InputError, match="prepared"):
        long_takes.run(task, Context())
    assert store.get(jobs[0].id).step is Step.READY, "it waits for the others"
    ready(store, jobs[1], 110_000)
    said: list[str] = []
    assert long_takes.run(task, Context(lambda _, message: said.append(message)))["take"] == "t001"
    data = TakeFolder.open(tmp_path / "t001").manifest.data
    assert (data["cost_micros"], data["jobs"], len(data["frames"])) == (
        200_000,
        [job.id for job in jobs],
        FRAMES,
    )
    assert (data["provider"], data["model"], data["look"]) == (FACTS["provider"], FACTS["model"], "Short")
    assert len(data["seams"]) == 1 and any("seam 1/1" in message for message in said)
    assert [store.get(job.id).step for job in jobs] == [Step.APPLIED] * 2
    assert (tmp_path / "t001/request.json").exists()
    long_takes.run(task, Context())
    assert [store.get(job.id).step for job in jobs] == [Step.APPLIED] * 2


def test_pieces_that_are_equal_are_one_job_and_count_once(tmp_path):
    store, jobs, task = asked(tmp_path, ("same", "same"))
    assert jobs[0].id == jobs[1].id
    ready(store, jobs[0], 70_000)
    long_takes.run(task, Context())
    assert TakeFolder.open(tmp_path / "t001").manifest.data["cost_micros"] == 70_000
    assert store.get(jobs[0].id).step is Step.APPLIED
