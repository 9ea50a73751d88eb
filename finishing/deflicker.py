# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that takes flicker out of a part: its light is smoothed over time against what the render's light does.

What the look predicts for the render's light in each frame is taken off first, so a true change of shading, a lamp
or a turn of the part, is no flicker. The rest is fitted by a line in a window of frames, in which good frames
count most. For a texture that boils, the part's fine detail is blended along its exact motion over a few frames.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..pipeline.pictures import F32, U8
from .hold_colour import compared, toned
from .ink import INK_PX
from .job import Job, Refused
from .look import learn
from .plates import Plate, box_around, cropped, sample, signed_distance, visible, way
from .tone import SPACES, Tone, best_space, softened

WINDOW = 8
"""Frames on either side that a frame's light is compared with."""
_SPREAD = 3.5
_DOUBTFUL = 0.12
"""Weight of a frame inside the flickering span, of a good one."""
_BLEND = 2
"""Frames on either side whose texture is blended where it boils."""
_DETAIL_PX = 5.0
"""What is texture, and not shading: smaller than this, px at 640 wide."""


class Deflickerer:
    """The mender that steadies one part over a span."""

    def __init__(self, job: Job) -> None:
        self.job, self.part = job, job.action.part
        self.texture = bool(job.action.settings.get("texture"))
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
        """The frame with the part's light steadied, and its texture if that boils."""
        picture = self.job.below(frame)
        if frame in self.tones:
            picture = toned(
                picture, self.job.truth.matte(self.part, frame), tone_of(self.space, self.tones[frame])
            )
        return self._calmed(frame, picture) if self.texture and frame in self.plates else picture

    def record(self) -> dict[str, Any]:
        """``swing``: the largest change of light that was taken out, in the units of ``space``."""
        return {"swing": round(max(self.swing, default=0.0), 2), "space": self.space, "texture": self.texture}

    def _plate(self, frame: int) -> Plate:
        plate = self.job.plate(frame, self.part)
        if not plate.solid.any():
            return plate
        return cropped(plate, box_around(plate.matte > 0, round(8 * plate.scale)))

    def _calmed(self, frame: int, picture: U8) -> U8:
        """The part's fine detail as the mean of the frames around, each brought along the exact motion."""
        here = self.plates[frame]
        box = box_around(self.job.truth.matte(self.part, frame) > 0, round(8 * here.scale))
        own = replace(here, take=picture[box].astype(np.float32))
        base = softened(own.take, own.solid, _DETAIL_PX * own.scale)
        total, weight = own.take - base, np.ones(own.size, np.float32)
        for other in range(frame - _BLEND, frame + _BLEND + 1):
            if other == frame or other not in self.plates:
                continue
            there = self.plates[other]
            path = way(own, there, own.own)
            detail = there.take - softened(there.take, there.solid, _DETAIL_PX * own.scale)
            shown = visible(own, there, path, own.own).astype(np.float32)
            total = total + sample(detail, path) * shown[..., None]
            weight += shown
        inner = np.clip(signed_distance(own.matte) / (INK_PX * own.scale), 0, 1)[
            ..., None
        ]  # the outline stays
        calm = base + total / weight[..., None]
        result = picture.copy()
        result[box] = np.rint(np.clip(own.take + (calm - own.take) * inner, 0, 255)).astype(np.uint8)
        return result


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


def mender(job: Job) -> Deflickerer:
    """Raises Refused, InputError."""
    return Deflickerer(job)
