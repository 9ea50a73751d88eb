# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote jobs: one bill, one result, a true ledger, whatever happens and whenever a process is killed."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest
from holdfast.clients import job_steps
from holdfast.clients import jobs as runner_module
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, Refused
from holdfast.pipeline.jobs import ENDED, Job, JobStore, Step
from holdfast.pipeline.jobs_index import NEXT
from holdfast.pipeline.ledger import read_ledger
from holdfast.pipeline.money import Caps

from ..loopback.server import Answer, Fault
from .jobs_service import CATALOGUE, FACTS, Studio, StudioAdapter, StudioRunner, request

INSTANTS = int(os.environ.get("HOLDFAST_KILLS", "12"))
"""How many random instants a worker is killed at; 200 were run for the figures in docs/jobs.md."""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(runner_module, "TICK_S", 0.005)
    monkeypatch.setattr(job_steps, "LATE_S", 0.0)


@pytest.fixture
def studio():
    with Studio() as service:
        yield service


def runner(
    project: Path, service: Studio, kind=StudioAdapter, context: Context | None = None
) -> StudioRunner:
    made = StudioRunner(JobStore(project), CATALOGUE, True, context or Context())
    made.url, made.kind = service.url, kind
    return made


def prepared(project: Path, **more) -> Job:
    return JobStore(project).prepare(request(), Caps(), price=400_000, **{**FACTS, **more})


def steps_of(project: Path, job: Job) -> list[str]:
    entries = [e for e in read_ledger(project / "ledger") if e["event"] == "job" and e["id"] == job.id]
    assert all(entry["chained"] for entry in read_ledger(project / "ledger"))
    return [entry["step"] for entry in sorted(entries, key=lambda e: (e.get("n", 0), e["updated"]))]


def test_a_job_goes_its_way_and_every_step_is_written(tmp_path, studio):
    job = prepared(tmp_path)
    runner(tmp_path, studio).go(set())
    store = JobStore(tmp_path)
    done = store.get(job.id)
    assert (done.step, done.cost, done.counts) == (Step.READY, 450_000, 450_000)
    assert [path.read_bytes() for path in store.results(done)] == [studio.film]
    assert steps_of(tmp_path, job) == ["prepared", "submitting", "remote", "downloading", "ready"]
    assert studio.bills == [job.id]
    store.move(job.id, Step.APPLIED)
    runner(tmp_path, studio).go(set())
    assert len(studio.bills) == 1


def test_what_is_done_is_fetched_at_once_however_slow_the_polls(tmp_path, monkeypatch):
    monkeypatch.setattr(StudioAdapter, "patience", 3600.0)
    with Studio(polls=0) as studio:
        job = prepared(tmp_path)
        end = time.monotonic() + 5
        runner(tmp_path, studio, context=Context(cancel=CancelToken(lambda: time.monotonic() > end))).go(
            set()
        )
        assert JobStore(tmp_path).get(job.id).step is Step.READY


def test_the_index_can_be_made_again_from_the_ledger(tmp_path, studio):
    jobs = [prepared(tmp_path) for _ in range(3)]
    runner(tmp_path, studio).go({jobs[0].id, jobs[1].id})
    before = {job.id: (job.step, job.counts, job.results, job.handle) for job in JobStore(tmp_path).jobs()}
    (tmp_path / "jobs.sqlite").unlink()
    after = {job.id: (job.step, job.counts, job.results, job.handle) for job in JobStore(tmp_path).jobs()}
    assert after == before and after[jobs[2].id][0] is Step.PREPARED


def test_there_is_no_way_back():
    assert all(Step.PREPARED not in after for after in NEXT.values())
    assert all(not NEXT[step] for step in ENDED)
    assert Step.SUBMITTING not in NEXT[Step.UNCERTAIN], "what may have arrived is never sent again"


def test_a_step_that_cannot_follow_is_refused_and_not_written(tmp_path):
    job = prepared(tmp_path)
    store = JobStore(tmp_path)
    store.move(job.id, Step.SUBMITTING)
    with pytest.raises(Refused, match="can't become prepared"):
        store.move(job.id, Step.PREPARED)
    assert steps_of(tmp_path, job) == ["prepared", "submitting"]


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_create_without_an_answer_is_looked_up_not_sent_again(tmp_path, studio, drop):
    studio.faults.append(Fault(("POST", "/jobs"), drop=drop))
    job = prepared(tmp_path)
    runner(tmp_path, studio).go(set())
    done = JobStore(tmp_path).get(job.id)
    assert len(studio.of("POST")) == 1
    assert (done.step, done.counts) == ((Step.READY, 450_000) if drop == "after" else (Step.FAILED, 0))
    assert "uncertain" in steps_of(tmp_path, job)


def test_where_nobody_can_be_asked_a_person_decides(tmp_path, studio):
    class Mute(StudioAdapter):
        lookups = False

    studio.faults.append(Fault(("POST", "/jobs"), drop="after"))
    job = prepared(tmp_path)
    runner(tmp_path, studio, Mute).go(set())
    left = JobStore(tmp_path).get(job.id)
    assert left.step is Step.UNCERTAIN and "decide" in left.says and left.counts == 400_000
    runner(tmp_path, studio, Mute).go(set())
    assert len(studio.bills) == 1, "not sent again by itself"


@pytest.mark.parametrize(
    ("fault", "step", "counts"),
    [
        (Fault(("POST", "/jobs"), answer=Answer(429, {"error": "slow down"}, headers={"Retry-After": "9"})), Step.FAILED, 0),
        (Fault(("POST", "/jobs"), answer=Answer(402, {"error": "no credits"})), Step.FAILED, 0),
        (Fault(("POST", "/jobs"), answer=Answer(503, {"error": "oops"})), Step.FAILED, 0),  # looked up: it never began
        (Fault(("POST", "/jobs"), answer=Answer(200, body=b"<html>")), Step.FAILED, 0),
        (Fault(("GET", "/jobs/"), answer=Answer(503, {}), times=2), Step.READY, 450_000),
        (Fault(("GET", "/jobs/"), answer=Answer(200, body=b"[" * 100_000)), Step.READY, 450_000),
        (Fault(("GET", "/jobs/"), drop="before", times=2), Step.READY, 450_000),
        (Fault(("GET", "/files/"), cut=100), Step.READY, 450_000),
        (Fault(("GET", "/files/"), answer=Answer(200, body=b"<html>not found</html>"), times=9), Step.FAILED, 450_000),
        (Fault(("GET", "/files/"), answer=Answer(403, {}), times=9), Step.FAILED, 450_000),
        (Fault(("GET", "/files/"), answer=Answer(302, headers={"Location": "http://192.0.2.1/x"}), times=9), Step.DOWNLOADING, 450_000),
    ],
)  # fmt: skip
def test_bad_days(tmp_path, studio, monkeypatch, fault, step, counts):
    monkeypatch.setattr("holdfast.clients.wire.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("holdfast.clients.download.TRIES", 2)
    studio.faults.append(fault)
    job = prepared(tmp_path)
    end = time.monotonic() + 3
    work = runner(tmp_path, studio, context=Context(cancel=CancelToken(lambda: time.monotonic() > end)))
    if step in (Step.READY, Step.FAILED):
        work.go(set())
    else:
        with pytest.raises(Cancelled):
            work.go(set())
    done = JobStore(tmp_path).get(job.id)
    print(done.step, done.says)
    assert (done.step, done.counts) == (step, counts)
    assert len(studio.of("POST")) == 1


def test_cancelling_reaches_the_service(tmp_path):
    with Studio(polls=1000) as studio:
        job = prepared(tmp_path)
        store = JobStore(tmp_path)

        def watch() -> bool:
            if store.get(job.id).step is Step.REMOTE:
                store.move(job.id, Step.CANCELLING)
            return False

        runner(tmp_path, studio, context=Context(cancel=CancelToken(watch))).go(set())
        done = JobStore(tmp_path).get(job.id)
        assert (done.step, done.counts) == (Step.CANCELLED, 0)
        assert len(studio.of("DELETE")) == 1


def test_a_job_that_is_done_is_not_deleted_by_a_late_cancel(tmp_path):
    with Studio(polls=0) as studio:
        job = prepared(tmp_path)
        store = JobStore(tmp_path)
        store.move(job.id, Step.SUBMITTING, begun=time.time())
        studio.bills.append(job.id)
        studio.jobs["j1"] = {"id": "j1", "own_id": job.id, "left": 0, "state": "done"}
        store.move(
            job.id,
            Step.REMOTE,
            handle='{"provider": "studio", "job_id": "j1", "poll_ref": "j1", "created_at": 0}',
        )
        store.move(job.id, Step.CANCELLING)
        runner(tmp_path, studio).go(set())
        assert store.get(job.id).step is Step.READY and not studio.of("DELETE")


# -- killed ----------------------------------------------------------------------------------------------------------


def in_a_child(action) -> int:
    """Runs ``action`` in a forked process; returns its id."""
    child = os.fork()
    if child:
        return child
    try:
        action()
    finally:
        os._exit(0)


def goes_on(project: Path, service: Studio, job: Job) -> Job:
    """What a new process makes of it."""
    child = in_a_child(lambda: runner(project, service).go(set()))
    os.waitpid(child, 0)
    return JobStore(project).get(job.id)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("moment", ["before", "written", "after"])
@pytest.mark.parametrize("at", ["submitting", "remote", "downloading", "ready"])
def test_killed_at_a_step_there_is_one_bill_and_one_result(tmp_path, studio, monkeypatch, at, moment):
    """Right before the step, between ledger and index, right after it."""
    job = prepared(tmp_path)
    die = lambda: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
    move, apply = JobStore.move, None

    def dying(self, job_id, step, **facts):
        if step == at and moment == "before":
            die()
        found = move(self, job_id, step, **facts)
        if step == at and moment == "after":
            die()
        return found

    def victim():
        from holdfast.pipeline import jobs

        JobStore.move = dying
        if moment == "written":
            applied = jobs.apply

            def apply_and_die(base, entry):
                if entry["step"] == at:
                    die()
                applied(base, entry)

            jobs.apply = apply_and_die
        runner(tmp_path, studio).go(set())

    child = in_a_child(victim)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "it was to be killed"
    done = goes_on(tmp_path, studio, job)
    arrived = at != "submitting"
    assert len(studio.bills) == (1 if arrived or moment == "before" else 0)
    assert done.step is (Step.READY if studio.bills else Step.FAILED)
    assert done.counts == (450_000 if studio.bills else 0)
    assert len(list(JobStore(tmp_path).folder(job.id).glob("results/*.mp4"))) == len(studio.bills)
    steps_of(tmp_path, job)
    assert apply is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_random_instants_there_is_one_bill_and_one_result(tmp_path):
    chance, ends = random.Random(5), {}
    for trial in range(INSTANTS):
        with Studio(polls=3) as studio:
            project = tmp_path / str(trial)
            job = prepared(project)
            kills = 0
            for _ in range(3):
                child = in_a_child(lambda p=project, s=studio: runner(p, s).go(set()))
                time.sleep(chance.uniform(0.0, 0.12))
                os.kill(child, signal.SIGKILL)
                kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
            done = goes_on(project, studio, job)
            assert len(studio.bills) <= 1, "billed twice"
            assert done.step is (Step.READY if studio.bills else Step.FAILED), (done.step, done.says)
            assert done.counts == (450_000 if studio.bills else 0)
            before = [(each.id, each.step, each.counts) for each in JobStore(project).jobs()]
            (project / "jobs.sqlite").unlink()
            assert [(each.id, each.step, each.counts) for each in JobStore(project).jobs()] == before
            ends[done.step] = ends.get(done.step, 0) + 1
    print({str(step): count for step, count in ends.items()})


# -- money -----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_cap_holds_in_many_processes_at_once(tmp_path):
    caps = Caps(day=1_000_000)

    def greedy():
        store = JobStore(tmp_path)
        for _ in range(10):
            with contextlib.suppress(Refused):
                store.prepare(request(), caps, price=100_000, **FACTS)

    JobStore(tmp_path)
    for child in [in_a_child(greedy) for _ in range(4)]:
        assert os.waitpid(child, 0)[1] == 0
    assert len(JobStore(tmp_path).jobs()) == 10
    assert JobStore(tmp_path).spent() == 1_000_000


@pytest.mark.parametrize(
    ("cap", "word"),
    [("request", "single request"), ("shot", "this shot"), ("day", "today"), ("project", "project")],
)
def test_over_a_cap_nothing_is_written_and_the_sentence_says_which(tmp_path, cap, word):
    store = JobStore(tmp_path)
    with pytest.raises(Refused, match=f"{word}.*cap"):
        store.prepare(request(), Caps(**{cap: 399_999}), price=400_000, **FACTS)
    assert store.jobs() == [] and store.spent() == 0
    store.prepare(request(), Caps(**{cap: 400_000}), price=400_000, **FACTS)
    store.prepare(request(), Caps(**{cap: 0}), price=0, **FACTS)


def test_the_same_request_offers_the_stored_result(tmp_path, studio):
    job = prepared(tmp_path, digest="abc")
    assert JobStore(tmp_path).same("abc") is None
    runner(tmp_path, studio).go(set())
    store = JobStore(tmp_path)
    assert store.same("abc").id == job.id
    store.results(store.get(job.id))[0].unlink()
    assert store.same("abc") is None, "its file is gone"


def test_two_blenders_share_the_jobs(tmp_path):
    with Studio(polls=5) as studio:
        jobs = [prepared(tmp_path) for _ in range(6)]
        children = [in_a_child(lambda: runner(tmp_path, studio).go(set())) for _ in range(2)]
        for child in children:
            os.waitpid(child, 0)
        assert sorted(studio.bills) == sorted(job.id for job in jobs)
        assert {job.step for job in JobStore(tmp_path).jobs()} == {Step.READY}
