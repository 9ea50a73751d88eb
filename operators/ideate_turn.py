# SPDX-License-Identifier: GPL-3.0-or-later
"""The turnaround of a product: its meshes in the locked look from four sides, level with the camera."""

import math
import shutil
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import bpy
from mathutils import Matrix, Vector

from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..rendering import lookdev
from ..rendering.finishes import Variant
from ..rendering.lookdev import PreviewPart, studio
from ..rendering.obj_mesh import read_obj
from . import assets
from .importing import mesh_from_obj
from .steps import RenderJob

SIDES = ("front", "right", "back", "left")
LEVEL = Vector((0.0, -1.0, 0.16)).normalized()


def look_of(made: Manifest | None) -> Variant | None:
    """The look that the assets of a shot were made in; None where they have none of ours."""
    if made is None or "look" not in made.data:
        return None
    try:
        return Variant.from_json(made.data["look"])
    except (TypeError, KeyError):
        return None


def turnaround(
    shot: ShotFolder, made: Manifest, share: tuple[float, float]
) -> Generator[RenderJob, Any, list[dict[str, str]]]:
    """Renders the parts of the assets from four sides into ``concepts/turn``; returns [{view, picture}].

    Everything that it makes in the file is removed again. Raises InputError for a mesh that can't be read.
    """
    look = look_of(made)
    assert look is not None
    looks = [replace(look, id=side) for side in SIDES]
    folder, parts = shot.concepts / "turn", list[PreviewPart]()
    shutil.rmtree(folder, ignore_errors=True)
    numbers = {asset["name"]: number for number, asset in enumerate(made.data["assets"])}
    try:
        for part in assets.made_parts(shot, made):
            mesh = mesh_from_obj(read_obj(part.mesh), part.name)
            textures = dict.fromkeys(SIDES, part.texture) if part.texture is not None else {}
            parts.append(PreviewPart(part.name, mesh, numbers[part.asset], tuple(part.features), textures))
        with studio(parts, looks, folder) as scene:
            _turn(scene, parts)
            yield RenderJob(scene, tuple(range(1, len(SIDES) + 1)), share)
    finally:
        for each in parts:
            bpy.data.meshes.remove(each.mesh)
    return [
        {"view": side, "picture": str(folder / f"{number:04d}.png")} for number, side in enumerate(SIDES, 1)
    ]


def _turn(scene: bpy.types.Scene, parts: list[PreviewPart]) -> None:
    """Turns the product before a camera that looks at it level; the light stays."""
    places = lookdev.arrange(parts)
    centre, radius = lookdev.bounds(parts, places)
    distance = 1.12 * radius / math.sin(math.atan(lookdev.SENSOR_MM / 2 / lookdev.LENS_MM))
    assert scene.camera is not None
    lookdev.aim(scene.camera, centre + LEVEL * distance, centre)
    about = Matrix.Translation((centre.x, centre.y, 0))
    for number, side in enumerate(SIDES):
        turned = about @ Matrix.Rotation(-number * math.pi / 2, 4, "Z") @ about.inverted()
        for part in parts:
            for shown in scene.objects:
                if shown.data == part.mesh and shown.name.startswith(f"{side} "):
                    shown.matrix_world = turned @ places[part.asset]
