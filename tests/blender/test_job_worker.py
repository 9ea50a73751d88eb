# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker of the window: it starts when something may go on, never makes the window wait, and ends in order."""

import time

import bpy
import pytest
from holdfast.operators import job_cache, job_consent, job_services, job_worker
from holdfast.pipeline import consent, jobs_decide, secret
from holdfast.pipeline.errors import InputError, Refused, UsageError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from ..loopback.server import Fault, Loopback
from ..pure.jobs_service import Studio
from .job_parts import FACTS, KEY, REQUEST, new_project, tick_until

pytestmark = pytest.mark.checkout


@pytest.fixture
def studio(monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    with Studio() as service:
        yield service
        job_worker.close_worker()
        secret.hold(KEY, "")


def prepared(root, price=400_000):
    return JobStore(root).prepare(REQUEST, Caps(), price=price, **FACTS)


def step_of(root, job):
    return JobStore(root).get(job.id).step


def test_a_job_goes_its_way_once_there_is_a_key(studio, tmp_path):
    root = new_project(tmp_path, studio.url)
    job = prepared(root)
    for _ in range(600):  # a slice of the catalogue, consents and jobs each
        job_worker.tick()
    assert job_worker.current.worker is None, "nothing may go on without a key"
    assert not job_cache.known("studio").key and step_of(root, job) is Step.PREPARED
    bpy.context.window_manager.holdfast_jobs.key_name  # noqa: B018  is there
    secret.hold(KEY, Loopback.key)
    job_cache.ask()
    longest = tick_until(job_worker, lambda: step_of(root, job) is Step.READY)
    tick_until(job_worker, lambda: job_cache.shown.rows and job_cache.shown.rows[0].step is Step.READY)
    assert studio.bills == [job.id]
    assert job_cache.shown.view.today == 450_000
    assert [path.read_bytes() for path in JobStore(root).results(JobStore(root).get(job.id))] == [studio.film]
    print(f"longest tick {1000 * longest:.1f} ms")


def test_it_ends_when_nothing_is_left_and_starts_again(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(job_worker, "LINGER_S", 0.1)
    root = new_project(tmp_path, studio.url)
    secret.hold(KEY, Loopback.key)
    job = prepared(root)
    tick_until(job_worker, lambda: step_of(root, job) is Step.READY)
    tick_until(job_worker, lambda: job_worker.current.worker is None)
    second = prepared(root)
    tick_until(job_worker, lambda: step_of(root, second) is Step.READY)
    assert len(studio.bills) == 2


def test_a_new_key_restarts_it(studio, tmp_path):
    root = new_project(tmp_path, studio.url)
    secret.hold(KEY, "wrong-key")
    studio.polls = 10_000
    job = prepared(root)
    tick_until(job_worker, lambda: step_of(root, job) is Step.FAILED)
    first = job_worker.current.worker
    secret.hold(KEY, Loopback.key)
    tick_until(job_worker, lambda: job_worker.current.worker is None)
    second = prepared(root)
    tick_until(job_worker, lambda: step_of(root, second) is Step.REMOTE)
    assert job_worker.current.worker is not first


def test_another_file_stops_it_and_the_job_goes_on_when_it_is_opened_again(studio, tmp_path):
    root = new_project(tmp_path, studio.url)
    studio.polls = 5
    secret.hold(KEY, Loopback.key)
    job = prepared(root)
    tick_until(job_worker, lambda: step_of(root, job) is Step.REMOTE)
    worker = job_worker.current.worker
    path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert job_worker.current.worker is None
    tick_until(job_worker, lambda: worker.finished)
    assert job_cache.shown.project is None and not job_cache.shown.rows
    bpy.ops.wm.open_mainfile(filepath=path)
    tick_until(job_worker, lambda: step_of(root, job) is Step.READY)
    assert studio.bills == [job.id], "sent once"


def test_killed_it_is_started_again_after_a_pause_and_says_so(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(job_worker.State, "pause_s", 0.1)
    job_worker.current.pause_s = 0.1
    root = new_project(tmp_path, studio.url)
    studio.polls = 5
    secret.hold(KEY, Loopback.key)
    job = prepared(root)
    tick_until(job_worker, lambda: step_of(root, job) is Step.REMOTE)
    job_worker.current.worker._process.kill()
    tick_until(job_worker, lambda: job_worker.current.worker is None)
    assert "stopped with code" in job_worker.current.problem
    tick_until(job_worker, lambda: step_of(root, job) is Step.READY)
    assert studio.bills == [job.id]


def test_offline_nothing_is_sent_but_this_computer_may_be_spoken_to(tmp_path, monkeypatch):
    monkeypatch.setattr(job_services, "online", lambda: False)
    monkeypatch.setattr(job_worker, "online", lambda: False)
    root = new_project(tmp_path, "https://studio.invalid", hosts='["files.studio.invalid"]')
    job = prepared(root)
    secret.hold(KEY, "some-key")
    consent.agree(
        job_consent.Ledger(root / "ledger"), "studio", ["studio.invalid", "files.studio.invalid"], "x"
    )
    for _ in range(600):  # a slice of the catalogue, consents and jobs each
        job_worker.tick()
    known = job_cache.known("studio")
    assert known.ready and not known.local
    assert job_worker.current.worker is None and step_of(root, job) is Step.PREPARED
    monkeypatch.setattr(job_worker, "online", lambda: True)
    assert job_worker.ready_jobs() == 1
    secret.hold(KEY, "")
    job_worker.close_worker()


def test_consent_is_recorded_with_what_was_shown_and_can_be_taken_back(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid", hosts='["files.studio.invalid"]')
    prepared(root)
    job_cache.refresh_now(bpy.context.scene)
    assert not job_cache.known("studio").agreed
    assert bpy.ops.holdfast.agree(service="studio") == {"FINISHED"}
    assert consent.agreed(root) == {"studio": ("studio.invalid", "files.studio.invalid")}
    job_cache.refresh_now(bpy.context.scene)
    assert job_cache.known("studio").agreed
    text = "".join(path.read_text() for path in root.glob("ledger/*/*.jsonl"))
    assert "Films are kept for 24 hours" in text and "$0.10 a second" in text
    assert bpy.ops.holdfast.take_back(service="studio") == {"FINISHED"}
    job_cache.refresh_now(bpy.context.scene)
    assert consent.agreed(root) == {} and not job_cache.known("studio").agreed


def test_a_service_with_a_new_host_is_asked_for_again(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid")
    prepared(root)
    job_cache.refresh_now(bpy.context.scene)
    bpy.ops.holdfast.agree(service="studio")
    catalogue = root / "catalogue" / "studio.toml"
    catalogue.write_text(catalogue.read_text().replace("hosts = []", 'hosts = ["other.invalid"]'))
    job_cache.refresh_now(bpy.context.scene)
    assert not job_cache.known("studio").agreed


# -- what a person decides -------------------------------------------------------------------------------------------


def test_cancel_before_it_is_sent_is_at_once(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid")
    job = prepared(root)
    assert bpy.ops.holdfast.cancel_job(job=job.id) == {"FINISHED"}
    now = JobStore(root).get(job.id)
    assert (now.step, now.counts) == (Step.CANCELLED, 0)


def test_cancel_reaches_the_service(studio, tmp_path):
    root = new_project(tmp_path, studio.url)
    studio.polls = 10_000
    secret.hold(KEY, Loopback.key)
    job = prepared(root)
    tick_until(job_worker, lambda: step_of(root, job) is Step.REMOTE)
    job_cache.refresh_now(bpy.context.scene)
    bpy.ops.holdfast.cancel_job(job=job.id)
    tick_until(job_worker, lambda: step_of(root, job) is Step.CANCELLED)
    assert len(studio.of("DELETE")) == 1


@pytest.mark.parametrize("word", ["NEVER", "THERE", "AGAIN"])
def test_an_uncertain_job_waits_for_a_person(studio, tmp_path, word):
    root = new_project(tmp_path, studio.url, "Mute")
    studio.faults.append(Fault(("POST", "/jobs"), drop="after"))
    secret.hold(KEY, Loopback.key)
    job = prepared(root)
    tick_until(job_worker, lambda: JobStore(root).get(job.id).says.endswith("decide here."))
    job_cache.refresh_now(bpy.context.scene)
    assert job_cache.shown.view.going == {}, "no worker goes on with it by itself"
    assert bpy.ops.holdfast.decide_job(job=job.id, word=word, remote_id="j1") == {"FINISHED"}
    jobs = JobStore(root)
    if word == "NEVER":
        assert (jobs.get(job.id).step, jobs.get(job.id).counts) == (Step.FAILED, 0)
        assert len(studio.bills) == 1
    elif word == "THERE":
        tick_until(job_worker, lambda: step_of(root, job) is Step.READY)
        assert len(studio.bills) == 1
    else:
        assert jobs.get(job.id).counts == 400_000, "it may be billed all the same"
        tick_until(job_worker, lambda: jobs.count().get(Step.READY) == 1)
        assert len(studio.bills) == 2


def test_what_can_not_be_decided_is_refused_in_a_sentence(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid")
    job = prepared(root)
    jobs = JobStore(root)
    with pytest.raises(Refused, match="There is no doubt"):
        jobs_decide.never_arrived(jobs, job.id)
    with pytest.raises(Refused, match="still going on"):
        jobs_decide.again(jobs, job.id, Caps())
    jobs.move(job.id, Step.SUBMITTING, begun=time.time())
    with pytest.raises(Refused, match="being sent right now"):
        jobs_decide.cancel(jobs, job.id)
    jobs.move(job.id, Step.UNCERTAIN)
    for wrong in ("", "a b", "../x", "x?y=1"):
        with pytest.raises(UsageError, match="no id"):
            jobs_decide.found(jobs, job.id, wrong)
    with pytest.raises(Refused, match="cap"):
        jobs_decide.again(jobs, job.id, Caps(request=1))
    assert jobs.get(job.id).step is Step.UNCERTAIN, "nothing changed"
    with pytest.raises(InputError):
        jobs_decide.one(jobs, "zzz")
    assert jobs_decide.one(jobs, job.id[:8]).id == job.id


def test_a_retry_is_a_new_job_within_the_caps(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid")
    job = prepared(root)
    bpy.ops.holdfast.cancel_job(job=job.id)
    bpy.context.scene.holdfast.jobs.cap_request = 0.1
    with pytest.raises(RuntimeError, match="over the cap"):
        bpy.ops.holdfast.retry_job(job=job.id)
    bpy.context.scene.holdfast.jobs.cap_request = -1.0
    assert bpy.ops.holdfast.retry_job(job=job.id) == {"FINISHED"}
    newest = JobStore(root).jobs()[0]
    assert newest.id != job.id and (newest.step, newest.price) == (Step.PREPARED, 400_000)
    assert JobStore(root).request(newest.id) == REQUEST


def test_a_lost_index_is_made_again_by_a_worker(studio, tmp_path):
    root = new_project(tmp_path, studio.url)
    job = prepared(root)
    (root / "jobs.sqlite").unlink()
    tick_until(job_worker, lambda: [row.id for row in job_cache.shown.rows] == [job.id])
