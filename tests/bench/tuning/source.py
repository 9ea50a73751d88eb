# SPDX-License-Identifier: GPL-3.0-or-later
"""Truth and takes of a studio: in memory, or written as packages in the pipeline's layout."""

from pathlib import Path

import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture

from .faults import Fault
from .scenes import cast, vectors
from .solids import F32
from .studio import U8, Studio

TO_BLENDER = np.float32([1, -1, -1])


class Source:
    """What `validation.plates` asks of a truth and of a take, in memory; frames are scene indices from 0.

    Frames that no fault touches are the same arrays in every take; ``faults`` may be changed between reads.
    """

    def __init__(self, studio: Studio, look: str, faults: tuple[Fault, ...] = ()) -> None:
        self.studio, self.look, self.faults, self.size = studio, look, faults, studio.scene.size

    def frame(self, frame: int) -> U8:
        return self.studio.frame(self.look, frame, self.faults)

    def beauty(self, frame: int) -> U8:
        return self.studio.painted("beauty", frame)

    def ids(self, frame: int) -> U8:
        return self.studio.exact(frame).ids

    def depth(self, frame: int) -> F32:
        return self.studio.exact(frame).depth

    def normal(self, frame: int) -> F32:
        return self.studio.exact(frame).normal * TO_BLENDER

    def matte(self, part: str, frame: int) -> F32:
        return self.studio.matte(part, frame)

    def whole(self, part: str, frame: int) -> F32:
        return self.studio.whole(part, frame)

    def sure(self, frame: int) -> F32:
        return self.studio.sure(frame)

    def touched(self, frame: int) -> bool:
        """True if a fault changes this frame."""
        return any(not f.part or f.frames[0] <= frame <= f.frames[1] for f in self.faults)

    def poses(self, frame: int) -> dict[int, np.ndarray]:
        """4x4 world matrices by id."""
        scene = self.studio.scene
        return {i + 1: part.pose(scene.when(frame)) for i, part in enumerate(scene.parts)}

    def camera(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """K 3x3 and world to camera 4x4."""
        scene = self.studio.scene
        return scene.K, scene.camera(scene.when(frame))


PATTERNS = {
    "beauty": "beauty/beauty.{frame:04d}.png", "ids": "ids/ids.{frame:04d}.png", "sure": "sure/sure.{frame:04d}.png",
    "matte": "matte/{part}/{part}.{frame:04d}.png", "whole": "whole/{part}/{part}.{frame:04d}.png",
    "depth": "depth/depth.{frame:04d}.exr", "normal": "normal/normal.{frame:04d}.exr",
    "vector": "vector/vector.{frame:04d}.exr",
}  # fmt: skip


def write_truth(studio: Studio, folder: Path) -> Path:
    """A truth package as the Ground truth stage writes it; frames are numbered from 1."""
    scene, frames = studio.scene, list(range(studio.scene.frames))
    for index in frames:
        tag, exact = index + 1, studio.exact(index)
        fields = vectors(scene, index, cast(scene, scene.when(index), exact=True))
        write_picture(folder / PATTERNS["beauty"].format(frame=tag), studio.painted("beauty", index))
        write_gray(folder / PATTERNS["ids"].format(frame=tag), exact.ids)
        write_gray(folder / PATTERNS["sure"].format(frame=tag), _levels(studio.sure(index)))
        write_exr(folder / PATTERNS["depth"].format(frame=tag), exact.depth)
        write_exr(folder / PATTERNS["normal"].format(frame=tag), exact.normal * TO_BLENDER)
        write_exr(folder / PATTERNS["vector"].format(frame=tag), fields)
        for name in scene.names:
            write_gray(
                folder / PATTERNS["matte"].format(part=name, frame=tag), _levels(studio.matte(name, index))
            )
            write_gray(
                folder / PATTERNS["whole"].format(part=name, frame=tag), _levels(studio.whole(name, index))
            )
    numbers = [index + 1 for index in frames]
    poses = np.array([[part.pose(scene.when(index)) for part in scene.parts] for index in frames])
    np.savez(folder / "poses.npz", poses=poses, frames=np.array(numbers, np.int32))
    cameras = [
        {"frame": i + 1, "K": scene.K.tolist(), "world_to_camera": scene.camera(scene.when(i)).tolist()}
        for i in frames
    ]
    data = {
        "size": list(scene.size), "fps": [24, 1], "frames": numbers, "motion_hash": f"tuning-{scene.name}",
        "parts": [{"id": i + 1, "name": name, "object": name} for i, name in enumerate(scene.names)],
        "passes": {name: {"pattern": pattern} for name, pattern in PATTERNS.items()},
        "camera": cameras, "poses": "poses.npz", "colour": {"view": "Standard"},
    }  # fmt: skip
    Manifest("holdfast/truth", {}, {}, data).save(folder / "truth.json")
    return folder


def write_take(
    studio: Studio, folder: Path, look: str, faults: tuple[Fault, ...] = (), truth_digest: str = ""
) -> Path:
    """A take of the scene in a look with faults planted (recorded in its settings, as rehearsals do)."""
    frames = [index + 1 for index in range(studio.scene.frames)]
    for index in range(studio.scene.frames):
        write_picture(folder / f"frames/{index + 1:04d}.png", studio.frame(look, index, faults))
    defects = [
        {"kind": f.kind, "part": f.part, "frames": [f.frames[0] + 1, f.frames[1] + 1], "dose": f.dose}
        for f in faults
    ]
    data = {
        "take": folder.name, "size": list(studio.scene.size), "fps": [24, 1], "frames": frames,
        "frame_map": [[f, f] for f in frames], "pattern": "frames/{frame:04d}.png", "provider": "tuning",
        "model": look, "seed": studio.scene.seed, "look": look, "prompt_hash": "", "parent": None, "spans": [],
    }  # fmt: skip
    Manifest("holdfast/take", {"defects": defects}, {"truth": truth_digest}, data).save(folder / "take.json")
    return folder


def _levels(share: F32) -> U8:
    return (share * 255 + 0.5).astype(np.uint8)
