# SPDX-License-Identifier: GPL-3.0-or-later
"""One finding per fault: the ordered table that says which fault explains which other signs."""

from dataclasses import dataclass, field, replace

from .gates import Span

Touching = dict[str, list[frozenset[str]]]


@dataclass(frozen=True)
class Rule:
    """``cause`` explains ``effects`` of the same part, and ``beside`` of parts that touch it or that it is against (of
    its own kind only what is weaker)."""

    cause: str
    effects: frozenset[str]
    beside: frozenset[str] = frozenset()


SHAPE = frozenset({"rubber", "joint", "shifted", "outline", "wobble", "sliding"})
SURFACE = frozenset({"text", "material", "boiling", "flicker", "colour_drift", "partly_vanished"})
TAKE = ("frames_missing", "frame_map", "black", "colour_range")
RULES: tuple[Rule, ...] = (
    *(
        Rule(kind, SHAPE | SURFACE | {"vanished", "ghost", "swapped", "merged", "not_hidden"})
        for kind in TAKE
    ),
    Rule(
        "swapped",
        SHAPE | SURFACE | {"vanished", "ghost", "merged", "not_hidden"},
        SHAPE | SURFACE | {"vanished", "swapped", "ghost"},
    ),
    Rule(
        "vanished",
        SHAPE | SURFACE | {"ghost", "merged", "not_hidden", "frozen"},
        SHAPE | {"ghost", "not_hidden", "partly_vanished"},
    ),
    Rule("frozen", SHAPE | SURFACE | {"ghost", "swapped", "merged", "not_hidden"}),
    Rule("not_hidden", SURFACE | SHAPE | {"merged"}, SURFACE | SHAPE | {"vanished", "merged"}),
    Rule("merged", SURFACE | SHAPE, SURFACE | {"outline", "wobble", "merged"}),
    Rule("partly_vanished", SHAPE | SURFACE, frozenset({"outline", "wobble"})),
    Rule("joint", SHAPE | SURFACE, SHAPE - {"joint"}),
    Rule("shifted", SHAPE | SURFACE, frozenset({"outline", "shifted", "wobble", "rubber"})),
    Rule("rubber", SHAPE | SURFACE, SHAPE),
    Rule("outline", frozenset({"wobble", "text"}), frozenset({"outline", "wobble"})),
    Rule("material", SURFACE | {"sliding"}),
    Rule("boiling", frozenset({"text", "sliding", "flicker"})),
    Rule("sliding", frozenset({"text", "boiling", "material"})),
    Rule("text", frozenset({"material", "sliding", "boiling", "colour_drift"})),
    Rule("flicker", frozenset({"colour_drift", "boiling"})),
    Rule("colour_drift", frozenset({"flicker", "partly_vanished", "text", "boiling"})),
    Rule("wobble", frozenset({"text"})),
    Rule(
        "ghost",
        frozenset({"outline", "wobble", "intruder"}),
        frozenset({"outline", "wobble", "partly_vanished", "intruder", "ghost"}),
    ),
    Rule("intruder", frozenset({"outline", "wobble"})),
)
"""In this order: a cause that is found first takes its effects with it. Nothing else hides a finding."""
BENT = 0.14
"""A displacement that bends by this share of its size is a bend: a rigid part shows less, even by mistake."""
GAPING = 1.5
"""A displacement that is so many times as strong as what is gone has uncovered it."""
WITHIN = 0.6
EDGE = 2
EDGE_SIGNS = frozenset({"shifted", "outline", "colour_drift", "wobble"})


@dataclass
class Cause:
    """A span that stands as a finding, with the spans it explains."""

    span: Span
    explained: list[Span] = field(default_factory=list)


def touches(touching: Touching, a: str, b: str, first: int, last: int) -> bool:
    """True if the two parts meet in any of the frames first..last."""
    if a not in touching or b not in touching:
        return False
    return any(b in touching[a][i] or a in touching[b][i] for i in range(first, last + 1))


def explain(found: list[Span], touching: Touching) -> list[Cause]:
    """Sorts spans into causes and what they explain."""
    waiting = sorted(found, key=lambda s: -s.strength)
    causes: list[Cause] = []
    for rule in RULES:
        for span in [s for s in waiting if s.kind == rule.cause]:
            if span not in waiting or _waits(rule, span, waiting):
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


def _waits(rule: Rule, span: Span, waiting: list[Span]) -> bool:
    """True if a span is rather a sign of what comes later: a displacement of a bend, a gap of a large displacement."""
    for other in waiting:
        if other.part != span.part or other.overlap(span) < WITHIN:
            continue
        if rule.cause == "shifted" and other.kind == "rubber" and other.value >= BENT * span.value:
            return True
        if (
            rule.cause == "partly_vanished"
            and other.kind in ("shifted", "joint")
            and other.strength > GAPING * span.strength
        ):
            return True
    return False


def _widened(cause: Cause) -> Cause:
    """The cause's span, reaching out over up to EDGE frames in which only its milder signs show."""
    first, last = cause.span.first, cause.span.last
    for sign in cause.explained:
        if sign.part == cause.span.part and sign.kind in EDGE_SIGNS:
            first = min(first, max(sign.first, cause.span.first - EDGE))
            last = max(last, min(sign.last, cause.span.last + EDGE))
    return Cause(replace(cause.span, first=first, last=last), cause.explained)


def _explains(rule: Rule, cause: Span, other: Span, touching: Touching) -> bool:
    if other.overlap(cause) < WITHIN:
        return False
    if not cause.part or not other.part or cause.part == other.part:
        return other.kind in rule.effects or other.kind == cause.kind
    if other.kind not in rule.beside or (other.kind == cause.kind and other.strength > cause.strength):
        return False
    if other.part in cause.others or cause.part in other.others:
        return True
    return touches(
        touching, cause.part, other.part, max(cause.first, other.first), min(cause.last, other.last)
    )
