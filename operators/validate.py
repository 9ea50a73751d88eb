# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate: the newest take (or the one named) against the ground truth. The report says pass, fail or can't tell."""

import bpy

from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder, check_name
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.truth import SCHEMA as TRUTH
from ..validation.stage import MANIFEST, SCHEMA, settings
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

WORKER = "validation.stage:run"


def take_of(shot: ShotFolder, options: StageOptions) -> str:
    """The take to check: the one asked for, or the newest. Raises InputError if there is none."""
    names = shot.take_names()
    if not names:
        raise InputError(
            "There is no take to check", where=shot.name, todo="Run Style first, or import a take."
        )
    if options.take is None:
        return names[-1]
    if check_name(options.take, "take") not in names:
        raise InputError(
            f"There is no take {options.take}", where=shot.name, todo=f"There are {', '.join(names)}."
        )
    return options.take


def inputs_of(shot: ShotFolder, take: str) -> dict[str, str]:
    """Digests of the take and the ground truth. Raises InputError if one is missing, or if they are of two shots."""
    truth = Manifest.find(shot.truth / "truth.json", TRUTH)
    if truth is None:
        raise InputError(
            "There is no ground truth to check against", where=shot.name, todo="Run Ground truth first."
        )
    manifest = Manifest.load(shot.takes / take / "take.json", TAKE)
    if manifest.inputs.get("truth", truth.digest) != truth.digest:
        todo = "Run Style again, or import the take into the shot that it was made from."
        raise InputError(f"Take {take} was made from another ground truth", where=shot.name, todo=todo)
    return {"truth": truth.digest, "take": manifest.digest}


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Measures in the worker process; returns the report's manifest. Raises InputError, StorageError."""
    take = take_of(shot, options)
    inputs = inputs_of(shot, take)
    folder = shot.reports / take
    if not options.force:
        known = _known(shot, take)
        if known is not None and stale_reason(known, settings(), inputs) is None:
            return known
    yield WorkerTask(WORKER, {"truth": str(shot.truth), "take": str(shot.takes / take), "out": str(folder)})
    return Manifest.load(folder / MANIFEST, SCHEMA)


def _known(shot: ShotFolder, take: str) -> Manifest | None:
    try:
        return Manifest.find(shot.reports / take / MANIFEST, SCHEMA)
    except HoldfastError:
        return None  # damaged or newer: it is made again


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the newest take has a report made from it, this ground truth and these limits."""
    names = shot.take_names()
    reports = sorted(shot.reports.glob(f"t[0-9]*/{MANIFEST}"))
    if not names:
        return StageState("stale", "its take is gone") if reports else StageState("missing", "")
    take = names[-1]
    report = _known(shot, take)
    if report is None:
        return (
            StageState("stale", f"take {take} is not checked yet") if reports else StageState("missing", "")
        )
    try:
        inputs = inputs_of(shot, take)
    except HoldfastError as error:
        return StageState("stale", error.what)
    reason = stale_reason(report, settings(), inputs)
    return StageState("stale", reason) if reason else StageState("fresh", str(report.data["summary"]))


STAGE = Stage(name="validate", label="Validate", run=run, state=state)
