# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the axis finder is right on random parts, by kind, noise and clicks; and whether it is wrong unsaid.

python -m tests.bench.bench_axis [--parts 200] [--first 20000] [--kinds "ring,peg plain"] [--cases "1% no click"]
    [--keep FILE] [--floor]

Right: axis < 1 degree and to the right end, axis < 3 % of the radius aside at half length, radius within 2 %.
Wrong: an answer that is not right. Asked: a refusal that says what helps. Millimetres are those of a part scaled to
30 mm along its longest side; seconds are of one processor. Floor: how often least squares on the faces that are known
to lie on the feature gets within the limits. Seeds below 10000 were used to set limits; the default ones were not.
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
    millimetres: float
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


def trial(part: random_parts.RandomPart, clicks: int, seed: int, with_floor: bool = False) -> Trial:
    point = random_parts.click(part, seed)[0] if clicks else None
    second = random_parts.end_click(part) if clicks == 2 else None
    best = with_floor and floor(part)
    start = time.process_time()
    try:
        found = axis.find_cylinder(
            part.vertices, part.triangles, part.kind, part.name, part.hint, point, second
        )
    except InputError as error:
        return Trial(seed, error.what, 0, 0, 0, 0, False, 0, time.process_time() - start, 0, best)
    seconds = time.process_time() - start
    way, origin = np.array(found.axis), np.array(found.origin)
    far = errors(part, way, origin, found.radius)
    length = abs(found.length / part.length - 1.0)
    scale = 30.0 / float(np.ptp(part.local(part.vertices) * part.radius, axis=0).max())
    apart = far[1] * part.radius * scale
    return Trial(seed, "", *far, length, bool(way @ part.axis > 0), found.confidence, seconds, apart, best)


def measure(
    kinds: list[str], cases: list[str], seeds: range, with_floor: bool
) -> dict[tuple[str, str], list[Trial]]:
    result: dict[tuple[str, str], list[Trial]] = {(k, c): [] for k in kinds for c in cases}
    for kind in kinds:
        for seed in seeds:
            clean = random_parts.make(kind, seed)
            for case in cases:
                noise, clicks = CASES[case]
                part = random_parts.spoil(clean, noise, seed) if noise else clean
                result[kind, case].append(trial(part, clicks, seed, with_floor))
    return result


def table(result: dict[tuple[str, str], list[Trial]], with_floor: bool) -> None:
    print(
        f"{'part':18} {'case':14} {'parts':>5} {'right':>7} {'asked':>7} {'wrong':>7}   {'axis deg: median, worst':24}"
        f" {'centre mm of 30':18} {'radius %':>9} {'seconds':>8} {'most':>5}" + "   floor" * with_floor
    )
    cases = list(dict.fromkeys(case for _, case in result))
    for case in cases:
        together = [t for (_, other), trials in result.items() if other == case for t in trials]
        for name, trials in [*((k, t) for (k, c), t in result.items() if c == case), ("all", together)]:
            print(_line(name, case, trials, with_floor), flush=True)


def _line(name: str, case: str, trials: list[Trial], with_floor: bool) -> str:
    answered = [t for t in trials if not t.said]

    def of(field: str) -> tuple[float, float]:
        values = [getattr(t, field) for t in answered] or [0.0]
        return float(np.median(values)), float(max(values))

    shares = (sum(test) / len(trials) for test in ([t.right for t in trials], [bool(t.said) for t in trials], [not t.right for t in answered]))  # fmt: skip
    degrees, apart, radius = of("degrees"), of("millimetres"), of("radius")
    seconds = [t.seconds for t in trials]
    line = f"{name:18} {case:14} {len(trials):5} " + " ".join(f"{100 * share:6.1f}%" for share in shares)
    line += f"   {degrees[0]:10.2f} {degrees[1]:10.2f}    {apart[0]:8.3f} {apart[1]:8.3f}  {100 * radius[0]:7.2f} {100 * radius[1]:5.2f}"
    line += f" {np.median(seconds):6.2f} {max(seconds):6.2f}"
    return line + f" {100 * np.mean([t.floor for t in trials]):6.1f}%" * with_floor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", type=int, default=200)
    parser.add_argument("--first", type=int, default=20000)
    parser.add_argument("--kinds", default=",".join(random_parts.KINDS))
    parser.add_argument("--cases", default=",".join(list(CASES)[:5]))
    parser.add_argument("--floor", action="store_true")
    parser.add_argument("--keep", type=Path, help="collects the trials of several runs in this file")
    args = parser.parse_args()
    seeds = range(args.first, args.first + args.parts)
    result = measure(args.kinds.split(","), args.cases.split(","), seeds, args.floor)
    if args.keep:
        kept = pickle.loads(args.keep.read_bytes()) if args.keep.exists() else {}
        for key, trials in result.items():
            kept[key] = kept.get(key, []) + trials
        args.keep.write_bytes(pickle.dumps(kept))
        result = kept
    table(result, args.floor)
    for (kind, case), trials in result.items():
        for t in trials:
            if not t.said and not t.right:
                print(f"wrong unsaid: {kind}, {case}, {t}")


if __name__ == "__main__":
    main()
