# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders frames of a scene as Blender's own render job, and watches it without waiting.

Blender gives scripts no way to stop its job. It is therefore given in pieces of a few seconds, so that the
panel's Cancel takes hold between two of them; Esc and the job's own cross stop the frame at once.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol

import bpy

from ..pipeline.errors import Cancelled, InputError
from . import window

PIECE_SECONDS = 4.0
_watching: list["RenderWatch"] = []


class Reports(Protocol):
    """What the watch needs of the job that it reports to."""

    cancelled: bool

    def report(self, fraction: float, message: str) -> None: ...


class RenderWatch:
    """One render of ``frames`` of ``scene``. `advance` is called every tick until it returns True."""

    def __init__(self, scene: bpy.types.Scene, frames: Sequence[int]) -> None:
        self._scene = scene
        self._left = list(frames)
        self._total = len(self._left)
        self._piece: list[int] = []
        self._started = 0.0
        self._seconds_a_frame = PIECE_SECONDS
        self._kept = (scene.render.filepath, scene.frame_start, scene.frame_end)
        self.written = 0
        self.stopped = False

    def advance(self, job: Reports) -> bool:
        """True when all frames are rendered. Raises Cancelled or InputError."""
        if self._piece:
            job.report(
                self.written / self._total,
                f"Rendering frame {min(self.written + 1, self._total)}/{self._total}",
            )
            if bpy.app.is_job_running("RENDER"):
                return False
            self._seconds_a_frame = (time.monotonic() - self._started) / len(self._piece)
            self._piece = []
        if self.stopped or job.cancelled:
            self.close()
            raise Cancelled()
        if not self._left:
            self.close()
            return True
        self._start_piece()
        return False

    def close(self) -> None:
        """Gives the scene its own range and path back."""
        if self in _watching:
            _watching.remove(self)
        render, scene = self._scene.render, self._scene
        render.filepath, scene.frame_start, scene.frame_end = self._kept

    def _start_piece(self) -> None:
        most = max(1, int(PIECE_SECONDS / max(self._seconds_a_frame, 0.01)))
        length = 1
        while length < min(most, len(self._left)) and self._left[length] == self._left[0] + length:
            length += 1
        self._piece, self._left = self._left[:length], self._left[length:]
        self._scene.frame_start, self._scene.frame_end = self._piece[0], self._piece[-1]
        self._started = time.monotonic()
        if self not in _watching:
            _watching.append(self)
        try:
            _invoke(self._scene)
        except RuntimeError as error:
            self.close()
            raise InputError(
                f"Blender can't render this: {str(error).strip()}", where=self._scene.name
            ) from error


def _invoke(scene: bpy.types.Scene) -> None:
    view = bpy.context.preferences.view
    kept = view.render_display_type
    view.render_display_type = "NONE"  # read when the job starts: no window may pop up for a helper scene
    try:
        with window.override():
            bpy.ops.render.render("INVOKE_DEFAULT", animation=True, scene=scene.name)
    finally:
        view.render_display_type = kept


def on_render_post(*_args: Any) -> None:
    """Handler: a frame is rendered. It may come from the render's own thread, so it only counts."""
    for watch in _watching:
        watch.written += 1


def on_render_cancel(*_args: Any) -> None:
    """Handler: the person stopped the render."""
    for watch in _watching:
        watch.stopped = True
