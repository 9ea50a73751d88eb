# SPDX-License-Identifier: GPL-3.0-or-later
"""The lantern demo: an ordinary .blend whose stages are run in order, as an artist would click them."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import bpy

from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest
from ..pipeline.reporting import Reporter
from ..pipeline.store import storage
from . import demo_set, locate
from .stages import STAGES, state_of
from .steps import Stage, StageOptions

NAME = "lantern"
SKETCHES = (("lantern_body", 44.0), ("lantern_lid", 28.0))
"""Asset name and real height of the drawing, in millimetres."""
DEFECTS = (
    {"kind": "vanish", "part": "peg", "frames": [7, 14]},
    {"kind": "rubber", "part": "lid", "frames": [50, 59]},
)
RunStage = Callable[[Stage, bpy.types.Scene, StageOptions, Reporter], Manifest]
ApplySettings = Callable[[bpy.types.Scene, Sequence[str]], None]


def samples() -> Path:
    """Folder of the sketches that come with the extension."""
    return Path(__file__).parents[1] / "clients" / "offline" / "samples"


def set_up(scene: bpy.types.Scene) -> None:
    """Fills an empty scene with the demo's set and settings; the sketches lie beside the .blend."""
    demo_set.build(scene)
    scene.render.engine = "CYCLES"  # type: ignore[assignment]  # the stub lists EEVEE alone
    scene.cycles.device = "CPU"
    scene.cycles.use_light_tree = False  # three lights: sampling them all is cheaper than choosing
    scene.cycles.max_bounces, scene.cycles.diffuse_bounces = 4, 1
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 640, 360, 100
    scene.render.fps, scene.render.fps_base = 24, 1.0
    scene.frame_start, scene.frame_end = 1, 72
    scene.unit_settings.length_unit = "MILLIMETERS"
    settings = scene.holdfast
    settings.shot_name = "sh010"
    settings.sketches.clear()
    for name, height_mm in SKETCHES:
        sketch = settings.sketches.add()
        sketch.name, sketch.height_mm, sketch.path = name, height_mm, f"//sketches/{name}.jpg"
    joint = settings.physics.joints.add()
    joint.name = "lid lock"
    joint.depth_mm, joint.twist_deg, joint.clearance_mm = 0.0, 60.0, 0.25  # the whole peg goes in
    settings.physics.pull_on_screen = True
    settings.truth.samples = 4  # denoised; about a second a frame on two cores
    settings.style.defects = json.dumps(DEFECTS)
    settings.finish.title = "Lantern\nOne sketch, one proven lock"


def new_file(folder: Path) -> bpy.types.Scene:
    """Makes ``lantern.blend`` in ``folder`` with copies of the sketches, and opens it. Raises StorageError."""
    with storage(folder):
        (folder / "sketches").mkdir(parents=True, exist_ok=True)
        for name, _height in SKETCHES:
            shutil.copyfile(samples() / f"{name}.jpg", folder / "sketches" / f"{name}.jpg")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True, load_ui=False)
    scene = bpy.context.scene
    set_up(scene)
    save(folder / f"{NAME}.blend")
    return scene


def save(path: Path) -> None:
    """Saves the .blend under ``path``. Raises StorageError."""
    with storage(path):
        try:
            bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
        except RuntimeError as error:
            raise OSError(str(error)) from error


def run(
    folder: Path, assignments: Sequence[str], reporter: Reporter, run_stage: RunStage, apply: ApplySettings
) -> int:
    """Runs every stage of the demo in ``folder`` and prints what was made. Returns the exit code."""
    folder = folder.resolve()
    blend = folder / f"{NAME}.blend"
    if blend.exists():
        bpy.ops.wm.open_mainfile(filepath=str(blend), load_ui=False)
        scene = bpy.context.scene
        if not scene.holdfast.sketches:
            raise InputError(f"{blend} is not the demo's file", todo="Choose another folder with --output.")
    else:
        scene = new_file(folder)
    apply(scene, assignments)
    seconds: dict[str, float] = {}
    results: dict[str, Manifest] = {}
    for stage in STAGES:
        edited = stage.edits_scene and state_of(stage, scene).status != "fresh"
        started = time.perf_counter()
        results[stage.name] = run_stage(stage, scene, StageOptions(), reporter)
        if edited:
            save(blend)
        seconds[stage.name] = time.perf_counter() - started
    _print_summary(scene, blend, seconds, results, reporter)
    return 0


def _verdict(folder: Path) -> str:
    try:
        report = Manifest.load(folder / "report.json", "holdfast/report")
    except HoldfastError as error:
        return str(error)
    return f"{report.data['take']}: {report.data['verdict']}. {report.data.get('summary', '')}"


def _print_summary(
    scene: bpy.types.Scene,
    blend: Path,
    seconds: dict[str, float],
    results: dict[str, Manifest],
    reporter: Reporter,
) -> None:
    shot = locate.shot_of(scene)
    reports = sorted(path.parent for path in shot.reports.glob("t*/report.json"))
    lines = [f"{name:10}{value:7.1f} s" for name, value in seconds.items()]
    lines.append(f"{'total':10}{sum(seconds.values()):7.1f} s")
    if reports:
        lines.append(f"before repair  {_verdict(reports[0])}")
        lines.append(f"after repair   {_verdict(reports[-1])}")
        lines.append(f"report         {reports[0] / 'report.html'}")
        lines.append(f"repaired       {reports[-1] / 'report.html'}")
    lines.append(f"master         {shot.delivery / 'master.mp4'}")
    lines.append(f"blend          {blend}")
    for line in lines:
        reporter.log(line)
