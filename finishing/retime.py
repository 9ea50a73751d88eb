# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a take's frames in the shot's order; a frame or two that nobody shows are made from their neighbours.

Every pixel of a missing frame is followed along the exact motion of its part (depth, camera, pose) to the frames
before and after; what only one of them shows comes from that one, what neither shows grows from around it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.pictures import F32, U8
from .job import Job, Refused
from .ladder import GAP_LIMIT
from .order import gaps, time_map
from .plates import Plate, filled, read_scene, sample, visible, way


class Retimer:
    """The mender of a take whose frames come at the wrong time."""

    def __init__(self, job: Job) -> None:
        self.job = job
        first, last = job.action.reach
        whole = job.action.fault == "frame_map"
        self.order = time_map(job.report, job.frames)
        self.missing = [run for run in gaps(self.order) if whole or (run[0] <= last and run[-1] >= first)]
        for run in self.missing:
            if len(run) > GAP_LIMIT:
                says = f"Frames {run[0]}-{run[-1]} are missing: too many to make from their neighbours"
                raise Refused(says, where=job.action.fault, todo="Draw them again.")
        moved = [frame for frame, shown in self.order.items() if shown is not None and shown != frame]
        inside = moved if whole else []
        self._frames = sorted({*inside, *(frame for run in self.missing for frame in run)})
        if not any(shown is not None for shown in self.order.values()):
            raise Refused("No frame of the take shows the shot", where=job.action.fault)

    @property
    def frames(self) -> Sequence[int]:
        """Those that come from elsewhere or are made."""
        return self._frames

    def mend(self, frame: int) -> U8:
        """The frame of the take that shows it, or one made from its neighbours."""
        shown = self.order[frame]
        return self._picture(shown) if shown is not None else self._between(frame)

    def record(self) -> dict[str, Any]:
        """How many frames were moved and made."""
        made = [frame for run in self.missing for frame in run]
        return {"moved": len(self._frames) - len(made), "made": made}

    def _picture(self, shown: int) -> U8:
        try:
            return self.job.below(shown)
        except InputError as error:
            raise Refused(f"Frame {shown} of the take can't be read", where=self.job.action.fault) from error

    def _between(self, frame: int) -> U8:
        known = [other for other, shown in self.order.items() if shown is not None]
        before = max((other for other in known if other < frame), default=None)
        after = min((other for other in known if other > frame), default=None)
        near = [other for other in (before, after) if other is not None]
        sides = [
            (
                read_scene(self.job.truth, other, self._picture(int(self.order[other] or 0))),
                1 / abs(other - frame),
            )
            for other in near
        ]
        empty = np.zeros_like(self._picture(int(self.order[near[0]] or 0)))
        return interpolated(read_scene(self.job.truth, frame, empty), sides)


def interpolated(here: Plate, sides: Sequence[tuple[Plate, float]]) -> U8:
    """(H, W, 3) uint8 the frame of ``here`` (whose take is not looked at) from frames beside it with their weights."""
    total, weight = np.zeros_like(here.take), np.zeros(here.size, np.float32)
    for owner in (int(value) for value in np.unique(here.ids)):
        mine = here.ids == owner
        for there, trust in sides:
            path = way(here, there, owner)
            share = (visible(here, there, path, owner) & mine) * np.float32(trust)
            total += sample(there.take, path) * share[..., None]
            weight += share
    known = weight > 0
    if not known.any():
        raise Refused("Nothing of the frame is seen in its neighbours", where=f"frame {here.frame}")
    picture: F32 = filled((total / np.maximum(weight, 1e-9)[..., None]).astype(np.float32), known)
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def mender(job: Job) -> Retimer:
    """Raises Refused where more is missing than can be made."""
    return Retimer(job)
