# SPDX-License-Identifier: GPL-3.0-or-later
"""From causes to what is said: findings, a verdict per part and for the take, one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .agree import Reading, agree
from .conform import Conformed, TakeFault
from .explain import Cause, explain
from .gates import Span, spans
from .limits import Limits
from .series import Series
from .signals import Signal, judged, signals

PHRASE = {
    "vanished": "vanished", "rubber": "bends", "wrong_motion": "moves wrongly", "shifted": "shifted", "outline": "outline changed",
    "colour_drift": "changed colour", "flicker": "flickers", "ghost": "doubled", "frame_map": "timing", "frame_shift": "picture shifted",
    "frame_size": "picture shape", "frozen": "stands still",
}  # fmt: skip
SENTENCE = {
    "vanished": "{part} is not there: its outline and its colours are missing where the render shows it.",
    "rubber": "{part} bends by {value:.1f} {unit} although it is rigid.",
    "wrong_motion": "{part} moves {value:.1f} {unit} a frame differently from the render.",
    "shifted": "{part} lies {value:.1f} {unit} away from where the render has it.",
    "outline": "The outline of {part} is not where the render has it over {value:.0%} of its length.",
    "colour_drift": "{part} changes its colour by {value:.0f} {unit} beyond what the light does.",
    "flicker": "{part} flickers by {value:.1f} {unit} from frame to frame.",
    "ghost": "A second {part} shows where the render has none.",
}
SUGGESTION = {
    "vanished": "Put the real part back in these frames.", "rubber": "Rerun this span with stronger control.",
    "wrong_motion": "Rerun this span with stronger control.", "shifted": "Put the real part back or rerun the span.",
    "outline": "Rerun this span with stronger edge control.", "colour_drift": "Hold the part's colour, or rerun the span.",
    "flicker": "Deflicker, or rerun the span.", "ghost": "Rerun this span.", "frame_map": "Re-time the take by the map found, or rerun it.",
    "frame_shift": "Move the take by the offset found.", "frame_size": "Ask the provider for the shot's own size.",
    "frozen": "Rerun this span.",
}  # fmt: skip
LENGTHS = frozenset({"px"})


@dataclass(frozen=True)
class Finding:
    """One fault. ``frames`` first and last take frame, ``worst`` the frame that shows it best, ``part`` empty for
    the whole picture; ``value``/``limit`` in ``unit`` (px at the take's own size); ``also`` what else it explains."""

    id: str
    part: str
    frames: tuple[int, int]
    worst: int
    kind: str
    severity: str
    confidence: float
    measure: str
    value: float
    limit: float
    unit: str
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
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> list[dict[str, Any]]:
        """Findings as the report's data holds them."""
        return [
            asdict(finding) | {"frames": list(finding.frames), "also": list(finding.also)}
            for finding in self.findings
        ]


def span_words(first: int, last: int) -> str:
    """ "21" or "21-28"."""
    return str(first) if first == last else f"{first}-{last}"


VOTELESS = frozenset({"vanished", "rubber", "shifted", "wrong_motion", "colour_drift", "outline"})
"""Frames in which a part shows one of these faults say nothing about that part in other frames."""


def judge(series: Series, readings: Mapping[str, Sequence[Sequence[Reading]]], conformed: Conformed, limits: Limits,
          width: int) -> Judgement:  # fmt: skip
    """Decides. ``width`` of the take turns lengths back into its own pixels."""
    agree(series, readings)
    for _ in range(2):
        agree(series, readings, _faulty(series, limits))
    table = {part: signals(series, part, limits) for part in series.parts}
    found = [span for by_kind in table.values() for signal in by_kind.values() for span in spans(signal)]
    index = {frame: i for i, frame in enumerate(series.frames)}
    found += [_take_span(fault, index) for fault in conformed.faults]
    causes = explain(found, series.touching)
    says = {(f.kind, f.measure): f.says for f in conformed.faults}
    findings = [_finding(i + 1, cause, series.frames, width, says) for i, cause in enumerate(causes)]
    parts = [_part(part, series, table[part], findings) for part in series.parts]
    verdict = "fail" if findings else "review" if any(p["verdict"] == "review" for p in parts) else "pass"
    return Judgement(
        verdict, _summary(verdict, findings, parts, series), parts, findings, table, conformed.notes
    )


def _faulty(series: Series, limits: Limits) -> dict[str, set[int]]:
    """Per part the frame positions of which its first reading says that something is wrong."""
    out: dict[str, set[int]] = {}
    for part in series.parts:
        found = [
            span
            for kind, signal in signals(series, part, limits).items()
            if kind in VOTELESS
            for span in spans(signal)
        ]
        strongest = sorted(found, key=lambda s: -s.strength)[:3]
        out[part] = {i for span in strongest for i in range(span.first, span.last + 1)}
        if len(out[part]) > len(series.frames) // 2:
            out[part] = set()
    return out


def _take_span(fault: TakeFault, index: dict[int, int]) -> Span:
    inside = [i for frame, i in index.items() if fault.first <= frame <= fault.last] or [0]
    return Span(
        "",
        fault.kind,
        fault.measure,
        fault.unit,
        inside[0],
        inside[-1],
        inside[len(inside) // 2],
        fault.value,
        fault.limit,
    )


def _finding(
    number: int, cause: Cause, frames: tuple[int, ...], width: int, says: dict[tuple[str, str], str]
) -> Finding:
    span = cause.span
    scale = width / 640 if span.unit in LENGTHS else 1.0
    value, limit = span.value * scale, span.limit * scale
    first, last = frames[span.first], frames[span.last]
    if span.part:
        sentence = SENTENCE[span.kind].format(part=span.part, value=value, unit=span.unit)
        sentence = f"{sentence[0].upper()}{sentence[1:]}" if not sentence.startswith(span.part) else sentence
    else:
        sentence = says[(span.kind, span.measure)]
        sentence = f"{sentence[0].upper()}{sentence[1:]}."
    also = tuple(
        f"{s.part}: {PHRASE[s.kind]} {span_words(frames[s.first], frames[s.last])}" for s in cause.explained
    )
    return Finding(
        f"f{number:02d}", span.part, (first, last), frames[span.worst], span.kind,
        "major" if span.strength > 1.5 or span.kind in ("vanished", "frame_map", "frozen") else "minor",
        _confidence(span),
        span.measure, round(value, 3), round(limit, 3), span.unit, sentence, SUGGESTION[span.kind], also,
    )  # fmt: skip


def _confidence(span: Span) -> float:
    """0.5..0.99: absence is a probability already; of the others, how far they are over their limit."""
    sure = span.value if span.kind == "vanished" else 1 - 0.5 * float(np.exp(-1.5 * (span.strength - 1)))
    return round(float(np.clip(sure, 0.5, 0.99)), 2)


def _part(part: str, series: Series, table: dict[str, Signal], findings: list[Finding]) -> dict[str, str]:
    mine = [f for f in findings if f.part == part]
    if mine:
        why = ", ".join(f"{PHRASE[f.kind]} {span_words(*f.frames)}" for f in mine)
        return {"name": part, "verdict": "fail", "why": why}
    shown = np.isfinite(judged(series.of[part]))
    if not shown.any():
        return {"name": part, "verdict": "pass", "why": "never visible enough to judge; nothing expected"}
    known = {
        k: float((np.isfinite(table[k].values) & shown).sum() / shown.sum())
        for k in ("vanished", "rubber", "outline")
    }
    if known["vanished"] < 0.5:
        why = "can't tell whether it is there: too small or no contrast in the render; a closer camera or another background would show it"
        return {"name": part, "verdict": "review", "why": why}
    if max(known["rubber"], known["outline"]) < 0.5:
        why = "can't tell whether it bends: no texture and no clear outline; more surface detail or contrast would show it"
        return {"name": part, "verdict": "review", "why": why}
    return {"name": part, "verdict": "pass", "why": f"holds in all {int(shown.sum())} frames that show it"}


def _summary(verdict: str, findings: list[Finding], parts: list[dict[str, str]], series: Series) -> str:
    if verdict == "fail":
        listed = [
            f"{(f.part + ' ') if f.part else ''}{PHRASE[f.kind]} {span_words(*f.frames)}" for f in findings
        ]
        more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
        return f"fail: {', '.join(listed[:4])}{more}"
    if verdict == "review":
        return "review: can't tell about " + ", ".join(p["name"] for p in parts if p["verdict"] == "review")
    return f"pass: {', '.join(series.parts)} hold over {len(series.frames)} frames"
