# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns rendered frames into the ground truth package; the bpy-free half of the stage.

A frame is finished when its sidecar ``frames/0001.json`` stands: it names the frame's files with size and hash,
its camera and poses, and the digest of what it was made from. When every frame of the shot is finished,
``truth.json`` is gathered from the sidecars, by whichever chunk comes last.
"""

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import write_exr, write_gray
from ..pipeline.store import digest_json, hash_file, read_json, write_bytes, write_json, writing
from ..pipeline.truth import MANIFEST, PATTERNS, SCHEMA, camera_from
from . import check, cryptomatte, exr, passes, png

RAW = {"beauty": "beauty.{frame:04d}.png", "data": "data.{frame:04d}.exr", "cover": "cover.{frame:04d}.exr"}
"""What the render leaves in the raw folder, a file of each a frame."""
POSES = "poses.npz"
EXACT_AS_HALF_PX = 64.0
"""Vectors below this many pixels are stored as half floats, then exact to 0.016 px."""


def sidecar(folder: Path, frame: int) -> Path:
    """Where a finished frame is recorded."""
    return folder / f"frames/{frame:04d}.json"


def finished(folder: Path, frame: int, made_from: str) -> bool:
    """True if the frame was made from the inputs of digest ``made_from`` and its files are all there, whole."""
    try:
        record = read_json(sidecar(folder, frame))
        sizes = {name: entry["bytes"] for name, entry in record["files"].items()}
        same = record["made_from"] == made_from
    except (InputError, KeyError, TypeError, AttributeError):
        return False
    return same and all(_size(folder / name) == size for name, size in sizes.items())


def rendered(raw: Path, frame: int) -> bool:
    """True if the raw files of a frame are whole: the PNG is written last, and ends with its IEND chunk."""
    if not all((raw / name.format(frame=frame)).exists() for name in RAW.values()):
        return False
    with (raw / RAW["beauty"].format(frame=frame)).open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(stream.tell() - 8, 0))
        return stream.read(4) == png.END


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task. Packs ``frames`` from ``raw`` into ``folder``; gathers the manifest when the shot is complete.

    Request: folder, raw, frames, shot_frames, parts [{id, name, object}], cameras and poses by frame, size, fps,
    motion_hash, colour, blurred, settings, inputs. Answer: state "complete" or "partial", frames (finished ones).
    """
    folder, raw = Path(request["folder"]), Path(request["raw"])
    made_from = digest_json([request["settings"], request["inputs"]])
    work = ctx.part(0.0, 0.9)
    for frame in work.each(
        [f for f in request["frames"] if not finished(folder, f, made_from)], "Packing frame"
    ):
        _pack_frame(folder, raw, frame, request, made_from)
    done = [frame for frame in request["shot_frames"] if finished(folder, frame, made_from)]
    complete = len(done) == len(request["shot_frames"])
    if complete:
        _gather(folder, request, ctx.part(0.9, 1.0))
    shutil.rmtree(raw.parent if complete else raw, ignore_errors=True)
    with contextlib.suppress(OSError):
        raw.parent.rmdir()  # unless another chunk is rendering there
    return {"state": "complete" if complete else "partial", "frames": done}


def _pack_frame(folder: Path, raw: Path, frame: int, request: Mapping[str, Any], made_from: str) -> None:
    paths = {kind: raw / name.format(frame=frame) for kind, name in RAW.items()}
    cameras = {number: camera_from(record) for number, record in request["cameras"].items()}
    here = cameras[str(frame)]
    data = exr.read_channels(paths["data"])
    hard_ids, hard_weights = cryptomatte.ranks(data)
    soft_ids, soft_weights = cryptomatte.ranks(exr.read_channels(paths["cover"]))
    shapes = passes.geometry(data, here, cameras[str(frame + 1)], cameras[str(frame - 1)])
    names = [part["object"] for part in request["parts"]]
    mattes = {
        part["name"]: cryptomatte.coverage(soft_ids, soft_weights, part["object"])
        for part in request["parts"]
    }
    ids = cryptomatte.foremost(hard_ids, hard_weights, names)
    files = _write_frame(folder, frame, paths["beauty"], ids, mattes, shapes)
    entries = {
        path.relative_to(folder).as_posix(): {"sha256": hash_file(path), "bytes": _size(path)}
        for path in files
    }
    record = {"frame": frame, "made_from": made_from, "files": entries}
    record["camera"] = request["cameras"][str(frame)]
    record["poses"] = request["poses"][str(frame)]
    write_json(sidecar(folder, frame), record)


def _write_frame(
    folder: Path, frame: int, beauty: Path, ids: Any, mattes: Mapping[str, Any], shapes: passes.Geometry
) -> list[Path]:
    def place(kind: str, part: str = "") -> Path:
        path = folder / PATTERNS[kind].format(frame=frame, part=part)
        path.parent.mkdir(parents=True, exist_ok=True)
        written.append(path)
        return path

    written: list[Path] = []
    write_bytes(place("beauty"), png.without_notes(beauty.read_bytes(), str(beauty)))
    write_gray(place("ids"), ids)
    for name, matte in mattes.items():
        write_gray(place("matte", name), np.rint(matte * 255).astype(np.uint8))
    write_exr(place("depth"), shapes.depth)
    write_exr(place("normal"), shapes.normal, half=True)
    write_exr(place("vector"), shapes.vector, half=float(np.abs(shapes.vector).max()) < EXACT_AS_HALF_PX)
    return written


def _gather(folder: Path, request: Mapping[str, Any], ctx: Context) -> None:
    frames = list(request["shot_frames"])
    records = [read_json(sidecar(folder, frame)) for frame in frames]
    poses = np.array([record["poses"] for record in records], np.float64)
    poses = poses.reshape(len(frames), len(request["parts"]), 4, 4)
    with writing(folder / POSES) as part, part.open("wb") as stream:
        np.savez(stream, poses=poses, frames=np.array(frames, np.int32))
    files = {name: entry["sha256"] for record in records for name, entry in record["files"].items()}
    data = {
        **{key: request[key] for key in ("size", "fps", "motion_hash", "colour", "blurred", "parts")},
        "frames": frames,
        "passes": {kind: {"pattern": pattern} for kind, pattern in PATTERNS.items()},
        "camera": [{"frame": record["frame"], **record["camera"]} for record in records],
        "poses": POSES,
    }
    manifest = Manifest(SCHEMA, request["settings"], request["inputs"], data, files)
    manifest = manifest.with_files(folder, [folder / POSES])
    check.refuse_if_wrong(folder, manifest, ctx)
    manifest.save(folder / MANIFEST)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
