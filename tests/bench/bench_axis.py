# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the axis finder is right on random parts, by kind, noise and clicks; and whether it is wrong unsaid.

python -m tests.bench.bench_axis [--parts 200] [--first 0] [--kinds "ring,peg plain"] [--cases "1% no click"]

Right: axis < 1 degree and to the right end, axis < 3 % of the radius aside at half length, radius within 2 %.
Wrong: an answer that is not right. Asked: a refusal that names the click which helps. Floor: how often the best fit
that knows which faces lie on the feature is itself within the limits.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tests.conftest  # noqa: F401  makes the checkout importable as `holdfast`

sys.path.insert(0, str(Path(__file__).parents[1] / "pure"))
import physics_parts_random as random_parts
from holdfast.physics import axis, axis_fit
from holdfast.pipeline.errors import InputError

CASES = {
    "clean": (0.0, 0), "1% no click": (0.01, 0), "1% one click": (0.01, 1), "3% one click": (0.03, 1),
    "3% two clicks": (0.03, 2), "3% no click": (0.03, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One answer: errors in degrees, radii and shares; ``said`` the refusal, empty if there was an answer."""

    seed: int
    said: str
    degrees: float
    aside: float
    radius: float
    length: float
    end: bool
    confidence: float
    seconds: float
    floor: bool

    @property
    def right(self) -> bool:
        return not self.said and within(self.degrees, self.aside, self.radius) and self.end


def within(degrees: float, aside: float, radius: float) -> bool:
    return degrees < 1.0 and aside < 0.03 and radius < 0.02


def errors(part: random_parts.RandomPart, way: np.ndarray, point: np.ndarray, radius: float) -> tuple[float, float, float]:  # fmt: skip
    """Angle in degrees (to 90), distance of the axes at half the true length in radii, share of the radius."""
    cross = np.linalg.norm(np.cross(way, part.axis))
    side = 1.0 if part.kind == "peg" else -1.0
    middle = part.origin + side * 0.5 * part.length * part.axis
    reach = (middle - point) @ part.axis / (way @ part.axis)
    aside = np.linalg.norm(point + reach * way - middle) / part.radius
    return float(np.degrees(np.arcsin(min(cross, 1.0)))), float(aside), abs(radius / part.radius - 1.0)


def floor(part: random_parts.RandomPart) -> bool:
    """Whether least squares on the faces that are known to lie on the side gets within the limits."""
    middle = part.vertices[part.triangles].mean(axis=1)
    local = part.local(middle)
    length = part.length / part.radius
    height = local[:, 2] if part.kind == "peg" else -local[:, 2]
    out = np.hypot(local[:, 0], local[:, 1])
    on = (np.abs(out - 1.0) < 0.17) & (height > 0.1) & (height < length - 0.1)
    tube = axis_fit.Tube(part.axis, part.origin, part.radius)
    found, _ = axis_fit.fit(tube, middle[on], np.ones(int(on.sum())))
    side = 1.0 if part.kind == "peg" else -1.0
    reach = float((part.origin + side * 0.5 * part.length * part.axis - found.centre) @ found.axis)
    return within(*errors(part, found.axis, found.centre, found.radius + reach * found.taper))


def trial(part: random_parts.RandomPart, clicks: int, seed: int) -> Trial:
    point = random_parts.click(part, seed)[0] if clicks else None
    second = random_parts.end_click(part) if clicks == 2 else None
    start = time.perf_counter()
    try:
        found = axis.find_cylinder(
            part.vertices, part.triangles, part.kind, part.name, part.hint, point, second
        )
    except InputError as error:
        return Trial(seed, error.what, 0, 0, 0, 0, False, 0, time.perf_counter() - start, floor(part))
    seconds = time.perf_counter() - start
    way, origin = np.array(found.axis), np.array(found.origin)
    far = errors(part, way, origin, found.radius)
    length = abs(found.length / part.length - 1.0)
    return Trial(seed, "", *far, length, bool(way @ part.axis > 0), found.confidence, seconds, floor(part))


def measure(kinds: list[str], cases: list[str], seeds: range) -> dict[tuple[str, str], list[Trial]]:
    result: dict[tuple[str, str], list[Trial]] = {(k, c): [] for k in kinds for c in cases}
    for kind in kinds:
        for seed in seeds:
            clean = random_parts.make(kind, seed)
            for case in cases:
                noise, clicks = CASES[case]
                part = random_parts.spoil(clean, noise, seed) if noise else clean
                result[kind, case].append(trial(part, clicks, seed))
    return result


def table(result: dict[tuple[str, str], list[Trial]]) -> None:
    print(
        f"{'part':18} {'case':14} {'right':>7} {'wrong':>5} {'asked':>5} {'floor':>7}   axis deg  aside  radius  length   median s   95 %"
    )
    for (kind, case), trials in result.items():
        answered = [t for t in trials if not t.said]
        wrong = [t for t in answered if not t.right]
        middle = [100 * float(np.median([getattr(t, n) for t in answered] or [0])) for n in ("degrees", "aside", "radius", "length")]  # fmt: skip
        seconds = [t.seconds for t in trials]
        print(
            f"{kind:18} {case:14} {100 * np.mean([t.right for t in trials]):6.1f}% {len(wrong):5} "
            f"{sum(bool(t.said) for t in trials):5} {100 * np.mean([t.floor for t in trials]):6.1f}% "
            f"{middle[0] / 100:9.2f} {middle[1]:5.2f}% {middle[2]:6.2f}% {middle[3]:6.2f}% {np.median(seconds):9.2f} {np.quantile(seconds, 0.95):7.2f}",
            flush=True,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(random_parts.KINDS))
    parser.add_argument("--cases", default=",".join(list(CASES)[:5]))
    parser.add_argument("--keep", type=Path, help="collects the trials of several runs in this file")
    args = parser.parse_args()
    seeds = range(args.first, args.first + args.parts)
    result = measure(args.kinds.split(","), args.cases.split(","), seeds)
    if args.keep:
        kept = pickle.loads(args.keep.read_bytes()) if args.keep.exists() else {}
        for key, trials in result.items():
            kept[key] = kept.get(key, []) + trials
        args.keep.write_bytes(pickle.dumps(kept))
        result = kept
    table(result)
    for (kind, case), trials in result.items():
        for t in trials:
            if not t.said and not t.right:
                print(f"wrong unsaid: {kind}, {case}, {t}")


if __name__ == "__main__":
    main()
