# SPDX-License-Identifier: GPL-3.0-or-later
"""One mesh of the pool into the scene, and the record of it: what was chosen, how it came in, what it is."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import bpy
import numpy as np

from ..assets.bring import FILE, PORTRAIT, SCHEMA
from ..assets.portrait import portrait
from ..physics import meshes as kept_meshes
from ..physics.mass import open_edges, welded
from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import write_picture
from ..pipeline.project import ShotFolder
from ..pipeline.store import hash_file
from .asset_identity import Identity
from .asset_import import Brought, Wish, bring_in
from .asset_pose import joined
from .asset_remote import pool_of

ASSETS, MANIFEST = "holdfast/assets", "assets.json"


def item(shot: ShotFolder, name: str) -> Manifest:
    """A mesh of the pool. Raises InputError if there is none of that name."""
    found = Manifest.find(pool_of(shot) / name / FILE, SCHEMA)
    if found is None:
        raise InputError(f"There is no mesh {name!r} in the pool", where=shot.name, todo="Bring it in again.")
    return found


def bring(scene: bpy.types.Scene, shot: ShotFolder, name: str, wish: Wish) -> Brought:
    """Imports a mesh of the pool. Raises InputError if it is not what was checked any more."""
    found = item(shot, name)
    folder = pool_of(shot) / name
    for path, digest in found.files.items():
        if not (folder / path).is_file() or hash_file(folder / path) != digest:
            raise InputError(
                f"{path} was changed after it was checked",
                where=str(folder),
                todo="Delete its folder and bring it in again.",
            )
    identity = replace(Identity.from_json(found.data["identity"]), file=str(found.data["sha256"]))
    brought = bring_in(scene, folder / str(found.data["mesh"]), str(found.data["kind"]), wish, identity)
    for thing in brought.objects:
        thing["holdfast_source"] = found.digest
    if not (folder / PORTRAIT).exists():
        write_picture(folder / PORTRAIT, _portrait(brought))
    return brought


def _portrait(brought: Brought) -> Any:
    """Of what only Blender could read."""
    meshes = [kept_meshes.of(thing) for thing in brought.objects]
    places = [np.array(thing.location) for thing in brought.objects]
    arrays = [
        (kept_meshes.vertices(mesh) + place, kept_meshes.triangles(mesh))
        for mesh, place in zip(meshes, places, strict=True)
    ]
    return portrait(*joined(arrays))


def choose(
    scene: bpy.types.Scene, shot: ShotFolder, name: str, wish: Wish, settings: Mapping[str, Any], inputs: Mapping[str, str],
    extra: Mapping[str, Any],
) -> Manifest:  # fmt: skip
    """Brings a mesh in as the asset of the stage, and writes that down. Raises InputError, StorageError."""
    found = item(shot, name)
    brought = bring(scene, shot, name, wish)
    parts = [
        {
            "name": thing.name,
            "mesh": f"pool/{name}/{found.data['mesh']}",
            "method": "",
            "quality": quality(thing),
        }
        for thing in brought.objects
    ]
    data = {
        **extra, "assets": [{"name": wish.name, "parts": parts}], "chosen": name, "source": found.digest,
        "notes": [*found.data["facts"]["notes"], *brought.notes], "wish": asdict(wish),
    }  # fmt: skip
    manifest = Manifest(ASSETS, dict(settings), dict(inputs), data)
    manifest.save(shot.assets / MANIFEST)
    return manifest


def quality(thing: bpy.types.Object) -> dict[str, Any]:
    """What can be said of a mesh at a glance: closed or not, size, faces."""
    mesh = kept_meshes.of(thing)
    points, triangles = welded(kept_meshes.vertices(mesh), kept_meshes.triangles(mesh))
    holes = open_edges(triangles) if len(triangles) else -1
    size = np.ptp(points, axis=0) if len(points) else np.zeros(3)
    return {
        "watertight": holes == 0, "open_edges": holes, "faces": len(mesh.polygons), "triangles": len(triangles),
        "size_mm": [round(float(edge) * 1000, 4) for edge in size],
    }  # fmt: skip
