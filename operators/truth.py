# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage Ground truth: renders what every later stage believes, from throw-away copies of the scene."""

import os
import shutil
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.frames import format_frames
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json, storage, writing
from ..pipeline.truth import MANIFEST, SCHEMA, TO_LINEAR
from ..rendering import camera, colour, instances, pack, parts, points, raw, scenes, throwaway
from ..rendering import given as given_already
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

    parts: list[parts.Part]
    frames: tuple[int, ...]
    size: tuple[int, int]
    motion: Manifest | None
    settings: dict[str, Any]
    inputs: dict[str, str]
    colour: dict[str, Any]
    beauty: dict[int, Path] = field(default_factory=dict)

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
    found = parts.read_parts(scene)
    reading.refuse_live_physics(scene)
    colour.refuse(scene)
    given, size = scene.holdfast.truth, camera.picture_size(scene)
    folder = Path(bpy.path.abspath(given.beauty_from)) if given.beauty_from else None
    beauty = given_already.pictures(folder, frames, size) if folder else {}
    settings = {
        "samples": given.samples,
        "engine_from_scene": given.engine_from_scene,
        "picture_depth": given.picture_depth,
        "extras": sorted(given.extras),
        "parts": [{**part.record(), "bounds": None} for part in found],  # those of this frame: no setting
        "holdouts": throwaway.holdouts(scene),
        "see_through": sorted(thing.name for thing in scene.objects if thing.holdfast.see_through),
        "frames": [frames[0], frames[-1]],
    }
    motion = Manifest.find(shot.motion / "motion.json", "holdfast/motion")
    inputs = {"scene": fingerprint(scene), "motion": motion.data["motion_hash"] if motion else ""}
    if beauty:
        inputs["pictures"] = digest_json([[path.name, path.stat().st_size] for path in beauty.values()])
    return Plan(found, frames, size, motion, settings, inputs, colour.record(scene), beauty)


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
    yield from _way_back(shot, found)
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
    source = home / f"{found.made_from[:12]}-{batch[0]}-{batch[-1]}"
    with storage(source):
        source.mkdir(parents=True, exist_ok=True)
    return source


def _way_back(shot: ShotFolder, found: Plan) -> Generator[Progress, None, None]:
    """Writes the table that takes a picture back to scene-linear; refuses a view that has none."""
    table = yield from colour.table(found.colour, lambda share: Progress(0.02 * share, "Measuring the view"))
    path = shot.truth / TO_LINEAR
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    table.save(path)


def _batch(
    scene: bpy.types.Scene, shot: ShotFolder, found: Plan, batch: list[int], share: tuple[float, float]
) -> Generator[Any, Any, dict[str, Any]]:
    """Renders and packs some frames; the worker's answer."""
    source = _raw_folder(shot, found, batch) if batch else shot.truth / ".rendering" / "none"
    request: dict[str, Any] = {
        "folder": str(shot.truth),
        "raw": str(source),
        "frames": batch,
        "shot_frames": list(found.frames),
        "parts": [part.record() for part in found.parts],
        "cameras": {},
        "poses": {},
        "size": list(found.size),
        "fps": list(reading.frame_rate(scene)),
        "motion_hash": found.inputs["motion"],
        "colour": found.colour,
        "blurred": reading.is_blurred(scene),
        "vectors_know_zoom": compat.vectors_know_zoom(),
        "extras": [kind.lower() for kind in found.settings["extras"]],
        "beauty": {str(frame): str(path) for frame, path in found.beauty.items()},
        "shared": [TO_LINEAR, pack.POINTS],
        "settings": found.settings,
        "inputs": found.inputs,
    }
    length = share[1] - share[0]
    try:
        if batch:
            yield from _render(scene, shot, found, request, (share[0], share[0] + 0.85 * length))
    except ReferenceError as error:
        todo = "Run Ground truth again: finished frames are kept."
        raise InputError("The scene was taken away while it was rendered", todo=todo) from error
    return (yield WorkerTask(WORKER, request, (share[0] + 0.85 * length, share[1])))


def _render(
    scene: bpy.types.Scene, shot: ShotFolder, found: Plan, request: dict[str, Any], share: tuple[float, float]
) -> Generator[Any, Any, None]:
    settings, folder, batch = scene.holdfast.truth, Path(request["raw"]), request["frames"]
    start, length = share[0], share[1] - share[0]
    order = scenes.Order(
        found.parts,
        settings.samples,
        settings.engine_from_scene,
        int(settings.picture_depth),
        not found.beauty,
    )
    with throwaway.copies():
        jobs = scenes.make(scene, folder, order)
        box = yield from _read_motion(jobs[0].scene, shot, found, request, (start, start + 0.05 * length))
        _sample_points(jobs[0].scene, shot, found)
        if box is None:
            jobs = [job for job in jobs if job.kind != "whole"]
        request["kinds"] = scenes.kinds(jobs)
        light = {frame for frame, path in found.beauty.items() if path.suffix == given_already.LIGHT}
        if light:
            request["kinds"].append("beauty")
        request["box"] = list(box or (0, 0, *found.size))
        left = [frame for frame in batch if not raw.is_whole(folder, request["kinds"], frame)]
        lit = {found.beauty[frame]: raw.path(folder, "beauty", frame) for frame in left if frame in light}
        for message in given_already.develop(scene, lit, order.picture_bits):
            yield Progress(start + 0.05 * length, message)
        edges = [*np.linspace(0.05, 0.3, len(jobs)).tolist(), 1.0]
        began = time.monotonic()
        for number, job in enumerate(jobs if left else []):
            if job.kind == "whole":
                scenes.crop(job.scene, request["box"], found.size)
            part = (start + edges[number] * length, start + edges[number + 1] * length)
            yield from _rendered(job, found, left, part)
        request["seconds"] = round((time.monotonic() - began) / len(left), 3) if left else None


def _rendered(
    job: scenes.Job, found: Plan, frames: list[int], share: tuple[float, float]
) -> Generator[RenderJob, None, None]:
    """Renders the frames of a scene; one by one where its instances are to be made real before each."""
    if not job.realised:
        yield RenderJob(job.scene, tuple(frames), share)
        return
    step = (share[1] - share[0]) / len(frames)
    for number, frame in enumerate(frames):
        job.scene.frame_set(frame)
        instances.realise(job.scene, found.parts)
        yield RenderJob(job.scene, (frame,), (share[0] + number * step, share[0] + (number + 1) * step))


def _read_motion(
    copy: bpy.types.Scene, shot: ShotFolder, found: Plan, request: dict[str, Any], share: tuple[float, float]
) -> Generator[Progress, None, tuple[int, int, int, int] | None]:
    """Cameras and poses of the batch and its neighbours, read in the copy so that the artist's frame stays.

    Gives the box of the picture that holds all parts in all frames of the batch; None if they are never in it.
    """
    batch = request["frames"]
    needed = sorted({near for frame in batch for near in (frame - 1, frame, frame + 1)})
    names = [name for part in found.parts for name in part.cover]
    boxes = []
    for number, frame in enumerate(needed):
        copy.frame_set(frame)
        request["cameras"][str(frame)] = record = camera.camera_record(copy)
        request["poses"][str(frame)] = parts.poses(copy, found.parts).tolist()
        if frame in batch:
            boxes.append(camera.picture_box(copy, names, record, found.size))
        yield Progress(share[0] + (share[1] - share[0]) * number / len(needed), "Reading camera and poses")
    if found.motion is not None:
        baked = reading.BakedMotion(shot.motion / found.motion.data["poses"], found.motion.data["parts"])
        poses = np.array([request["poses"][str(frame)] for frame in batch])
        reading.refuse_other_motion(found.parts, batch, poses, baked)
    there = np.array([box for box in boxes if box is not None])
    return (*there[:, :2].min(0).tolist(), *there[:, 2:].max(0).tolist()) if len(there) else None


def _sample_points(copy: bpy.types.Scene, shot: ShotFolder, found: Plan) -> None:
    """Points on the surfaces of the parts, for the checks: the same whichever chunk takes them."""
    copy.frame_set(found.frames[0])
    arrays = points.sample(copy, found.parts)
    with writing(shot.truth / pack.POINTS) as part, part.open("wb") as stream:
        np.savez(stream, **arrays)


STAGE = Stage(name="truth", label="Ground truth", run=run, state=state, verb="Render ground truth")
