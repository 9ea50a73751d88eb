# SPDX-License-Identifier: GPL-3.0-or-later
"""What checking a frame of ground truth costs, and which check it is; on a made package or one of yours.

python -m tests.bench.bench_truth_check [TRUTH_DIR]
"""

import argparse
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from holdfast.pipeline.context import Context
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering import check, check_motion
from holdfast.rendering.check_surfaces import Surfaces

from tests.pure.truth_analytic import Body, Shot, write

PARTS, SIZE, FRAMES = 8, (1920, 1080), (1, 2, 3)


def made(folder: Path) -> Path:
    """Eight upright panes, each before half of the next, that slide before a wall; 1080p."""
    bodies = [Body("wall", "box", (9, 9, 0.001), (0, 0, 6), part=False)]
    for index in range(PARTS):
        place = (0.4 * (index % 4) - 0.6, 0.6 * (index // 4) - 0.3, 2.6 + 0.15 * index)
        bodies.append(Body(f"part {index}", "box", (0.3, 0.26, 1e-6), place, (0.01, 0.004, 0)))
    return write(Shot(tuple(bodies), SIZE, FRAMES, 1800.0), folder, drawn=panes)


def panes(shot: Shot, frame: int) -> dict[str, np.ndarray]:
    """What `truth_analytic.shade` gives, for upright panes and a still camera only, but at once."""
    shape = shot.size[::-1]
    passes = {"ids": np.zeros(shape, np.uint8), "depth": np.full(shape, 6, np.float32)}
    passes["normal"], passes["vector"] = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 4), np.float32)
    passes["normal"][..., 2] = 1
    passes["matte"], passes["whole"] = np.zeros((2, len(shot.parts), *shape), np.float32)
    for number, body in reversed(list(enumerate(shot.parts, 1))):
        x, y, z = body.pose(frame)[:3, 3]
        left, right = ((x + side * body.half[0]) * shot.focal / z + shape[1] / 2 for side in (-1, 1))
        top, bottom = ((y + side * body.half[1]) * shot.focal / z + shape[0] / 2 for side in (-1, 1))
        across = np.clip(
            np.minimum(np.arange(shape[1]) + 1, right) - np.maximum(np.arange(shape[1]), left), 0, 1
        )
        down = np.clip(
            np.minimum(np.arange(shape[0]) + 1, bottom) - np.maximum(np.arange(shape[0]), top), 0, 1
        )
        cover = np.outer(down, across)
        own = np.outer((down > 0) & (down >= 0.5), across >= 0.5)
        passes["whole"][number - 1] = cover
        passes["matte"] *= 1 - cover
        passes["matte"][number - 1] = cover
        passes["ids"][own], passes["depth"][own] = number, z
        flow = np.array(body.shift[:2]) * shot.focal / z
        passes["vector"][own] = [*flow, *-flow]
    named = np.concatenate([1 - passes["matte"].sum(0, keepdims=True), passes["matte"]])
    passes["sure"] = np.take_along_axis(named, passes["ids"][None].astype(int), 0)[0]
    return passes


def timed(spent: dict[str, float], name: str, action: Callable[[], Iterable[Any]]) -> list[Any]:
    start = time.process_time()
    result = list(action())
    spent[name] += time.process_time() - start
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("truth", type=Path, nargs="?")
    given = parser.parse_args().truth
    with tempfile.TemporaryDirectory() as folder:
        truth = GroundTruth.open(given or made(Path(folder)))
        surfaces = Surfaces(truth.folder, truth.names)
        spent: dict[str, float] = defaultdict(float)
        before = None
        frames = truth.frames[:24]
        for frame in frames:
            plate = check.Plate(truth, frame, surfaces)
            timed(spent, "read ids, mattes, wholes; crop", lambda plate=plate: plate.pieces)
            timed(
                spent,
                "read depth, normal, vector",
                lambda plate=plate: (plate.depth, plate.normal, plate.vector),
            )
            timed(spent, "frame by itself", lambda plate=plate: check.check_frame(plate))
            if before is not None:
                timed(
                    spent,
                    "against the frame before",
                    lambda a=before, b=plate: check_motion.check_motion(a, b),
                )
            before = plate
        count = len(frames)
        print(
            f"{truth.size[0]}x{truth.size[1]}, {len(truth.parts)} parts, {count} frames; ms of processor time a frame:"
        )
        for name, seconds in spent.items():
            print(f"{name:34}{1000 * seconds / count:9.1f}")
        print(f"{'all':34}{1000 * sum(spent.values()) / count:9.1f}")
        for hashes in (False, True):
            start = time.process_time()
            failures = check.check(truth, Context(), hashes=hashes)
            seconds = time.process_time() - start
            name = f"whole package{', with hashes' if hashes else ''}"
            print(f"{name:34}{1000 * seconds / len(truth.frames):9.1f}   {len(failures)} failures")
    print(
        f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, making the package included"
    )


if __name__ == "__main__":
    main()
