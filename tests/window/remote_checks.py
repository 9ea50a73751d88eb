# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test of Style by a remote model: its options and their price, a bad day chosen, a take by clicks."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from validate_checks import only

Check = Generator[float, None, str | None]
FRAMES = 6
KLING, REHEARSAL = "kling/kling-3.0-omni", "rehearsal_remote/flat-drawing-1"


def remote_options(walk: Any) -> Check:
    """The options of a model stand below it, and the price on the button follows them."""
    _new_shot(walk)
    yield 0.3
    only(walk, "_style")
    yield from walk.hand.show_tab()
    style = bpy.context.scene.holdfast.style
    style.provider = KLING
    references = bpy.context.scene.holdfast.prompt.references
    references.add().path = "//wash.png"
    yield from _read(walk)
    usual = _button(walk)
    style.options["resolution"].choice = "720p"
    style.options["seconds"].value = "99"
    yield 0.8
    walk.hand.picture("80-options", walk.hand.sidebar)
    assert _button(walk) != usual, usual
    style.options["seconds"].value = ""
    references.clear()
    return f"{usual}, then {_button(walk)}"


def remote_settings(walk: Any) -> Check:
    """The settings of a service: what each is, a wrong value said below it, and a click on the way back."""
    bpy.context.scene.holdfast.style.provider = REHEARSAL
    walk.module("panels.service_settings").CLOSED = False
    only(walk, "_jobs")
    yield from _read(walk)
    rows = bpy.context.window_manager.holdfast_jobs.settings
    rows["rehearsal_remote.seconds"].text = "0.2"
    rows["rehearsal_remote.bad_day"].choice = "never_ends"
    rows["rehearsal_remote.base"].text = "http://example.com"
    walk.hand.sidebar.tag_redraw()
    yield 0.5
    walk.hand.picture("81-settings", walk.hand.sidebar)
    found = yield from walk.hand.find_button('reset_setting(setting="rehearsal_remote.bad_day")', 0.93)
    assert found is not None, "no way back"
    yield from walk.hand.click(*found)
    yield 0.6
    settings = walk.module("clients.settings")
    root = walk.module("operators.locate").project().root
    assert settings.read(root).project == {"rehearsal_remote": {"seconds": 0.2}}, "the click took it out"
    rows["rehearsal_remote.bad_day"].choice = "no_answer"
    return None


def remote_take(walk: Any) -> Check:
    """A click on Restyle makes a take, although the service got the job and did not say so."""
    only(walk, "_style")
    yield from walk.hand.show_tab()
    yield from _read(walk)
    yield from walk.hand.press_button('run_stage(stage="style"')
    yield from walk.wait()
    status, reason = walk.status("style")
    walk.hand.picture("82-take", walk.hand.sidebar)
    takes = walk.module("operators.state_cache").shown(bpy.context.scene).takes
    assert list(takes) == ["t001"] and takes["t001"].data["provider"] == "rehearsal_remote", (status, reason)
    (job,) = walk.module("pipeline.jobs").JobStore(walk.module("operators.locate").project().root).jobs()
    assert (str(job.step), job.counts) == ("applied", 0), job
    walk.module("panels.service_settings").CLOSED = True
    walk.module("operators.truth").STAGE = _truth.pop()
    return f"take t001 of {FRAMES} frames"


_truth: list[Any] = []
"""The stage as it is, while its package counts as fresh."""


def _new_shot(walk: Any, frames: int = FRAMES) -> None:
    """A saved file with a small package of ground truth that counts as fresh."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    folder = walk.folder / "remote"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "lantern.blend"))
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, frames, 24
    analytic = _analytic(walk)
    views = [analytic.View((0.02 * index, 0.0, 0.03 * index)) for index in range(frames)]
    shot = walk.module("operators.locate").shot_of(scene)
    analytic.write(shot.truth, views)
    shutil.copy(next(shot.truth.rglob("*.png")), folder / "wash.png")
    stage, steps = walk.module("operators.truth"), walk.module("operators.steps")
    _truth.append(stage.STAGE)
    stage.STAGE = steps.Stage("truth", "", stage.STAGE.run, lambda scene, shot: steps.StageState("fresh", ""))


def _analytic(walk: Any) -> Any:
    """The writer of packages, which knows the extension as ``holdfast``."""
    sys.modules.setdefault("holdfast", walk.module(""))
    path = Path(__file__).resolve().parents[1] / "pure" / "clip_truth.py"
    spec = importlib.util.spec_from_file_location("clip_truth", path)
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["clip_truth"] = made
    spec.loader.exec_module(made)
    return made


def _read(walk: Any) -> Check:
    """All that panels draw is read again."""
    bpy.ops.holdfast.refresh()
    walk.module("operators.job_cache").refresh_now(bpy.context.scene)
    walk.hand.sidebar.tag_redraw()
    yield 0.4
    return None


def _button(walk: Any) -> str:
    panel = walk.module("panels.style").HOLDFAST_PT_style
    return str(panel.words_of_button(panel, bpy.context)[0])


ALL = (remote_options, remote_settings, remote_take)
