# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ground truth takes from the artist's scene, and every reason to refuse it before rendering."""

import shutil
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import bpy
import numpy as np

from ..pipeline.errors import InputError, StorageError
from ..pipeline.truth import F64
from .parts import Part

PACKED_BYTES_A_PIXEL = 18
RAW_BYTES_A_PIXEL = 110
"""Measured on textured scenes and rounded up; raw files keep 32 bits, mostly uncompressed. Without the scene ``whole``."""
LEADS = "holdfast_body"
"""Custom property of the hidden proxies of Physics: a live one moves the part that it is of."""
POSE_TOLERANCE = 1e-5
"""Metres, and directions of unit vectors: Blender keeps matrices in single precision."""


def refuse_live_physics(scene: bpy.types.Scene) -> None:
    """Raises InputError if something is still simulated: a chunk of frames would then move otherwise."""
    world = scene.rigidbody_world
    bodies = world.collection.objects if world and world.enabled and world.collection else ()
    for thing in bodies:
        body = thing.rigid_body
        seen = not thing.hide_render or thing.get(LEADS) is not None
        if body and body.type == "ACTIVE" and body.enabled and not body.kinematic and seen:
            todo = "Bake it: Physics > Rigid bodies > Bake, or Object > Rigid Body > Bake to Keyframes."
            raise InputError(f"{thing.name} is moved by a live simulation", where=scene.name, todo=todo)

    for thing in scene.objects:
        if not thing.hide_render and any(_is_simulated(modifier) for modifier in thing.modifiers):
            raise InputError(
                f"{thing.name} is moved by a live simulation", where=scene.name, todo="Bake its cache."
            )


def _is_simulated(modifier: Any) -> bool:
    """Whether a modifier makes each frame from the one before it, and its cache is not baked."""
    if not modifier.show_render:
        return False
    if modifier.type in {"CLOTH", "SOFT_BODY"}:
        return not modifier.point_cache.is_baked
    if modifier.type == "PARTICLE_SYSTEM":
        system = modifier.particle_system
        settings = system.settings
        moves = settings.type == "EMITTER" and settings.physics_type != "NO"
        return (moves or system.use_hair_dynamics) and not system.point_cache.is_baked
    return (
        modifier.type == "FLUID"
        and modifier.fluid_type == "DOMAIN"
        and not modifier.domain_settings.has_cache_baked_any
    )


def frame_rate(scene: bpy.types.Scene) -> tuple[int, int]:
    """Frames a second as an exact fraction, e.g. (24000, 1001)."""
    rate = Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(1001)
    return rate.numerator, rate.denominator


def is_blurred(scene: bpy.types.Scene) -> bool:
    """Whether shutter or lens smear the beauty and the mattes; ids and the other passes are always sharp."""
    return scene.render.use_motion_blur or scene.camera.data.dof.use_dof


def bytes_needed(size: tuple[int, int], frames: int, at_once: int) -> int:
    """Bytes on the disk for ``frames`` of a picture of ``size``, ``at_once`` of them raw as well; rounded up."""
    return size[0] * size[1] * (frames * PACKED_BYTES_A_PIXEL + min(frames, at_once) * RAW_BYTES_A_PIXEL)


def refuse_full_disk(folder: Path, needed: int) -> None:
    """Raises StorageError if the disk of ``folder`` has less than ``needed`` bytes left."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        says = f"The ground truth needs about {needed / 1e9:.1f} GB and the disk has {free / 1e9:.1f} GB left"
        todo = "Free some space, choose another output root, or render a smaller chunk of frames."
        raise StorageError(says, where=str(folder), todo=todo)


def refuse_other_motion(
    parts: Sequence[Part], frames: Sequence[int], poses: F64, baked: "BakedMotion"
) -> None:
    """Raises InputError if ``poses`` (F, P, 4, 4) of ``frames`` are not those that Physics baked and proved."""
    again = "Run Physics again."
    gone = [name for name in baked.names if name not in {part.name for part in parts}]
    if gone:
        raise InputError(
            "Parts of the baked motion are no longer in the scene", where=", ".join(gone), todo=again
        )
    for column, part in enumerate(parts):
        if part.name not in baked.names:
            continue
        for row, frame in enumerate(frames):
            expected = baked.pose(part.name, frame)
            if expected is not None and np.abs(poses[row, column] - expected).max() > POSE_TOLERANCE:
                where = f"{part.name}, frame {frame}"
                raise InputError(
                    "The scene does not move as the motion that was proven", where=where, todo=again
                )


class BakedMotion:
    """The poses that Physics baked: motion/poses.npz."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.names = list(names)
        try:
            with np.load(path) as stored:
                self._poses, frames = np.asarray(stored["poses"], np.float64), stored["frames"]
        except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
            raise InputError(
                "The baked motion can't be read", where=str(path), todo="Run Physics again."
            ) from error
        self._rows = {int(frame): row for row, frame in enumerate(frames)}

    def pose(self, part: str, frame: int) -> F64 | None:
        """(4, 4) world matrix; None outside of the baked frames."""
        row = self._rows.get(frame)
        return None if row is None else self._poses[row, self.names.index(part)]
