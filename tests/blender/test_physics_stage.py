# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage from parts to proof, in Blender."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import bpy
import holdfast.operators.drive as drive
import holdfast.operators.physics as stage
from holdfast.operators.steps import StageOptions
from holdfast.pipeline.context import Context
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.project import ShotFolder

sys.path.insert(0, str(Path(__file__).parent))
import physics_parts as parts_of


def set_scene() -> bpy.types.Scene:
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 72, 24
    timing = scene.holdfast.physics.timing
    timing.align_frames, timing.insert_frames, timing.twist_frames = 16, 16, 16
    timing.click_frames, timing.hold_frames = 4, 20
    scene.holdfast.physics.pull_on_screen = True
    return scene


def run(scene: bpy.types.Scene, folder: Path, **options: bool) -> Manifest:
    return drive.run_blocking(
        stage.run(scene, ShotFolder(folder), StageOptions(frames=None, **options)), Context()
    )


def test_the_lantern_is_proven(tmp_path: Path) -> None:
    scene = set_scene()
    parts_of.lantern()
    started = time.monotonic()
    made = run(scene, tmp_path)
    print("seconds", time.monotonic() - started)
    proof = Manifest.load(tmp_path / "motion" / "proof.json", "holdfast/proof")
    for check in proof.data["checks"]:
        print(check["ok"], check["id"], check["value"], check["limit"], check["unit"], "|", check["says"])
    print(proof.data["verdict"], proof.data["says"])
    print("motion", made.data["motion_hash"], "proof", proof.digest)
    print(made.data["bodies"])
    assert proof.data["verdict"] == "engaged"
