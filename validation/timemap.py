# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame of the shot each frame of a take shows: the map that the evidence calls for at the least number of events.

A map is a line (a rate and a start); each repeat, skip or other line is an event that must be worth its price in
evidence (nats). So a still or blurred part of a shot keeps the line of its neighbours, and an outline that a look draws
beside its place is no other time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .fingerprints import Model, Shot
from .timeevidence import F64, I64, Evidence, weigh

JUMP, TURN, START, STEP, SEEN = 40.0, 20.0, 9.0, 7.0, 1.0
"""Prices in nats: the play head is elsewhere; the whole take has another rate; it starts elsewhere; one repeat or
skip; a repeat that is seen as one."""
LEAD = 10.0
"""Nats by which a map must lead that which the take claims."""
LEAST_KNOWN = 12.0
"""Nats that all frames together would give against a shift by one frame, below which nothing can be told."""
LEAST_RATIO = 0.35
"""Share of the evidence that another time would give, which the parts must show."""
LEAST_RUN = 10
"""Frames over which another map must hold unless its repeats are seen: for less, a part off its place looks the same."""
DOUBT = 0.3
"""Share of the prices at which other maps compete where it is asked how well a frame's time can be told."""
ROUNDS = 3
MOVES = -1.0
"""Nats at most for a repeat where the picture's levels change."""
FPS = (8, 10, 12, 12.5, 15, 16, 18, 20, 22, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60)
"""Frame rates that models return; their ratios are tried first."""
PACES = ((0, 1), (1,), (1, 2), (2,), (2, 3))
"""Frames of the shot from one of the take's to the next, of takes that play at about one speed."""
PLAIN, ODD = (0.5, 0.8, 1.25, 2.0), 6.0
"""Speeds that takes play at most often, and nats that others cost more."""
START_STEP = 0.05


@dataclass(frozen=True)
class TimeMap:
    """``source`` (N,) index of the shot's frame that each take frame shows; ``sure`` (N,) 0..1 how well its time can
    be told; ``line`` (rate, start) if all of it is one; ``lead`` nats over the claimed map; ``why`` it can't be told
    (then ``source`` is the claimed map), or ""; ``repeats`` (N,) bool: the picture before, while the shot moves."""

    source: I64
    sure: F64
    repeats: NDArray[np.bool_]
    line: tuple[float, float] | None = None
    lead: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class _Path:
    source: I64
    worth: float
    price: float
    line: tuple[float, float] | None = None

    @property
    def total(self) -> float:
        return self.worth - self.price


def along(rate: float, start: float, count: int, sources: int) -> I64:
    """(N,) the shot's frame nearest to ``rate * t + start``, held at either end."""
    return np.clip(np.floor(rate * np.arange(count) + start + 0.5), 0, sources - 1).astype(np.int64)


def find_map(
    shot: Shot, take: F32, claimed: I64, rate: float = 1.0, held: NDArray[np.bool_] | None = None
) -> TimeMap:
    """The map of a take of edges ``take`` (N, C, 3); ``claimed`` (N,) is what it says itself, at ``rate``; ``held``
    (N - 1,) tells whether each picture may be the one before, by its levels."""
    sources, count = len(shot.render), len(take)
    sure, repeats = np.zeros(count), np.zeros(count, bool)
    if count < 4 or sources < 4 or len(shot.cells) < 8:
        return TimeMap(claimed, sure, repeats, why="there is too little that moves to tell its timing")
    found = _follow(shot, take, claimed, claimed, rate, held)
    if (
        found.lead < LEAD
    ):  # a take far from what it claims is modelled wrongly from there: once more, without a claim
        blind = weigh(shot, take, Model.expected(shot, take), claimed, False)
        start = _free(blind, claimed, _usual(rate))
        other = _follow(shot, take, start, claimed, rate, held) if (start != claimed).any() else found
        found = other if other.lead > LEAD else found
    evidence, said, best = found.evidence, found.said, found.best
    repeats = _repeats(evidence, best.source)
    shown = _hold(best.source, repeats)
    best = _Path(shown, best.worth, best.price, best.line if (shown == best.source).all() else None)
    sure = _sure(evidence, best, claimed, rate)
    if _known(evidence, claimed) < LEAST_KNOWN and best.total < said.total + LEAD:
        return TimeMap(claimed, sure, repeats, why="the picture moves too little to tell its timing")
    lead = best.total - said.total
    if lead < LEAD:
        still = _repeats(evidence, claimed)
        shown = _hold(claimed, still)
        sure = _sure(evidence, _Path(shown, 0, 0), claimed, rate)
        return TimeMap(shown, sure, still, lead=max(lead, 0.0))
    doubt = _doubt(evidence, best, claimed, repeats)
    if doubt:
        return TimeMap(claimed, np.minimum(sure, 0.3), _repeats(evidence, claimed), lead=lead, why=doubt)
    return TimeMap(best.source, sure, repeats, best.line, lead)


@dataclass(frozen=True)
class _Followed:
    evidence: Evidence
    said: _Path
    best: _Path

    @property
    def lead(self) -> float:
        return self.best.total - self.said.total


def _follow(
    shot: Shot, take: F32, start: I64, claimed: I64, rate: float, held: NDArray[np.bool_] | None
) -> _Followed:
    """Model and map in turns, from the map ``start``."""
    believed = start
    for turn in range(ROUNDS):
        evidence = weigh(shot, take, Model.of(shot, take, believed), believed, turn > 0)
        if held is not None:
            evidence.steps[0][~held] = np.minimum(evidence.steps[0][~held], MOVES)
        said, best = _best(evidence, claimed, rate)
        if turn and (best.source == believed).all():
            break
        believed = best.source
    return _Followed(evidence, said, best)


def _best(evidence: Evidence, claimed: I64, rate: float) -> tuple[_Path, _Path]:
    """(the claimed map, the best map). Other rates are followed up only where they could gain what they cost."""
    said = _Path(claimed, _worth(evidence, claimed), 0.0)
    own = _usual(rate)
    best = said
    for usual in (own, *(each for each in PACES if each != own)):
        free = _free(evidence, claimed, usual)
        worth, turn = _worth(evidence, free), TURN * (usual != own)
        if worth - turn <= best.total:
            continue
        line = _line(evidence, free, claimed, rate)
        paths = [best, *([line] if line else [])]
        if usual == own or len(usual) == 1:
            paths.append(_Path(free, worth, turn + _price(evidence, free, claimed, usual)))
        best = max(paths, key=lambda path: path.total)
    return said, best


def _price(evidence: Evidence, path: I64, claimed: I64, usual: Sequence[int]) -> float:
    """What the events of a map cost, as in ``_free``."""
    taken = np.diff(path)
    odd = ~np.isin(taken, usual)
    seen = (taken == 0) & _seen_still(evidence)[np.arange(len(taken)), path[:-1]]
    price = np.where(seen, SEEN, np.where(taken < len(evidence.steps), STEP, JUMP))
    return float(price[odd].sum()) + START * (path[0] != claimed[0])


def _worth(evidence: Evidence, source: I64) -> float:
    rows, taken = np.arange(len(source)), np.diff(source)
    if (taken < 0).any():
        return -1e9
    stride = evidence.steps[np.minimum(taken, len(evidence.steps) - 1), rows[:-1], source[:-1]]
    return float(evidence.of[rows, source].sum() + np.maximum(stride, -30).sum())


def _usual(rate: float) -> tuple[int, ...]:
    return tuple(sorted({int(np.floor(rate + 1e-9)), int(np.ceil(rate - 1e-9))}))


def _free(evidence: Evidence, claimed: I64, usual: Sequence[int]) -> I64:
    """(N,) the best map in whole frames by dynamic programming: steps other than the usual cost STEP, longer ones than
    are known and leaving the claimed start cost JUMP."""
    start = np.where(np.arange(evidence.of.shape[1]) == claimed[0], 0.0, -START)
    total, came = _reach(evidence.of, evidence.steps, _seen_still(evidence), start, usual, 1.0)
    path = np.zeros(len(total), np.int64)
    path[-1] = int(total[-1].argmax())
    for row in range(len(total) - 1, 0, -1):
        path[row - 1] = came[row, path[row]]
    return path


def _reach(
    of: F64, steps: F64, seen: NDArray[np.bool_], start: F64, usual: Sequence[int], share: float
) -> tuple[F64, NDArray[np.int32]]:
    """((N, M) nats of the best map that ends at each frame, (N, M) the one before it), at a share of the prices."""
    count, sources = of.shape
    index = np.arange(sources)
    total, came = np.empty((count, sources)), np.zeros((count, sources), np.int32)
    total[0] = of[0] + share * start
    for row in range(1, count):
        best = total[row - 1]
        top = np.maximum.accumulate(best)
        came[row] = np.maximum.accumulate(np.where(best >= top, index, 0))
        value = top - share * JUMP
        for step in range(min(len(steps), sources)):
            tried = np.full(sources, -np.inf)
            tried[step:] = best[: sources - step] + steps[step, row - 1, : sources - step]
            if step not in usual:
                price = np.where(seen[row - 1, : sources - step], SEEN, STEP) if step == 0 else STEP
                tried[step:] -= share * price
            came[row] = np.where(tried > value, index - step, came[row])
            value = np.maximum(value, tried)
        total[row] = value + of[row]
    return total, came


def _line(evidence: Evidence, found: I64, claimed: I64, rate: float) -> _Path | None:
    """The best single line: the ratios of frame rates near what ``found`` suggests, and any start."""
    count, sources = evidence.of.shape
    rows = np.arange(count)
    inner = (found > 0) & (found < sources - 1)
    if inner.sum() < 4:
        return None
    slope = float(np.median([(found[inner][i:] - found[inner][: len(found[inner]) - i]).mean() / i
                             for i in (max(1, inner.sum() // 2),)]))  # fmt: skip
    ratios = {round(a / b, 6) for a in FPS for b in FPS if 0.2 < a / b < 4}
    ratios |= {
        *(rate * speed for speed in PLAIN),
        rate,
        round((sources - 1) / max(1, count - 1), 6),
        round((sources - 1) / count, 6),
    }
    best: _Path | None = None
    for each in sorted(ratios):
        if abs(each - slope) > 0.03 + 0.06 * slope:
            continue
        middle = float(np.median((found - each * rows)[inner]))
        for start in np.arange(middle - 2.5, middle + 2.5, START_STEP if each % 1 else 1.0):
            source = along(each, float(start), count, sources)
            moved = int(np.floor(start + 0.5)) != int(claimed[0])
            turn = 0.0 if abs(each - rate) < 1e-6 else TURN if each / rate in PLAIN else TURN + ODD
            price = turn + START * moved
            path = _Path(source, _worth(evidence, source), price, (each, float(start)))
            best = path if best is None or path.total > best.total + 1e-9 else best
    return best


def _known(evidence: Evidence, source: I64) -> float:
    """Nats that all frames would give against the next frame of the shot or the one before."""
    stirs = np.append(np.diagonal(evidence.apart, 1), 0.0)
    return float(np.maximum(stirs, np.append(0.0, stirs[:-1]))[source].sum())


def _sure(evidence: Evidence, best: _Path, claimed: I64, rate: float) -> F64:
    """(N,) 0..1 how well each frame's time can be told: by how much the best map through it leads the best one through
    another frame of the shot, at a share of the prices; so it is the pictures that tell, not what is usual."""
    usual = _usual(best.line[0] if best.line else rate)
    index = np.arange(evidence.of.shape[1])
    start = np.where(index == claimed[0], 0.0, -START)
    seen = _seen_still(evidence)
    there, _ = _reach(evidence.of, evidence.steps, seen, start, usual, DOUBT)
    turned = np.full_like(evidence.steps, -np.inf)
    still = seen[::-1, ::-1]
    for step in range(min(len(turned), len(index))):
        kept = len(index) - step
        turned[step, :, :kept] = evidence.steps[step, ::-1, :kept][:, ::-1]
    back, _ = _reach(evidence.of[::-1, ::-1], turned, still, np.zeros(len(index)), usual, DOUBT)
    total = there + back[::-1, ::-1] - evidence.of
    rows = np.arange(len(total))
    own = total[rows, best.source]
    total[rows, best.source] = -np.inf
    lead = own - total.max(1)
    return np.asarray(np.clip(1 - np.exp(-np.maximum(lead - DOUBT * STEP, 0) / 3), 0.0, 0.99), np.float64)


def _repeats(evidence: Evidence, source: I64) -> NDArray[np.bool_]:
    """Where the take's picture is the one before although the shot moves."""
    return np.append(False, _seen_still(evidence)[np.arange(len(source) - 1), source[:-1]])


def _seen_still(evidence: Evidence) -> NDArray[np.bool_]:
    """(N - 1, M) whether the take stands still from t to t + 1 although the shot moves on from its frame s."""
    return np.asarray((evidence.steps[0] > -0.5) & (evidence.steps[1] < -2.0))


def _hold(source: I64, repeats: NDArray[np.bool_]) -> I64:
    """The map with each picture that is the one before shown as such."""
    held = source.copy()
    for at in np.flatnonzero(repeats):
        held[at] = held[at - 1]
    return held


def _doubt(evidence: Evidence, best: _Path, claimed: I64, repeats: NDArray[np.bool_]) -> str:
    """Why another map than the claimed one is not to be believed, or ""."""
    for step in (-1, 1):
        beside = np.clip(best.source + step, 0, evidence.of.shape[1] - 1)
        if (beside != claimed).any() and _worth(evidence, beside) > best.worth - LEAD / 2:
            return "its timing can't be told to a frame"
    off = best.source != claimed
    starts = np.flatnonzero(np.diff(np.append(0, off.astype(int))) == 1)
    for first in starts:
        last = first + int(np.argmin(np.append(off[first:], False))) - 1
        rows = np.arange(first, last + 1)
        if last - first + 1 < LEAST_RUN and not _paused(best.source, repeats, first, last):
            return "a few frames look like another time, but so does a part off its place"
        if _agreed(evidence, best.source, claimed, rows) < LEAST_RATIO:
            return "the parts do not agree on another timing"
    return ""


def _paused(source: I64, repeats: NDArray[np.bool_], first: int, last: int) -> bool:
    """Whether the frames of a short detour that the map repeats are really repeated."""
    around = np.arange(max(1, first), min(len(source), last + 2))
    held = around[source[around] == source[around - 1]]
    return len(held) > 0 and bool(repeats[held].mean() > 0.6)


def _agreed(evidence: Evidence, found: I64, claimed: I64, rows: I64) -> float:
    """The evidence for ``found`` against ``claimed`` over what another time would give: median of the parts, by how
    much each can tell."""
    ratios, weights = [], []
    for part, apart in zip(evidence.parts, evidence.apart_parts, strict=True):
        known = float(apart[found[rows], claimed[rows]].sum())
        if known > 2.0:
            ratios.append(float((part[rows, found[rows]] - part[rows, claimed[rows]]).sum()) / known)
            weights.append(min(known, 50.0))
    if not ratios:
        return 1.0
    order = np.argsort(ratios)
    share = np.cumsum(np.array(weights)[order]) / np.sum(weights)
    return float(np.array(ratios)[order][int(np.searchsorted(share, 0.5))])
