# SPDX-License-Identifier: GPL-3.0-or-later
"""A take's look of one part, learned from good frames: surface normal and rendered colour -> styled colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import Mask, Plate, signed_distance

_NORMAL_CELL = 0.1
"""Size of a cell in units of the normal; the kernel is as wide."""
_COLOUR_CELL = 16.0
"""Size of a cell in display code values."""
_BLOCK = 2048


def _features(plate: Plate, where: Mask) -> F32:
    """(N, 6): normal in cells of the lit sphere, rendered colour in cells of colour."""
    return np.hstack([plate.normal[where] / _NORMAL_CELL, plate.beauty[where] / _COLOUR_CELL]).astype(
        np.float32
    )


@dataclass(frozen=True)
class Look:
    """Kernel regression over cells: ``keys`` (M, 6) mean features, ``colours`` (M, 3), ``counts`` (M,)."""

    keys: F32
    colours: F32
    counts: F32

    def predict(self, plate: Plate, where: Mask) -> F32:
        """(H, W, 3) float32 styled colour 0..255 at ``where`` (H, W) bool, 0 elsewhere."""
        result = np.zeros((*plate.size, 3), np.float32)
        features = _features(plate, where)
        if len(features):
            blocks = range(0, len(features), _BLOCK)
            result[where] = np.vstack([self._colours(features[start : start + _BLOCK]) for start in blocks])
        return result

    def _colours(self, features: F32) -> F32:
        squared = (features**2).sum(1)[:, None] + (self.keys**2).sum(1)[None, :] - 2 * features @ self.keys.T
        squared -= squared.min(1, keepdims=True)  # far from every sample the nearest ones still decide
        weight = np.exp(-0.5 * squared) * self.counts
        return np.asarray(weight @ self.colours / weight.sum(1, keepdims=True), np.float32)


def learn(plates: Sequence[Plate], ink_px: float) -> Look | None:
    """The look of the part in ``plates``, from pixels farther than ``ink_px`` from its outline where there are
    enough of them, else from all. None if the part is nowhere to be seen."""
    features: list[F32] = []
    colours: list[F32] = []
    for plate in plates:
        inner = plate.solid & (signed_distance(plate.matte) > ink_px)
        where = inner if inner.sum() > 0.2 * plate.solid.sum() else plate.solid
        features.append(_features(plate, where))
        colours.append(plate.take[where])
    keys, values = np.vstack(features), np.vstack(colours)
    if not len(keys):
        return None
    cells, index = np.unique(np.round(keys).astype(np.int32), axis=0, return_inverse=True)
    index = index.reshape(-1)
    counts = np.bincount(index, minlength=len(cells)).astype(np.float32)
    return Look(_means(keys, index, counts), _means(values, index, counts), np.sqrt(counts))


def _means(values: F32, index: NDArray[np.intp], counts: F32) -> F32:
    sums = [np.bincount(index, values[:, channel], len(counts)) for channel in range(values.shape[1])]
    return np.asarray(np.stack(sums, 1) / counts[:, None], np.float32)
