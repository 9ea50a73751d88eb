# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads ground truth frames for the rehearsal, and the shot's constants that every chunk must agree on."""

from pathlib import Path

import numpy as np

from ...pipeline.errors import InputError
from ...pipeline.manifest import Manifest
from ...pipeline.pictures import read_exr, read_gray, read_picture
from .layers import FrameTruth

SAMPLES = 6


class TruthSource:
    """The frames of a ground truth folder. Raises InputError where it is missing or damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest.load(folder / "truth.json", "holdfast/truth")
        data = self.manifest.data
        self.frames: tuple[int, ...] = tuple(data["frames"])
        self.size: tuple[int, int] = (int(data["size"][0]), int(data["size"][1]))
        self.part_ids = {str(part["name"]): int(part["id"]) for part in data["parts"]}
        self._cameras = {int(entry["frame"]): entry for entry in data["camera"]}
        with np.load(self._existing(str(data["poses"])), allow_pickle=False) as table:
            names = [str(name) for name in (table["parts"] if "parts" in table else self.part_ids)]
            rows = {int(frame): index for index, frame in enumerate(table["frames"])}
            poses = np.asarray(table["poses"], np.float64)
        self._poses = {
            frame: {name: poses[rows[frame], column] for column, name in enumerate(names)} for frame in rows
        }

    def _existing(self, relative: str) -> Path:
        path = self.folder / relative
        if not path.exists():
            raise InputError(f"{relative} is missing", where=str(self.folder), todo="Run Ground truth again.")
        return path

    def _path(self, name: str, frame: int, part: str = "") -> Path:
        return self.folder / str(self.manifest.data["passes"][name]["pattern"]).format(frame=frame, part=part)

    def frame(self, frame: int) -> FrameTruth:
        """All passes of one frame. Raises InputError for a frame that is not there."""
        if frame not in self._cameras or frame not in self._poses:
            raise InputError(f"The ground truth has no frame {frame}", where=str(self.folder))
        camera = self._cameras[frame]
        depth = read_exr(self._path("depth", frame))
        depth = depth if depth.ndim == 2 else depth[..., 0]
        return FrameTruth(
            frame=frame,
            beauty=read_picture(self._path("beauty", frame)).astype(np.float32) / 255,
            ids=read_gray(self._path("ids", frame)),
            coverage={
                name: read_gray(self._path("matte", frame, name)).astype(np.float32) / 255 for name in self.part_ids
            },
            depth=np.where(np.isfinite(depth) & (depth < 1e6), depth, 0).astype(np.float32),
            normal=np.nan_to_num(read_exr(self._path("normal", frame))[..., :3]),
            K=np.asarray(camera["K"], np.float64),
            world_to_camera=np.asarray(camera["world_to_camera"], np.float64),
            poses=self._poses[frame],
            part_ids=self.part_ids,
        )

    def samples(self) -> list[FrameTruth]:
        """A few frames spread over the whole shot, the same whichever frames are asked for."""
        picks = np.unique(np.linspace(0, len(self.frames) - 1, SAMPLES).round().astype(int))
        return [self.frame(self.frames[index]) for index in picks]
