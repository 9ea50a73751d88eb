# SPDX-License-Identifier: GPL-3.0-or-later
"""From measures to one signal per kind of fault, with its limit at every frame.

A signal is compared with the larger of its calibrated limit and what the part's own series in this take calls usual
(the style-adaptive null): a look that boils a little everywhere raises its own limit, up to twice the calibrated one.
"""

from dataclasses import dataclass

import numpy as np

from .limits import Limits, Presence
from .series import F64, Series
from .surface import follow

LEAST_SHARE = 0.10
"""Frames in which less of a part shows than this share of its usual visible area give no verdict."""
ADAPT_AT_MOST = 2.0
BEND_SHARE = 0.33
FLEX_COUNTS = 2.0
"""One step in time shows only a part of a bend, with much less noise than frames further away."""
KINDS = ("vanished", "rubber", "wrong_motion", "shifted", "outline", "colour_drift", "flicker", "ghost")


@dataclass(frozen=True)
class Signal:
    """``values`` and ``limits`` (F,) of one kind of fault of one part; NaN where it can't be told."""

    part: str
    kind: str
    measure: str
    unit: str
    values: F64
    limits: F64
    usual: float


def judged(measures: dict[str, F64]) -> F64:
    """(F,) 1 where enough of the part shows to be judged, NaN elsewhere."""
    visible = np.nan_to_num(measures["visible_px"])
    shown = visible[visible > 0]
    if not len(shown):
        return np.full(len(visible), np.nan)
    usual = float(np.quantile(shown, 0.9))
    return np.where((visible >= 40) & (visible >= LEAST_SHARE * usual), 1.0, np.nan)


def absence(measures: dict[str, F64], presence: Presence) -> F64:
    """(F,) 0..1: how sure it is that the part is not there, from its outline and from its colours."""
    known = np.isfinite(measures["lost"]) | np.isfinite(measures["behind"])
    total = np.full(len(known), presence.bias)
    neutral = {"lost": 0.5, "null": 2.0, "ratio": 0.6, "behind": 0.3, "unlike": 0.3}
    for name, weight in presence.weights.items():
        values = np.clip(np.where(np.isfinite(measures[name]), measures[name], neutral[name]), -1.0, 6.0)
        total = total + weight * values
    return np.where(known, 1 / (1 + np.exp(-np.clip(total, -30, 30))), np.nan)


def outline_shift(measures: dict[str, F64]) -> F64:
    """(F,) px: how far the outline lies from its usual place in this take, where the shifted place clearly wins."""
    dx, dy = measures["offset_x"], measures["offset_y"]
    base = [float(np.clip(np.nanmedian(v), -2, 2)) if np.isfinite(v).any() else 0.0 for v in (dx, dy)]
    away = np.hypot(dx - base[0], dy - base[1])
    return np.where(measures["ratio"] > 0.5, away, np.nan)


def both_sides(steps: F64) -> F64:
    """(F,) of a measure of the step into each frame: the smaller of the steps into it and out of it, so that the
    step back to normal is not counted to the frame after a fault."""
    after = np.append(steps[1:], np.nan)
    return np.asarray(np.fmin(steps, after), np.float64)


def bend(measures: dict[str, F64]) -> F64:
    """(F,) px: what no rigid motion explains, of the place or of the motion. A coarse flow shows a large shift of the
    whole as a little bend too; that is not counted."""
    place = np.where(measures["bend"] >= BEND_SHARE * np.nan_to_num(measures["shift"]), measures["bend"], 0.0)
    place = np.where(np.isfinite(measures["bend"]), place, np.nan)
    return np.asarray(np.fmax(place, FLEX_COUNTS * both_sides(measures["flex"])), np.float64)


def long_drift(measures: dict[str, F64]) -> F64:
    """(F,) Lab: the part's median colour against its median over the take, less what the render changed."""
    take = np.stack([measures[f"take_{axis}"] for axis in "Lab"], 1)
    render = np.stack([measures[f"render_{axis}"] for axis in "Lab"], 1)
    if not np.isfinite(take).any():
        return np.full(len(take), np.nan)
    take, render = take - np.nanmedian(take, axis=0), render - np.nanmedian(render, axis=0)
    rows = [
        np.linalg.norm(follow(a, b)) if np.isfinite(a).all() else np.nan
        for a, b in zip(take, render, strict=True)
    ]
    return np.asarray(rows, np.float64)


def flicker(measures: dict[str, F64]) -> F64:
    """(F,) L: second difference in time of the part's median lightness, less the render's own."""

    def bend(values: F64) -> F64:
        out = np.full(len(values), np.nan)
        if len(values) > 2:
            out[1:-1] = np.abs(values[:-2] - 2 * values[1:-1] + values[2:]) / 2
        return out

    return np.maximum(bend(measures["take_L"]) - bend(measures["render_L"]), 0)


def doubled(measures: dict[str, F64]) -> F64:
    """(F,) likeness of another place to the part, beyond what is usual in this take: things may look alike all along."""
    found = measures["ghost"]
    usual = float(np.nanmedian(found)) if np.isfinite(found).any() else 0.0
    return np.asarray(found - max(0.0, usual), np.float64)


def signals(series: Series, part: str, limits: Limits) -> dict[str, Signal]:
    """All signals of a part by kind."""
    measures = series.of[part]
    shown = judged(measures)
    values = {
        "vanished": absence(measures, limits.presence),
        "rubber": bend(measures),
        "wrong_motion": both_sides(measures["slip"]),
        "shifted": measures["shift"],
        "outline": measures["lost"],
        "colour_drift": np.minimum(measures["jump"], 99.0),
        "flicker": flicker(measures),
        "ghost": doubled(measures),
    }
    return {kind: _signal(part, kind, values[kind] * shown, limits) for kind in KINDS}


MEASURES = {
    "vanished": "absence", "rubber": "bend", "wrong_motion": "slip", "shifted": "shift", "outline": "lost",
    "colour_drift": "jump", "flicker": "flicker", "ghost": "ghost",
}  # fmt: skip
"""Which measure is responsible for which kind of fault."""


def _signal(part: str, kind: str, values: F64, limits: Limits) -> Signal:
    limit = limits.of[kind]
    known = values[np.isfinite(values)]
    usual = float(np.median(known)) if len(known) else float("nan")
    level = limit.value
    if len(known) >= 8 and limit.margin > 0:
        spread = 1.4826 * float(np.median(np.abs(known - usual)))
        level = max(level, min(usual + limit.margin * spread, ADAPT_AT_MOST * level))
    return Signal(part, kind, MEASURES[kind], limit.unit, values, np.full(len(values), level), usual)
