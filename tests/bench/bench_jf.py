# SPDX-License-Identifier: GPL-3.0-or-later
"""J and F of 1080p masks: what a frame and object costs here and in vos-benchmark, on the same masks, one thread.

``make bench-jf`` runs it in an environment that has vos-benchmark; without it only our own cost is printed.
"""

import argparse
import math
import resource
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context

import cv2
import numpy as np

from tests import bench

assert bench
from holdfast.validation.jf import NOTHING, TOLERANCE, contour, radius, region, spots  # noqa: E402

try:
    from vos_benchmark import evaluator as theirs  # 0.1.0, MIT
except ImportError:
    theirs = None
SIZE = (1920, 1080)
FRAMES = 24
OFFSETS = (0.0, 2.0, 6.0, 40.0)
"""By how many pixels the tracker's masks lie off: exact, as good trackers do, poor, lost."""
OTHER_TOLERANCES = (0.001, 0.03)
Maps = tuple[np.ndarray, np.ndarray]


def pictures(objects: int, frames: int = FRAMES) -> Iterator[Maps]:
    """(tracker's ids, truth's ids) of wavy blobs that wander; every fourth frame another offset of the tracker."""
    for frame in range(frames):
        yield _ids(objects, frame, OFFSETS[frame % len(OFFSETS)]), _ids(objects, frame, 0.0)


def _ids(objects: int, frame: int, off: float) -> np.ndarray:
    rng = np.random.default_rng(objects)
    noise = np.random.default_rng(frame)
    ids = np.zeros(SIZE[::-1], np.uint8)
    angles = np.linspace(0, 2 * math.pi, 240, endpoint=False)
    for number in range(1, objects + 1):
        size = rng.uniform(60, 330)
        waves = 1 + 0.15 * np.sin(angles * rng.integers(2, 9)) + 0.02 * noise.normal(size=240) * (off > 0)
        middle = (
            rng.uniform((300, 250), (1600, 830))
            + frame * rng.uniform(-6, 6, 2)
            + off * noise.normal(size=2) / 1.4
        )
        points = middle + size * waves[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        cv2.fillPoly(ids, [np.rint(points).astype(np.int32)], number)
    return ids


def ours(
    maps: Iterator[Maps], tolerance: float = TOLERANCE
) -> tuple[dict[int, list[float]], dict[int, list[float]], float]:
    """J and F by object and frame, and seconds of CPU."""
    j: dict[int, list[float]] = {}
    f: dict[int, list[float]] = {}
    spent = 0.0
    for mask, truth in maps:
        started = time.process_time()
        reach, found, known = radius(truth.shape, tolerance), spots(mask), spots(truth)
        for number in sorted(known.keys() | found.keys() | j.keys()):
            a, b = found.get(number, NOTHING), known.get(number, NOTHING)
            j.setdefault(number, []).append(region(a, b))
            f.setdefault(number, []).append(contour(a, b, truth.shape, reach))
        spent += time.process_time() - started
    return j, f, spent


def reference(
    maps: Iterator[Maps], tolerance: float = TOLERANCE
) -> tuple[dict[int, list[float]], dict[int, list[float]], float]:
    """The same of vos-benchmark."""
    judge, spent = theirs.Evaluator(tolerance), 0.0
    for mask, truth in maps:
        started = time.process_time()
        judge.feed_frame(mask, truth)
        spent += time.process_time() - started
    return dict(judge.object_iou), dict(judge.boundary_f), spent


def _apart(which: str, objects: int, frames: int) -> tuple[float, float, list[float]]:
    """In a process of its own: (ms a frame and object, MiB more than before, all J and F)."""
    cv2.setNumThreads(1)
    for _ in pictures(objects, 2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measure = ours if which == "ours" else reference
    j, f, spent = measure(pictures(objects, frames))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    values = [float(v) for table in (j, f) for number in sorted(table) for v in table[number]]
    return 1000 * spent / (frames * objects), grown, values


def run(which: str, objects: int, frames: int) -> tuple[float, float, list[float]]:
    """`_apart` in a fresh process, so that memory is its own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_apart, (which, objects, frames))


def main(say: Callable[[str], None] = print) -> int:
    """Prints the table; 1 if a value differs from vos-benchmark's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES)
    frames = parser.parse_args().frames
    say(
        f"J and F, {SIZE[0]}x{SIZE[1]}, {frames} frames, one thread: CPU ms per frame and object, memory on top of the masks"
    )
    say(f"{'objects':>8}{'ours ms':>10}{'MiB':>7}{'vos ms':>10}{'MiB':>7}{'ratio':>8}{'equal values':>16}")
    wrong = 0
    for objects in (1, 4, 8):
        cost, memory, values = run("ours", objects, frames)
        row = f"{objects:>8}{cost:>10.2f}{memory:>7.0f}"
        if theirs is not None:
            cost2, memory2, values2 = run("theirs", objects, frames)
            same = sum(a == b for a, b in zip(values, values2, strict=True))
            wrong += len(values) - same
            row += f"{cost2:>10.2f}{memory2:>7.0f}{cost2 / cost:>8.1f}{f'{same}/{len(values)}':>16}"
        say(row)
    _, memory, _ = run("ours", 8, 8 * frames)
    say(f"8 objects, {8 * frames} frames: {memory:.0f} MiB")
    for tolerance in OTHER_TOLERANCES if theirs is not None else ():
        a, b = (measure(pictures(1, 4), tolerance) for measure in (ours, reference))
        same = a[:2] == b[:2]
        wrong += not same
        say(
            f"tolerance {tolerance}: {'equal' if same else 'NOT equal'} values, {b[2] / a[2]:.0f} times faster"
        )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
