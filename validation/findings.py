# SPDX-License-Identifier: GPL-3.0-or-later
"""From causes to what is said: findings, a verdict per part and for the take, one sentence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..pipeline.intent import Intent
from ..pipeline.words import UNSURE
from .conform import Conformed, TakeFault
from .explain import Cause
from .gates import LEAST_FRAMES, Span
from .judge import Found, find
from .kinds import BY_NAME, phrase
from .limits import Limits
from .series import Series
from .signals import PX, Signal, judged

GRAVE = frozenset({"vanished", "not_back", "swapped", "frame_map", "frozen", "frames_missing", "black"})
LEAST_DECIDABLE = 0.5


@dataclass(frozen=True)
class Finding:
    """One fault. ``frames`` first and last take frame, ``worst`` the frame that shows it best, ``part`` empty for
    the whole picture, ``others`` parts that it is against; ``value``/``limit`` in ``unit`` (px of a picture 1920
    wide), ``mm`` at the part; ``where`` x, y, w, h in shares of the picture; ``also`` what else it explains."""

    id: str
    part: str
    others: tuple[str, ...]
    frames: tuple[int, int]
    worst: int
    kind: str
    title: str
    severity: str
    confidence: float
    measure: str
    value: float
    limit: float
    unit: str
    mm: float | None
    where: tuple[float, float, float, float] | None
    says: str
    suggestion: str
    also: tuple[str, ...] = ()
    crop: str = ""


@dataclass
class Judgement:
    """Everything decided about a take."""

    verdict: str
    summary: str
    parts: list[dict[str, str]]
    findings: list[Finding]
    signals: dict[str, dict[str, Signal]]
    found: Found
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> list[dict[str, Any]]:
        """Findings as the report's data holds them."""
        lists = ("frames", "also", "others", "where")
        return [
            {
                key: list(value) if key in lists and value is not None else value
                for key, value in asdict(finding).items()
            }
            for finding in self.findings
        ]


def span_words(first: int, last: int) -> str:
    """ "21" or "21-28"."""
    return str(first) if first == last else f"{first}-{last}"


def judge(series: Series, conformed: Conformed, limits: Limits, intent: Intent, criteria: Sequence[TakeFault] = (),
          least: int = LEAST_FRAMES) -> Judgement:  # fmt: skip
    """Decides. ``criteria`` are what the prompt contract's own checks found; a fault lasts ``least`` frames."""
    index = {frame: i for i, frame in enumerate(series.frames)}
    faults = [*_lasting(conformed), *criteria]
    found = find(series, limits, intent, [_take_span(fault, index) for fault in faults], least)
    says = {(f.kind, f.measure, getattr(f, "part", ""), f.first): f.says for f in faults}
    findings = [_finding(i + 1, cause, series, says, limits) for i, cause in enumerate(found.causes)]
    parts = [_part(part, series, found.table[part], findings) for part in series.parts]
    worst = {*(_weighs(finding) for finding in findings), *(p["verdict"] for p in parts)}
    verdict = next(word for word in ("fail", "review", "pass") if word in worst)
    return Judgement(
        verdict,
        _summary(verdict, findings, parts, series),
        parts,
        findings,
        found.table,
        found,
        conformed.notes,
    )


def _lasting(conformed: Conformed) -> list[TakeFault]:
    """The faults of the take but for one or two single frames that repeat the one before: in a flat look that moves
    little they may be its own. They are noted."""
    single = [fault for fault in conformed.faults if fault.kind == "frozen" and fault.first == fault.last]
    if not single or len(single) >= LEAST_FRAMES:
        return conformed.faults
    frames = " and ".join(str(fault.first) for fault in single)
    conformed.notes.append(f"Frame {frames} repeats the one before; too little to call it a fault.")
    return [fault for fault in conformed.faults if fault not in single]


def _take_span(fault: TakeFault, index: dict[int, int]) -> Span:
    inside = [i for frame, i in index.items() if fault.first <= frame <= fault.last] or [0]
    middle = index.get(getattr(fault, "worst", 0), inside[len(inside) // 2])
    part = str(getattr(fault, "part", ""))
    return Span(
        part, fault.kind, fault.measure, fault.unit, inside[0], inside[-1], middle, fault.value, fault.limit
    )


def _weighs(finding: Finding) -> str:
    return "review" if finding.severity == UNSURE else "fail"


def severity_of(cause: Cause, limits: Limits, count: int) -> str:
    """major, minor, or unsure if neither the fault nor any sign of it at that part is enough to fail a take of
    ``count`` frames."""
    own = [sign for sign in (cause.span, *cause.explained) if sign.part == cause.span.part]
    if not any(limits.sure(s.kind, s.strength, s.first == 0 or s.last == count - 1) for s in own):
        return UNSURE
    return "major" if cause.span.strength > 1.5 or cause.span.kind in GRAVE else "minor"


def _finding(
    number: int, cause: Cause, series: Series, says: dict[tuple[str, str, str, int], str], limits: Limits
) -> Finding:
    span, frames = cause.span, series.frames
    kind = BY_NAME[span.kind]
    first, last = frames[span.first], frames[span.last]
    of = (span.kind, span.measure, span.part)
    said = next((text for (*key, _), text in says.items() if tuple(key) == of), "")
    exact = says.get((*of, first), said)
    mm = _millimetres(span, series)
    words = kind.sentence.format(
        part=span.part, others=" and ".join(span.others), value=span.value, limit=span.limit, unit=span.unit,
        mm="" if mm is None else f"{mm:.1f} mm",
        amount=f"over {span.value:.0%} of its length" if span.unit == "share" else f"by {span.value:.1f} px",
    ).replace(" ()", "")  # fmt: skip
    sentence = words if kind.sentence else f"{exact.rstrip('.')}."
    severity = severity_of(cause, limits, len(frames))
    also = tuple(
        f"{s.part}: {phrase(s.kind)} {span_words(frames[s.first], frames[s.last])}" for s in cause.explained
    )
    return Finding(
        f"f{number:02d}", span.part, span.others, (first, last), frames[span.worst], span.kind, kind.phrase,
        severity, _confidence(span), span.measure,
        round(span.value, 3), round(span.limit, 3), span.unit, mm, _where(span, series),
        sentence[:1].upper() + sentence[1:] if not sentence.startswith(span.part or "\0") else sentence,
        perhaps(kind.suggestion) if severity == UNSURE else kind.suggestion, also,
    )  # fmt: skip


def perhaps(suggestion: str) -> str:
    """What to do about a finding that is not sure."""
    return f"Good takes may show this little too: look, and say whether it is a fault. If so: {suggestion[:1].lower()}{suggestion[1:]}"


def _millimetres(span: Span, series: Series) -> float | None:
    """Lengths at the part's distance; None for what is not a length or has no part."""
    if span.unit == "mm":
        return round(span.value, 2)
    if span.unit != "px" or not span.part:
        return None
    focal = series.of[span.part]["focal"][span.worst]
    return round(1000 * span.value / PX / focal, 2) if np.isfinite(focal) and focal > 0 else None


def _where(span: Span, series: Series) -> tuple[float, float, float, float] | None:
    if span.kind not in ("ghost", "intruder") or not span.part:
        return None
    of = series.of[span.part]
    new = span.kind == "intruder" or of["new_like"][span.worst] > of["ghost"][span.worst]
    which = "new" if new else "ghost"
    x, y, side = (
        of[f"{which}_x"][span.worst],
        of[f"{which}_y"][span.worst],
        2 * of["radius"][span.worst] / 640,
    )
    if not np.isfinite([x, y, side]).all():
        return None
    return (
        round(float(x - side / 2), 4),
        round(float(y - side), 4),
        round(float(side), 4),
        round(float(2 * side), 4),
    )


def _confidence(span: Span) -> float:
    """0.5..0.99: absence is a probability already; of the others, how far they are over their limit."""
    absent = span.kind in ("vanished", "not_back")
    sure = span.value if absent else 1 - 0.5 * float(np.exp(-1.5 * (span.strength - 1)))
    return round(float(np.clip(sure, 0.5, 0.99)), 2)


def _part(part: str, series: Series, table: dict[str, Signal], findings: list[Finding]) -> dict[str, str]:
    mine = [f for f in findings if part in (f.part, *f.others)]
    if mine:
        sure = [f for f in mine if f.severity != UNSURE]
        why = ", ".join(f"{f.title} {span_words(*f.frames)}" for f in sure or mine)
        if sure:
            return {"name": part, "verdict": "fail", "why": why, "decidable_by": ""}
        how = "Look at these frames, then accept the finding or say that it is no fault."
        return {
            "name": part,
            "verdict": "review",
            "why": f"perhaps {why}: too little to be sure",
            "decidable_by": how,
        }
    shown = np.isfinite(judged(series.of[part]))
    if not shown.any():
        why = "never visible enough to judge; nothing is expected of it"
        return {"name": part, "verdict": "pass", "why": why, "decidable_by": ""}
    known = {
        k: float((np.isfinite(table[k].values) & shown).sum() / shown.sum()) for k in ("vanished", "shifted")
    }
    small = float(np.nanmedian(series.of[part]["visible_px"])) < 2 * 40
    if known["vanished"] < LEAST_DECIDABLE:
        why = "can't tell whether it is there: " + (
            "it is too small" if small else "it has no contrast to what is around it"
        )
        how = (
            "A closer camera."
            if small
            else "Another light or background, so that its outline shows in the render."
        )
        return {"name": part, "verdict": "review", "why": why, "decidable_by": how}
    if known["shifted"] < LEAST_DECIDABLE:
        why = "can't tell whether it moves or bends: it has neither a clear outline nor texture in the take"
        return {
            "name": part,
            "verdict": "review",
            "why": why,
            "decidable_by": "More surface detail, or more contrast to what is behind it.",
        }
    return {
        "name": part,
        "verdict": "pass",
        "why": f"holds in all {int(shown.sum())} frames that show it",
        "decidable_by": "",
    }


def _summary(verdict: str, findings: list[Finding], parts: list[dict[str, str]], series: Series) -> str:
    if verdict == "fail":
        sure = [f for f in findings if f.severity != UNSURE]
        listed = [f"{(f.part + ' ') if f.part else ''}{f.title} {span_words(*f.frames)}" for f in sure]
        more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
        return f"fail: {', '.join(listed[:4])}{more}"
    if verdict == "review":
        perhaps = [f"{(f.part + ' ') if f.part else ''}{f.title} {span_words(*f.frames)}" for f in findings]
        asked = {name for f in findings for name in (f.part, *f.others)}
        unknown = [p["name"] for p in parts if p["verdict"] == "review" and p["name"] not in asked]
        said = [f"perhaps {', '.join(perhaps)}"] if perhaps else []
        said += [f"can't tell about {', '.join(unknown)}"] if unknown else []
        return f"review: {'; '.join(said)}"
    return f"pass: {', '.join(series.parts)} hold over {len(series.frames)} frames"
