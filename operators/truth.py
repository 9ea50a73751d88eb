# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage Ground truth: renders what every later stage believes, from throw-away copies of the scene."""

import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.frames import format_frames
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json, storage
from ..pipeline.truth import MANIFEST, SCHEMA
from ..rendering import camera, pack, throwaway
from ..rendering import shot as reading
from ..rendering.fingerprint import fingerprint
from . import locate
from .steps import Progress, RenderJob, Stage, StageGenerator, StageOptions, StageState, WorkerTask

WORKER = "rendering.pack:run"
RAW_LIMIT_BYTES = 2_000_000_000
BATCH_FRAMES = 24
"""A shot is rendered and packed in batches of so many frames and raw bytes: what a killed run can lose."""


@dataclass(frozen=True)
class Plan:
    """All that decides the package, and its digest ``made_from`` that every finished frame carries."""

    parts: list[reading.Part]
    frames: tuple[int, ...]
    size: tuple[int, int]
    motion: Manifest | None
    settings: dict[str, Any]
    inputs: dict[str, str]

    @property
    def made_from(self) -> str:
        return digest_json([self.settings, self.inputs])


def plan(scene: bpy.types.Scene, shot: ShotFolder) -> Plan:
    """Reads the scene. Raises InputError with what is missing or wrong; changes nothing."""
    frames = locate.frame_range(scene)
    if frames[0] < 1:
        todo = "Let the shot start at frame 1 or later."
        raise InputError("The shot starts before frame 1", where=scene.name, todo=todo)
    if scene.camera is None:
        todo = "Add one and make it the scene's camera."
        raise InputError("The shot has no camera", where=scene.name, todo=todo)
    if not hasattr(scene, "cycles"):
        raise InputError("Cycles is switched off", todo="Enable Cycles Render Engine in the preferences.")
    throwaway.rendered_layer(scene).update()  # a scene just built or linked has no object list yet
    parts = reading.read_parts(scene)
    reading.refuse_live_physics(scene)
    given = scene.holdfast.truth
    settings = {
        "samples": given.samples,
        "engine_from_scene": given.engine_from_scene,
        "parts": [{"id": part.id, "name": part.name, "object": part.object.name} for part in parts],
        "frames": [frames[0], frames[-1]],
    }
    motion = Manifest.find(shot.motion / "motion.json", "holdfast/motion")
    inputs = {"scene": fingerprint(scene), "motion": motion.data["motion_hash"] if motion else ""}
    return Plan(parts, frames, camera.picture_size(scene), motion, settings, inputs)


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
    at_once = max(8, RAW_LIMIT_BYTES // (found.size[0] * found.size[1] * reading.RAW_BYTES_A_PIXEL))
    at_once = min(at_once, BATCH_FRAMES)
    _refuse_closed(shot.truth)
    reading.refuse_full_disk(shot.truth, found.size, len(todo), at_once)
    batches = [todo[start : start + at_once] for start in range(0, len(todo), at_once)] or [[]]
    answer = {}
    for number, batch in enumerate(batches):
        share = (number / len(batches), (number + 1) / len(batches))
        answer = yield from _batch(scene, shot, found, batch, share)
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


def _raw_folder(shot: ShotFolder, found: Plan, batch: list[int]) -> Path:
    """Where a batch is rendered to: its own name for every chunk, the same one when a chunk is tried again."""
    home = shot.truth / ".rendering"
    for old in home.glob("*"):
        if not old.name.startswith(found.made_from[:12]):
            shutil.rmtree(old, ignore_errors=True)
    raw = home / f"{found.made_from[:12]}-{batch[0]}-{batch[-1]}"
    with storage(raw):
        raw.mkdir(parents=True, exist_ok=True)
    return raw


def _batch(
    scene: bpy.types.Scene, shot: ShotFolder, found: Plan, batch: list[int], share: tuple[float, float]
) -> Generator[Any, Any, dict[str, Any]]:
    """Renders and packs some frames; the worker's answer."""
    raw = _raw_folder(shot, found, batch) if batch else shot.truth / ".rendering" / "none"
    request: dict[str, Any] = {
        "folder": str(shot.truth),
        "raw": str(raw),
        "frames": batch,
        "shot_frames": list(found.frames),
        "parts": [part.record() for part in found.parts],
        "cameras": {},
        "poses": {},
        "size": list(found.size),
        "fps": list(reading.frame_rate(scene)),
        "motion_hash": found.inputs["motion"],
        "colour": reading.colour_record(scene),
        "blurred": reading.is_blurred(scene),
        "settings": found.settings,
        "inputs": found.inputs,
    }
    length = share[1] - share[0]
    try:
        if batch:
            yield from _render(scene, shot, found, batch, raw, request, (share[0], share[0] + 0.85 * length))
    except ReferenceError as error:
        todo = "Run Ground truth again: finished frames are kept."
        raise InputError("The scene was taken away while it was rendered", todo=todo) from error
    return (yield WorkerTask(WORKER, request, (share[0] + 0.85 * length, share[1])))


def _render(
    scene: bpy.types.Scene, shot: ShotFolder, found: Plan, batch: list[int], raw: Path, request: dict[str, Any],
    share: tuple[float, float],
) -> Generator[Any, Any, None]:  # fmt: skip
    settings = scene.holdfast.truth
    start, length = share[0], share[1] - share[0]
    with throwaway.copies(scene, raw, settings.samples, settings.engine_from_scene) as copies:
        yield from _read_motion(copies.data, shot, found, batch, request, (start, start + 0.05 * length))
        left = tuple(frame for frame in batch if not pack.rendered(raw, frame))
        edges = [*np.linspace(0.05, 0.3, len(copies.scenes)).tolist(), 1.0]
        for number, copy in enumerate(copies.scenes):
            part = (start + edges[number] * length, start + edges[number + 1] * length)
            if left:
                yield RenderJob(copy, left, part)


def _read_motion(
    copy: bpy.types.Scene, shot: ShotFolder, found: Plan, batch: list[int], request: dict[str, Any],
    share: tuple[float, float],
) -> Generator[Progress, None, None]:  # fmt: skip
    """Cameras and poses of the batch and its neighbours, read in the copy so that the artist's frame stays."""
    needed = sorted({near for frame in batch for near in (frame - 1, frame, frame + 1)})
    objects = [part.object for part in found.parts]
    for number, frame in enumerate(needed):
        copy.frame_set(frame)
        request["cameras"][str(frame)] = camera.camera_record(copy)
        request["poses"][str(frame)] = camera.poses(copy, objects).tolist()
        yield Progress(share[0] + (share[1] - share[0]) * number / len(needed), "Reading camera and poses")
    if found.motion is not None:
        baked = reading.BakedMotion(shot.motion / found.motion.data["poses"], found.motion.data["parts"])
        poses = np.array([request["poses"][str(frame)] for frame in batch])
        reading.refuse_other_motion(found.parts, batch, poses, baked)


STAGE = Stage(name="truth", label="Ground truth", run=run, state=state, verb="Render ground truth")
