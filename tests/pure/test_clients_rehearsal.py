# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal as a remote service, through the real runner: every bad day ends as a real one would, and none costs."""

import contextlib
from dataclasses import replace

import cv2
import pytest
from holdfast.clients import jobs as runner_module
from holdfast.clients.descriptor import Catalogue, read_catalogue
from holdfast.clients.jobs import Runner
from holdfast.clients.offline.remote import BAD_DAYS
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps
from holdfast.pipeline.store import hash_file

from ..loopback import media

FRAMES = 12
ID = {"provider": "rehearsal_remote", "model": "flat-drawing-1", "shot": "sh010", "purpose": "take"}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(runner_module, "TICK_S", 0.005)


def rehearsed(folder, day="", seconds=0.05, probe=lambda store, job: False):
    """A job on such a day, run to its end; ``probe`` is asked at every turn and may act."""
    film = folder / "clip.mp4"
    film.write_bytes(media.mp4(FRAMES, 96, 64))
    store = JobStore(folder / "project")
    request = {
        "inputs": [{"path": str(film), "role": "source_video", "sha256": hash_file(film)}],
        "prompt": "flat",
        "seed": 3,
        "options": {},
    }
    job = store.prepare(request, Caps(), price=0, **ID)
    known = read_catalogue()
    entry = known.models["rehearsal_remote/flat-drawing-1"]
    at_once = {entry.id: replace(entry, job=replace(entry.job, poll_min_s=0.0))}
    context = Context(cancel=CancelToken(lambda: probe(store, store.get(job.id))))
    told = {"rehearsal_remote": {"seconds": seconds, "bad_day": day}}
    runner = Runner(store, Catalogue(at_once, known.services), False, context, told)
    with contextlib.suppress(Cancelled):
        runner.go(set())
    return store, store.get(job.id)


def frames(path):
    film, count = cv2.VideoCapture(str(path)), 0
    while film.read()[0]:
        count += 1
    return count


def test_a_good_day_gives_a_drawn_film(tmp_path):
    store, job = rehearsed(tmp_path)
    assert job.step is Step.READY and job.counts == 0, job.says
    (film,) = store.results(job)
    assert frames(film) == FRAMES
    assert film.read_bytes() != (tmp_path / "clip.mp4").read_bytes()


ENDS = {
    "busy": Step.FAILED, "moderated": Step.FAILED, "no_answer": Step.READY, "failed": Step.FAILED, "done_but_failed": Step.FAILED,
    "vanished": Step.FAILED, "expired_link": Step.READY, "short": Step.READY, "retimed": Step.READY, "cropped": Step.READY,
    "smeared": Step.READY, "uneven": Step.READY,
}  # fmt: skip


@pytest.mark.parametrize("day", sorted(ENDS))
def test_a_bad_day_ends_as_a_real_one(tmp_path, day):
    store, job = rehearsed(tmp_path, day)
    print(day, job.step, job.says)
    assert job.step is ENDS[day], job.says
    assert bool(job.says) == (job.step is Step.FAILED)
    if day == "short":
        assert frames(store.results(job)[0]) == FRAMES - 3


def test_every_bad_day_is_rehearsed_here():
    assert set(ENDS) | {"", "never_ends"} == set(BAD_DAYS)


def test_a_day_that_never_ends_is_stopped(tmp_path):
    def stop(store, job):
        if job.step is Step.REMOTE and job.progress > 0.9:
            store.move(job.id, Step.CANCELLING)
        return False

    _, job = rehearsed(tmp_path, "never_ends", probe=stop)
    assert job.step is Step.CANCELLED, job.says


def test_it_queues_and_takes_its_time(tmp_path):
    seen = set()

    def watch(store, job):
        seen.add((job.step, job.queue > 0, 0 < job.progress < 1))
        return False

    rehearsed(tmp_path, seconds=0.6, probe=watch)
    assert (Step.REMOTE, True, False) in seen and (Step.REMOTE, False, True) in seen


def test_a_day_that_is_none_is_refused_in_a_sentence(tmp_path):
    _, job = rehearsed(tmp_path, "rainy")
    assert job.step is Step.FAILED and "rainy" in job.says and job.counts == 0
