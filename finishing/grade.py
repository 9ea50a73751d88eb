# SPDX-License-Identifier: GPL-3.0-or-later
"""The grade, as an exact ASC CDL (slope, offset, power per channel, then saturation) in linear Rec.709.

Frames are display-referred sRGB. They are decoded to linear light (IEC 61966-2-1), graded, rolled off where the
grade pushes white above 1, and encoded again. A neutral grade returns every pixel unchanged.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8
from ..pipeline.store import write_bytes

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Luminance weights of linear Rec.709 (ITU-R BT.709-6)."""
PIVOT = 0.18
"""Linear mid grey, which contrast leaves alone."""
_KNEE = 0.6
"""Display value (linear) above which the roll-off may begin."""
_STEPS = 4096


def srgb_to_linear(display: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1 decoding of values in 0..1."""
    return np.where(display <= 0.04045, display / 12.92, ((np.maximum(display, 0.0) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: NDArray[Any]) -> NDArray[Any]:
    """IEC 61966-2-1 encoding of values in 0..1."""
    clipped = np.clip(linear, 0.0, 1.0)
    return np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)


_DECODE = srgb_to_linear(np.arange(256) / 255.0)
_ENCODE = np.round(linear_to_srgb(np.linspace(0.0, 1.0, _STEPS * 16 + 1)) * 255).astype(np.uint8)


@dataclass(frozen=True)
class Grade:
    """``exposure`` in stops, ``contrast`` about mid grey, ``temperature`` -1 (cool) .. 1 (warm); 0, 1, 1, 0 = neutral."""

    exposure: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    temperature: float = 0.0

    @property
    def neutral(self) -> bool:
        """True if the grade changes nothing."""
        return self == Grade()

    @property
    def power(self) -> float:
        """The CDL's power, equal for all channels."""
        return max(self.contrast, 0.01)

    @property
    def slope(self) -> NDArray[np.float64]:
        """(3,) CDL slopes. Contrast c about p is ``p * (x / p) ** c``, which a slope of p ** (1/c - 1) gives."""
        warmth = np.array([2.0 ** (0.35 * self.temperature), 1.0, 2.0 ** (-0.35 * self.temperature)])
        gain = 2.0**self.exposure * warmth / float(LUMA @ warmth)  # luminance of grey stays
        return np.asarray(gain * PIVOT ** (1.0 / self.power - 1.0))

    def apply(self, rgb: U8) -> U8:
        """(H, W, 3) uint8 sRGB graded, same shape."""
        if self.neutral:
            return rgb.copy()
        curves = ((_DECODE[:, None] * self.slope) ** self.power).astype(np.float32)
        if self.saturation == 1.0:  # channels don't mix: a table of 256 says it all
            table = self._finish(curves[:, None, :])[:, 0]
            return np.stack([table[:, c][rgb[..., c]] for c in range(3)], axis=-1)
        return self._finish(np.stack([curves[:, c][rgb[..., c]] for c in range(3)], axis=-1))

    def _finish(self, linear: F32) -> U8:
        luma = (linear @ LUMA)[..., None]
        graded = roll_off(luma + self.saturation * (linear - luma), self._white())
        index = np.clip(graded * (_STEPS * 16) + 0.5, 0, _STEPS * 16).astype(np.int32)
        return np.asarray(_ENCODE[index])

    def _white(self) -> float:
        return float(np.max(self.slope**self.power))

    def table(self, size: int) -> U8:
        """(size, size, size, 3) uint8: the grade on a grid, indexed [blue, green, red]."""
        axis = np.linspace(0.0, 1.0, size)
        blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
        display = np.stack([red, green, blue], axis=-1)
        linear = (srgb_to_linear(display) * self.slope) ** self.power
        return self._finish(linear.astype(np.float32))


def roll_off(linear: F32, white: float) -> F32:
    """Bends values above the knee so that ``white`` lands on 1; leaves all as it is where white <= 1."""
    if white <= 1.0:
        return linear
    room = 1.0 - _KNEE
    t = np.maximum(linear - _KNEE, 0.0) / (white - _KNEE)
    bent = _KNEE + (white - _KNEE) * t / (1.0 + t * ((white - _KNEE) / room - 1.0))
    return np.where(linear > _KNEE, bent, linear).astype(np.float32)


def write_cube(path: Path, grade: Grade, title: str, size: int = 33) -> None:
    """Writes the grade as a .cube (display sRGB in and out), for other programs. Raises StorageError."""
    rows = grade.table(size).reshape(-1, 3) / 255.0
    head = [f'TITLE "{title}"', "# display-referred sRGB in and out", f"LUT_3D_SIZE {size}"]
    lines = [f"{red:.6f} {green:.6f} {blue:.6f}" for red, green, blue in rows]
    write_bytes(path, ("\n".join([*head, *lines]) + "\n").encode())


def cdl(grade: Grade) -> dict[str, object]:
    """ASC CDL numbers, valid in linear Rec.709, as timelines carry them."""
    return {
        "asc_sop": {
            "slope": [round(float(value), 6) for value in grade.slope],
            "offset": [0.0, 0.0, 0.0],
            "power": [round(grade.power, 6)] * 3,
        },
        "asc_sat": grade.saturation,
        "working_space": "linear Rec.709",
    }
