# SPDX-License-Identifier: GPL-3.0-or-later
"""Bullet beside textbook mechanics, and what free bodies cost.

python -m tests.bench.bench_dynamics, with a Python that has bpy
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import bpy

import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

sys.path.insert(0, str(Path(__file__).parents[1] / "blender"))
import physics_truths as truths_of
from holdfast.physics import author, dynamics

FRAMES = 250


def cost(count: int) -> tuple[float, float, float]:
    """(wall seconds to simulate, to bake, processor seconds of both) of ``count`` free bodies."""
    bodies = truths_of.heap(count)
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
    print(f"Blender {bpy.app.version_string}, settings as they are chosen (substeps/iterations), 24 frames/s")
    print(f"{'quantity':44}{'Bullet':>14}{'truth':>14} {'unit':6}{'error':>18}  steps")
    for row in truths_of.truths():
        print(row)
    each = {}
    for count, goes in ((40, 3), (400, 1)):
        simulated, baked, work = min(cost(count) for _ in range(goes))
        each[count] = ((simulated + baked) / count, work / count)
        print(
            f"{count} free bodies x {FRAMES} frames: simulate {simulated:.2f} s, bake {baked:.2f} s, together "
            f"{simulated + baked:.2f} s ({work:.2f} s of processor): {1000 * each[count][0]:.1f} ms a body"
        )
    wall, work = (each[400][k] / each[40][k] for k in (0, 1))
    print(
        f"cost of a body among 400 over that of one among 40: {wall:.2f} by the clock, {work:.2f} by the processor"
    )


if __name__ == "__main__":
    main()
