# SPDX-License-Identifier: GPL-3.0-or-later
"""What the grid of ideas draws, read outside of draw(): the board, how what is on its way stands, thumbnails of the page.

A timer looks whether anything changed, a worker puts pictures that came onto the board, and the thumbnails of the shown
page are loaded a few at a time: nobody waits for anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..clients.idea_board import Board, Slot, read_board, stamp
from ..clients.idea_reference import NAME as REFERENCE
from ..clients.idea_reference import SCHEMA as REFERENCE_SCHEMA
from ..clients.idea_reference import read_match
from ..pipeline.errors import HoldfastError
from ..pipeline.jobs import Job, Step
from ..pipeline.jobs_view import PAGE as JOBS_PAGE
from ..pipeline.jobs_view import read_page
from ..pipeline.jobs_view import stamp as jobs_stamp
from ..pipeline.manifest import Manifest
from ..pipeline.worker import WorkerProcess
from . import ideate_remote, locate, state_cache, thumbnails, window

PAGE = 12
"""Pictures on a page of the grid."""
OFTEN_S, BUSY_S, IDLE_S = 0.02, 0.1, 0.25
A_TICK = 4
"""Thumbnails that are loaded at a time."""
MOST_PAGES = 6


@dataclass
class Seen:
    """What is drawn of one shot. ``jobs``: the newest job of each ask that is waited for, by its digest; ``slots`` by name;
    ``problem``: what a result on the disk could not be taken for."""

    concepts: Path | None = None
    board: Board = field(default_factory=Board)
    jobs: dict[str, Job] = field(default_factory=dict)
    slots: dict[str, Slot] = field(default_factory=dict)
    match: dict[str, Any] = field(default_factory=dict)
    """How near ideas are to the reference sheet, by name."""
    made: dict[str, Path] = field(default_factory=dict)
    """What was made for the client: sheet (PDF), film, reference (picture)."""
    film_says: str = ""
    problem: str = ""

    @property
    def unsent(self) -> int:
        """Pictures whose job was never made, or came to nothing."""
        ended = (Step.FAILED, Step.CANCELLED)
        return sum(
            slot.digest not in self.jobs or self.jobs[slot.digest].step in ended
            for slot in self.board.waiting()
        )


seen = Seen()
_state: dict[str, object] = {}
_worker: list[WorkerProcess] = []
_loading: list[Iterator[None]] = []


def forget(*_args: object) -> None:
    """Handler: another file is open."""
    vars(seen).update(vars(Seen()))
    _state.clear()
    _loading.clear()


def ask() -> None:
    """What is cached may be out of date."""
    _state.clear()


def close() -> None:
    """The extension is being disabled."""
    if bpy.app.timers.is_registered(_load_soon):
        bpy.app.timers.unregister(_load_soon)
    for worker in _worker:
        worker.close()
    _worker.clear()
    forget()


def tick() -> float:
    """The timer."""
    try:
        _look()
        return OFTEN_S if _loading else BUSY_S if _worker else IDLE_S
    except Exception as error:  # a raise here would end the timer for good
        seen.problem = f"The board can't be read: {error}"
        return 5.0


def refresh_now() -> None:
    """All of it, at once."""
    ask()
    for _slice in range(1000):
        if not _look():
            return


def _look() -> bool:
    """One slice of work; True if there is more."""
    scene = bpy.context.scene
    try:
        shot = locate.shot_of(scene) if scene is not None else None
    except HoldfastError:
        shot = None
    concepts = shot.concepts if shot is not None else None
    if concepts != seen.concepts:
        forget()
        seen.concepts = concepts
    if concepts is None or shot is None:
        return False
    _listen()
    now = (*stamp(concepts), *_stamps(scene, concepts))
    if now != _state.get("board"):
        _state["board"] = now
        seen.board = read_board(concepts)
        _read_made(scene, concepts)
        seen.match = read_match(concepts)["ideas"]
        seen.slots = {slot.name: slot for slot in seen.board.slots()}
        _state.pop("jobs", None)
        _show_page()
        window.redraw()
        return True
    if seen.board.waiting():
        _look_at_jobs(shot.name, shot.concepts)
    return _load_some()


def _places(scene: bpy.types.Scene, concepts: Path) -> dict[str, tuple[Path, str, str]]:
    """By what it is: the manifest, its schema, the entry that names the file."""
    product = scene.holdfast.ideate.product or "product"
    reference = locate.project().root / "references" / product / REFERENCE
    return {
        "sheet": (concepts / "sheet" / "sheet.json", "holdfast/contact_sheet", "pdf"),
        "film": (concepts / "film" / "film.json", "holdfast/moving_board", "film"),
        "reference": (reference, REFERENCE_SCHEMA, "picture"),
    }


def _stamps(scene: bpy.types.Scene, concepts: Path) -> tuple[int, ...]:
    found = []
    for path, _schema, _key in _places(scene, concepts).values():
        try:
            found.append(path.stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


def _read_made(scene: bpy.types.Scene, concepts: Path) -> None:
    seen.made, seen.film_says = {}, ""
    for what, (path, schema, key) in _places(scene, concepts).items():
        try:
            made = Manifest.find(path, schema)
        except HoldfastError:
            continue
        if made is not None:
            seen.made[what] = path.parent / str(made.data[key])
            seen.film_says = str(made.data.get("says", "")) if what == "film" else seen.film_says


def _look_at_jobs(shot: str, concepts: Path) -> None:
    root = locate.project().root
    now = jobs_stamp(root)
    if now == _state.get("jobs"):
        return
    wanted = {slot.digest for slot in seen.board.waiting()}
    found: dict[str, Job] = {}
    for page in range(MOST_PAGES):
        rows = read_page(root, (), shot, page * JOBS_PAGE)
        if rows is None:
            return  # a writer is at it
        for job in rows:
            if job.digest in wanted:
                found.setdefault(job.digest, job)
        if len(rows) < JOBS_PAGE or wanted <= set(found):
            break
    _state["jobs"], seen.jobs = now, found
    window.redraw()
    if not _worker and any(job.step is Step.READY for job in found.values()):
        task = ideate_remote.gathering(bpy.context.scene, locate.shot_of(bpy.context.scene))
        _worker.append(WorkerProcess.start(task.function, task.request, bpy.app.python_args))


def _listen() -> None:
    for worker in list(_worker):
        for event in worker.poll():
            if event["event"] == "error":
                seen.problem = str(event["error"].get("what", ""))
            elif event["event"] == "result":
                seen.problem = " ".join(event["value"]["problems"][:1])
            if event["event"] in ("error", "result"):
                state_cache.on_change()
                _state.pop("jobs", None)
        if worker.finished:
            _worker.remove(worker)


def page_names() -> list[str]:
    """The slots on the shown page."""
    view = bpy.context.window_manager.holdfast_ideas
    names = seen.board.shown(view.which)
    first = min(view.page, max(0, (len(names) - 1) // PAGE)) * PAGE
    return names[first : first + PAGE]


def turn(*_args: object) -> None:
    """Another page or another choice is shown."""
    _show_page()
    window.redraw()


def _show_page() -> None:
    if seen.concepts is None:
        return
    view = bpy.context.window_manager.holdfast_ideas
    names = [*page_names(), view.active, view.other]
    ideas = [seen.board.ideas[name] for name in names if name in seen.board.ideas]
    _loading[:] = [thumbnails.show_files(seen.concepts / idea.thumb for idea in ideas)]
    if not bpy.app.background and not bpy.app.timers.is_registered(_load_soon):
        bpy.app.timers.register(_load_soon, first_interval=0.0)


def _load_soon() -> float | None:
    """Timer while thumbnails of a page are loaded: a turned page does not wait for the next look."""
    return OFTEN_S if _load_some() else None


def _load_some() -> bool:
    for _ in range(A_TICK if _loading else 0):
        if next(_loading[0], ...) is ...:
            _loading.clear()
            window.redraw()
            return True
    return bool(_loading)


def icon(name: str) -> int:
    """The icon of an idea's thumbnail; 0 while it is not loaded."""
    idea = seen.board.ideas.get(name)
    return thumbnails.icon(str(seen.concepts / idea.thumb)) if idea is not None and seen.concepts else 0


def words(name: str) -> tuple[str, str]:
    """(word, sentence) on a slot whose picture is not here."""
    slot = seen.slots.get(name)
    job = seen.jobs.get(slot.digest) if slot is not None else None
    if job is None:
        return "not sent", "Its request was never sent: press Send Again"
    if job.step in (Step.FAILED, Step.CANCELLED):
        return str(job.step), job.says
    if job.step is Step.REMOTE and 0.0 < job.progress < 1.0:
        return f"{job.progress:.0%}", job.says
    names = {
        Step.PREPARED: "waits",
        Step.UNCERTAIN: "asks you",
        Step.REMOTE: "drawing",
        Step.DOWNLOADING: "coming",
    }
    return names.get(job.step, "coming"), job.says
