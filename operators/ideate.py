# SPDX-License-Identifier: GPL-3.0-or-later
"""Ideate: sketches read and cleaned, the product rendered in several looks, one of them locked."""

import shutil
import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..clients.idea_board import read_board
from ..clients.ideas import locked_data
from ..pipeline.errors import InputError, UsageError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder, check_name
from ..pipeline.store import hash_file, storage
from ..properties_ideate import OFFLINE
from ..rendering.finishes import Variant, variants
from ..rendering.lookdev import PreviewPart, studio
from ..rendering.obj_mesh import read_obj
from . import ideate_models, ideate_remote
from .importing import mesh_from_obj
from .steps import Progress, RenderJob, Stage, StageGenerator, StageOptions, StageState, WorkerTask

SCHEMA = "holdfast/concepts"
MANIFEST = "concepts.json"
SHEET = "contact_sheet.png"
LOCKS = ("locked", "idea")
"""Settings that say which picture the assets follow."""


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What decides the concepts. Raises UsageError for sketch names that no folder can have."""
    ideate = scene.holdfast.ideate
    sketches = [
        {
            "name": check_name(sketch.name or Path(sketch.path).stem, "sketch"),
            "kind": sketch.kind,
            "height_mm": round(sketch.height_mm, 3),
        }
        for sketch in scene.holdfast.sketches
    ]
    idea = {"idea": ideate.idea} if ideate.idea else {}
    return {
        "variants": ideate.variants,
        "seed": ideate.seed,
        "locked": ideate.locked,
        "sketches": sketches,
        **idea,
    }


def _paths(scene: bpy.types.Scene) -> list[Path]:
    return [Path(bpy.path.abspath(sketch.path)) for sketch in scene.holdfast.sketches]


def inputs_of(scene: bpy.types.Scene) -> dict[str, str]:
    """The sketches' pictures by digest. Raises InputError for one that is missing."""
    found: dict[str, str] = {}
    for sketch, path in zip(scene.holdfast.sketches, _paths(scene), strict=True):
        if not sketch.path or not path.is_file():
            todo = "Choose the picture again in the list of sketches."
            raise InputError(
                f"The sketch {sketch.name or path.name!r} is missing", where=str(path), todo=todo
            )
        found[f"sketch {sketch.name or path.stem}"] = hash_file(path)
    return found


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the manifest was made from these sketches and settings; with a remote model, when an idea is locked."""
    manifest = Manifest.find(shot.concepts / MANIFEST, SCHEMA)
    ideate = scene.holdfast.ideate
    if ideate.provider != OFFLINE:
        found = ideate_remote.state_of(read_board(shot.concepts), ideate.idea)
        kept = manifest is not None and manifest.settings.get("idea") == ideate.idea
        return found if found.status != "fresh" or kept else StageState("stale", "another idea was locked")
    if manifest is None:
        return StageState("missing", "" if scene.holdfast.sketches else "add a sketch first")
    reason = stale_reason(manifest, settings_of(scene), inputs_of(scene))
    locked = manifest.settings.get("idea") or manifest.data["locked"]
    return StageState("stale", reason) if reason else StageState("fresh", f"{locked} is locked")


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Reads the sketches, renders the variants, locks one; or asks the remote model. Raises InputError or UsageError."""
    model = ideate_models.chosen(scene.holdfast.ideate.provider)
    if model is not None:
        yield from ideate_remote.run(scene, shot, options, model)
        return keep_idea(shot, scene.holdfast.ideate.idea)
    return (yield from _run_offline(scene, shot, options))


def _run_offline(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    if not scene.holdfast.sketches:
        raise InputError(
            "There is no sketch", where=shot.name, todo="Add a photo of a drawing to the sketches."
        )
    settings, inputs = settings_of(scene), inputs_of(scene)
    known = {variant.id: variant for variant in variants(settings["variants"], settings["seed"])}
    if settings["locked"] and settings["locked"] not in known:
        todo = f"Lock one of {', '.join(known)}, or clear the field for the first one."
        raise UsageError(f"There is no variant {settings['locked']!r}", todo=todo)
    locked = settings["locked"] or next(iter(known))
    path = shot.concepts / MANIFEST
    old = None if options.force else Manifest.find(path, SCHEMA)
    if stale_reason(old, settings, inputs) is None and _present(shot.concepts, old):
        return old
    if old is not None and _only_lock_changed(old, settings, inputs) and _present(shot.concepts, old):
        return (yield from _relock(shot, old, settings, locked))
    started = time.monotonic()
    sketches = [
        {**entry, "path": str(p)} for entry, p in zip(settings["sketches"], _paths(scene), strict=True)
    ]
    read = yield WorkerTask(
        "clients.offline.ideate:run", {"sketches": sketches, "out": str(shot.concepts)}, (0.0, 0.25)
    )
    assets = read["assets"]
    previews = yield WorkerTask(
        "clients.offline.previews:run", _preview_request(shot, assets, known), (0.25, 0.4)
    )
    yield from _render(shot, previews["variants"], list(known.values()))
    data = _data(
        assets, list(known.values()), locked, {sketch["name"]: sketch["path"] for sketch in sketches}
    )
    data |= _locked_part(shot, str(settings.get("idea", "")), locked)
    yield WorkerTask("clients.offline.previews:sheet", _sheet_request(shot, data), (0.96, 1.0))
    manifest = Manifest(SCHEMA, settings, inputs, data)
    manifest = manifest.with_files(shot.concepts, _files(shot.concepts, data))
    manifest = replace(manifest, made={**manifest.made, "seconds": round(time.monotonic() - started, 2)})
    manifest.save(path)
    return manifest


def keep_idea(shot: ShotFolder, name: str) -> Manifest:
    """Locks an idea of the board ("": none) in the concepts, beside what the sketches gave, and keeps the branch tree.

    Raises InputError for an idea that is not there."""
    old = Manifest.find(shot.concepts / MANIFEST, SCHEMA)
    data: dict[str, Any] = dict(old.data) if old is not None else {"assets": [], "locked": "", "sheet": ""}
    for key in ("idea", "locked_picture"):
        data.pop(key, None)
    data |= {"ideas": read_board(shot.concepts).tree(), **_locked_part(shot, name, str(data["locked"]))}
    settings = {key: value for key, value in (old.settings if old else {}).items() if key != "idea"}
    manifest = Manifest(
        SCHEMA,
        {**settings, **({"idea": name} if name else {})},
        old.inputs if old else {},
        data,
        old.files if old else {},
    )
    if name:
        manifest = manifest.with_files(shot.concepts, [shot.concepts / data["locked_picture"]])
    manifest.save(shot.concepts / MANIFEST)
    return manifest


def _locked_part(shot: ShotFolder, idea: str, look: str) -> dict[str, Any]:
    """What the concepts say of the picture that is locked: an idea of the board, else a look."""
    if idea:
        return dict(locked_data(shot.concepts, idea))
    return {"locked_picture": f"variants/{look}.png"} if look else {}


def mates(assets: list[dict[str, Any]], clearance_mm: float) -> list[dict[str, Any]]:
    """The drawn peg and the drawn socket that are made to fit each other, if there is one of each."""
    found = {
        kind: [asset["name"] for asset in assets if any(f["kind"] == kind for f in asset["features"])]
        for kind in ("peg", "socket")
    }
    if len(found["peg"]) != 1 or len(found["socket"]) != 1 or found["peg"] == found["socket"]:
        return []
    return [{"peg": found["peg"][0], "socket": found["socket"][0], "clearance_mm": clearance_mm}]


def _preview_request(
    shot: ShotFolder, assets: list[dict[str, Any]], known: Mapping[str, Variant]
) -> dict[str, Any]:
    looks = [
        {"id": v.id, "palettes": {asset["name"]: v.palette(number) for number, asset in enumerate(assets)}}
        for v in known.values()
    ]
    outlines = [str(shot.concepts / asset["outline"]) for asset in assets]
    return {
        "outlines": outlines,
        "out": str(shot.concepts / "preview"),
        "mate": mates(assets, 0.25),
        "variants": looks,
    }


def _render(
    shot: ShotFolder, made: Mapping[str, Any], looks: list[Variant]
) -> Generator[Progress | RenderJob, Any, None]:
    """Renders one frame a variant and gives the pictures their names."""
    yield Progress(0.4, "Building the studio")
    folder = shot.concepts / "preview"
    parts: list[PreviewPart] = []
    try:
        for number, asset in enumerate(made[looks[0].id]):
            for index, part in enumerate(asset["parts"]):
                mesh = mesh_from_obj(read_obj(folder / looks[0].id / part["mesh"]), part["name"])
                textures = {
                    v.id: folder / v.id / made[v.id][number]["parts"][index]["texture"] for v in looks
                }
                parts.append(PreviewPart(part["name"], mesh, number, tuple(part["features"]), textures))
        raw = folder / "render"
        with studio(parts, looks, raw) as scene:
            yield RenderJob(scene, tuple(range(1, len(looks) + 1)), (0.42, 0.96))
    finally:
        for part in parts:
            bpy.data.meshes.remove(part.mesh)
    for number, look in enumerate(looks, 1):
        target = shot.concepts / "variants" / f"{look.id}.png"
        with storage(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            (raw / f"{number:04d}.png").replace(target)
    shutil.rmtree(folder, ignore_errors=True)


def _data(
    assets: list[dict[str, Any]], looks: list[Variant], locked: str, pictures: Mapping[str, str]
) -> dict[str, Any]:
    shown = [
        {"id": v.id, "picture": f"variants/{v.id}.png", "label": v.label, "look": v.to_json()} for v in looks
    ]
    listed = [
        {**asset, "sketch": Path(pictures[asset["name"]]).name, "variants": shown, "locked": locked}
        for asset in assets
    ]
    return {"assets": listed, "locked": locked, "sheet": SHEET}


def _files(folder: Path, data: Mapping[str, Any]) -> list[Path]:
    files = {folder / SHEET}
    for asset in data["assets"]:
        files |= {folder / asset[key] for key in ("cleaned", "found", "outline")}
        files |= {folder / variant["picture"] for variant in asset["variants"]}
        files |= set((folder / asset["name"]).glob("decor.png"))
    return sorted(files)


def _sheet_request(shot: ShotFolder, data: Mapping[str, Any]) -> dict[str, Any]:
    folder, first = shot.concepts, data["assets"][0]
    sketches = [
        {"picture": str(folder / asset[key]), "label": f"{asset['name']}: {words}"}
        for asset in data["assets"]
        for key, words in (("cleaned", "sketch"), ("found", "what was found"))
    ]
    looks = [
        {
            "picture": str(folder / variant["picture"]),
            "label": f"{variant['id']}  {variant['label']}",
            "locked": variant["id"] == data["locked"],
        }
        for variant in first["variants"]
    ]
    rows = [sketches[i : i + 4] for i in range(0, len(sketches), 4)] + [
        looks[i : i + 4] for i in range(0, len(looks), 4)
    ]
    return {"out": str(folder / SHEET), "title": f"{shot.name}: concepts", "rows": rows}


def _present(folder: Path, manifest: Manifest | None) -> bool:
    return manifest is not None and all((folder / name).exists() for name in manifest.files)


def _only_lock_changed(old: Manifest, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
    rest = {key: value for key, value in settings.items() if key not in LOCKS}
    return (
        stale_reason(
            old, {**rest, **{key: old.settings[key] for key in LOCKS if key in old.settings}}, inputs
        )
        is None
    )


def _relock(
    shot: ShotFolder, old: Manifest, settings: dict[str, Any], locked: str
) -> Generator[WorkerTask, Any, Manifest]:
    """Another variant locked: nothing is rendered again, only the sheet is drawn."""
    kept = {key: value for key, value in old.data.items() if key not in ("idea", "locked_picture")}
    data = {
        **kept,
        **_locked_part(shot, str(settings.get("idea", "")), locked),
        "locked": locked,
        "assets": [{**asset, "locked": locked} for asset in old.data["assets"]],
    }
    yield WorkerTask("clients.offline.previews:sheet", _sheet_request(shot, data))
    manifest = replace(old, settings=settings, data=data, made=Manifest("", {}, {}, {}).made)
    manifest = manifest.with_files(shot.concepts, [shot.concepts / SHEET])
    manifest.save(shot.concepts / MANIFEST)
    return manifest


STAGE = Stage("ideate", "Ideate", run, state, verb="Draw Variants")
