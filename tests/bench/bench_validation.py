# SPDX-License-Identifier: GPL-3.0-or-later
"""What Validate costs a frame, and what of it is reading.

python -m tests.bench.bench_validation TRUTH_DIR TAKE_DIR
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import cv2
from holdfast.pipeline.context import Context
from holdfast.pipeline.take import TakeFolder
from holdfast.pipeline.truth import GroundTruth
from holdfast.validation.anchors import Region, Rig, carry, readable
from holdfast.validation.contours import Edges, measure_outline, trace
from holdfast.validation.ghosts import ghost_score
from holdfast.validation.plates import load_plate
from holdfast.validation.stage import run


def timed(name: str, count: int, action) -> object:
    """Prints the shortest of three goes, in ms a frame."""
    best, out = float("inf"), None
    for _ in range(3):
        start = time.perf_counter()
        out = action()
        best = min(best, time.perf_counter() - start)
    print(f"{name:34}{1000 * best / count:9.1f} ms")
    return out


def main() -> None:
    import numpy as np

    parser = argparse.ArgumentParser()
    parser.add_argument("truth", type=Path)
    parser.add_argument("take", type=Path)
    args = parser.parse_args()
    truth, take = GroundTruth.open(args.truth), TakeFolder.open(args.take)
    frames = list(truth.frames)[10:14]
    rig, ids = Rig.of(truth), [part.id for part in truth.parts]
    print(f"{truth.size[0]}x{truth.size[1]}, {len(ids)} parts; per frame:")
    timed("read the take", 4, lambda: [take.frame(f) for f in frames])
    timed(
        "read beauty, ids, depth",
        4,
        lambda: [(truth.beauty(f), truth.ids(f), truth.depth(f)) for f in frames],
    )
    timed("read normals", 4, lambda: [truth.normal(f) for f in frames])
    plates = timed(
        "plate, reading included", 4, lambda: [load_plate(truth, take, f, f, (0.0, 0.0)) for f in frames]
    )
    edges = timed("edges of take and render", 4, lambda: [Edges.of(p) for p in plates])
    contours = timed("contours, all parts", 4, lambda: [[trace(p, i) for i in ids] for p in plates])
    rng = np.random.default_rng(0)
    timed("outline, all parts", 4, lambda: [measure_outline(e, c, p.unit, rng)
                                            for p, e, cs in zip(plates, edges, contours, strict=True) for c in cs])  # fmt: skip
    timed("ghosts, all parts", 4, lambda: [ghost_score(p, i) for p in plates for i in ids])
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    region = Region.around(plates[0].ids, ids, plates[0].unit)
    timed("carry one other frame, flow", 1, lambda: carry(rig, plates[0], plates[3], ids, region, flow))
    timed("texture", 1, lambda: readable(plates[0], region))
    with tempfile.TemporaryDirectory() as folder:
        start, used = time.perf_counter(), time.process_time()
        found = run({"truth": str(args.truth), "take": str(args.take), "out": folder}, Context())
        count = len(truth.frames)
        wall, cpu = time.perf_counter() - start, time.process_time() - used
        size = (Path(folder) / "report.html").stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"whole stage: {wall:.1f} s, {wall / count:.3f} s a frame ({cpu / count:.3f} s of CPU), {peak:.0f} MB, page {size:.1f} MB"
    )
    print(found["summary"])


if __name__ == "__main__":
    main()
