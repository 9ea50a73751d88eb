# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs on bad days: storms, clocks that jump, processes that are ended while a create is on the wire. One bill each."""

import json
import signal
import tempfile
import threading
import time
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path

import pytest
from holdfast.clients import job_steps
from holdfast.clients import jobs as runner_module
from holdfast.pipeline import jobs as store_module
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled
from holdfast.pipeline.jobs import Job, JobStore, Step
from holdfast.pipeline.ledger import read_ledger
from holdfast.pipeline.money import Caps
from holdfast.pipeline.worker import WorkerProcess

from ..loopback.server import Answer, Fault, Loopback
from .jobs_service import CATALOGUE, FACTS, Studio, StudioAdapter, StudioRunner, request

ENTRY = """
[[service]]
id = "studio"
label = "Studio"
base = "{url}"
keys = ["HOLDFAST_STUDIO_KEY"]
[[model]]
provider = "studio"
model = "film-1"
mode = "video_restyle"
label = "Studio Film"
adapter = ".tests.blender.studio_film:Film"
network = true
prompt_max = 200
inputs = {{}}
[model.options]
seconds = {{ min = 1, max = 10 }}
[model.job]
poll_min_s = 0.0
[model.output]
kinds = ["mp4"]
"""


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(runner_module, "TICK_S", 0.005)
    monkeypatch.setattr(runner_module, "LONGEST_POLL_S", 0.05)
    monkeypatch.setattr("holdfast.clients.wire.FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(job_steps, "LATE_S", 0.0)


@pytest.fixture
def studio():
    with Studio() as service:
        yield service


def runner(project: Path, service: Studio, context: Context | None = None) -> StudioRunner:
    made = StudioRunner(JobStore(project), CATALOGUE, True, context or Context())
    made.url, made.kind = service.url, StudioAdapter
    return made


def prepared(project: Path) -> Job:
    return JobStore(project).prepare(request(), Caps(), price=400_000, **FACTS)


def for_a_while(project: Path, service: Studio, seconds: float = 0.4) -> Job:
    """Runs for so long and then stops; returns the only job."""
    end = time.monotonic() + seconds
    work = runner(project, service, Context(cancel=CancelToken(lambda: time.monotonic() > end)))
    with suppress(Cancelled):
        work.go(set())
    work.store.release()
    return JobStore(project).jobs()[0]


def remote(project: Path, service: Studio, begun: float | None = None) -> Job:
    """A job that is at the service."""
    job, store = prepared(project), JobStore(project)
    store.move(job.id, Step.SUBMITTING, begun=time.time() if begun is None else begun)
    service.bills.append(job.id)
    service.jobs["j1"] = {"id": "j1", "own_id": job.id, "left": service.polls, "state": "running"}
    handle = {"provider": "studio", "job_id": "j1", "poll_ref": "j1", "created_at": time.time()}
    return store.move(job.id, Step.REMOTE, handle=json.dumps(handle))


# -- storms ----------------------------------------------------------------------------------------------------------

LATER = {
    "nothing": (None, 0.0, 3.0),
    "two minutes": ("120", 120.0, 121.0),
    "a year": ("31536000", 3600.0, 3601.0),
    "a date": ("in 90 seconds", 60.0, 91.0),
    "a date long ago": ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0, 3.0),
    "less than nothing": ("-5", 0.0, 3.0),
    "rubbish": ("soon", 0.0, 3.0),
}


@pytest.mark.parametrize("name", LATER)
def test_a_storm_of_429_is_waited_out_as_long_as_it_is_asked(tmp_path, studio, monkeypatch, name):
    said, least, most = LATER[name]
    monkeypatch.setattr("holdfast.clients.wire.MOST_WAIT_S", 0.01)
    remote(tmp_path, studio)
    now = time.time()
    said = formatdate(now + 90, usegmt=True) if name == "a date" else said
    headers = {"Retry-After": said} if said else {}
    studio.faults.append(Fault(answer=Answer(429, {"error": "slow down"}, headers=headers), times=9999))
    job = for_a_while(tmp_path, studio)
    assert job.step is Step.REMOTE and "slow down" in job.says
    assert now + least - 1.0 <= job.due <= now + most + 1.0
    assert len(studio.log) <= 5, "one poll with its repeats, and then it waits"


def test_a_storm_of_429_on_creates_is_one_request_and_free(tmp_path, studio):
    studio.faults.append(
        Fault(answer=Answer(429, {"error": "slow down"}, headers={"Retry-After": "9"}), times=9999)
    )
    prepared(tmp_path)
    job = for_a_while(tmp_path, studio)
    assert (job.step, job.counts) == (Step.FAILED, 0) and "Nothing was begun" in job.says
    assert len(studio.log) == 1


def test_5xx_for_minutes_is_waited_out_longer_every_time(tmp_path, studio, monkeypatch):
    fault = Fault(("GET", "/jobs/"), answer=Answer(502, {}), times=9999)
    studio.faults.append(fault)
    job, work = remote(tmp_path, studio), runner(tmp_path, studio)
    waits = []
    for _ in range(12):
        work.work(job.id)
        waits.append(work.store.get(job.id).due - time.time())
    assert waits[0] < 3 and all(200 < wait < 361 for wait in waits[-2:])
    assert "502" in work.store.get(job.id).says and work.store.get(job.id).step is Step.REMOTE
    fault.times = 0
    work.store.note(job.id, due=0.0)
    work.go(set())
    assert work.store.get(job.id).step is Step.READY and studio.bills == [job.id]


def test_a_key_that_is_refused_on_a_poll_costs_no_job(tmp_path, studio, monkeypatch):
    monkeypatch.setattr(runner_module, "LONGEST_POLL_S", 30.0)
    remote(tmp_path, studio)
    studio.faults.append(Fault(("GET", "/jobs/"), answer=Answer(401, {"error": "who?"}), times=9999))
    job = for_a_while(tmp_path, studio)
    assert job.step is Step.REMOTE and "did not accept the key" in job.says and "Check the key" in job.says
    assert len(studio.log) == 1


def test_an_answer_to_a_poll_that_no_document_foresees_costs_no_job(tmp_path, studio):
    remote(tmp_path, studio)
    body = Answer(200, {"state": "done", "urls": 7, "micros": "x"})
    studio.faults.append(Fault(("GET", "/jobs/"), answer=body, times=2))
    job = for_a_while(tmp_path, studio, 0.2)
    assert job.step is Step.REMOTE and "could not be understood" in job.says
    JobStore(tmp_path).note(job.id, due=0.0)
    studio.faults.clear()
    assert for_a_while(tmp_path, studio).step is Step.READY


def test_an_answer_to_a_create_that_no_document_foresees_is_doubt(tmp_path, studio, monkeypatch):
    monkeypatch.setattr(StudioAdapter, "created", lambda self, reply, job: reply.table["result"]["id"])
    monkeypatch.setattr(StudioAdapter, "lookups", False)
    job = prepared(tmp_path)
    runner(tmp_path, studio).go(set())
    left = JobStore(tmp_path).get(job.id)
    assert left.step is Step.UNCERTAIN and left.counts == 400_000 and studio.bills == [job.id]


def test_a_request_that_can_not_be_built_is_free(tmp_path, studio, monkeypatch):
    monkeypatch.setattr(StudioAdapter, "create", lambda self, job: {}["prompt"])
    prepared(tmp_path)
    job = for_a_while(tmp_path, studio)
    assert (job.step, job.counts) == (Step.FAILED, 0) and studio.log == []


def test_what_is_not_listed_yet_is_asked_for_again(tmp_path, studio, monkeypatch):
    """A service may list a job late; "it never got it" would be a second bill when it is sent anew."""
    monkeypatch.setattr(job_steps, "LATE_S", 0.4)
    studio.faults += [
        Fault(("POST", "/jobs"), drop="after"),
        Fault(("GET", "/jobs$"), answer=Answer(200, {"jobs": []})),
    ]
    job = prepared(tmp_path)
    runner(tmp_path, studio).go(set())
    assert JobStore(tmp_path).get(job.id).step is Step.READY and studio.bills == [job.id]
    assert len(studio.of("GET", "/jobs$")) == 2


def test_a_slow_service_does_not_hold_up_the_others(tmp_path, studio):
    work, names = runner(tmp_path, studio), [str(number) for number in range(runner_module.OF_ONE)]
    work._busy, work._of = dict.fromkeys(names), dict.fromkeys(names, "slow")
    assert not work._has_place(Job("x", Step.REMOTE, "slow", "m"))
    assert work._has_place(Job("x", Step.REMOTE, "studio", "m"))


# -- time ------------------------------------------------------------------------------------------------------------


def test_what_was_done_while_nobody_was_here_is_fetched_however_old(tmp_path):
    """Closed on Friday, opened on Monday: it is asked before it is given up."""
    with Studio(polls=0) as studio:
        remote(tmp_path, studio, begun=time.time() - 80 * 3600.0)
        assert for_a_while(tmp_path, studio, 3.0).step is Step.READY


def test_what_never_ends_is_given_up_after_two_days_and_a_while_of_watching(tmp_path, monkeypatch):
    with Studio(polls=10**9) as studio:
        job = remote(tmp_path, studio, begun=time.time() - 49 * 3600.0)
        assert for_a_while(tmp_path, studio, 0.2).step is Step.REMOTE, "the clock may have jumped"
        monkeypatch.setattr(runner_module, "WATCHED_S", 0.0)
        JobStore(tmp_path).note(job.id, due=0.0)
        ended = for_a_while(tmp_path, studio, 3.0)
        assert ended.step is Step.FAILED and "not finished it in 48 hours" in ended.says
        assert ended.counts == 400_000


@pytest.mark.parametrize("jump", [86400.0, -86400.0])
def test_a_clock_that_jumps_by_a_day_loses_nothing(tmp_path, monkeypatch, jump):
    """During the backoff, and while the job is held."""
    with Studio(polls=2) as studio:
        job = remote(tmp_path, studio)
        JobStore(tmp_path).note(job.id, due=time.time() + 3000.0)
        assert for_a_while(tmp_path, studio, 0.1).step is Step.REMOTE and studio.log == []
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        assert for_a_while(tmp_path, studio, 3.0).step is Step.READY
        assert studio.bills == [job.id]


@pytest.mark.parametrize("jump", [86400.0, -86400.0])
def test_a_clock_that_jumps_takes_no_job_from_who_holds_it(tmp_path, monkeypatch, jump):
    job, first, second = prepared(tmp_path), JobStore(tmp_path), JobStore(tmp_path)
    assert first.claim(job.id) and not second.claim(job.id)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert not second.claim(job.id), "it was heard of this very moment"
    monkeypatch.setattr(store_module, "LEASE_S", 0.0)
    first.beat()
    assert not second.claim(job.id), "it is heard of"
    assert second.claim(job.id), "now it was silent for as long as a lease"


def test_a_clock_that_jumps_back_opens_no_cap(tmp_path, monkeypatch):
    store, caps, real = JobStore(tmp_path), Caps(day=500_000), time.time
    store.prepare(request(), caps, price=400_000, **FACTS)
    monkeypatch.setattr(time, "time", lambda: real() - 86400.0)
    with pytest.raises(Exception, match=r"today.*cap"):
        store.prepare(request(), caps, price=400_000, **FACTS)


def test_a_long_create_is_held_by_its_runner_alone(tmp_path, studio, monkeypatch):
    monkeypatch.setattr(store_module, "LEASE_S", 0.12)
    studio.faults.append(Fault(("POST", "/jobs"), slow=0.7))
    job = prepared(tmp_path)
    both = [threading.Thread(target=runner(tmp_path, studio).go, args=(set(),)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    steps = [e["step"] for e in read_ledger(tmp_path / "ledger") if e["event"] == "job"]
    assert "uncertain" not in steps and JobStore(tmp_path).get(job.id).step is Step.READY
    assert studio.bills == [job.id]


# -- ended -----------------------------------------------------------------------------------------------------------


def worker(project: Path, service: Studio) -> WorkerProcess:
    """The worker of the product, a process of its own."""
    path = project / "studio.toml"
    path.write_text(ENTRY.format(url=service.url))
    asked = {"project": str(project), "online": False, "catalogue": [str(path)]}
    return WorkerProcess.start("clients.jobs:run", asked, (), {"HOLDFAST_STUDIO_KEY": Loopback.key})


def until(done, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def test_a_cancel_while_a_create_is_on_the_wire_leaves_it_remote_and_then_stops_it(tmp_path):
    with Studio(polls=10**9) as studio:
        studio.faults.append(Fault(("POST", "/jobs"), slow=0.3))
        job, token = prepared(tmp_path), CancelToken()
        work = runner(tmp_path, studio, Context(cancel=token))
        threading.Timer(0.15, token.cancel).start()
        with pytest.raises(Cancelled):
            work.go(set())
        work.store.release()
        store = JobStore(tmp_path)
        assert store.get(job.id).step is Step.REMOTE and len(studio.of("POST")) == 1
        store.move(job.id, Step.CANCELLING)
        runner(tmp_path, studio).go(set())
        assert (store.get(job.id).step, store.get(job.id).counts) == (Step.CANCELLED, 0)


def test_a_cancel_before_the_create_sends_nothing(tmp_path, studio):
    job, token = prepared(tmp_path), CancelToken()
    token.cancel()
    work = runner(tmp_path, studio, Context(cancel=token))
    work.work(job.id)
    assert work.store.get(job.id).step is Step.PREPARED and studio.log == []


def test_workers_that_are_ended_wait_for_the_answer_to_a_create(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("holdfast.pipeline.worker.GRACE_SECONDS", 0.1)
    with Studio(polls=10**9) as studio:
        studio.faults.append(Fault(("POST", "/jobs"), slow=1.2, times=3))
        projects = {way: tmp_path / way for way in ("terminate", "close", "cancel")}
        jobs = {way: prepared(project) for way, project in projects.items()}
        running = {way: worker(project, studio) for way, project in projects.items()}
        until(lambda: len(studio.bills) == 3)
        began = time.monotonic()
        running["close"].close()
        assert time.monotonic() - began < 0.2, "Blender does not wait for it"
        running["terminate"]._process.send_signal(signal.SIGTERM)
        running["cancel"].cancel()
        until(
            lambda: all(
                each.poll() is not None and each._process.poll() is not None for each in running.values()
            )
        )
        for way, project in projects.items():
            assert JobStore(project).get(jobs[way].id).step is Step.REMOTE, way
        assert sorted(studio.bills) == sorted(job.id for job in jobs.values())
        assert not running["close"]._folder.exists(), "it cleared its folder"


def test_two_blenders_on_one_project_and_one_is_killed_while_its_creates_are_on_the_wire(tmp_path):
    with Studio(polls=1) as studio:
        studio.faults.append(Fault(("POST", "/jobs"), slow=1.0, times=5))
        jobs = [prepared(tmp_path) for _ in range(5)]
        both = [worker(tmp_path, studio) for _ in range(2)]
        until(lambda: len(studio.bills) == 5)
        both[0]._process.kill()
        until(lambda: [each.poll() for each in both] and all(each.finished for each in both), 30.0)
        assert sorted(studio.bills) == sorted(job.id for job in jobs), "one bill each"
        assert {job.step for job in JobStore(tmp_path).jobs()} == {Step.READY}
