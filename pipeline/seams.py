# SPDX-License-Identifier: GPL-3.0-or-later
"""Where two pieces of a long shot meet: how far apart they are in the frames that both show, and where to go over.

Two runs of a model never agree. Slow differences of light and colour are matched first; what is left is measured in
levels (0..255, mean over pixels and channels), over the whole picture and for each part, and so is how many pixels a
part lies off. Pictures are measured at most WIDTH wide; pixels in results are the picture's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .joining import AS_IT_IS, Tone
from .pictures import F32, U8

WIDTH = 640
REACH = 8
"""Pixels at WIDTH that are searched for a part that lies off."""
LEAST_PIXELS = 60
GRAIN_PX = 1.5
"""Spread of the blur that takes grain away."""
EVEN = 32
"""Width to which pictures are blurred before their light is compared, so that where a line lies does not matter."""
MATCHED = 0.7
"""Share of the coarse picture that decides on light and colour: what a part does differently is not light."""
NOTHING = 0.25
"""Levels that are no difference."""
SURE = 0.7
"""A part lies off only where that leaves less than this share of the squared difference."""
WHOLE, WORST, SHIFT_PX = 4.0, 6.0, 1.0
"""Levels of picture and worst part, and pixels at WIDTH, from which a seam is seen. See tests/pure/test_seams.py."""
MOST_FADE = 12
LATE = 3
"""Frames by which one piece may run after the other."""


@dataclass(frozen=True)
class Meeting:
    """What one frame is in both pieces: ``place`` in the clip of the whole shot; levels of difference over the ``whole``
    picture and in its ``worst`` part (``part``); ``shift_px`` of the part that lies off most (``shifted``; empty: the
    whole picture)."""

    place: int
    whole: float
    part: str = ""
    worst: float = 0.0
    shifted: str = ""
    shift_px: float = 0.0
    width: int = WIDTH

    @property
    def visible(self) -> bool:
        """Whether a change from one to the other here is seen."""
        off = self.shift_px * WIDTH / max(self.width, 1)
        return self.whole > WHOLE or self.worst > WORST or off > SHIFT_PX

    @property
    def cost(self) -> float:
        """What makes a frame a bad place to go over."""
        return self.whole / WHOLE + self.worst / WORST + self.shift_px * WIDTH / max(self.width, 1) / SHIFT_PX


def small(picture: U8) -> U8:
    """(H, W, 3) as it is measured: at most WIDTH wide and without its grain, which changes from frame to frame anyway."""
    high, wide = picture.shape[:2]
    if wide > WIDTH:
        size = (WIDTH, max(1, round(high * WIDTH / wide)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), GRAIN_PX), np.uint8)


def _coarse(pictures: Sequence[U8]) -> F32:
    """(N, 3) of all pictures."""
    high, wide = pictures[0].shape[:2]
    size = (EVEN, max(2, round(EVEN * high / wide)))
    found = [cv2.resize(one.astype(np.float32), size, interpolation=cv2.INTER_AREA) for one in pictures]
    return np.concatenate([one.reshape(-1, 3) for one in found]).astype(np.float32)


def matched(earlier: Sequence[U8], later: Sequence[U8]) -> tuple[Tone, Tone]:
    """What brings the light and colours of two pieces together, half of the way each. The same frames of both."""
    old, new = _coarse(earlier), _coarse(later)
    keep = np.ones(len(old), bool)
    tone = AS_IT_IS
    for _ in range(4):
        tone = Tone.between(old[keep], new[keep])
        away = np.abs(tone.on(new) - old).max(-1)
        keep = away <= np.quantile(away, MATCHED)
    if tone.most < NOTHING:
        return AS_IT_IS, AS_IT_IS
    back = Tone(1 / tone.gain, -tone.offset / tone.gain)
    return AS_IT_IS.mixed(back, 0.5), AS_IT_IS.mixed(tone, 0.5)


def level(earlier: U8 | F32, later: U8 | F32) -> float:
    """Mean difference in levels."""
    return float(np.abs(earlier.astype(np.float32) - later.astype(np.float32)).mean())


def meeting(
    place: int, earlier: F32, later: F32, ids: NDArray[Any], names: Mapping[int, str], width: int
) -> Meeting:
    """One frame (H, W, 3) in both pieces after matching, with the ``ids`` (H, W) of its parts by ``names``; ``width`` of
    the picture before it was made small."""
    apart = np.abs(earlier - later).mean(-1)
    worst, shift = (0.0, ""), (0.0, "")
    greys = [
        cv2.copyMakeBorder(one.mean(-1), REACH, REACH, REACH, REACH, cv2.BORDER_REPLICATE)
        for one in (earlier, later)
    ]
    for number in [0, *sorted(names)]:
        there = ids == number if number else np.ones(ids.shape, bool)
        if int(there.sum()) < LEAST_PIXELS:
            continue
        off = float(apart[there].mean())
        if number:
            worst = max(worst, (off, names[number]))
        if off > NOTHING:
            shift = max(shift, (_shift(greys[0], greys[1], there), names.get(number, "")))
    scale = width / earlier.shape[1]
    return Meeting(
        place, float(apart.mean()), worst[1], worst[0], shift[1], round(shift[0] * scale, 2), width
    )


def _shift(earlier: F32, later: F32, there: NDArray[np.bool_]) -> float:
    """Pixels by which what is ``there`` in one bordered grey picture lies off in the other; 0 where that is not sure."""
    mask = there.astype(np.uint8)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, end, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    pattern = np.ascontiguousarray(earlier[top + REACH : end + REACH, left + REACH : right + REACH])
    field = np.ascontiguousarray(later[top : end + 2 * REACH, left : right + 2 * REACH])
    weights = mask[top:end, left:right].astype(np.float32)
    apart = np.asarray(cv2.matchTemplate(field, pattern, cv2.TM_SQDIFF, mask=weights), np.float64)
    row, column = np.unravel_index(int(apart.argmin()), apart.shape)
    if apart[row, column] > SURE * apart[REACH, REACH]:
        return 0.0
    y, x = row + _bend(apart[:, column], int(row)), column + _bend(apart[row], int(column))
    return float(np.hypot(y - REACH, x - REACH))


def _bend(values: NDArray[np.float64], at: int) -> float:
    """Where between its neighbours the least value of a parabola lies."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = values[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend > 0 else 0.0


def choose(meetings: Sequence[Meeting]) -> tuple[Meeting, range]:
    """The best frame to go over at, and the places over which to cross-fade around it: all that differ little there, or
    none, which is a hard cut before that frame."""
    middle = (len(meetings) - 1) / 2
    best = min(
        range(len(meetings)), key=lambda index: (round(meetings[index].cost, 2), abs(index - middle), index)
    )
    if meetings[best].visible:
        return meetings[best], range(meetings[best].place, meetings[best].place)
    first = last = best
    while last - first + 1 < MOST_FADE:
        before = first > 0 and not meetings[first - 1].visible
        after = last < len(meetings) - 1 and not meetings[last + 1].visible
        if not before and not after:
            break
        if before and (not after or best - first <= last - best):
            first -= 1
        else:
            last += 1
    return meetings[best], range(meetings[first].place, meetings[last].place + 1)


def late(earlier: Sequence[F32], later: Sequence[F32]) -> int:
    """Frames by which the later piece runs after the earlier one in what both show; 0 where nothing is surer."""
    count = len(earlier)
    if count < 4:
        return 0
    found = {}
    for by in range(-min(LATE, count - 3), min(LATE, count - 3) + 1):
        pairs = [(earlier[i - by], later[i]) for i in range(count) if 0 <= i - by < count]
        found[by] = float(np.mean([((a - b) ** 2).mean() for a, b in pairs]))
    best = min(found, key=lambda by: (found[by], abs(by)))
    return best if found[best] < SURE * found[0] else 0
