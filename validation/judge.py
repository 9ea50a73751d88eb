# SPDX-License-Identifier: GPL-3.0-or-later
"""From measures to causes: what is found per part, told apart, and what it is called."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..pipeline.intent import Intent
from .explain import Cause, explain
from .gates import LEAST_FRAMES, Span, all_spans, spans
from .limits import Limits
from .motion import EXPLAINED
from .pairs import pair_signals
from .series import Series
from .signals import PX, Read, Signal, read

VOTELESS = frozenset(
    {
        "vanished",
        "partly_vanished",
        "rubber",
        "shifted",
        "colour_drift",
        "outline",
        "swapped",
        "merged",
        "not_hidden",
    }
)
"""Frames in which a part shows one of these faults say nothing about that part in other frames."""
ROUNDS = 4
FROM_FRAME_TO_FRAME = frozenset({"flicker", "boiling", "wobble"})
GLARING = 1.5
"""How many times its limit a fault must be that one frame of a first look shows."""
BESIDE = 1
"""Frames beside a fault that have no say either: it comes and goes in them."""
CLEARLY = 3.0
"""Above so many times its limit a fault is no surer; a longer one is."""
GRAVE = 5.0
"""By how much an absence counts as stronger than what else it shows."""
MUCH_LOST = 0.25
"""Share of its outline that is not drawn, from which a part is not there in part."""
UNEVEN = 0.6
"""Share of the limit of wobbling from which a dent is rather one of many."""
STILL_THERE = 0.15
"""Share of its outline that a part may have lost and still be there as a whole."""
BEGUN, DONE, STEPS = 0.15, 0.75, 2
"""A displacement that is between these shares of its largest in so many frames comes or goes step by step."""


@dataclass(frozen=True)
class Found:
    """``parts`` everything read by part, ``table`` the signals by part and kind, ``causes`` the faults."""

    parts: dict[str, Read]
    table: dict[str, dict[str, Signal]]
    causes: list[Cause]


def find(
    series: Series, limits: Limits, intent: Intent, more: list[Span], least: int = LEAST_FRAMES
) -> Found:
    """Reads every part, leaves out of what is usual the frames that are at fault, and finds the faults; ``more``
    spans of the whole take; a fault lasts ``least`` frames."""
    faulty: dict[str, frozenset[int]] = {part: frozenset() for part in series.parts}
    parts: dict[str, Read] = {}
    fresh = set(series.parts)
    for _ in range(ROUNDS):
        parts |= {part: read(series, part, limits, intent, faulty[part]) for part in fresh}
        table = {part: dict(parts[part].signals) for part in series.parts}
        for part, signals in pair_signals(series, limits, faulty).items():
            table[part].update(signals)
        more_of_it = {
            part: _strongest(part, table, faulty[part], len(series.frames), least) for part in series.parts
        }
        if not any(more_of_it.values()):
            break
        fresh = {part for part in series.parts if more_of_it[part]}
        faulty = {part: faulty[part] | more_of_it[part] for part in series.parts}
    told = [span for span in all_spans(table, least) if least >= LEAST_FRAMES or _at_a_glance(span)]
    causes = explain(told + more, series.touching)
    return Found(parts, table, [_named(cause, series, parts) for cause in causes])


def _at_a_glance(span: Span) -> bool:
    """True for what a first look may say, which sees a part of the frames: not what takes neighbours to tell, and of
    what a single frame shows only what is clear."""
    if span.kind in FROM_FRAME_TO_FRAME:
        return False
    return span.last > span.first or span.kind == "vanished" or span.strength >= GLARING


def _strongest(part: str, table: Mapping[str, Mapping[str, Signal]], known: frozenset[int], count: int,
               least: int) -> frozenset[int]:  # fmt: skip
    """The positions of the strongest fault of a part that is not known yet; none if faults were most of the take. One
    at a time: what looks faulty beside a strong fault often only was compared with it."""
    signals = [s for kind, s in table[part].items() if kind in VOTELESS]
    signals += [
        s for by_kind in table.values() for s in by_kind.values() if part in s.others and s.kind in VOTELESS
    ]
    found = [span for signal in signals for span in spans(signal, least)]
    fresh = [
        s for s in found if len(known.intersection(range(s.first, s.last + 1))) < (s.last - s.first + 1) / 2
    ]
    if not fresh:
        return frozenset()
    worst = max(fresh, key=_weight)
    bad = frozenset(range(max(0, worst.first - BESIDE), min(count, worst.last + 1 + BESIDE)))
    return bad if len(bad | known) <= count // 2 else frozenset()


def _weight(span: Span) -> tuple[float, int]:
    """By what of two faults the surer one is told: how clear it is, then how long."""
    return min(span.strength, CLEARLY) + GRAVE * (
        span.kind in ("vanished", "swapped")
    ), span.last - span.first


def _named(cause: Cause, series: Series, parts: Mapping[str, Read]) -> Cause:
    """The cause under its exact name: a displacement as shift, size, turn or motion, an absence as no return."""
    span = cause.span
    if span.kind == "shifted":
        return replace(cause, span=replace(span, kind=_displaced(span, parts[span.part])))
    if span.kind == "vanished" and _was_hidden(span, series):
        return replace(cause, span=replace(span, kind="not_back"))
    if span.kind == "not_hidden":  # said of the part that shows, not of the one that it covers
        return replace(cause, span=replace(span, part=span.others[0], others=(span.part,)))
    if span.kind in ("colour_drift", "partly_vanished", "rubber") and _another(cause, series):
        return replace(cause, span=replace(span, kind="material"))
    if span.kind == "outline":
        return replace(cause, span=replace(span, kind=_of_outline(span, parts[span.part])))
    if span.kind == "rubber" and _tilted(span, parts[span.part]):
        return replace(cause, span=replace(span, kind="turned"))
    return cause


def _of_outline(span: Span, part: Read) -> str:
    """What an outline that is not in its place is: much of it gone, waves all around, else a dent or bump."""
    if span.unit == "share":
        return "partly_vanished" if span.value >= MUCH_LOST else "outline"
    waves = part.signals["wobble"]
    inside = slice(span.first, span.last + 1)
    uneven = np.median(np.nan_to_num(waves.values[inside] / waves.limits[inside]))
    return "wobble" if uneven >= UNEVEN else "outline"


def _another(cause: Cause, series: Series) -> bool:
    """True if a part is there, in place, and neither its colour nor its texture is what it was: another material. (Its
    colours may happen to be those around it, and texture that is not the same can't tell a bend.)"""
    span = cause.span
    kinds = {s.kind for s in (span, *cause.explained) if s.part == span.part}
    lost = np.median(np.nan_to_num(series.of[span.part]["lost"][span.first : span.last + 1]))
    return "colour_drift" in kinds and bool(kinds & {"material", "text"}) and bool(lost < STILL_THERE)


def _tilted(span: Span, part: Read) -> bool:
    """True if what looks like a bend is a rigid turn out of the picture's plane."""
    return bool(np.median(np.nan_to_num(part.motion.tilted[span.first : span.last + 1])) >= EXPLAINED)


def _displaced(span: Span, part: Read) -> str:
    """What a displacement is mostly: a shift, another size, a turn; a wrong motion if it comes or goes step by step."""
    plane = part.motion.plane[span.first : span.last + 1] * PX
    plane = plane[np.isfinite(plane).all(1)]
    if not len(plane):
        return "shifted"
    long = np.linalg.norm(plane, axis=1)
    share = long / max(float(long.max()), 1e-6)
    if len(plane) >= 4 and int(((share > BEGUN) & (share < DONE)).sum()) >= STEPS:
        return "wrong_motion"
    sizes = np.array(
        [np.hypot(plane[:, 0], plane[:, 1]).mean(), np.abs(plane[:, 2]).mean(), np.abs(plane[:, 3]).mean()]
    )
    return ("shifted", "scaled", "turned")[int(sizes.argmax())]


def _was_hidden(span: Span, series: Series) -> bool:
    """True if the part was out of sight for some frames right before the span and had been seen before that."""
    visible = np.nan_to_num(series.of[span.part]["visible_px"])
    gap = visible[max(0, span.first - 4) : span.first]
    return bool(
        len(gap) and gap.min() < 0.1 * visible.max() and (visible[: span.first] > 0.3 * visible.max()).any()
    )
