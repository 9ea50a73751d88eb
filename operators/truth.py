# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage Ground truth: renders what every later stage believes, from throw-away copies of the scene."""

import os
from pathlib import Path

import bpy

from ..pipeline.errors import HoldfastError, UsageError
from ..pipeline.frames import format_frames
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.store import storage
from ..pipeline.truth import MANIFEST, SCHEMA
from ..rendering import pack
from ..rendering import shot as reading
from . import truth_batch
from .steps import Progress, Stage, StageGenerator, StageOptions, StageState
from .truth_plan import Plan, plan

RAW_LIMIT_BYTES = 2_000_000_000
BATCH_FRAMES = 24
"""A shot is rendered and packed in batches of so many frames and raw bytes: what a killed run can lose."""


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Whether the package on disk is of this scene, these settings and this motion."""
    try:
        manifest = Manifest.find(shot.truth / MANIFEST, SCHEMA)
        begun = any(shot.truth.glob("frames/*.json"))
        if manifest is None and not begun:
            return StageState("missing")
        found = plan(scene, shot)
        reason = stale_reason(manifest, found.settings, found.inputs)
        if reason is None:
            return StageState("fresh")
        done = (
            sum(pack.finished(shot.truth, frame, found.made_from) for frame in found.frames) if begun else 0
        )
    except HoldfastError as error:
        return StageState("failed", str(error))
    if done:
        return StageState("partial", f"{done} of {len(found.frames)} frames are rendered")
    return StageState("stale", reason)


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Renders and packs the frames that are not there yet; the manifest once the shot is complete."""
    yield Progress(0.0, "Reading the scene")
    found = plan(scene, shot)
    frames = _chosen(found, options)
    if not options.force and options.frames is None:
        before = Manifest.find(shot.truth / MANIFEST, SCHEMA)
        if (
            before
            and stale_reason(before, found.settings, found.inputs) is None
            and _all_there(shot.truth, before)
        ):
            return before
    todo = [f for f in frames if options.force or not pack.finished(shot.truth, f, found.made_from)]
    if options.force:
        for frame in todo:
            pack.sidecar(shot.truth, frame).unlink(missing_ok=True)
    at_once = max(4, RAW_LIMIT_BYTES // (found.size[0] * found.size[1] * reading.RAW_BYTES_A_PIXEL))
    at_once = min(at_once, BATCH_FRAMES)
    _refuse_closed(shot.truth)
    reading.refuse_full_disk(shot.truth, reading.bytes_needed(found.size, len(todo), at_once))
    yield from truth_batch.way_back(shot, found)
    batches = [todo[start : start + at_once] for start in range(0, len(todo), at_once)] or [[]]
    answer = {}
    for number, batch in enumerate(batches):
        share = (number / len(batches), (number + 1) / len(batches))
        answer = yield from truth_batch.batch(scene, shot, found, batch, share, number == 0)
    if answer["state"] == "complete":
        return Manifest.load(shot.truth / MANIFEST, SCHEMA)
    return Manifest(SCHEMA, found.settings, found.inputs, {"state": "partial", "frames": answer["frames"]})


def _chosen(found: Plan, options: StageOptions) -> tuple[int, ...]:
    if options.frames is None:
        return found.frames
    outside = sorted(set(options.frames) - set(found.frames))
    if outside:
        todo = f"The shot has the frames {format_frames(found.frames)}."
        raise UsageError(f"Frames {format_frames(outside)} are not in the shot", todo=todo)
    return options.frames


def _all_there(folder: Path, manifest: Manifest) -> bool:
    return all((folder / name).exists() for name in manifest.files)


def _refuse_closed(folder: Path) -> None:
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}.probe"
        probe.touch()
        probe.unlink()


STAGE = Stage(name="truth", label="Ground truth", run=run, state=state, verb="Render ground truth")
