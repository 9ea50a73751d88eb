# SPDX-License-Identifier: GPL-3.0-or-later
"""Style: the ground truth restyled into a take. A changed setting makes a new take; a known one is found again."""

import json
from pathlib import Path
from typing import Any

import bpy

from ..clients.offline.rehearsal import identity_of, take_settings
from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder, check_name
from ..pipeline.store import read_json
from ..pipeline.take import SCHEMA
from ..pipeline.truth import MANIFEST
from ..pipeline.truth import SCHEMA as TRUTH
from ..pipeline.truth import made as made_truth
from . import prompt_kept, style_remote
from . import truth as truth_stage
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

WORKER = "clients.offline.rehearsal:run"


def settings_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """What decides the look of a take. Raises UsageError for a script of planted defects that is not JSON."""
    style = scene.holdfast.style
    if (remote := style_remote.chosen(style.provider)) is not None:
        return style_remote.settings_of(scene, remote)
    try:
        defects = json.loads(style.defects) if style.defects.strip() else []
    except json.JSONDecodeError as error:
        todo = 'Write them as [{"kind": "vanish", "part": "peg", "frames": [7, 14]}], or clear the field.'
        raise UsageError(f"The planted defects are not JSON: {error.msg}", todo=todo) from error
    if not isinstance(defects, list):
        raise UsageError(
            "The planted defects must be a list", todo="Write [...] around them, or clear the field."
        )
    names = ("provider", "look", "seed", "grain", "ink")
    chosen = {name: getattr(style, name) for name in names}
    return take_settings({**chosen, "prompt": prompt_kept.style_text(scene).prompt, "defects": defects})


def find_take(shot: ShotFolder, identity: str) -> str | None:
    """The take, finished or begun, that was made from the same request."""
    for marker in sorted(shot.takes.glob("t[0-9]*/request.json")):
        try:
            if read_json(marker).get("identity") == identity:
                return marker.parent.name
        except HoldfastError:
            continue  # damaged: that take is made again under another name
    return None


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when a take of exactly these settings and this ground truth is complete."""
    made = shot.take_names()
    truth = Manifest.find(shot.truth / MANIFEST, TRUTH)
    if truth is None:
        return StageState("stale", "the ground truth is gone") if made else StageState("missing", "")
    settings = settings_of(scene)
    name = find_take(shot, identity_of(settings, truth.digest))
    manifest = Manifest.find(shot.takes / name / "take.json", SCHEMA) if name else None
    if manifest is None:
        return (
            StageState("stale", _reason(shot, made, settings, truth)) if made else StageState("missing", "")
        )
    wanted, held = truth.data["frames"], manifest.data["frames"]
    if list(held) != list(wanted):
        return StageState("partial", f"{len(held)} of {len(wanted)} frames in {name}")
    return StageState("fresh", f"take {name}")


def _reason(shot: ShotFolder, made: list[str], settings: dict[str, Any], truth: Manifest) -> str:
    last = Manifest.load(shot.takes / made[-1] / "take.json", SCHEMA)
    if last.inputs.get("truth") != truth.digest:
        return "the ground truth changed"
    changed = [key for key, value in settings.items() if last.settings.get(key) != value]
    return f"setting {changed[0]!r} changed" if changed else "settings changed"


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Makes the take in the worker. Raises InputError if the ground truth is missing or out of date."""
    truth = made_truth(shot.truth, "to restyle")
    status, reason = truth_stage.STAGE.state(scene, shot)
    if status not in ("fresh", "partial"):
        todo = "Run Ground truth again before Style."
        raise InputError(f"The ground truth is out of date: {reason or status}", where=shot.name, todo=todo)
    settings = settings_of(scene)
    known = find_take(shot, identity_of(settings, truth.digest))
    name = check_name(options.take, "take") if options.take else known or shot.next_take()
    folder = shot.takes / name
    if known == name and not options.force and _complete(folder, truth, options):
        return Manifest.load(folder / "take.json", SCHEMA)
    if (remote := style_remote.chosen(scene.holdfast.style.provider)) is not None:
        identity = identity_of(settings, truth.digest)
        return (yield from style_remote.run(scene, shot, options, remote, settings, name, identity))
    request = {
        **settings,
        "truth": str(shot.truth),
        "out": str(folder),
        "take": name,
        "frames": list(options.frames) if options.frames else None,
        "force": options.force,
        "contract": dict(prompt_kept.style_text(scene).source),
    }
    yield WorkerTask(WORKER, request)
    return Manifest.load(folder / "take.json", SCHEMA)


def _complete(folder: Path, truth: Manifest, options: StageOptions) -> bool:
    try:
        manifest = Manifest.find(folder / "take.json", SCHEMA)
    except HoldfastError:
        return False
    wanted = set(options.frames or truth.data["frames"])
    if manifest is None or not wanted <= set(manifest.data["frames"]):
        return False
    return all((folder / path).exists() for path in manifest.files)


STAGE = Stage("style", "Style", run, state, verb="Restyle")
