# SPDX-License-Identifier: GPL-3.0-or-later
"""What a 250-frame joint costs, authored, read back, swept and proven: the whole stage on lathe-made parts.

python -m tests.bench.bench_proof  [KIND ...] [--profile]  (with a Python that has bpy)
Wall time by step, and the processor time of all; the acceptance is 2 s on two idle cores.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import bpy

import tests.conftest  # noqa: F401  (makes the checkout importable as holdfast)

sys.path.insert(0, str(Path(__file__).parents[1] / "blender"))
import holdfast.operators.physics as stage
import physics_parts as parts_of
from holdfast.operators.steps import StageOptions
from holdfast.physics.joints import KINDS
from holdfast.pipeline.project import ShotFolder

FRAMES = 250


def scene_of(kind: str) -> bpy.types.Scene:
    """A lantern of three parts whose lid has a joint of ``kind``, through 250 frames."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, FRAMES, 24
    parts_of.lantern()
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.kind = "joint", kind
    return scene


def step_of(message: str) -> str:
    """What a message of the stage is about: all trials are one step, each fit too."""
    for begin, step in (("Fitting", "fit"), ("Fitted", "fit"), ("Weighing", "weigh"), ("Writing the keys", "keys"),
                        ("Reading the keys", "read back"), ("Holding", "meshes against each other"),
                        ("Sweeping", "sweep"), ("Trying", "sweep"), ("Cutting", "pictures"), ("Rigid body", "bodies"),
                        ("Writing motion", "files and page"), ("Reading the parts", "plan")):  # fmt: skip
        if message.startswith(begin):
            return step
    return "trials"


def timed(scene: bpy.types.Scene, folder: Path) -> tuple[dict[str, float], float, float, Any]:
    """Seconds by step, of the clock and of the processor in all, and the manifest."""
    steps: dict[str, float] = defaultdict(float)
    began, work = time.perf_counter(), time.process_time()
    running, step, last = stage.run(scene, ShotFolder(folder), StageOptions()), "plan", began
    try:
        while True:
            said = next(running).message
            now = time.perf_counter()
            steps[step] += now - last
            step, last = step_of(said), now
    except StopIteration as stop:
        made = stop.value
    end = time.perf_counter()
    steps[step] += end - last
    return dict(steps), end - began, time.process_time() - work, made


def main(arguments: list[str]) -> None:
    wanted = [name for name in arguments if not name.startswith("-")] or [kind.name for kind in KINDS]
    print(f"Blender {bpy.app.version_string}: the stage Physics on a joint of {FRAMES} frames")
    profile = cProfile.Profile() if "--profile" in arguments else None
    with tempfile.TemporaryDirectory() as folder:
        timed(scene_of("TWIST_LOCK"), Path(folder) / "warm")
        for kind in wanted:
            scene = scene_of(kind)
            if profile is not None:
                profile.enable()
            steps, wall, work, made = timed(scene, Path(folder) / kind)
            if profile is not None:
                profile.disable()
            told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items())
            print(
                f"{kind}: {wall:.2f} s by the clock, {work:.2f} s of processor; {made.data['verdict']}; {told}"
            )
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main(sys.argv[1:])
