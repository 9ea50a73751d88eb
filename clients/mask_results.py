# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tracking model gave, as a folder of masks for each part, as Validate reads it."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.footage import frames_of
from ..pipeline.jobs import JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8, write_gray
from ..pipeline.sniff import PICTURES, VIDEOS, kind_of_file
from ..pipeline.store import storage
from ..pipeline.take_frames import read_frame

FOUND, SCHEMA = "found", "holdfast/masks_found"
MANIFEST = "found.json"
BETWEEN = 0.1
"""Share of pixels between black and white from which a picture is no mask; edges and compression leave some."""


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task: ``request``: project, jobs ({part: job id}), asked (what ``mask_jobs.run`` returned), out (its
    folder). Writes out/found/<part>/NNNN.png, named by the take's frames. Returns {masks: folder, parts, cost_micros}.

    Raises InputError for what are no masks or not one for each frame, StorageError, Cancelled.
    """
    store, out, asked = JobStore(Path(request["project"])), Path(request["out"]), request["asked"]
    folders = {str(each["part"]): str(each["folder"]) for each in asked["prompts"]}
    jobs = {part: store.get(str(job)) for part, job in request["jobs"].items()}
    files: list[Path] = []
    _clear(out / FOUND)
    for number, (part, job) in enumerate(jobs.items()):
        if job.step not in (Step.READY, Step.APPLIED):
            raise InputError(f"The job for {part} is {job.step}: {job.says or 'there is no result yet'}")
        share = ctx.part(number / len(jobs), (number + 1) / len(jobs))
        files += _written(store.results(job), out / FOUND / folders[part], asked, part, share)
    cost = sum(job.counts for job in jobs.values())
    data = {"jobs": {part: job.id for part, job in jobs.items()}, "cost_micros": cost}
    Manifest(SCHEMA, {}, {"film": str(asked["film"])}, data).with_files(out, files).save(out / MANIFEST)
    for job in jobs.values():
        if store.get(job.id).step is Step.READY:
            store.move(job.id, Step.APPLIED)
    return {"masks": str(out / FOUND), "parts": list(jobs), "cost_micros": cost}


def _clear(folder: Path) -> None:
    """Masks of an earlier answer must not mix with these."""
    with storage(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _written(
    files: Sequence[Path], folder: Path, asked: dict[str, Any], part: str, ctx: Context
) -> list[Path]:
    frames, size = [int(frame) for frame in asked["frames"]], (int(asked["size"][0]), int(asked["size"][1]))
    made: list[Path] = []
    count, (wide, high) = 0, asked["inside"]
    for count, picture in enumerate(_pictures(files, part), 1):
        if count <= len(frames):
            made.append(folder / f"{frames[count - 1]:04d}.png")
            write_gray(made[-1], binary(picture, size, part)[:high, :wide])
            ctx.progress(count / len(frames), f"Reading masks of {part}, frame {frames[count - 1]}")
    if count != len(frames):
        todo = "Ask for them again, or choose another model."
        raise InputError(f"{count} masks of {part} came back for {len(frames)} frames", todo=todo)
    return made


def _pictures(files: Sequence[Path], part: str) -> Iterator[U8]:
    """Every mask in order: of a film, or of pictures."""
    kinds = {path: kind_of_file(path) for path in files}
    films = [path for path, kind in kinds.items() if kind in VIDEOS]
    pictures = sorted(path for path, kind in kinds.items() if kind in PICTURES)
    if films:
        yield from frames_of(films[0])
    elif pictures:
        for path in pictures:
            yield read_frame(path)[0]
    else:
        todo = "Choose a model that gives masks as pictures or as a film."
        raise InputError(f"No picture and no film of masks came back for {part}", todo=todo)


def binary(picture: U8, size: tuple[int, int], part: str = "") -> U8:
    """(H, W) 0 or 255 at ``size`` (width, height) of a picture (H, W, 3). Raises InputError for one that is not black
    and white: a film with the parts painted over it would be read as masks otherwise."""
    bright = np.asarray(picture.max(2) if picture.ndim == 3 else picture, np.uint8)
    if float(((bright > 64) & (bright < 192)).mean()) > BETWEEN or _coloured(picture):
        todo = "Choose a model that gives masks and not a picture with them painted in."
        raise InputError(f"What came back for {part or 'the part'} is not black and white", todo=todo)
    if (bright.shape[1], bright.shape[0]) != size:
        bright = np.asarray(cv2.resize(bright, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.where(bright > 127, 255, 0).astype(np.uint8)


def _coloured(picture: U8) -> bool:
    if picture.ndim == 2:
        return False
    apart = picture.max(2).astype(np.int16) - picture.min(2)
    return float((apart > 64).mean()) > BETWEEN
