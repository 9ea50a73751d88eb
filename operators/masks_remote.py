# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of a take's parts, from a file or a tracking model, as J and F beside its report. Information, never a gate."""

from pathlib import Path
from typing import Any

import bpy

from ..clients import mask_jobs
from ..clients.descriptor import Descriptor
from ..clients.registry import catalogue, models
from ..pipeline.errors import HoldfastError, UsageError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from ..validation import masks_stage
from ..validation.jf import TOLERANCE
from . import encoders, locate, remote_jobs, validate
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

PREPARE, UNPACK, SCORE = "clients.mask_jobs:run", "clients.mask_results:run", "validation.masks_stage:run"
AGAIN = "Run Track Parts again"


def names() -> list[str]:
    """The models that masks can be asked of."""
    return [model.id for model in models("segment", remote_jobs.own_entries()) if mask_jobs.tracks(model)]


def chosen(name: str) -> Descriptor:
    """The tracking model ``name``. Raises UsageError with those that there are."""
    model = catalogue(remote_jobs.own_entries()).get(name)
    if model is None or not model.adapter or not mask_jobs.tracks(model):
        raise UsageError(f"There is no tracking model {name!r}", todo=f"Choose one of {', '.join(names())}.")
    return model


def price_of(model: Descriptor, parts: int, frames: int, fps: tuple[int, int]) -> int:
    """Expected micros for a job a part."""
    return parts * model.price.estimate_micros(frames * fps[1] / fps[0], frames=frames)


def source_of(scene: bpy.types.Scene) -> str:
    """The file or model that the masks come from, as the settings say; empty if parts are not tracked."""
    settings = scene.holdfast.validate
    if settings.track == "FILE":
        return str(bpy.path.abspath(settings.track_file)).rstrip("/\\")
    return str(settings.track_model) if settings.track == "MODEL" else ""


def choose(scene: bpy.types.Scene, what: str) -> None:
    """Sets who tracks for this run: the id of a model, or the path of a file or folder."""
    settings = scene.holdfast.validate
    if what in names() and not Path(what).exists():
        settings.track, settings.track_model = "MODEL", what
    else:
        settings.track, settings.track_file = "FILE", what


def folder_of(shot: ShotFolder, take: str, model: Descriptor) -> Path:
    """Where the film of a take, what a model is shown and its masks lie."""
    return shot.reports / take / "masks" / f"{model.provider}-{model.model.replace('/', '-')}"


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Tracks the parts of a take and compares the masks with the render. Raises UsageError where nothing is chosen,
    and what sending, waiting and reading raise."""
    source = source_of(scene)
    if not source:
        raise UsageError("Nobody is chosen to track the parts", todo="Choose a file of masks or a model.")
    take = validate.take_of(shot, options)
    validate.inputs_of(shot, take)
    request: dict[str, Any] = {
        "truth": str(shot.truth),
        "take": str(shot.takes / take),
        "out": str(shot.reports / take),
    }
    if scene.holdfast.validate.track == "MODEL":
        made = yield from _tracked(scene, shot, options, take, chosen(source))
        request |= {"masks": made["masks"], "by": source, "cost_micros": made["cost_micros"]}
    else:
        request["masks"] = source
    yield WorkerTask(SCORE, request, (0.9, 1.0))
    return Manifest.load(shot.reports / take / masks_stage.MANIFEST, masks_stage.SCHEMA)


def _tracked(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, name: str, model: Descriptor
) -> Any:
    """The masks of a model: the take as a film, a job a part, their answers as pictures."""
    store = remote_jobs.JobStore(locate.project().root)
    remote_jobs.check_allowed(store, model)
    folder, take = folder_of(shot, name, model), TakeFolder.open(shot.takes / name)
    pairs = masks_stage.frame_map(GroundTruth.open(shot.truth), take, shot.reports / name)
    request = {
        "truth": str(shot.truth), "take": str(take.folder), "pairs": [list(pair) for pair in pairs], "out": str(folder),
        "most": list(model.inputs["source_video"].px_max), "encoders": encoders.encoders(),
    }  # fmt: skip
    asked = yield WorkerTask(PREPARE, request, (0.0, 0.2))
    rate = take.manifest.data.get("fps") or (24, 1)
    price = price_of(model, 1, len(take.frames), (int(rate[0]), int(rate[1])))
    wanted = mask_jobs.requests_of(model, folder, asked)
    asks = [remote_jobs.Ask(model, each, price, "masks") for each in wanted.values()]
    jobs = yield from remote_jobs.results(scene, shot, asks, (0.2, 0.8), force=options.force, again=AGAIN)
    found = {part: job.id for part, job in zip(wanted, jobs, strict=True)}
    unpack = {"project": str(store.project), "jobs": found, "asked": asked, "out": str(folder)}
    return (yield WorkerTask(UNPACK, unpack, (0.8, 0.9)))


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Fresh when the take that is looked at was tracked by what is chosen, as take and ground truth are now."""
    take, source = validate.looked_at(shot), source_of(scene)
    made = Manifest.find(shot.reports / take / masks_stage.MANIFEST, masks_stage.SCHEMA) if take else None
    if made is None:
        return StageState("missing")
    by = made.settings.get("by")
    named = {"masks": Path(source).name} if by is None else {"by": source, "masks": made.settings["masks"]}
    try:
        reason = stale_reason(made, {"tolerance": TOLERANCE, **named}, validate.inputs_of(shot, take))
    except HoldfastError as error:
        return StageState("stale", error.what)
    return StageState("stale", reason) if reason else StageState("fresh", str(made.data["summary"]))


STAGE = Stage("masks", "Tracked masks", run, state, verb="Track Parts")
