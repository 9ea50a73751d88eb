# SPDX-License-Identifier: GPL-3.0-or-later
"""The protected composite: when nothing else helped, every faulty part is put back wherever it is at fault."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ..pipeline.manifest import Manifest
from ..pipeline.words import ACCEPTED, NOT_A_FAULT, REJECTED, UNSURE
from .ladder import RESTORE, Situation, parts_of, refusal
from .plan import (
    SCHEMA,
    Action,
    Circumstances,
    as_json,
    as_kind,
    plan_inputs,
    plan_settings,
    summary,
)


def fallback_plan(
    report: Manifest, take: Manifest, now: Circumstances, stop: str, off: Collection[str] = ()
) -> Manifest | None:
    """A plan that puts every faulty part back over all of its faulty frames; None if no fault is of a part.
    ``stop`` says why nothing else is tried; findings that are ``off`` are left alone."""
    findings = [
        finding
        for finding in report.data["findings"]
        if str(finding["id"]) not in off and _open(finding, now)
    ]
    spans: dict[str, tuple[int, int]] = {}
    of: dict[str, Mapping[str, Any]] = {}
    for finding in findings:
        for part in parts_of(finding):
            first, last = (int(value) for value in finding["frames"])
            before = spans.get(part, (first, last))
            spans[part], of[part] = (min(before[0], first), max(before[1], last)), finding
    if not spans:
        return None
    actions = [_back(part, spans[part], of[part], take, now, stop) for part in sorted(spans)]
    data = {
        "take": take.data["take"], "actions": [as_json(action) for action in actions], "summary": summary(actions),
        "choices": {}, "edited": False, "fallback": True, "because": stop,
    }  # fmt: skip
    return Manifest(SCHEMA, plan_settings(now), plan_inputs(report, take), data)


def _open(finding: Mapping[str, Any], now: Circumstances) -> bool:
    can = not refusal(RESTORE, finding, Situation(can_rerun=False, whole=False))
    word = now.words.get(str(finding["id"]))
    if finding.get("severity") == UNSURE and word != ACCEPTED:
        return False
    return can and word not in (NOT_A_FAULT, REJECTED)


def _back(
    part: str,
    span: tuple[int, int],
    finding: Mapping[str, Any],
    take: Manifest,
    now: Circumstances,
    stop: str,
) -> Action:
    why = (
        f"{stop[0].upper()}{stop[1:]}: the real part goes back"
        if stop
        else "Nothing else helped: the real part goes back"
    )
    action = Action(str(finding["id"]), RESTORE, part, span, 0, str(finding["kind"]), why + ".")
    made = as_kind(action, RESTORE, finding, take, now)
    return replace(made, settings={"parts": [part]})
