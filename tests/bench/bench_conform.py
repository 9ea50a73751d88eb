# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a wrong frame map recovered, over scenes and looks? Where does the picture lie? What does it cost?

python -m tests.bench.bench_conform [--scenes a,b] [--looks a,b] [--faults a,b] [--cache FOLDER] [--out FILE.jsonl]
python -m tests.bench.bench_conform --table FILE.jsonl ...
python -m tests.bench.bench_conform --cost

Takes go through ``conform`` as it is; what many takes of a scene share is worked out once.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
from holdfast.pipeline.context import Context
from holdfast.validation import scout
from holdfast.validation.coarse import coarse_fits
from holdfast.validation.conform import Conformed, conform
from holdfast.validation.fingerprints import Shot, edges, outline, shrink, small_size
from holdfast.validation.levels import LevelMeter
from holdfast.validation.limits import load_limits
from holdfast.validation.register import Fit, fit_of, from_centres, look, shift_of, sights
from holdfast.validation.timefaults import SURE
from holdfast.validation.timemap import along

from ..pure.conform_shot import Take, Truth
from .tuning import LOOKS, Fault, Studio, library
from .tuning.takes import picture

SIZE = (640, 360)
TIMED = {"frame_map", "frozen"}
Made = tuple[list[np.ndarray], np.ndarray, np.ndarray | None, dict]
"""(pictures of the take, source frame of each, (N, 2, 3) matrices or None, what the take states)."""


def maps(count: int) -> dict[str, np.ndarray]:
    """Source frame of each take frame, by kind of fault."""
    t, last = np.arange(count), count - 1
    third = count // 3
    out = {"clean": t, "early 2": np.minimum(last, t + 2), "double 1": np.where(t <= third, t, t - 1)}
    out |= {f"late {n}": np.maximum(0, t - n) for n in (1, 2, 3)}
    out |= {f"drop {n}": np.where(t < third, t, np.minimum(last, t + n)) for n in (1, 3)}
    out |= {f"frozen {n}": np.where((t >= third) & (t < third + n), third, t) for n in (3, 5, 8)}
    out |= {f"every {n}th twice": t - (t % n == n - 1) for n in (3, 5)}
    out |= {f"speed {rate:g}": along(rate, 0.0, count, count) for rate in (0.5, 0.8, 1.25, 2.0)}
    ease = t / last
    out["ramp"] = np.floor(last * (0.5 * ease + 0.5 * ease * ease * (3 - 2 * ease)) + 0.5).astype(int)
    out["one more"] = np.floor(np.arange(count + 1) * last / count + 0.5).astype(int)
    out["16 fps stated"] = along(1.5, 0.0, count * 2 // 3, count)
    return out


FRAMINGS: dict[str, tuple[float, float, float, float]] = {
    "crop 2 %": (1 / 0.98, 1 / 0.98, 0, 0), "crop 5 %": (1 / 0.95, 1 / 0.95, 0, 0), "crop 10 %": (1 / 0.9, 1 / 0.9, 0, 0),
    "zoom -3 %": (0.97, 0.97, 0, 0), "zoom 3 %": (1.03, 1.03, 0, 0), "wider 2 %": (1.02, 1.0, 0, 0),
    "offset 2 px": (1, 1, 1.6, 1.2), "offset 6 px": (1, 1, 4.8, 3.6), "offset 20 px": (1, 1, -16, 12),
    "crop 4 % off the middle": (1.04, 1.04, 14, -8),
}  # fmt: skip
"""Scale in x and y, offset in px of a picture 1920 wide."""


def framed(
    pictures: list[np.ndarray], sx: float, sy: float, dx: float, dy: float
) -> tuple[list[np.ndarray], np.ndarray]:
    """The pictures scaled about their middle and shifted, and the matrix that does it (origin: top left corner)."""
    (w, h), px = SIZE, SIZE[0] / 1920
    matrix = np.array([[sx, 0, (1 - sx) * w / 2 + dx * px], [0, sy, (1 - sy) * h / 2 + dy * px]])
    way = from_centres(matrix)
    return [
        cv2.warpAffine(p, way, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE) for p in pictures
    ], matrix


def takes_of(clean: list[np.ndarray], seed: int) -> Iterator[tuple[str, Callable[[], Made]]]:
    """(name, what makes it) of each take: times, framings, shake, both together, levels."""
    count = len(clean)
    same, plain = np.arange(count), np.eye(2, 3)
    for name, source in maps(count).items():
        stated = {"fps": [16, 1]} if name.startswith("16") else {}
        stated["frame_map"] = None if stated else [[min(i, count - 1) + 1, i + 1] for i in range(len(source))]
        yield name, lambda s=source, d=stated: ([clean[i] for i in s], s, None, d)

    def fit(values: tuple[float, float, float, float], source: np.ndarray) -> Made:
        pictures, matrix = framed([clean[i] for i in source], *values)
        return pictures, source, np.repeat(matrix[None], count, 0), {}

    for name, values in FRAMINGS.items():
        yield name, lambda v=values: fit(v, same)
    yield "crop 5 %, late 2", lambda: fit(FRAMINGS["crop 5 %"], np.maximum(0, same - 2))
    yield "offset 6 px, late 1", lambda: fit(FRAMINGS["offset 6 px"], np.maximum(0, same - 1))

    def shaken(source: np.ndarray) -> Made:
        rng = np.random.default_rng([seed, 17])
        far, way = rng.uniform(1, 2, count), rng.uniform(0, 2 * np.pi, count)
        every = [
            framed([clean[s]], 1, 1, f * np.cos(a), f * np.sin(a))
            for s, f, a in zip(source, far, way, strict=True)
        ]
        return [p[0] for p, _ in every], source, np.stack([m for _, m in every]), {}

    yield "shake 1-2 px", lambda: shaken(same)
    yield "shake, late 2", lambda: shaken(np.maximum(0, same - 2))
    for kind in ("limited_range", "full_range"):
        fault = (Fault(kind, "", (0, count - 1), 1.0),)
        yield (
            kind,
            lambda f=fault: ([picture(f, p) for p in clean], same, np.repeat(plain[None], count, 0), {}),
        )


def judged(name: str, out: Conformed, made: Made, still: np.ndarray, parts: np.ndarray) -> dict:
    """One row: how the map, the fit and the levels fared. ``still`` (M, M): frames of the shot that are one picture;
    ``parts`` (4, 3) corners of the box in which all parts move."""
    _, planted, matrices, _ = made
    shown = np.array([source - 1 for source, _ in out.pairs])
    sure = np.array([out.sure.get(frame, 0.0) for _, frame in out.pairs])
    off = (shown != planted) & ~still[shown, planted]
    kinds = sorted({fault.kind for fault in out.faults})
    row = {
        "fault": name, "kinds": kinds, "off": int(off.sum()), "most": int(np.abs(shown - planted)[off].max(initial=0)),
        "how": _how(off, sure, out.decided), "sure": round(float(np.median(sure)), 2), "why": out.notes,
        "at": [int(i) for i in np.flatnonzero(off)[:12]],
    }  # fmt: skip
    if matrices is not None:
        own = np.array([[0, 0, 1], [SIZE[0], 0, 1], [0, SIZE[1], 1], [*SIZE, 1]], float)
        wrong = [
            np.linalg.norm(own @ (out.matrix(i + 1) - m).T, axis=1).max() for i, m in enumerate(matrices)
        ]
        row["corner"] = round(float(np.median(wrong)) * 1920 / SIZE[0], 2)
        near = [
            np.linalg.norm(parts @ (out.matrix(i + 1) - m).T, axis=1).max() for i, m in enumerate(matrices)
        ]
        row["parts"] = round(float(np.median(near)) * 1920 / SIZE[0], 2)
        row["fit"] = out.fit_json()
    return row


def _how(off: np.ndarray, sure: np.ndarray, decided: bool) -> str:
    """exact, undecidable (said of the take), doubtful (said of the frames that are off) or wrong."""
    if not off.any():
        return "exact"
    if not decided:
        return "undecidable"
    return "wrong" if (off & (sure > SURE)).any() else "doubtful"


class Remembered:
    """What ``scout`` works out for pictures of the shot and of clean takes, kept while a scene is measured."""

    def __init__(self) -> None:
        self.own: dict[int, np.ndarray] = {}
        self.known: dict[tuple, object] = {}
        for name in ("shrink", "outline", "sights"):
            setattr(scout, name, self._of(name, getattr(scout, name)))
        self._shot = Shot.of
        scout.Shot = SimpleNamespace(of=self._shots)

    def keep(self, *pictures: np.ndarray) -> None:
        self.own |= {id(p): p for p in pictures}

    def forget(self) -> None:
        self.own.clear()
        self.known.clear()

    def _of(self, name: str, work: Callable) -> Callable:
        def call(first: np.ndarray, *rest: object) -> object:
            if id(first) not in self.own:
                return work(first, *rest)
            key = (name, id(first))
            if key not in self.known:
                self.known[key] = work(first, *rest)
            return self.known[key]

        return call

    def _shots(self, renders: list, parts: list, seen: np.ndarray) -> Shot:
        key = ("shot", *(id(r) for r in renders))
        if key not in self.known:
            self.known[key] = self._shot(renders, parts, seen)
        return self.known[key]


def measure(
    scenes: list[str], looks: list[str], faults: list[str], count: int, cache: str | None, out: str | None
) -> None:
    """Prints what is not exact, as it comes; writes a row a take to ``out``."""
    memory, rows, limits = Remembered(), [], load_limits()
    for scene in library(SIZE, count):
        if scenes and scene.name not in scenes:
            continue
        studio = Studio(scene, cache)
        truth = Truth([(studio.frame("beauty", i), studio.exact(i).ids) for i in range(count)])
        truth.parts = tuple(SimpleNamespace(id=i + 1, name=part.name) for i, part in enumerate(scene.parts))
        memory.keep(*(array for pair in truth.of for array in pair))
        still = _still([render for render, _ in truth.of])
        parts = _box(np.max([ids for _, ids in truth.of], 0))
        for name in looks or list(LOOKS):
            clean = [studio.frame(name, i) for i in range(count)]
            memory.keep(*clean)
            for fault, make in takes_of(clean, scene.seed):
                if faults and fault not in faults:
                    continue
                made = make()
                start = time.process_time()
                found = conform(truth, Take(made[0], **made[3]), limits, Context())
                row = {"scene": scene.name, "look": name, **judged(fault, found, made, still, parts)}
                row["seconds"] = round(time.process_time() - start, 2)
                rows.append(row)
                if out:
                    with Path(out).open("a") as file:
                        file.write(json.dumps(row) + "\n")
                if row["how"] != "exact" or row.get("corner", 0) > 8:
                    print(
                        scene.name,
                        name,
                        fault,
                        row["how"],
                        row["off"],
                        row["kinds"],
                        row.get("corner"),
                        row.get("fit"),
                        flush=True,
                    )
        memory.forget()
    table(rows)


def _still(renders: list[np.ndarray]) -> np.ndarray:
    """(M, M) whether the renders are one picture and all those between as well: no look can tell them apart."""
    moved = [int(cv2.absdiff(a, b).max()) > 1 for a, b in pairwise(renders)]
    group = np.concatenate([[0], np.cumsum(moved)])
    return group[:, None] == group[None]


def _box(ids: np.ndarray) -> np.ndarray:
    y, x = np.nonzero(ids)
    return np.array(
        [[x.min(), y.min(), 1], [x.max(), y.min(), 1], [x.min(), y.max(), 1], [x.max(), y.max(), 1]], float
    )


def table(rows: list[dict]) -> None:
    """Prints how each fault fared, and what was said of takes that have none."""
    by: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        by[row["fault"]].append(row)
    ways = ("exact", "undecidable", "doubtful", "wrong")
    print(
        f"{'':26}{'takes':>6}"
        + "".join(f"{how:>13}" for how in ways)
        + f"{'said':>7}{'corner px: median':>20}{'90 %':>7}{'most':>7}{'at parts: median':>18}{'90 %':>7}"
    )
    for fault, own in by.items():
        share = [sum(row["how"] == how for row in own) / len(own) for how in ways]
        kinds = [set(row["kinds"]) for row in own]
        said = sum(bool(_named(fault) & kind) if _named(fault) else bool(kind) for kind in kinds)
        line = f"{fault:26}{len(own):6}" + "".join(f"{value:13.1%}" for value in share) + f"{said:7}"
        corners = [row["corner"] for row in own if "corner" in row]
        if corners:
            line += f"{np.median(corners):20.2f}{np.percentile(corners, 90):7.2f}{max(corners):7.2f}"
            near = [row["parts"] for row in own]
            line += f"{np.median(near):18.2f}{np.percentile(near, 90):7.2f}"
        extra = sum(bool(kind - _named(fault)) for kind in kinds) if _named(fault) else 0
        print(line + (f"   beside it, something else: {extra}" if extra else ""))
    clean = [row for row in rows if row["fault"] == "clean"]
    for row in clean:
        if row["kinds"]:
            print("clean, but said:", row["scene"], row["look"], row["kinds"])


def _named(fault: str) -> set[str]:
    """The kinds that say the fault; none for a take without one."""
    if "range" in fault:
        return {"colour_range"}
    out = {"frame_fit"} if fault.split()[0] in ("crop", "zoom", "wider") or "20 px" in fault else set()
    timed = "late" in fault or fault in maps(40)
    return out | (TIMED if timed and fault not in ("clean", "16 fps stated") else set())


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
        f"{'crop, a take':22}{1000 * _timed(lambda: coarse_fits([edges(tiny)] * 6, [edges(tiny)] * 6)):8.1f} ms"
    )


def _timed(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--scenes", "--looks", "--faults"):
        parser.add_argument(name, default="")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--cache")
    parser.add_argument("--out")
    parser.add_argument("--table", nargs="*", default=[])
    parser.add_argument("--cost", action="store_true")
    args = parser.parse_args()
    names = ([name for name in given.split(",") if name] for given in (args.scenes, args.looks, args.faults))
    if args.table:
        table([json.loads(line) for file in args.table for line in Path(file).read_text().splitlines()])
    elif args.cost:
        cost()
    else:
        measure(*names, args.frames, args.cache, args.out)


if __name__ == "__main__":
    main()
