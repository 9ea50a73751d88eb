# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job becomes whose service is not who it says, or sends something else than a film: one request, a true sum."""

import re

import pytest
from holdfast.clients import job_steps
from holdfast.clients import jobs as runner_module
from holdfast.pipeline.context import Context
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from ..loopback import media
from ..loopback.raw import Raw, certificate
from ..loopback.server import Answer, Fault
from .jobs_service import CATALOGUE, FACTS, Studio, StudioRunner, request


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(runner_module, "TICK_S", 0.005)
    monkeypatch.setattr(job_steps, "LATE_S", 0.0)


def ended(project, url):
    """The only job, after a run."""
    job = JobStore(project).prepare(request(), Caps(), price=400_000, **FACTS)
    work = StudioRunner(JobStore(project), CATALOGUE, True, Context())
    work.url = url
    work.go(set())
    return JobStore(project).get(job.id)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (media.png(), r"something else than mp4 \(png\)"),
        (b"<!DOCTYPE html>Sign in", "something else than mp4.*Sign in"),
        (media.mp4()[:60], "is a film without a picture"),
        (b"\0\0\0\x18ftypmp42" + b"\xff" * 5000, "is a film without a picture"),
    ],
)
def test_a_result_that_is_none_fails_and_counts_and_is_not_bought_again(tmp_path, body, says):
    with Studio() as studio:
        studio.film = body
        job = ended(tmp_path, studio.url)
        assert (job.step, job.counts, job.results) == (Step.FAILED, 450_000, "[]")
        assert len(studio.of("POST")) == 1 and len(studio.bills) == 1
        assert re.search(says, job.says)


def test_a_result_that_is_too_large_is_not_kept(tmp_path):
    with Studio() as studio:
        huge = Answer(200, body=media.mp4(), headers={"Content-Length": str(1 << 40)})
        studio.faults.append(Fault(("GET", "/files/"), answer=huge, times=9))
        job = ended(tmp_path, studio.url)
        assert job.step is Step.FAILED and "more than is allowed" in job.says
        assert not list(JobStore(tmp_path).folder(job.id).rglob("*.mp4"))


def test_a_service_with_a_wrong_certificate_gets_nothing_and_costs_nothing(tmp_path):
    path = certificate("good")
    if path is None:
        pytest.skip("no openssl here")
    heard = []
    with Raw(lambda link: heard.append(link.recv(100)), path) as server:
        job = ended(tmp_path, server.url)
    assert (job.step, job.counts) == (Step.FAILED, 0) and heard == [] and server.met == 1
    assert "The connection to Studio is not secure: its certificate is signed by nobody known" in job.says
