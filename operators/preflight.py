# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the parts before the render: who is seen, how small, behind what. Nothing is rendered, nothing changed.

The scene is looked at in a throw-away copy at a dozen frames, some rays at a time, so that the window stays alive.
"""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from bpy.props import BoolProperty, IntProperty

from ..pipeline.errors import HoldfastError
from ..pipeline.sights import Finding, Sight, findings, smallest
from ..rendering import colour, throwaway
from ..rendering import shot as reading
from ..rendering.camera import picture_size
from ..rendering.parts import Part, read_parts
from ..rendering.sight import look
from . import locate, part_rows, session, state_cache, window

Result = set[str]
MOST_FRAMES = 12
QUIET_SECONDS = 3.0
"""After a stage, whose throw-away scenes make Blender evaluate the artist's anew."""
BUDGET_SECONDS = 0.010
TICK_SECONDS = 0.004
REDRAW_SECONDS = 0.25
PLAIN_VIEWS = {"Standard", "AgX", "Filmic", "Raw"}
LOOKS = 0.8
"""Share of the check that looks at parts; the rest tries the view."""


@dataclass
class Checked:
    """What was found, on which frames, and whether the scene was changed since."""

    findings: list[Finding]
    frames: tuple[int, ...] = ()
    sizes: dict[str, Sight] = field(default_factory=dict)
    made_of: object = None
    stale: bool = False


@dataclass
class _Run:
    scene_uid: int
    steps: Generator[float, None, Checked]
    fraction: float = 0.0
    drawn: float = 0.0


results: dict[int, Checked] = {}
"""By session_uid of the scene; for this session only."""
_runs: list[_Run] = []


def shown(scene: bpy.types.Scene) -> Checked | None:
    """The last result for a scene."""
    return results.get(scene.session_uid)


def progress(scene: bpy.types.Scene) -> float | None:
    """How far a running check is, 0..1."""
    return next((run.fraction for run in _runs if run.scene_uid == scene.session_uid), None)


def check(scene: bpy.types.Scene) -> Checked:
    """Checks at once, for scripts and tests."""
    steps = checking(scene)
    try:
        while True:
            next(steps)
    except StopIteration as done:
        found: Checked = done.value
        results[scene.session_uid] = found
        return found


def checking(scene: bpy.types.Scene) -> Generator[float, None, Checked]:
    """The check in slices; yields how far it is."""
    made_of = _signature(scene)
    found, parts = _of_scene(scene)
    yield 0.0
    frames = _frames(scene)
    sights: list[Sight] = []
    if parts and frames and scene.camera is not None:
        copy = throwaway.copy_of(scene, "check")
        try:
            for frame in frames:
                for sight in look(copy, parts, frame):
                    sights.append(sight)
                    yield LOOKS * len(sights) / (len(parts) * len(frames))
        except HoldfastError as error:
            found.append(Finding("ERROR", str(error)))
        finally:
            throwaway.purge()
    found += findings(sights)
    found += yield from _of_colour(scene)
    order = {"ERROR": 0, "WARNING": 1, "INFO": 2}
    found.sort(key=lambda each: order[each.level])
    return Checked(found, frames if sights else (), smallest(sights), made_of=made_of)


def _of_scene(scene: bpy.types.Scene) -> tuple[list[Finding], list[Part]]:
    """What is wrong with the scene as a whole, and its parts if they can be told."""
    found: list[Finding] = []
    parts: list[Part] = []

    throwaway.rendered_layer(scene).update()  # a scene just built has no object list yet

    def parted() -> None:
        parts.extend(read_parts(scene))

    refusals: tuple[Callable[[], object], ...] = (
        lambda: locate.frame_range(scene), parted, lambda: reading.refuse_live_physics(scene),
        lambda: colour.refuse(scene), lambda: _given_pictures(scene),
    )  # fmt: skip
    for refuse in refusals:
        try:
            refuse()
        except HoldfastError as error:
            found.append(Finding("ERROR", str(error).rstrip(".")))
    if scene.frame_start < 1:
        found.append(Finding("ERROR", "The shot starts before frame 1"))
    if scene.camera is None:
        found.append(Finding("ERROR", "The shot has no camera"))
    found += list(_of_kinds(parts))
    return found, parts


def _given_pictures(scene: bpy.types.Scene) -> None:
    folder = scene.holdfast.truth.beauty_from
    if folder:
        frames = range(scene.frame_start, scene.frame_end + 1)
        reading.existing_pictures(Path(bpy.path.abspath(folder)), frames, picture_size(scene))


def _of_colour(scene: bpy.types.Scene) -> Generator[float, None, list[Finding]]:
    """Whether the picture can be taken back to scene-linear. Blender's own views can, and need not be tried again."""
    made = colour.record(scene)
    plain = made["look"] == "None" and made["gamma"] == 1 and not made["curves"] and not made["white_balance"]
    if plain and made["view"] in PLAIN_VIEWS:
        return []
    try:
        yield from colour.table(made, lambda share: LOOKS + (1.0 - LOOKS) * share)
    except HoldfastError as error:
        return [Finding("ERROR", str(error).rstrip("."))]
    return []


def _of_kinds(parts: list[Part]) -> Iterator[Finding]:
    for part in parts:
        thing = part.object
        if thing.type == "VOLUME":
            yield Finding(
                "WARNING", f"{part.name} is a volume: it has no surface, so no depth and no id", part.name
            )
        elif any(system.settings.type == "HAIR" for system in getattr(thing, "particle_systems", ())):
            yield Finding("INFO", f"{part.name} has hair: it is thinner than a pixel, so its ids are uncertain", part.name)  # fmt: skip


def _frames(scene: bpy.types.Scene) -> tuple[int, ...]:
    first, last = scene.frame_start, scene.frame_end
    picked = np.linspace(first, last, min(MOST_FRAMES, max(last - first + 1, 0))).round().astype(int)
    return tuple(dict.fromkeys(picked.tolist()))


def _signature(scene: bpy.types.Scene) -> object:
    render = scene.render
    size = render.resolution_x, render.resolution_y, render.resolution_percentage
    camera = scene.camera.name if scene.camera is not None else ""
    shot = scene.frame_start, scene.frame_end, len(scene.objects), camera, render.use_motion_blur
    return shot, size, tuple(part_rows.marks(scene))


def compare(scene: bpy.types.Scene) -> None:
    """Marks the result as out of date if what it is of is not so any more. Called when settings changed."""
    found = shown(scene)
    if found is not None and found.made_of != _signature(scene):
        found.stale = True


def on_depsgraph_update(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    """Handler: something was moved or edited. Frames that go by are no such change; nor is what Blender reports when it
    links everything anew, as after our copy was taken away: then collections are among it (`compare` counts objects).
    """
    found = shown(scene)
    job, since = session.current.job, time.monotonic() - session.current.ended
    if found is None or found.stale or _runs or job is not None or since < QUIET_SECONDS:
        return
    updates = list(depsgraph.updates)
    if not any(isinstance(update.id, bpy.types.Collection) for update in updates):
        found.stale = any(_is_edit(update) for update in updates)


def _is_edit(update: bpy.types.DepsgraphUpdate) -> bool:
    """Whether somebody changed something; what moves by itself is put elsewhere by a render too."""
    thing: Any = update.id.original
    if isinstance(thing, bpy.types.Action):
        return True
    if update.is_updated_geometry or update.is_updated_shading:
        return not _moves(thing)
    return bool(update.is_updated_transform) and not _moves(thing)


def _moves(thing: Any) -> bool:
    data = getattr(thing, "data", None)
    if any(getattr(each, "animation_data", None) is not None for each in (thing, data)):
        return True
    if getattr(thing, "constraints", None) or getattr(thing, "rigid_body", None) is not None:
        return True
    parent = getattr(thing, "parent", None)
    return parent is not None and _moves(parent)


def _tick() -> float | None:
    if not _runs:
        return None
    run, deadline = _runs[0], time.perf_counter() + BUDGET_SECONDS
    try:
        while time.perf_counter() < deadline:
            run.fraction = next(run.steps)
    except StopIteration as done:
        results[run.scene_uid] = done.value
        _runs.clear()
    except (ReferenceError, RuntimeError) as error:  # the scene, or an object of it, was taken away
        says = f"The check could not be finished ({error}). Check again"
        results[run.scene_uid] = Checked([Finding("ERROR", says)], made_of=None)
        _runs.clear()
    if not _runs or time.perf_counter() - run.drawn > REDRAW_SECONDS:
        run.drawn = time.perf_counter()
        window.redraw()
    return TICK_SECONDS if _runs else None


def stop(*_args: object) -> None:
    """Handler: another file is about to be opened, or the check is cancelled."""
    for run in _runs:
        run.steps.close()
    _runs.clear()


def open_checks() -> None:
    """Asks to be told of changes."""
    state_cache.listeners.append(compare)


def close_checks() -> None:
    """The extension is being disabled."""
    state_cache.listeners.remove(compare)
    stop()
    results.clear()
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


class HOLDFAST_OT_check_parts(bpy.types.Operator):
    """Checks the parts before the render."""

    bl_idname = "holdfast.check_parts"
    bl_label = "Check Parts"
    bl_description = "Look at a dozen frames of the shot, without rendering: which parts are too small, hidden or out of the picture"
    bl_options = {"INTERNAL"}

    if TYPE_CHECKING:
        stop: bool
    else:
        stop: BoolProperty(name="Stop", description="Stop the running check", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if session.current.job is not None:
            cls.poll_message_set("A stage is running: wait for it or cancel it")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        stop()
        if self.stop:
            return {"CANCELLED"}
        scene = context.scene
        if bpy.app.background:
            check(scene)
            return {"FINISHED"}
        _runs.append(_Run(scene.session_uid, checking(scene)))
        if not bpy.app.timers.is_registered(_tick):
            bpy.app.timers.register(_tick, first_interval=0.0)
        return {"FINISHED"}


class HOLDFAST_OT_show_finding(bpy.types.Operator):
    """Goes to what a check found."""

    bl_idname = "holdfast.show_finding"
    bl_label = "Go to Frame"
    bl_description = "Go to the frame that this is about, and select the part"
    bl_options = {"INTERNAL", "UNDO"}

    if TYPE_CHECKING:
        index: int
    else:
        index: IntProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> Result:  # type: ignore[override]
        found = shown(context.scene)
        if found is None or self.index >= len(found.findings):
            return {"CANCELLED"}
        finding = found.findings[self.index]
        if finding.frame is not None:
            context.scene.frame_set(finding.frame)
        part_rows.select(context, finding.part)
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_check_parts, HOLDFAST_OT_show_finding)
