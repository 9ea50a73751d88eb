# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants known faults into tuning takes and writes truth packages and takes in the pipeline's layout."""

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_exr, write_gray, write_picture

from .looks import LOOKS, OVERSAMPLE, Cast, bulge, casts, finish
from .scenes import Scene, grid, vectors


@dataclass(frozen=True)
class Fault:
    """``dose`` in px at 640 wide, Lab units, or frames, by ``kind``; ``frames`` are first and last, inclusive."""

    kind: str
    part: str = ""
    frames: tuple[int, int] = (0, 0)
    dose: float = 1.0


@dataclass
class Studio:
    """Casts every frame of a scene once and makes truth and takes from that."""

    scene: Scene
    cache: dict[tuple[int, tuple[str, ...]], Cast] = field(default_factory=dict)
    beauties: dict[int, np.ndarray] = field(default_factory=dict)

    def casts(self, index: int, without: tuple[str, ...] = ()) -> Cast:
        key = (index, without)
        if key not in self.cache:
            self.cache[key] = casts(self.scene, index, without)
        return self.cache[key]

    def picture(self, look: str, index: int, without: tuple[str, ...] = ()) -> np.ndarray:
        fine = self.casts(index, without).fine
        return finish(LOOKS[look](self.scene, fine, index), self.scene.size, look)

    def frame(self, look: str, index: int, faults: tuple[Fault, ...] = ()) -> np.ndarray:
        """(H, W, 3) uint8 of frame ``index`` with the faults that are on at that frame."""
        source = index
        for fault in faults:
            if fault.kind in ("drop", "lag", "freeze"):
                source = _source(fault, index, self.scene.frames)
        on = [f for f in faults if f.frames[0] <= index <= f.frames[1]]
        gone = tuple(sorted(f.part for f in on if f.kind == "vanish"))
        out = self.picture(look, source, gone)
        for fault in on:
            if fault.kind in PLANT:
                out = PLANT[fault.kind](self, look, source, out, fault)
        return out

    def matte(self, part: str, index: int) -> np.ndarray:
        number = [p.name for p in self.scene.parts].index(part) + 1
        fine = (self.casts(index).fine.ids == number).astype(np.float32)
        return cv2.resize(fine, self.scene.size, interpolation=cv2.INTER_AREA)


def _source(fault: Fault, index: int, count: int) -> int:
    n = int(fault.dose)
    if fault.kind == "lag":
        return max(0, index - n)
    if fault.kind == "freeze":
        return fault.frames[0] if fault.frames[0] <= index < fault.frames[0] + n else index
    return min(count - 1, index + n) if index >= fault.frames[0] else index


def _over(
    studio: Studio, look: str, index: int, moved: np.ndarray, alpha: np.ndarray, part: str
) -> np.ndarray:
    plate = studio.picture(look, index, (part,)).astype(np.float32)
    return (moved * alpha[..., None] + plate * (1 - alpha[..., None]) + 0.5).astype(np.uint8)


def _warp(
    studio: Studio, look: str, index: int, out: np.ndarray, part: str, field_px: np.ndarray
) -> np.ndarray:
    where = (grid(studio.scene.size) - 0.5).astype(np.float32) - field_px
    alpha = cv2.dilate(studio.matte(part, index), np.ones((3, 3), np.uint8))
    alpha = cv2.remap(alpha, where, None, cv2.INTER_LINEAR)
    moved = cv2.remap(out.astype(np.float32), where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return _over(studio, look, index, moved, alpha, part)


def _shift(studio: Studio, look: str, index: int, out: np.ndarray, fault: Fault) -> np.ndarray:
    px = fault.dose * studio.scene.size[0] / 640
    angle = 0.6 + studio.scene.seed
    offset = np.float32([np.cos(angle) * px, np.sin(angle) * px])
    return _warp(
        studio, look, index, out, fault.part, np.broadcast_to(offset, (*out.shape[:2], 2)).astype(np.float32)
    )


def _rubber(studio: Studio, look: str, index: int, out: np.ndarray, fault: Fault) -> np.ndarray:
    ys, xs = np.nonzero(studio.matte(fault.part, index) > 0.5)
    if len(xs) < 8:
        return out
    centre = np.array([xs.mean(), ys.mean()])
    radius = max(4.0, 0.6 * np.hypot(np.ptp(xs), np.ptp(ys)))
    a, b = fault.frames
    ramp = min(1.0, (index - a + 1) / 2.5, (b - index + 1) / 2.5)
    px = fault.dose * ramp * out.shape[1] / 640
    return _warp(
        studio, look, index, out, fault.part, bulge(studio.scene.size, centre, radius, px, 0.5 * (index - a))
    )


def _lab(
    studio: Studio, out: np.ndarray, part: str, index: int, shift: tuple[float, float, float]
) -> np.ndarray:
    lab = cv2.cvtColor(out.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab += studio.matte(part, index)[..., None] * np.float32(shift)
    return (np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255 + 0.5).astype(np.uint8)


def _colour(studio: Studio, look: str, index: int, out: np.ndarray, fault: Fault) -> np.ndarray:
    return _lab(studio, out, fault.part, index, (0.0, fault.dose * 0.7071, -fault.dose * 0.7071))


def _flicker(studio: Studio, look: str, index: int, out: np.ndarray, fault: Fault) -> np.ndarray:
    return _lab(studio, out, fault.part, index, (fault.dose * (1 if index % 2 else -1) / 1.0, 0.0, 0.0))


def _ghost(studio: Studio, look: str, index: int, out: np.ndarray, fault: Fault) -> np.ndarray:
    """Pastes a copy of the part where no part is."""
    alpha = studio.matte(fault.part, index)
    ys, xs = np.nonzero(alpha > 0.5)
    if not len(xs):
        return out
    width = out.shape[1]
    x0 = 0.16 if xs.mean() > width / 2 else 0.84
    dx, dy = x0 * width - xs.mean(), 0.25 * out.shape[0] - ys.mean()
    where = np.float32([[1, 0, dx], [0, 1, dy]])
    moved = cv2.warpAffine(out.astype(np.float32), where, out.shape[1::-1])
    soft = cv2.warpAffine(alpha, where, out.shape[1::-1])[..., None]
    return (moved * soft + out * (1 - soft) + 0.5).astype(np.uint8)


PLANT = {"shift": _shift, "rubber": _rubber, "colour": _colour, "flicker": _flicker, "ghost": _ghost}


def write_truth(studio: Studio, folder: Path) -> Path:
    """A truth package as the Ground truth stage writes it."""
    scene, frames = studio.scene, list(range(studio.scene.frames))
    names = [part.name for part in scene.parts]
    cameras, poses = [], np.zeros((len(frames), len(names), 4, 4))
    for index in frames:
        passes = studio.casts(index).exact
        tag = f"{index + 1:04d}"
        write_picture(folder / f"beauty/beauty.{tag}.png", studio.picture("beauty", index))
        write_gray(folder / f"ids/ids.{tag}.png", passes.ids)
        write_exr(folder / f"depth/depth.{tag}.exr", passes.depth)
        write_exr(folder / f"normal/normal.{tag}.exr", passes.normal * np.float32([1, -1, -1]))
        write_exr(folder / f"vector/vector.{tag}.exr", vectors(scene, index, passes))
        for name in names:
            write_gray(
                folder / f"matte/{name}/{name}.{tag}.png",
                (studio.matte(name, index) * 255 + 0.5).astype(np.uint8),
            )
        t = scene.when(index)
        poses[index] = [part.pose(t) for part in scene.parts]
        cameras.append(
            {"frame": index + 1, "K": scene.K.tolist(), "world_to_camera": scene.camera(t).tolist()}
        )
    numbers = [frame + 1 for frame in frames]
    np.savez(folder / "poses.npz", poses=poses, frames=np.array(numbers, np.int32))
    patterns = {
        "beauty": "beauty/beauty.{frame:04d}.png", "ids": "ids/ids.{frame:04d}.png",
        "matte": "matte/{part}/{part}.{frame:04d}.png", "depth": "depth/depth.{frame:04d}.exr",
        "normal": "normal/normal.{frame:04d}.exr", "vector": "vector/vector.{frame:04d}.exr",
    }  # fmt: skip
    data = {
        "size": list(scene.size), "fps": [24, 1], "frames": numbers, "motion_hash": f"tuning-{scene.name}",
        "parts": [{"id": i + 1, "name": name, "object": name} for i, name in enumerate(names)],
        "passes": {name: {"pattern": pattern} for name, pattern in patterns.items()},
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


assert OVERSAMPLE == 2
