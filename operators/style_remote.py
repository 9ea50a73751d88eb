# SPDX-License-Identifier: GPL-3.0-or-later
"""Style by a remote model: control clips, a job with its price, and the result as a take. One bill, whatever happens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ..clients.descriptor import Descriptor
from ..clients.references import inputs_of
from ..clients.registry import catalogue, models
from ..clients.settings import that_count
from ..clients.takes import ROLE, price_of, request_of
from ..pipeline.errors import InputError, UsageError
from ..pipeline.jobs import JobStore
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.take import SCHEMA
from . import clips, locate, prompt_kept, remote_jobs, style_options, style_pieces
from .remote_jobs import check_allowed, own_entries
from .steps import StageGenerator, StageOptions, WorkerTask

REHEARSAL = "rehearsal"
APPLY, JOIN = "clients.takes:run", "clients.long_takes:run"


def names() -> list[str]:
    """What may be chosen as the provider of Style."""
    remote = (model for model in models("video_restyle", own_entries()) if model.network and model.controls)
    return [REHEARSAL, *(model.id for model in remote)]


def chosen(provider: str) -> Descriptor | None:
    """The remote model that ``provider`` names; None for the rehearsal. Raises UsageError for another name."""
    if provider == REHEARSAL:
        return None
    model = catalogue(own_entries()).get(provider)
    if model is None or not model.adapter or "video_restyle" not in model.modes:
        known = ", ".join(names())
        raise UsageError(f"There is no provider {provider!r} for Style", todo=f"Choose one of {known}.")
    return model


def settings_of(scene: bpy.types.Scene, model: Descriptor) -> dict[str, Any]:
    """What decides a take of a remote model, by the names that every take's settings have."""
    style, sent = scene.holdfast.style, prompt_kept.style_text(scene, model)
    told: dict[str, Any] = {"negative": sent.negative} if sent.negative else {}
    if style.overlap:
        told["overlap"] = int(style.overlap)
    if chosen_ := style_options.chosen(scene, model):
        told["options"] = chosen_
    if files := inputs_of(model, sent.references, prompt_kept.root_of_references()):
        told["references"] = [[each["role"], each["sha256"]] for each in files]
    if set_ := that_count(remote_jobs.service_of(model)):
        told["service"] = set_
    return {
        "provider": model.provider, "model": model.model, "look": model.label, "prompt": sent.prompt, "defects": [],
        "seed": int(style.seed) if model.seed.strength != "none" else 0, "grain": 0.0, "ink": 0.0, **told,
    }  # fmt: skip


def forecast(scene: bpy.types.Scene, model: Descriptor) -> style_pieces.Forecast:
    """Pieces and price of the shot as it is, before any clip is made."""
    return style_pieces.forecast(scene, model, style_options.chosen(scene, model, lenient=True))


def run(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, model: Descriptor, settings: Mapping[str, Any],
    name: str, identity: str,
) -> StageGenerator:  # fmt: skip
    """Makes the clips, sends a job for each piece of the shot (one if the model takes it whole), waits for all, brings the
    take in. What is paid for is kept whatever happens. Raises Refused, ProviderRejected, InputError."""
    store = JobStore(locate.project().root)
    check_allowed(store, model)
    pieces = style_pieces.of_shot(scene, shot, options, model)
    folders, asks = [], []
    for piece in pieces:
        own = piece if len(pieces) > 1 else None
        share = (0.2 * (piece.number - 1) / len(pieces), 0.2 * piece.number / len(pieces))
        made = yield from clips.make_for(scene, shot, options, model, kinds_of(model), own, share)
        folders.append(clips.folder_of(shot, model, own))
        asks.append(_ask(scene, model, settings, folders[-1], made, piece.words))
    jobs = yield from remote_jobs.results(
        scene, shot, asks, (0.2, 0.9), force=options.force, again="Run Style again"
    )
    apply = {
        "project": str(store.project), "truth": str(shot.truth), "take": name, "out": str(shot.takes / name),
        "settings": dict(settings), "identity": identity,
        "facts": {"look": settings["look"], "seed": settings["seed"], **_contract(scene, model)},
    }  # fmt: skip
    if len(pieces) == 1:
        yield WorkerTask(APPLY, {**apply, "job": jobs[0].id, "clips": str(folders[0])}, (0.9, 1.0))
    else:
        parts = [
            {"job": job.id, "clips": str(folder), "first": piece.window.first}
            for job, folder, piece in zip(jobs, folders, pieces, strict=True)
        ]
        yield WorkerTask(JOIN, {**apply, "pieces": parts}, (0.9, 1.0))
    return Manifest.load(shot.takes / name / "take.json", SCHEMA)


def _ask(
    scene: bpy.types.Scene, model: Descriptor, settings: Mapping[str, Any], folder: Path, made: Manifest, piece: str
) -> remote_jobs.Ask:  # fmt: skip
    """What one job is asked, of the clips ``made`` in ``folder``."""
    told = {
        **settings.get("options", {}),
        **{key: settings[key] for key in (prompt_kept.NEGATIVE,) if key in settings},
    }
    sent = prompt_kept.style_text(scene, model)
    files = inputs_of(model, sent.references, prompt_kept.root_of_references())
    request = request_of(model, folder, made, settings["prompt"], settings["seed"], told, files)
    purpose = f"take, {piece}" if piece else "take"
    return remote_jobs.Ask(model, request, price_of(model, made, request["options"]), purpose)


def _contract(scene: bpy.types.Scene, model: Descriptor) -> dict[str, Any]:
    """The version of the prompt contract that a take is of, if it is of one."""
    source = prompt_kept.style_text(scene, model).source
    return {"contract": dict(source)} if source else {}


def kinds_of(model: Descriptor) -> list[str]:
    """The control clips that the model must have or takes as they are; of several that steer the first."""
    if model.controls is None:
        todo = "Choose another model, or give its entry in the catalogue a table of controls."
        raise InputError("No clips of a shot are known to be made for it", where=model.label, todo=todo)
    taken = [kind for kind in model.controls.kinds if ROLE.get(kind, "") in model.inputs]
    must = [kind for kind in taken if model.inputs[ROLE[kind]].count[0] > 0]
    more = [kind for kind in taken if kind not in must and ROLE[kind] == "source_video"]
    return [*must, *more] or taken[:1]
