# SPDX-License-Identifier: GPL-3.0-or-later
"""What Validate costs a frame: reading, every measure, the whole stage, one more part, the first look; and memory.

python -m tests.bench.bench_validation TRUTH_DIR TAKE_DIR [--frames 8] [--jobs 2]
"""

import argparse
import cProfile
import os
import pstats
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from holdfast.pipeline.context import Context
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.truth import GroundTruth
from holdfast.pipeline.worker import run_in_foreground
from holdfast.validation.anchors import Rig
from holdfast.validation.measure import FAR, Measurer
from holdfast.validation.plates import Window, load_plate

STEPS = {
    "surfaces": "surfaces and boxes", "of:contours.py": "edges of take and render", "trace": "contours", "measure_outline": "outlines",
    "look_for": "copies of parts", "carry": "carrying other frames", "calc": "optical flow (3)", "patches": "texture patches",
    "compare:backdrop.py": "background", "slide": "slide of shading", "_link": "fits, colours, texture by part", "shape_of": "motions of joints",
}  # fmt: skip


def timed(name: str, count: int, action: Any) -> float:
    """Prints the least of three goes, in ms of processor a frame: other work on the machine counts for less that way."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    print(f"  {name:36}{1000 * best / count:8.1f} ms")
    return 1000 * best / count


def reading(truth: GroundTruth, take: TakeFolder, frames: list[int]) -> None:
    n = len(frames)
    floor = [
        timed("read the take", n, lambda: [take.frame(f) for f in frames]),
        timed("read beauty", n, lambda: [truth.beauty(f) for f in frames]),
        timed("read ids", n, lambda: [truth.ids(f) for f in frames]),
        timed("read depth", n, lambda: [truth.depth(f) for f in frames]),
    ]
    print(f"  {'all of it, once: the floor':36}{sum(floor):8.1f} ms of processor")
    timed("plate, reading included", n, lambda: [load_plate(truth, take, f, f) for f in frames])


def measuring(truth: GroundTruth, take: TakeFolder, count: int) -> None:
    """Each measure, plates being read already."""
    frames = list(truth.frames)
    needed = min(len(frames), 2 * FAR[-1] + count + 1)
    window = Window(lambda i: load_plate(truth, take, frames[i], frames[i]), needed)
    for index in range(needed):
        _ = window[index]
    parts = [(p.name, p.id) for p in truth.parts]
    machine = Measurer(window, Rig.of(truth), parts, [(f, f) for f in frames])
    middle = range(FAR[-1], min(FAR[-1] + count, len(frames) - 1))
    used = time.process_time()
    for index in middle:
        machine.step(index)
    used = 1000 * (time.process_time() - used) / len(middle)
    watch = cProfile.Profile()
    watch.enable()
    for index in middle:
        machine.step(index)
    watch.disable()
    print(f"  {'measuring, all of it':36}{used:8.1f} ms of processor; of that, in shares of a profiled run:")
    stats = pstats.Stats(watch).stats  # type: ignore[attr-defined]
    whole = max(row[3] for row in stats.values())
    for key, title in STEPS.items():
        name, _, file = key.partition(":")
        shares = [
            row[3]
            for (path, _, function), row in stats.items()
            if name in [*function.split("'"), function] and path.endswith(file)
        ]
        share = max(shares, default=0.0) / whole
        print(f"    {title:34}{share * used:8.1f} ms {share:6.0%}")


def whole(truth: GroundTruth, take: TakeFolder, jobs: int) -> None:
    """The stage as the worker runs it: the full pass, with one part, and the first look."""
    names, count = [part.name for part in truth.parts], len(truth.frames)

    def go(title: str, **more: Any) -> float:
        with tempfile.TemporaryDirectory() as folder:
            request = {
                "truth": str(truth.folder),
                "take": str(take.folder),
                "out": folder,
                "jobs": jobs,
                **more,
            }
            before, start = os.times(), time.perf_counter()
            found = run_in_foreground("validation.stage:run", request, Context())
            seconds, after = time.perf_counter() - start, os.times()
            used = after.children_user + after.children_system - before.children_user - before.children_system
            size = (Path(folder) / "report.html").stat().st_size / 1e6
        print(f"  {title:24}{seconds:7.1f} s, {1000 * seconds / count:7.1f} ms a frame, {1000 * used / count:7.1f} ms of processor,"
              f" page {size:.1f} MB: {found['summary'][:60]}")  # fmt: skip
        return 1000 * used / count

    every = go(f"whole, {len(names)} parts")
    one = go("whole, 1 part", parts=names[:1])
    if len(names) > 1:
        print(f"  one more part: {(every - one) / (len(names) - 1):.1f} ms of processor a frame")
    go("first look", stage="coarse")
    print(
        f"  most memory of one process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("truth", type=Path)
    parser.add_argument("take", type=Path)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    truth, take = GroundTruth.open(args.truth), TakeFolder.open(args.take)
    print(
        f"{truth.size[0]}x{truth.size[1]}, {len(truth.parts)} parts, {len(truth.frames)} frames, load {np.round(os.getloadavg()[0], 1)}; a frame:"
    )
    cv2.setNumThreads(1)
    reading(truth, take, list(truth.frames)[4:8])
    measuring(truth, take, args.frames)
    whole(truth, take, args.jobs)


if __name__ == "__main__":
    main()
