# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel Jobs draws, read outside of draw(): a page of rows, the sums, the services. Refreshed by the timer of
`job_worker` when the index changed."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from ..clients.descriptor import Descriptor
from ..pipeline.errors import HoldfastError
from ..pipeline.jobs import Job, JobStore
from ..pipeline.jobs_view import FILE, PAGE, Sums, View, read_page, read_sums, stamp, view_of
from ..properties_jobs import caps_of
from . import job_view, locate, service_settings, window
from .job_services import Known, online, services

OFTEN_S = 0.4
"""Least seconds between two readings of the index."""
LOOK_AGAIN_S, ASKING_S = 30.0, 1.0
"""How often consents and keys are looked for that another program may have changed, and while a keyring is asked."""


@dataclass
class Shown:
    """What is drawn. ``project`` is None for a file that was never saved."""

    project: Path | None = None
    view: View = field(default_factory=View)
    first: int = 0

    @property
    def rows(self) -> tuple[Job, ...]:
        return self.view.rows


shown = Shown()
_state: dict[str, object] = {}
_reading: list[Iterator[None]] = []


def forget(*_args: object) -> None:
    """Handler: another file is open."""
    global shown
    shown = Shown()
    _state.clear()
    _reading.clear()


def ask() -> None:
    """What is cached may be out of date: keys, consents, rows."""
    _state.clear()


def project() -> Path | None:
    """The project folder of the open file, whether it is there or not."""
    try:
        return locate.project().root
    except HoldfastError:
        return None


def store() -> JobStore:
    """The jobs of the open file, for what a person decides. Raises HoldfastError."""
    root = locate.project().root
    known = _state.get("store")
    if isinstance(known, JobStore) and known.project == root and (root / FILE).exists():
        known.catch_up()
        return known
    made = JobStore(root)
    _state["store"] = made
    return made


def known(name: str) -> Known | None:
    """What is known of a service."""
    return services.known.get(name)


def obstacle(model: Descriptor) -> str:
    """Why nothing would be sent to a model now, and what to do; empty if it would."""
    service = known(model.provider)
    if service is None:
        return ""
    if not service.key:
        return f"{service.service.label} needs a key: type it in the panel Jobs."
    if service.local:
        return ""
    if not online():
        return "Blender is offline, so nothing is sent: allow it in the panel Jobs."
    return "" if service.agreed else f"Agree in the panel Jobs to what is sent to {service.service.label}."


def refresh(scene: bpy.types.Scene) -> bool:
    """One slice of work, of a few milliseconds; True if there is more. Reads only what changed."""
    now = time.monotonic()
    root = project()
    if root != shown.project:
        forget()
        shown.project = root
    if services.changed:
        services.changed = False
        ask()
    if _reading:
        if next(_reading[0], ...) is ...:
            _reading.clear()
            service_settings.fill(bpy.context.window_manager.holdfast_jobs.settings)
            window.redraw()
        return True
    looked = _state.get("looked")
    if not isinstance(looked, float) or now - looked > (ASKING_S if services.asking else LOOK_AGAIN_S):
        _state["looked"] = now
        extra = locate.project().catalogue() if root is not None else []
        _reading.append(services.reading(root, extra))
        return True
    read_at = _state.get("read_at")
    if root is None or (isinstance(read_at, float) and now - read_at < OFTEN_S):
        return False
    more = _read(scene, root)
    if not more:
        _state["read_at"] = now
    return more


def refresh_now(scene: bpy.types.Scene) -> None:
    """All of it, at once."""
    ask()
    for _slice in range(1000):
        if not refresh(scene):
            return


def _read(scene: bpy.types.Scene, root: Path) -> bool:
    """Sums and page, each in a slice of its own; True if there is more."""
    view, day = bpy.context.window_manager.holdfast_jobs, 86400.0 * (int(time.time()) // 86400)
    shot, caps, now = scene.holdfast.shot_name, caps_of(scene), stamp(root)
    sums = _state.get("sums")
    if not isinstance(sums, Sums) or _state.get("summed") != (now, day):
        sums = read_sums(root, day)
        if sums is None:  # a writer is at it
            return False
        _state["sums"], _state["summed"] = sums, (now, day)
        return True
    wanted = (now, view.show, view.only_shot, view.page, shot, day, caps)
    if wanted == _state.get("wanted"):
        return False
    steps = job_view.STEPS[view.show]
    page = read_page(root, steps, shot if view.only_shot else "", view.page * PAGE)
    if page is None:
        return False
    found = view_of(page, sums, steps, shot, view.only_shot)
    if view.page and not page and found.found:
        view.page = (found.found - 1) // PAGE
        return True
    _state["wanted"] = wanted
    shown.view, shown.first = found, view.page * PAGE
    _fill(view, [job.id for job in page])
    window.redraw()
    return False


def _fill(view: job_view.HOLDFAST_PG_job_view, names: list[str]) -> None:
    """The rows of the list; the chosen job stays chosen where it is still listed."""
    before = [row.name for row in view.rows]
    if before == names:
        return
    chosen = before[view.active_row] if view.active_row < len(before) else ""
    view.rows.clear()
    for name in names:
        view.rows.add().name = name
    view.active_row = names.index(chosen) if chosen in names else 0


def chosen() -> Job | None:
    """The job that is shown below the list."""
    index = bpy.context.window_manager.holdfast_jobs.active_row
    return shown.rows[index] if index < len(shown.rows) else None
