# SPDX-License-Identifier: GPL-3.0-or-later
"""One batch of ground truth: scenes are made, rendered and thrown away, then a worker packs what they left."""

import shutil
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .. import compat
from ..pipeline.colour import ToLinear
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json, storage, writing
from ..pipeline.truth import TO_LINEAR
from ..rendering import camera, colour, given, instances, pack, parts, points, raw, scenes, throwaway
from ..rendering import shot as reading
from .steps import Progress, RenderJob, WorkerTask
from .truth_plan import Plan

WORKER = "rendering.pack:run"


def way_back(shot: ShotFolder, found: Plan) -> Generator[Progress, None, None]:
    """Writes the table that takes a picture back to scene-linear, if none is there; refuses a view that has none."""
    path = shot.truth / TO_LINEAR
    with suppress(HoldfastError):
        if path.exists() and ToLinear.load(path).made_from == digest_json(found.colour):
            return
    table = yield from colour.table(found.colour, lambda share: Progress(0.02 * share, "Measuring the view"))
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    table.save(path)


def batch(
    scene: bpy.types.Scene, shot: ShotFolder, found: Plan, frames: list[int], share: tuple[float, float],
    first: bool,
) -> Generator[Any, Any, dict[str, Any]]:  # fmt: skip
    """Renders and packs some frames; the worker's answer. The ``first`` batch of a run also takes what is of the shot."""
    source = _raw_folder(shot, found, frames) if frames else shot.truth / ".rendering" / "none"
    request: dict[str, Any] = {
        "folder": str(shot.truth),
        "raw": str(source),
        "frames": frames,
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
        if frames:
            yield from _render(scene, shot, found, request, (share[0], share[0] + 0.85 * length), first)
    except ReferenceError as error:
        todo = "Run Ground truth again: finished frames are kept."
        raise InputError("The scene was taken away while it was rendered", todo=todo) from error
    return (yield WorkerTask(WORKER, request, (share[0] + 0.85 * length, share[1])))


def _render(
    scene: bpy.types.Scene, shot: ShotFolder, found: Plan, request: dict[str, Any], share: tuple[float, float],
    first: bool,
) -> Generator[Any, Any, None]:  # fmt: skip
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
        if first:
            _sample_points(jobs[0].scene, shot, found)
        if box is None:
            jobs = [job for job in jobs if job.kind != "whole"]
        request["kinds"] = scenes.kinds(jobs)
        light = {frame for frame, path in found.beauty.items() if path.suffix == given.LIGHT}
        if light:
            request["kinds"].append("beauty")
        request["box"] = list(box or (0, 0, *found.size))
        left = [frame for frame in batch if not raw.is_whole(folder, request["kinds"], frame)]
        lit = {found.beauty[frame]: raw.path(folder, "beauty", frame) for frame in left if frame in light}
        for message in given.develop(scene, lit, order.picture_bits):
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


def _raw_folder(shot: ShotFolder, found: Plan, frames: list[int]) -> Path:
    """Where a batch is rendered to: its own name for every chunk, the same one when a chunk is tried again."""
    home = shot.truth / ".rendering"
    for old in home.glob("*"):
        if not old.name.startswith(found.made_from[:12]):
            shutil.rmtree(old, ignore_errors=True)
    source = home / f"{found.made_from[:12]}-{frames[0]}-{frames[-1]}"
    with storage(source):
        source.mkdir(parents=True, exist_ok=True)
    return source
