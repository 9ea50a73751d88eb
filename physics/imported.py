# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads any object of a scene as a rigid part: its shape in metres and where it is, or the sentence why it is none.

Whatever scale, mirroring or shear an object and its parents have is baked into the points, so that what is left is a
rigid pose. The object itself is never changed here, but for ``resize``.
"""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..compat import fcurves_of
from ..pipeline.errors import InputError
from . import meshes
from .assembly import part_name
from .hull import along
from .rigid import Array
from .units import MM

MADE_BY_ASSETS = ("holdfast_part", "holdfast_source")
"""Custom properties of parts that Assets made, at the real size of their sketch."""
DEFORMING = {"ARMATURE", "CLOTH", "HOOK", "LATTICE", "MESH_DEFORM", "SOFT_BODY", "SURFACE_DEFORM", "WAVE"}
_SAME_SIZE = 1e-3
_CONVERT = "Convert it to a mesh (Object > Convert > Mesh)."


@dataclass(frozen=True)
class Imported:
    """``points`` (V, 3) in metres in the rigid ``pose`` (4, 4) of the object in the world, ``triangles`` (T, 3) outward as
    far as the mesh is; ``stretch`` (3, 3) makes the object's own coordinates those points."""

    name: str
    ob: bpy.types.Object
    points: Array
    triangles: NDArray[np.int64]
    stretch: Array
    pose: Array
    notes: tuple[str, ...] = ()

    @property
    def extent(self) -> float:
        """The largest extent along the object's axes, in metres."""
        return float(np.ptp(self.points, axis=0).max())

    @property
    def made_by_assets(self) -> bool:
        """Whether Assets made it, at the size of its sketch."""
        return all(self.ob.get(key) is not None for key in MADE_BY_ASSETS)

    @property
    def size_known(self) -> bool:
        """Whether its real size is known: Assets made it, or a person confirmed the size that it still has."""
        if self.made_by_assets:
            return True
        confirmed = float(self.ob.holdfast.size_mm) * MM
        return abs(confirmed - self.extent) <= _SAME_SIZE * self.extent


def read(ob: bpy.types.Object) -> Imported:
    """The object as it is at the current frame, with its modifiers and shape keys. Raises InputError."""
    _check(ob)
    stretch, pose = rigid(ob)
    points, triangles = meshes.evaluated(ob)
    if not len(triangles):
        todo = "Choose a solid part; if geometry nodes make instances, realize them (Realize Instances node)."
        raise InputError(f"The mesh of {ob.name!r} has no faces", todo=todo)
    if not np.isfinite(points).all():
        raise InputError(
            f"The mesh of {ob.name!r} has coordinates that are no numbers", todo="Import it again."
        )
    if np.linalg.det(stretch) < 0.0:
        triangles = triangles[:, ::-1]
    notes = []
    if any(m.type in DEFORMING and m.show_viewport for m in ob.modifiers) or _moving_keys(ob):
        notes.append(f"it changes its shape; the body keeps that of frame {bpy.context.scene.frame_current}")
    return Imported(part_name(ob), ob, along(points, stretch), triangles, stretch, pose, tuple(notes))


def _moving_keys(ob: bpy.types.Object) -> bool:
    keys = meshes.of(ob).shape_keys
    return keys is not None and keys.animation_data is not None


def _check(ob: bpy.types.Object) -> None:
    if ob.type == "EMPTY" and ob.instance_type == "COLLECTION":
        todo = "Make its objects real (Object > Apply > Make Instances Real) and select those."
        raise InputError(f"{ob.name!r} is an instance of a collection", todo=todo)
    if ob.type in {"CURVE", "FONT", "SURFACE", "META", "CURVES"}:
        raise InputError(f"{ob.name!r} is no mesh but a {ob.type.lower()} object", todo=_CONVERT)
    if ob.type != "MESH":
        todo = "Select mesh objects."
        raise InputError(f"{ob.name!r} is no mesh but of the kind {ob.type.lower()}", todo=todo)
    if ob.instance_type != "NONE":
        todo = "Make them real (Object > Apply > Make Instances Real), then switch instancing off."
        raise InputError(f"{ob.name!r} puts instances on its {ob.instance_type.lower()}", todo=todo)
    if ob.library is not None:
        todo = "Make a library override of it (Object > Library Override > Make), or make it local."
        raise InputError(f"{ob.name!r} is linked from another file", todo=todo)
    if ob.override_library is not None and ob.override_library.is_system_override:
        todo = "Make it editable (Object > Library Override > Make)."
        raise InputError(f"{ob.name!r} is an override that may not be edited", todo=todo)
    if ob.rigid_body is not None:
        todo = "Remove that first (Object > Rigid Body > Remove); Holdfast puts its own on a hidden proxy."
        raise InputError(f"{ob.name!r} is a rigid body itself", todo=todo)


def rigid(ob: bpy.types.Object) -> tuple[Array, Array]:
    """(stretch (3, 3), rigid pose (4, 4)) whose product is the world matrix; the pose's x axis is the object's, y near its y."""
    world = np.array(ob.matrix_world, dtype=np.float64)
    linear = world[:3, :3]
    lengths = np.sqrt((linear * linear).sum(axis=0))
    if not np.isfinite(world).all() or abs(np.linalg.det(linear)) <= 1e-9 * float(lengths.max()) ** 3:
        raise InputError(
            f"{ob.name!r} is flat: a scale is zero", todo="Give it a scale above zero on each axis."
        )
    x = linear[:, 0] / lengths[0]
    y = linear[:, 1] - x * (linear[:, 1] @ x)
    y = y / np.sqrt((y * y).sum())
    pose = np.eye(4)
    pose[:3, :3] = np.stack((x, y, np.cross(x, y)), axis=1)
    pose[:3, 3] = world[:3, 3]
    return pose[:3, :3].T @ linear, pose


def check_units(scene: bpy.types.Scene) -> None:
    """Raises InputError where a unit of the scene is no metre, because Bullet takes it for one."""
    units = scene.unit_settings
    if units.system != "NONE" and abs(units.scale_length - 1.0) > 1e-6:
        todo = (
            "Set Unit Scale to 1 (Scene properties > Units) and scale the objects to their real size instead."
        )
        what = f"A unit of this scene is {units.scale_length:g} m, and Bullet takes every unit for a metre"
        raise InputError(what, where=scene.name, todo=todo)


def resize(ob: bpy.types.Object, factor: float) -> None:
    """Scales an object about its origin. Raises InputError where its scale is animated, so that it would not last."""
    moved = ob.animation_data
    curves: list[Any] = list(moved.drivers) if moved else []
    if moved is not None and moved.action is not None:
        curves += fcurves_of(moved.action)
    if any(curve.data_path == "scale" for curve in curves):
        raise InputError(
            f"The scale of {ob.name!r} is animated", todo="Clear its scale keys or drivers first."
        )
    ob.scale = [factor * value for value in ob.scale]
