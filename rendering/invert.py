# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the way back from a picture to the light in the scene, by asking what a view shows of chosen colours.

Nothing is assumed about the view. ``inverse`` yields linear colours (n, 3) and is sent what the display shows of
them, (n, 3) in 0..1, clipped as it may be. It first climbs the greys, which gives each channel its curve, then looks for
the light behind every node of a lattice, coarse to fine, by Levenberg-Marquardt (Nocedal and Wright, "Numerical
Optimization", 10.3) with measured slopes, and last sends ordinary colours through and back. All work is
in asinh(linear / scale), even in stops above the scale, and comes in blocks small enough for a window to breathe.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..pipeline.colour import ToLinear, stops_apart

F64 = NDArray[np.float64]
T = TypeVar("T")
Asking = Generator[F64, F64, T]

LEVELS = (11, 21, 41)
"""Nodes of the lattice along a side, coarse to fine."""
GREYS = 1025
BLOCK = 4096
"""Nodes that are worked on at a time; nothing asks for more than three times as many colours at once."""
STOPS, SHARE, SHOWN = 1 / 3, 0.95, 0.1
"""A view can be undone if so large a share of the colours that it shows comes back within so many stops."""
_CLOSE = (1 / 65535) ** 2
_FAR = (1 / 255) ** 2
_BELOW_GREY, _TOE = 16.0, 16 / 255
"""Scale: the light shown as mid grey over the first, but no more than is shown at the second, so that a long toe has nodes.
A smaller scale gives the dark more nodes, and the edge of the gamut, where light goes through zero, fewer."""
_STRIDE = 0.05
"""In asinh: over which slopes are measured, large enough that 16-bit codes say something."""


@dataclass(frozen=True)
class Inverse:
    """``table`` is None where a view is hopeless. ``back`` is the share of the shown ordinary colours that come back, of
    which ``median`` and ``worst`` (99 of 100) are the errors in stops, and ``codes`` the median error in 8-bit codes
    when they are shown once more."""

    table: ToLinear | None
    shown: float = 0.0
    back: float = 0.0
    median: float = 0.0
    worst: float = 0.0
    codes: float = 0.0

    @property
    def good(self) -> bool:
        """Whether pictures of this view can be taken back to linear light."""
        return self.table is not None and self.shown >= SHOWN and self.back >= SHARE


def inverse(made_from: str = "") -> Asking[Inverse]:
    """What takes the view back, measured; ``made_from`` goes into the table."""
    display = np.linspace(0.0, 1.0, GREYS)
    scale, greys = yield from _climb(display)
    search = _Search(scale, float(np.abs(greys).max()) + 1.0)
    greys, missed = yield from _greys(search, greys, display)
    if (missed > 4 * _FAR).mean() > 0.5:
        return Inverse(None)
    curves = np.maximum.accumulate(greys, 0)
    curves = (curves - curves[0]) / np.maximum(curves[-1] - curves[0], 1e-9)
    found = Inverse(None)
    for nodes in LEVELS:
        lattice = yield from _lattice(search, curves, greys, nodes, found.table)
        at = np.clip(curves * (nodes - 1), 0, nodes - 1).astype(np.float32)
        table = ToLinear(at, lattice.astype(np.float32), scale, made_from)
        found = yield from _tried(table)
        if found.back < SHARE / 2:
            break  # no finer lattice helps
    return found


def _climb(display: F64) -> Asking[tuple[float, F64]]:
    """The scale, and for each display value (K,) the asinh (K, 3) of the greys that show it in each channel."""
    light = 2.0 ** np.linspace(-56.0, 56.0, 112 * 32 + 1)
    shown = yield np.repeat(light[:, None], 3, 1)
    shown = np.maximum.accumulate(shown, 0)
    black, white = shown[0], shown[-1]
    middle, toe = (
        [np.interp(black[c] + (white[c] - black[c]) * share, shown[:, c], light) for c in range(3)]
        for share in (0.5, _TOE)
    )
    scale = float(min(np.median(middle) / _BELOW_GREY, np.median(toe)))
    greys = np.empty((len(display), 3))
    for c in range(3):
        values, first = np.unique(shown[:, c], return_index=True)  # the least light that shows a value,
        first[0] = np.searchsorted(shown[:, c], values[0], side="right") - 1  # but of all black the most
        greys[:, c] = np.interp(display, values, np.arcsinh(light[first] / scale))
    return scale, greys


def _greys(search: "_Search", start: F64, display: F64) -> Asking[tuple[F64, F64]]:
    """(K, 3) asinh of the light that is shown as greys, and what is missed; hard ones again from their neighbours."""
    target = np.repeat(display[:, None], 3, 1)
    found, missed = yield from search.blocks(start, target, 24)
    for _ in range(3):
        bad, good = np.flatnonzero(missed > _FAR), np.flatnonzero(missed <= _FAR)
        if not len(bad) or not len(good):
            break
        between = np.stack([np.interp(display[bad], display[good], found[good, c]) for c in range(3)], 1)
        other, miss = yield from search.blocks(between, target[bad], 24)
        better = miss < missed[bad]
        found[bad[better]], missed[bad[better]] = other[better], miss[better]
    return found, missed


def _lattice(search: "_Search", curves: F64, greys: F64, nodes: int, coarser: ToLinear | None) -> Asking[F64]:
    """(N, N, N, 3) asinh of the light behind the nodes, starting from the ``coarser`` table or channel by channel."""
    index = np.indices((nodes,) * 3).reshape(3, -1).T
    display = np.linspace(0.0, 1.0, len(curves))
    even = np.linspace(0.0, 1.0, nodes)
    rising = curves + np.linspace(0.0, 1e-9, len(curves))[:, None]
    values = np.stack([np.interp(even, rising[:, c], display) for c in range(3)], 1)
    target = np.stack([values[index[:, c], c] for c in range(3)], 1)
    if coarser is None:
        start = np.stack([np.interp(target[:, c], display, greys[:, c]) for c in range(3)], 1)
    else:
        start = np.arcsinh(coarser.apply(target).astype(np.float64) / search.scale)
    found, missed = yield from search.blocks(start, target, 24 if coarser is None else 4)
    side = np.array([nodes * nodes, nodes, 1])
    for _ in range(
        6 if coarser is None else 1
    ):  # again from the neighbour towards grey, from where the way is short
        bad = np.flatnonzero(missed > _FAR)
        towards = index[bad] + np.sign(np.rint(index[bad].mean(1, keepdims=True)).astype(int) - index[bad])
        other, miss = yield from search.blocks(found[towards @ side], target[bad], 4)
        better = miss < missed[bad]
        found[bad[better]], missed[bad[better]] = other[better], miss[better]
    return found.reshape(nodes, nodes, nodes, 3)


def _tried(table: ToLinear) -> Asking[Inverse]:
    """Sends ordinary colours, 8 stops below to 6 above mid grey, from grey to saturated, through the view and back."""
    chance = np.random.default_rng(7)
    count = 4000
    tint = chance.random((count, 3))
    tint = tint / tint.max(1, keepdims=True) * (amount := chance.random((count, 1))) + 1 - amount
    grey = np.abs(table.apply(np.full((1, 3), 0.5))).max()
    light = grey * 2.0 ** chance.uniform(-8, 6, (count, 1)) * tint
    shown = yield light
    inside = ((shown > 3 / 255) & (shown < 252 / 255)).all(1)
    if not inside.any():
        return Inverse(table)
    codes = np.rint(shown * 255).astype(np.uint8)
    again = table.apply(codes).astype(np.float64)
    off = stops_apart(light, again)[inside]
    code = np.abs((yield again) - shown)[inside].max(1) * 255
    median, worst = np.percentile(off, [50, 99]).tolist()
    return Inverse(
        table, float(inside.mean()), float((off < STOPS).mean()), median, worst, float(np.median(code))
    )


class _Search:
    """Looks for the light, as asinh within +-``limit``, that is shown as wanted or else as near to it as can be."""

    def __init__(self, scale: float, limit: float) -> None:
        self.scale, self.limit = scale, limit

    def blocks(self, start: F64, target: F64, rounds: int) -> Asking[tuple[F64, F64]]:
        """(n, 3) and its squared distance (n,) on the display from ``target`` (n, 3); from ``start`` (n, 3)."""
        found, missed = start.copy(), np.empty(len(start))
        for first in range(0, len(start), BLOCK):
            block = slice(first, first + BLOCK)
            found[block], missed[block] = yield from self._search(start[block], target[block], rounds)
        return found, missed

    def _search(self, start: F64, target: F64, rounds: int) -> Asking[tuple[F64, F64]]:
        found = np.clip(start, -self.limit, self.limit)
        shown = yield self._light(found)
        missed = ((shown - target) ** 2).sum(1)
        damping, idle = np.full(len(found), 1e-3), np.zeros(len(found), int)
        patience = 2 if rounds < 10 else 6
        for _ in range(rounds):
            now = np.flatnonzero((missed > _CLOSE) & (idle < patience))
            if not len(now):
                break
            step = yield from self._step(found[now], shown[now], shown[now] - target[now], damping[now])
            tried = np.clip(found[now] + step, -self.limit, self.limit)
            seen = yield self._light(tried)
            miss = ((seen - target[now]) ** 2).sum(1)
            better = miss < missed[now]
            idle[now] = np.where(miss < 0.98 * missed[now], 0, idle[now] + 1)
            damping[now] = np.maximum(damping[now] * np.where(better, 0.1, 10), 1e-6)
            good = now[better]
            found[good], shown[good], missed[good] = tried[better], seen[better], miss[better]
        return found, missed

    def _step(self, found: F64, shown: F64, missed: F64, damping: F64) -> Asking[F64]:
        """(n, 3) one damped Gauss-Newton step, no longer than two stops a channel."""
        count = len(found)
        stride = np.where(
            found > self.limit - 1.0, -_STRIDE, _STRIDE
        )  # towards the middle where it may be clipped
        beside = np.repeat(found[None], 3, 0)
        for c in range(3):
            beside[c, :, c] += stride[:, c]
        seen = (yield self._light(beside.reshape(-1, 3))).reshape(3, count, 3)
        slopes = np.stack([(seen[c] - shown) / stride[:, c, None] for c in range(3)], 2)
        square = slopes.transpose(0, 2, 1) @ slopes
        size = np.maximum(np.trace(square, axis1=1, axis2=2) / 3, 1e-6)
        square += (damping * size)[:, None, None] * np.eye(3)
        down = slopes.transpose(0, 2, 1) @ missed[..., None]
        return np.clip(-np.linalg.solve(square, down)[..., 0], -1.5, 1.5)

    def _light(self, encoded: F64) -> F64:
        return np.asarray(np.sinh(encoded) * self.scale)
