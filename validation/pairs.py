# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts against each other: two that changed places, two that became one."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from .kinds import BY_NAME
from .limits import Limits
from .series import F64, Series
from .signals import Signal

LEAST_APART_LAB = 14.0
"""Parts whose colours are closer than this can't be told apart by them."""
MERGED_LAB = 6.0


def pair_signals(
    series: Series, limits: Limits, faulty: Mapping[str, frozenset[int]]
) -> dict[str, dict[str, Signal]]:
    """By part the signals that are against another one; the strongest partner of each."""
    colours = {
        part: np.stack([series.of[part][f"take_{axis}"] for axis in "Lab"], 1) for part in series.parts
    }
    usual = {part: _usual(colours[part], faulty[part]) for part in series.parts}
    found: dict[str, dict[str, Signal]] = {part: {} for part in series.parts}
    for one, other in combinations(series.parts, 2):
        if not np.linalg.norm(usual[one] - usual[other]) >= LEAST_APART_LAB:
            continue
        values = _swapped(colours[one], colours[other], usual[one], usual[other])
        known = found[one].get("swapped")
        if known is None or np.nanmax(values, initial=0) > np.nanmax(known.values, initial=0):
            found[one]["swapped"] = _signal(one, other, "swapped", values, limits)
    return found


def _usual(colours: F64, faulty: frozenset[int]) -> F64:
    good = np.array([i not in faulty for i in range(len(colours))]) & np.isfinite(colours[:, 0])
    if not good.any():
        good = np.isfinite(colours[:, 0])
    return np.median(colours[good], axis=0) if good.any() else np.full(3, np.nan)


def _swapped(one: F64, other: F64, usual_one: F64, usual_other: F64) -> F64:
    """(F,) Lab by which each is nearer to the other's usual colour than to its own, the lesser of the two."""
    first = np.linalg.norm(one - usual_one, axis=1) - np.linalg.norm(one - usual_other, axis=1)
    second = np.linalg.norm(other - usual_other, axis=1) - np.linalg.norm(other - usual_one, axis=1)
    return np.asarray(np.minimum(first, second))


def _signal(part: str, other: str, kind: str, values: F64, limits: Limits) -> Signal:
    limit = limits.of[kind]
    return Signal(
        part,
        kind,
        BY_NAME[kind].measure,
        limit.unit,
        values,
        np.full(len(values), limit.value),
        0.0,
        (other,),
    )
