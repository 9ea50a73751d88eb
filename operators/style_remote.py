# SPDX-License-Identifier: GPL-3.0-or-later
"""Style by a remote model: control clips, a job with its price, and the result as a take. One bill, whatever happens."""

from collections.abc import Mapping
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
from . import clips, locate, prompt_kept, remote_jobs, style_options
from .remote_jobs import check_allowed, own_entries
from .steps import StageGenerator, StageOptions, WorkerTask

REHEARSAL = "rehearsal"
APPLY = "clients.takes:run"


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


def expected_price(scene: bpy.types.Scene, model: Descriptor) -> int:
    """Micros for the shot as it is, before any clip is made."""
    frames = len(locate.frame_range(scene))
    seconds = frames * scene.render.fps_base / scene.render.fps
    told = style_options.chosen(scene, model, lenient=True)
    return model.price.estimate_micros(seconds, frames=frames, options=told)


def run(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, model: Descriptor, settings: Mapping[str, Any],
    name: str, identity: str,
) -> StageGenerator:  # fmt: skip
    """Makes the clips, sends the job, waits for it, brings the take in. Raises Refused, ProviderRejected, InputError."""
    store = JobStore(locate.project().root)
    check_allowed(store, model)
    made = yield from clips.make_for(scene, shot, options, model, kinds_of(model))
    folder = clips.folder_of(shot, model)
    told = {
        **settings.get("options", {}),
        **{key: settings[key] for key in (prompt_kept.NEGATIVE,) if key in settings},
    }
    files = inputs_of(
        model, prompt_kept.style_text(scene, model).references, prompt_kept.root_of_references()
    )
    request = request_of(model, folder, made, settings["prompt"], settings["seed"], told, files)
    ask = remote_jobs.Ask(model, request, price_of(model, made, request["options"]), "take")
    (job,) = yield from remote_jobs.results(
        scene, shot, [ask], (0.2, 0.9), force=options.force, again="Run Style again"
    )
    apply = {
        "project": str(store.project), "job": job.id, "truth": str(shot.truth), "clips": str(folder), "take": name,
        "out": str(shot.takes / name), "settings": dict(settings), "identity": identity,
        "facts": {"look": settings["look"], "seed": settings["seed"], **_contract(scene, model)},
    }  # fmt: skip
    yield WorkerTask(APPLY, apply, (0.9, 1.0))
    return Manifest.load(shot.takes / name / "take.json", SCHEMA)


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
