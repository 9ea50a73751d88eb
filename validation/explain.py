# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding per fault: the ordered table that says which fault explains which other signs."""

from dataclasses import dataclass, field, replace

from .gates import Span

Touching = dict[str, list[frozenset[str]]]


@dataclass(frozen=True)
class Rule:
    """``cause`` explains ``effects`` of the same part, and ``beside`` of parts that touch it (of its own kind only
    what is weaker)."""

    cause: str
    effects: frozenset[str]
    beside: frozenset[str] = frozenset()


SHAPE = frozenset({"rubber", "wrong_motion", "shifted", "outline"})
RULES: tuple[Rule, ...] = (
    Rule("frame_map", frozenset({"vanished", "ghost", "colour_drift", "flicker"}) | SHAPE),
    Rule("vanished", frozenset({"frozen", "ghost", "colour_drift", "flicker"}) | SHAPE, SHAPE),
    Rule("frozen", frozenset({"ghost", "colour_drift", "flicker"}) | SHAPE),
    Rule("rubber", frozenset({"wrong_motion", "shifted", "outline", "colour_drift", "flicker"}), SHAPE),
    Rule("wrong_motion", frozenset({"shifted", "outline", "colour_drift", "flicker"}), SHAPE - {"rubber"}),
    Rule(
        "shifted",
        frozenset({"outline", "rubber", "colour_drift", "flicker"}),
        frozenset({"outline", "shifted"}),
    ),
    Rule("flicker", frozenset({"colour_drift"})),
    Rule("ghost", frozenset({"outline"}), frozenset({"outline"})),
    Rule("colour_drift", frozenset({"flicker"})),
    Rule("outline", frozenset()),
)
"""In this order: a cause that is found first takes its effects with it. Nothing else hides a finding."""
WITHIN = 0.6
EDGE = 2
EDGE_SIGNS = frozenset({"shifted", "outline", "colour_drift"})


@dataclass
class Cause:
    """A span that stands as a finding, with the spans it explains."""

    span: Span
    explained: list[Span] = field(default_factory=list)


def touches(touching: Touching, a: str, b: str, first: int, last: int) -> bool:
    """True if the two parts meet in any of the frames first..last."""
    frames = range(first, last + 1)
    return (
        any(b in touching[a][i] or a in touching[b][i] for i in frames)
        if a in touching and b in touching
        else False
    )


def explain(found: list[Span], touching: Touching) -> list[Cause]:
    """Sorts spans into causes and what they explain."""
    waiting = sorted(found, key=lambda s: -s.strength)
    causes: list[Cause] = []
    for rule in RULES:
        mine = [s for s in waiting if s.kind == rule.cause]
        for span in mine:
            if span not in waiting:
                continue
            cause = Cause(span)
            waiting.remove(span)
            for other in list(waiting):
                if _explains(rule, span, other, touching):
                    waiting.remove(other)
                    cause.explained.append(other)
            causes.append(_widened(cause))
    causes += [Cause(span) for span in waiting]
    return sorted(causes, key=lambda c: (c.span.first, c.span.part))


def _widened(cause: Cause) -> Cause:
    """The cause's span, reaching out over up to EDGE frames in which only its milder signs show."""
    first, last = cause.span.first, cause.span.last
    for sign in cause.explained:
        if sign.part == cause.span.part and sign.kind in EDGE_SIGNS:
            first, last = (
                min(first, max(sign.first, cause.span.first - EDGE)),
                max(last, min(sign.last, cause.span.last + EDGE)),
            )
    return Cause(replace(cause.span, first=first, last=last), cause.explained)


def _explains(rule: Rule, cause: Span, other: Span, touching: Touching) -> bool:
    if other.overlap(cause) < WITHIN:
        return False
    if not cause.part or not other.part or cause.part == other.part:
        return other.kind in rule.effects or other.kind == cause.kind
    if other.kind not in rule.beside or (other.kind == cause.kind and other.strength > cause.strength):
        return False
    return touches(
        touching, cause.part, other.part, max(cause.first, other.first), min(cause.last, other.last)
    )
