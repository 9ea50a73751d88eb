# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package says of itself: manifest, files, cameras, poses and the motion that it was rendered from."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError
from ..pipeline.manifest import Manifest
from ..pipeline.passes import OF_PARTS
from ..pipeline.store import hash_file
from ..pipeline.truth import F64, GroundTruth
from .check_plate import Failure

POSE_TOLERANCE = 1e-5
"""Metres, and directions of unit vectors: Blender keeps matrices in single precision."""
SAID = ("channels", "unit", "space")
"""What truth.json tells of every pass besides where it is; the sign of vectors is in the channels' order and space."""


def check_record(truth: GroundTruth) -> Iterator[Failure]:
    """The manifest, and what it holds of frames, parts, cameras and poses; no picture is read."""
    frames, first = truth.frames, truth.frames[0] if truth.frames else 0
    if not frames or list(frames) != list(range(first, first + len(frames))):
        yield Failure("frames", first, "", "the list of frames is empty, has holes or is out of order")
    ids = [part.id for part in truth.parts]
    names = [part.name for part in truth.parts]
    folders = [part.folder.casefold() for part in truth.parts]
    for what, values in (("ids", ids), ("names", names), ("folders", folders)):
        if len(set(values)) < len(values):
            yield Failure("parts", first, "", f"two parts share one of their {what}")
    if any(not 0 < number < 65536 for number in ids):
        yield Failure("parts", first, "", "a part's id is not in 1..65535")
    for kind, entry in truth.manifest.data["passes"].items():
        unsaid = [key for key in SAID if not entry.get(key)]
        if unsaid:
            says = f"truth.json does not say {', '.join(unsaid)} of the pass {kind}"
            yield Failure("passes", first, "", says, stops=False)
    for frame in frames:
        yield from _camera(truth, frame)
    yield from _poses(truth)


def check_files(truth: GroundTruth, ctx: Context, hashes: bool) -> Iterator[Failure]:
    """Every file that the manifest and its passes name is there; with ``hashes`` it is the very one."""
    listed = truth.manifest.files
    for frame in truth.frames:
        for kind, part in _expected(truth, frame):
            path = truth.path(kind, frame, part)
            if not path.is_file():
                yield Failure("files", frame, part, f"{path.relative_to(truth.folder).as_posix()} is missing")
            elif listed and path.relative_to(truth.folder).as_posix() not in listed:
                says = f"{path.relative_to(truth.folder).as_posix()} is not in truth.json"
                yield Failure("files", frame, part, says)
    if not hashes:
        return
    first = truth.frames[0] if truth.frames else 0
    for name in ctx.each(sorted(listed), "Checking file"):
        try:
            same = hash_file(truth.folder / name) == listed[name]
        except HoldfastError:
            same = False
        if not same:
            yield Failure("hash", _frame_of(name, truth, first), "", f"{name} is not the file that was made")


def _expected(truth: GroundTruth, frame: int) -> Iterator[tuple[str, str]]:
    for kind in truth.manifest.data["passes"]:
        if kind not in OF_PARTS:
            yield kind, ""
            continue
        for part in truth.parts:
            if not truth.is_empty(kind, part.name, frame):
                yield kind, part.name


def _frame_of(name: str, truth: GroundTruth, first: int) -> int:
    digits = name.rsplit(".", 2)[-2:-1]
    number = int(digits[0]) if digits and digits[0].isdigit() else first
    return number if number in truth.frames else first


def _camera(truth: GroundTruth, frame: int) -> Iterator[Failure]:
    try:
        camera = truth.camera(frame)
    except HoldfastError as error:
        yield Failure("camera", frame, "", str(error))
        return
    lens, pose = camera.K, camera.world_to_camera
    if not (np.isfinite(lens).all() and np.isfinite(pose).all()):
        yield Failure("camera", frame, "", "it holds NaN or infinity")
        return
    turn = pose[:3, :3]
    if np.abs(turn @ turn.T - np.eye(3)).max() > POSE_TOLERANCE or np.linalg.det(turn) < 0:
        yield Failure("camera", frame, "", "world_to_camera is not a rotation and a shift")
    if not np.array_equal(pose[3], [0, 0, 0, 1]) or not np.array_equal(lens[2], [0, 0, 1]) or lens[1, 0] != 0:
        yield Failure("camera", frame, "", "K or world_to_camera does not end as such a matrix does")
    if min(lens[0, 0], lens[1, 1]) <= 0:
        yield Failure("camera", frame, "", "the focal length in pixels is not above 0")


def _poses(truth: GroundTruth) -> Iterator[Failure]:
    first = truth.frames[0] if truth.frames else 0
    for part in truth.parts:
        for frame in truth.frames:
            try:
                pose = truth.pose(part.name, frame)
            except HoldfastError as error:
                yield Failure("poses", first, "", str(error))
                return
            if not np.isfinite(pose).all() or not np.array_equal(pose[3], [0, 0, 0, 1]):
                yield Failure("poses", frame, part.name, "it holds NaN or infinity, or is no pose")


def check_baked(truth: GroundTruth) -> Iterator[Failure]:
    """The poses against the motion that Physics baked, where its folder lies beside the package's."""
    folder = truth.folder.parent / "motion"
    if not truth.motion_hash or not truth.frames:
        return
    first = truth.frames[0]
    try:
        motion = Manifest.find(folder / "motion.json", "holdfast/motion")
        if motion is None:
            return
        if motion.data["motion_hash"] != truth.motion_hash:
            says = "Physics has baked another motion since: run Ground truth again"
            yield Failure("motion", first, "", says, stops=False)
            return
        with np.load(folder / str(motion.data["poses"])) as stored:
            poses, frames = np.asarray(stored["poses"], np.float64), stored["frames"].tolist()
    except (HoldfastError, OSError, EOFError, KeyError, ValueError) as error:
        yield Failure("motion", first, "", f"the baked motion can't be read: {error}", stops=False)
        return
    yield from _baked_poses(truth, motion.data, poses, {int(frame): row for row, frame in enumerate(frames)})


def _baked_poses(
    truth: GroundTruth, data: Mapping[str, Any], poses: F64, rows: Mapping[int, int]
) -> Iterator[Failure]:
    for column, name in enumerate(data["parts"]):
        if name not in truth.names:
            yield Failure("motion", truth.frames[0], str(name), "it was baked, but is no part of the package")
            continue
        for frame in truth.frames:
            if frame in rows:
                off = float(np.abs(truth.pose(name, frame) - poses[rows[frame], column]).max())
                if off > POSE_TOLERANCE:
                    yield Failure(
                        "motion", frame, str(name), f"its pose differs by {off:.2g} from the baked one"
                    )
                    break
