# SPDX-License-Identifier: GPL-3.0-or-later
"""Derives the limits of Validate from measured tuning takes and prints how well each fault is told.

    python -m tests.bench.tune_validation MEASURED [--write] [--unseen-scenes a,b] [--unseen-looks c,d] [--real FOLDER ...]

A limit is what the clean takes need: the largest, over all clean part-takes, of the lowest of three consecutive frames
(that is what a finding needs), times MARGIN, at least the floor. Tables are of scenes *and* looks that set no limit.
``--real`` adds measured takes of rendered shots that are known to be right (made by ``collect_real``).
"""

import argparse
import json
import pickle
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from holdfast.pipeline.intent import Intent
from holdfast.pipeline.words import UNSURE
from holdfast.validation.findings import severity_of
from holdfast.validation.judge import Found, find
from holdfast.validation.kinds import BY_NAME
from holdfast.validation.limits import FILE, Limits, load_limits
from holdfast.validation.pairs import pair_signals
from holdfast.validation.signals import ADAPT_AT_MOST, Signal, of_links, read

from .confusion import KIND_OF, Planted, answers, auc, report
from .tuning import Fault
from .tuning.faults import envelope

MARGIN = 1.15
LEAST_ABSENT = 20
"""Takes with a part missing that the weights of absence must be fitted on; of fewer they learn the takes."""
FLOORS = {"vanished": 0.8, "partly_vanished": 0.15, "rubber": 0.7, "joint": 1.8, "joint_mm": 0.6, "shifted": 1.5, "outline": 1.5, "outline_lost": 0.16,
          "wobble": 0.9, "sliding": 2.0, "text": 0.2, "material": 0.5, "boiling": 0.22, "flicker": 2.2, "colour_drift": 6.0,
          "ghost": 0.2, "intruder": 0.2, "swapped": 0.1, "merged": 0.3, "not_hidden": 0.06}  # fmt: skip
"""Below these nobody would call it a fault, whatever the noise allows."""
CAPS = {
    "rubber": 1.0,
    "colour_drift": 9.0,
    "wobble": 2.4,
    "material": 0.8,
    "text": 0.35,
    "sliding": 4.0,
    "flicker": 2.5,
    "outline": 2.5,
    "outline_lost": 0.2,
}
"""No limit may hide a dose that everybody sees; where a look's noise asks for more, its false alarms are counted."""
FIXED = frozenset({"vanished", "swapped", "merged", "not_hidden"})
"""Limits of scores that mean something by themselves."""
NAMED = {("joint", "mm"): "joint_mm", ("outline", "share"): "outline_lost"}
"""Limits of signals that are told in one of two units."""
PRESENCE = ("lost", "null", "ratio", "gone", "unlike")
SIGNS = np.array([1, -1, -1, 1, 1])
NEUTRAL = {"lost": 0.5, "null": 2.0, "ratio": 0.6, "gone": 0.3, "unlike": 0.3}
Record = dict[str, Any]


def lowest_of_three(values: np.ndarray) -> np.ndarray:
    if len(values) < 3:
        return np.zeros(0)
    three = np.stack([values[:-2], values[1:-1], values[2:]])
    return three.min(0)[np.isfinite(three).all(0)]


def needed(signal: Signal, margin: float) -> float:
    """The limit that a clean part-take needs, given that its own noise raises it up to twice."""
    lows, known = lowest_of_three(signal.values), signal.values[np.isfinite(signal.values)]
    if not len(lows):
        return 0.0
    if margin > 0 and len(known) >= 8:
        usual = float(np.median(known))
        reach = usual + margin * 1.4826 * float(np.median(np.abs(known - usual)))
        lows = np.where(lows <= reach, lows / ADAPT_AT_MOST, lows)
    return float(lows.max())


_found: dict[tuple[int, int], Found] = {}


def found_of(record: Record, limits: Limits) -> Found:
    """What is found in a take, once for all tables."""
    key = id(record), id(limits)
    if key not in _found:
        _found[key] = find(record["series"], limits, Intent(), [])
    return _found[key]


def signals_of(record: Record, limits: Limits) -> dict[str, dict[str, Signal]]:
    """Signals before any frame is known to be at fault: what a clean take's noise asks of the limits."""
    series = record["series"]
    table = {part: dict(read(series, part, limits, Intent()).signals) for part in series.parts}
    for part, more in pair_signals(series, limits, {p: frozenset() for p in series.parts}).items():
        table[part].update(more)
    return table


def derive(clean: Iterable[Record], limits: Limits) -> dict[str, tuple[float, str]]:
    """Limit by kind, and the part-take that asked for it."""
    most = {kind: (FLOORS[kind], "floor") for kind in FLOORS}
    for record in clean:
        for part, table in signals_of(record, limits).items():
            for kind, signal in table.items():
                name = NAMED.get((kind, signal.unit), kind)
                margin = limits.of[name].margin if kind not in ("joint", "ghost", "swapped") else 0.0
                value = MARGIN * needed(signal, margin)
                if name not in FIXED and value > most[name][0]:
                    most[name] = (
                        round(min(value, CAPS.get(name, value)), 3),
                        f"{record['scene']} {record['look']} {part}",
                    )
    return most


def with_limits(limits: Limits, values: dict[str, tuple[float, str]]) -> Limits:
    return replace(
        limits, of={k: replace(v, value=values[k][0]) if k in values else v for k, v in limits.of.items()}
    )


def fit_presence(records: list[Record]) -> dict[str, Any]:
    """Logistic weights by gradient steps on log-weights; signs are fixed by what each measure means."""
    rows, marks = [], []
    for record in records:
        if record["fault"] not in (
            "clean",
            "vanish",
            "shift",
            "rubber",
            "colour",
            "material",
            "turn",
            "not_back",
        ):
            continue
        series = record["series"]
        absent = record["fault"] in ("vanish", "not_back")
        first, last = record["frames"] or (0, len(series.frames) - 1)
        away = frozenset(range(first, last + 1)) if absent else frozenset()
        for part in [record["part"]] if record["part"] else series.parts:
            of, links = series.of[part], series.links[part]
            gone = of_links(len(series.frames), links, "gone", False, True, away)
            unlike = of_links(len(series.frames), links, "unlike", False, False, away)
            table = {
                "lost": of["lost"],
                "null": of["null"],
                "ratio": of["ratio"],
                "gone": gone,
                "unlike": unlike,
            }
            for frame in range(first, last + 1):
                if of["visible_px"][frame] >= 40 and (
                    np.isfinite(of["lost"][frame]) or np.isfinite(gone[frame])
                ):
                    row = [table[n][frame] if np.isfinite(table[n][frame]) else NEUTRAL[n] for n in PRESENCE]
                    rows.append(np.clip(row, -1, 6))
                    marks.append(absent)
    x, y = np.array(rows), np.array(marks, float)
    weight = np.where(y > 0, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    theta, bias = np.zeros(len(PRESENCE)), 0.0
    for step in range(4000):
        w = SIGNS * np.exp(theta)
        error = weight * (1 / (1 + np.exp(-(x @ w + bias))) - y)
        rate = 0.5 / (1 + step / 2000)
        theta -= rate * ((error @ x) * w + 4e-4 * w * w)
        bias -= rate * error.sum()
    weights = {n: round(float(v), 3) for n, v in zip(PRESENCE, SIGNS * np.exp(theta), strict=True)}
    return {"weights": weights, "bias": round(float(bias), 3)}


def findings_of(record: Record, limits: Limits) -> list[dict[str, Any]]:
    found = found_of(record, limits)
    return [
        {
            "kind": c.span.kind,
            "part": c.span.part,
            "others": list(c.span.others),
            "frames": [c.span.first, c.span.last],
            "severity": severity_of(c, limits, len(record["series"].frames)),
        }
        for c in found.causes
    ]


def strengths(record: Record, limits: Limits, kinds: Iterable[str]) -> np.ndarray:
    """(F,) the strongest of ``kinds`` of the record's part, or of another part against it, in its limits: what gates."""
    part = record["part"]
    found = [
        s.values / s.limits
        for name, table in found_of(record, limits).table.items()
        for kind, s in table.items()
        if kind in kinds and (name == part or part in s.others)
    ]
    found.append(np.zeros(len(record["series"].frames)))
    return np.nanmax(np.stack([np.nan_to_num(v, nan=0.0) for v in found]), axis=0)


def at_dose(record: Record) -> list[int]:
    """The frames of a planted fault in which it has come to its full dose."""
    fault = Fault(record["fault"], record["part"], record["frames"], record["dose"], record["other"])
    first, last = record["frames"]
    return [i for i in range(first, last + 1) if envelope(fault, i) >= 1]


GATED = {"scale": ("shifted",), "turn": ("shifted", "rubber"), "wrong_motion": ("shifted", "joint"), "not_back": ("vanished",),
         "swap": ("swapped", "colour_drift"), "merge": ("merged", "partly_vanished", "colour_drift"), "slip": ("joint", "shifted"),
         "ghost": ("ghost", "intruder"), "intruder": ("intruder", "ghost"),
         "joint": ("joint", "shifted", "rubber", "sliding"), "material": ("material", "colour_drift", "text")}  # fmt: skip
"""Signals that gate a fault where they are not named like what is said of it."""


def score(records: list[Record], limits: Limits, title: str) -> None:
    """Prints everything about ``records``."""
    clean = [r for r in records if r["fault"] == "clean"]
    tables = [found_of(r, limits).table for r in clean]
    parts = sum(len(t) for t in tables)
    seconds = sum(len(r["series"].parts) * len(r["series"].frames) for r in clean) / 24
    said = [(r["scene"], r["look"], f) for r in clean for f in findings_of(r, limits)]
    asked = sum(f["severity"] == UNSURE for _, _, f in said)
    print(f"\n== {title}: {len(clean)} clean takes, {parts} part-takes, {seconds:.0f} part-seconds; "
          f"{len(said) - asked} false findings, {asked} unsure")  # fmt: skip
    for scene, look, f in said:
        print(f"   {scene} {look}: {f['part']} {f['kind']} {f['frames']} {f['severity']}")
    print(f"{'fault':15}{'dose':>6}{'takes':>6}{'AUC':>8}{'found':>7}{'right part, kind, frames':>26}")
    for fault in KIND_OF:
        for dose in sorted({r["dose"] for r in records if r["fault"] == fault}):
            mine = [r for r in records if r["fault"] == fault and r["dose"] == dose]
            kinds = GATED.get(fault, tuple(k for k in KIND_OF[fault] if k in BY_NAME))
            hot = np.concatenate([strengths(r, limits, kinds)[at_dose(r)] for r in mine])
            cold = np.concatenate([np.nan_to_num(np.nanmax(np.stack([np.nan_to_num(t[k].values / t[k].limits) for k in kinds if k in t]), axis=0))
                                   for table in tables for t in table.values() if any(k in t for k in kinds)] or [np.zeros(1)])  # fmt: skip
            tally = answers([([planted(r)], findings_of(r, limits)) for r in mine])
            got = [a for a in tally.answers if a.finding is not None]
            right = sum(a.right for a in got)
            print(
                f"{fault:15}{dose:6.2f}{len(mine):6}{auc(hot, cold) if len(hot) else float('nan'):8.4f}{len(got):4}/{len(mine):<3}{right:10} of {len(got)}"
            )
    everything = [([planted(r)], findings_of(r, limits)) for r in records if r["fault"] != "clean"]
    tally = answers(everything)
    failed = sum(a.finding["severity"] != UNSURE for a in tally.detected if a.finding is not None)
    beside = sum(f["severity"] != UNSURE for f in tally.false)
    print(f"{len(tally.answers)} faults: {failed} fail their take, {len(tally.detected)} are found; "
          f"{beside} further findings beside them, {len(tally.false) - beside} unsure")  # fmt: skip
    print(report(tally))


def planted(record: Record) -> Planted:
    return Planted(record["fault"], record["part"], tuple(record["frames"]), record["other"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("measured", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--unseen-scenes", default="occlusion,crowd,logo,slider,glass")
    parser.add_argument("--unseen-looks", default="relight,brush,neon,squeezed")
    parser.add_argument("--real", type=Path, nargs="*", default=[])
    args = parser.parse_args()
    records = [r for path in sorted(args.measured.glob("*.pkl")) for r in pickle.loads(path.read_bytes())]
    scenes, looks = set(args.unseen_scenes.split(",")), set(args.unseen_looks.split(","))
    seen = [r for r in records if r["scene"] not in scenes and r["look"] not in looks]
    unseen = [r for r in records if r["scene"] in scenes and r["look"] in looks]
    real = [pickle.loads(path.read_bytes()) for path in args.real]
    limits = load_limits()
    values = derive([r for r in seen if r["fault"] == "clean"] + real, limits)
    for kind, (value, why) in values.items():
        print(f"{kind:16}{limits.of[kind].value:9.3f} -> {value:8.3f}   {why}")
    limits = with_limits(limits, values)
    score(seen, limits, "scenes and looks that set the limits")
    score(unseen, limits, "scenes and looks that no limit saw")
    if args.write:
        absent = sum(r["fault"] in ("vanish", "not_back") for r in seen)
        write(seen, real, values, fit_presence(seen) if absent >= LEAST_ABSENT else None)


def write(
    seen: list[Record], real: list[Record], values: dict[str, tuple[float, str]], presence: dict[str, Any]
) -> None:
    """Puts the new values into limits.json, which keeps its words and units."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    for kind, (value, _) in values.items():
        data["limits"][kind]["value"] = value
    if presence is not None:
        data["presence"] = presence
    clean = [r for r in seen if r["fault"] == "clean"] + real
    seconds = sum(len(r["series"].parts) * len(r["series"].frames) for r in clean) / 24
    data["provenance"] = {
        "derived_by": "python -m tests.bench.tune_validation", "date": date.today().isoformat(),
        "scenes": sorted({r["scene"] for r in clean}), "looks": sorted({r["look"] for r in clean}),
        "clean_part_seconds": round(seconds), "floors": FLOORS,
        "rule": f"the most that any clean part-take asks for (lowest of 3 consecutive frames), times {MARGIN}, at least the floor, at most the cap",
        "caps": CAPS,
        "rate": f"few of the {seconds:.0f} part-seconds of clean takes that they were set on show a false finding",
    }  # fmt: skip
    FILE.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
