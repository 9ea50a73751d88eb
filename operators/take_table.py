# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes of a shot beside each other: verdict, permanence, cost, time. Made when files change, drawn by the panel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.words import Word, open_findings, permanence, verdict_with


@dataclass(frozen=True)
class TakeRow:
    """One take. ``verdict`` of the machine and ``with_word`` of the person are pass, fail, review, or empty if it was
    not checked; ``permanence`` 0..1 and ``findings`` count what is no false alarm; ``stale`` says why the report is old.
    """

    name: str
    verdict: str = ""
    with_word: str = ""
    findings: int = 0
    permanence: float | None = None
    cost_micros: int | None = None
    """None where nobody wrote it down."""
    seconds: float = 0.0
    look: str = ""
    provider: str = ""
    parent: str = ""
    coarse: bool = False
    stale: str = ""


def row(
    take: Manifest, report: Manifest | None, words: Sequence[Word], truth: str, wanted: Mapping[str, Any]
) -> TakeRow:
    """``truth`` is the digest of the ground truth, ``wanted`` the settings that a fresh report has."""
    data = take.data
    plain = TakeRow(
        name=str(data["take"]),
        look=str(data.get("look") or ""),
        provider=str(data.get("provider") or ""),
        parent=str(data.get("parent") or ""),
        cost_micros=_cost(take),
        seconds=float(take.made.get("seconds") or 0.0),
    )
    if report is None:
        return plain
    return replace(
        plain,
        verdict=str(report.data["verdict"]),
        with_word=verdict_with(report.data, words),
        findings=len(open_findings(report.data, words)),
        permanence=permanence(report.data, words),
        coarse=report.data.get("stage") == "coarse",
        stale=stale_reason(report, wanted, {"truth": truth, "take": take.digest}) or "",
    )


def _cost(take: Manifest) -> int | None:
    """What the take cost, in micros; the rehearsal is free."""
    for place in (take.data, take.made):
        if place.get("cost_micros") is not None:
            return int(place["cost_micros"])
    return 0 if take.data.get("provider") == "rehearsal" else None
