# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that is typed is in memory and nowhere else: a canary is planted and everything that is left behind is searched."""

import base64
import os
import sys
import tempfile
from pathlib import Path

import bpy
import pytest
from holdfast.operators import job_cache, job_view, job_worker
from holdfast.pipeline import secret
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps
from holdfast.pipeline.worker import WorkerProcess

from ..loopback.server import Answer, Fault
from ..pure.jobs_service import Studio
from .job_parts import FACTS, KEY, REQUEST, new_project, tick_until

pytestmark = pytest.mark.checkout
CANARY = "hf-canary-5c1d9e7b2a"


@pytest.fixture
def studio(monkeypatch, tmp_path):
    """The service takes the canary alone; what workers leave behind stays, below ``tmp_path``."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    finish = WorkerProcess._finish
    monkeypatch.setattr(WorkerProcess, "_finish", lambda self, keep: finish(self, keep=True))
    monkeypatch.delenv(KEY, raising=False)
    with Studio() as service:
        service.key = CANARY
        yield service
        job_worker.close_worker()
        secret.hold(KEY, "")


def type_key(value=CANARY):
    """As the dialog does it."""
    view = bpy.context.window_manager.holdfast_jobs
    job_view.offer_names((KEY,))
    view.key_name = KEY
    view.key = value


def traces(*folders):
    """Files below the folders that hold the canary in any usual spelling."""
    plain = CANARY.encode()
    spellings = [
        plain,
        CANARY.encode("utf-16-le"),
        base64.b64encode(plain).rstrip(b"="),
        plain.hex().encode(),
        plain[::-1],
    ]
    searched = [path for folder in folders for path in Path(folder).rglob("*") if path.is_file()]
    assert len(searched) > 3, searched
    return [path for path in searched if any(each in path.read_bytes() for each in spellings)]


def test_the_search_finds_what_is_there(tmp_path):
    for number in range(4):
        (tmp_path / str(number)).write_text(f"x{CANARY}" if number == 2 else "")
    assert traces(tmp_path) == [tmp_path / "2"]


def test_the_property_passes_it_on_and_stays_empty():
    type_key("  " + CANARY + " ")
    view = bpy.context.window_manager.holdfast_jobs
    assert secret.held() == {KEY: CANARY}
    assert view.key == "" and CANARY not in repr(dict(view.items()))
    type_key("")
    assert secret.held() == {KEY: CANARY}, "an empty field forgets nothing"
    secret.hold(KEY, "")


def test_no_file_and_no_process_list_holds_it(studio, tmp_path):
    root = new_project(tmp_path, studio.url)
    type_key()
    studio.polls = 10_000
    jobs = JobStore(root)
    studio.faults.append(
        Fault(("POST", "/jobs"), answer=Answer(400, {"error": {"message": f"bad key {CANARY}"}}))
    )
    echoed = jobs.prepare(REQUEST, Caps(), price=400_000, **FACTS)
    tick_until(job_worker, lambda: jobs.get(echoed.id).step is Step.FAILED)
    assert "***" in jobs.get(echoed.id).says, "the service's words are kept, the key in them is not"
    killed = jobs.prepare(REQUEST, Caps(), price=400_000, **FACTS)
    tick_until(job_worker, lambda: jobs.get(killed.id).step is Step.REMOTE)
    assert studio.of("POST")[-1].headers["authorization"] == f"Bearer {CANARY}", "it did arrive"
    process = job_worker.current.worker._process
    if sys.platform == "linux":
        for name in ("cmdline", "environ"):
            for pid in (process.pid, os.getpid()):
                assert CANARY.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
    process.kill()
    tick_until(job_worker, lambda: job_worker.current.worker is None)
    assert job_worker.current.problem and CANARY not in job_worker.current.problem
    job_cache.refresh_now(bpy.context.scene)
    bpy.ops.holdfast.agree(service="studio")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"), compress=False)
    bpy.ops.wm.save_userpref()
    user = Path(bpy.utils.resource_path("USER"))
    assert list(user.rglob("userpref.blend")), "the preferences were saved"
    assert list((tmp_path / "temporary").glob("*/log.txt"))
    assert (root / "jobs.sqlite").exists() and list(root.glob("ledger/*/*.jsonl"))
    assert traces(tmp_path, user) == []


def test_what_a_worker_says_of_its_own_is_cleaned(studio, tmp_path):
    awkward = 'quote"back\\slash-' + CANARY
    for value in (CANARY, awkward):
        worker = WorkerProcess.start("tests.blender.key_tasks:blurt", {}, bpy.app.python_args, {KEY: value})
        events = []
        while not worker.finished:
            events += worker.poll()
        assert events[-1]["event"] == "error" and "ValueError: what is ***?" in events[-1]["error"]["what"]
        assert any(event.get("line") == "key=***" for event in events)
    log = next((tmp_path / "temporary").glob("*/log.txt")).read_text()
    assert "Traceback" in log and "what is ***?" in log
    assert traces(tmp_path) == []


def test_it_reaches_the_worker_and_no_worker_that_was_not_given_it(studio, tmp_path):
    secret.hold(KEY, CANARY)
    for given in ({KEY: CANARY, "OTHER": "x" * 5000}, {}):
        request = {"expected": given} if not given else {"expected": {}}
        worker = WorkerProcess.start("tests.blender.key_tasks:tell", request, bpy.app.python_args, given)
        events = []
        while not worker.finished:
            events += worker.poll()
        assert events[-1]["value"]["names"] == sorted(given)
