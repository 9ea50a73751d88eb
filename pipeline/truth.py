# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground truth package: what the renderer knows of every frame, readable without Blender.

Pixel conventions: see pipeline.camera. docs/truth.md describes every file; pipeline.passes lists them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from .camera import F64, Camera, camera_from
from .colour import ToLinear
from .errors import HoldfastError, InputError
from .frames import parse_frames
from .manifest import Manifest
from .passes import PATTERNS
from .pictures import F32, U8, read_exact, read_exr, read_gray, read_picture
from .store import digest_json

SCHEMA = "holdfast/truth"
MANIFEST = "truth.json"
TO_LINEAR = "colour/to_linear.npz"
AGAIN = "Run Ground truth again."
Ids = NDArray[Any]


@dataclass(frozen=True)
class PartInfo:
    """A part as the package lists it.

    ``id`` is its value in the id map (1..65535), ``name`` its stable name, ``object`` what the scene calls it, and
    ``folder`` names its files; ``kind`` is OBJECT, COLLECTION, SLOT or INSTANCE.
    """

    id: int
    name: str
    object: str
    folder: str
    kind: str = "OBJECT"


class GroundTruth:
    """A package of ground truth. ``open`` one; every reading raises InputError with the sentence for a person."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        try:
            self._read(manifest.data)
        except (KeyError, TypeError, ValueError, AttributeError, HoldfastError) as error:
            raise InputError(
                "The ground truth's manifest is incomplete", where=str(folder), todo=AGAIN
            ) from error

    def _read(self, data: Mapping[str, Any]) -> None:
        width, height = data["size"]
        self.size: tuple[int, int] = (int(width), int(height))
        self.fps: tuple[int, int] = (int(data["fps"][0]), int(data["fps"][1]))
        self.frames: tuple[int, ...] = tuple(int(frame) for frame in data["frames"])
        self.parts = tuple(_part(record) for record in data["parts"])
        self.motion_hash = str(data["motion_hash"])
        self.colour: Mapping[str, Any] = data["colour"]
        self._patterns = {name: str(entry["pattern"]) for name, entry in data["passes"].items()}
        self._cameras = {int(record["frame"]): camera_from(record) for record in data["camera"]}
        self._empty = {name: frozenset(parse_frames(spec)) for name, spec in data.get("empty", {}).items()}

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

    def has(self, kind: str) -> bool:
        """Whether pass ``kind`` is in the package as files."""
        return kind in self._patterns

    def path(self, kind: str, frame: int, part: str = "") -> Path:
        """Where pass ``kind`` (see pipeline.passes) of ``frame`` is; ``part`` is a part's name or its folder's."""
        self._index(frame)
        if kind not in self._patterns:
            raise InputError(f"The ground truth has no {kind}", where=str(self.folder), todo=AGAIN)
        folder = next((each.folder for each in self.parts if each.name == part), part)
        return self.folder / self._patterns[kind].format(frame=frame, part=folder)

    def beauty(self, frame: int) -> U8:
        """(H, W, 3) uint8 RGB, display-referred as the artist sees it."""
        return self._checked(read_picture(self.path("beauty", frame)), frame, "beauty")

    def beauty_exact(self, frame: int) -> NDArray[Any]:
        """(H, W, 3) uint8 or uint16 RGB as stored: the beauty with the depth in which it was rendered."""
        return self._checked(read_exact(self.path("beauty", frame)), frame, "beauty")

    def linear(self, frame: int) -> F32:
        """(H, W, 3) float32 scene-linear RGB of the beauty."""
        return self._checked(read_exr(self.path("linear", frame)), frame, "linear", 3)

    @cached_property
    def to_linear(self) -> ToLinear:
        """Takes the beauty, or a model's picture of the same frame, back to scene-linear."""
        table = ToLinear.load(self.folder / TO_LINEAR)
        if table.made_from not in ("", digest_json(dict(self.colour))):
            where = str(self.folder / TO_LINEAR)
            raise InputError("The colour table was measured for another view", where=where, todo=AGAIN)
        return table

    def ids(self, frame: int) -> Ids:
        """(H, W) uint8 or uint16: the id of the part at each pixel's centre, 0 where there is none."""
        return self._checked(read_gray(self.path("ids", frame)), frame, "ids")

    def sure(self, frame: int) -> F32:
        """(H, W) float32 in 0..1: how much of each pixel is covered by what its id names; see passes.SURE."""
        return self._checked(_share(read_gray(self.path("sure", frame))), frame, "sure")

    def matte(self, part: str, frame: int) -> F32:
        """(H, W) float32 in 0..1: how much of each pixel the visible part covers."""
        return self._of_part("matte", part, frame)

    def whole(self, part: str, frame: int) -> F32:
        """(H, W) float32 in 0..1: how much of each pixel the part would cover if nothing stood before it."""
        return self._of_part("whole", part, frame)

    def background(self, frame: int) -> F32:
        """(H, W) float32 in 0..1: how much of each pixel no part covers."""
        left = np.ones((self.size[1], self.size[0]), np.float32)
        for part in self.parts:
            if not self.is_empty("matte", part.name, frame):
                left -= self.matte(part.name, frame)
        return np.clip(left, 0, 1)

    def is_empty(self, kind: str, part: str, frame: int) -> bool:
        """True if the "matte" or "whole" of a part is known to be zero everywhere, and so has no file."""
        return frame in self._empty.get(f"{kind}/{self.part(part).folder}", frozenset())

    def depth(self, frame: int) -> F32:
        """(H, W) float32 planar depth in metres at each pixel's centre, 0 where there is nothing."""
        return self._plane("depth", frame)

    def distance(self, frame: int) -> F32:
        """(H, W) float32 metres from the camera along the ray through each pixel's centre, 0 where there is nothing."""
        if self.has("distance"):
            return self._plane("distance", frame)
        return self.camera(frame).distances(self.depth(frame))

    def normal(self, frame: int) -> F32:
        """(H, W, 3) float32 unit normals in camera space: x right, y up, z towards the camera; 0 where nothing is."""
        return self._checked(read_exr(self.path("normal", frame)), frame, "normal", 3)

    def normal_world(self, frame: int) -> F32:
        """(H, W, 3) float32 unit normals in the world's axes; 0 where nothing is."""
        if self.has("normal_world"):
            return self._checked(read_exr(self.path("normal_world", frame)), frame, "normal_world", 3)
        return self.camera(frame).world_normals(self.normal(frame))

    def position(self, frame: int) -> F32:
        """(H, W, 3) float32 world points in metres seen at each pixel's centre; 0 where nothing is."""
        if self.has("position"):
            return self._checked(read_exr(self.path("position", frame)), frame, "position", 3)
        return self.camera(frame).positions(self.depth(frame))

    def uv(self, frame: int) -> F32:
        """(H, W, 3) float32: u and v of the surface's render UV map, and 1 where there is one, else all 0."""
        return self._checked(read_exr(self.path("uv", frame)), frame, "uv", 3)

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

    def _of_part(self, kind: str, part: str, frame: int) -> F32:
        if self.is_empty(kind, part, frame):
            self._index(frame)
            return np.zeros((self.size[1], self.size[0]), np.float32)
        return self._checked(_share(read_gray(self.path(kind, frame, part))), frame, f"{kind} of {part}")

    def _plane(self, kind: str, frame: int) -> F32:
        plane = read_exr(self.path(kind, frame))
        return self._checked(plane if plane.ndim == 2 else plane[..., 0], frame, kind)

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
            raise InputError(
                f"{path.name} is missing or can't be read", where=str(path), todo=AGAIN
            ) from error
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


def made(folder: Path, purpose: str) -> Manifest:
    """The manifest of the finished package in ``folder``. Raises InputError if there is none "to restyle", say."""
    manifest = Manifest.find(folder / MANIFEST, SCHEMA)
    if manifest is None:
        says = f"There is no ground truth {purpose}"
        raise InputError(says, where=folder.parent.name, todo="Run Ground truth first.")
    return manifest


def _part(record: Mapping[str, Any]) -> PartInfo:
    name = str(record["name"])
    folder, kind = str(record.get("folder", name)), str(record.get("kind", "OBJECT"))
    return PartInfo(int(record["id"]), name, str(record["object"]), folder, kind)


def _share(stored: NDArray[Any]) -> F32:
    levels = 65535 if stored.dtype == np.uint16 else 255
    return (stored / np.float32(levels)).astype(np.float32)


__all__ = [
    "AGAIN",
    "F64",
    "MANIFEST",
    "PATTERNS",
    "SCHEMA",
    "Camera",
    "GroundTruth",
    "PartInfo",
    "camera_from",
]
