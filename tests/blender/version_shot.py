# SPDX-License-Identifier: GPL-3.0-or-later
"""One small shot, made by several Blenders and compared: ids, mattes, depth, normals, vectors, poses, camera.

    python version_shot.py make FOLDER    renders it with this Blender into FOLDER/<version>
    python version_shot.py table          has every Blender make it, prints docs/truth.md's table against the first

The shot has what versions could treat differently: a bevel and a subdivision, smooth and flat faces, a textured and
a glossy part, a part with geometry nodes, rotation and translation, a camera that turns, and an orthographic neighbour.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SIZE = (96, 64)
TOLERANCE = {
    "ids": 0.9995, "matte_max": 0.02, "matte_p99": 0.005, "whole_p99": 0.005, "depth": 1e-5, "normal_deg": 0.1,
    "vector_px": 0.01, "pose": 1e-6, "camera": 1e-4,
}  # fmt: skip
"""The most that two versions may differ: `ids` is the least share of equal pixels, all else the greatest difference.

Ten times what was measured, rounded up, and no less than one step of the 8-bit mattes. Single precision is summed in
another order by another compiler, and 5.2 turns corners of smooth surfaces a little otherwise.
"""


def build() -> None:
    """The shot, in an empty file."""
    import bpy

    from tests.blender import real_scenes
    from tests.blender import truth_scenes as scenes

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = real_scenes.base()
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.cycles.samples, scene.frame_end = 8, 3
    scene.cycles.sampling_pattern = (
        "TABULATED_SOBOL"  # new files of 5.0 have it, those of the others AUTOMATIC
    )
    ball, lid = scene.objects["ball"], scene.objects["lid"]
    for polygon in ball.data.polygons:
        polygon.use_smooth = True
    real_scenes.shader(ball, "BsdfPrincipled", Roughness=0.2, Metallic=1.0)
    real_scenes.shader(lid, "BsdfDiffuse")
    scenes.key(lid, "rotation_euler", {1: (0, 0, 0), 3: (0.3, 0.2, 0.1)})
    box = scenes.add_plane("box", 0.3)
    box.location, box.rotation_euler = (0, -1, -0.5), (1.2, 0.2, 0.4)
    box.modifiers.new("thick", "SOLIDIFY").thickness = 0.2
    box.modifiers.new("bevel", "BEVEL").width = 0.05
    box.modifiers.new("round", "SUBSURF").render_levels = 2
    scenes.key(scene.camera, "rotation_euler", {1: (math.pi / 2, 0, 0), 3: (math.pi / 2 + 0.02, 0, 0.05)})
    scene.frame_set(1)


def make(folder: Path) -> Any:
    """Renders the shot into ``folder``; the ground truth."""
    from tests.blender import truth_scenes as scenes

    build()
    return scenes.make(folder)


def compare(one: Any, other: Any) -> dict[str, float]:
    """How two ground truths of the shot differ; see TOLERANCE. Geometry is compared where both name the same part."""
    found: dict[str, list[float]] = {name: [] for name in TOLERANCE}
    for frame in one.frames:
        same = one.ids(frame) == other.ids(frame)
        inside = same & (one.ids(frame) > 0) & (one.sure(frame) > 0.98) & (other.sure(frame) > 0.98)
        found["ids"].append(float(same.mean()))
        gaps = np.concatenate(
            [np.abs(one.matte(n, frame) - other.matte(n, frame)).ravel() for n in one.names]
        )
        found["matte_max"].append(float(gaps.max()))
        found["matte_p99"].append(float(np.quantile(gaps, 0.99)))
        gaps = np.concatenate(
            [np.abs(one.whole(n, frame) - other.whole(n, frame)).ravel() for n in one.names]
        )
        found["whole_p99"].append(float(np.quantile(gaps, 0.99)))
        depth, there = one.depth(frame)[inside], other.depth(frame)[inside]
        found["depth"].append(float((np.abs(depth - there) / depth).max()))
        chord = np.linalg.norm(one.normal(frame)[inside] - other.normal(frame)[inside], axis=-1)
        found["normal_deg"].append(float(np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1))).max()))
        gap = np.linalg.norm(one.vector(frame) - other.vector(frame), axis=-1)[inside]
        found["vector_px"].append(float(gap.max()))
        found["pose"] += [float(np.abs(one.pose(n, frame) - other.pose(n, frame)).max()) for n in one.names]
        cameras = one.camera(frame), other.camera(frame)
        for what in ("K", "world_to_camera"):
            found["camera"].append(float(np.abs(getattr(cameras[0], what) - getattr(cameras[1], what)).max()))
    return {name: min(values) if name == "ids" else max(values) for name, values in found.items()}


def beyond(measured: dict[str, float]) -> list[str]:
    """What is outside of the tolerances."""
    return [
        f"{name} is {value:.2g}, the limit is {TOLERANCE[name]:.2g}"
        for name, value in measured.items()
        if (value < TOLERANCE[name] if name == "ids" else value > TOLERANCE[name])
    ]


def start(version: str, folder: Path) -> Any:
    """Another Blender, making the shot."""
    from tests.blender import version_scenes

    return version_scenes.start(version, "make", str(folder), script=__file__)


def made(started: Any) -> Any:
    """What it made."""
    from holdfast.pipeline.truth import GroundTruth

    from tests.blender import version_scenes

    return GroundTruth.open(Path(str(version_scenes.answer(started)["truth"])))


def table() -> None:
    """Every Blender's shot against that of the first."""
    from tests.blender.version_scenes import VERSIONS

    with tempfile.TemporaryDirectory() as folder:
        shots = {version: made(start(version, Path(folder) / version)) for version in VERSIONS}
        first = VERSIONS[0]
        print(f"| {first} against | " + " | ".join(TOLERANCE) + " |")
        for version in VERSIONS[1:]:
            measured = compare(shots[first], shots[version])
            print(f"| {version} | " + " | ".join(f"{value:.2g}" for value in measured.values()) + " |")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import tests.conftest  # noqa: F401  makes `holdfast` importable

    if sys.argv[1] == "table":
        table()
    else:
        truth = make(Path(sys.argv[2]))
        print("\nANSWER " + json.dumps({"truth": str(truth.folder)}), flush=True)
        os._exit(0)  # bpy as a module can hang in an ordinary exit
