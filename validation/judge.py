# SPDX-License-Identifier: GPL-3.0-or-later
"""From measures to causes: what is found per part, told apart, and what it is called."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..pipeline.intent import Intent
from .explain import Cause, explain
from .gates import LEAST_FRAMES, Span, all_spans, spans
from .limits import Limits
from .pairs import pair_signals
from .series import Series
from .signals import PX, Read, Signal, read

VOTELESS = frozenset(
    {"vanished", "partly_vanished", "rubber", "shifted", "colour_drift", "outline", "swapped"}
)
"""Frames in which a part shows one of these faults say nothing about that part in other frames."""
ROUNDS = 4
CLEARLY = 3.0
"""Above so many times its limit a fault is no surer; a longer one is."""
GRAVE = 5.0
"""By how much an absence counts as stronger than what else it shows."""
BEGUN, DONE, STEPS = 0.15, 0.75, 2
"""A displacement that is between these shares of its largest in so many frames comes or goes step by step."""
MERGED, MOST_LOST = 0.5, 0.4
"""Merged is a part that is gone under another's colours by this share, while no more of its outline is lost."""
ALIEN = 0.5
"""Least share of what is gone of a part that must show another part's colours."""


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
    for _ in range(ROUNDS):
        parts = {part: read(series, part, limits, intent, faulty[part]) for part in series.parts}
        table = {part: dict(parts[part].signals) for part in series.parts}
        for part, signals in pair_signals(series, limits, faulty).items():
            table[part].update(signals)
        more_of_it = {
            part: _strongest(part, table, faulty[part], len(series.frames), least) for part in series.parts
        }
        if not any(more_of_it.values()):
            break
        faulty = {part: faulty[part] | more_of_it[part] for part in series.parts}
    causes = explain(all_spans(table, least) + more, series.touching)
    return Found(parts, table, [_named(cause, series, parts) for cause in causes])


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
    bad = frozenset(range(worst.first, worst.last + 1))
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
    if span.kind == "partly_vanished":
        return replace(cause, span=_taken_over(span, series))
    return cause


def _taken_over(span: Span, series: Series) -> Span:
    """A part that shows another part's colours instead of its own: the other shows where it should be hidden, or the
    two have merged."""
    links = [
        link for link in series.links[span.part] if span.first <= link.here <= span.last and link.foreign > 0
    ]
    if not links:
        return span
    share, name = max(
        (float(np.median([k.foreign for k in links if k.alien == number])), number)
        for number in {k.alien for k in links}
    )
    other = series.numbers.get(name, "")
    if not other or share < ALIEN * max(span.value, 0.1):
        return span
    visible = np.nan_to_num(series.of[other]["visible_px"])
    hidden = visible[span.first : span.last + 1].max() < 0.1 * max(visible.max(), 1.0)
    if hidden:
        return replace(span, kind="not_hidden", part=other, others=(span.part,))
    if share < MERGED or np.nanmedian(series.of[span.part]["lost"][span.first : span.last + 1]) > MOST_LOST:
        return span
    touching = any(
        other in series.touching[span.part][i] or span.part in series.touching[other][i]
        for i in range(span.first, span.last + 1)
    )
    return replace(span, kind="merged", others=(other,)) if touching else span


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
