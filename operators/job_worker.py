# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes on with the jobs of the open project: one worker process, looked after by a timer that never waits.

It is started when there is a job that may go on (its service has a key, consent and the network, or is on this machine),
and ends by itself when none is left. Jobs are no part of the .blend: another file, undo, a crash leave them where they are.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from ..pipeline import secret
from ..pipeline.worker import WorkerProcess
from . import job_cache, locate, window
from .job_services import online

FUNCTION = "clients.jobs:run"
LINGER_S = 5.0
SOON_S, BUSY_S, IDLE_S = 0.01, 0.25, 0.5
FIRST_PAUSE_S, MOST_PAUSE_S = 5.0, 300.0
LAST_WORDS_S = 1.0
"""How long a worker may take to end when Blender does; one that is sending is left alone and ends after the answer."""


@dataclass
class State:
    """The worker of this process. ``given`` and ``online``: what it was started with; ``problem``: why the last one died."""

    worker: WorkerProcess | None = None
    project: Path | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    online: bool = False
    message: str = ""
    problem: str = ""
    pause_s: float = FIRST_PAUSE_S
    not_before: float = 0.0
    unwanted_since: float | None = None


current = State()
_lingering: list[WorkerProcess] = []


def tick() -> float:
    """The timer."""
    try:
        return _advance()
    except Exception as error:  # a raise here would end the timer for good
        current.problem = f"Internal error: {type(error).__name__}. Jobs are looked after again in a minute."
        window.redraw()
        return 60.0


def _advance() -> float:
    scene = bpy.context.scene
    for worker in list(_lingering):
        worker.poll()
        if worker.finished:
            _lingering.remove(worker)
    if scene is None:
        return IDLE_S
    if current.worker is not None:
        _listen(current.worker)
    more = job_cache.refresh(scene)
    if current.worker is not None and current.project != job_cache.shown.project:
        stop()
    if not more:
        _decide()
    if more:
        return SOON_S
    return BUSY_S if current.worker is not None else IDLE_S


def _listen(worker: WorkerProcess) -> None:
    for event in worker.poll():
        if event["event"] == "progress":
            current.message = str(event["message"])
        elif event["event"] in ("result", "error"):
            current.worker = None
            job_cache.ask()
            if event["event"] == "error":
                current.problem = _sentence(event["error"])
                current.not_before = time.monotonic() + current.pause_s
                current.pause_s = min(MOST_PAUSE_S, current.pause_s * 2.0)
            else:
                current.problem, current.pause_s = "", FIRST_PAUSE_S
            window.redraw()


def _sentence(error: dict[str, Any]) -> str:
    says = ". ".join(str(error.get(key, "")).rstrip(".") for key in ("what", "todo") if error.get(key))
    return f"{says}."


def ready_jobs() -> int:
    """How many jobs a worker could go on with now."""
    total, net = 0, online()
    for name, count in job_cache.shown.view.going.items():
        known = job_cache.known(name)
        if known is not None and known.ready and (known.local or net):
            total += count
    return total


def lost_index(project: Path) -> bool:
    """True if there were jobs but their index is gone: a worker makes it again from the ledger."""
    return not (project / "jobs.sqlite").exists() and (project / "jobs").is_dir()


def _decide() -> None:
    project, now = job_cache.shown.project, time.monotonic()
    if project is None:
        return
    wanted = ready_jobs() > 0 or lost_index(project)
    if current.worker is None:
        if wanted and now >= current.not_before:
            _start(project)
        return
    changed = current.online != online() or current.given != secret.held()
    current.unwanted_since = None if wanted else current.unwanted_since or now
    idle = current.unwanted_since is not None and now - current.unwanted_since > 2.0 * LINGER_S
    if (changed or idle) and not job_cache.shown.view.sending:
        stop()


def _start(project: Path) -> None:
    current.project, current.given, current.online = project, secret.held(), online()
    current.message, current.unwanted_since = "Starting", None
    request = {
        "project": str(project),
        "online": current.online,
        "catalogue": [str(path) for path in locate.project().catalogue()],
        "linger": LINGER_S,
    }
    current.worker = WorkerProcess.start(FUNCTION, request, bpy.app.python_args, current.given)


def stop(*_args: object) -> None:
    """Handler and more: asks the worker to end; its jobs stay where they are."""
    if current.worker is not None:
        current.worker.cancel()
        _lingering.append(current.worker)
        current.worker = None
    current.message = ""


def open_worker() -> None:
    """Starts with nothing running."""
    vars(current).update(vars(State()))
    job_cache.forget()


def close_worker() -> None:
    """Ends the worker for good: the extension is being disabled, or Blender quits."""
    stop()
    end = time.monotonic() + LAST_WORDS_S
    while _lingering and time.monotonic() < end:
        _lingering[:] = [worker for worker in _lingering if worker.poll() is not None and not worker.finished]
        time.sleep(0.02)
    for worker in _lingering:
        worker.close()
    _lingering.clear()
    job_cache.forget()
