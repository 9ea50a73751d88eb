# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ideate hands out: the contact sheet, the moving board, the reference sheet. Each a stage that is run on demand."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bpy

from ..clients import idea_ask
from ..clients.descriptor import Descriptor
from ..clients.idea_board import Board, Idea, read_board
from ..clients.idea_reference import NAME, PICTURE, SCHEMA
from ..pipeline.errors import InputError
from ..pipeline.jobs import JobStore
from ..pipeline.manifest import Manifest
from ..pipeline.money import words
from ..pipeline.project import ShotFolder, check_name
from ..pipeline.store import hash_file, storage, writing
from . import assets, ideate, ideate_models, ideate_remote, ideate_turn, locate, remote_jobs
from .encoders import encoders
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

SHEET, FILM = "sheet", "film"
SHEETS, FILMS = "holdfast/contact_sheet", "holdfast/moving_board"
MOVE = "A slow, smooth push-in on the product. The product stays exactly as it is."
VIEWS = {
    "front": "seen straight from the front, level", "right": "seen from its right side, level",
    "back": "seen from behind, level", "left": "seen from its left side, level",
}  # fmt: skip
"""What a model is asked for where there is no mesh to turn."""


def locked_of(shot: ShotFolder) -> Manifest:
    """The concepts, with a picture locked. Raises InputError if none is."""
    made = Manifest.find(shot.concepts / ideate.MANIFEST, ideate.SCHEMA)
    if made is None or "locked_picture" not in made.data:
        raise InputError("No picture is locked", where=shot.name, todo="Lock a variant first.")
    return made


def name_of(made: Manifest) -> str:
    """The idea or look that is locked."""
    idea = made.data.get("idea")
    return str(idea["name"] if idea else made.data["locked"])


# -- the contact sheet ----------------------------------------------------------------------------------------------


def contact_sheet(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """The starred ideas, else all that are not discarded, and the looks that were rendered here. Raises InputError."""
    settings, board = scene.holdfast.ideate, read_board(shot.concepts)
    concepts = Manifest.find(shot.concepts / ideate.MANIFEST, ideate.SCHEMA)
    cells = [*_ideas(shot, board, settings.idea), *_looks(shot, concepts, settings)]
    out = shot.concepts / SHEET / "contact_sheet"
    with storage(out):
        shutil.rmtree(out.parent, ignore_errors=True)
    title = f"{Path(bpy.data.filepath).stem} {shot.name}"
    request = {
        "title": title, "brief": settings.brief, "out": str(out), "facts": settings.sheet_facts, "ideas": cells,
    }  # fmt: skip
    made = yield WorkerTask("clients.idea_sheet:run", request)
    files = [Path(made["pdf"]), *(Path(page) for page in made["pages"])]
    inputs = {cell["name"]: hash_file(cell["picture"]) for cell in cells}
    data = {
        "pdf": files[0].name,
        "pages": [path.name for path in files[1:]],
        "ideas": [cell["name"] for cell in cells],
    }
    manifest = Manifest(SHEETS, {"facts": settings.sheet_facts, "title": title}, inputs, data)
    manifest = manifest.with_files(out.parent, files)
    manifest.save(out.parent / "sheet.json")
    return manifest


def _ideas(shot: ShotFolder, board: Board, locked: str) -> list[dict[str, Any]]:
    names = set(board.shown("STARRED") or board.shown())
    found = [idea for name, idea in board.ideas.items() if name in names]
    return [
        {
            "name": idea.name, "picture": str(shot.concepts / idea.picture), "prompt": idea.prompt, "line": line_of(idea),
            "locked": idea.name == locked, "starred": idea.name in board.starred,
        }
        for idea in found
    ]  # fmt: skip


def line_of(idea: Idea) -> str:
    """Model, seed and cost in a line."""
    seed = "" if idea.seed is None else f"seed {idea.seed}, "
    cost = words(idea.cost, idea.currency)
    return f"{seed}{cost if idea.cost_told else f'about {cost}'}, {idea.model.rpartition('/')[2]}"


def _looks(shot: ShotFolder, concepts: Manifest | None, settings: Any) -> list[dict[str, Any]]:
    if concepts is None or not concepts.data["assets"]:
        return []
    return [
        {
            "name": look["id"], "picture": str(shot.concepts / look["picture"]), "starred": False,
            "prompt": f"{look.get('label', '')}: rendered here from the sketches", "line": "free, Blender",
            "locked": not settings.idea and look["id"] == concepts.data["locked"],
        }
        for look in concepts.data["assets"][0]["variants"]
    ]  # fmt: skip


# -- the moving board -----------------------------------------------------------------------------------------------


def moving_board(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """The locked picture as a film: a push-in made here, or by the chosen video model. Raises InputError, Refused, ..."""
    concepts, settings = locked_of(shot), scene.holdfast.ideate
    picture, name = shot.concepts / concepts.data["locked_picture"], name_of(concepts)
    model = ideate_models.chosen_film(settings.film_provider)
    out = shot.concepts / FILM / f"{name}{'' if model is None else '-' + model.model.rpartition('/')[2]}.mp4"
    asked = {
        "provider": settings.film_provider,
        "seconds": round(settings.film_seconds, 3),
        "words": settings.film_words,
    }
    if model is None:
        request = {
            "picture": str(picture), "out": str(out), "seconds": settings.film_seconds, "encoders": encoders(),
        }  # fmt: skip
        made = yield WorkerTask("clients.idea_film:run", request)
        data = {
            "film": out.name,
            "idea": name,
            **{key: made[key] for key in ("frames", "size", "fps", "method", "says")},
        }
    else:
        data = yield from _remote_film(scene, shot, model, picture, out, options.force)
        data["idea"] = name
    manifest = Manifest(FILMS, asked, {"picture": hash_file(picture)}, data).with_files(out.parent, [out])
    manifest.save(out.parent / "film.json")
    return manifest


def film_options(model: Descriptor, seconds: float) -> tuple[dict[str, Any], float]:
    """The options for a film of about ``seconds``, and how long it will be: the nearest that the model makes."""
    rule = model.options.get("seconds")
    if isinstance(rule, list):
        nearest = min(rule, key=lambda each: (abs(float(each) - seconds), float(each)))
        return {"seconds": nearest}, float(nearest)
    low, high = model.output.seconds
    if isinstance(rule, dict) and "min" in rule:
        low, high = max(low, float(rule["min"]), 1.0), min(high or float(rule["max"]), float(rule["max"]))
    kept = round(min(max(seconds, low), high or seconds))
    return ({"seconds": kept} if isinstance(rule, dict) else {}), float(kept)


def film_ask(model: Descriptor, sent: Mapping[str, Any], seconds: float, text: str) -> remote_jobs.Ask:
    """The request for a film of a picture that was made ready to send."""
    options, length = film_options(model, seconds)
    inputs = [{key: sent[key] for key in ("path", "role", "sha256")}]
    request = {"inputs": inputs, "prompt": " ".join(text.split()) or MOVE, "seed": None, "options": options}
    return remote_jobs.Ask(model, request, model.price.estimate_micros(length, options=options), "board")


def _remote_film(
    scene: bpy.types.Scene, shot: ShotFolder, model: Descriptor, picture: Path, out: Path, force: bool
) -> Any:
    settings, store = scene.holdfast.ideate, JobStore(locate.project().root)
    remote_jobs.check_allowed(store, model)
    pictures = [{"path": str(picture), "role": "first", **idea_ask.caps(model, "first")}]
    sent = yield WorkerTask(
        ideate_remote.PREPARE,
        {"pictures": pictures, "out": str(shot.concepts / ideate_remote.SENT)},
        (0.0, 0.1),
    )
    ask = film_ask(model, sent["pictures"][0], settings.film_seconds, settings.film_words)
    (job,) = yield from remote_jobs.results(
        scene, shot, [ask], (0.1, 0.95), force=force, again="Make the moving board again"
    )
    found = store.results(job)
    if not found:
        raise InputError(f"{model.label} sent no film", where=job.id)
    with writing(out) as part:
        shutil.copyfile(found[0], part)
    remote_jobs.apply(store, [job])
    return {
        "film": out.name,
        "method": model.id,
        "says": f"Made by {model.label}.",
        "job": job.id,
        "cost_micros": job.counts,
    }


# -- the reference sheet --------------------------------------------------------------------------------------------


def reference_folder(scene: bpy.types.Scene) -> Path:
    """Where the sheet of the product lies: in the project, so that every shot finds it. Raises UsageError, InputError."""
    name = scene.holdfast.ideate.product or "product"
    return locate.project().root / "references" / check_name(name, "product")


def reference_sheet(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Turnaround, palette and materials of the locked picture; then how near every idea is to it. Raises InputError."""
    concepts, board = locked_of(shot), read_board(shot.concepts)
    name, folder = name_of(concepts), reference_folder(scene)
    made = Manifest.find(shot.assets / assets.MANIFEST, assets.SCHEMA)
    look = None if concepts.data.get("idea") else ideate_turn.look_of(made)
    if look is not None and made is not None:
        views = yield from ideate_turn.turnaround(shot, made, (0.0, 0.6))
    else:
        views = _views_of(shot, board, name)
    picture = shot.concepts / concepts.data["locked_picture"]
    idea = concepts.data.get("idea") or {}
    request = {
        "product": folder.name, "out": str(folder), "views": views, "materials": materials_of(look),
        "locked": {"name": name, "picture": str(picture), "words": idea.get("words") or _label(concepts, name)},
    }  # fmt: skip
    data = yield WorkerTask("clients.idea_reference:run", request, (0.6, 0.85))
    shutil.rmtree(shot.concepts / "turn", ignore_errors=True)
    manifest = Manifest(SCHEMA, {"shot": shot.name}, {"locked": hash_file(picture)}, data)
    manifest = manifest.with_files(
        folder, [folder / PICTURE, *(folder / each["picture"] for each in data["views"])]
    )
    manifest.save(folder / NAME)
    if board.ideas:
        task = {"concepts": str(shot.concepts), "reference": str(folder / NAME)}
        yield WorkerTask("clients.idea_reference:match", task, (0.85, 1.0))
    return manifest


def _label(concepts: Manifest, name: str) -> str:
    variants = concepts.data["assets"][0]["variants"] if concepts.data["assets"] else []
    return next((str(each.get("label", "")) for each in variants if each["id"] == name), "")


def _views_of(shot: ShotFolder, board: Board, name: str) -> list[dict[str, str]]:
    """Further views of an idea that were asked for and are here: the newest of each."""
    found = {
        idea.words: idea
        for idea in board.ideas.values()
        if idea.how == "turn" and name in idea.parents and idea.name not in board.hidden
    }
    return [
        {"view": side, "picture": str(shot.concepts / found[says].picture)}
        for side, says in VIEWS.items()
        if says in found
    ]


def materials_of(look: Any) -> list[dict[str, str]]:
    """The finishes of a look in words: which parts, what surface."""
    if look is None:
        return []
    names = {"primary": "Body", "secondary": "Lid and further parts", "accent": "Mechanism"}
    return [
        {"name": names.get(slot, slot), "colour": _hex(finish.base), "says": surface(finish)}
        for slot, finish in look.finishes.items()
    ]


def surface(finish: Any) -> str:
    """A finish in words."""
    kind = "metal" if finish.metallic > 0.5 else finish.pattern or "plain"
    gloss = "glossy" if finish.roughness < 0.3 else "satin" if finish.roughness < 0.6 else "matt"
    coat = ", clear coat" if finish.coat > 0.3 else ""
    return (
        f"{finish.pattern} metal"
        if kind == "metal" and finish.pattern
        else f"{kind}, {gloss} (roughness {finish.roughness:.2f}){coat}"
    )


def _hex(colour: tuple[float, float, float]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * each) for each in colour))


def _no_state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    return StageState("missing")


OUTPUTS = {
    "sheet": Stage("ideate", "Contact Sheet", contact_sheet, _no_state),
    "film": Stage("ideate", "Moving Board", moving_board, _no_state),
    "reference": Stage("ideate", "Reference Sheet", reference_sheet, _no_state),
}
"""Run under the name of Ideate, so that its panel shows how far they are and why they failed."""
