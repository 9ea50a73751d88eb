# SPDX-License-Identifier: GPL-3.0-or-later
"""A take's look of one part, learned from good frames: surface normal and rendered colour -> styled colour.

Two stages. A kernel over normal and colour knows what every combination looks like, but softly. What it leaves is
learnt once more over the normal alone and over the rendered light alone, finely, so that the hard edges of flat tones,
which lie in the one or the other, stay hard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import LUMA, Mask, Plate, signed_distance, to_other_parts

NORMAL_CELL = 0.1
"""Size of a cell in units of the normal; the kernel is as wide."""
_COLOUR_CELL = 16.0
"""Size of a cell in display code values."""
_BLOCK = 128
"""Pixels at a time: the weights of so many stay in a processor's cache."""
_NOTHING = -80.0
"""Logarithm of a weight that counts for nothing; that of a far smaller one is denormal, and ten times as slow."""
_CELLS = 1500
"""At most this many; a part with more variety is told in larger ones."""
_FINE = 160
"""Cells of the fine maps across the normal's -1..1 and the light's 0..255."""
_BELIEVED = 6.0
"""Samples in a fine cell that are believed half."""
_SAMPLES = 12000


def features_of(plate: Plate, where: Mask) -> F32:
    """(N, 6): normal in cells of the lit sphere, rendered colour in cells of colour."""
    return np.hstack([plate.normal[where] / NORMAL_CELL, plate.beauty[where] / _COLOUR_CELL]).astype(
        np.float32
    )


@dataclass(frozen=True)
class Fine:
    """What the kernel leaves: ``facing`` (cells, cells, 3) by the normal's x and y, ``light`` (1, cells, 3) by
    rendered light."""

    facing: F32
    light: F32

    @classmethod
    def none(cls) -> "Fine":
        """Nothing to add."""
        return cls(np.zeros((_FINE, _FINE, 3), np.float32), np.zeros((1, _FINE, 3), np.float32))

    def towards(self, other: "Fine", share: float) -> "Fine":
        """Between this and another one."""
        facing = self.facing + (other.facing - self.facing) * share
        light = self.light + (other.light - self.light) * share
        return Fine(np.asarray(facing, np.float32), np.asarray(light, np.float32))

    def at(self, features: F32) -> F32:
        """(N, 3) to be added for (N, 6) features."""
        x, y, light = (axis.reshape(-1, 1) for axis in _axes(features))
        one = cv2.remap(self.facing, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        row = np.zeros_like(light)
        two = cv2.remap(self.light, light, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray((one + two).reshape(-1, 3), np.float32)


@dataclass(frozen=True)
class Look:
    """Kernel regression over cells: ``keys`` (M, 6) mean features, ``colours`` (M, 3), ``counts`` (M,)."""

    keys: F32
    colours: F32
    counts: F32
    fine: Fine | None = None

    def predict(self, plate: Plate, where: Mask) -> F32:
        """(H, W, 3) float32 styled colour 0..255 at ``where`` (H, W) bool, 0 elsewhere."""
        result = np.zeros((*plate.size, 3), np.float32)
        features = features_of(plate, where)
        if len(features):
            result[where] = self.of(features)
        return result

    def of(self, features: F32) -> F32:
        """(N, 3) styled colour of (N, 6) features."""
        blocks = range(0, len(features), _BLOCK)
        soft = np.vstack([self._colours(features[start : start + _BLOCK]) for start in blocks])
        return soft if self.fine is None else np.clip(soft + self.fine.at(features), 0, 255)

    def _colours(self, features: F32) -> F32:
        squared = (features**2).sum(1)[:, None] + (self.keys**2).sum(1)[None, :] - 2 * features @ self.keys.T
        squared -= squared.min(1, keepdims=True)  # far from every sample the nearest ones still decide
        weight = squared
        weight *= -0.5
        np.maximum(weight, _NOTHING, out=weight)
        np.exp(weight, out=weight)
        weight *= self.counts
        return np.asarray(weight @ self.colours / weight.sum(1, keepdims=True), np.float32)


def learn(plates: Sequence[Plate], ink_px: float) -> Look | None:
    """The look of the part in ``plates``, from pixels farther than ``ink_px`` from its outline where there are
    enough of them, else from all. None if the part is nowhere to be seen."""
    features: list[F32] = []
    colours: list[F32] = []
    for plate in plates:
        inner = plate.solid & (signed_distance(plate.matte) > ink_px) & (to_other_parts(plate) > ink_px)
        where = inner if inner.sum() > 0.2 * plate.solid.sum() else plate.solid
        features.append(features_of(plate, where))
        colours.append(plate.take[where])
    keys, values = np.vstack(features), np.vstack(colours)
    if not len(keys):
        return None
    coarse = 1.0
    while True:
        cells, index = np.unique(np.round(keys / coarse).astype(np.int32), axis=0, return_inverse=True)
        if len(cells) <= _CELLS:
            break
        coarse *= 1.3
    index = index.reshape(-1)
    counts = np.bincount(index, minlength=len(cells)).astype(np.float32)
    soft = Look(_means(keys, index, counts), _means(values, index, counts), np.sqrt(counts))
    some = slice(None, None, max(len(keys) // _SAMPLES, 1))
    return Look(
        soft.keys, soft.colours, soft.counts, fine_map(keys[some], values[some] - soft.of(keys[some]))
    )


def fine_map(features: F32, left: F32) -> Fine:
    """The fine stage for what is ``left`` (N, 3) at (N, 6) features."""
    x, y, light = _axes(features)
    facing = _map(left, y, x, (_FINE, _FINE))
    first = Fine(facing, np.zeros((1, _FINE, 3), np.float32))
    return Fine(facing, _map(left - first.at(features), np.zeros_like(light), light, (1, _FINE)))


def _map(left: F32, rows: F32, columns: F32, shape: tuple[int, int]) -> F32:
    """(*shape, 3) mean of ``left`` (N, 3) by cell, soft over a cell, nearer to 0 where there are few samples."""
    place = np.clip(np.rint(rows), 0, shape[0] - 1) * shape[1] + np.clip(np.rint(columns), 0, shape[1] - 1)
    index = place.astype(np.intp)
    count = np.bincount(index, minlength=shape[0] * shape[1]).reshape(shape)
    sums = [np.bincount(index, left[:, c], shape[0] * shape[1]).reshape(shape) for c in range(3)]
    stacked = cv2.GaussianBlur(np.dstack([*sums, count]).astype(np.float32), (0, 0), 0.8)
    return np.asarray(stacked[..., :3] / (stacked[..., 3:] + _BELIEVED / 4), np.float32)


def _axes(features: F32) -> tuple[F32, F32, F32]:
    """Columns and rows of the fine maps for (N, 6) features: the normal's x and y, the rendered light."""
    facing = (features[:, :2] * NORMAL_CELL + 1) * ((_FINE - 1) / 2)
    light = (features[:, 3:] * _COLOUR_CELL) @ LUMA * ((_FINE - 1) / 255)
    return facing[:, 0], facing[:, 1], np.asarray(light, np.float32)


def _means(values: F32, index: NDArray[np.intp], counts: F32) -> F32:
    sums = [np.bincount(index, values[:, channel], len(counts)) for channel in range(values.shape[1])]
    return np.asarray(np.stack(sums, 1) / counts[:, None], np.float32)
