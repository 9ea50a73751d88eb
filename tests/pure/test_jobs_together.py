# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that belong together are prepared all or none, once, in any number of processes."""

import multiprocessing
from pathlib import Path

import pytest
from holdfast.pipeline.errors import Refused
from holdfast.pipeline.jobs import Asked, Job, JobStore, Step
from holdfast.pipeline.money import Caps

from .jobs_service import FACTS, request

PRICE = 400_000


def three(who: str = "a") -> list[Asked]:
    return [
        Asked(
            request(),
            PRICE,
            {**FACTS, "digest": f"{who}{n}", "shot": "sh010", "purpose": f"take, piece {n} of 3"},
        )
        for n in (1, 2, 3)
    ]


def ended(store: JobStore, job: Job, step: Step) -> None:
    for each in (Step.SUBMITTING, Step.REMOTE, Step.FAILED if step is Step.FAILED else Step.DOWNLOADING):
        store.move(job.id, each)
    if step is Step.READY:
        store.move(job.id, Step.READY, results="[]")


def test_all_are_written_in_their_order_and_found_again(tmp_path):
    store = JobStore(tmp_path)
    made = store.prepare_all(three(), Caps(request=PRICE, shot=3 * PRICE))
    assert [job.purpose for job in made] == [f"take, piece {n} of 3" for n in (1, 2, 3)]
    assert [job.id for job in store.jobs()] == [job.id for job in made]
    assert [job.id for job in store.prepare_all(three(), Caps(request=0))] == [job.id for job in made]
    assert store.spent() == 3 * PRICE
    assert JobStore(tmp_path / ".." / tmp_path.name).count() == {Step.PREPARED: 3}


@pytest.mark.parametrize("cap", ["shot", "day", "project"])
def test_over_a_cap_together_none_is_written(tmp_path, cap):
    store = JobStore(tmp_path)
    with pytest.raises(Refused, match=r"\$1\.20 .* over the cap of \$1\.00"):
        store.prepare_all(three(), Caps(**{cap: 1_000_000}))
    with pytest.raises(Refused, match="a single request"):
        store.prepare_all(three(), Caps(request=PRICE - 1))
    assert store.jobs() == [] and not list(tmp_path.glob("jobs/*")) and not list(tmp_path.glob("ledger/*/*"))


def test_only_what_is_missing_is_new_and_counts(tmp_path):
    store = JobStore(tmp_path)
    first, second, third = store.prepare_all(three(), Caps())
    ended(store, first, Step.READY)
    ended(store, second, Step.FAILED)
    again = store.prepare_all(three(), Caps(request=PRICE))
    assert [again[0].id, again[2].id] == [first.id, third.id] and again[1].id != second.id
    assert store.count() == {Step.READY: 1, Step.FAILED: 1, Step.PREPARED: 2}
    anew = store.prepare_all(three(), Caps(), anew=True)
    assert not {job.id for job in anew} & {job.id for job in (*again, first)}


def test_a_kill_between_two_of_them_makes_none_twice(tmp_path, monkeypatch):
    store, written = JobStore(tmp_path), []
    write = store._write

    def dying(base, entry, now):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(entry["id"])
        write(base, entry, now)

    monkeypatch.setattr(store, "_write", dying)
    with pytest.raises(KeyboardInterrupt):
        store.prepare_all(three(), Caps())
    made = JobStore(tmp_path).prepare_all(three(), Caps(shot=3 * PRICE))
    assert [job.id for job in made[:2]] == written, "what the ledger holds is gone on with"
    assert JobStore(tmp_path).count() == {Step.PREPARED: 3}


def test_equal_requests_are_one_job(tmp_path):
    one = three()[0]
    made = JobStore(tmp_path).prepare_all([one, one], Caps(request=PRICE))
    assert made[0].id == made[1].id


def _ask(project: Path, who: str, cap: int, at_once, answers) -> None:
    store = JobStore(project)
    at_once.wait()
    try:
        answers.put([job.id for job in store.prepare_all(three(who), Caps(shot=cap))])
    except Refused:
        answers.put([])


def race(project: Path, names: tuple[str, str], cap: int) -> list[list[str]]:
    """What two processes get that ask at the same moment; nothing where they are refused."""
    many = multiprocessing.get_context("fork")
    at_once, answers = many.Barrier(2), many.SimpleQueue()
    racers = [many.Process(target=_ask, args=(project, name, cap, at_once, answers)) for name in names]
    for racer in racers:
        racer.start()
    found = [answers.get() for _ in racers]
    for racer in racers:
        racer.join()
    return found


def test_two_processes_with_the_same_pieces_make_three_jobs(tmp_path):
    one, other = race(tmp_path, ("a", "a"), 3 * PRICE)
    assert len(one) == 3 and one == other
    assert JobStore(tmp_path).count() == {Step.PREPARED: 3}


def test_of_two_processes_with_money_for_one_one_gets_all(tmp_path):
    answers = race(tmp_path, ("a", "b"), 5 * PRICE)
    assert sorted(len(answer) for answer in answers) == [0, 3]
    store = JobStore(tmp_path)
    assert store.count() == {Step.PREPARED: 3} and store.spent() == 3 * PRICE
