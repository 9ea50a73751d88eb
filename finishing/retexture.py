# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that gives a part whose texture boils one texture over the whole span: that of the take's good frames.

Each point of the part is followed along the exact motion to the good frames around the span, with the change of
light between them. The frame's own light stays: whatever is larger than texture in the difference of the two. Where
there are no good frames, the boiling ones themselves are the sources: the median of several holds still too. The
outline stays the frame's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..pipeline.joining import weight
from ..pipeline.pictures import F32, U8
from .grain import NONE
from .ink import INK_PX
from .job import Job, Refused
from .plates import Mask, Plate, box_around, cropped, signed_distance
from .restore import Restorer
from .tone import softened
from .unrest import Watch

_LIGHT_PX = 30.0
"""What is light, and not texture: larger than this, px at 640 wide."""
_SOURCES = 7
"""Boiling frames of which the median is taken where there is no good one."""


class Retexturer:
    """The mender that replaces the texture of one part over a span."""

    def __init__(self, job: Job) -> None:
        self.job, self.part = job, job.action.part
        self.watch = Watch(job, self.part)
        self.seen: list[float] = []
        goods = [frame for frame in job.goods(self.part) if job.plate(frame, self.part).solid.any()]
        self.good = len(goods) >= 2
        self.sources = goods if self.good else _spread(list(self.watch.plates))
        restorer = Restorer.learn([job.plate(frame, self.part) for frame in self.sources])
        if restorer is None or len(self.sources) < 3 - self.good:
            raise Refused(f"{self.part} shows in too few frames to steady it", where=job.action.fault)
        self.restorer = restorer if self.good else replace(restorer, grain=NONE)

    @property
    def frames(self) -> Sequence[int]:
        """The span with its handles."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame with the part's texture from the good frames, under its own light."""
        picture = self.job.below(frame)
        plate = replace(self.job.plate(frame, self.part), take=picture.astype(np.float32))
        if not plate.solid.any():
            return picture
        box = box_around(plate.matte > 0, round(8 * plate.scale))
        small = cropped(plate, box)
        edge = signed_distance(small.matte)
        brought, count = self._brought(small, edge)
        known = (count > 0) & small.solid
        self.seen.append(float(known[small.solid].mean()))
        result = picture.copy()
        result[box] = self._laid(small, edge, brought, known, count)
        return result

    def _brought(self, plate: Plate, edge: F32) -> tuple[F32, F32]:
        """The paint (H, W, 3) of other frames in a cropped plate, and (H, W) from how many it is."""
        if not self.good:
            return self.restorer.median(plate, edge)
        paint = self.restorer.paint(plate, edge)
        return paint.colour, paint.frames

    def _laid(self, plate: Plate, edge: F32, brought: F32, known: Mask, count: F32) -> U8:
        """The frame of a cropped plate with the texture laid over it."""
        scale = plate.scale
        inner = known & (edge > INK_PX * scale)
        where = inner if inner.sum() > 0.2 * known.sum() else known
        light = softened(plate.take - brought, where, _LIGHT_PX * scale)
        grained = self.restorer.grain.onto(brought + light, plate, np.maximum(count, 1.0))
        share = np.clip(edge / (INK_PX * scale), 0, 1) * softened(known[..., None].astype(np.float32) * np.ones(3, np.float32),
                                                                  plate.solid, scale)[..., 0]  # fmt: skip
        share = share * known * weight(plate.frame, *self.job.action.frames, self.job.action.handles)
        mixed = plate.take + (grained - plate.take) * share[..., None]
        return np.asarray(np.rint(np.clip(mixed, 0, 255)), np.uint8)

    def unrest(self, picture_of: Callable[[int], U8]) -> float:
        """dE by which the part's texture changes from frame to frame."""
        return self.watch.unrest(picture_of).texture

    def record(self) -> dict[str, Any]:
        """``seen``: the least share of the part whose texture was brought; ``sources``: from which frames."""
        return {"texture": True, "sources": self.sources, "seen": round(min(self.seen, default=0.0), 3)}


def _spread(frames: Sequence[int]) -> list[int]:
    """At most as many of ``frames`` as are needed, evenly."""
    picks = np.unique(np.linspace(0, len(frames) - 1, min(_SOURCES, len(frames))).astype(int))
    return [frames[index] for index in picks]
