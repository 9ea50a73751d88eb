# SPDX-License-Identifier: GPL-3.0-or-later
"""Depth as grey: near and far are fixed for the whole shot, so that the same distance is the same grey in every frame.

A range fitted to each frame anew makes depth clips flicker; a range fitted to everything that is visible leaves few
levels for the parts where a floor runs to the horizon. So the parts decide it, over all frames.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pipeline.context import Context
from ...pipeline.manifest import Manifest, stale_reason
from ...pipeline.pictures import F32
from ...pipeline.truth import GroundTruth

SCHEMA = "holdfast/depth_range"
RULE = (
    "nearest to farthest visible point of any part in any frame, and what is visible no more than half that span (at "
    "least 5 % of the distance) before or behind them; rounded outwards to three digits; without a visible part "
    "everything counts"
)
_BINS_PER_E = 2000
_LOWEST, _HIGHEST = 1e-5, 1e7


@dataclass(frozen=True)
class Range:
    """Planar depths in metres that become the ends of the grey scale; nearer is ``near``, farther or nothing ``far``."""

    near: float
    far: float

    @property
    def inverse_span(self) -> float:
        """1/near - 1/far in 1/m: the disparity between the two ends."""
        return 1 / self.near - 1 / self.far


def shot_range(truth: GroundTruth, path: Path, ctx: Context) -> Range:
    """The shot's range by RULE: kept in the manifest ``path`` and found again only when the truth changed."""
    settings, inputs = {"rule": RULE}, {"truth": truth.digest}
    known = Manifest.find(path, SCHEMA)
    if known is None or stale_reason(known, settings, inputs) is not None:
        found = find_range(truth, ctx)
        known = Manifest(SCHEMA, settings, inputs, {"near": found.near, "far": found.far, "unit": "m"})
        known.save(path)
    return Range(float(known.data["near"]), float(known.data["far"]))


def find_range(truth: GroundTruth, ctx: Context) -> Range:
    """Near and far over all frames by RULE."""
    count = int(math.log(_HIGHEST / _LOWEST) * _BINS_PER_E) + 2
    parts, others = np.zeros(count, bool), np.zeros(count, bool)
    for frame in ctx.each(truth.frames, "Looking for near and far, frame"):
        depth, ids = truth.depth(frame), truth.ids(frame)
        seen = depth > 0
        parts |= _bins(depth[seen & (ids > 0)], count)
        others |= _bins(depth[seen & (ids == 0)], count)
    if not parts.any():
        parts = others
    if not parts.any():
        return Range(1.0, 2.0)  # nothing is ever visible: any range draws it all far
    low, high = _ends(parts)
    margin = max(high - low, 0.1 * low) / 2
    edges = _edge(np.arange(count + 1))
    beside = others & (edges[1:] >= low - margin) & (edges[:-1] <= high + margin)
    low, high = _ends(parts | beside)
    near = _three_digits(low, math.floor)
    return Range(near, max(_three_digits(high, math.ceil), _three_digits(near * 1.002, math.ceil)))


def _bins(depth: F32, count: int) -> NDArray[np.bool_]:
    places = np.log(np.clip(depth, _LOWEST, _HIGHEST) / _LOWEST) * _BINS_PER_E
    return np.bincount(places.astype(np.int64), minlength=count)[:count] > 0


def _edge(number: Any) -> Any:
    return _LOWEST * np.exp(number / _BINS_PER_E)


def _ends(there: NDArray[np.bool_]) -> tuple[float, float]:
    found = np.flatnonzero(there)
    return float(_edge(found[0])), float(_edge(found[-1] + 1))


def _three_digits(value: float, towards: Any) -> float:
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{towards(value / unit) * unit:.3g}")


def inverse(depth: F32) -> F32:
    """(H, W) 1/m of metres; 0 where there is nothing. Linear over the picture of a plane, unlike depth itself."""
    return np.asarray(np.divide(1.0, depth, out=np.zeros_like(depth), where=depth > 0), np.float32)


def grey(disparity: F32, ends: Range, curve: str, white: str, bits: int) -> NDArray[Any]:
    """(H, W) uint8 or uint16 of 1/z in 1/m. With n, f = near, far the share of white at depth z is, where near is white,

    disparity (1/z - 1/f) / (1/n - 1/f), the scale of MiDaS (Ranftl et al. 2020) up to its unknown shift and scale;
    linear (f - z) / (f - n); log ln(f/z) / ln(f/n). ``white`` "far" is one minus that.
    """
    clipped = np.clip(disparity, np.float32(1 / ends.far), np.float32(1 / ends.near))
    if curve == "linear":
        share = (ends.far - 1 / clipped) / (ends.far - ends.near)
    elif curve == "log":
        share = np.log(ends.far * clipped) / math.log(ends.far / ends.near)
    else:
        share = (clipped - 1 / ends.far) / ends.inverse_span
    share = np.clip(share if white == "near" else 1 - share, 0, 1)
    return np.rint(share * (2**bits - 1)).astype(np.uint16 if bits == 16 else np.uint8)
