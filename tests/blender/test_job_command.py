# SPDX-License-Identifier: GPL-3.0-or-later
"""`holdfast jobs`: lists, agrees by an explicit flag alone, decides, and exits with a code that says why."""

import json

import pytest
from holdfast.command_line import main
from holdfast.pipeline import consent
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from ..loopback.server import Answer, Fault, Loopback
from ..pure.jobs_service import Studio
from .job_parts import FACTS, KEY, REQUEST, new_project

pytestmark = pytest.mark.checkout


@pytest.fixture
def studio(monkeypatch):
    monkeypatch.setenv(KEY, Loopback.key)
    with Studio() as service:
        yield service


def prepared(root):
    return JobStore(root).prepare(REQUEST, Caps(), price=400_000, **FACTS)


def run(capfd, *argv):
    code = main(["jobs", *argv])
    out = capfd.readouterr()
    assert "Traceback" not in out.out + out.err
    return code, out.out


def test_a_run_goes_on_until_none_is_left_and_lists(studio, tmp_path, capfd):
    root = new_project(tmp_path, studio.url)
    jobs = [prepared(root) for _ in range(2)]
    code, out = run(capfd, "--run", "--json")
    assert code == 0, out
    events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    listed = {event["id"]: event for event in events if event["event"] == "job"}
    assert set(listed) == {job.id for job in jobs}
    assert {event["state"] for event in listed.values()} == {"ready"}
    assert [event["project_micros"] for event in events if event["event"] == "spent"] == [900_000]
    assert "Spent today $0.90" in out
    assert len(studio.bills) == 2


def test_without_a_key_or_consent_nothing_is_sent_and_the_code_says_so(tmp_path, capfd, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    root = new_project(tmp_path, "https://studio.invalid")
    prepared(root)
    code, out = run(capfd, "--run")
    assert code == 31 and f"Set {KEY}" in out
    monkeypatch.setenv(KEY, "some-key")
    code, out = run(capfd, "--run")
    assert code == 31 and "offline" in out
    monkeypatch.setattr("holdfast.operators.job_command.online", lambda: True)
    code, out = run(capfd, "--run")
    assert code == 31 and "Pass --agree studio" in out
    assert JobStore(root).jobs()[0].step is Step.PREPARED


def test_consent_is_given_and_taken_back_by_flags(tmp_path, capfd):
    root = new_project(tmp_path, "https://studio.invalid")
    code, out = run(capfd, "--agree", "studio")
    assert code == 0 and "Films are kept for 24 hours" in out
    assert consent.agreed(root) == {"studio": ("studio.invalid",)}
    assert run(capfd, "--take-back", "studio")[0] == 0
    assert consent.agreed(root) == {}
    code, out = run(capfd, "--agree", "nobody")
    assert code == 20 and "no service 'nobody'" in out


def test_jobs_are_cancelled_and_decided_by_the_beginning_of_their_id(studio, tmp_path, capfd):
    root = new_project(tmp_path, studio.url, "Mute")
    first, second, third = (prepared(root) for _ in range(3))
    assert run(capfd, "--cancel", first.id[:8])[0] == 0
    jobs = JobStore(root)
    assert jobs.get(first.id).step is Step.CANCELLED
    studio.faults.append(Fault(("POST", "/jobs"), drop="after", times=2))
    code, out = run(capfd, "--run")
    assert code == 30 and "asks" not in out.split("job ")[0]
    assert jobs.get(second.id).step is Step.UNCERTAIN
    assert run(capfd, "--never-arrived", second.id[:8])[0] == 0
    assert (jobs.get(second.id).step, jobs.get(second.id).counts) == (Step.FAILED, 0)
    assert run(capfd, "--found", third.id[:8], "j2", "--run")[0] == 0
    assert jobs.get(third.id).step is Step.READY
    code, out = run(capfd, "--cancel", "zzzz")
    assert code == 20 and "no such job" in out
    code, out = run(capfd, "--never-arrived", third.id)
    assert code == 31 and "no doubt" in out


def test_a_failed_job_is_an_exit_code(studio, tmp_path, capfd):
    root = new_project(tmp_path, studio.url)
    studio.faults.append(Fault(("POST", "/jobs"), answer=Answer(400, {"error": "no"})))
    prepared(root)
    code, _out = run(capfd, "--run")
    assert code == 32


def test_what_is_no_id_of_a_found_job_ends_with_the_code_for_usage(tmp_path, capfd):
    root = new_project(tmp_path, "https://studio.invalid")
    job = prepared(root)
    store = JobStore(root)
    store.move(job.id, Step.SUBMITTING)
    store.move(job.id, Step.UNCERTAIN)
    assert main(["jobs", "--found", job.id[:8], "../../x?y"]) == 2
    said = capfd.readouterr()
    assert "That is no id of a job (../../x?y). Copy it from your account there." in said.out + said.err
    assert store.get(job.id).step is Step.UNCERTAIN
