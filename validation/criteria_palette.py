# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the take keep to the colours that were asked for? By CIEDE2000, in whatever light they stand.

Light shades a colour: down to black, and up by a stop and a half. A pixel is as far outside the palette as it differs from
the nearest of all such shades. What a tenth of the pixels may do is left out (highlights, lines, blends at borders):
the measure is the difference that nine tenths of the pixels stay below.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from ..pipeline.ciede import ciede2000
from ..pipeline.pictures import F32

LIMIT_DE = 12.0
"""CIEDE2000. 2 is just seen side by side, 5 in memory; looks that keep a colour differ by up to 10 (see the bench)."""
KEPT = 0.9
BRIGHTER = 3.0
SHADES = 18
STEP = np.array((3.2, 6.4, 6.4), np.float32)
"""Of L, a and b, in which colours are looked up."""
LOW = np.array((0.0, -105.6, -115.2), np.float32)
CELLS = (32, 33, 36)


class Palette:
    """Colours as "#rrggbb" in all their shades."""

    def __init__(self, colours: Sequence[str]) -> None:
        rgb = np.array([[int(text[i : i + 2], 16) for i in (1, 3, 5)] for text in colours], np.float64) / 255
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        strengths = BRIGHTER * np.linspace(0, 1, SHADES) ** 2.4
        shades = np.clip(linear[:, None] * strengths[None, :, None], 0, 1).reshape(-1, 3)
        display = np.where(shades <= 0.0031308, shades * 12.92, 1.055 * shades ** (1 / 2.4) - 0.055)
        self.lab = np.asarray(
            cv2.cvtColor(display[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0], np.float64
        )

        self._known = np.full(int(np.prod(CELLS)), np.nan, np.float32)

    def outside(self, lab: F32) -> F32:
        """(N,) CIEDE2000 of (N, 3) Lab colours from the palette, in steps of `STEP`; a step is computed once."""
        at = np.clip((lab - LOW) / STEP, 0, np.array(CELLS) - 1).astype(np.int64)
        cells = (at[:, 0] * CELLS[1] + at[:, 1]) * CELLS[2] + at[:, 2]
        new = np.unique(cells[np.isnan(self._known[cells])])
        if len(new):
            steps = np.stack(np.unravel_index(new, CELLS), 1)
            colours = LOW + STEP * (steps + 0.5)
            apart = [ciede2000(colours, shade[None]) for shade in self.lab]
            self._known[new] = np.min(apart, axis=0)
        return np.asarray(self._known[cells])


def spread(outside: F32) -> float:
    """The difference that `KEPT` of the pixels stay below; NaN for too few of them."""
    return float(np.quantile(outside, KEPT)) if len(outside) >= 30 else float("nan")
