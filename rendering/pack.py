# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns rendered frames into the ground truth package; the bpy-free half of the stage.

A frame is finished when its sidecar ``frames/0001.json`` stands: it names the frame's files with size and hash,
its camera and poses, and the digest of what it was made from. When every frame of the shot is finished,
``truth.json`` is gathered from the sidecars, by whichever chunk comes last.
"""

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.camera import camera_from
from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.frames import format_frames
from ..pipeline.manifest import Manifest
from ..pipeline.passes import EXTRAS, OF_PARTS, PASSES, PATTERNS
from ..pipeline.pictures import read_exr, write_exr, write_gray
from ..pipeline.store import (
    digest_json,
    flushed_together,
    hash_file,
    read_json,
    write_bytes,
    write_json,
    writing,
)
from ..pipeline.truth import MANIFEST, SCHEMA
from . import check, exr, mattes, orthographic, passes, png, raw

POSES, POINTS = "poses.npz", "points.npz"
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


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task. Packs ``frames`` from ``raw`` into ``folder``; gathers the manifest when the shot is complete.

    Request: folder, raw, kinds (of raw files), beauty (folder of pictures that are there already, or ""), box (what of
    the picture the scene ``whole`` holds), frames, shot_frames, parts (their records), cameras
    and poses by frame, size, fps, motion_hash, colour, blurred, extras, settings, inputs, seconds (of a rendered frame),
    vectors_know_zoom.
    Answer: state "complete" or "partial", frames (finished ones).
    """
    folder, source = Path(request["folder"]), Path(request["raw"])
    made_from = digest_json([request["settings"], request["inputs"]])
    work = ctx.part(0.0, 0.9)
    for frame in work.each(
        [f for f in request["frames"] if not finished(folder, f, made_from)], "Packing frame"
    ):
        _Frame(folder, source, frame, request).pack(made_from)
    done = [frame for frame in request["shot_frames"] if finished(folder, frame, made_from)]
    complete = len(done) == len(request["shot_frames"])
    if complete:
        _gather(folder, request, ctx.part(0.9, 1.0))
    shutil.rmtree(source.parent if complete else source, ignore_errors=True)
    with contextlib.suppress(OSError):
        source.parent.rmdir()  # unless another chunk is rendering there
    return {"state": "complete" if complete else "partial", "frames": done}


class _Frame:
    """The packing of one frame."""

    def __init__(self, folder: Path, source: Path, frame: int, request: Mapping[str, Any]) -> None:
        self._folder, self._source, self._frame, self._request = folder, source, frame, request
        self._written: list[Path] = []
        self._empty: list[str] = []

    def pack(self, made_from: str) -> None:
        """Writes the files of the frame, then its record."""
        data = self._channels("data")
        names = mattes.Names(self._request["parts"])
        ids = mattes.hard_ids(self._channels("ids") if self._has("ids") else data, names)
        with flushed_together():
            self._geometry(data, ids)
            self._mattes(names, ids)
            self._picture()
        files = {
            path.relative_to(self._folder).as_posix(): {"sha256": hash_file(path), "bytes": _size(path)}
            for path in self._written
        }
        record = {"frame": self._frame, "made_from": made_from, "files": files, "empty": self._empty}
        record["camera"] = self._request["cameras"][str(self._frame)]
        record["poses"] = self._request["poses"][str(self._frame)]
        record["seconds"] = self._request.get("seconds")
        write_json(sidecar(self._folder, self._frame), record)

    def _channels(self, kind: str) -> dict[str, Any]:
        return exr.read_channels(raw.path(self._source, kind, self._frame))

    def _has(self, kind: str) -> bool:
        return kind in self._request["kinds"]

    def _place(self, kind: str, part: str = "") -> Path:
        path = self._folder / PATTERNS[kind].format(frame=self._frame, part=part)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written.append(path)
        return path

    def _geometry(self, data: Mapping[str, Any], ids: Any) -> None:
        cameras = self._request["cameras"]
        here, after, before = (
            camera_from(cameras[str(number)]) for number in (self._frame, self._frame + 1, self._frame - 1)
        )
        exact = passes.geometry(data, here, after, before, self._request.get("vectors_know_zoom", True))
        for channels, other, number in ((slice(0, 2), after, 1), (slice(2, 4), before, -1)):
            if orthographic.is_moving(here, other):
                poses = self._poses(self._frame), self._poses(self._frame + number)
                exact.vector[..., channels] = orthographic.motion(exact.depth, ids, here, other, poses)
        write_exr(self._place("depth"), exact.depth)
        write_exr(self._place("normal"), exact.normal, half=True)
        small = float(np.abs(exact.vector).max()) < EXACT_AS_HALF_PX
        write_exr(self._place("vector"), exact.vector, half=small)
        write_exr(self._place("uv"), exact.uv, half=True)
        for kind in self._request["extras"]:
            values = {
                "distance": lambda: here.distances(exact.depth),
                "position": lambda: here.positions(exact.depth),
                "normal_world": lambda: here.world_normals(exact.normal),
            }[kind]()
            write_exr(self._place(kind), values, half=kind == "normal_world")

    def _poses(self, frame: int) -> dict[int, Any]:
        """(4, 4) float64 world matrices by the parts' ids."""
        poses = np.array(self._request["poses"][str(frame)], np.float64)
        return {part["id"]: pose for part, pose in zip(self._request["parts"], poses, strict=True)}

    def _mattes(self, names: mattes.Names, ids: Any) -> None:
        write_gray(self._place("ids"), ids)
        seen = mattes.coverage(self._channels("cover" if self._has("cover") else "film"), names)
        box, size = self._request["box"], self._request["size"]
        hits = mattes.hits(self._channels("whole") if self._has("whole") else None, names)
        left, top, right, bottom = box
        visible: dict[int, Any] = {}
        for place, part in enumerate(names.parts):
            matte = mattes.as_bytes(seen.of(place))
            if self._write_part("matte", part["folder"], matte):
                visible[part["id"]] = matte
            if place in hits:
                matte = matte.copy()
                inside = (slice(top, bottom), slice(left, right))
                matte[inside] = mattes.whole(matte[inside], hits[place], ids[inside] == part["id"])
            self._write_part("whole", part["folder"], matte)
        assert ids.shape == (size[1], size[0])
        write_gray(self._place("sure"), mattes.sure(ids, visible))

    def _write_part(self, kind: str, part: str, matte: Any) -> bool:
        if not matte.any():
            self._empty.append(f"{kind}/{part}")
            (self._folder / PATTERNS[kind].format(frame=self._frame, part=part)).unlink(missing_ok=True)
            return False
        write_gray(self._place(kind, part), matte)
        return True

    def _picture(self) -> None:
        given = Path(self._request["beauty"].get(str(self._frame), ""))
        picture = given if given.suffix == ".png" else raw.path(self._source, "beauty", self._frame)
        if given.suffix == ".exr":
            write_exr(self._place("linear"), read_exr(given)[..., :3], half=True)
        elif self._has("film"):
            film = self._channels("film")
            linear = np.stack([passes.channel(film, f"{raw.PICTURE}.{axis}") for axis in "RGB"], -1)
            write_exr(self._place("linear"), linear, half=True)
        write_bytes(self._place("beauty"), png.without_notes(picture.read_bytes(), str(picture)))


def _gather(folder: Path, request: Mapping[str, Any], ctx: Context) -> None:
    frames = list(request["shot_frames"])
    records = [read_json(sidecar(folder, frame)) for frame in frames]
    poses = np.array([record["poses"] for record in records], np.float64)
    poses = poses.reshape(len(frames), len(request["parts"]), 4, 4)
    with writing(folder / POSES) as part, part.open("wb") as stream:
        np.savez(stream, poses=poses, frames=np.array(frames, np.int32))
    files = {name: entry["sha256"] for record in records for name, entry in record["files"].items()}
    left_out = {*EXTRAS} - {*request["extras"]}
    if not all(PATTERNS["linear"].format(frame=frame) in files for frame in frames):
        left_out.add("linear")
    data = {
        **{key: request[key] for key in ("size", "fps", "motion_hash", "colour", "blurred", "parts")},
        "frames": frames,
        "passes": {kind: each.record() for kind, each in PASSES.items() if kind not in left_out},
        "camera": [{"frame": record["frame"], **record["camera"]} for record in records],
        "poses": POSES,
        "empty": _empties(request, records),
    }
    extra = [folder / name for name in request.get("shared", [])]
    manifest = Manifest(SCHEMA, request["settings"], request["inputs"], data, files)
    manifest = manifest.with_files(folder, [folder / POSES, *extra])
    warnings = check.refuse_if_wrong(folder, manifest, ctx)
    manifest = replace(manifest, data={**data, "warnings": warnings})
    manifest.save(folder / MANIFEST)


def _empties(request: Mapping[str, Any], records: list[Any]) -> dict[str, str]:
    """For each pass of a part the frames in which it is zero everywhere, and so has no file."""
    wanted = [f"{kind}/{part['folder']}" for part in request["parts"] for kind in OF_PARTS]
    found = {name: [record["frame"] for record in records if name in record["empty"]] for name in wanted}
    return {name: format_frames(frames) for name, frames in found.items() if frames}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
