# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets: the locked concept as watertight, textured parts in the scene, at real size, with their quality told."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..pipeline.errors import InputError, UsageError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..rendering.finishes import Variant, slot_of
from . import ideate
from .importing import MadePart, find_part, import_parts
from .steps import Progress, Stage, StageGenerator, StageOptions, StageState, WorkerTask

SCHEMA = "holdfast/assets"
MANIFEST = "assets.json"


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What decides the meshes: the stage's settings and the clearance of the joint that they must fit."""
    assets = scene.holdfast.assets
    joints = scene.holdfast.physics.joints
    clearance = round(joints[0].clearance_mm, 4) if joints else 0.25
    return {
        "provider": assets.provider,
        "detail": assets.detail,
        "texture_px": assets.texture_px,
        "clearance_mm": clearance,
    }


def _concepts(shot: ShotFolder) -> Manifest:
    manifest = Manifest.find(shot.concepts / ideate.MANIFEST, ideate.SCHEMA)
    if manifest is None:
        raise InputError("There are no concepts to build", where=shot.name, todo="Run Ideate first.")
    return manifest


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when made from the locked concept and every part is in the scene."""
    manifest = Manifest.find(shot.assets / MANIFEST, SCHEMA)
    if manifest is None:
        return StageState("missing", "")
    concepts = Manifest.find(shot.concepts / ideate.MANIFEST, ideate.SCHEMA)
    if concepts is None:
        return StageState("stale", "the concepts are gone")
    reason = stale_reason(manifest, settings_of(scene), {"concepts": concepts.digest})
    if reason:
        return StageState("stale", reason)
    gone = _gone(scene, manifest)
    if gone:
        return StageState("stale", f"{', '.join(gone)} not in the scene")
    return StageState("fresh", f"{len(_parts(manifest))} parts")


def _parts(manifest: Manifest) -> list[dict[str, Any]]:
    return [part for asset in manifest.data["assets"] for part in asset["parts"]]


def _gone(scene: bpy.types.Scene, manifest: Manifest) -> list[str]:
    """Parts of the manifest that the scene does not hold, or holds from another making."""
    source = manifest.digest
    names = [part["name"] for part in _parts(manifest)]
    found = {name: find_part(scene, name) for name in names}
    return [name for name, thing in found.items() if thing is None or thing.get("holdfast_source") != source]


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Makes the meshes in the worker and brings them into the scene. Raises InputError or UsageError."""
    settings = settings_of(scene)
    if settings["provider"] != "offline":
        todo = "Choose 'offline' as the provider."
        raise UsageError(f"There is no provider {settings['provider']!r} for meshes", todo=todo)
    concepts = _concepts(shot)
    concept_state = ideate.STAGE.state(scene, shot)
    if concept_state.status != "fresh":
        todo = "Run Ideate again first."
        raise InputError(f"The concepts are out of date: {concept_state.reason}", where=shot.name, todo=todo)
    inputs = {"concepts": concepts.digest}
    manifest = None if options.force else Manifest.find(shot.assets / MANIFEST, SCHEMA)
    fresh = stale_reason(manifest, settings, inputs) is None and _present(shot.assets, manifest)
    if fresh and not _gone(scene, manifest):
        return manifest
    if not fresh:
        manifest = yield from _make(shot, concepts, settings, inputs)
    yield Progress(0.9, "Bringing the parts into the scene")
    import_parts(scene, made_parts(shot, manifest), manifest.digest, renew=not fresh)
    yield Progress(1.0, quality_line(manifest))
    return manifest


def _make(shot: ShotFolder, concepts: Manifest, settings: dict[str, Any], inputs: dict[str, str]) -> Any:
    started = time.monotonic()
    assets = list(concepts.data["assets"])
    look = _look(concepts)
    request = {
        "outlines": [str(shot.concepts / asset["outline"]) for asset in assets],
        "out": str(shot.assets),
        "detail": settings["detail"],
        "texture_px": settings["texture_px"],
        "palette": {asset["name"]: look.palette(number) for number, asset in enumerate(assets)},
        "mate": ideate.mates(assets, settings["clearance_mm"]),
    }
    made = yield WorkerTask("clients.offline.meshes:run", request, (0.0, 0.9))
    data = {
        "assets": made["assets"],
        "notes": made["notes"],
        "variant": concepts.data["locked"],
        "look": look.to_json(),
    }
    paths = [shot.assets / part[key] for asset in made["assets"] for part in asset["parts"] for key in _FILES]
    manifest = Manifest(SCHEMA, settings, inputs, data).with_files(shot.assets, paths)
    manifest = replace(manifest, made={**manifest.made, "seconds": round(time.monotonic() - started, 2)})
    manifest.save(shot.assets / MANIFEST)
    return manifest


_FILES = ("mesh", "texture", "material")


def _look(concepts: Manifest) -> Variant:
    locked = concepts.data["locked"]
    for record in concepts.data["assets"][0]["variants"]:
        if record["id"] == locked:
            return Variant.from_json(record["look"])
    raise InputError(f"The locked variant {locked!r} is not among the concepts", todo="Run Ideate again.")


def made_parts(shot: ShotFolder, manifest: Manifest) -> list[MadePart]:
    """The parts of a manifest, ready for the scene."""
    look = Variant.from_json(manifest.data["look"])
    found: list[MadePart] = []
    for number, asset in enumerate(manifest.data["assets"]):
        for part in asset["parts"]:
            features = tuple(part["features"])
            peg = any(feature["kind"] == "peg" for feature in features)
            finish = look.finishes[slot_of(number, peg)]
            mesh, texture = shot.assets / part["mesh"], shot.assets / part["texture"]
            found.append(MadePart(part["name"], asset["name"], mesh, texture, features, finish))
    return found


def quality_line(manifest: Manifest) -> str:
    """One sentence on the quality of the parts, for the panel and the command line."""
    parts = _parts(manifest)
    leaky = [part["name"] for part in parts if not part["quality"].get("watertight")]
    if leaky:
        return f"Not watertight: {', '.join(leaky)}"
    sizes = ", ".join(f"{part['name']} {part['quality']['size_mm'][2]:.1f} mm" for part in parts)
    return f"{len(parts)} watertight parts: {sizes}"


def _present(folder: Path, manifest: Manifest | None) -> bool:
    return manifest is not None and all((folder / name).exists() for name in manifest.files)


STAGE = Stage("assets", "Assets", run, state, verb="Build Parts", edits_scene=True)
