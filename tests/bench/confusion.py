# SPDX-License-Identifier: GPL-3.0-or-later
"""How well findings answer planted faults: confusion by kind, right part and frames, dose at detection, AUC.

A take is (planted faults, findings). A finding is a mapping with ``kind``, ``part``, ``others`` and ``frames`` as in
report.json; frames of both are in the same numbers, inclusive.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NOTHING = "(nothing)"
Finding = Mapping[str, Any]

KIND_OF: dict[str, tuple[str, ...]] = {
    "vanish": ("vanished",), "vanish_partial": ("partly_vanished",), "not_back": ("not_back", "vanished"), "not_hidden": ("not_hidden",),
    "ghost": ("ghost",), "intruder": ("intruder",), "swap": ("swapped",), "merge": ("merged",), "shift": ("shifted",),
    "scale": ("scaled",), "turn": ("turned", "joint"), "outline": ("outline",), "wobble": ("wobble",), "rubber": ("rubber",),
    "wrong_motion": ("wrong_motion", "joint"), "joint": ("joint",), "slip": ("joint", "wrong_motion", "shifted"), "colour": ("colour_drift",),
    "material": ("material",), "text": ("text", "readable"), "flicker": ("flicker",), "boil": ("boiling",), "slide": ("sliding",),
    "lag": ("frame_map",), "drop": ("frame_map",), "retime": ("frame_map",), "duplicate": ("frame_map", "frozen"), "freeze": ("frozen", "frame_map"),
    "crop": ("frame_fit",), "zoom": ("frame_fit",), "offset": ("frame_fit",), "limited_range": ("colour_range",), "full_range": ("colour_range",),
}  # fmt: skip
"""What a planted fault is rightly called, the best word first."""


@dataclass(frozen=True)
class Planted:
    """``kind`` as the tuning takes call it; ``part`` "" for a fault of the take; ``other`` the second part of a pair."""

    kind: str
    part: str
    frames: tuple[int, int]
    other: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return KIND_OF.get(self.kind, (self.kind,))


@dataclass(frozen=True)
class Answer:
    """The finding that answers a planted fault best, None if none does, and what of it is right."""

    planted: Planted
    finding: Finding | None
    part: bool = False
    kind: bool = False
    frames: bool = False

    @property
    def right(self) -> bool:
        return self.part and self.kind and self.frames


@dataclass
class Tally:
    """Of many takes: every answer, and the findings that answer nothing."""

    answers: list[Answer] = field(default_factory=list)
    false: list[Finding] = field(default_factory=list)

    @property
    def detected(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.finding is not None]

    def shares(self) -> dict[str, float]:
        """``detected`` of all; ``part``, ``kind``, ``frames`` and ``all`` three right, of those detected."""
        found = self.detected
        out = {"detected": share(len(found), len(self.answers))}
        for name in ("part", "kind", "frames"):
            out[name] = share(sum(getattr(answer, name) for answer in found), len(found))
        return {**out, "all": share(sum(answer.right for answer in found), len(found))}

    def matrix(self) -> Counter[tuple[str, str]]:
        """(planted kind, kind that was said) -> how often; a false finding is said of `NOTHING`."""
        said = Counter(
            (a.planted.kind, NOTHING if a.finding is None else str(a.finding["kind"])) for a in self.answers
        )
        return said + Counter((NOTHING, str(finding["kind"])) for finding in self.false)


def share(count: float, of: float) -> float:
    return count / of if of else float("nan")


def answer(planted: Sequence[Planted], findings: Sequence[Finding], slack: int = 1) -> Tally:
    """Each finding answers at most one fault: the best pair first. Frames are right within ``slack`` on both ends."""
    pairs = sorted(
        ((_score(p, f, slack), i, j) for i, p in enumerate(planted) for j, f in enumerate(findings) if _meet(p, f, slack)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )  # fmt: skip
    of: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in of and j not in of.values():
            of[i] = j
    tally = Tally()
    for i, fault in enumerate(planted):
        finding = findings[of[i]] if i in of else None
        right = (False,) * 3 if finding is None else _right(fault, finding, slack)
        tally.answers.append(Answer(fault, finding, *right))
    tally.false = [finding for j, finding in enumerate(findings) if j not in of.values()]
    return tally


def answers(takes: Iterable[tuple[Sequence[Planted], Sequence[Finding]]], slack: int = 1) -> Tally:
    """`answer` over many takes."""
    total = Tally()
    for planted, findings in takes:
        one = answer(planted, findings, slack)
        total.answers += one.answers
        total.false += one.false
    return total


def _meet(planted: Planted, finding: Finding, slack: int) -> bool:
    first, last = finding["frames"]
    return first <= planted.frames[1] + slack and last >= planted.frames[0] - slack


def _right(planted: Planted, finding: Finding, slack: int) -> tuple[bool, bool, bool]:
    """(part, kind, frames). Of a pair either part may be named first."""
    said = {str(finding["part"]), *map(str, finding.get("others", ()))}
    named = (
        planted.part in said if planted.other in ("", None) else bool({planted.part, planted.other} & said)
    )
    first, last = finding["frames"]
    near = abs(first - planted.frames[0]) <= slack and abs(last - planted.frames[1]) <= slack
    return named, str(finding["kind"]) in planted.names, near


def _score(planted: Planted, finding: Finding, slack: int) -> float:
    part, kind, near = _right(planted, finding, slack)
    first, last = max(finding["frames"][0], planted.frames[0]), min(finding["frames"][1], planted.frames[1])
    long = max(finding["frames"][1], planted.frames[1]) - min(finding["frames"][0], planted.frames[0]) + 1
    return 4 * part + 2 * kind + near + max(0, last - first + 1) / long


def table(matrix: Mapping[tuple[str, str], int]) -> str:
    """The confusion matrix as text: a row a planted kind, a column a kind that was said."""
    rows = [*sorted({row for row, _ in matrix if row != NOTHING}), NOTHING]
    order = [name for row in rows for name in KIND_OF.get(row, ())]
    columns = sorted(
        {column for _, column in matrix if column != NOTHING}, key=lambda name: [*order, name].index(name)
    )
    columns.append(NOTHING)
    width = max(len(name) for name in rows) + 1
    lines = [f"{'planted':{width}}" + "".join(f"{number + 1:>5}" for number in range(len(columns)))]
    lines += [
        f"{row:{width}}" + "".join(f"{matrix.get((row, column), 0) or '.':>5}" for column in columns)
        for row in rows if any(key[0] == row for key in matrix)
    ]  # fmt: skip
    return "\n".join([*lines, "said: " + ", ".join(f"{i + 1} {name}" for i, name in enumerate(columns))])


def isotonic(values: Sequence[float], weights: Sequence[float]) -> np.ndarray:
    """The rising sequence nearest to ``values`` in weighted squares (pool adjacent violators)."""
    pools: list[list[float]] = []
    for value, weight in zip(values, weights, strict=True):
        pools.append([float(value), float(weight), 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            b, a = pools.pop(), pools.pop()
            total = a[1] + b[1]
            mean = (a[0] * a[1] + b[0] * b[1]) / total if total else (a[0] + b[0]) / 2
            pools.append([mean, total, a[2] + b[2]])
    return np.repeat([pool[0] for pool in pools], [int(pool[2]) for pool in pools])


def dose_at(doses: Sequence[float], detected: Sequence[bool], wanted: float) -> float:
    """The dose at which a share ``wanted`` is detected: rising with the dose, straight between logarithms of doses.

    The smallest dose where that already reaches it (then "at most" it); NaN where the largest does not.
    """
    levels = sorted(set(doses))
    rows = [[bool(d) for dose, d in zip(doses, detected, strict=True) if dose == level] for level in levels]
    if not rows:
        return float("nan")
    rates = isotonic([float(np.mean(row)) for row in rows], [len(row) for row in rows])
    if rates[-1] < wanted:
        return float("nan")
    at = int(np.argmax(rates >= wanted))
    if at == 0:
        return float(levels[0])
    low, high = np.log(levels[at - 1]), np.log(levels[at])
    part = (wanted - rates[at - 1]) / (rates[at] - rates[at - 1])
    return float(np.exp(low + part * (high - low)))


def auc(faulty: Sequence[float], clean: Sequence[float]) -> float:
    """Chance that a faulty value is above a clean one, ties half; NaNs are left out."""
    high, low = (np.sort(np.asarray(v, np.float64)[np.isfinite(v)]) for v in (faulty, clean))
    if not len(high) or not len(low):
        return float("nan")
    below, upto = np.searchsorted(low, high, "left"), np.searchsorted(low, high, "right")
    return float((below + upto).sum() / 2 / (len(high) * len(low)))


def false_rate(false: int, parts: int, frames: int, fps: float) -> float:
    """False findings in 1000 part-seconds of clean takes."""
    return share(1000 * false * fps, parts * frames)


def report(tally: Tally) -> str:
    """The matrix and the shares, for people."""
    shares = ", ".join(f"{name} {value:.1%}" for name, value in tally.shares().items())
    return (
        f"{table(tally.matrix())}\n{len(tally.answers)} faults: {shares}; {len(tally.false)} false findings"
    )
