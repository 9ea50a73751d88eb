# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw Again by a remote model: the span's clips, a job with its price, the result as frames that Repair joins."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy

from ..clients import span_takes
from ..clients.descriptor import Descriptor
from ..clients.references import inputs_of
from ..clients.registry import catalogue
from ..clients.takes import price_of, request_of
from ..finishing import price as local
from ..finishing.rerun import Rerun
from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.truth import MANIFEST as TRUTH_FILE
from ..pipeline.truth import SCHEMA as TRUTH
from . import clips, encoders, locate, prompt_kept, remote_jobs, style_remote
from .steps import StageGenerator, WorkerTask

REPAINT, APPLY = "clients.span_takes:repaint", "clients.span_takes:run"
FILMS = ("h264", "ffv1")
Span = tuple[Rerun, dict[str, Any]]
"""What to draw, and its record as Repair's worker takes it."""


def own(take: Manifest) -> str:
    """Who drew a take: the id of a remote model, or the name of an offline provider."""
    provider, model = str(take.data.get("provider") or ""), str(take.data.get("model") or "")
    name = f"{provider}/{model}"
    return name if can_draw(name) else provider


def can_draw(name: str) -> bool:
    """Whether a remote model of this id can draw a span again."""
    model = catalogue(remote_jobs.own_entries()).get(name)
    return bool(
        model and model.network and model.adapter and model.controls and "video_restyle" in model.modes
    )


def check_provider(name: str, take: Manifest) -> None:
    """Raises UsageError for who can't draw a span of ``take`` again."""
    if name != style_remote.REHEARSAL:
        model_of(name)
    elif own(take) != name:
        todo = "Choose a remote model."
        raise UsageError("The rehearsal draws its own takes again, no others", todo=todo)


def model_of(name: str) -> Descriptor:
    """The model with this id. Raises UsageError for one that can't draw."""
    if not can_draw(name):
        known = ", ".join(style_remote.names())
        raise UsageError(f"{name!r} can't draw a span again", todo=f"Choose one of {known}.")
    return catalogue(remote_jobs.own_entries())[name]


def pricer(take: Manifest) -> local.Pricer:
    """Who knows what drawing spans of ``take`` again costs."""
    options = take.settings.get("options", {})
    mine = own(take)

    def price(provider: str, frames: int, fps: tuple[int, int]) -> int | None:
        return expected_price(provider, frames, fps, options if provider == mine else {})

    return price


def expected_price(
    provider: str, frames: int, fps: tuple[int, int] = (24, 1), options: Mapping[str, Any] | None = None
) -> int | None:
    """Micros for ``frames`` frames of a shot by a provider; None where nobody knows. A clip may have to be longer than
    the span: that is in it."""
    if not can_draw(provider):
        return local.price_of(provider, frames, fps)
    model = model_of(provider)
    if not model.price.as_of or model.controls is None:
        return None
    try:
        count, rate = span_takes.clip_of(frames, fps, model.controls, model.label)
    except HoldfastError:
        return None  # no clip of the model holds so many frames: it says so when it is asked
    return model.price.estimate_micros(count * rate[1] / rate[0], frames=count, options=options)


def redraw(
    scene: bpy.types.Scene, shot: ShotFolder, parent: Manifest, spans: Sequence[Span], share: tuple[float, float]
) -> StageGenerator:  # fmt: skip
    """Draws the spans; their records get the job and what it cost. All are sent, or none. What is paid for is found
    again. Raises Refused, ProviderRejected, UsageError, InputError."""
    store = remote_jobs.JobStore(locate.project().root)
    asks = []
    for rerun, _ in spans:
        remote_jobs.check_allowed(store, model_of(rerun.provider))
    start, size = share[0], share[1] - share[0]
    for number, (rerun, record) in enumerate(spans):
        part = (start + 0.3 * size * number / len(spans), start + 0.3 * size * (number + 1) / len(spans))
        asks.append((yield from _ask(scene, shot, parent, rerun, record, part)))
    jobs = yield from remote_jobs.results(
        scene, shot, asks, (start + 0.3 * size, start + 0.9 * size), again="Run Repair again"
    )
    for (rerun, record), job, ask in zip(spans, jobs, asks, strict=True):
        request = {
            "project": str(store.project), "job": job.id, "truth": str(shot.truth),
            "clips": str(_clips_of(record)), "out": record["folder"], "size": list(parent.data["size"]),
            "frames": rerun.all_frames(parent.data["frames"]),
            "facts": {"provider": ask.model.provider, "model": ask.model.model, "seed": record["seed"]},
        }  # fmt: skip
        told = yield WorkerTask(APPLY, request, (start + 0.9 * size, start + size))
        record |= {"provider": ask.model.id, "job": told["job"], "cost_micros": int(told["cost_micros"])}
    return parent


def _clips_of(record: Mapping[str, Any]) -> Path:
    return Path(record["folder"]) / "clips"


def _ask(
    scene: bpy.types.Scene, shot: ShotFolder, parent: Manifest, rerun: Rerun, record: Mapping[str, Any],
    share: tuple[float, float],
) -> Any:  # fmt: skip
    """What one span's job is asked: with a mask where the model repaints what is masked and the fault is of parts."""
    model, truth = model_of(rerun.provider), Manifest.load(shot.truth / TRUTH_FILE, TRUTH)
    assert model.controls is not None  # model_of saw to it
    known, fps = (
        [int(frame) for frame in truth.data["frames"]],
        (int(truth.data["fps"][0]), int(truth.data["fps"][1])),
    )
    wanted = rerun.all_frames(parent.data["frames"])
    frames = span_takes.span_frames(wanted, known, fps, model.controls, model.label)
    masked = bool(record["parts"]) and repaints(model)
    kinds = [*style_remote.kinds_of(model), *(["matte"] if masked else [])]
    kinds = list(dict.fromkeys(kinds))
    folder = _clips_of(record)
    changing = ",".join(record["parts"])
    made = yield from clips.make_span(scene, shot, model, kinds, folder, frames, changing, share)
    request = _request(scene, parent, rerun, model, folder, made)
    if masked:
        asked = {
            "parent": str(shot.takes / parent.data["take"]),
            "clips": str(folder),
            "out": record["folder"],
        }
        films = yield WorkerTask(REPAINT, {**asked, "encoders": encoders.encoders()}, share)
        request["inputs"] = [films.get(each["role"], each) for each in request["inputs"]]
    draw = rerun.seed if model.seed.strength == "none" else 0
    return remote_jobs.Ask(model, request, price_of(model, made, request["options"]), "span", draw)


def repaints(model: Descriptor) -> bool:
    """Whether a model takes the render as a film and a mask of where to paint in it."""
    if model.controls is None or not {"mask_video", "source_video"} <= set(model.inputs):
        return False
    matte = model.controls.kinds.get("matte")
    paints = matte is not None and matte.codec in FILMS and matte.white == "change"
    return paints and "beauty" in model.controls.kinds


def _request(
    scene: bpy.types.Scene, parent: Manifest, rerun: Rerun, model: Descriptor, folder: Path, made: Manifest
) -> dict[str, Any]:
    """As the take was asked for, with another seed."""
    settings = parent.settings
    told: dict[str, Any] = {}
    if own(parent) == model.id:
        told = {
            **settings.get("options", {}),
            **{key: settings[key] for key in (prompt_kept.NEGATIVE,) if key in settings},
        }
    if rerun.control is not None and "control_strength" in model.options:
        told["control_strength"] = rerun.control
    low, high = model.seed.range
    seed = low + (rerun.seed - low) % (high - low + 1) if high > low else rerun.seed
    files = _references(scene, parent, model)
    return request_of(model, folder, made, str(settings.get("prompt", "")), seed, told, files)


def _references(scene: bpy.types.Scene, parent: Manifest, model: Descriptor) -> list[dict[str, Any]]:
    """The references that the take was made with. Raises InputError if one is no longer there."""
    wanted = (
        [tuple(each) for each in parent.settings.get("references", ())] if own(parent) == model.id else []
    )
    if not wanted:
        return []
    sent = prompt_kept.style_text(scene, model)
    files = inputs_of(model, sent.references, prompt_kept.root_of_references())
    found = [dict(each) for each in files if (each["role"], each["sha256"]) in wanted]
    if len(found) < len(wanted):
        todo = "Put them back below Style, or choose another model for Draw Again."
        raise InputError("The references that the take was made with are gone or changed", todo=todo)
    return found
