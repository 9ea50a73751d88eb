# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that takes flicker out of a part: its light is smoothed over time against what the render's light does.

What the look predicts for the render's light in each frame is taken off first, so a true change of shading, a lamp
or a turn of the part, is no flicker. The rest is fitted by a line in a window of frames, in which good frames
count most.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..pipeline.pictures import F32, U8
from .hold_colour import compared, toned
from .ink import INK_PX
from .job import Job, Refused
from .look import learn
from .plates import Plate, box_around, cropped, signed_distance
from .retexture import Retexturer
from .tone import SPACES, Tone, best_space
from .unrest import Watch

WINDOW = 8
"""Frames on either side that a frame's light is compared with."""
_SPREAD = 3.5
_DOUBTFUL = 0.12
"""Weight of a frame inside the flickering span, of a good one."""


class Deflickerer:
    """The mender that steadies one part over a span."""

    def __init__(self, job: Job) -> None:
        self.job, self.part = job, job.action.part
        self.watch = Watch(job, self.part)
        first, last = job.action.reach
        near = [frame for frame in job.frames if first - WINDOW <= frame <= last + WINDOW]
        bad = job.bad.get(self.part, set())
        self.plates = {frame: plate for frame in near if (plate := self._plate(frame)).solid.any()}
        look = learn([self.plates[f] for f in self.plates], INK_PX * job.truth.size[0] / 640)
        if look is None or len(self.plates) < 3:
            raise Refused(f"{self.part} shows in too few frames to steady it", where=job.action.fault)
        pairs: dict[int, tuple[F32, F32]] = {}
        for frame, plate in self.plates.items():
            edge = signed_distance(plate.matte)
            pair = compared(
                plate, edge, look.predict(plate, plate.solid), plate.solid, (INK_PX + 1) * plate.scale
            )
            if pair is not None:
                pairs[frame] = pair
        self.space = best_space([pairs[frame] for frame in job.span if frame in pairs])
        self.tones = steadied({f: offset_of(self.space, *pairs[f]) for f in pairs}, bad | set(job.span))
        self.swing = [float(np.abs(tone[0]).max()) for frame, tone in self.tones.items() if frame in job.span]

    @property
    def frames(self) -> Sequence[int]:
        """The span with its handles."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame with the part's light steadied."""
        picture = self.job.below(frame)
        if frame not in self.tones:
            return picture
        matte = self.job.truth.matte(self.part, frame)
        return toned(picture, matte, tone_of(self.space, self.tones[frame]))

    def unrest(self, picture_of: Callable[[int], U8]) -> float:
        """dE by which the part's light changes from frame to frame."""
        return self.watch.unrest(picture_of).light

    def record(self) -> dict[str, Any]:
        """``swing``: the largest change of light that was taken out, in the units of ``space``."""
        return {"swing": round(max(self.swing, default=0.0), 2), "space": self.space, "texture": False}

    def _plate(self, frame: int) -> Plate:
        plate = self.job.plate(frame, self.part)
        if not plate.solid.any():
            return plate
        return cropped(plate, box_around(plate.matte > 0, round(8 * plate.scale)))


def offset_of(space: str, taken: F32, wanted: F32) -> F32:
    """(3,) by how much the take's colours differ from the wanted ones: Lab units, or log gains of RGB."""
    if space == "RGB":
        ratio = (taken + 8) / (wanted + 8)
        return np.asarray(np.log(np.median(ratio, 0)), np.float32)
    there, _ = SPACES[space]
    return np.asarray(np.median(there(taken) - there(wanted), 0), np.float32)


def steadied(offsets: dict[int, F32], doubtful: set[int]) -> dict[int, F32]:
    """For every frame the (3,) that must be taken off: its offset less a line fitted to those around it."""
    frames = np.array(sorted(offsets))
    values = np.stack([offsets[int(frame)] for frame in frames])
    trust = np.where(np.isin(frames, sorted(doubtful)), _DOUBTFUL, 1.0)
    found = {}
    for index, frame in enumerate(frames):
        away = (frames - frame).astype(np.float64)
        weight = trust * np.exp(-0.5 * (away / _SPREAD) ** 2)
        total = weight.sum()
        middle = (weight * away).sum() / total
        mean = (weight[:, None] * values).sum(0) / total
        spread = (weight * (away - middle) ** 2).sum()
        slope = (weight[:, None] * (away - middle)[:, None] * values).sum(0) / (spread + 1e-9)
        found[int(frame)] = (values[index] - (mean - slope * middle)).astype(np.float32)
    return found


def tone_of(space: str, off: F32) -> Tone:
    """The tone that takes ``off`` away."""
    if space == "RGB":
        gain = np.exp(-off).astype(np.float32)
        return Tone(space, gain, (8 * (gain - 1)).astype(np.float32))
    return Tone(space, np.ones(3, np.float32), -off)


def mender(job: Job) -> Deflickerer | Retexturer:
    """Raises Refused, InputError."""
    return Retexturer(job) if job.action.settings.get("texture") else Deflickerer(job)
