# SPDX-License-Identifier: GPL-3.0-or-later
"""The action that moves parts, or the whole picture, back by a measured displacement."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from ..pipeline.pictures import F32, U8
from .grain import NONE
from .ink import INK_PX
from .job import Job, Refused
from .ladder import WARP_LIMIT_PX
from .plates import cropped, signed_distance
from .restore_part import restorer_for
from .warp import FREE, Found, free, moved_back, rigid

_RING_PX = 2.5
"""Over how many px at 640 wide, outside of the outline, the moved part fades into the ground."""
_BARE = 0.02
"""Share of the picture that may lie outside of the take when the whole picture is moved."""


class PartWarper:
    """The mender that moves parts back."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.restorers = {part: restorer_for(job, part)[0] for part in job.parts}
        self.shift = {
            name: {part: job.series(part, name) for part in job.parts} for name in ("shift_x", "shift_y")
        }
        self.limit = WARP_LIMIT_PX * job.truth.size[0] / 1920
        self.found: list[float] = []

    @property
    def frames(self) -> Sequence[int]:
        """The span with its handles."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame with the parts moved back. Raises Refused for a displacement that is too large."""
        picture = self.job.below(frame)
        for part in self.restorers:
            picture = self._moved(frame, part, picture)
        return picture

    def record(self) -> dict[str, Any]:
        """``moved_px``: the longest displacement undone, px at 1080p."""
        return {"moved_px": round(max(self.found, default=0.0) * 1920 / self.job.truth.size[0], 2)}

    def _moved(self, frame: int, part: str, picture: U8) -> U8:
        plate = replace(self.job.plate(frame, part), take=picture.astype(np.float32))
        if not plate.solid.any():
            return picture
        restorer = replace(self.restorers[part], grain=NONE)
        box = restorer.box(plate)
        small = cropped(plate, box)
        edge = signed_distance(small.matte)
        paint = restorer.paint(small, edge)
        found = self._measured(frame, part, small.take, paint.colour, small.solid)
        if found is None or found.largest < 0.15:
            return picture
        self.found.append(found.largest)
        scale = plate.scale
        near = edge > -(INK_PX + 3 * _RING_PX) * scale
        ground = np.where(near[..., None], paint.clean, small.take)
        share = np.clip((edge + (INK_PX + _RING_PX) * scale) / (_RING_PX * scale), 0, 1)[..., None]
        moved = moved_back(small.take, found.field)
        mixed = ground + (moved - ground) * share
        result = picture.copy()
        fade = np.clip((edge + 4 * INK_PX * scale) / (INK_PX * scale), 0, 1)[..., None]
        result[box] = _u8(small.take + (mixed - small.take) * fade)
        return result

    def _measured(
        self, frame: int, part: str, taken: F32, wanted: F32, solid: np.ndarray[Any, Any]
    ) -> Found | None:
        reach = max(round(self.limit) + 2, 4)
        if self.job.action.settings.get("field") == FREE:
            found = free(taken, wanted, solid, reach)
        else:
            px = self.job.truth.size[0] / 1920
            x, y = (self.shift[name][part].get(frame, 0.0) * px for name in ("shift_x", "shift_y"))
            found = rigid(taken, wanted, solid, [(0.0, 0.0), *([(x, y)] if x or y else [])], reach)
        if found is not None and found.largest > self.limit + 1:
            says = (
                f"{part} lies {found.largest * 1920 / self.job.truth.size[0]:.0f} px off: too far for a warp"
            )
            raise Refused(says, where=f"frame {frame}", todo="Put the real part back.")
        return found


class PictureWarper:
    """The mender that undoes a crop, scale or shift of the whole picture by the report's fit."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.matrix = undoing(job.report.get("fit") or {}, job.truth.size)
        if np.allclose(self.matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-4):
            raise Refused("The report has no fit to undo", where=job.action.fault)
        size = job.truth.size
        ones = np.ones((size[1], size[0]), np.float32)
        self.known = (
            cv2.warpAffine(ones, self.matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) > 0.99
        )
        if 1 - self.known.mean() > _BARE:
            says = f"{1 - self.known.mean():.0%} of the picture is not in the take"
            raise Refused(says, where=job.action.fault, todo="Ask the provider for the shot's own size.")

    @property
    def frames(self) -> Sequence[int]:
        """The span."""
        return self.job.span

    def mend(self, frame: int) -> U8:
        """The frame as it lies in the shot; a rim that the take does not have grows from the picture."""
        picture = self.job.below(frame).astype(np.float32)
        if picture.shape[1::-1] != self.job.truth.size:
            raise Refused(
                "The take has another size than the shot", where=f"frame {frame}", todo="Draw it again."
            )
        how = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(
            picture, self.matrix, self.job.truth.size, flags=how, borderMode=cv2.BORDER_REPLICATE
        )
        return _u8(np.asarray(moved, np.float32))

    def record(self) -> dict[str, Any]:
        """What was undone."""
        return {"fit": [round(float(value), 5) for value in self.matrix.ravel()]}


def undoing(fit: Mapping[str, Any], size: tuple[int, int]) -> F32:
    """(2, 3) from pixels of a shot of ``size`` (width, height) to where the take shows them, for OpenCV, which counts
    from the centre of the first pixel. A fit's scale is about the picture's middle, its ``offset_px`` of 1920."""
    scale, offset = fit.get("scale") or (1.0, 1.0), fit.get("offset_px") or (0.0, 0.0)
    rows = np.zeros((2, 3), np.float32)
    for axis in (0, 1):
        middle = (size[axis] - 1) / 2
        rows[axis, axis] = scale[axis]
        rows[axis, 2] = middle - scale[axis] * middle + offset[axis] * size[0] / 1920
    return rows


def _u8(picture: F32) -> U8:
    return np.asarray(np.rint(np.clip(picture, 0, 255)), np.uint8)


def mender(job: Job) -> PartWarper | PictureWarper:
    """Raises Refused, InputError."""
    return PartWarper(job) if job.parts else PictureWarper(job)
