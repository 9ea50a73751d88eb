# SPDX-License-Identifier: GPL-3.0-or-later
"""From measures to one signal per kind of fault, with its limit at every frame.

A signal is compared with the larger of its calibrated limit and what the part's own series in this take calls usual
(the style-adaptive null): a look that boils a little everywhere raises its own limit, up to twice the calibrated one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..pipeline.intent import Intent
from .dents import dents
from .kinds import BY_NAME
from .limits import Limits, Presence
from .motion import AROUND, EXPLAINED, LEAST_CLEAR, STEEP, Motion, deviations, motion_of, turns
from .series import F64, Link, Series, colours, column
from .settle import settle

PX = 3.0
"""Pixels of a picture 1920 wide in one of a picture 640 wide: findings and limits are in the former."""
LEAST_SURFACE = 0.35
"""The same for what is told from the surface alone: of a sliver, another side shows in every frame."""
ON_SURFACE = (
    "text",
    "material",
    "boiling",
    "flicker",
    "colour_drift",
    "sliding",
    "partly_vanished",
    "wobble",
    "outline",
)
LEAST_SHARE = 0.10
"""Frames in which less of a part shows than this share of its usual visible area give no verdict."""
ADAPT_AT_MOST = 2.0
MOVES_PX = 0.05
"""Px a frame (of a picture 640 wide) from which a part moves in the picture."""
Moves = NDArray[np.bool_]
QUIETLY = 2.2
"""How many times what is usual of a part a quiet one must exceed, on top of the least limit."""
FLOOR_LAB = 1.0
MOST_SLID_PX = 5.0
TEXTURED = 0.2
"""Share of a surface that must be readable before its texture can be said to slide."""
SIGNALS = (
    "vanished", "partly_vanished", "rubber", "joint", "shifted", "outline", "wobble", "sliding", "text",
    "material", "boiling", "flicker", "colour_drift", "ghost", "intruder",
)  # fmt: skip
"""Kinds with a signal of their own; the others of a part are told from the shape of a span (findings)."""


@dataclass(frozen=True)
class Signal:
    """``values`` and ``limits`` (F,) of one kind of fault of one part; NaN where it can't be told. ``others`` the part
    that it is against, by frame, if any."""

    part: str
    kind: str
    measure: str
    unit: str
    values: F64
    limits: F64
    usual: float
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """All that is known of a part, put together: its motion and its signals by kind."""

    motion: Motion
    signals: dict[str, Signal]


def judged(measures: Mapping[str, F64], least: float = LEAST_SHARE) -> F64:
    """(F,) 1 where enough of the part shows to be judged (``least`` of its usual area), NaN elsewhere."""
    visible = np.nan_to_num(measures["visible_px"])
    shown = visible[visible > 0]
    if not len(shown):
        return np.full(len(visible), np.nan)
    usual = float(np.quantile(shown, 0.9))
    return np.where((visible >= 40) & (visible >= least * usual), 1.0, np.nan)


def of_links(count: int, links: list[Link], name: str, near: bool, most: bool, faulty: frozenset[int]) -> F64:
    """(count,) a measure of links by frame: the least (or ``most``) over those to the frame before (``near``) or to
    frames far off. Frames ``faulty`` have no say."""
    table: list[list[tuple[bool, float]]] = [[] for _ in range(count)]
    for link in links:
        value = float(getattr(link, name))
        if (link.here - link.there == 1) == near and np.isfinite(value):
            table[link.here].append((link.there in faulty, value))
    pick = max if most else min
    out = np.full(count, np.nan)
    for index, row in enumerate(table):
        good = [v for bad, v in row if not bad]
        if good:
            out[index] = pick(good)
    return out


def absence(measures: Mapping[str, F64], gone: F64, unlike: F64, presence: Presence) -> F64:
    """(F,) 0..1: how sure it is that the part is not there, from its outline and from its colours."""
    table = {
        "lost": measures["lost"],
        "null": measures["null"],
        "ratio": measures["ratio"],
        "gone": gone,
        "unlike": unlike,
    }
    known = np.isfinite(measures["lost"]) | np.isfinite(gone)
    total = np.full(len(known), presence.bias)
    neutral = {"lost": 0.5, "null": 2.0, "ratio": 0.6, "gone": 0.3, "unlike": 0.3}
    for name, weight in presence.weights.items():
        values = np.clip(np.where(np.isfinite(table[name]), table[name], neutral[name]), -1.0, 6.0)
        total = total + weight * values
    return np.where(known, 1 / (1 + np.exp(-np.clip(total, -30, 30))), np.nan)


def drift(series: Series, part: str, intent: Intent, faulty: frozenset[int] = frozenset()) -> F64:
    """(F,) Lab: how far the part's chroma left that of most frames, or its colour that of the frames around, beyond
    what the render's light does. Light that changes slowly changes neither."""
    links, count = series.links[part], len(series.frames)
    if not links or intent.recolour:
        return np.full(count, np.nan)
    here, there = column(links, "here").astype(np.intp), column(links, "there").astype(np.intp)
    found = settle(count, here, there, colours(series, part), np.ones(len(links)), FLOOR_LAB, faulty)
    hue = np.linalg.norm(found[:, 3:], axis=1)
    if intent.relight:
        return np.asarray(hue)
    return np.asarray(np.fmax(hue, sudden(found[:, :3])))


def sudden(values: F64) -> F64:
    """(F,) size of what sets rows of (F, k) apart from what is usual before them, from what is usual after them, and
    from the line between the two: the least of these, so that neither a slow change nor a faulty neighbour counts."""
    out = np.full(len(values), np.nan)
    for index in range(len(values)):
        sides = [
            values[max(0, index - AROUND[1]) : max(0, index - AROUND[0])],
            values[index + AROUND[0] : index + AROUND[1]],
        ]
        middles = [
            np.median(side[np.isfinite(side[:, 0])], axis=0)
            for side in sides
            if np.isfinite(side[:, :1]).sum() >= 2
        ]
        if middles:
            away = [float(np.linalg.norm(values[index] - m)) for m in (*middles, np.mean(middles, axis=0))]
            if len(middles) < 2:
                away.append(float(np.linalg.norm(values[index])))  # one side may be the fault itself
            out[index] = min(away)
    for index in np.flatnonzero(np.isfinite(out)):
        if (
            index <= AROUND[0] or index >= len(values) - AROUND[0]
        ):  # one side alone can't tell a slope from a step
            near = values[max(0, index - AROUND[1]) : index + AROUND[1]]
            steps = np.linalg.norm(near[2:] - near[:-2], axis=1) if len(near) > 2 else np.zeros(1)
            out[index] = min(out[index], float(np.nanmax(steps, initial=0)) / STEEP)
    return out


def flicker(measures: Mapping[str, F64]) -> F64:
    """(F,) L: second difference in time of the part's median lightness, less the render's own."""

    def bend(values: F64) -> F64:
        out = np.full(len(values), np.nan)
        if len(values) > 2:
            out[1:-1] = np.abs(values[:-2] - 2 * values[1:-1] + values[2:]) / 2
        return out

    return np.maximum(bend(measures["take_L"]) - bend(measures["render_L"]), 0)


def jumps(links: list[Link], count: int) -> F64:
    """(F,) L: the same at the surface's own points, from frame to frame; NaN where it can't be told. A border between
    two flat tones that passes over a part moves its median, not these."""
    steps = np.full(count + 1, np.nan)
    for link in links:
        if link.here - link.there == 1:
            steps[link.here] = link.colour[0]
    return np.asarray(np.abs(steps[:-1] - steps[1:]) / 2)


def above_usual(values: F64) -> F64:
    """(F,) beyond what is usual in this take."""
    usual = float(np.nanmedian(values)) if np.isfinite(values).any() else 0.0
    return np.asarray(values - max(0.0, usual), np.float64)


def both_sides(steps: F64) -> F64:
    """(F,) of a measure of the step into each frame: the smaller of the steps into it and out of it, so that the
    step back to normal is not counted to the frame after a fault."""
    return np.asarray(np.fmin(steps, np.append(steps[1:], np.nan)), np.float64)


def values_of(
    series: Series, part: str, limits: Limits, intent: Intent, faulty: frozenset[int]
) -> tuple[Motion, dict[str, F64]]:
    """The motion and the values (F,) of every kind of signal of a part."""
    measures, links, count = series.of[part], series.links[part], len(series.frames)
    motion = motion_of(series, part, faulty)
    gone = of_links(count, links, "gone", False, True, faulty)
    unlike = of_links(count, links, "unlike", False, False, faulty)
    garbled = of_links(count, links, "garbled", False, False, faulty)
    grown = intent.outline_px / PX
    rough = np.abs(measures["energy"] - _middle(measures["energy"]))
    drifted = np.minimum(drift(series, part, intent, faulty), 99.0)
    other = (drifted > 0.5 * limits.of["colour_drift"].value) | (garbled > 0.5 * limits.of["text"].value)
    rippled = 0.5 * above_usual(measures["outline_bend"])
    copied = np.clip(measures["ghost_new"] / limits.of["ghost"].margin, 0, 1)
    stranger = above_usual(measures["new"]) / np.nanmax(np.append(measures["visible_px"], 1.0))
    likely = np.where(stranger > 0.5 * limits.of["intruder"].value, measures["new_like"], 0.0)
    values = {
        "vanished": absence(measures, gone, unlike, limits.presence),
        "partly_vanished": np.where(
            np.isfinite(measures["lost"]), np.minimum(gone, 2 * measures["lost"]), gone
        ),
        "rubber": np.where(np.isfinite(motion.bend), motion.bend, np.maximum(rippled - grown, 0)) * PX,
        "joint": np.full(count, np.nan),
        "shifted": np.maximum(motion.shift - grown, 0) * PX,
        "outline": np.maximum(dents(series.profiles[part], turns(series, part), faulty) - grown, 0) * PX,
        "outline_lost": above_usual(measures["lost"]),
        "wobble": above_usual(np.where(measures["clear"] >= LEAST_CLEAR, measures["outline_rest"], np.nan))
        * PX,
        "sliding": np.where(measures["textured"] >= TEXTURED, _slid(motion.slide) * PX, np.nan),
        "text": above_usual(garbled),
        "material": np.where(np.isfinite(rough), rough * other, np.nan),
        "boiling": above_usual(both_sides(of_links(count, links, "change", True, False, frozenset()))),
        "flicker": np.fmin(flicker(measures), jumps(links, count))
        if not intent.relight
        else np.full(count, np.nan),
        "colour_drift": drifted,
        "ghost": np.fmax(above_usual(measures["ghost"]) * copied, likely),
        "intruder": stranger,
    }
    return motion, values


def _slid(slide: F64) -> F64:
    """What slides so far is no texture any more: nothing was read there."""
    return np.where(slide <= MOST_SLID_PX, slide, np.nan)


def _middle(values: F64) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def read(
    series: Series, part: str, limits: Limits, intent: Intent, faulty: frozenset[int] = frozenset()
) -> Read:
    """Everything about a part. Frames ``faulty`` (positions) don't say what is usual, nor what others should be."""
    motion, values = values_of(series, part, limits, intent, faulty)
    shown, clearly = judged(series.of[part]), judged(series.of[part], LEAST_SURFACE)
    moves = np.nan_to_num(series.of[part]["speed"]) > MOVES_PX
    table = {
        kind: _signal(part, kind, values[kind] * (clearly if kind in ON_SURFACE else shown), limits, moves)
        for kind in SIGNALS
    }
    hard = 2 - motion.read  # of a surface that can hardly be read, more must be seen
    once = np.where(motion.one_sided, 2.0, 1.0)  # or where it turns and only one side of it is known
    for kind, more in (("shifted", hard * once), ("sliding", hard * once), ("rubber", once)):
        table[kind] = replace(table[kind], limits=table[kind].limits * more)
    lost = _signal(part, "outline", values["outline_lost"] * clearly, limits, moves, "outline_lost")
    if _strength(lost) > _strength(table["outline"]):
        table["outline"] = replace(lost, measure="outline lost")
    joint = _joint(series, part, motion, limits, shown)
    if joint is not None:
        table["joint"] = replace(joint, limits=joint.limits * once)
    return Read(motion, table)


def _joint(series: Series, part: str, motion: Motion, limits: Limits, shown: F64) -> Signal | None:
    """The joint, and the turn or travel in it, that explains the part's displacement best."""
    best: Signal | None = None
    strongest = -1.0
    moved = motion.moved * PX > limits.of["joint"].margin
    for found in deviations(series, part, motion.field):
        other = found.joint.other[0] if found.joint.one[0] == part else found.joint.one[0]
        for name, unit, values in (
            ("joint", "deg", np.abs(found.turn_deg)),
            ("joint_mm", "mm", np.abs(found.travel) * 1000),
        ):
            told = np.where((found.explained >= EXPLAINED) & moved, values, 0.0)
            told = np.where(np.isfinite(found.explained), told, np.nan) * shown
            limit = limits.of[name].value
            signal = Signal(part, "joint", "joint", unit, told, np.full(len(told), limit), 0.0, (other,))
            if _strength(signal) > strongest:
                strongest, best = _strength(signal), signal
    return best


def _strength(signal: Signal) -> float:
    """How far a signal is over its limits, all frames together."""
    return float(np.nansum(np.clip(signal.values / signal.limits - 1, 0, 9)))


def _signal(part: str, kind: str, values: F64, limits: Limits, moves: Moves, name: str = "") -> Signal:
    """The signal with what its part calls usual in this take: a noisy one raises its limit; while a part is quiet, its
    limit is lower (apart for frames in which it moves: what stands still shows no noise at all)."""
    limit = limits.of[name or kind]
    known = values[np.isfinite(values)]
    usual = float(np.median(known)) if len(known) else float("nan")
    levels = np.full(len(values), limit.value)
    for frames in (moves, ~moves) if limit.quiet < 1 else ():
        like = values[frames & np.isfinite(values)]
        if len(like) >= 8:
            spread = 1.4826 * float(np.median(np.abs(like - np.median(like))))
            lower = limit.quiet * limit.value + QUIETLY * max(float(np.median(like)), spread, 0.0)
            levels[frames] = min(limit.value, lower)
    if len(known) >= 8 and limit.margin > 0:
        spread = 1.4826 * float(np.median(np.abs(known - usual)))
        levels = np.maximum(levels, min(usual + limit.margin * spread, ADAPT_AT_MOST * limit.value))
    return Signal(part, kind, BY_NAME[kind].measure, limit.unit, values, levels, usual)
