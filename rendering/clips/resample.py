# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes brought to the size of a clip, each as what it holds allows.

Pictures and coverage are averaged. Depth and normals are interpolated within one surface only, which is exact on planes
(an average over a pixel's box is not, where the boxes don't line up); where the source tears, the clip shows one of the
surfaces there and never a depth between the two. Ids are taken as they are.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.fitting import Fit
from .surface import Bool

_GRID = np.linspace(-1 / 3, 1 / 3, 3)
"""Where in a clip's pixel the source is looked at when it holds several surfaces, in clip pixels from the centre."""


@dataclass(frozen=True)
class Resampler:
    """Makes clip pictures (H, W) or (H, W, C) of source pictures, by a fit."""

    fit: Fit

    @property
    def shrinks(self) -> bool:
        """Whether the clip has fewer pixels than the source on its longer way."""
        return min(self.fit.scale) < 1

    def smooth(self, source: NDArray[Any]) -> NDArray[Any]:
        """Averaged when made smaller, interpolated when larger; not padded yet."""
        way = cv2.INTER_AREA if self.shrinks else cv2.INTER_LINEAR
        return self._resized(source, way)

    def picture(self, source: NDArray[Any]) -> NDArray[Any]:
        """As ``smooth``, with a sharper way to enlarge, for what people look at."""
        return self._resized(source, cv2.INTER_AREA if self.shrinks else cv2.INTER_CUBIC)

    def nearest(self, source: NDArray[Any]) -> NDArray[Any]:
        """What is at each clip pixel's centre."""
        return self._resized(source, cv2.INTER_NEAREST_EXACT)

    def surfaces(self, order: NDArray[np.float32], torn: Bool, values: NDArray[Any]) -> NDArray[Any]:
        """``values`` interpolated where the source is one surface; where a clip pixel holds ``torn`` pixels, the value of the
        source pixel with the middle ``order`` (1/z) of nine looked at, or of the nearest one when made larger."""
        result = np.array(self._resized(values.astype(np.float32), cv2.INTER_LINEAR))
        holds = torn.astype(np.float32)
        rows, columns = np.nonzero(self.smooth(holds) + self._resized(holds, cv2.INTER_LINEAR) > 1e-6)
        if not len(rows):
            return result
        steps = _GRID if self.shrinks else np.zeros(1)
        across = self._source(columns[:, None] + 0.5 + np.tile(steps, len(steps))[None, :], 0)
        down = self._source(rows[:, None] + 0.5 + np.repeat(steps, len(steps))[None, :], 1)
        seen = order[down, across]
        middle = np.argsort(seen, axis=1, kind="stable")[:, seen.shape[1] // 2]
        chosen = np.arange(len(rows))
        result[rows, columns] = values[down[chosen, middle], across[chosen, middle]]
        return result

    def padded(self, inside: NDArray[Any], fill: float | None) -> NDArray[Any]:
        """The clip's picture: ``fill`` around ``inside``, or with None its own border drawn out."""
        left, top, right, bottom = self.fit.pad
        if not any(self.fit.pad):
            return inside
        if fill is None:
            return np.asarray(cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE))
        value = (fill,) * 4
        return np.asarray(
            cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, value=value)
        )

    def _cut(self, source: NDArray[Any]) -> NDArray[Any]:
        left, top, right, bottom = self.fit.crop
        return np.ascontiguousarray(source[top : source.shape[0] - bottom, left : source.shape[1] - right])

    def _resized(self, source: NDArray[Any], way: int) -> NDArray[Any]:
        cut = self._cut(source)
        if cut.shape[1::-1] == self.fit.inside:
            return cut
        return np.asarray(cv2.resize(cut, self.fit.inside, interpolation=way))

    def _source(self, position: NDArray[np.float64], axis: int) -> NDArray[np.int64]:
        """Source columns (axis 0) or rows (1) under positions in the unpadded clip."""
        first = self.fit.crop[axis]
        last = self.fit.source[axis] - self.fit.crop[axis + 2] - 1
        return np.clip((position / self.fit.scale[axis] + first).astype(np.int64), first, last)
