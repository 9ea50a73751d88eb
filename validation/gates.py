# SPDX-License-Identifier: GPL-3.0-or-later
"""From signals to spans of frames: a fault is what lasts for LEAST_FRAMES."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .series import F64
from .signals import Signal

LEAST_FRAMES = 3
GAP = 1
REACH = 2
WIDE = frozenset({"flicker", "boiling", "joint"})
"""Kinds whose measure reaches into the neighbouring frames by itself, or that start from nothing."""
FOOT = 0.55
"""A span reaches out to neighbouring frames that still show this share of the limit and are clearly not usual."""


@dataclass(frozen=True)
class Span:
    """Frame indices first..last (inclusive) over which a part shows a fault; ``value`` is the median of its worst half."""

    part: str
    kind: str
    measure: str
    unit: str
    first: int
    last: int
    worst: int
    value: float
    limit: float
    others: tuple[str, ...] = ()

    @property
    def strength(self) -> float:
        """How many times its limit."""
        return self.value / self.limit if self.limit > 0 else 99.0

    def overlap(self, other: "Span", slack: int = 2) -> float:
        """Share of this span's frames that lie within the other's, widened by ``slack``."""
        shared = min(self.last, other.last + slack) - max(self.first, other.first - slack) + 1
        return max(0, shared) / (self.last - self.first + 1)


def runs(hot: "np.ndarray[tuple[int], np.dtype[np.bool_]]", gap: int = GAP) -> list[tuple[int, int]]:
    """First and last index of each run of True, bridging up to ``gap`` False between two."""
    found: list[tuple[int, int]] = []
    for index in np.flatnonzero(hot):
        if found and index - found[-1][1] <= gap + 1:
            found[-1] = (found[-1][0], int(index))
        else:
            found.append((int(index), int(index)))
    return found


def spans(signal: Signal, least: int = LEAST_FRAMES) -> list[Span]:
    """The spans in which the signal is over its limit for at least ``least`` frames."""
    values, limits = signal.values, signal.limits
    with np.errstate(invalid="ignore"):
        hot = np.asarray(values > limits)
    found = []
    for first, last in runs(hot):
        if int(hot[first : last + 1].sum()) < least:
            continue
        if signal.kind not in WIDE:
            first = _reach(values, limits, first, -1, signal.usual)
            last = _reach(values, limits, last, 1, signal.usual)
        inside = values[first : last + 1]
        worst = first + int(np.nanargmax(inside))
        ranked = np.sort(inside[np.isfinite(inside)])[::-1]
        value = float(np.median(ranked[: max(1, (len(ranked) + 1) // 2)]))
        found.append(
            Span(signal.part, signal.kind, signal.measure, signal.unit, first, last, worst, value, float(limits[worst]), signal.others)
        )  # fmt: skip
    return found


def all_spans(table: Mapping[str, Mapping[str, Signal]], least: int = LEAST_FRAMES) -> list[Span]:
    """Of all signals of all parts."""
    return [
        span for by_kind in table.values() for signal in by_kind.values() for span in spans(signal, least)
    ]


def _reach(values: F64, limits: F64, at: int, step: int, usual: float) -> int:
    for _ in range(REACH):
        after = at + step
        if not 0 <= after < len(values) or not np.isfinite(values[after]):
            break
        if values[after] < max(FOOT * limits[after], 2 * usual):
            break
        at = after
    return at
