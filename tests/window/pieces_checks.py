# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of a shot that is longer than the model takes: pieces and price beforehand, one take by a click."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import bpy
import remote_checks
from validate_checks import only

Check = Generator[float, None, str | None]
FRAMES, SHORT = 30, "rehearsal_remote/flat-drawing-short"


def pieces_said(walk: Any) -> Check:
    """The panel says how many pieces there are, and what is wrong with an overlap that can't be."""
    remote_checks._new_shot(walk, FRAMES)
    yield 0.3
    only(walk, "_style")
    yield from walk.hand.show_tab()
    style = bpy.context.scene.holdfast.style
    style.provider = SHORT
    root = walk.module("operators.locate").project().root
    settings, services = walk.module("clients.settings"), walk.module("clients.registry").services()
    for name, value in (("seconds", 2.0), ("bad_day", "uneven")):
        settings.write(root, services["rehearsal_remote"], name, value)
    yield from remote_checks._read(walk)
    walk.hand.picture("84-pieces", walk.hand.sidebar)
    said = remote_checks._button(walk)
    assert said == "Restyle for free (3 pieces)", said
    style.overlap = 9
    yield from remote_checks._read(walk)
    walk.hand.picture("85-pieces-overlap", walk.hand.sidebar)
    assert remote_checks._button(walk) == "Restyle"
    style.overlap = 0
    return said


def pieces_taken(walk: Any) -> Check:
    """A click makes three jobs and one take, whose seams were measured."""
    yield from remote_checks._read(walk)
    yield from walk.hand.press_button('run_stage(stage="style"')
    locate, jobs = walk.module("operators.locate"), walk.module("pipeline.jobs")
    began = time.monotonic()
    while len(_jobs(locate, jobs)) < 3:
        assert time.monotonic() - began < 120.0, walk.status("style")
        yield 0.2
    yield 1.0
    walk.hand.picture("86-pieces-going", walk.hand.sidebar)
    yield from walk.wait()
    status, reason = walk.status("style")
    takes = walk.module("operators.state_cache").shown(bpy.context.scene).takes
    assert list(takes) == ["t001"], (status, reason)
    seams = takes["t001"].data["seams"]
    assert len(seams) == 2 and status == "fresh", (seams, status, reason)
    walk.hand.picture("87-pieces-take", walk.hand.sidebar)
    only(walk, "_jobs")
    yield from remote_checks._read(walk)
    walk.hand.picture("88-pieces-jobs", walk.hand.sidebar)
    assert [str(job.step) for job in _jobs(locate, jobs)] == ["applied"] * 3
    walk.module("operators.truth").STAGE = remote_checks._truth.pop()
    return "; ".join(f"seam at {seam['at']}: {seam['before']} -> {seam['after']} levels" for seam in seams)


def _jobs(locate: Any, jobs: Any) -> list[Any]:
    return list(jobs.JobStore(locate.project().root).jobs())


ALL = (pieces_said, pieces_taken)
