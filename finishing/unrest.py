# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a part changes from frame to frame at the same points of its surface, before and after an action.

An action that steadies a part must leave less of it. What it made worse by this measure is dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..pipeline.pictures import F32, U8
from .ink import INK_PX
from .job import Job
from .plates import Plate, box_around, cropped, sample, signed_distance, visible, way
from .tone import lab, softened

_LEAST = 30
_SLACK = 1.03
_NOTHING = 0.05
"""dE that is no change."""


@dataclass(frozen=True)
class Unrest:
    """``light``: dE by which the part as a whole changes from frame to frame; ``texture``: dE by which its points
    do besides."""

    light: float
    texture: float


class Watch:
    """A part over the frames of an action and one beyond on either side."""

    def __init__(self, job: Job, part: str) -> None:
        first, last = job.action.reach
        self.plates: dict[int, Plate] = {}
        self.boxes: dict[int, tuple[slice, slice]] = {}
        for frame in (frame for frame in job.frames if first - 1 <= frame <= last + 1):
            plate = job.plate(frame, part)
            if plate.solid.any():
                self.boxes[frame] = box_around(plate.matte > 0, round(8 * plate.scale))
                self.plates[frame] = cropped(plate, self.boxes[frame])

    def unrest(self, picture_of: Callable[[int], U8]) -> Unrest:
        """Of the pictures (H, W, 3) that ``picture_of`` gives of each frame, the mean over all steps."""
        taken = {
            frame: replace(plate, take=self._calm(picture_of(frame)[self.boxes[frame]], plate))
            for frame, plate in self.plates.items()
        }
        steps = [
            step
            for one, two in pairwise(sorted(taken))
            if (step := _step(taken[one], taken[two])) is not None
        ]
        light, texture = np.mean(steps, 0) if steps else (0.0, 0.0)
        return Unrest(float(light), float(texture))

    def _calm(self, picture: U8, plate: Plate) -> F32:
        """What the eye sees of a picture: not the single pixel."""
        return softened(picture.astype(np.float32), plate.solid, 0.8 * max(plate.scale, 0.5))


def _step(here: Plate, there: Plate) -> tuple[float, float] | None:
    """dE between two frames: of the whole, and of its points beside that."""
    path = way(here, there, here.own)
    edge = signed_distance(here.matte) > INK_PX * here.scale
    known = visible(here, there, path, here.own)
    known = known & edge if (known & edge).sum() >= _LEAST else known
    if known.sum() < _LEAST:
        return None
    change = (lab(here.take) - lab(sample(there.take, path)))[known]
    whole = np.median(change, 0)
    return float(np.linalg.norm(whole)), float(np.linalg.norm(change - whole, axis=1).mean())


def worse(before: float, after: float) -> bool:
    """Whether a measure in dE rose by more than nothing."""
    return after > before * _SLACK + _NOTHING
