# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ground truth takes from the artist's scene, and every reason to refuse it before rendering."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import bpy
import numpy as np

from ..pipeline.errors import InputError, StorageError
from ..pipeline.truth import F64
from .throwaway import rendered_layer

MOST_PARTS = 255
"""Ids are stored in 8 bits, 0 being no part."""
PACKED_BYTES_A_PIXEL = 12
RAW_BYTES_A_PIXEL = 60
"""Measured on textured scenes and rounded up; raw files keep 32 bits, mostly uncompressed."""
LEADS = "holdfast_body"
"""Custom property of the hidden proxies of Physics: a live one moves the part that it is of."""
POSE_TOLERANCE = 1e-5
"""Metres, and directions of unit vectors: Blender keeps matrices in single precision."""


@dataclass(frozen=True)
class Part:
    """A part of the product: its number in the id map, its stable name and its object."""

    id: int
    name: str
    object: bpy.types.Object

    def record(self) -> dict[str, Any]:
        """As truth.json lists it; ``bounds`` are the least and greatest corner in the part's own axes, metres."""
        corners = np.array(self.object.bound_box, np.float64)
        bounds = [corners.min(0).tolist(), corners.max(0).tolist()]
        return {"id": self.id, "name": self.name, "object": self.object.name, "bounds": bounds}


def read_parts(scene: bpy.types.Scene) -> list[Part]:
    """The parts of the shot by id. Raises InputError if there are none, or two that can't be told apart."""
    found = [thing for thing in scene.objects if thing.holdfast.is_part and thing.holdfast.role == "HERO"]
    if not found:
        todo = "Select the objects of the product and mark them as parts."
        raise InputError("The shot has no parts", where=scene.name, todo=todo)
    if len(found) > MOST_PARTS:
        raise InputError(f"The shot has {len(found)} parts, more than {MOST_PARTS}", where=scene.name)
    layer = rendered_layer(scene).objects
    parts: list[Part] = []
    for thing in sorted(found, key=lambda thing: (thing.holdfast.part_id or MOST_PARTS + 1, _name(thing))):
        if thing.hide_render or layer.get(thing.name) is None:
            todo = "Show it, or take the part mark off it."
            raise InputError(f"The part {_name(thing)} is hidden in renders", where=thing.name, todo=todo)
        parts.append(Part(_free_id(thing, parts), _name(thing), thing))
    for attribute, what in (("name", "part name"), ("id", "part number")):
        _refuse_same([getattr(part, attribute) for part in parts], what)
    _refuse_same([part.object.name for part in parts], "object name (one is linked from a library)")
    return sorted(parts, key=lambda part: part.id)


def refuse_live_physics(scene: bpy.types.Scene) -> None:
    """Raises InputError if a rigid body is still simulated: a chunk of frames would then move otherwise."""
    world = scene.rigidbody_world
    bodies = world.collection.objects if world and world.enabled and world.collection else ()
    for thing in bodies:
        body = thing.rigid_body
        seen = not thing.hide_render or thing.get(LEADS) is not None
        if body and body.type == "ACTIVE" and body.enabled and not body.kinematic and seen:
            todo = "Bake it: Physics > Rigid bodies > Bake, or Object > Rigid Body > Bake to Keyframes."
            raise InputError(f"{thing.name} is moved by a live simulation", where=scene.name, todo=todo)


def _name(thing: bpy.types.Object) -> str:
    return thing.holdfast.part or thing.name


def _free_id(thing: bpy.types.Object, parts: Sequence[Part]) -> int:
    used = {part.id for part in parts}
    return thing.holdfast.part_id or next(number for number in range(1, MOST_PARTS + 2) if number not in used)


def _refuse_same(values: Sequence[object], what: str) -> None:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise InputError(f"Two parts have the same {what}", where=", ".join(twice), todo="Give each its own.")


def frame_rate(scene: bpy.types.Scene) -> tuple[int, int]:
    """Frames a second as an exact fraction, e.g. (24000, 1001)."""
    rate = Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(1001)
    return rate.numerator, rate.denominator


def colour_record(scene: bpy.types.Scene) -> dict[str, Any]:
    """How the beauty was made display-referred; what is needed to undo it."""
    view = scene.view_settings
    return {
        "display": scene.display_settings.display_device,
        "view": view.view_transform,
        "look": view.look,
        "exposure": round(view.exposure, 6),
        "gamma": round(view.gamma, 6),
        "curves": view.use_curve_mapping,
    }


def is_blurred(scene: bpy.types.Scene) -> bool:
    """Whether shutter or lens smear the beauty and the mattes; ids and the other passes are always sharp."""
    return scene.render.use_motion_blur or scene.camera.data.dof.use_dof


def refuse_full_disk(folder: Path, size: tuple[int, int], frames: int, at_once: int) -> None:
    """Raises StorageError if the disk of ``folder`` can't hold the frames, ``at_once`` of them raw as well."""
    pixels = size[0] * size[1]
    needed = pixels * (frames * PACKED_BYTES_A_PIXEL + min(frames, at_once) * RAW_BYTES_A_PIXEL)
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
