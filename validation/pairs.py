# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts against each other: two that changed places, two that became one, one that shows through another."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from .kinds import BY_NAME
from .limits import Limits
from .series import F64, Series
from .signals import LEAST_SURFACE, Signal, judged

LEAST_APART_LAB = 18.0
"""Parts whose colours are closer than this can't be told apart by them."""
HIDDEN = 0.1
"""A part of which less shows than this share of its usual area is hidden."""
UNDRAWN = 0.5
"""Share of the border between two parts that must be gone before they are one."""


def pair_signals(
    series: Series, limits: Limits, faulty: Mapping[str, frozenset[int]]
) -> dict[str, dict[str, Signal]]:
    """By part the signals that are against another one; the strongest partner of each."""
    colours = {
        part: np.stack([series.of[part][f"take_{axis}"] for axis in "Lab"], 1) for part in series.parts
    }
    usual = {part: _usual(colours[part], faulty[part]) for part in series.parts}
    found: dict[str, dict[str, Signal]] = {part: {} for part in series.parts}
    clear = {part: judged(series.of[part], LEAST_SURFACE) for part in series.parts}
    for one, other in combinations(series.parts, 2):
        if not np.linalg.norm(usual[one] - usual[other]) >= LEAST_APART_LAB:
            continue
        values = _swapped(colours[one], colours[other], usual[one], usual[other])
        values = values * clear[one] * clear[other]
        known = found[one].get("swapped")
        if known is None or np.nanmax(values, initial=0) > np.nanmax(known.values, initial=0):
            found[one]["swapped"] = _signal(one, other, "swapped", values, limits)
    for part in series.parts:
        for kind, table in _taken(series, part, faulty[part]).items():
            if table:
                other = max(table, key=lambda name: float(np.nansum(table[name])))
                found[part][kind] = _signal(part, other, kind, table[other], limits)
    return found


def _taken(series: Series, part: str, faulty: frozenset[int]) -> dict[str, dict[str, F64]]:
    """By kind and other part (F,): share of the part's surface that shows the other's colours, in frames where the
    other should be hidden, or where the two meet and the border between them is gone."""
    count = len(series.frames)
    found: dict[str, dict[str, F64]] = {"not_hidden": {}, "merged": {}}
    far = [k for k in series.links[part] if k.here - k.there != 1 and k.there not in faulty]
    shown = np.isfinite(series.of[part]["energy"])
    for number in {link.alien for link in far if link.foreign > 0}:
        other = series.numbers.get(number, "")
        if other not in series.of:
            continue
        share = np.where(shown, 0.0, np.nan)
        least = np.full(count, np.nan)
        for link in far:
            value = link.foreign if link.alien == number else 0.0
            share[link.here] = np.fmax(share[link.here], value)
            least[link.here] = np.fmin(least[link.here], value)
        visible = np.nan_to_num(series.of[other]["visible_px"])
        hidden = visible < HIDDEN * max(float(visible.max()), 1.0)
        found["not_hidden"][other] = np.where(hidden, _closed(share), np.where(shown, 0.0, np.nan))
        one = np.array([_one(series, part, other, i) for i in range(count)])
        found["merged"][other] = np.where(one & ~hidden & shown, least, np.where(shown, 0.0, np.nan))
    return found


def _closed(values: F64) -> F64:
    """(F,) with gaps of up to two frames filled: in some frames there is nothing to compare with."""
    padded = np.pad(values, 2, constant_values=np.nan)
    wide = np.fmax.reduce([padded[i : i + len(values)] for i in range(5)])
    padded = np.pad(wide, 2, constant_values=np.nan)
    return np.asarray(np.fmin.reduce([padded[i : i + len(values)] for i in range(5)]))


def _one(series: Series, part: str, other: str, index: int) -> bool:
    """True if the parts meet in frame ``index`` and the border between them is not drawn, as far as it can be told."""
    numbers = {name: number for number, name in series.numbers.items()}
    lost = [
        series.borders[one][index].get(numbers[two], np.nan) for one, two in ((part, other), (other, part))
    ]
    if np.isfinite(lost).any():
        return bool(np.nanmin(lost) >= UNDRAWN)
    return other in series.touching[part][index] or part in series.touching[other][index]


def _usual(colours: F64, faulty: frozenset[int]) -> F64:
    good = np.array([i not in faulty for i in range(len(colours))]) & np.isfinite(colours[:, 0])
    if not good.any():
        good = np.isfinite(colours[:, 0])
    return np.median(colours[good], axis=0) if good.any() else np.full(3, np.nan)


def _swapped(one: F64, other: F64, usual_one: F64, usual_other: F64) -> F64:
    """(F,) by how much each is nearer to the other's usual colour than to its own, share of the distance between the
    two colours, the lesser of the two."""
    first = np.linalg.norm(one - usual_one, axis=1) - np.linalg.norm(one - usual_other, axis=1)
    second = np.linalg.norm(other - usual_other, axis=1) - np.linalg.norm(other - usual_one, axis=1)
    return np.asarray(np.minimum(first, second) / np.linalg.norm(usual_one - usual_other))


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
