# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives stage generators in the foreground: command line, farm and tests. The window has ``session``."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..pipeline import secret
from ..pipeline.context import CancelToken, Context
from ..pipeline.manifest import Manifest
from ..pipeline.worker import run_in_foreground
from . import window
from .steps import Progress, RenderJob, StageGenerator, WorkerTask


def run_blocking(stage: StageGenerator, context: Context) -> Manifest:
    """Runs a stage to its end and returns its manifest.

    Whatever a step raises is raised inside the generator, so that its ``finally`` blocks clean up. A command on an
    opened file has no window in its context; stages get the first of the file, as in a command without a file.
    """
    with window.override():
        return _run(stage, context)


def _run(stage: StageGenerator, context: Context) -> Manifest:
    step: Any = None
    try:
        step = next(stage)
        while True:
            try:
                value = _perform(step, context)
            except BaseException as error:
                step = stage.throw(error)
            else:
                step = stage.send(value)
    except StopIteration as stop:
        result: Manifest = stop.value
        return result
    finally:
        stage.close()


def _perform(step: WorkerTask | RenderJob | Progress, context: Context) -> Any:
    context.cancel.check()
    if isinstance(step, Progress):
        context.progress(step.fraction, step.message)
        return None
    part = context.part(*step.share)
    if isinstance(step, WorkerTask):
        with _terminable(context.cancel):
            keys = secret.held() if step.keys else None
            return run_in_foreground(step.function, step.request, part, bpy.app.python_args, keys)
    render_frames(step, part)
    return None


@contextmanager
def _terminable(cancel: CancelToken) -> Iterator[None]:
    """SIGTERM cancels in order while a worker runs. Not around renders: Python would see it only after the
    frame, while the default ends at once, and unfinished frames are never under their final names."""
    before = signal.signal(signal.SIGTERM, lambda number, frame: cancel.cancel())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def render_frames(job: RenderJob, context: Context) -> None:
    """Renders the frames one by one. Cancel is looked at between frames, since a render can't be interrupted."""
    scene = job.scene
    path, first, last = scene.render.filepath, scene.frame_start, scene.frame_end
    try:
        for frame in context.each(job.frames, "Rendering frame"):
            scene.frame_start = scene.frame_end = frame
            bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        scene.render.filepath, scene.frame_start, scene.frame_end = path, first, last
