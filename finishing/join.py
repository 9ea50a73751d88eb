# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins a span that was drawn again into its take: over the handles in time, around the parts in the picture.

Two runs of a model never agree on grain and background. So only the surroundings of the faulty parts change, up
to a soft edge; there the new picture takes on the old one's slow variations of light, and each part's colours those
that it has in the take's own good frames.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.joining import Tone, weight
from ..pipeline.pictures import F32, U8
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .ladder import RERUN
from .plates import filled

AROUND_PX = 34.0
"""How far around the rendered part its fault may have spread, in px at 640 wide."""
FEATHER_PX = 12.0
_LEVELS = 32.0
_COARSE = 4
_LEAST_PIXELS = 50


def region(truth: GroundTruth, frame: int, parts: Sequence[str]) -> F32:
    """(H, W) 0..1 what of a frame is replaced: around ``parts`` with a soft edge; without parts, all of it."""
    width, height = truth.size
    if not parts:
        return np.ones((height, width), np.float32)
    scale = width / 640
    there = np.zeros((height, width), bool)
    for part in parts:
        there |= truth.matte(part, frame) > 0.02
    away = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.clip(((AROUND_PX + FEATHER_PX) * scale - away) / (FEATHER_PX * scale), 0, 1).astype(np.float32)


def relit(new: U8, old: U8, share: F32) -> F32:
    """``new`` (H, W, 3) with slow changes of light such that it meets ``old`` where ``share`` falls to 0."""
    outside = share < 0.02
    if not outside.any() or outside.all():
        return new.astype(np.float32)
    small = (max(new.shape[1] // _COARSE, 8), max(new.shape[0] // _COARSE, 8))
    gap = old.astype(np.float32) - new
    difference = np.asarray(cv2.resize(gap, small, interpolation=cv2.INTER_AREA), np.float32)
    known = cv2.resize(outside.astype(np.float32), small, interpolation=cv2.INTER_AREA) > 0.99
    if not known.any():
        return new.astype(np.float32)
    smooth = cv2.GaussianBlur(filled(difference, known), (0, 0), 4.0)
    offset = cv2.resize(smooth, (new.shape[1], new.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(new + np.clip(offset, -_LEVELS, _LEVELS), np.float32)


def tones(
    parent: TakeFolder, new: TakeFolder, rerun: Mapping[str, Any], truth: GroundTruth
) -> dict[str, Tone]:
    """For each part, from the handles, where both runs show it right: equal mean and spread, within reason."""
    first, last = rerun["frames"]
    both = [f for f in new.frames if f in parent.frames and (f < first - 1 or f > last + 1)]
    pairs = [(frame, parent.frame(frame), new.frame(frame)) for frame in both]
    found: dict[str, Tone] = {}
    for part in truth.names:
        inside = [truth.matte(part, frame) > 0.95 for frame, _, _ in pairs]
        if sum(int(mask.sum()) for mask in inside) < _LEAST_PIXELS:
            continue
        old = np.concatenate([a[mask] for (_, a, _), mask in zip(pairs, inside, strict=True)]).astype(
            np.float32
        )
        fresh = np.concatenate([b[mask] for (_, _, b), mask in zip(pairs, inside, strict=True)]).astype(
            np.float32
        )
        found[part] = Tone.between(old, fresh)
    return found


def toned(picture: F32, original: U8, frame: int, table: Mapping[str, Tone], truth: GroundTruth) -> F32:
    """``picture`` (H, W, 3), where parts are concerned as ``original`` with its colours brought to the take's."""
    result = picture.copy()
    for part, tone in table.items():
        cover = truth.matte(part, frame)[..., None]
        result += (tone.on(original) - picture) * cover
    return result


class Joiner:
    """The mender that puts the frames of a rerun into a take; ``below`` gives a frame as it was before.
    ``seams`` are the mean absolute differences of old and new in the frames where both are blended in time."""

    def __init__(
        self, parent: TakeFolder, below: Callable[[int], U8], rerun: Mapping[str, Any], truth: GroundTruth
    ) -> None:
        self.parent, self.below, self.rerun, self.truth = parent, below, rerun, truth
        self.new = TakeFolder.open(rerun["folder"])
        self.seams: list[float] = []
        self._table: dict[str, Tone] | None = None

    @property
    def frames(self) -> Sequence[int]:
        """Those that were drawn again and belong to the take."""
        first, last = self.rerun["frames"]
        return [frame for frame in self.new.frames if frame in self.parent.frames or first <= frame <= last]

    def mend(self, frame: int) -> U8:
        """The new frame put into the old one. Raises InputError if the sizes differ."""
        first, last = self.rerun["frames"]
        in_time = weight(frame, first, last, int(self.rerun["handles"]))
        fresh = self.new.frame(frame)
        if frame not in self.parent.frames:
            return fresh
        old = self.below(frame)
        if fresh.shape != old.shape:
            raise InputError(
                "The frames drawn again have another size than the take", where=str(self.new.folder)
            )
        if self._table is None:
            self._table = tones(self.parent, self.new, self.rerun, self.truth)
        where = region(self.truth, frame, self.rerun["parts"])
        lit = toned(relit(fresh, old, where), fresh, frame, self._table, self.truth)
        if 0 < in_time < 1:
            self.seams.append(
                float((np.abs(lit - old).mean(-1) * where).sum() / max(float(where.sum()), 1.0))
            )
        mixed = old + (lit - old) * (where * np.float32(in_time))[..., None]
        return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)

    def record(self) -> dict[str, Any]:
        """The span, who drew it, and how far old and new are apart where they meet."""
        names = ("frames", "handles", "seed", "part", "parts", "finding", "fault")
        seam = round(max(self.seams), 3) if self.seams else None
        provider = self.new.manifest.data["provider"]
        return {
            **{name: self.rerun[name] for name in names},
            "kind": RERUN,
            "seam": seam,
            "provider": provider,
        }
