# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn over a take in the Image Editor: expected outlines, heat map, the strip below; and what makes it ready.

The drawing only looks up what a worker made; while something is missing it asks for it and draws without.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import bpy

from ..pipeline import sheet
from ..pipeline.errors import HoldfastError, from_json
from ..pipeline.manifest import Manifest
from ..pipeline.placed import Placed
from ..pipeline.worker import WorkerProcess
from . import locate, state_cache, viewer, window

POLL_SECONDS = 0.1


@dataclass
class _State:
    worker: WorkerProcess | None = None
    asked: tuple[str, str] = ("", "")
    """Digests of the ground truth and of the report that the worker is, or was last, started for."""
    fraction: float = 0.0
    failure: str = ""


state = _State()


@dataclass(frozen=True)
class Looked:
    """The take that an Image Editor shows: its report, the ground truth, and which frames are seen."""

    name: str
    folder: Path
    truth: Manifest
    report: Manifest | None
    taken: int
    """Number of the picture that is shown."""
    source: int | None
    """Scene frame of the ground truth that it should be; None if the report knows of none."""
    placed: Placed
    """Where in it the render lies."""


def wanted(context: bpy.types.Context) -> bool:
    """Whether this editor shows a take, and anything is to be drawn over it; the timer of this module makes it ready."""
    view, shown = context.window_manager.holdfast, viewer.showing()
    anything = view.outlines != "NONE" or view.heat or view.strip
    return bool(
        anything and shown is not None and shown.kind == "take" and viewer.is_viewer(context.space_data)
    )


def looked(context: bpy.types.Context) -> Looked | None:
    """What this editor shows; None without a take and its ground truth."""
    cached, shown = state_cache.shown(context.scene), viewer.showing()
    if shown is None or shown.name not in cached.takes or "truth" not in cached.manifests:
        return None
    truth, report = cached.manifests["truth"], cached.reports.get(shown.name)
    take = cached.takes[shown.name].data
    taken = min(max(context.scene.frame_current, take["frames"][0]), take["frames"][-1])
    first_look = report is not None and report.data.get("stage") == "coarse"  # it trusts the take's own map
    pairs = (take if report is None or first_look else report.data).get("frame_map")
    source = _sources(tuple(map(tuple, pairs or ()))).get(taken, None if pairs else taken)
    width, height = truth.data["size"]
    fit = report.data.get("fit") if report is not None else None
    placed = Placed.of(fit, taken, (int(width), int(height)))
    return Looked(shown.name, Path(cached.root), truth, report, taken, source, placed)


@lru_cache(maxsize=4)
def _sources(pairs: tuple[tuple[int, int], ...]) -> Mapping[int, int]:
    return {take: source for source, take in pairs}


def lines_of(seen: Looked) -> sheet.Lines:
    """The expected outlines of the shown frame; empty while they are being traced."""
    if seen.source is None or seen.source not in seen.truth.data["frames"]:
        return {}
    found = _lines(sheet.outline_file(seen.folder / "truth", _digest(seen.truth), seen.source))
    if found is None:
        ask()
    return found or {}


def sheet_of(seen: Looked) -> sheet.Sheet | None:
    """The strengths of the report; None without one, or while they are being read."""
    if seen.report is None:
        return None
    found = _sheet(seen.folder / "reports" / seen.name, _digest(seen.report))
    if found is None:
        ask()
    return found


_kept: dict[Any, Any] = {}
MOST_KEPT = 64


def _lines(path: Path) -> sheet.Lines | None:
    if path not in _kept:
        found = sheet.read_outlines(path)
        if found is None:
            return None
        _keep(path, found)
    kept: sheet.Lines = _kept[path]
    return kept


def _sheet(folder: Path, digest: str) -> sheet.Sheet | None:
    if (folder, digest) not in _kept:
        found = sheet.read_sheet(folder, digest)
        if found is None:
            return None
        _keep((folder, digest), found)
    kept: sheet.Sheet = _kept[folder, digest]
    return kept


def _keep(key: Any, value: Any) -> None:
    while len(_kept) >= MOST_KEPT:
        _kept.pop(next(iter(_kept)))
    _kept[key] = value


_digests: dict[int, tuple[Manifest, str]] = {}


def _digest(manifest: Manifest) -> str:
    """Its digest, which takes a millisecond to make."""
    if id(manifest) not in _digests or _digests[id(manifest)][0] is not manifest:
        if len(_digests) > MOST_KEPT:
            _digests.clear()
        _digests[id(manifest)] = (manifest, manifest.digest)
    return _digests[id(manifest)][1]


def finding_of(context: bpy.types.Context, seen: Looked) -> dict[str, Any] | None:
    """The finding that the list has chosen, if it is one of the take that the editor shows."""
    cached = state_cache.shown(context.scene)
    found, index = cached.findings(), context.window_manager.holdfast.active_finding
    return found[index] if cached.take == seen.name and index < len(found) else None


def ask() -> None:
    """Something that is to be drawn is missing: a worker makes it, once."""
    if not bpy.app.timers.is_registered(_poll):
        bpy.app.timers.register(_poll, first_interval=0.0)


def again(*_args: object) -> None:
    """The person switched something on: what failed before is tried again."""
    state.asked, state.failure = ("", ""), ""


def _poll() -> float | None:
    try:
        if state.worker is None and not _start():
            return None
        return _look_after()
    except HoldfastError as error:
        state.failure = str(error)
    except ReferenceError:
        pass
    stop()
    window.redraw()
    return None


def _start() -> bool:
    scene = bpy.context.scene
    cached = state_cache.shown(scene)
    truth, shown = cached.manifests.get("truth"), viewer.showing()
    if truth is None or shown is None:
        return False
    report = cached.reports.get(shown.name)
    asked = (_digest(truth), _digest(report) if report is not None else "")
    if asked == state.asked:
        return False  # made already, or it can't be
    shot = locate.shot_of(scene)
    state.asked, state.fraction, state.failure = asked, 0.0, ""
    folder = str(shot.reports / shown.name) if report is not None else ""
    request = {"truth": str(shot.truth), "frame": scene.frame_current, "report": folder, "digest": asked[1]}
    state.worker = WorkerProcess.start(sheet.FUNCTION, request, bpy.app.python_args)
    return True


def _look_after() -> float | None:
    assert state.worker is not None
    for event in state.worker.poll():
        if event["event"] == "progress":
            state.fraction = float(event["fraction"])
            window.redraw()
        elif event["event"] == "error":
            raise from_json(event["error"])
    if state.worker.finished:
        state.worker = None
        window.redraw()
        return None
    return POLL_SECONDS


def stop(*_args: object) -> None:
    """Ends the worker, if there is one."""
    if state.worker is not None:
        state.worker.close()
    state.worker = None


def forget(*_args: object) -> None:
    """Handler: another file is open; or the extension is being disabled."""
    if bpy.app.timers.is_registered(_poll):
        bpy.app.timers.unregister(_poll)
    stop()
    again()
    _kept.clear()
    _digests.clear()
