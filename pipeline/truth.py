# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground truth package: what the renderer knows of every frame, readable without Blender.

Pixel conventions: the origin is the top left corner of the picture, x right, y down; pixel (column i, row j)
covers i..i+1, j..j+1, so its centre is (i + 0.5, j + 0.5). docs/truth.md describes every file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .manifest import Manifest
from .pictures import F32, U8, read_exr, read_gray, read_picture

F64 = NDArray[np.float64]
SCHEMA = "holdfast/truth"
MANIFEST = "truth.json"
AGAIN = "Run Ground truth again."
PATTERNS: Mapping[str, str] = {
    "beauty": "beauty/beauty.{frame:04d}.png",
    "ids": "ids/ids.{frame:04d}.png",
    "matte": "matte/{part}/{part}.{frame:04d}.png",
    "depth": "depth/depth.{frame:04d}.exr",
    "normal": "normal/normal.{frame:04d}.exr",
    "vector": "vector/vector.{frame:04d}.exr",
}
"""Where the passes of a frame are, relative to the package's folder."""


@dataclass(frozen=True)
class PartInfo:
    """``id`` is the part's value in the id map (1..255), ``name`` its stable name, ``object`` what the scene calls it."""

    id: int
    name: str
    object: str


@dataclass(frozen=True)
class Camera:
    """A camera of one frame.

    ``K`` (3, 3): pixels from camera axes (x right, y down, z forward, metres); ``world_to_camera`` (4, 4);
    an ``orthographic`` camera has no division by z: pixel = K @ (x, y, 1).
    """

    K: F64
    world_to_camera: F64
    orthographic: bool = False

    def project(self, points: F64) -> F64:
        """World points (..., 3) in metres -> (..., 3) float64: x, y in pixels and planar depth in metres."""
        seen = np.asarray(points, np.float64) @ self.world_to_camera[:3, :3].T + self.world_to_camera[:3, 3]
        depth = seen[..., 2]
        plane = seen / np.where(depth == 0, 1e-12, depth)[..., None]
        if self.orthographic:
            plane = np.concatenate([seen[..., :2], np.ones_like(seen[..., :1])], -1)
        return np.concatenate([(plane @ self.K.T)[..., :2], depth[..., None]], -1)

    def unproject(self, pixels: F64, depth: F64) -> F64:
        """World points (..., 3) of pixel positions (..., 2) at planar depths (...) in metres."""
        ones = np.ones_like(pixels[..., :1])
        rays = np.concatenate([pixels, ones], -1) @ np.linalg.inv(self.K).T
        planar = depth[..., None]
        seen = np.concatenate([rays[..., :2], planar], -1) if self.orthographic else rays * planar
        back = np.linalg.inv(self.world_to_camera)
        return seen @ back[:3, :3].T + back[:3, 3]


class GroundTruth:
    """A package of ground truth. ``open`` one; every reading raises InputError with the sentence for a person."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        try:
            self._read(manifest.data)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                "The ground truth's manifest is incomplete", where=str(folder), todo=AGAIN
            ) from error

    def _read(self, data: Mapping[str, Any]) -> None:
        width, height = data["size"]
        self.size: tuple[int, int] = (int(width), int(height))
        self.fps: tuple[int, int] = (int(data["fps"][0]), int(data["fps"][1]))
        self.frames: tuple[int, ...] = tuple(int(frame) for frame in data["frames"])
        self.parts = tuple(PartInfo(int(part["id"]), part["name"], part["object"]) for part in data["parts"])
        self.motion_hash = str(data["motion_hash"])
        self.colour: Mapping[str, Any] = data["colour"]
        self._patterns = {name: str(entry["pattern"]) for name, entry in data["passes"].items()}
        self._cameras = {int(record["frame"]): camera_from(record) for record in data["camera"]}

    @classmethod
    def open(cls, folder: Path | str) -> "GroundTruth":
        """The package in ``folder``. Raises InputError if there is none, or it is damaged or from a newer version."""
        path = Path(folder) / MANIFEST
        if not path.exists():
            raise InputError(
                "There is no ground truth yet", where=str(folder), todo="Run Ground truth first."
            )
        return cls(Path(folder), Manifest.load(path, SCHEMA))

    @property
    def digest(self) -> str:
        """Names this package in the inputs of later stages."""
        return self.manifest.digest

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts, in the order of their ids."""
        return tuple(part.name for part in self.parts)

    def part(self, name: str) -> PartInfo:
        """The part called ``name``."""
        for part in self.parts:
            if part.name == name:
                return part
        known = ", ".join(self.names)
        raise InputError(
            f"The ground truth has no part {name!r}", where=str(self.folder), todo=f"It has {known}."
        )

    def path(self, kind: str, frame: int, part: str = "") -> Path:
        """Where pass ``kind`` (see PATTERNS) of ``frame`` is."""
        self._index(frame)
        if kind not in self._patterns:
            raise InputError(f"The ground truth has no {kind}", where=str(self.folder), todo=AGAIN)
        return self.folder / self._patterns[kind].format(frame=frame, part=part)

    def beauty(self, frame: int) -> U8:
        """(H, W, 3) uint8 RGB, display-referred as the artist sees it."""
        return self._checked(read_picture(self.path("beauty", frame)), frame, "beauty")

    def ids(self, frame: int) -> U8:
        """(H, W) uint8: the id of the part at each pixel's centre, 0 where there is none."""
        return self._checked(read_gray(self.path("ids", frame)), frame, "ids")

    def matte(self, part: str, frame: int) -> F32:
        """(H, W) float32 in 0..1: how much of each pixel the visible part covers."""
        stored = read_gray(self.path("matte", frame, self.part(part).name))
        levels = 65535 if stored.dtype == np.uint16 else 255
        return self._checked((stored / np.float32(levels)).astype(np.float32), frame, f"matte of {part}")

    def depth(self, frame: int) -> F32:
        """(H, W) float32 planar depth in metres at each pixel's centre, 0 where there is nothing."""
        depth = read_exr(self.path("depth", frame))
        return self._checked(depth if depth.ndim == 2 else depth[..., 0], frame, "depth")

    def normal(self, frame: int) -> F32:
        """(H, W, 3) float32 unit normals in camera space: x right, y up, z towards the camera; 0 where nothing is."""
        return self._checked(read_exr(self.path("normal", frame)), frame, "normal", 3)

    def vector(self, frame: int) -> F32:
        """(H, W, 4) float32 pixels: [:2] how what is seen here moves to the next frame, [2:] to the previous one."""
        return self._checked(read_exr(self.path("vector", frame)), frame, "vector", 4)

    def pose(self, part: str, frame: int) -> F64:
        """(4, 4) float64 world matrix of a part, metres."""
        order = self.names.index(self.part(part).name)
        return np.array(self._poses[self._index(frame), order])

    def camera(self, frame: int) -> Camera:
        """The camera of a frame."""
        self._index(frame)
        if frame not in self._cameras:
            raise InputError(
                f"The ground truth has no camera for frame {frame}", where=str(self.folder), todo=AGAIN
            )
        return self._cameras[frame]

    def project(self, points: F64, frame: int) -> F64:
        """World points (..., 3) in metres -> (..., 3): x, y in pixels and planar depth in metres."""
        return self.camera(frame).project(points)

    def _index(self, frame: int) -> int:
        try:
            return self.frames.index(frame)
        except ValueError as error:
            raise InputError(
                f"The ground truth has no frame {frame}", where=str(self.folder), todo=AGAIN
            ) from error

    @cached_property
    def _poses(self) -> F64:
        path = self.folder / str(self.manifest.data["poses"])
        try:
            with np.load(path) as stored:
                poses, frames = (
                    np.asarray(stored["poses"], np.float64),
                    tuple(int(frame) for frame in stored["frames"]),
                )
        except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
            raise InputError("The poses can't be read", where=str(path), todo=AGAIN) from error
        if frames != self.frames or poses.shape != (len(frames), len(self.parts), 4, 4):
            raise InputError("The poses don't belong to these frames and parts", where=str(path), todo=AGAIN)
        return poses

    def _checked(self, array: NDArray[Any], frame: int, what: str, channels: int = 0) -> NDArray[Any]:
        expected = (self.size[1], self.size[0], *((channels,) if channels else ()))
        if array.shape[: len(expected)] != expected:
            where = f"{what}, frame {frame}"
            raise InputError(
                f"A picture of the ground truth has the size {array.shape}", where=where, todo=AGAIN
            )
        return array


def camera_from(record: Mapping[str, Any]) -> Camera:
    """The camera of a record with K, world_to_camera and perhaps projection; ValueError for wrong shapes."""
    matrix, pose = np.array(record["K"], np.float64), np.array(record["world_to_camera"], np.float64)
    if matrix.shape != (3, 3) or pose.shape != (4, 4):
        raise ValueError("camera matrices")
    return Camera(matrix, pose, record.get("projection") == "orthographic")
