# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of meshes draws, read outside of draw(): the pool, and how the jobs that are on their way stand.

A timer looks whether anything changed; a worker puts what came back into the pool. Nobody waits for anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..assets.bring import pool
from ..clients.asset_jobs import usual_seconds
from ..pipeline.errors import HoldfastError
from ..pipeline.jobs import Job, Step
from ..pipeline.jobs_view import read_page
from ..pipeline.jobs_view import stamp as jobs_stamp
from ..pipeline.manifest import Manifest
from ..pipeline.project import ShotFolder
from ..pipeline.worker import WorkerProcess
from . import asset_form, asset_remote, locate, state_cache, thumbnails, window
from .steps import WorkerTask

OFTEN_S, IDLE_S = 0.1, 0.5
ENDED = (Step.FAILED, Step.CANCELLED)


@dataclass
class Seen:
    """What is drawn of one shot: ``items`` of the pool by id, ``jobs`` that are not in it yet, the newest first; ``usual``
    seconds by model; ``locked`` is whether there is a locked concept picture; ``problem`` a sentence."""

    shot: Path | None = None
    items: dict[str, Manifest] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    usual: dict[str, float] = field(default_factory=dict)
    locked: str = ""
    problem: str = ""
    notes: dict[str, list[str]] = field(default_factory=dict)
    """What was said when a mesh came into the scene."""


seen = Seen()
_state: dict[str, object] = {}
_worker: list[tuple[str, WorkerProcess]] = []
_failed: dict[str, str] = {}
"""Jobs whose result could not be taken, and why."""
_loading: list[Iterator[None]] = []


def forget(*_args: object) -> None:
    """Handler: another file is open."""
    vars(seen).update(vars(Seen()))
    _state.clear()
    _failed.clear()
    _loading.clear()


def ask() -> None:
    """What is cached may be out of date."""
    _state.clear()


def show_soon() -> None:
    """Something was just done: the list follows at once, not with the next tick."""
    ask()
    for _slice in range(3):
        tick()


def close() -> None:
    """The extension is being disabled."""
    for _name, worker in _worker:
        worker.close()
    _worker.clear()
    forget()


def tick() -> float:
    """The timer."""
    try:
        return OFTEN_S if _look() else IDLE_S
    except Exception as error:  # a raise here would end the timer for good
        seen.problem = f"The meshes can't be read: {error}"
        return 5.0


def refresh_now() -> None:
    """All of it, at once."""
    ask()
    for _slice in range(1000):
        if not _look():
            return


def _look() -> bool:
    """One slice of work; True if there is more."""
    shot = _shot()
    root = shot.root if shot is not None else None
    if root != seen.shot:
        forget()
        seen.shot = root
    if shot is None:
        return False
    _listen()
    folder = asset_remote.pool_of(shot)
    now = (_changed(folder), _changed(shot.concepts / "concepts.json"))
    if now != _state.get("pool"):
        _state["pool"] = now
        _read_pool(shot, folder)
        _state.pop("jobs", None)
        window.redraw()
        return True
    _look_at_jobs(shot)
    for _ in range(2 if _loading else 0):
        if next(_loading[0], ...) is ...:
            _loading.clear()
            window.redraw()
            return True
    return bool(_worker or _loading)


def _shot() -> ShotFolder | None:
    scene = bpy.context.scene
    try:
        return locate.shot_of(scene) if scene is not None else None
    except HoldfastError:
        return None


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read_pool(shot: ShotFolder, folder: Path) -> None:
    seen.items = pool(folder)
    times: dict[str, list[float]] = {}
    for item in seen.items.values():
        times.setdefault(str(item.data.get("model", "")), []).append(float(item.data.get("seconds", 0.0)))
    found = {model: usual_seconds(each) for model, each in times.items()}
    seen.usual = {model: each for model, each in found.items() if each is not None}
    concepts = asset_form.concepts_of(shot)
    locked = concepts.data.get("locked_picture") if concepts is not None else None
    seen.locked = str(shot.concepts / str(locked)) if locked else ""
    pictures = [folder / name / "portrait.png" for name in seen.items]
    _loading[:] = [thumbnails.show_files(path for path in pictures if path.exists())]


def _look_at_jobs(shot: ShotFolder) -> None:
    root = locate.project().root
    now = jobs_stamp(root)
    if now == _state.get("jobs"):
        return
    page = read_page(root, (), shot.name, 0)
    if page is None:
        return  # a writer is at it
    _state["jobs"] = now
    here = {str(item.data.get("job", "")) for item in seen.items.values()}
    seen.jobs = [job for job in page if job.purpose == asset_form.PURPOSE and job.id not in here]
    ready = [job for job in seen.jobs if job.step in asset_remote.DONE and job.id not in _failed]
    if ready and not _worker:
        for job, task in asset_remote.gathering(shot, ready[:1]):
            _start(job.id, task)
    window.redraw()


def _start(name: str, task: WorkerTask) -> None:
    _worker.append((name, WorkerProcess.start(task.function, task.request, bpy.app.python_args)))


def _listen() -> None:
    for entry in list(_worker):
        name, worker = entry
        for event in worker.poll():
            if event["event"] == "error":
                _failed[name] = seen.problem = str(event["error"].get("what", ""))
            if event["event"] in ("error", "result"):
                _state.clear()
                state_cache.on_change()
        if worker.finished:
            _worker.remove(entry)


def told(name: str, notes: list[str]) -> None:
    """Keeps what was said of a mesh that came into the scene, for the list."""
    seen.notes[name] = notes


def failure(job: Job) -> str:
    """Why the result of a job is not in the pool; empty if it only is not yet."""
    return _failed.get(job.id, "")


def icon(name: str) -> int:
    """The icon of a mesh's portrait; 0 while there is none."""
    if seen.shot is None:
        return 0
    return thumbnails.icon(str(seen.shot / "assets" / asset_remote.POOL / name / "portrait.png"))
