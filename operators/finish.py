# SPDX-License-Identifier: GPL-3.0-or-later
"""Finish: the approved take graded, titled and delivered as master, timeline and contact sheet."""

from pathlib import Path
from typing import Any

import bpy

from ..finishing import stage as worker
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from .encoders import encoders
from .repair import line_of_takes, load_take, report_on
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

WORKER = "finishing.stage:run"


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What decides the delivery."""
    finish = scene.holdfast.finish
    numbers = ("exposure", "contrast", "saturation", "temperature", "title_seconds")
    return {
        **{name: round(float(getattr(finish, name)), 4) for name in numbers},
        "title": str(finish.title).replace("\\n", "\n"),
        "crf": int(finish.crf),
    }


def approved_take(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> Manifest:
    """The newest take of the line that passed; with ``force`` the newest at all, with ``take`` that one.
    Raises InputError if none passed."""
    line = line_of_takes(scene, shot)
    if options.take:
        take = load_take(shot, options.take)
        if options.force or _passed(shot, take):
            return take
        todo = "Repair it, or run Finish with --force."
        raise InputError(f"{options.take} did not pass validation", where=shot.name, todo=todo)
    if not line:
        raise InputError("There is no take to finish", where=shot.name, todo="Run Style first.")
    for name in reversed(line):
        take = load_take(shot, name)
        if options.force or _passed(shot, take):
            return take
    todo = "Run Validate and Repair first, or Finish with --force."
    raise InputError(f"No take of {shot.name} has passed validation", todo=todo)


def _passed(shot: ShotFolder, take: Manifest) -> bool:
    report = report_on(shot, take)
    return report is not None and report.data["verdict"] == "pass"


def inputs_of(shot: ShotFolder, take: Manifest) -> dict[str, str]:
    """What a delivery of ``take`` is made from, by digest."""
    inputs = {"take": take.digest}
    report = report_on(shot, take)
    if report is not None:
        inputs["report"] = report.digest
    truth = Manifest.find(shot.truth / "truth.json", "holdfast/truth")
    if truth is not None:
        inputs["truth"] = truth.digest
    return inputs


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the delivery is of the newest passed take with these settings."""
    made = Manifest.find(shot.delivery / worker.MANIFEST, worker.SCHEMA)
    try:
        take = approved_take(scene, shot, StageOptions())
    except InputError as error:
        return StageState("stale" if made else "missing", error.what if made else "")
    if made is None:
        return StageState("missing")
    reason = stale_reason(made, settings_of(scene), inputs_of(shot, take))
    if reason is None and not (shot.delivery / worker.MASTER).exists():
        reason = "the master is gone"
    return StageState("stale", reason) if reason else StageState("fresh", f"take {made.data['take']}")


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Makes the delivery in the worker. Raises InputError if no take passed and nothing forces it."""
    take = approved_take(scene, shot, options)
    settings, inputs = settings_of(scene), inputs_of(shot, take)
    path = shot.delivery / worker.MANIFEST
    made = Manifest.find(path, worker.SCHEMA)
    fresh = made is not None and not options.force and stale_reason(made, settings, inputs) is None
    if made is not None and fresh and all((shot.delivery / name).exists() for name in made.files):
        return made
    request = {
        "shot": str(shot.root),
        "take": take.data["take"],
        "takes": line_of_takes(scene, shot),
        "settings": settings,
        "inputs": inputs,
        "sketches": {sketch.name: bpy.path.abspath(sketch.path) for sketch in scene.holdfast.sketches},
        "fonts": fonts(),
        "encoders": encoders(),
    }
    yield WorkerTask(WORKER, request)
    return Manifest.load(path, worker.SCHEMA)


def fonts() -> list[str]:
    """Blender's own typefaces, best first."""
    folder = bpy.utils.system_resource("DATAFILES", path="fonts")
    names = ("Inter.woff2", "Noto Sans CJK Regular.woff2")
    return [str(path) for path in (Path(folder) / name for name in names) if folder and path.exists()]


STAGE = Stage("finish", "Finish", run, state, verb="Finish")
