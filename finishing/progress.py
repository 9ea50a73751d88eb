# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an attempt helped: reports compared, the better take chosen, what did not help remembered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..pipeline.words import NOT_A_FAULT
from .plan import overlap
from .price import price_words

_WEIGHTS = {"major": 1.0, "minor": 0.3, "unsure": 0.1}
_WORST = 4.0
_STRONGER = 1.25
"""From this many times its value a fault has become stronger."""


@dataclass(frozen=True)
class Standing:
    """A take in the line of repairs: its own digest data, its report's data, ``None`` where it was not validated."""

    name: str
    parent: str
    spans: Sequence[Mapping[str, Any]]
    report: Mapping[str, Any] | None
    fallback: bool = False


@dataclass(frozen=True)
class Line:
    """Where a line of repairs stands: the take to go on from, what was tried on it in vain, how many attempts there
    were, and whether the fallback was."""

    base: Standing
    history: tuple[Mapping[str, Any], ...]
    attempts: int
    fell_back: bool


def cost(report: Mapping[str, Any], words: Mapping[str, str] | None = None) -> float:
    """How bad a take is: frames at fault, by how far beyond the limit and how serious. 0 for one that passed."""
    if report["verdict"] == "pass":
        return 0.0
    said = words or {}
    open_faults = [each for each in report["findings"] if said.get(str(each["id"])) != NOT_A_FAULT]
    return sum((_badness(finding) for finding in open_faults), 0.01)


def _badness(finding: Mapping[str, Any]) -> float:
    first, last = finding["frames"]
    limit, value = float(finding.get("limit") or 0), abs(float(finding.get("value") or 0))
    beyond = min(max(value / limit, 1.0), _WORST) if limit > 0 else 1.0
    return float((last - first + 1) * beyond * _WEIGHTS.get(str(finding.get("severity")), 0.3))


def made_worse(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What an attempt spoilt: faults that were not there, or that became stronger. In words."""
    said = []
    for finding in after["findings"]:
        old = [other for other in before["findings"] if _alike(finding, other)]
        name = f"{finding.get('part') or 'picture'} {finding.get('title') or finding['kind']}"
        where = f"{finding['frames'][0]}-{finding['frames'][1]}"
        if not old:
            said.append(f"new: {name} {where}")
        elif _badness(finding) > _STRONGER * max(_badness(other) for other in old):
            said.append(f"stronger: {name} {where}")
    return said


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    same = (one.get("part") or "") == (other.get("part") or "") and one["kind"] == other["kind"]
    return same and overlap(one["frames"], other["frames"])


def in_vain(attempt: Standing) -> list[Mapping[str, Any]]:
    """The spans of an attempt that was given up whose part still has a fault there; what helped may be done again."""
    found = attempt.report["findings"] if attempt.report else []

    def failed(span: Mapping[str, Any]) -> bool:
        names = {str(span.get("part") or ""), *map(str, span.get("parts") or ())}
        return any(
            overlap(span["frames"], finding["frames"])
            and (str(finding.get("part") or "") in names or "" in names)
            for finding in found
        )

    return [span for span in attempt.spans if span.get("refused") or attempt.report is None or failed(span)]


def line_from(root: Standing, others: Iterable[Standing]) -> Line:
    """Goes from ``root`` to the better child as long as there is one. A take without a report does not count yet.

    What a given-up attempt tried in vain on the base, or on a take on the way to it, is not tried again.
    """
    rest = list(others)
    base, history = root, list[Mapping[str, Any]]()
    while True:
        children = [each for each in rest if each.parent == base.name and each.report is not None]
        better = [each for each in children if cost(_of(each)) < cost(_of(base))]
        best = min(better, key=lambda each: cost(_of(each)), default=None)
        for child in children:
            if child is not best:
                history += in_vain(child)
        if best is None:
            break
        base = best
    attempts = [each for each in rest if each.report is not None and not each.fallback]
    return Line(base, tuple(history), len(attempts), any(each.fallback for each in rest))


def _of(standing: Standing) -> Mapping[str, Any]:
    return standing.report or {"verdict": "fail", "findings": []}


@dataclass(frozen=True)
class Limits:
    """What stops the loop: ``attempts`` in all, ``minutes`` of one run (0: no limit), ``budget`` micros."""

    attempts: int
    minutes: float
    budget: int

    def reached(self, attempts: int, seconds: float, spent: int, next_cost: int | None) -> str:
        """Why the loop must stop, as a phrase; empty if it may go on. An unknown price is over every budget."""
        if attempts >= self.attempts:
            return f"{attempts} attempts were made"
        if self.minutes and seconds > 60 * self.minutes:
            return f"{self.minutes:g} minutes are over"
        if next_cost is None:
            return "the price of the next attempt is unknown"
        if next_cost and spent + next_cost > self.budget:
            return f"the next attempt would cost {price_words(next_cost)}, which is over the budget"
        return ""
