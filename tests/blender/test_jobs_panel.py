# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel Jobs: what it says, and that ten thousand jobs cost it nothing to speak of."""

import time

import bpy
import pytest
from holdfast.operators import job_cache, job_services
from holdfast.panels import jobs as panel
from holdfast.pipeline import jobs_view
from holdfast.pipeline.jobs import Job, JobStore, Step
from holdfast.pipeline.money import Caps
from holdfast.properties_jobs import caps_of

from ..bench import bench_jobs
from .job_parts import FACTS, REQUEST, new_project

pytestmark = pytest.mark.checkout


def test_caps_are_exact_and_none_is_none():
    scene = bpy.context.scene
    assert caps_of(scene) == Caps(5_000_000, 50_000_000, 100_000_000, 500_000_000)
    scene.holdfast.jobs.cap_day, scene.holdfast.jobs.cap_request = -1.0, 0.1
    assert caps_of(scene) == Caps(100_000, 50_000_000, None, 500_000_000)


@pytest.mark.parametrize(
    ("facts", "state", "cost"),
    [
        ({"step": Step.PREPARED, "price": 1_400_000}, "waits", "~$1.40"),
        ({"step": Step.REMOTE, "queue": 3, "price": 1_400_000}, "queue 3", "~$1.40"),
        ({"step": Step.REMOTE, "progress": 0.45}, "45%", "free"),
        ({"step": Step.REMOTE}, "working", "free"),
        ({"step": Step.UNCERTAIN, "price": 1_400_000}, "asks you", "~$1.40"),
        ({"step": Step.READY, "price": 1_400_000, "cost": 1_500_000}, "done", "$1.50"),
        ({"step": Step.FAILED, "price": 1_400_000, "billed": 0}, "failed", "free"),
    ],
)
def test_states_and_costs_in_words(facts, state, cost):
    job = Job(**{"id": "x", "provider": "studio", "model": "film-1", **facts})
    assert (panel.state_words(job), panel.cost_words(job)) == (state, cost)


def test_every_step_has_an_icon_and_a_word():
    assert set(panel.ICONS) == set(panel.WORDS) == set(Step)


def test_pages_filters_and_sums(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid")
    store = JobStore(root)
    jobs = [
        store.prepare(REQUEST, Caps(), price=10_000, **{**FACTS, "shot": f"sh{i % 2}"}) for i in range(60)
    ]
    store.move(jobs[0].id, Step.CANCELLED, billed=0)
    scene, view = bpy.context.scene, bpy.context.window_manager.holdfast_jobs
    scene.holdfast.shot_name = "sh1"
    job_cache.refresh_now(scene)
    shown = job_cache.shown
    assert [job.id for job in shown.rows] == [job.id for job in reversed(jobs)][:50]
    assert (shown.view.found, shown.view.today, shown.view.shot, shown.view.project) == (
        60,
        590_000,
        300_000,
        590_000,
    )
    assert shown.view.going == {"studio": 59} and len(view.rows) == 50
    assert bpy.ops.holdfast.turn_job_page(by=1) == {"FINISHED"}
    job_cache.refresh_now(scene)
    assert len(shown.rows) == 10 and shown.first == 50
    view.show = "ENDED"
    job_cache.refresh_now(scene)
    assert [job.id for job in shown.rows] == [jobs[0].id] and view.page == 0
    view.only_shot = True
    job_cache.refresh_now(scene)
    assert shown.rows == () and shown.view.found == 0
    view.show, view.only_shot = "ALL", False


def test_a_writer_at_the_index_makes_nobody_wait(tmp_path):
    root = new_project(tmp_path, "https://studio.invalid")
    store = JobStore(root)
    store.prepare(REQUEST, Caps(), price=10_000, **FACTS)
    with store._changing() as base:
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.execute("UPDATE jobs SET due = 1")
        base.execute("PRAGMA cache_size = 1")
        began = time.perf_counter()
        jobs_view.read_sums(root, 0.0)
        assert time.perf_counter() - began < 0.1


def test_what_is_offline_says_how_to_allow_it(tmp_path, monkeypatch):
    root = new_project(tmp_path, "https://studio.invalid")
    JobStore(root).prepare(REQUEST, Caps(), price=10_000, **FACTS)
    job_cache.refresh_now(bpy.context.scene)
    said = []
    monkeypatch.setattr(panel, "sentence", lambda _layout, _context, text, **_more: said.append(text))
    monkeypatch.setattr(panel, "online", lambda: False)
    for fixed, words in ((True, "--offline-mode"), (False, "nothing is sent")):
        said.clear()
        monkeypatch.setattr(panel, "online_fixed", lambda fixed=fixed: fixed)
        bench_jobs.draw()
        assert any(words in text for text in said), said
        assert fixed == any("--offline-mode" in text for text in said)
    assert isinstance(job_services.online_fixed(), bool)


def test_ten_thousand_jobs(tmp_path):
    found = bench_jobs.measure(tmp_path, 10_000)
    for name, (median, longest) in found.items():
        print(f"{name:30} median {median:6.2f} ms   longest {longest:6.2f} ms")
    assert found["draw() of the panel"][0] < 5.0
    assert max(median for name, (median, _longest) in found.items() if "refresh" in name) < 16.0
