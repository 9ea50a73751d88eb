# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package of ground truth will be made from, read from the scene before anything is rendered."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json
from ..rendering import camera, colour, given, parts, throwaway
from ..rendering import shot as reading
from ..rendering.fingerprint import fingerprint
from . import locate


@dataclass(frozen=True)
class Plan:
    """All that decides the package, and its digest ``made_from`` that every finished frame carries."""

    parts: list[parts.Part]
    frames: tuple[int, ...]
    size: tuple[int, int]
    motion: Manifest | None
    settings: dict[str, Any]
    inputs: dict[str, str]
    colour: dict[str, Any]
    beauty: dict[int, Path] = field(default_factory=dict)

    @property
    def made_from(self) -> str:
        return digest_json([self.settings, self.inputs])


def plan(scene: bpy.types.Scene, shot: ShotFolder) -> Plan:
    """Reads the scene. Raises InputError with what is missing or wrong; changes nothing."""
    frames = locate.frame_range(scene)
    if frames[0] < 1:
        todo = "Let the shot start at frame 1 or later."
        raise InputError("The shot starts before frame 1", where=scene.name, todo=todo)
    if scene.camera is None:
        todo = "Add one and make it the scene's camera."
        raise InputError("The shot has no camera", where=scene.name, todo=todo)
    if not hasattr(scene, "cycles"):
        raise InputError("Cycles is switched off", todo="Enable Cycles Render Engine in the preferences.")
    throwaway.rendered_layer(scene).update()  # a scene just built or linked has no object list yet
    found = parts.read_parts(scene)
    reading.refuse_live_physics(scene)
    colour.refuse(scene)
    chosen, size = scene.holdfast.truth, camera.picture_size(scene)
    folder = Path(bpy.path.abspath(chosen.beauty_from)) if chosen.beauty_from else None
    beauty = given.pictures(folder, frames, size) if folder else {}
    settings = {
        "samples": chosen.samples,
        "engine_from_scene": chosen.engine_from_scene,
        "picture_depth": chosen.picture_depth,
        "extras": sorted(chosen.extras),
        "parts": [{**part.record(), "bounds": None} for part in found],  # those of this frame: no setting
        "holdouts": throwaway.holdouts(scene),
        "see_through": sorted(thing.name for thing in scene.objects if thing.holdfast.see_through),
        "frames": [frames[0], frames[-1]],
    }
    motion = Manifest.find(shot.motion / "motion.json", "holdfast/motion")
    inputs = {"scene": fingerprint(scene), "motion": motion.data["motion_hash"] if motion else ""}
    if beauty:
        inputs["pictures"] = digest_json([[path.name, path.stat().st_size] for path in beauty.values()])
    return Plan(found, frames, size, motion, settings, inputs, colour.record(scene), beauty)
