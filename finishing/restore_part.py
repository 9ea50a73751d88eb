# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that puts parts back: what it learns from, how it fades in and out, what it says."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..pipeline.joining import weight
from ..pipeline.pictures import F32, U8
from .around import restorer_around
from .job import Job, Refused
from .plates import Plate
from .restore import Restorer

_AROUND = 4
"""Frames of the span that teach the look where no good frame does."""
_SOUND = 2.0
"""A handle frame that differs from the restored one by no more than this many times the method's own error is
taken to be sound, and is faded into; one that differs more is replaced."""


class PartRestorer:
    """The mender that puts one or more parts back, the farthest first."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.restorers: dict[str, Restorer] = {}
        self.sources: dict[str, list[int]] = {}
        for part in job.parts:
            self.restorers[part], self.sources[part] = restorer_for(job, part)
        self.checks = {part: restorer.check() for part, restorer in self.restorers.items()}
        self.seen: list[float] = []

    @property
    def frames(self) -> Sequence[int]:
        """The span with its handles."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame with the parts in it."""
        picture = self.job.below(frame)
        plates = {part: self.job.plate(frame, part) for part in self.restorers}
        for part in sorted(plates, key=lambda name: -_distance(plates[name])):
            picture = self._with(part, plates[part], picture)
        return picture

    def record(self) -> dict[str, Any]:
        """``seen``: the least share brought from good frames; ``check``: how well the method suits the look."""
        checks = [check for check in self.checks.values() if check is not None]
        return {
            "sources": sorted({frame for frames in self.sources.values() for frame in frames}),
            "seen": round(min(self.seen, default=1.0), 3),
            "check": round(max(checks), 2) if checks else None,
            "from": "take" if any(self.sources.values()) else "render",
        }

    def _with(self, part: str, plate: Plate, picture: U8) -> U8:
        plate = replace(plate, take=picture.astype(np.float32))
        result = self.restorers[part].restore(plate)
        self.seen.append(result.seen)
        share = self._share(part, plate, result.picture)
        if share >= 1:
            return result.picture
        mixed: F32 = plate.take + (result.picture - plate.take) * np.float32(share)
        return np.rint(mixed).astype(np.uint8)

    def _share(self, part: str, plate: Plate, restored: U8) -> float:
        """1 in the span; over handles that are sound the restored part fades, so that nothing pops."""
        action = self.job.action
        share = weight(plate.frame, *action.frames, action.handles)
        inside = plate.matte > 0.5
        if share >= 1 or not inside.any():
            return share
        apart = float(np.abs(restored - plate.take)[inside].mean())
        return share if apart <= _SOUND * max(self.checks[part] or 0.0, 4.0) else 1.0


def restorer_for(job: Job, part: str) -> tuple[Restorer, list[int]]:
    """What the take's good frames teach of a part and which they are; where there are none, what surrounds it
    teaches. Raises Refused where the part is never to be seen."""
    sources = job.goods(part)
    restorer = Restorer.learn([job.plate(frame, part) for frame in sources])
    if restorer is not None:
        return restorer, sources
    span = job.span
    picks = (
        [span[index] for index in np.unique(np.linspace(0, len(span) - 1, _AROUND).astype(int))]
        if span
        else []
    )
    around = restorer_around([job.plate(frame, part) for frame in picks])
    if around is None:
        says = f"{part or 'The part'} is not to be seen in these frames"
        raise Refused(says, where=f"frames {job.action.frames[0]}-{job.action.frames[1]}")
    return around, []


def _distance(plate: Plate) -> float:
    """Metres to the part; 0 where it is not seen."""
    depths = plate.depth[plate.solid]
    return float(np.median(depths)) if depths.size else 0.0


def mender(job: Job) -> PartRestorer:
    """Raises Refused, InputError."""
    return PartRestorer(job)
