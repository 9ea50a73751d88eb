# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that holds a part's colour: what drifted is taken out frame by frame, what the light does stays.

The reference is the part as it should be in the very frame: paint of the good frames carried along the exact motion,
with the change of light that the look predicts. One gain and offset a frame takes the part's colours there, in the
space (Lab or RGB) that explains the drift best; its texture and drawing stay the frame's own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..pipeline.pictures import F32, U8
from .job import Job, Refused
from .plates import Mask, Plate, cropped, signed_distance
from .restore_part import restorer_for
from .tone import Tone, best_space, fit, lab, softened
from .unrest import Watch

_LEAST = 30
_NOISY = 400
"""Pixels below which the tones of neighbouring frames are averaged, since one frame alone tells little."""


class ColourHolder:
    """The mender that holds the colour of one part over a span."""

    def __init__(self, job: Job) -> None:
        self.job, self.part = job, job.action.part
        self.watch = Watch(job, self.part)
        self.restorer, sources = restorer_for(job, self.part)
        if not sources:
            raise Refused(f"No good frame shows the colour of {self.part}", where=job.action.fault)
        pairs = {frame: pair for frame in job.span if (pair := self._pair(frame)) is not None}
        inside = [pairs[f] for f in pairs if job.action.frames[0] <= f <= job.action.frames[1]]
        self.space = best_space(inside) if inside else "Lab"
        self.tones = _steady({frame: fit(self.space, *pair) for frame, pair in pairs.items()},
                             {frame: len(pair[0]) for frame, pair in pairs.items()}, job.action.frames)  # fmt: skip
        self.drift = [
            float(np.linalg.norm(lab(taken).mean(0) - lab(wanted).mean(0))) for taken, wanted in inside
        ]

    @property
    def frames(self) -> Sequence[int]:
        """The span with its handles."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame with the part's own colours brought back, soft at the matte."""
        picture = self.job.below(frame)
        if frame not in self.tones:
            return picture
        return toned(picture, self.job.truth.matte(self.part, frame), self.tones[frame])

    def unrest(self, picture_of: Callable[[int], U8]) -> float:
        """dE by which the part's colour changes from frame to frame, the ends of the span counted."""
        return self.watch.unrest(picture_of).light

    def record(self) -> dict[str, Any]:
        """``drift``: the largest difference that was taken out, in dE."""
        return {"drift": round(max(self.drift, default=0.0), 2), "space": self.space}

    def _pair(self, frame: int) -> tuple[F32, F32] | None:
        """(N, 3) each: the part's colours in the take and as they should be, without grain."""
        plate = self.job.plate(frame, self.part)
        if plate.solid.sum() < _LEAST:
            return None
        small = cropped(plate, self.restorer.box(plate))
        edge = signed_distance(small.matte)
        paint = self.restorer.paint(small, edge)
        return compared(small, edge, paint.colour, paint.frames > 0, self.restorer.reach)


def compared(plate: Plate, edge: F32, wanted: F32, known: Mask, reach: float) -> tuple[F32, F32] | None:
    """(N, 3) colours of the take and wanted ones, inside the outline if there is enough of it, blurred within."""
    where = plate.solid & known & (edge > reach)
    if where.sum() < max(_LEAST, 0.15 * plate.solid.sum()):
        where = plate.solid & (edge > 1.0)
    if where.sum() < _LEAST:
        where = plate.solid
    if where.sum() < 4:
        return None
    sigma = 1.2 * plate.scale
    return softened(plate.take, where, sigma)[where], softened(wanted, where, sigma)[where]


def toned(picture: U8, matte: F32, tone: Tone) -> U8:
    """``picture`` with ``tone`` where ``matte`` is."""
    here = picture.astype(np.float32)
    mixed = here + (tone.over(here) - here) * matte[..., None]
    return np.asarray(np.rint(np.clip(mixed, 0, 255)), np.uint8)


def _steady(tones: dict[int, Tone], pixels: dict[int, int], span: tuple[int, int]) -> dict[int, Tone]:
    """Tones of parts too small to tell from one frame, averaged with their neighbours on the same side of the
    fault's ends, where colour may truly jump."""

    def side(frame: int) -> int:
        return (frame > span[1]) - (frame < span[0])

    found = {}
    for frame, tone in tones.items():
        near = [other for other in tones if abs(other - frame) <= 1 and side(other) == side(frame)]
        share = [1.0 if other == frame else max(0.0, 1 - pixels[frame] / _NOISY) * 0.7 for other in near]
        gain = np.average([tones[other].gain for other in near], 0, share)
        offset = np.average([tones[other].offset for other in near], 0, share)
        found[frame] = Tone(tone.space, gain.astype(np.float32), offset.astype(np.float32))
    return found


class LevelsHolder:
    """The mender that undoes a wrong range of levels of the whole picture: ``picture * gain + offset`` (of 0..255) is
    right, as the report's fit says."""

    def __init__(self, job: Job) -> None:
        self.job = job
        gain, offset = (job.report.get("fit") or {}).get("levels") or (1.0, 0.0)
        self.gain, self.offset = float(gain), float(offset)
        if self.gain <= 0 or (abs(self.gain - 1) < 1e-3 and abs(self.offset) < 0.5):
            raise Refused("The report has no levels to undo", where=job.action.fault)
        self.table = np.rint(np.clip(np.arange(256) * self.gain + self.offset, 0, 255)).astype(np.uint8)

    @property
    def frames(self) -> Sequence[int]:
        """All of the span."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame in the right range."""
        return np.asarray(self.table[self.job.below(frame)], np.uint8)

    def record(self) -> dict[str, Any]:
        """What was undone."""
        return {"levels": [self.gain, self.offset]}


def mender(job: Job) -> ColourHolder | LevelsHolder:
    """Raises Refused, InputError."""
    return ColourHolder(job) if job.action.part else LevelsHolder(job)
