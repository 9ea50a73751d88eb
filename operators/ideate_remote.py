# SPDX-License-Identifier: GPL-3.0-or-later
"""Variants by a remote image model: a round is written down, its jobs are made, results go onto the board as they come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import bpy

from ..clients import idea_ask
from ..clients.descriptor import Descriptor
from ..clients.idea_ask import Order
from ..clients.idea_board import ROUND, Board, next_round, read_board, round_file, slots_of
from ..clients.idea_reference import NAME as REFERENCE
from ..clients.registry import catalogue
from ..pipeline.errors import HoldfastError, InputError, UsageError
from ..pipeline.jobs import Job, JobStore, Step
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..properties_jobs import caps_of
from . import locate, remote_jobs
from .steps import Stage, StageGenerator, StageOptions, StageState, WorkerTask

GATHER, PREPARE = "clients.ideas:run", "clients.idea_pictures:run"
PURPOSE = "idea"
MOST_JOBS = 10000
SENT = "sent"
"""Folder below the concepts: the pictures as they were sent."""


@dataclass(frozen=True)
class IdeaAsk(remote_jobs.Ask):
    """An ask of a round; two that are equal but for their number are two variants."""

    @property
    def digest(self) -> str:
        return idea_ask.digest(self.model, self.request)


def order_of(scene: bpy.types.Scene, model: Descriptor) -> Order:
    """What the panel asks for: the brief and the sketches. Raises ProviderRejected for an option it does not have."""
    ideate = scene.holdfast.ideate
    return Order(
        "brief",
        ideate.brief,
        ideate.count,
        ideate.seed,
        len(sketches_of(scene)),
        options=options_of(scene, model),
    )


def options_of(scene: bpy.types.Scene, model: Descriptor) -> dict[str, Any]:
    """The model's options as the panel has them, those that it knows."""
    ideate = scene.holdfast.ideate
    wanted = {name: getattr(ideate, name) for name in ("ratio", "resolution") if name in model.options}
    return idea_ask.chosen_options(model, wanted)


def sketches_of(scene: bpy.types.Scene) -> list[Path]:
    """The pictures of the sketches that go with the brief. Raises InputError for one that is missing."""
    if not scene.holdfast.ideate.send_sketches:
        return []
    paths = [Path(bpy.path.abspath(sketch.path)) for sketch in scene.holdfast.sketches]
    for path in paths:
        if not path.is_file():
            todo = "Choose the picture again in the list of sketches, or take it off."
            raise InputError(f"The sketch {path.name!r} is missing", where=str(path), todo=todo)
    return paths


def branch_of(
    scene: bpy.types.Scene, shot: ShotFolder, model: Descriptor, how: str, names: Sequence[str], words: str, count: int
) -> tuple[Order, list[Path]]:  # fmt: skip
    """More like an idea, an edit of it, a mix of two: the order and its pictures. Raises InputError, ProviderRejected."""
    board = read_board(shot.concepts)
    missing = [name for name in names if name not in board.ideas]
    if missing or len(set(names)) < (2 if how == "mix" else 1):
        says = f"There is no idea {missing[0]!r}" if missing else "Two ideas are needed"
        raise InputError(says, todo="Pick a picture of the board; Shift-click picks the second.")
    first = board.ideas[names[0]]
    before = first.words if first.how == "brief" else scene.holdfast.ideate.brief or first.words
    order = Order(
        how,
        words,
        count,
        scene.holdfast.ideate.seed,
        len(names),
        before,
        tuple(names),
        options_of(scene, model),
    )
    return order, [shot.concepts / board.ideas[name].picture for name in names]


def asking(
    scene: bpy.types.Scene, shot: ShotFolder, model: Descriptor, order: Order, pictures: Sequence[Path],
    share: tuple[float, float] = (0.0, 0.2), *, top_up: bool = False,
) -> StageGenerator:  # fmt: skip
    """Makes the jobs of a round and returns the round; nothing is waited for. ``top_up``: only what is lacking of
    ``order.count`` variants of this very kind is asked for. Raises Refused, ProviderRejected, UsageError, InputError."""
    store = JobStore(locate.project().root)
    roles = idea_ask.roles_for(model, len(pictures), order.how)
    prompt = idea_ask.words_of(order, model)
    remote_jobs.check_allowed(store, model)
    asked = [
        {"path": str(path), "role": role, **idea_ask.caps(model, role)}
        for path, role in zip(pictures, roles, strict=True)
    ]
    sent = yield WorkerTask(PREPARE, {"pictures": asked, "out": str(shot.concepts / SENT)}, share)
    inputs = [{key: each[key] for key in ("path", "role", "sha256")} for each in sent["pictures"]]
    kind = idea_ask.kind_of(model, inputs, prompt, order.options)
    same = [made for made in read_board(shot.concepts).rounds if made.data["kind"] == kind]
    begun = sum(int(ask["results"]) for made in same for ask in made.data["asks"])
    if top_up and begun >= order.count:
        return same[-1]
    wanted = replace(order, count=order.count - begun) if top_up else order
    made = _round(shot, model, order, prompt, kind, idea_ask.asks_of(wanted, model, inputs, prompt, begun))
    path = round_file(shot.concepts, made.data["round"])
    made.save(path)  # before anything is sent: what comes back is found by it
    try:
        remote_jobs.prepared(store, shot.name, _asks(shot, model, made.data["asks"]), caps_of(scene))
    except HoldfastError:
        path.unlink(missing_ok=True)
        raise
    return made


def _round(
    shot: ShotFolder, model: Descriptor, order: Order, prompt: str, kind: str, asks: list[dict[str, Any]]
) -> Manifest:
    for each in (given for ask in asks for given in ask["request"]["inputs"]):
        each["path"] = Path(each["path"]).relative_to(shot.concepts).as_posix()  # the project may move
    data = {
        "round": next_round(shot.concepts), "how": order.how, "words": order.words, "prompt": prompt, "model": model.id,
        "parents": list(order.parents), "kind": kind, "asks": asks,
    }  # fmt: skip
    inputs = {f"picture {n}": each["sha256"] for n, each in enumerate(asks[0]["request"]["inputs"], 1)}
    return Manifest(
        ROUND, {"seed": order.seed, "count": order.count, "options": dict(order.options)}, inputs, data
    )


def _asks(shot: ShotFolder, model: Descriptor, listed: Sequence[Mapping[str, Any]]) -> list[IdeaAsk]:
    found = []
    for each in listed:
        inputs = [
            {**given, "path": str(shot.concepts / given["path"])} for given in each["request"]["inputs"]
        ]
        found.append(IdeaAsk(model, {**each["request"], "inputs": inputs}, int(each["price"]), PURPOSE))
    return found


def again(scene: bpy.types.Scene, shot: ShotFolder, *, only_unsent: bool = False) -> list[Job]:
    """Makes the jobs anew that were never made (a kill came between) or, unless ``only_unsent``, have failed. Raises
    Refused, UsageError."""
    store, jobs = JobStore(locate.project().root), list[Job]()
    board = read_board(shot.concepts)
    lacking = {slot.digest for slot in board.waiting()}
    if only_unsent and lacking:
        lacking -= {job.digest for job in store.jobs(most=MOST_JOBS)}
    for made in board.rounds:
        asks = [each for each in made.data["asks"] if each["digest"] in lacking]
        if asks:
            model = _model(str(made.data["model"]))
            jobs += remote_jobs.prepared(store, shot.name, _asks(shot, model, asks), caps_of(scene))
    return jobs


def _model(name: str) -> Descriptor:
    model = catalogue(remote_jobs.own_entries()).get(name)
    if model is None:
        raise UsageError(f"{name} is in no catalogue any more", todo="Put its entry back.")
    return model


def jobs_of(store: JobStore, rounds: Sequence[Manifest]) -> list[Job]:
    """The newest job of every ask of some rounds that has one."""
    found: dict[str, Job] = {}
    wanted = {str(each["digest"]) for made in rounds for each in made.data["asks"]}
    for job in store.jobs(most=MOST_JOBS):
        if job.digest in wanted:
            found.setdefault(job.digest, job)
    return list(found.values())


def run(
    scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions, model: Descriptor, order: Order | None = None,
    pictures: Sequence[Path] | None = None,
) -> StageGenerator:  # fmt: skip
    """Asks, waits and puts the results on the board: the command line. What is there already is not asked for again but
    with ``force``. Returns the round. Raises what became of it if no picture came."""
    top_up = order is None and not options.force
    given = sketches_of(scene) if pictures is None else list(pictures)
    made = yield from asking(scene, shot, model, order or order_of(scene, model), given, top_up=top_up)
    store = JobStore(locate.project().root)
    again(scene, shot, only_unsent=True)
    same = [each for each in read_board(shot.concepts).rounds if each.data["kind"] == made.data["kind"]]
    jobs = jobs_of(store, same)
    waits = [job.id for job in jobs if job.step not in (Step.READY, Step.APPLIED)]
    if waits:
        yield WorkerTask(remote_jobs.WORKER, remote_jobs.worker_request(store, waits), (0.2, 0.9), keys=True)
    yield gathering(scene, shot, (0.9, 0.98))
    board = read_board(shot.concepts)
    if not any(slot.name in board.ideas for each in same for slot in slots_of(each)):
        for job in jobs:
            remote_jobs.finished(store.get(job.id), model, "Run Ideate again")
    return made


def gathering(
    scene: bpy.types.Scene, shot: ShotFolder, share: tuple[float, float] = (0.0, 1.0)
) -> WorkerTask:
    """The task that puts what is here onto the board, and compares it with the reference sheet if there is one."""
    root = locate.project().root
    sheet = root / "references" / (scene.holdfast.ideate.product or "product") / REFERENCE
    request = {"project": str(root), "concepts": str(shot.concepts), "reference": str(sheet)}
    return WorkerTask(GATHER, request, share)


def stage_of(model: Descriptor, order: Order, pictures: Sequence[Path]) -> Stage:
    """A stage for the window that asks and does not wait: the worker of jobs goes on, the board fills by itself."""

    def run_it(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
        return (yield from asking(scene, shot, model, order, pictures, (0.0, 1.0)))

    return Stage("ideate", "Ideate", run_it, partial(_state, model.id))


def _state(provider: str, scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    return state_of(read_board(shot.concepts), scene.holdfast.ideate.idea)


def state_of(board: Board, locked: str) -> StageState:
    """How far the board is: missing, partial while pictures are on their way, stale until one is locked, fresh."""
    if not board.rounds:
        return StageState("missing", "write a brief, then ask for variants")
    waiting = len(board.waiting())
    if not board.ideas:
        return StageState("partial", f"{waiting} pictures are not here yet")
    if locked in board.ideas:
        return StageState("fresh", f"{locked} is locked")
    more = f", {waiting} not here yet" if waiting else ""
    return StageState("partial", f"{len(board.ideas)} ideas{more}; none is locked")
