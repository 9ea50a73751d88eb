# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate: the newest take (or the one named) against the ground truth. The report says pass, fail or can't tell."""

from typing import Any

import bpy

from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.intent import Intent
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder, check_name
from ..pipeline.take import SCHEMA as TAKE
from ..pipeline.truth import SCHEMA as TRUTH
from ..properties_validate import intent_of
from ..validation import stage
from ..validation.stage import COARSE, FULL, MANIFEST, SCHEMA
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

WORKER = "validation.stage:run"
COARSE_SHARE = 0.12
"""Of the progress bar: about what the first look takes of the time."""
first_looks: dict[str, str] = {}
"""What the first look at a take found while it is looked at closely, by the folder of its report."""


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What a full report of this scene depends on besides the take and the truth: the limits and the intent."""
    return stage.settings(intent=Intent.from_json(intent_of(scene.holdfast.validate)))


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
    """Measures in the worker process; returns the report's manifest. Raises InputError, StorageError.

    With the first look on, a small picture is judged before: its verdict stands until the close look is done, and is
    what is kept if that is cancelled.
    """
    take = take_of(shot, options)
    inputs = inputs_of(shot, take)
    folder = shot.reports / take
    known = None if options.force else _known(shot, take)
    if known is not None and _is_full(known) and stale_reason(known, settings_of(scene), inputs) is None:
        return known
    request = {
        "truth": str(shot.truth), "take": str(shot.takes / take), "out": str(folder),
        "intent": intent_of(scene.holdfast.validate),
    }  # fmt: skip
    share = (0.0, 1.0)
    if scene.holdfast.validate.coarse_first and in_window():
        yield WorkerTask(WORKER, {**request, "stage": COARSE}, (0.0, COARSE_SHARE))
        first, share = _known(shot, take), (COARSE_SHARE, 1.0)
        if first is not None and _is_full(first):
            return first
        first_looks[str(folder)] = str(first.data["summary"]) if first is not None else ""
    try:
        yield WorkerTask(WORKER, {**request, "stage": FULL}, share)
    finally:
        first_looks.pop(str(folder), None)
    return Manifest.load(folder / MANIFEST, SCHEMA)


def in_window() -> bool:
    """Whether somebody waits for a first verdict; a farm does not."""
    return not bpy.app.background


def _is_full(report: Manifest) -> bool:
    return report.data.get("stage", FULL) == FULL


def _known(shot: ShotFolder, take: str) -> Manifest | None:
    try:
        return Manifest.find(shot.reports / take / MANIFEST, SCHEMA)
    except HoldfastError:
        return None  # damaged or newer: it is made again


def looked_at(shot: ShotFolder) -> str:
    """The take that the panel looks at, or the newest; empty if there is none."""
    names, chosen = shot.take_names(), str(bpy.context.window_manager.holdfast.take)
    return chosen if chosen in names else names[-1] if names else ""


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the take that is looked at has a full report made from it, this ground truth, limits and intent."""
    take = looked_at(shot)
    reports = any(shot.reports.glob(f"t[0-9]*/{MANIFEST}"))
    if not take:
        return StageState("stale", "its take is gone") if reports else StageState("missing", "")
    report = _known(shot, take)
    if report is None:
        return (
            StageState("stale", f"take {take} is not checked yet") if reports else StageState("missing", "")
        )
    try:
        inputs = inputs_of(shot, take)
    except HoldfastError as error:
        return StageState("stale", error.what)
    reason = stale_reason(report, settings_of(scene), inputs)
    if reason is None and not _is_full(report):
        return StageState("partial", f"only the first look at {take} is done: {report.data['summary']}")
    if reason == "setting 'intent' changed":
        reason = "what may change was set otherwise since"
    return StageState("stale", reason) if reason else StageState("fresh", str(report.data["summary"]))


STAGE = Stage(name="validate", label="Validate", run=run, state=state)
