# SPDX-License-Identifier: GPL-3.0-or-later
"""Control clips: made from the ground truth for one model, on demand. Not one of the stages in order, as Style reads
the package itself; a client sends clips."""

from pathlib import Path
from typing import Any

import bpy

from ..clients.descriptor import Descriptor
from ..pipeline.controls import KINDS
from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.frames import parse_frames
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.pieces import Piece
from ..pipeline.project import ShotFolder
from ..pipeline.store import digest_json
from ..pipeline.truth import made as made_truth
from ..rendering.clips import make
from . import clip_models
from . import truth as truth_stage
from .encoders import encoders
from .steps import WHOLE, Stage, StageGenerator, StageOptions, StageState, WorkerTask

WORKER = "rendering.clips.make:run"
RANGE = "range.json"


def settings_of(
    scene: bpy.types.Scene,
    model: Descriptor,
    parts: dict[str, str],
    frames: Any = None,
    kinds: list[str] | None = None,
    changing: str | None = None,
) -> dict[str, Any]:
    """What decides the clips besides the ground truth; ``parts`` are its parts with their folders; mattes are of those in
    ``changing``, else of those that are chosen. Raises UsageError for a part or a frame spec that is none."""
    chosen = scene.holdfast.clips
    keys = list(parse_frames(chosen.key_frames)) if chosen.key_frames.strip() else []
    assert model.controls is not None
    whose, change = (chosen.parts, bool(chosen.change)) if changing is None else (changing, True)
    return {
        "model": model.id,
        "contract": model.controls.table(),
        "clips": [
            clip
            for kind in kinds or kinds_of(scene, model)
            for clip in (_mattes(whose, change, parts) if kind == "matte" else [_plain(kind)])
        ],
        "keys": keys,
        "frames": list(frames) if frames else None,
    }


def kinds_of(scene: bpy.types.Scene, model: Descriptor) -> list[str]:
    """The chosen kinds that the model takes; without any, all that it takes as they are."""
    assert model.controls is not None
    taken = model.controls.kinds
    chosen = [kind for kind in KINDS if kind in scene.holdfast.clips.kinds and kind in taken]
    return (
        chosen or [kind for kind in KINDS if kind in taken and taken[kind].source == "direct"] or list(taken)
    )


def _plain(kind: str) -> dict[str, Any]:
    return {"name": kind, "kind": kind, "parts": [], "change": True}


def _mattes(text: str, change: bool, known: dict[str, str]) -> list[dict[str, Any]]:
    """The mattes that ``text`` asks for: sets with semicolons, names with commas, * one for each part, empty all."""
    if not known:
        todo = "Mark parts and render it again."
        raise InputError("The ground truth has no parts to make a matte of", todo=todo)
    if text.strip() == "*":
        sets = [[name] for name in known]
    else:
        pieces = [piece.split(",") for piece in text.split(";")]
        sets = [list(dict.fromkeys(name.strip() for name in names if name.strip())) for names in pieces]
    sets = [names for names in sets if names] or [list(known)]
    for name in (name for names in sets for name in names):
        if name not in known:
            raise UsageError(f"There is no part {name!r}", todo=f"The ground truth has {', '.join(known)}.")
    named = {_matte_name(names, known): names for names in sets}
    return [
        {"name": name, "kind": "matte", "parts": parts, "change": change} for name, parts in named.items()
    ]


def _matte_name(names: list[str], known: dict[str, str]) -> str:
    """A file name that is safe everywhere and differs for different sets."""
    if names == list(known):
        return "matte"
    plain = "+".join(known[name] for name in names)
    return f"matte-{plain}" if len(plain) <= 60 else f"matte-{plain[:48]}-{digest_json(names)[:8]}"


def folder_of(shot: ShotFolder, model: Descriptor, piece: Piece | None = None) -> Path:
    """Where the clips for a model are: of the shot, or of a piece of it."""
    folder = shot.clips(model.provider, model.model)
    return folder / piece.name if piece is not None else folder


def _parts(truth: Manifest) -> dict[str, str]:
    """Names of the parts and of their folders."""
    return {str(part["name"]): str(part.get("folder", part["name"])) for part in truth.data["parts"]}


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Whether the clips on disk for the chosen model are of these settings and this ground truth."""
    clip_models.refresh()
    model = clip_models.chosen(scene.holdfast.clips.model)
    made = Manifest.find(folder_of(shot, model) / make.MANIFEST, make.SCHEMA)
    if made is None:
        return StageState("missing")
    try:
        truth = made_truth(shot.truth, "to make clips of")
        wanted = settings_of(scene, model, _parts(truth), made.settings.get("frames"))
    except HoldfastError as error:
        return StageState("stale", error.what)
    reason = stale_reason(made, wanted, {"truth": truth.digest})
    if reason is None and not _all_there(folder_of(shot, model), made):
        reason = "a file is gone"
    return StageState("stale", reason) if reason else StageState("fresh")


def _all_there(folder: Path, made: Manifest) -> bool:
    return all((folder / name).exists() for name in made.files)


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Makes the clips in the worker. Raises InputError if the ground truth is missing or out of date."""
    truth = made_truth(shot.truth, "to make clips of")
    status, reason = truth_stage.STAGE.state(scene, shot)
    if status not in ("fresh", "partial"):
        todo = "Run Ground truth again first."
        raise InputError(f"The ground truth is out of date: {reason or status}", where=shot.name, todo=todo)
    model = clip_models.chosen(scene.holdfast.clips.model)
    settings = settings_of(scene, model, _parts(truth), options.frames)
    return (yield from _made(shot, options, model, settings, truth, folder_of(shot, model)))


def make_for(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, model: Descriptor, kinds: list[str],
    piece: Piece | None = None, share: tuple[float, float] = WHOLE,
) -> StageGenerator:  # fmt: skip
    """The clips of these kinds that a job is sent, whatever is chosen in the panel; fresh ones are kept. Of one ``piece``
    of a long shot they have a folder of their own."""
    truth = made_truth(shot.truth, "to make clips of")
    settings = settings_of(scene, model, _parts(truth), options.frames, kinds)
    if piece is not None:
        shows = piece.shows
        keys = [key for key in settings["keys"] if key in shows]
        settings |= {"frames": list(range(shows[0], shows[-1] + 1)), "shown": list(shows), "keys": keys}
    folder, words = folder_of(shot, model, piece), piece.words if piece is not None else ""
    return (yield from _made(shot, options, model, settings, truth, folder, share, words))


def make_span(
    scene: bpy.types.Scene, shot: ShotFolder, model: Descriptor, kinds: list[str], folder: Path, frames: list[int],
    changing: str, share: tuple[float, float],
) -> StageGenerator:  # fmt: skip
    """The clips of some frames, in a folder of their own; a matte is of the parts in ``changing``."""
    truth = made_truth(shot.truth, "to make clips of")
    settings = settings_of(scene, model, _parts(truth), frames, kinds, changing)
    settings["keys"] = [key for key in settings["keys"] if key in frames]
    return (yield from _made(shot, StageOptions(), model, settings, truth, folder, share))


def _made(
    shot: ShotFolder, options: StageOptions, model: Descriptor, settings: dict[str, Any], truth: Manifest,
    folder: Path, share: tuple[float, float] = WHOLE, piece: str = "",
) -> StageGenerator:  # fmt: skip
    inputs = {"truth": truth.digest}
    path = folder / make.MANIFEST
    made = _known(path)
    fresh = made is not None and not options.force and stale_reason(made, settings, inputs) is None
    if made is not None and fresh and _all_there(folder, made):
        return made
    request = {
        **{name: settings.get(name) for name in ("model", "contract", "clips", "frames", "shown", "keys")},
        "truth": str(shot.truth),
        "out": str(folder),
        "range": str(shot.controls / RANGE),
        "piece": piece,
        "label": model.label,
        "inputs": inputs,
        "settings": settings,
        "encoders": encoders(),
        "force": options.force,
    }
    yield WorkerTask(WORKER, request, share)
    return Manifest.load(path, make.SCHEMA)


def _known(path: Path) -> Manifest | None:
    try:
        return Manifest.find(path, make.SCHEMA)
    except HoldfastError:
        return None  # damaged: it is written anew


STAGE = Stage("clips", "Control clips", run, state, verb="Make clips")
