# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel Jobs costs with 10,000 jobs in the index: reading a page and the sums, refreshing the cache, drawing.

``.env/blender-5.2/bin/python -m tests.bench.bench_jobs [jobs]`` in an environment with Blender; prints a table.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401  makes the checkout importable

# isort: split
import bpy
from holdfast.operators import job_cache
from holdfast.panels import jobs as panel
from holdfast.pipeline import jobs_view
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.jobs_index import apply

SERVICES = ("fal", "runway", "ark", "luma", "kling")


def fill(root: Path, count: int) -> None:
    """An index of ``count`` jobs over 40 shots and five services, as they are after a year."""
    chance, now = random.Random(1), time.time()
    ended = (Step.APPLIED, Step.READY, Step.FAILED, Step.CANCELLED)
    with JobStore(root)._changing() as base:
        for number in range(count):
            step = chance.choice(tuple(Step)) if number < 60 else chance.choice(ended)
            apply(base, {
                "id": f"{number:08x}-0000-4000-8000-{chance.getrandbits(48):012x}", "step": step,
                "provider": chance.choice(SERVICES), "model": "video-model-2", "shot": f"sh{chance.randrange(40):03d}",
                "purpose": "take", "price": 400_000, "cost": chance.choice((-1, 450_000)), "created": now - 600.0 * number,
                "updated": now, "handle": json.dumps({"outputs": ["u" * 600]}), "results": json.dumps([["00.mp4", "a" * 64]]),
                "says": "It is where it should be." if number % 3 else "", "n": 3,
            })  # fmt: skip


class Layout:
    """Takes what draw() calls of a layout; Blender's own drawing is not in the figures, the window check has it."""

    def __init__(self) -> None:
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(*_args: object, **_options: object) -> Any:
            self.calls += 1
            return (self, self) if name == "panel" else self

        return call

    def __setattr__(self, name: str, value: object) -> None:
        if name == "calls":
            object.__setattr__(self, name, value)


class Context:
    """As much of a context as draw() reads."""

    scene = property(lambda _self: bpy.context.scene)
    window_manager = property(lambda _self: bpy.context.window_manager)
    preferences = property(lambda _self: bpy.context.preferences)
    region = type("Region", (), {"width": 340})


def timed(work: Callable[[], object], times: int = 30) -> tuple[float, float]:
    """Median and longest, ms of this thread: other work on the machine is not in it."""
    spent = []
    for _ in range(times):
        began = time.thread_time()
        work()
        spent.append(1000.0 * (time.thread_time() - began))
    return statistics.median(spent), max(spent)


def draw() -> int:
    """The panel and its visible rows; returns how many calls that were."""
    layout, context = Layout(), Context()
    drawn = type("Drawn", (), {"layout": layout})()
    panel.HOLDFAST_PT_jobs.draw(drawn, context)
    for index in range(10):
        panel.HOLDFAST_UL_jobs.draw_item(None, context, layout, None, None, 0, None, "", index)
    return layout.calls


def measure(folder: Path, count: int) -> dict[str, tuple[float, float]]:
    """The figures by name: (median, longest) in ms."""
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "bench.blend"))
    root = folder / "bench.holdfast"
    fill(root, count)
    scene, view = bpy.context.scene, bpy.context.window_manager.holdfast_jobs
    scene.holdfast.shot_name = "sh001"
    job_cache.refresh_now(scene)
    day = time.time() - time.time() % 86400

    def again(*names: str) -> None:
        for name in names:
            job_cache._state.pop(name, None)
        job_cache.refresh(scene)

    def last_page() -> None:
        view.page = count // jobs_view.PAGE - 1 - view.page % 2
        again("wanted", "read_at")

    found = {
        "read the sums": timed(lambda: jobs_view.read_sums(root, day)),
        "refresh, slice with the sums": timed(lambda: again("sums", "read_at")),
        "refresh, first page": timed(lambda: again("wanted", "read_at")),
        "refresh, last pages": timed(last_page),
        "a tick when nothing changed": timed(lambda: job_cache.refresh(scene)),
        "draw() of the panel": timed(draw),
    }
    assert job_cache.shown.view.found == count
    return found


def stored(folder: Path, count: int) -> None:
    """What a call of the index takes, and how much longer if its file is opened for every call."""
    fill(folder, count)
    store = JobStore(folder)
    job = store.jobs(most=1)[0]
    calls: dict[str, Callable[[], Any]] = {
        "get": lambda: store.get(job.id),
        "jobs that go on": lambda: store.jobs((Step.PREPARED, Step.REMOTE), most=10),
        "note": lambda: store.note(job.id, progress=random.random()),
        "claim": lambda: store.claim(job.id),
    }
    for name, call in calls.items():

        def anew(call: Callable[[], Any] = call) -> None:
            store.close()
            call()

        kept, opened = timed(call)[0], timed(anew)[0]
        print(
            f"index: {name:23} median {kept:6.3f} ms   opened for each {opened:6.3f} ms   {opened / kept:.1f} times"
        )


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stored(Path(folder), count)
    with tempfile.TemporaryDirectory() as folder:
        for name, (median, longest) in measure(Path(folder), count).items():
            print(f"{name:30} median {median:6.2f} ms   longest {longest:6.2f} ms   ({count:,} jobs)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
