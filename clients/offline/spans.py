# SPDX-License-Identifier: GPL-3.0-or-later
"""Rerun of a span: new frames for it, crossfaded over the handles, everything else the parent take's own files."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...pipeline.context import Context
from ...pipeline.errors import UsageError
from ...pipeline.pictures import read_picture, write_picture
from ...pipeline.store import storage, writing
from ...pipeline.take import TakeFolder


def _span(request: Mapping[str, Any], frames: Sequence[int]) -> tuple[int, int, int]:
    first, last = (int(value) for value in request["span"])
    if first > last or first not in frames or last not in frames:
        raise UsageError(f"The span {first}-{last} is not part of the shot")
    return first, last, max(0, int(request.get("handles", 4)))


def span_frames(request: Mapping[str, Any], frames: Sequence[int]) -> tuple[int, ...]:
    """The frames that a rerun draws: the span and its handles, inside the shot. Raises UsageError."""
    first, last, handles = _span(request, frames)
    return tuple(frame for frame in frames if first - handles <= frame <= last + handles)


def weight(frame: int, first: int, last: int, handles: int) -> float:
    """Share of the new picture in a frame: 1 inside the span, falling to 0 past the handles."""
    outside = max(first - frame, frame - last, 0)
    return max(0.0, 1 - outside / (handles + 1))


def finish_span(
    parent: Path, out: Path, request: Mapping[str, Any], frames: Sequence[int], seed: int, ctx: Context
) -> list[dict[str, Any]]:
    """Joins the new frames (``out``/new) with the parent's into ``out``/frames; returns the take's spans."""
    first, last, handles = _span(request, frames)
    take = TakeFolder.open(parent)
    for frame in ctx.each(list(frames), "Joining frame"):
        target = out / "frames" / f"{frame:04d}.png"
        share = weight(frame, first, last, handles)
        new = out / "new" / f"{frame:04d}.png"
        if share >= 1:
            _link(new, target)
        elif share <= 0:
            _link(take.path(frame), target)
        else:
            mixed = take.frame(frame) * (1 - share) + read_picture(new) * share
            write_picture(target, np.rint(mixed).astype(np.uint8))
    return [
        *take.manifest.data["spans"],
        {"frames": [first, last], "handles": handles, "seed": seed, "parent": take.name},
    ]


def _link(source: Path, target: Path) -> None:
    """A hard link where the disk allows it, else a copy; whole or not at all."""
    if target.exists():
        return
    with storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            with writing(target) as part:
                shutil.copyfile(source, part)
