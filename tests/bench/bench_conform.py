# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a wrong frame map recovered, over scenes and looks? Where does the picture lie? What does it cost?

python -m tests.bench.bench_conform [--scenes a,b] [--looks a,b] [--frames 40] [--cache FOLDER]
python -m tests.bench.bench_conform --cost
"""

import argparse
import time
from collections import Counter, defaultdict

import numpy as np
from holdfast.validation.fingerprints import Shot, edges, outline, shrink, small_size
from holdfast.validation.levels import LevelMeter
from holdfast.validation.register import Fit, coarse_fit, fit_of, look, shift_of, sights
from holdfast.validation.timemap import along, find_map

from .tuning import LOOKS, Studio, library

SIZE = (384, 216)


def maps(count: int) -> dict[str, np.ndarray]:
    """Source frame of each take frame, by kind of fault."""
    t, last = np.arange(count), count - 1
    third = count // 3
    out = {
        "clean": t, "late 1": np.maximum(0, t - 1), "late 3": np.maximum(0, t - 3), "early 2": np.minimum(last, t + 2),
        "drop 1": np.where(t < third, t, np.minimum(last, t + 1)), "drop 3": np.where(t < third, t, np.minimum(last, t + 3)),
        "double 1": np.where(t <= third, t, t - 1), "frozen 5": np.where((t >= third) & (t < third + 5), third, t),
    }  # fmt: skip
    for rate in (0.5, 0.8, 1.25, 2.0):
        out[f"rate {rate:g}"] = along(rate, 0.0, count, count)
    ease = t / last
    out["ramp"] = np.floor(last * (0.5 * ease + 0.5 * ease * ease * (3 - 2 * ease)) + 0.5).astype(int)
    out["one more"] = np.floor(np.arange(count + 1) * last / count + 0.5).astype(int)
    out["16 fps"] = along(1.5, 0.0, count * 2 // 3, count)
    return out


def outcome(shot: Shot, take: np.ndarray, planted: np.ndarray, rate: float) -> str:
    """exact, alike (frames that do not differ), undecidable or wrong."""
    said = along(rate, 0.0, len(planted), len(shot.render))
    found = find_map(shot, take, said, rate)
    off = found.source != planted
    if not off.any():
        return "exact"
    if found.why:
        return "undecidable"
    return "wrong" if (off & (found.sure > 0.6)).any() else "alike"


def recovered(scenes: list[str], looks: list[str], count: int, cache: str | None) -> None:
    """Prints how each planted map fared."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for scene in library(SIZE, count):
        if scenes and scene.name not in scenes:
            continue
        studio, small = Studio(scene, cache), small_size(SIZE)
        ids = [studio.exact(i).ids for i in range(count)]
        every = range(1 + len(scene.parts))
        seen = np.stack(
            [np.mean([shrink((i == k).astype(np.uint8) * 255, small) for i in ids], 0) / 255.0 for k in every]
        )
        renders = [shrink(studio.frame("beauty", i), small) for i in range(count)]
        shot = Shot.of(renders, [outline(i, small) for i in ids], seen.astype(np.float32))
        for name in looks or list(LOOKS):
            take = shot.take([shrink(studio.frame(name, i), small) for i in range(count)])
            said = {
                kind: outcome(shot, take[m], m, 1.5 if kind == "16 fps" else 1.0)
                for kind, m in maps(count).items()
            }
            for kind, how in said.items():
                table[kind][how] += 1
            print(
                f"{scene.name:14}{name:12}",
                {kind: how for kind, how in said.items() if how != "exact"},
                flush=True,
            )
    print(f"{'':12}{'exact':>9}{'alike':>9}{'undecid.':>9}{'wrong':>9}")
    for kind, counts in table.items():
        total = sum(counts.values())
        print(
            f"{kind:12}"
            + "".join(f"{counts[how] / total:9.1%}" for how in ("exact", "alike", "undecidable", "wrong"))
        )


def cost() -> None:
    """Prints ms a 1080p frame of each step, without decoding: the shortest of five goes."""
    rng = np.random.default_rng(0)
    render = np.kron(rng.integers(0, 255, (27, 48, 3)), np.ones((40, 40, 1))).astype(np.uint8)
    ids = np.kron(rng.integers(0, 4, (9, 16)), np.ones((120, 120))).astype(np.uint8)
    take, small = 255 - render, small_size((1920, 1080))
    seen, tiny, meter = sights(render, ids), shrink(take, small), LevelMeter()
    looked = look(seen, take, Fit())
    steps = {
        "small pictures": lambda: (shrink(take, small), shrink(render, small)),
        "parts drawn": lambda: outline(ids, small), "edges of both": lambda: (edges(tiny), edges(tiny)),
        "levels": lambda: meter.add(take, tiny, tiny), "edges to look for": lambda: sights(render, ids),
        "looked for": lambda: look(seen, take, Fit()), "shift of the frame": lambda: shift_of(looked),
    }  # fmt: skip
    total = 0.0
    for name, step in steps.items():
        best = min(_timed(step) for _ in range(5))
        total += best
        print(f"{name:22}{1000 * best:8.2f} ms")
    print(f"{'in all':22}{1000 * total:8.2f} ms a frame")
    print(f"{'fit, a take':22}{1000 * _timed(lambda: fit_of([looked] * 12, Fit())):8.1f} ms")
    print(
        f"{'crop, a take':22}{1000 * _timed(lambda: coarse_fit([edges(tiny)] * 6, [edges(tiny)] * 6)):8.1f} ms"
    )


def _timed(step) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", default="")
    parser.add_argument("--looks", default="")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--cache")
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    scenes, looks = ([name for name in given.split(",") if name] for given in (args.scenes, args.looks))
    if args.cost:
        cost()
    else:
        recovered(scenes, looks, args.frames, args.cache)


if __name__ == "__main__":
    main()
