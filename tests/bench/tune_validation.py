# SPDX-License-Identifier: GPL-3.0-or-later
"""Derives the limits of Validate from measured tuning takes and prints how well each fault is told.

    python -m tests.bench.tune_validation MEASURED_DIR [--write]

A limit is the quantile of the *lowest of three consecutive frames* over clean part-frames, the thing that a finding
needs, at RATE, times MARGIN. The weights of presence are a logistic fit of vanished parts against everything else.
Tables come from scenes held out of the limits: --write uses all.
"""

import argparse
import json
import pickle
from datetime import date
from pathlib import Path

import numpy as np
from holdfast.validation.limits import FILE, Presence, load_limits
from holdfast.validation.series import Series
from holdfast.validation.signals import (
    ADAPT_AT_MOST,
    KINDS,
    absence,
    bend,
    both_sides,
    doubled,
    flicker,
    judged,
)

RATE = 1e-3
MARGIN = 1.25
FLOORS = {"vanished": 0.8, "rubber": 0.8, "wrong_motion": 0.8, "shifted": 1.2, "outline": 0.25, "colour_drift": 6.0,
          "flicker": 2.0, "ghost": 0.25}  # fmt: skip
"""Below these nobody would call it a fault, whatever the noise allows."""
CAPS = {"colour_drift": 11.0, "ghost": 0.3, "shifted": 2.0, "rubber": 1.2}
"""No limit may hide a dose that everybody sees; where a look's noise asks for more, its false alarms are counted below."""
RESPONSIBLE = {"vanish": "vanished", "shift": "shifted", "rubber": "rubber", "colour": "colour_drift", "flicker": "flicker",
               "ghost": "ghost"}  # fmt: skip
HELD_OUT = ("plain_joint", "tumble")
PRESENCE = ("lost", "null", "ratio", "behind", "unlike")
SIGNS = np.array([1, -1, -1, 1, 1])
NEUTRAL = {"lost": 0.5, "null": 2.0, "ratio": 0.6, "behind": 0.3, "unlike": 0.3}


def values(of: dict, presence: Presence) -> dict[str, np.ndarray]:
    """Signals by kind of one part, as Validate makes them, without limits."""
    shown = judged(of)
    table = {
        "vanished": absence(of, presence), "rubber": bend(of), "wrong_motion": both_sides(of["slip"]), "shifted": of["shift"],
        "outline": of["lost"], "colour_drift": of["jump"], "flicker": flicker(of), "ghost": doubled(of),
    }  # fmt: skip
    return {kind: table[kind] * shown for kind in KINDS}


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve, ties at one half."""
    order = np.concatenate([positive, negative]).argsort(kind="stable")
    ranks = np.empty(len(order))
    everything = np.concatenate([positive, negative])[order]
    ranks[order] = np.arange(1, len(order) + 1)
    for value in np.unique(everything[1:][everything[1:] == everything[:-1]]):
        tied = order[everything == value]
        ranks[tied] = ranks[tied].mean()
    n = len(positive)
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * len(negative)))


def lowest_of_three(series: np.ndarray) -> np.ndarray:
    if len(series) < 3:
        return np.zeros(0)
    three = np.stack([series[:-2], series[1:-1], series[2:]])
    return three.min(0)[np.isfinite(three).all(0)]


def fit_presence(records: list[dict]) -> Presence:
    """Logistic weights by Newton steps on log-weights; signs are fixed by what each measure means."""
    rows, marks = [], []
    for record in records:
        for part, of in record["of"].items():
            gone = record["fault"] == "vanish" and part == record["part"]
            if record["fault"] == "vanish" and not gone:
                continue
            frames = range(len(of["lost"])) if record["frames"] is None else record["frames"]
            for frame in frames:
                if not of["visible_px"][frame] >= 40 or not (
                    np.isfinite(of["lost"][frame]) or np.isfinite(of["behind"][frame])
                ):
                    continue
                row = [of[n][frame] if np.isfinite(of[n][frame]) else NEUTRAL[n] for n in PRESENCE]
                rows.append(np.clip(row, -1, 6))
                marks.append(gone)
    x, y = np.array(rows), np.array(marks, float)
    weight = np.where(y > 0, 0.5 / y.sum(), 0.5 / (1 - y).sum())
    theta, bias = np.zeros(len(PRESENCE)), 0.0
    for step in range(6000):
        w = SIGNS * np.exp(theta)
        error = weight * (1 / (1 + np.exp(-(x @ w + bias))) - y)
        rate = 0.5 / (1 + step / 3000)
        theta -= rate * ((error @ x) * w + 4e-4 * w * w)
        bias -= rate * error.sum()
    return Presence(
        {n: round(float(v), 3) for n, v in zip(PRESENCE, SIGNS * np.exp(theta), strict=True)}, round(bias, 3)
    )


def clean_values(records: list[dict], presence: Presence) -> dict[str, list[np.ndarray]]:
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for record in records:
        if record["fault"] == "clean":
            for of in record["of"].values():
                for kind, series in values(of, presence).items():
                    found[kind].append(series)
    return found


def derive(records: list[dict], presence: Presence) -> dict[str, float]:
    limits = {}
    adapts = {kind: load_limits().of[kind].margin for kind in KINDS}
    for kind, series in clean_values(records, presence).items():
        needed = np.concatenate([required(s, adapts[kind]) for s in series])
        derived = max(FLOORS[kind], MARGIN * float(np.quantile(needed, 1 - RATE)))
        limits[kind] = round(min(derived, CAPS.get(kind, np.inf)), 3)
    return limits


def required(series: np.ndarray, margin: float) -> np.ndarray:
    """The limit that each three clean frames need, given that a part's usual noise raises it up to twice."""
    lows, known = lowest_of_three(series), series[np.isfinite(series)]
    if margin <= 0 or len(known) < 8:
        return lows
    usual = np.median(known)
    reach = usual + margin * 1.4826 * np.median(np.abs(known - usual))
    return np.where(lows <= reach, lows / ADAPT_AT_MOST, lows)


def table(records: list[dict], presence: Presence, limits: dict[str, float], title: str) -> None:
    clean = clean_values(records, presence)
    frames = {kind: np.concatenate([s[np.isfinite(s)] for s in clean[kind]]) for kind in KINDS}
    usual_ghost = {
        (r["scene"], r["look"], part): float(np.nan_to_num(np.nanmedian(of["ghost"])))
        for r in records if r["fault"] == "clean" for part, of in r["of"].items()
    }  # fmt: skip
    print(f"\n{title}")
    print(
        f"{'fault':9}{'dose':>6}{'measure':>14}{'n':>5}{'AUC':>8}{'over limit':>12}{'by any':>9}{'median':>9}{'limit':>8}"
    )
    for fault, kind in RESPONSIBLE.items():
        for dose in sorted({r["dose"] for r in records if r["fault"] == fault}):
            mine = [r for r in records if r["fault"] == fault and r["dose"] == dose]
            got, anyhow = np.zeros(0), []
            for r in mine:
                clean_ghost = usual_ghost[r["scene"], r["look"], r["part"]]
                of = r["of"][r["part"]]
                found = values(of, presence) | {"ghost": (of["ghost"] - max(0.0, clean_ghost)) * judged(of)}
                at = list(r["frames"])
                seen = np.isfinite(found[kind][at])
                got = np.concatenate([got, found[kind][at][seen]])
                anyhow += list(np.any([found[k][at][seen] > limits[k] for k in KINDS], axis=0))
            if len(got):
                share, either = (got > limits[kind]).mean(), np.mean(anyhow)
                print(
                    f"{fault:9}{dose:6.1f}{kind:>14}{len(got):5}{auc(got, frames[kind]):8.4f}{share:11.1%}{either:10.1%}"
                    f"{np.median(got):10.2f}{limits[kind]:8.2f}"
                )
    print(f"clean: {'kind':14}{'part-frames':>12}{'runs of 3 over limit':>22}")
    for kind in KINDS:
        runs = sum(int((lowest_of_three(s) > limits[kind]).sum() > 0) for s in clean[kind])
        print(f"       {kind:14}{len(frames[kind]):12}{runs:16} of {len(clean[kind])} part-takes")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("measured", type=Path)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    records = [r for path in sorted(args.measured.glob("*.pkl")) for r in pickle.loads(path.read_bytes())]
    for record in records:
        assert isinstance(record, dict)
    seen = [r for r in records if r["scene"] not in HELD_OUT]
    unseen = [r for r in records if r["scene"] in HELD_OUT]
    presence = fit_presence(seen)
    limits = derive(seen, presence)
    table(seen, presence, limits, "scenes that set the limits")
    if unseen:
        table(unseen, presence, limits, f"held out: {', '.join(HELD_OUT)}")
    if args.write:
        write(records, presence if not unseen else fit_presence(records), derive(records, presence))


def write(records: list[dict], presence: Presence, limits: dict[str, float]) -> None:
    """Puts the new values into limits.json, which keeps its words and units."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    for kind, value in limits.items():
        data["limits"][kind]["value"] = value
    data["presence"] = {"weights": presence.weights, "bias": presence.bias}
    looks, scenes = sorted({r["look"] for r in records}), sorted({r["scene"] for r in records})
    part_frames = sum(len(of["lost"]) for r in records if r["fault"] == "clean" for of in r["of"].values())
    data["provenance"] |= {
        "date": date.today().isoformat(), "scenes": scenes, "looks": looks, "clean_part_frames": part_frames,
        "rule": f"{1 - RATE:.3f} quantile of the lowest of 3 consecutive clean frames, times {MARGIN}, at least the floor", "floors": FLOORS, "caps": CAPS,
    }  # fmt: skip
    FILE.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


assert Series
if __name__ == "__main__":
    main()
