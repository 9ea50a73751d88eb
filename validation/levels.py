# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the take's colour range read rightly? Video levels (16 to 235) shown as full, or full ones cut to video's.

A flat or a hard look is no fault. Wrong levels pile up where the codec's foot and head room end, and nothing lies
beyond; or, where the take keeps the render's tones, they follow the very line between the two ranges; or the histogram
itself has the comb of that line: 220 tones stretched over 256 leave 36 of them empty, at places known beforehand, and
256 pressed into 220 meet in 36, whatever the look. (A lossy codec after the mistake wipes the comb out.)
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import U8

F64 = NDArray[np.float64]
FOOT, HEAD = 16, 235
"""Black and white of video levels (ITU-R BT.709, 8 bit)."""
GAIN = 255 / (HEAD - FOOT)
BEYOND = 2e-4
"""Share of values that ringing may bring beyond foot and head."""
PILE, PILED = 0.004, 3.0
"""Share of values that lie at foot or head, and how many times their neighbours' that is, where levels were cut."""
SAME_TONES = 0.985
"""Correlation of take and render from which the take keeps the render's tones."""
OFF_GAIN, OFF_FOOT = 0.02, 3.0
EVERY = 8
UNCUT = 8
"""Levels from black and white within which tones may be cut off."""
GAP, MEET, BETWEEN = 0.4, 1.6, (0.7, 1.35)
"""Tones at the places of the comb over their neighbours': at most, at least, and what the same places moved along show
in pictures that have no comb elsewhere."""
LEAST_TONES = 14
"""Places of the comb that must have neighbours to be compared with."""
FULL_CUT = "full levels were taken for video levels: dark and light tones are cut off"
VIDEO_SHOWN = "video levels are shown as full ones: black is grey and white is dull"


@dataclass(frozen=True)
class Levels:
    """``picture * gain + offset`` is right; ``says`` what is wrong, or ""; ``value`` where black lies, 0..255."""

    gain: float = 1.0
    offset: float = 0.0
    says: str = ""
    value: float = 0.0

    def apply(self, picture: U8) -> U8:
        """The picture at its right levels."""
        if not self.says:
            return picture
        table = np.clip(np.arange(256) * self.gain + self.offset + 0.5, 0, 255).astype(np.uint8)
        return np.asarray(table[picture])


@dataclass
class LevelMeter:
    """Fed frame by frame."""

    counts: F64 = field(default_factory=lambda: np.zeros(256))
    sums: F64 = field(default_factory=lambda: np.zeros(6))

    def add(self, take: U8, take_small: U8, render_small: U8) -> None:
        """A frame of the take at full size, and take and render at the same small size, (H, W, 3) uint8."""
        self.counts += np.bincount(take[EVERY // 2 :: EVERY, EVERY // 2 :: EVERY].ravel(), minlength=256)
        y, x = (
            take_small.astype(np.float64).mean(-1).ravel(),
            render_small.astype(np.float64).mean(-1).ravel(),
        )
        self.sums += (len(x), x.sum(), y.sum(), x @ x, x @ y, y @ y)

    def finish(self) -> Levels:
        """What was found."""
        if not self.counts.sum():
            return Levels()
        share = self.counts / self.counts.sum()
        tones = self._line()
        kept = tones is not None and tones[2] > SAME_TONES
        follows = (
            kept
            and tones is not None
            and abs(tones[0] - 1 / GAIN) < OFF_GAIN
            and abs(tones[1] - FOOT) < OFF_FOOT
        )
        gaps, meets = _combs()
        if any(_comb(share, places, most=GAP) for places in gaps):
            return Levels(1 / GAIN, float(FOOT), FULL_CUT, -FOOT * GAIN)
        within = share[: FOOT - 2].sum() < BEYOND and share[HEAD + 3 :].sum() < BEYOND
        piles = int(_piled(share, FOOT, 1)) + int(_piled(share, HEAD, -1))
        pressed = within and any(_comb(share, places, least=MEET) for places in meets)
        if within and (pressed or piles == 2 or follows):
            return Levels(GAIN, -FOOT * GAIN, VIDEO_SHOWN, float(FOOT))
        if kept and tones is not None and share[0] + share[255] > 0.01:
            cut = abs(tones[0] - GAIN) < 2 * OFF_GAIN and abs(tones[1] + FOOT * GAIN) < 2 * OFF_FOOT
            if cut:
                return Levels(1 / GAIN, float(FOOT), FULL_CUT, -FOOT * GAIN)
        return Levels()

    def _line(self) -> tuple[float, float, float] | None:
        """(gain, offset, correlation) of the take's tones over the render's."""
        n, x, y, xx, xy, yy = self.sums
        if n < 1000:
            return None
        vx, vy, c = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2, xy / n - x * y / n**2
        if vx < 25 or vy < 25:
            return None
        gain = c / vx
        return float(gain), float(y / n - gain * x / n), float(c / np.sqrt(vx * vy))


def _piled(share: F64, at: int, inward: int) -> bool:
    near = share[at - 1 : at + 2].sum()
    inside = np.roll(share, -3 * inward)[at - 1 : at + 2].sum()
    return bool(near > PILE and near > PILED * inside)


def _combs() -> tuple[list[NDArray[np.intp]], list[NDArray[np.intp]]]:
    """Tones that stay empty where video's are stretched to full, and those in which two meet where full ones are
    pressed into video's; with each way of rounding."""
    tones = np.arange(256)
    gaps, meets = [], []
    for half in (0.5, 0.0):
        stretched = np.floor((tones - FOOT) * GAIN + half).clip(0, 255).astype(int)
        pressed = np.floor(tones / GAIN + FOOT + half).astype(int)
        gaps.append(np.flatnonzero(np.bincount(stretched, minlength=256) == 0))
        meets.append(np.flatnonzero(np.bincount(pressed, minlength=256) > 1))
    return gaps, meets


def _comb(share: F64, places: NDArray[np.intp], most: float = np.inf, least: float = 0.0) -> bool:
    """Whether the tones at ``places`` are as rare or as common as asked, and those beside these places are neither."""
    own = _stands(share, places)
    if own is None or not least <= own <= most:
        return False
    moved = [_stands(share, places + by) for by in (-3, -2, 2, 3)]
    return all(each is not None and BETWEEN[0] < each < BETWEEN[1] for each in moved)


def _stands(share: F64, places: NDArray[np.intp]) -> float | None:
    """Tones at ``places`` over the mean of their neighbours; none counts for more than four times the usual."""
    at = places[(places > 3) & (places < 252)]
    near = (share[at - 1] + share[at + 1]) / 2
    kept = near > 0
    if kept.sum() < LEAST_TONES:
        return None
    weight = np.minimum(1.0, 4 * np.median(near[kept]) / near[kept])
    return float((np.minimum(share[at][kept], 4 * near[kept]) * weight).sum() / (near[kept] * weight).sum())
