# SPDX-License-Identifier: GPL-3.0-or-later
"""A saved file, a service on this machine in the person's own catalogue, jobs, and a hand that ticks the timer."""

import time
from collections.abc import Callable
from pathlib import Path

import bpy

KEY = "HOLDFAST_STUDIO_KEY"
CATALOGUE = """
[[service]]
id = "studio"
label = "Studio"
base = "{url}"
hosts = {hosts}
keys = ["HOLDFAST_STUDIO_KEY"]
retention = "Films are kept for 24 hours."
terms = "No pictures of real people."
[[model]]
provider = "studio"
model = "film-1"
mode = "video_restyle"
label = "Studio Film"
adapter = ".tests.blender.studio_film:{adapter}"
network = true
prompt_max = 200
inputs = {{}}
[model.options]
seconds = {{ min = 1, max = 10 }}
[model.job]
poll_min_s = 0.0
cancel = "best_effort"
[model.price]
per_second_micros = 100000
as_of = "2026-11-22"
[model.output]
kinds = ["mp4"]
"""
FACTS = {"provider": "studio", "model": "film-1", "shot": "sh010", "purpose": "take"}
REQUEST = {"inputs": [], "prompt": "ink", "seed": None, "options": {"seconds": 4}}


def new_project(folder: Path, url: str, adapter: str = "Film", hosts: str = "[]") -> Path:
    """Saves the open file in ``folder`` with the service at ``url`` in its catalogue; returns the project folder."""
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "a.blend"))
    root = folder / "a.holdfast"
    (root / "catalogue").mkdir(parents=True)
    text = CATALOGUE.format(url=url, adapter=adapter, hosts=hosts)
    (root / "catalogue" / "studio.toml").write_text(text)
    return root


def tick_until(worker: object, done: Callable[[], bool], limit_s: float = 20.0) -> float:
    """Ticks as the window does until ``done``; returns the longest tick in seconds of this thread's own work."""
    end, longest = time.monotonic() + limit_s, 0.0
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"it did not happen: {vars(worker.current)}, {worker.job_cache.shown}")
        began = time.thread_time()
        worker.tick()
        longest = max(longest, time.thread_time() - began)
        time.sleep(0.02)
    return longest
