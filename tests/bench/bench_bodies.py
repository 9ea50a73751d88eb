# SPDX-License-Identifier: GPL-3.0-or-later
"""What 50 bodies at once cost, step by step, and how 30 mm parts of each shape come to rest.

python -m tests.bench.bench_bodies  (in an environment with Blender)
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from scripts import blender_host

sys.path.insert(0, str(Path(__file__).parents[1] / "blender"))

PARTS = 50


def scene_of(count: int) -> list[Any]:
    """Parts of ten kinds and of different sizes, so that no two have one shape."""
    import bpy

    add = bpy.ops.mesh
    makers = (
        lambda: add.primitive_cube_add(size=0.03),
        lambda: add.primitive_cylinder_add(radius=0.01, depth=0.03),
        lambda: add.primitive_uv_sphere_add(radius=0.015),
        lambda: add.primitive_cone_add(radius1=0.015, depth=0.03),
        lambda: add.primitive_ico_sphere_add(radius=0.015, subdivisions=5),
        lambda: add.primitive_torus_add(major_radius=0.011, minor_radius=0.004),
        lambda: add.primitive_cube_add(size=0.02),
        lambda: add.primitive_uv_sphere_add(radius=0.012, segments=64, ring_count=32),
        lambda: add.primitive_cylinder_add(vertices=6, radius=0.012, depth=0.01),
        lambda: add.primitive_torus_add(
            major_radius=0.014, minor_radius=0.003, major_segments=24, minor_segments=8
        ),
    )
    parts = []
    for index in range(count):
        makers[index % len(makers)]()
        part = bpy.context.object
        part.name = f"part {index:02d}"
        grown = 1.0 + 0.01 * index
        uneven = index % 10 in {4, 7}  # these stay no spheres
        part.scale = (grown, grown * (0.8 if uneven else 1.0), grown * (1.3 if uneven else 1.0))
        part.location = (0.1 * (index % 10), 0.1 * (index // 10), 0.1)
        parts.append(part)
    bpy.context.view_layer.update()
    return parts


def timed(label: str, work: Any) -> Any:
    """Runs a generator; prints its time and its longest slices, in processor time, which others on the machine don't add to."""
    started, busy, slices = time.perf_counter(), time.process_time(), [(0.0, "")]
    try:
        while True:
            before = time.process_time()
            step = next(work)
            slices.append((time.process_time() - before, step.message))
    except StopIteration as stop:
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        slices.sort(reverse=True)
        longest = ", ".join(f"{1e3 * took:.1f} ms ({where})" for took, where in slices[:3])
        print(f"{label:34}{seconds:7.2f} s   of processors {busy:.2f} s   longest slices {longest}")
        return stop.value


def main() -> int:
    import bpy
    import settle_parts
    from holdfast.operators import bodies, body_bake
    from holdfast.operators.body_fall import Fall

    scene = bpy.context.scene
    print(f"Blender {bpy.app.version_string}, {PARTS} parts of different size")
    parts = scene_of(PARTS)
    triangles = sum(len(part.data.loop_triangles) or len(part.data.polygons) for part in parts)
    for label, live in (("animated, no test", False), ("live, no test", True)):
        timed(label, bodies.make(scene, parts, bodies.Request(live=live, trust=True, test=False)))
    made = timed(
        "live, each put on a floor", bodies.make(scene, parts, bodies.Request(live=True, trust=True))
    )
    started = time.perf_counter()
    for frame in range(1, 25):
        scene.frame_set(frame)
    print(f"{'24 frames of play':34}{time.perf_counter() - started:7.2f} s   {triangles} faces")
    scene.frame_set(1)
    scene.frame_end = 250
    baked = timed("baked, 250 frames", body_bake.bake(scene, parts, Fall()))
    print(baked.summary(), *baked.told)
    started = time.perf_counter()
    print(f"{'live again':34}{body_bake.clear(parts)} in {time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    bodies.remove(scene, parts)
    print(f"{'removed':34}{time.perf_counter() - started:7.2f} s")
    print(made.summary())
    for name, record in list(made.records.items())[:10]:
        verdict = made.verdicts[name]
        print(
            f"{name}  {record.shape.kind:12} {len(record.shape.pieces):2} pieces, volume {record.shape.volume_error:+.1%}, "
            f"inertia off {record.shape.inertia_error:.0%}, gap {verdict.gap_mm:.4f} mm of {verdict.margin_mm:.3f}, "
            f"jitter {verdict.jitter_mm:.5f} mm a frame"
        )
    print(*made.unstable, sep="\n")
    scene.rigidbody_world and bodies.remove(scene, parts)
    bpy.data.batch_remove(parts)
    parts = settle_parts.parts()
    print("\n30 mm parts put on their firmest face, 36 frames in the scene's steps")
    made = timed("eight parts", bodies.make(scene, parts, bodies.Request(live=True, trust=True)))
    for name, verdict in made.verdicts.items():
        print(settle_parts.line(name, made.records[name], verdict))
    return 0


if __name__ == "__main__":
    blender_host.leave(main())
