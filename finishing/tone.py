# SPDX-License-Identifier: GPL-3.0-or-later
"""Gain and offset between what a part's colours are and what they should be, in the space that explains them best."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .plates import Mask

_HELD = 12.0
"""Spread of a channel (its own units) from which its gain is believed half."""
_GAIN = (0.5, 2.0)


def lab(rgb: F32) -> F32:
    """(..., 3) CIE Lab of (..., 3) RGB 0..255."""
    flat = np.ascontiguousarray(rgb.reshape(1, -1, 3), np.float32) / 255
    return np.asarray(cv2.cvtColor(np.clip(flat, 0, 1), cv2.COLOR_RGB2LAB).reshape(rgb.shape), np.float32)


def from_lab(values: F32) -> F32:
    """(..., 3) RGB 0..255 of (..., 3) CIE Lab."""
    flat = np.ascontiguousarray(values.reshape(1, -1, 3), np.float32)
    rgb = cv2.cvtColor(flat, cv2.COLOR_LAB2RGB).reshape(values.shape)
    return np.asarray(np.clip(rgb, 0, 1) * 255, np.float32)


def _same(values: F32) -> F32:
    return values


SPACES: Mapping[str, tuple[Callable[[F32], F32], Callable[[F32], F32]]] = {
    "Lab": (lab, from_lab),
    "RGB": (_same, _same),
}


@dataclass(frozen=True)
class Tone:
    """``values * gain + offset`` for each channel of ``space``."""

    space: str
    gain: F32
    offset: F32

    def over(self, rgb: F32) -> F32:
        """(..., 3) RGB 0..255 with the tone."""
        there, back = SPACES[self.space]
        return back(there(rgb) * self.gain + self.offset)


def fit(space: str, taken: F32, wanted: F32) -> Tone:
    """The tone that takes (N, 3) RGB ``taken`` to ``wanted``; robust to a few pixels that are something else."""
    there, _ = SPACES[space]
    x, y = there(taken), there(wanted)
    weight = np.ones((len(x), 1), np.float32)
    gain, offset = np.ones(3, np.float32), np.zeros(3, np.float32)
    for _ in range(3):
        total = weight.sum()
        mean_x, mean_y = (x * weight).sum(0) / total, (y * weight).sum(0) / total
        spread = (weight * (x - mean_x) ** 2).sum(0) / total
        both = (weight * (x - mean_x) * (y - mean_y)).sum(0) / total
        gain = np.clip((both + _HELD) / (spread + _HELD), *_GAIN).astype(np.float32)
        offset = (mean_y - gain * mean_x).astype(np.float32)
        away = np.linalg.norm(x * gain + offset - y, axis=1)
        weight = (1 / (1 + (away / max(float(np.median(away)), 0.5) / 2) ** 2))[:, None].astype(np.float32)
    return Tone(space, gain, offset)


def best_space(pairs: Sequence[tuple[F32, F32]]) -> str:
    """The space in which one tone a frame explains the (taken, wanted) pairs best, by the Lab difference left."""

    def left(space: str) -> float:
        return sum(
            float(np.linalg.norm(lab(fit(space, taken, wanted).over(taken)) - lab(wanted), axis=1).mean())
            for taken, wanted in pairs
        )

    return min(SPACES, key=left)


def softened(picture: F32, where: Mask, sigma: float) -> F32:
    """(H, W, 3) blurred within ``where`` alone."""
    weight = cv2.GaussianBlur(where.astype(np.float32), (0, 0), sigma)
    blurred = cv2.GaussianBlur(picture * where[..., None].astype(np.float32), (0, 0), sigma)
    return np.asarray(blurred / np.maximum(weight, 1e-4)[..., None], np.float32)
