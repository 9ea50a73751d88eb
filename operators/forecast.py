# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render of the ground truth will take: from what the last one took, noted here when it is done."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import bpy

from ..pipeline.errors import HoldfastError
from ..pipeline.estimate import Estimate, Timing, estimate
from ..pipeline.project import ShotFolder
from ..rendering import shot as reading
from ..rendering.camera import picture_size
from . import locate
from .steps import StageOptions


def made_with(scene: bpy.types.Scene) -> str:
    """All but the size that decides how long a frame takes, as far as settings say it."""
    truth = scene.holdfast.truth
    engine = str(scene.render.engine) if truth.engine_from_scene else "CYCLES"
    samples = truth.samples or getattr(getattr(scene, "cycles", None), "samples", 0)
    given = "rendered already" if truth.beauty_from else f"{engine} {samples}"
    return f"{given}, {truth.picture_depth} bit, {' '.join(sorted(truth.extras))}".rstrip(", ")


def of(scene: bpy.types.Scene, shot: ShotFolder) -> Estimate | None:
    """The estimate of a whole render; None for an empty range."""
    frames = scene.frame_end - scene.frame_start + 1
    if frames < 1:
        return None
    size = picture_size(scene)
    return estimate(
        frames, size, made_with(scene), reading.bytes_needed(size, frames, 0), Timing.load(shot.root)
    )


def free_bytes(folder: Path) -> int:
    """What the disk of ``folder``, or of its nearest parent that is there, has left."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), None)
    return shutil.disk_usage(there).free if there is not None else 0


def note(scene: bpy.types.Scene, frames: Sequence[int], seconds: float) -> None:
    """Keeps what rendering ``frames`` took. A shot without a folder keeps nothing."""
    if not frames:
        return
    try:
        shot = locate.shot_of(scene)
        weight = sum(_weight(shot, frame) for frame in frames)
        Timing(seconds, weight, len(frames), picture_size(scene), made_with(scene)).save(shot.root)
    except (HoldfastError, OSError):
        return


def _weight(shot: ShotFolder, frame: int) -> int:
    """Bytes of a frame in all passes."""
    return sum(path.stat().st_size for path in shot.truth.glob(f"[!.]*/**/*.{frame:04d}.*"))


def trial(scene: bpy.types.Scene) -> StageOptions:
    """Renders the current frame alone; it is kept, so nothing is lost by trying."""
    frame = min(max(scene.frame_current, scene.frame_start), scene.frame_end)
    return StageOptions(frames=(frame,))
