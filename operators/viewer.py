# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows pictures of a shot in an Image Editor: any pass, take or clip, and the flick from one to the other.

Everything is shown as an image sequence or movie, so it follows the timeline by Blender's own means. Passes that are no
pictures are made into some by a worker (pipeline.view_worker), the shown frame first; the window waits for nothing.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import bpy

from ..pipeline.errors import HoldfastError, InputError, from_json
from ..pipeline.manifest import Manifest
from ..pipeline.view_colours import DIRECT, NEEDS, OF_PART, VIEWS, sentence
from ..pipeline.view_worker import FUNCTION, RANGE, folder_of, picture
from ..pipeline.worker import WorkerProcess
from . import window

NAME = "Holdfast view"
LABEL = "holdfast_showing"
POLL_SECONDS = 0.05
Kind = Literal["pass", "take", "clip"]


@dataclass(frozen=True)
class Shown:
    """What is looked at: a pass (of a part), a take or a clip, by name."""

    kind: Kind
    name: str
    part: str = ""


@dataclass
class _Preparing:
    """A worker at work on the pictures of a pass."""

    worker: WorkerProcess
    shown: Shown
    folder: Path
    frames: tuple[int, ...]
    fraction: float = 0.0
    message: str = "Starting"
    lacking: int | None = None
    """The frame that the editor was at before its picture was made."""


@dataclass
class _State:
    shown: Shown | None = None
    other: Shown | None = None
    """What the flick goes back to from the beauty."""
    says: str = ""
    reading: str = ""
    """What is under the mouse, while somebody reads pixels."""
    failure: str = ""
    preparing: _Preparing | None = None


state = _State()


def offered(manifest: Manifest) -> list[str]:
    """The views that a package of ground truth has, in their order."""
    passes = manifest.data["passes"]
    return [kind for kind in VIEWS if NEEDS.get(kind, kind) in passes or kind in passes]


def show_pass(context: bpy.types.Context, truth: Path, manifest: Manifest, kind: str, part: str) -> None:
    """Shows view ``kind`` of the package ``manifest`` in the folder ``truth``. Raises InputError if it isn't there."""
    if kind not in offered(manifest):
        raise InputError(f"The ground truth has no pass {kind!r}", todo="Render the ground truth again.")
    frames = tuple(int(frame) for frame in manifest.data["frames"])
    frame = context.scene.frame_current
    if frame not in frames:
        todo = f"Go to a frame from {frames[0]} to {frames[-1]}." if frames else ""
        raise InputError(f"Frame {frame} is not rendered", where=str(truth), todo=todo)
    shown = Shown("pass", kind, part if kind in OF_PART else "")
    stop()
    if kind in DIRECT:
        path = truth / manifest.data["passes"][kind]["pattern"].format(frame=frame)
        show_sequence(context, path, shown, frames)
        state.says = sentence(kind, None)
        return
    folder = folder_of(truth, manifest.digest, kind, shown.part)
    if all(picture(folder, each).is_file() for each in frames):
        show_sequence(context, picture(folder, frame), shown, frames)
        state.says = sentence(kind, _range(folder))
        return
    request = {"truth": str(truth), "kind": kind, "part": shown.part, "frame": frame}
    worker = WorkerProcess.start(FUNCTION, request, bpy.app.python_args)
    state.shown = None
    state.preparing = _Preparing(worker, shown, folder, frames)
    state.says, state.failure = sentence(kind, None), ""
    _editor(context)  # a new window opens at the click, not later
    if not bpy.app.timers.is_registered(_poll):
        bpy.app.timers.register(_poll, first_interval=0.0)


def show_sequence(
    context: bpy.types.Context, path: Path, shown: Shown, frames: Sequence[int] | None = None
) -> None:
    """Shows the numbered picture at ``path`` and, as the timeline moves, its neighbours: ``frames`` of them."""
    if not path.is_file():
        raise InputError(f"{path.name} is not there", where=str(path), todo="Go to a frame of the shot.")
    numbers = _numbers(path) if frames is None else frames
    _load(path, "SEQUENCE", shown)
    user = _show(context)
    first = numbers[0] if numbers else 1
    user.frame_start, user.frame_offset, user.frame_duration = first, first - 1, max(1, len(numbers))
    user.use_auto_refresh = True
    window.redraw()


def show_movie(context: bpy.types.Context, path: Path, shown: Shown, first: int) -> None:
    """Shows the clip at ``path``, its first picture at scene frame ``first``."""
    if not path.is_file():
        raise InputError(f"{path.name} is not there", where=str(path), todo="Make the clip again.")
    image = _load(path, "MOVIE", shown)
    user = _show(context)
    user.frame_start, user.frame_offset, user.frame_duration = first, 0, max(1, image.frame_duration)
    user.use_auto_refresh = True
    window.redraw()


def _numbers(path: Path) -> list[int]:
    found = [each.stem.rpartition(".")[2] for each in path.parent.iterdir() if each.suffix == path.suffix]
    return sorted(int(digits) for digits in found if digits.isdigit())


def _load(path: Path, source: str, shown: Shown) -> bpy.types.Image:
    image = bpy.data.images.get(NAME)
    if image is None or image.source == "GENERATED":
        if image is not None:
            bpy.data.images.remove(image)
        image = bpy.data.images.load(str(path))
        image.name = NAME
    linear = path.suffix == ".exr"
    image.filepath = str(path)
    image.source = source
    with suppress(TypeError):  # a colour configuration of the studio's own may call them otherwise
        image.colorspace_settings.name = "Linear Rec.709" if linear else "sRGB"
    image.use_view_as_render = linear
    image[LABEL] = json.dumps([shown.kind, shown.name, shown.part])
    image.reload()
    if shown != BEAUTY:
        state.other = shown
    state.shown, state.failure, state.reading = shown, "", ""
    return image


BEAUTY = Shown("pass", "beauty")


def _show(context: bpy.types.Context) -> bpy.types.ImageUser:
    space = _editor(context)
    new = not is_viewer(space)
    space.image = bpy.data.images[NAME]
    if new and not bpy.app.timers.is_registered(_fit_all):
        bpy.app.timers.register(
            _fit_all, first_interval=0.1
        )  # the size of a sequence is known once it was drawn
    return space.image_user


def _fit_all() -> None:
    """Shows the whole picture as large as the editor is."""
    context = bpy.context
    for opened in context.window_manager.windows:
        for area in opened.screen.areas:
            if area.type == "IMAGE_EDITOR" and is_viewer(area.spaces.active):
                region = next(each for each in area.regions if each.type == "WINDOW")
                with context.temp_override(window=opened, area=area, region=region), suppress(RuntimeError):
                    bpy.ops.image.view_all(fit_view=True)


def showing() -> Shown | None:
    """What the viewer shows now, also after the file was opened again; None if nothing."""
    image = bpy.data.images.get(NAME)
    if image is None or LABEL not in image:
        return None
    try:
        return Shown(*json.loads(str(image[LABEL])))
    except (ValueError, TypeError):
        return None


def ask() -> None:
    """Something else is to be looked at: what is shown changes with it, if a pass is shown at all."""
    if not bpy.app.timers.is_registered(_answer):
        bpy.app.timers.register(_answer, first_interval=0.0)


def _answer() -> None:
    seen = [space for space in editors(bpy.context) if is_viewer(space)]
    now = state.preparing.shown if state.preparing is not None else showing()
    if seen and now is not None and now.kind == "pass":
        with window.override(), suppress(RuntimeError):  # the operator said why
            bpy.ops.holdfast.view_pass()


def is_viewer(space: Any) -> bool:
    """Whether an Image Editor shows our pictures."""
    return getattr(getattr(space, "image", None), "name", "") == NAME


def progress() -> tuple[float, str] | None:
    """How far the pictures of a pass are; None if nothing is being made."""
    return None if state.preparing is None else (state.preparing.fraction, state.preparing.message)


def _poll() -> float | None:
    """Timer while a worker makes pictures: shows the first as soon as it is there."""
    try:
        return _look_after(state.preparing)
    except HoldfastError as error:
        state.failure = str(error)
    except ReferenceError:
        state.failure = ""
    stop()
    window.redraw()
    return None


def _look_after(work: _Preparing | None) -> float | None:
    if work is None:
        return None
    for event in work.worker.poll():
        if event["event"] == "progress":
            work.fraction, work.message = event["fraction"], event["message"]
            window.redraw()
        elif event["event"] == "error":
            raise from_json(event["error"])
    _show_what_is_there(work)
    if work.worker.finished:
        state.preparing = None
        window.redraw()
        return None
    return POLL_SECONDS


def _show_what_is_there(work: _Preparing) -> None:
    frame = bpy.context.scene.frame_current
    if not picture(work.folder, frame).is_file():
        work.lacking = frame
    elif state.shown != work.shown:
        with window.override():
            show_sequence(bpy.context, picture(work.folder, frame), work.shown, work.frames)
        state.says = sentence(work.shown.name, _range(work.folder))
    elif frame == work.lacking:
        bpy.data.images[NAME].reload()
        work.lacking = None


def _range(folder: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads((folder / RANGE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


def stop(*_args: object) -> None:
    """Ends the worker, if there is one: something else is shown, or the file is closed."""
    if state.preparing is not None:
        state.preparing.worker.close()
    state.preparing = None


def close() -> None:
    """The extension is being disabled."""
    stop()
    vars(state).update(vars(_State()))
    for timer in (_poll, _answer, _fit_all):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)


def is_open(context: bpy.types.Context) -> bool:
    """Whether any editor shows our pictures."""
    return any(is_viewer(space) for space in editors(context))


def editors(context: bpy.types.Context) -> list[bpy.types.SpaceImageEditor]:
    """The Image Editors of all windows."""
    return [
        area.spaces.active  # type: ignore[misc]
        for opened in context.window_manager.windows
        for area in opened.screen.areas
        if area.type == "IMAGE_EDITOR"
    ]


def _editor(context: bpy.types.Context) -> bpy.types.SpaceImageEditor:
    """An Image Editor that is open already, else one in a new window."""
    found = editors(context)
    if found:
        return next((space for space in found if is_viewer(space)), found[0])
    before = set(context.window_manager.windows)
    bpy.ops.wm.window_new()
    new = next(each for each in context.window_manager.windows if each not in before)
    area = max(new.screen.areas, key=lambda area: area.width * area.height)
    area.type = "IMAGE_EDITOR"
    return area.spaces.active  # type: ignore[return-value]
