# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost of control clips: milliseconds of one core per 1080p frame and kind: reading, drawing, writing.

``python -m tests.bench.bench_clips [frames]`` on plain CPython; prints a table.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2

import tests.conftest  # noqa: F401  makes the checkout importable

# isort: split
from holdfast.pipeline.context import Context
from holdfast.pipeline.controls import Control, SizeRule, check_control
from holdfast.pipeline.fitting import fit_size
from holdfast.pipeline.pictures import write_gray, write_picture
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering.clips.depth import find_range
from holdfast.rendering.clips.pictures import Frame, Look

from tests.pure import clip_truth as scene

KINDS = ("beauty", "depth", "edges", "normals", "matte", "ids")


def timed(work: Callable[[], object]) -> float:
    """Processor time, which other work on the machine does not lengthen."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1e3


def main(frames: int) -> None:
    cv2.setNumThreads(1)
    scene.SIZE, scene.FOCAL, scene.FINE = (1920, 1080), 2160.0, 1
    with tempfile.TemporaryDirectory() as folder:
        views = [scene.View((0.02 * i, 0.0, 0.03 * i)) for i in range(frames)]
        truth = GroundTruth.open(scene.write(Path(folder) / "truth", views))
        ends = find_range(truth, Context())
        look = timed(lambda: find_range(truth, Context())) / frames
        print(f"near and far of the shot: {look:.0f} ms a frame, once a shot")
        print(f"{'kind':8} {'clip':>10} {'read':>6} {'draw':>6} {'write':>6}  ms a frame (least of {frames})")
        for limit in ((1920, 1080), (1280, 720)):
            fit = fit_size(truth.size, SizeRule(2, limit))
            for kind in KINDS:
                look = Look(check_control(Control(kind, codec="png"), ""), ends, ("box",))
                rows = [measure(truth, number, fit, look, Path(folder) / "x.png") for number in truth.frames]
                read, draw, write = (min(column) for column in zip(*rows, strict=True))
                print(f"{kind:8} {fit.clip[0]:5}x{fit.clip[1]:<4} {read:6.0f} {draw:6.0f} {write:6.0f}")


def measure(truth: GroundTruth, number: int, fit, look: Look, path: Path) -> tuple[float, float, float]:
    frame = Frame(truth, number, fit)
    needs = {"depth": ("inverse",), "edges": ("inverse", "ids", "normal"), "normals": ("inverse", "ids", "normal"),
             "ids": ("ids",)}.get(look.control.kind, ())  # fmt: skip
    read = timed(lambda: [getattr(frame, name) for name in needs])
    drawn = []
    draw = timed(lambda: drawn.append(frame.draw(look)))
    write = timed(lambda: (write_gray if drawn[0].ndim == 2 else write_picture)(path, drawn[0]))
    return read, draw, write


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
