# SPDX-License-Identifier: GPL-3.0-or-later
"""Defects to plant in a right package of ground truth: each changes one thing in frame 2, or where it says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import cv2
import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import read_exr, read_gray, write_exr, write_gray
from holdfast.pipeline.truth import MANIFEST, SCHEMA, GroundTruth

from .truth_analytic import Body, Shot

BALL = Body("ball", "ball", (0.5, 0, 0), (-0.5, 0.1, 2.6), (0.04, 0.01, 0.02), (0, 1, 1), 0.3, 0.1)
BOX = Body("box", "box", (0.45, 0.35, 0.3), (0.75, 0.2, 3.1), (-0.03, 0, 0), (1, 2, 0.5), 0.6, 0.12)
CHIP = Body("chip", "box", (0.16, 0.16, 0.01), (0.1, -0.75, 2.4), (0, 0.03, 0), (0, 1, 0), 0.2, 0.05)
WALL = Body("wall", "box", (9, 9, 0.2), (0, 0, 6), part=False)
SHOT = Shot((BALL, BOX, CHIP, WALL), pan=0.01, slide=(0.01, 0, 0))


def gray(truth: GroundTruth, kind: str, part: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    path = truth.path(kind, 2, part)
    stored = read_gray(path)
    write_gray(path, change(stored.copy()).astype(stored.dtype))


def exr(truth: GroundTruth, kind: str, change: Callable[[np.ndarray], np.ndarray], frame: int = 2) -> None:
    path = truth.path(kind, frame)
    write_exr(path, np.ascontiguousarray(change(read_exr(path)), np.float32))


def record(truth: GroundTruth, **changes: object) -> None:
    data = {**truth.manifest.data, **changes}
    manifest = Manifest(SCHEMA, {}, {}, data, truth.manifest.files)
    manifest.save(truth.folder / MANIFEST)
    truth.manifest = manifest


def own(truth: GroundTruth, part: str) -> np.ndarray:
    return truth.ids(2) == truth.part(part).id


def shift(array: np.ndarray, columns: int = 1) -> np.ndarray:
    return np.roll(array, columns, 1)


def hole(truth: GroundTruth) -> np.ndarray:
    """A patch of 6 x 6 pixels well inside the box."""
    rows, columns = np.nonzero(cv2.erode(own(truth, "box").astype(np.uint8), np.ones((7, 7))))
    patch = np.zeros(truth.size[::-1], bool)
    row, column = rows[len(rows) // 2], columns[len(columns) // 2]
    patch[row - 3 : row + 3, column - 3 : column + 3] = True
    return patch


def wipe(mask: np.ndarray, value: float = 0) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array[mask] = value
        return array

    return change


def ids_gone(truth: GroundTruth) -> None:
    gray(truth, "ids", "", wipe(own(truth, "box")))


def ids_with_holes(truth: GroundTruth) -> None:
    gray(truth, "ids", "", wipe(hole(truth)))


def id_of_nobody(truth: GroundTruth) -> None:
    gray(truth, "ids", "", wipe(hole(truth), 77))


def ids_swapped(truth: GroundTruth) -> None:
    gray(truth, "ids", "", lambda ids: np.array([0, 2, 1, 3])[ids])


def ids_merged(truth: GroundTruth) -> None:
    gray(truth, "ids", "", lambda ids: np.where(ids == 2, 1, ids))


def ids_shifted(truth: GroundTruth) -> None:
    gray(truth, "ids", "", shift)


def matte_gone(truth: GroundTruth) -> None:
    gray(truth, "matte", "chip", lambda matte: matte * 0)


def matte_doubled(truth: GroundTruth) -> None:
    gray(truth, "matte", "ball", lambda matte: matte * 0 + 255)


def matte_shifted(truth: GroundTruth) -> None:
    gray(truth, "matte", "box", lambda matte: shift(matte, 2))


def matte_faded(truth: GroundTruth) -> None:
    gray(truth, "matte", "ball", lambda matte: matte * 0.7)


def matte_bleeds(truth: GroundTruth) -> None:
    def bleed(matte: np.ndarray) -> np.ndarray:
        return np.maximum(matte, 0.8 * cv2.dilate(matte, np.ones((5, 5), np.uint8)))

    gray(truth, "matte", "chip", bleed)


def sure_of_all(truth: GroundTruth) -> None:
    gray(truth, "sure", "", lambda sure: sure * 0 + 255)


def whole_gone(truth: GroundTruth) -> None:
    gray(truth, "whole", "box", lambda whole: whole * 0)


def whole_shifted(truth: GroundTruth) -> None:
    gray(truth, "whole", "ball", lambda whole: shift(whole, 5))


def depth_not_a_number(truth: GroundTruth) -> None:
    exr(truth, "depth", wipe(hole(truth), np.nan))


def vector_infinite(truth: GroundTruth) -> None:
    exr(truth, "vector", wipe(hole(truth), np.inf))


def depth_below_zero(truth: GroundTruth) -> None:
    exr(truth, "depth", wipe(hole(truth), -1))


def depth_scaled(truth: GroundTruth) -> None:
    for frame in truth.frames:
        exr(truth, "depth", lambda depth: depth * 1.05, frame)


def depth_nearer(truth: GroundTruth) -> None:
    for frame in truth.frames:
        exr(truth, "depth", lambda depth: depth * 0.96, frame)


def depth_along_the_ray(truth: GroundTruth) -> None:
    for frame in truth.frames:
        exr(truth, "depth", lambda depth, frame=frame: truth.camera(frame).distances(depth), frame)


def depth_behind(truth: GroundTruth) -> None:
    exr(truth, "depth", wipe(own(truth, "chip"), 5.8))


def depth_none(truth: GroundTruth) -> None:
    exr(truth, "depth", wipe(own(truth, "chip")))


def depth_of_another_frame(truth: GroundTruth) -> None:
    shutil.copy(truth.path("depth", 3), truth.path("depth", 2))


def normals_in_world(truth: GroundTruth) -> None:
    exr(truth, "normal", lambda normal: normal[..., [0, 2, 1]])


def normals_away(truth: GroundTruth) -> None:
    exr(truth, "normal", np.negative)


def normals_mixed(truth: GroundTruth) -> None:
    exr(truth, "normal", lambda normal: cv2.blur(normal, (3, 3)))


def vectors_negated(truth: GroundTruth) -> None:
    exr(truth, "vector", np.negative)


def vectors_upside_down(truth: GroundTruth) -> None:
    exr(truth, "vector", lambda vector: vector * [1, -1, 1, -1])


def vectors_swapped(truth: GroundTruth) -> None:
    exr(truth, "vector", lambda vector: vector[..., [2, 3, 0, 1]])


def vectors_slightly_off(truth: GroundTruth) -> None:
    exr(truth, "vector", lambda vector: vector + 0.13)


def vectors_still(truth: GroundTruth) -> None:
    exr(truth, "vector", wipe(own(truth, "ball")))


def dropped_from_a_frame(truth: GroundTruth) -> None:
    """Everything tells the same lie: the chip is not there."""
    chip = own(truth, "chip")
    _ids = truth.path("ids", 2)
    write_gray(_ids, np.where(chip, 0, read_gray(_ids)).astype(np.uint8))
    exr(truth, "depth", wipe(chip, 5.8))
    for kind in ("matte", "whole"):
        truth.path(kind, 2, "chip").unlink()
    gray(truth, "sure", "", wipe(cv2.dilate(chip.astype(np.uint8), np.ones((5, 5))) > 0, 255))
    record(truth, empty={**truth.manifest.data["empty"], "matte/chip": "2", "whole/chip": "2"})


def visible_dropped(truth: GroundTruth) -> None:
    """The chip is not seen although nothing is before it; its whole matte stays."""
    chip = own(truth, "chip")
    gray(truth, "ids", "", wipe(chip))
    exr(truth, "depth", wipe(chip, 5.8))
    matte_gone(truth)


def hole_through_everything(truth: GroundTruth) -> None:
    patch = hole(truth)
    gray(truth, "ids", "", wipe(patch))
    for kind in ("matte", "whole"):
        gray(truth, kind, "box", wipe(patch))
    exr(truth, "depth", wipe(patch, 5.8))


def poses_late(truth: GroundTruth) -> None:
    with np.load(truth.folder / "poses.npz") as stored:
        poses = np.array([[body.pose(frame - 3) for body in SHOT.parts] for frame in truth.frames])
        np.savez(truth.folder / "poses.npz", poses=poses, frames=stored["frames"])


def pose_not_a_number(truth: GroundTruth) -> None:
    with np.load(truth.folder / "poses.npz") as stored:
        poses, frames = stored["poses"].copy(), stored["frames"]
    poses[1, 0, 0, 3] = np.nan
    np.savez(truth.folder / "poses.npz", poses=poses, frames=frames)


def camera(truth: GroundTruth, change: Callable[[dict], None]) -> None:
    cameras = json.loads(json.dumps(truth.manifest.data["camera"]))
    change(cameras[1])
    record(truth, camera=cameras)


def camera_scaled(truth: GroundTruth) -> None:
    def scale(record: dict) -> None:
        record["world_to_camera"] = (np.diag([2, 2, 2, 1.0]) @ record["world_to_camera"]).tolist()

    camera(truth, scale)


def focal_length_wrong(truth: GroundTruth) -> None:
    camera(truth, lambda record: record.update(K=(np.diag([1.08, 1.08, 1]) @ record["K"]).tolist()))


def camera_of_another_frame(truth: GroundTruth) -> None:
    camera(truth, lambda record: record.update(truth.manifest.data["camera"][2], frame=2))


def frame_left_out(truth: GroundTruth) -> None:
    record(truth, frames=[1, 3])


def id_twice(truth: GroundTruth) -> None:
    parts = json.loads(json.dumps(truth.manifest.data["parts"]))
    parts[1]["id"] = 1
    record(truth, parts=parts)


def file_missing(truth: GroundTruth) -> None:
    truth.path("normal", 2).unlink()


def file_damaged(truth: GroundTruth) -> None:
    truth.path("matte", 2, "box").write_bytes(b"nothing")


def file_of_another_size(truth: GroundTruth) -> None:
    write_gray(truth.path("whole", 2, "box"), np.zeros((5, 5), np.uint8))


def points_of_others(truth: GroundTruth) -> None:
    np.savez(truth.folder / "points.npz", points=np.zeros((2, 9, 3)))


DEFECTS: dict[Callable[[GroundTruth], None], str] = {
    ids_gone: "id", ids_with_holes: "id", id_of_nobody: "ids", ids_swapped: "id", ids_merged: "id",
    ids_shifted: "id", matte_gone: "matte", matte_doubled: "coverage", matte_shifted: "id",
    matte_bleeds: "bleeding", sure_of_all: "sure", whole_gone: "whole", whole_shifted: "whole",
    depth_not_a_number: "finite", vector_infinite: "finite", depth_below_zero: "depth", depth_scaled: "depth",
    depth_nearer: "depth", depth_along_the_ray: "depth", depth_behind: "depth", depth_none: "depth",
    depth_of_another_frame: "vectors", normals_away: "normal",
    normals_mixed: "normal", vectors_negated: "vectors", vectors_upside_down: "vectors",
    vectors_swapped: "vectors", vectors_slightly_off: "vectors", vectors_still: "vectors",
    dropped_from_a_frame: "seen", visible_dropped: "seen", hole_through_everything: "flicker",
    poses_late: "whole", pose_not_a_number: "poses", camera_scaled: "camera",
    focal_length_wrong: "vectors", camera_of_another_frame: "vectors", frame_left_out: "frames", id_twice: "parts",
    file_missing: "files", file_damaged: "files", file_of_another_size: "files", points_of_others: "points",
}  # fmt: skip
NO_FRAME = {poses_late, depth_scaled, depth_nearer, depth_along_the_ray}
