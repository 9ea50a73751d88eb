# SPDX-License-Identifier: GPL-3.0-or-later
"""The take as a whole, in one pass over its frames: feed each once, then ask what was found.

``conform`` is the plain loop over it; who reads the frames anyway feeds it on the way. It keeps small pictures only.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32, U8
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .coarse import coarse_fits
from .conformed import LEAST_FIT_PX, Conformed, TakeFault, take_rate
from .fingerprints import Shot, edges, outline, shrink, small_size
from .levels import LevelMeter
from .register import (
    MOST_FAITHFUL_PX,
    REACH,
    Fit,
    Looked,
    fit_of,
    from_centres,
    likeness,
    look,
    shift_of,
    sights,
)
from .timefaults import blank_faults, contract_faults, range_fault, time_faults
from .timemap import TimeMap, find_map

DARK, LIGHT, FLAT = 3.0, 252.0, 1.0
"""Mean levels below and above which a picture is blank, and the deviation below which it is one colour."""
LIVELY = 4.0
LEAST_CHANGE, HELD, AROUND = 0.1, 0.35, 2
"""Mean levels by which a shot that moves changes a frame; share of the take's usual answer to that below which it
stands still; frames around of which the stillest counts."""
REGISTERED = 12
"""Frames from which the fit of the whole picture is taken."""
BETTER = 1.1
"""How much better edges must lie through a crop or shift that small pictures suggest."""
TURNS, RETIMED_PX = 3, 6.0
"""How often time and fit are looked for in turns at most; px of a picture 1920 wide by which a corner lies elsewhere
from which the time is looked for again: half a cell."""
MORE = 24
"""Frames of the shot beyond those that the take claims, in which its frames are looked for too."""


class Scout:
    """``pairs`` (source, take) are what the take claims; ``unseen`` are further frames of the shot worth adding."""

    def __init__(self, truth: GroundTruth, take: TakeFolder, pairs: Sequence[tuple[int, int]]) -> None:
        self.truth, self.take, self.pairs = truth, take, list(pairs)
        self.small = small_size(truth.size)
        self._ids = np.array([0, *(part.id for part in truth.parts)])
        self._seen = np.zeros((len(self._ids), self.small[0] * self.small[1]), np.float32)
        self._renders: dict[int, U8] = {}
        self._parts: dict[int, U8] = {}
        self._takes: dict[int, U8] = {}
        self._looked: dict[int, Looked] = {}
        self._blank: dict[int, str] = {}
        self._levels = LevelMeter()
        self._own: tuple[int, int] | None = None
        self._picked = set(range(0, len(pairs), max(1, len(pairs) // REGISTERED)))

    @property
    def unseen(self) -> list[int]:
        """Frames of the shot that the claimed map does not show."""
        shown = {source for source, _ in self.pairs}
        low, high = min(shown) - MORE, max(shown) + MORE
        return [frame for frame in self.truth.frames if frame not in shown and low <= frame <= high]

    def add(self, index: int, source: int, picture: U8, render: U8, ids: NDArray[Any]) -> None:
        """Pair number ``index``: the take's picture at its own size; render and ids (H, W) of the shot."""
        self.add_source(source, render, ids)
        self._own = self._own or (picture.shape[1], picture.shape[0])
        tiny, frame = shrink(picture, self.small), self.pairs[index][1]
        self._takes[frame] = tiny
        blank = _blank(tiny, self._renders[source])
        if blank:
            self._blank[frame] = blank
            return
        self._levels.add(picture, tiny, self._renders[source])
        if index in self._picked:
            self._looked[frame] = look(sights(render, ids), picture, Fit())

    def add_source(self, source: int, render: U8, ids: NDArray[Any]) -> None:
        """A frame of the shot."""
        if source in self._renders:
            return
        self._renders[source] = shrink(render, self.small)
        self._parts[source] = outline(ids, self.small)
        near = cv2.resize(ids.astype(np.uint16), self.small, interpolation=cv2.INTER_NEAREST_EXACT).ravel()
        row = np.searchsorted(self._ids, near).clip(0, len(self._ids) - 1)
        self._seen[np.where(self._ids[row] == near, row, 0), np.arange(len(near))] += 1

    def finish(self) -> Conformed:
        """What was found, from all frames that were added."""
        out = Conformed(list(self.pairs), size=self.truth.size, own=self._own or self.truth.size)
        contract_faults(self.truth, self.take, self.pairs, out)
        blank_faults(self._blank, self.pairs, out)
        out.levels = self._levels.finish()
        range_fault(out)
        good = [pair for pair in self.pairs if pair[1] not in self._blank]
        if len(good) >= 4:
            found, fit = self._seen_through(good)
            time_faults(found, good, sorted(self._renders), out)
            self._framed(out, fit)
        elif good:
            out.notes.append("The take is too short to tell its timing; its own frame map is trusted.")
        return out

    def _seen_through(self, pairs: Sequence[tuple[int, int]]) -> tuple[TimeMap, Fit]:
        """The time map and the fit of the picture: each is looked for through the other."""
        sources = sorted(self._renders)
        seen = (self._seen / max(1, len(sources))).reshape(-1, self.small[1], self.small[0])
        shot = Shot.of([self._renders[s] for s in sources], [self._parts[s] for s in sources], seen)
        found, through = self._time(shot, pairs, Fit()), Fit()
        least = 0.0
        for guess in self._guesses(pairs):
            other = self._time(shot, pairs, guess)
            least = least or BETTER * self._lies(self._now(found, pairs), through)
            lies = self._lies(self._now(other, pairs), guess)
            if lies > least:
                found, through, least = other, guess, lies
        tall = self.truth.size[1] / self.truth.size[0]
        for _ in range(TURNS):
            fit = self._fit(self._now(found, pairs), through)
            if fit.beside(through).corner_px(tall) < RETIMED_PX:
                break
            found, through = self._time(shot, pairs, fit), fit
        return found, fit

    def _now(self, found: TimeMap, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        sources = sorted(self._renders)
        return [(sources[int(at)], frame) for (_, frame), at in zip(pairs, found.source, strict=True)]

    def _guesses(self, pairs: Sequence[tuple[int, int]]) -> list[Fit]:
        fresh = [pairs[0][1]]
        for (_, before), (_, frame) in pairwise(pairs):  # repeats would outweigh the others
            if cv2.absdiff(self._takes[before], self._takes[frame]).any():
                fresh.append(frame)
        shown = sorted({source for source, _ in pairs})
        return coarse_fits(
            [edges(self._renders[s]) for s in _some(shown, 20)],
            [edges(self._takes[t]) for t in _some(fresh, 20)],
        )

    def _lies(self, pairs: Sequence[tuple[int, int]], fit: Fit) -> float:
        return likeness([self._again(source, frame, fit) for source, frame in _some(pairs, 6)])

    def _time(self, shot: Shot, pairs: Sequence[tuple[int, int]], rough: Fit) -> TimeMap:
        sources = sorted(self._renders)
        place = {frame: index for index, frame in enumerate(sources)}
        said = np.array([place[source] for source, _ in pairs], np.int64)
        take = shot.take([self._through(self._takes[t], rough) for _, t in pairs])
        held = _held([self._takes[t] for _, t in pairs], [self._renders[s] for s in sources], said)
        return find_map(shot, take, said, take_rate(self.truth, self.take), held)

    def _through(self, small: U8, fit: Fit) -> U8:
        if fit.plain:
            return small
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        way = from_centres(fit.matrix(self.small, self.small))
        return np.asarray(
            cv2.warpAffine(small, way, self.small, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )

    def _fit(self, pairs: Sequence[tuple[int, int]], start: Fit) -> Fit:
        """The fit of the picture, from some frames; what is looked at anew is read again."""
        some = _some([pair for pair in pairs if pair[1] in self._looked], REGISTERED)
        known = self._as_said(pairs) if start.plain else {}
        every = [known.get(f) or self._again(s, f, start) for s, f in some]
        for _ in range(3):
            fit = fit_of(every, start)
            moved = max(
                abs(a - b)
                for a, b in zip((*fit.scale, *fit.shift), (*start.scale, *start.shift), strict=True)
            )
            start = fit
            if moved * self.small[0] * 3 < REACH / 12:
                break
            every = [self._again(s, f, fit) for s, f in some]
        tall = self.truth.size[1] / self.truth.size[0]
        return Fit() if fit.corner_px(tall) < LEAST_FIT_PX else fit

    def _as_said(self, pairs: Sequence[tuple[int, int]]) -> dict[int, Looked]:
        """Frames that show what the take claims: they were looked at as they came."""
        said = {frame: source for source, frame in self.pairs}
        return {f: self._looked[f] for s, f in pairs if f in self._looked and said[f] == s}

    def _framed(self, out: Conformed, fit: Fit) -> None:
        """Takes the fit over, and the shake of single frames beside it."""
        out.fit = fit
        pairs = [pair for pair in out.pairs if pair[1] not in self._blank]
        known = self._as_said(pairs)
        if _shake(known):
            out.shake = _shake({f: known.get(f) or self._again(s, f, Fit()) for s, f in pairs})
        far = fit.corner_px(self.truth.size[1] / self.truth.size[0])
        if far > MOST_FAITHFUL_PX:
            fit_fault(out, far)

    def _again(self, source: int, frame: int, fit: Fit) -> Looked:
        return look(sights(self.truth.beauty(source), self.truth.ids(source)), self.take.frame(frame), fit)


def _some(of: Sequence[Any], count: int = 6) -> list[Any]:
    """About ``count`` of them, evenly."""
    picked = range(0, len(of), max(1, len(of) // count))
    return [of[at] for at in picked]


def _held(takes: Sequence[U8], renders: Sequence[U8], said: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N - 1,) whether the take changes far less from each frame to the next than the shot does anywhere near: where
    a motion sets in or ends, hardly anything changes, and that is no standstill."""
    own, real = _changes(takes), _changes(renders)
    at = said[:-1].clip(0, len(real) - 1)
    lively = real[at] > LEAST_CHANGE
    usual = float(np.median(own[lively] / real[at][lively])) if lively.any() else 0.0
    padded = np.pad(real, AROUND, mode="edge")
    least = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1).min(1)
    return np.asarray(own < HELD * usual * least[at])


def _changes(pictures: Sequence[U8]) -> NDArray[np.float64]:
    steps = [np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(pictures)]
    return np.array(steps, np.float64)


def fit_fault(out: Conformed, far: float) -> None:
    """Says how the whole picture lies."""
    (sx, sy), (dx, dy) = out.fit.scale, out.fit_json()["offset_px"]
    words = []
    if max(abs(sx - 1), abs(sy - 1)) > 0.004:
        words.append(
            f"scaled to {100 * sx:.1f} %"
            if abs(sx - sy) < 0.004
            else f"scaled to {100 * sx:.1f} % x {100 * sy:.1f} %"
        )
    if float(np.hypot(dx, dy)) > 1.5:
        words.append(f"shifted by {float(np.hypot(dx, dy)):.1f} px ({dx:+.1f}, {dy:+.1f})")
    says = f"the whole picture is {' and '.join(words) or 'off its place'}"
    first, last = out.pairs[0][1], out.pairs[-1][1]
    out.faults.append(TakeFault("frame_fit", first, last, "registration", far, MOST_FAITHFUL_PX, "px", says))


def _blank(take: U8, render: U8) -> str:
    """What kind of nothing a small picture shows although the render shows something, or ""."""
    if float(render.std()) < LIVELY:
        return ""
    if float(take.mean()) < DARK and float(render.mean()) > 3 * DARK:
        return "black"
    if float(take.mean()) > LIGHT:
        return "white"
    return "of one colour" if float(take.std(axis=(0, 1)).max()) < FLAT else ""


def _shake(looked: dict[int, Looked]) -> dict[int, tuple[float, float]]:
    """Shift of each frame beside the fit's, as shares of width and height, held back by how well it is known."""
    found = {frame: shift_of(each) for frame, each in looked.items()}
    known = {frame: shift for frame, shift in found.items() if shift is not None}
    if len(known) < max(4, len(found) // 2):
        return {}
    width, height = next(iter(looked.values())).sights.size
    table = np.array([known[frame] for frame in known]) / (width, height)
    rest: F32 = (table - np.median(table, axis=0)).astype(np.float32)
    spread = 1.4826 * np.median(np.abs(rest), axis=0)
    noise = np.array([0.12 / width, 0.12 / height])
    if (spread < 1.5 * noise).all():
        return {}
    trust = np.clip(1 - (noise / np.maximum(spread, 1e-9)) ** 2, 0, 1)
    return {frame: (float(x), float(y)) for frame, (x, y) in zip(known, rest * trust, strict=True)}
