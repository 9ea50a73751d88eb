# SPDX-License-Identifier: GPL-3.0-or-later
"""What ground truth costs beside the beauty that it comes with: seconds a frame of each scene, and of packing.

python -m tests.bench.bench_truth [--size 1920x1080] [--samples 64] [--frames 2] [--engine CYCLES]   (a Python with bpy)

Seconds are of the processor and of the clock; on a machine that does other things too the first ones tell.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts import blender_host

sys.path.insert(0, str(blender_host.ROOT / "tests" / "blender"))
PARTS = 8


def studio(size: tuple[int, int], samples: int, frames: int, engine: str) -> Any:
    """Eight glossy parts that turn on a floor, three lamps, textured by noise: a plain product shot."""
    import bmesh
    import bpy
    import truth_scenes as scenes

    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    scene = scenes.new_scene(size, frames, samples)
    scene.render.engine = engine
    scene.cycles.use_denoising = False
    for number in range(PARTS):
        mesh, work = bpy.data.meshes.new(f"part {number}"), bmesh.new()
        bmesh.ops.create_monkey(work) if number % 2 else bmesh.ops.create_icosphere(
            work, subdivisions=4, radius=1
        )
        bmesh.ops.scale(work, vec=(0.25, 0.25, 0.25), verts=work.verts)
        work.to_mesh(mesh)
        part = bpy.data.objects.new(f"part {number}", mesh)
        scene.collection.objects.link(part)
        part.holdfast.is_part, part.holdfast.part_id = True, number + 1
        part.modifiers.new("smooth", "SUBSURF").render_levels = 2
        turn = 2 * math.pi * number / PARTS
        part.location = (0.7 * math.cos(turn), 0.7 * math.sin(turn), 0.25)
        scenes.key(part, "rotation_euler", {1: (0, 0, turn), frames + 1: (0, 0.2, turn + 0.1 * frames)})
        part.data.materials.append(_paint(number))
    scenes.add_plane("floor", 20, part=False).data.materials.append(_paint(99))
    for place in ((2, -2, 3), (-3, -1, 2), (0, 3, 4)):
        lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "AREA"))
        lamp.data.energy, lamp.data.size, lamp.location = 120, 1.5, place
        lamp.rotation_euler = (0, 0, 0)
        scene.collection.objects.link(lamp)
    scene.camera.location, scene.camera.rotation_euler = (0, -3.4, 1.6), (math.radians(68), 0, 0)
    return scene


def _paint(number: int) -> Any:
    import bpy

    material = bpy.data.materials.new(f"paint {number}")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    tree = material.node_tree
    paint, noise = tree.nodes["Principled BSDF"], tree.nodes.new("ShaderNodeTexNoise")
    tree.links.new(noise.outputs["Color"], paint.inputs["Base Color"])
    paint.inputs["Roughness"].default_value = 0.1 + 0.08 * (number % 10)
    return material


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """(processor, clock) seconds of a call, and what it gave."""
    began, ran = time.perf_counter(), time.process_time()
    result = work()
    return time.process_time() - ran, time.perf_counter() - began, result


def main() -> int:
    """Prints the table; 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--engine", default="CYCLES")
    asked = parser.parse_args([word for word in sys.argv[1:] if word != "--"])
    width, height = (int(side) for side in asked.size.split("x"))
    import bpy
    import truth_scenes as scenes
    from holdfast.operators.drive import render_frames
    from holdfast.operators.steps import Progress, RenderJob, StageOptions
    from holdfast.pipeline.context import Context
    from holdfast.rendering import pack

    import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

    folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
    scene = studio((width, height), asked.samples, asked.frames, asked.engine)
    spent: dict[str, tuple[float, float]] = {}

    def add(what: str, used: tuple[float, float]) -> None:
        before = spent.get(what, (0.0, 0.0))
        spent[what] = (before[0] + used[0], before[1] + used[1])

    scene.render.filepath = str(folder / "plain.")
    scene.render.image_settings.file_format = "PNG"
    scene.render.use_persistent_data = True
    plain = RenderJob(scene, tuple(range(1, asked.frames + 1)))
    add("beauty alone", timed(lambda: render_frames(plain, Context()))[:2])
    scene.render.use_persistent_data = False
    generator, answer = scenes.STAGE.run(scene, scenes.shot_in(folder), StageOptions()), None
    while True:
        try:
            *used, step = timed(lambda: generator.send(answer))  # noqa: B023
        except StopIteration:
            break
        add("reading the scene", (used[0], used[1]))
        answer = None
        if isinstance(step, RenderJob):
            job = step
            add(f"scene {job.scene.name.split()[-1]}", timed(lambda: render_frames(job, Context()))[:2])  # noqa: B023
        elif not isinstance(step, Progress):
            request = step.request
            *used, answer = timed(lambda: pack.run(request, Context()))  # noqa: B023
            add("packing", (used[0], used[1]))
    print(f"\nBlender {bpy.app.version_string}, {asked.engine}, {width} x {height}, {asked.samples} samples, "
          f"{PARTS} parts, {asked.frames} frames")  # fmt: skip
    for what, (processor, clock) in spent.items():
        print(
            f"{what:20} {processor / asked.frames:7.2f} s processor {clock / asked.frames:7.2f} s clock a frame"
        )
    for place, unit in ((0, "processor"), (1, "clock")):
        alone = spent["beauty alone"][place]
        whole = sum(used[place] for what, used in spent.items() if what != "beauty alone")
        aside = whole - spent.get("scene beauty", (0.0, 0.0))[place]
        print(f"overhead {100 * (whole / alone - 1):5.1f} % of the beauty, by the {unit}; "
              f"auxiliary passes alone {aside / asked.frames:.2f} s a frame")  # fmt: skip
    size = sum(path.stat().st_size for path in folder.glob("shot.holdfast/*/truth/**/*") if path.is_file())
    print(
        f"package {size / asked.frames / 1e6:.1f} MB a frame, {size / asked.frames / width / height:.1f} B a pixel"
    )
    shutil.rmtree(folder, ignore_errors=True)
    blender_host.leave(0)


if __name__ == "__main__":
    raise SystemExit(main())
