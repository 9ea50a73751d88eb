# SPDX-License-Identifier: GPL-3.0-or-later
"""Bullet beside textbook mechanics, and what free bodies cost.

python -m tests.bench.bench_dynamics, with a Python that has bpy
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import bpy

import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

sys.path.insert(0, str(Path(__file__).parents[1] / "blender"))
import physics_truths as truths_of
from holdfast.physics import author, dynamics

FRAMES = 250


def cost(count: int, apart: int) -> tuple[float, float, float]:
    """(wall seconds to simulate, to bake, processor seconds of both) of ``count`` free bodies."""
    bodies = truths_of.heap(count, apart=apart)
    objects = [bpy.data.objects.new(body.name, None) for body in bodies]
    for ob in objects:
        bpy.context.scene.collection.objects.link(ob)
    began, work = time.perf_counter(), time.process_time()
    motion = truths_of.run(dynamics.simulate(bodies, fps=24, frames=FRAMES))
    middle = time.perf_counter()
    for index, ob in enumerate(objects[1:], start=1):
        author.write_keys(ob, range(1, FRAMES + 1), motion.poses[:, index], "bench")
    end, worked = time.perf_counter(), time.process_time()
    bpy.data.batch_remove([*objects, *bpy.data.actions])
    return middle - began, end - middle, worked - work


def main() -> None:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(f"{os.cpu_count()} processors, load {load:.1f}: the best of several goes where it says so")
    print(f"Blender {bpy.app.version_string}, settings as they are chosen (substeps/iterations), 24 frames/s")
    print(f"{'quantity':44}{'Bullet':>14}{'truth':>14} {'unit':6}{'error':>18}  steps")
    for row in truths_of.truths():
        print(row)
    each = {}
    for name, count, apart, goes in (
        ("40", 40, 0, 3),
        ("400 in ten heaps", 400, 40, 1),
        ("400 in one heap", 400, 0, 1),
    ):
        simulated, baked, work = min(cost(count, apart) for _ in range(goes))
        each[name] = ((simulated + baked) / count, work / count)
        print(
            f"{name} free bodies x {FRAMES} frames (best of {goes}): simulate {simulated:.2f} s, bake {baked:.2f} s, together "
            f"{simulated + baked:.2f} s ({work:.2f} s of processor): {1000 * each[name][0]:.1f} ms a body, "
            f"{each[name][0] / each['40'][0]:.2f} times that of 40 by the clock, "
            f"{each[name][1] / each['40'][1]:.2f} by the processor"
        )


if __name__ == "__main__":
    main()
