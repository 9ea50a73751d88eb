# SPDX-License-Identifier: GPL-3.0-or-later
"""Assets: the locked concept as parts in the scene, at real size, with their quality told: built here from the drawings,
or made by remote models, of whose meshes one is chosen."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.store import hash_file
from ..properties_assets import OFFLINE
from ..rendering.finishes import Variant, slot_of
from . import asset_choice, asset_form, asset_identity, asset_remote, ideate
from .asset_choice import ASSETS as SCHEMA
from .asset_choice import MANIFEST
from .importing import MadePart, find_part, import_parts
from .steps import Progress, Stage, StageGenerator, StageOptions, StageState, WorkerTask


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What decides the meshes: the stage's settings and, for those built here, the clearance of the joint that they must
    fit. Raises UsageError for a provider that there is not."""
    assets = scene.holdfast.assets
    if assets.provider not in ("", OFFLINE):
        return asset_form.settings_of(scene)
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
    """Fresh when made from the locked concept, or the form's pictures, and every part is in the scene."""
    if scene.holdfast.assets.provider not in ("", OFFLINE):
        return _remote_state(scene, shot)
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


def _remote_state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    manifest = Manifest.find(shot.assets / MANIFEST, SCHEMA)
    if manifest is None or "asked" not in manifest.data:
        return StageState("missing", "")
    pictures = asset_form.pictures_of(scene, asset_form.concepts_of(shot), shot.concepts)
    reason = stale_reason(manifest, settings_of(scene), _inputs_of(pictures))
    if reason:
        return StageState("stale", reason)
    if not manifest.data["chosen"]:
        return StageState("partial", f"choose one of {len(manifest.data['asked'])} meshes")
    gone = _gone(scene, manifest)
    if gone:
        return StageState("stale", f"{', '.join(gone)} not in the scene")
    return StageState("fresh", f"{len(_parts(manifest))} parts")


def _inputs_of(pictures: Sequence[tuple[str, Path]]) -> dict[str, str]:
    """The form's pictures by digest; one that is missing has none."""
    return {
        f"picture {number} {view}": hash_file(path) if path.is_file() else ""
        for number, (view, path) in enumerate(pictures, 1)
    }


def _parts(manifest: Manifest) -> list[dict[str, Any]]:
    return [part for asset in manifest.data["assets"] for part in asset["parts"]]


def _gone(scene: bpy.types.Scene, manifest: Manifest) -> list[str]:
    """Parts of the manifest that the scene does not hold, or holds from another making."""
    source = manifest.data.get("source", manifest.digest)
    names = [part["name"] for part in _parts(manifest)]
    found = {name: find_part(scene, name) or scene.objects.get(name) for name in names}
    return [name for name, thing in found.items() if thing is None or thing.get("holdfast_source") != source]


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Makes the meshes in the worker, or has them made, and brings them into the scene. Raises InputError, UsageError,
    Refused, ProviderRejected."""
    settings = settings_of(scene)
    if scene.holdfast.assets.provider not in ("", OFFLINE):
        return (yield from _run_remote(scene, shot, options, settings))
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
    objects = import_parts(scene, made_parts(shot, manifest), manifest.digest, renew=not fresh)
    for thing in objects:
        asset_identity.put(_identity(manifest, thing), thing)
    yield Progress(1.0, quality_line(manifest))
    return manifest


def _run_remote(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, settings: dict[str, Any]
) -> StageGenerator:
    """Asks all models of the form and waits; the first one's mesh comes in, the others stay in the pool to compare."""
    pictures = asset_form.pictures_of(scene, asset_form.concepts_of(shot), shot.concepts)
    inputs = _inputs_of(pictures)
    manifest = None if options.force else Manifest.find(shot.assets / MANIFEST, SCHEMA)
    if manifest is not None and _remote_state(scene, shot).status == "fresh":
        return manifest
    asks = asset_form.asks_of(scene, pictures)
    came, problems = yield from asset_remote.made(scene, shot, asks, (0.0, 0.9), options.force)
    yield Progress(0.9, "Bringing the mesh into the scene")
    before = manifest.data.get("chosen") if manifest is not None else ""
    extra = {"asked": came, "problems": problems}
    name = str(before) if before in came else came[0]
    manifest = asset_choice.choose(scene, shot, name, asset_form.wish_of(scene), settings, inputs, extra)
    yield Progress(1.0, quality_line(manifest))
    return manifest


def choose(scene: bpy.types.Scene, shot: ShotFolder, name: str) -> Manifest:
    """Another mesh of the pool instead of the one that is there. Raises InputError, UsageError."""
    pictures = asset_form.pictures_of(scene, asset_form.concepts_of(shot), shot.concepts)
    before = Manifest.find(shot.assets / MANIFEST, SCHEMA)
    asked = [*before.data.get("asked", ())] if before is not None else []
    extra = {"asked": list(dict.fromkeys([*asked, name])), "problems": []}
    settings = settings_of(scene)
    return asset_choice.choose(
        scene, shot, name, asset_form.wish_of(scene), settings, _inputs_of(pictures), extra
    )


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


def _identity(manifest: Manifest, thing: bpy.types.Object) -> asset_identity.Identity:
    """Of a part that was built here: from whose drawing, by what."""
    name = str(thing.get("holdfast_part", ""))
    mesh = next((part["mesh"] for part in _parts(manifest) if part["name"] == name), "")
    return asset_identity.Identity(
        OFFLINE, "sketch-to-mesh", "", dict(manifest.inputs), "yours: built on this computer from your drawing",
        str(manifest.files.get(mesh, "")),
    )  # fmt: skip


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
