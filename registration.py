# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that Holdfast adds to Blender: one ordered table, undone in reverse."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import bpy
from bpy.app.handlers import persistent
from bpy.props import PointerProperty

from . import command_line, panels, preferences, properties, properties_object
from .operators import (
    actions,
    asset_actions,
    asset_file,
    asset_watch,
    body_actions,
    body_bake_actions,
    clip_actions,
    editing,
    gizmos,
    heat_strip,
    ideate_actions,
    ideate_out_actions,
    ideate_sketches,
    ideate_view,
    ideate_watch,
    import_take,
    job_cache,
    job_consent,
    job_view,
    job_worker,
    jobs,
    mark,
    markers,
    mask_actions,
    moves,
    overlay,
    part_list,
    part_overlay,
    pick,
    preflight,
    prompt,
    prompt_state,
    read_pixel,
    render_watch,
    repair_actions,
    results,
    service_settings,
    session,
    state_cache,
    style_options,
    take_actions,
    take_draw,
    take_overlay,
    thumbnails,
    timeline_drag,
    timeline_keys,
    view,
    view_legend,
    viewer,
    words,
)

Undo = Callable[[], object]

CLASSES: Final[tuple[type, ...]] = (
    *properties.CLASSES,
    *preferences.CLASSES,
    *view.CLASSES,
    *service_settings.CLASSES,
    *job_view.CLASSES,
    *ideate_view.CLASSES,
    *actions.CLASSES,
    *asset_actions.CLASSES,
    *asset_file.CLASSES,
    *editing.CLASSES,
    *ideate_actions.CLASSES,
    *ideate_out_actions.CLASSES,
    *ideate_sketches.CLASSES,
    *mark.CLASSES,
    *moves.CLASSES,
    *gizmos.CLASSES,
    *pick.CLASSES,
    *timeline_drag.CLASSES,
    *timeline_keys.CLASSES,
    *body_actions.CLASSES,
    *body_bake_actions.CLASSES,
    *results.CLASSES,
    *repair_actions.CLASSES,
    *clip_actions.CLASSES,
    *preflight.CLASSES,
    *part_list.CLASSES,
    *read_pixel.CLASSES,
    *markers.CLASSES,
    *mask_actions.CLASSES,
    *words.CLASSES,
    *prompt.CLASSES,
    *style_options.CLASSES,
    *take_actions.CLASSES,
    *jobs.CLASSES,
    *job_consent.CLASSES,
    *import_take.CLASSES,
    *heat_strip.CLASSES,
    *panels.CLASSES,
)
PROPERTIES: Final[tuple[tuple[type, str, type], ...]] = (
    (bpy.types.Scene, "holdfast", properties.HOLDFAST_PG_shot),
    (bpy.types.Object, "holdfast", properties_object.HOLDFAST_PG_object),
    (bpy.types.Collection, "holdfast", properties_object.HOLDFAST_PG_collection),
    (bpy.types.WindowManager, "holdfast", view.HOLDFAST_PG_view),
    (bpy.types.WindowManager, "holdfast_jobs", job_view.HOLDFAST_PG_job_view),
    (bpy.types.WindowManager, "holdfast_ideas", ideate_view.HOLDFAST_PG_ideas_view),
)
HANDLERS: Final[tuple[tuple[str, Callable[..., None]], ...]] = (
    ("load_pre", session.on_load_pre),
    ("load_pre", viewer.stop),
    ("load_pre", preflight.stop),
    ("load_pre", job_worker.stop),
    ("load_post", state_cache.on_load_post),
    ("load_post", job_cache.forget),
    ("load_post", asset_watch.forget),
    ("load_post", ideate_watch.forget),
    ("load_post", part_overlay.forget),
    ("load_post", take_overlay.forget),
    ("save_post", state_cache.on_change),
    ("undo_post", state_cache.on_change),
    ("redo_post", state_cache.on_change),
    ("undo_post", part_overlay.forget),
    ("redo_post", part_overlay.forget),
    ("depsgraph_update_post", timeline_keys.on_depsgraph_update),
    ("depsgraph_update_post", part_overlay.on_depsgraph_update),
    ("depsgraph_update_post", preflight.on_depsgraph_update),
    ("frame_change_post", part_overlay.on_depsgraph_update),
    ("render_post", render_watch.on_render_post),
    ("render_cancel", render_watch.on_render_cancel),
)
RESOURCES: Final[tuple[tuple[Callable[[], object], Undo], ...]] = (
    (thumbnails.open_previews, thumbnails.close_previews),
    (overlay.add, overlay.remove),
    (part_overlay.add, part_overlay.remove),
    (viewer.stop, viewer.close),
    (view_legend.add, view_legend.remove),
    (take_draw.add, take_draw.remove),
    (preflight.open_checks, preflight.close_checks),
    (prompt_state.open_prompts, prompt_state.close_prompts),
    (session.open_session, session.close_session),
    (asset_watch.forget, asset_watch.close),
    (job_worker.open_worker, job_worker.close_worker),
    (ideate_watch.forget, ideate_watch.close),
)
TIMERS: Final[tuple[tuple[Callable[[], float | None], float], ...]] = (
    (session.tick, 0.1),
    (timeline_keys.tick, 0.25),
    (job_worker.tick, 0.5),
    (asset_watch.tick, 0.6),
    (ideate_watch.tick, 0.5),
)
MENUS: Final[tuple[tuple[Any, Callable[[Any, Any], None]], ...]] = (
    (bpy.types.VIEW3D_MT_object, panels.draw_object_menu),
)
KEYS: Final[tuple[tuple[Any, Any, Any, str], ...]] = (
    ("Window", "EMPTY", "ESC", actions.HOLDFAST_OT_cancel.bl_idname),
    ("Image", "IMAGE_EDITOR", "F", results.HOLDFAST_OT_flick_key.bl_idname),
)
"""Keymap, its editor, key, operator; an operator whose poll says no leaves the key to others."""
COMMANDS: Final[tuple[tuple[str, Callable[[list[str]], int]], ...]] = (("holdfast", command_line.main),)

_undo: list[Undo] = []


def _class(cls: type) -> Undo:
    bpy.utils.register_class(cls)
    return lambda: bpy.utils.unregister_class(cls)


def _property(owner: type, name: str, kind: type) -> Undo:
    setattr(owner, name, PointerProperty(type=kind))
    return lambda: delattr(owner, name)


def _handler(name: str, function: Callable[..., None]) -> Undo:
    handlers = getattr(bpy.app.handlers, name)
    handlers.append(persistent(function))  # others are dropped when a file is opened
    return lambda: handlers.remove(function)


def _resource(open_it: Callable[[], object], close_it: Undo) -> Undo:
    open_it()
    return close_it


def _timer(function: Callable[[], float | None], first: float) -> Undo:
    bpy.app.timers.register(function, first_interval=first, persistent=True)
    return lambda: bpy.app.timers.unregister(function) if bpy.app.timers.is_registered(function) else None


def _menu(menu: Any, draw: Callable[[Any, Any], None]) -> Undo:
    menu.append(draw)  # type: ignore[attr-defined]
    return lambda: menu.remove(draw)  # type: ignore[attr-defined]


def _key(name: str, space: Any, key: Any, operator: str) -> Undo:
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:  # no window, no keys
        return lambda: None
    keymap = configuration.keymaps.new(name=name, space_type=space, region_type="WINDOW")
    item = keymap.keymap_items.new(operator, type=key, value="PRESS")
    return lambda: keymap.keymap_items.remove(item)


def _command(name: str, run: Callable[[list[str]], int]) -> Undo:
    handle = bpy.utils.register_cli_command(name, run)
    return lambda: bpy.utils.unregister_cli_command(handle)


def _each(add: Callable[..., Undo], rows: Iterable[Any]) -> Iterator[Undo]:
    for row in rows:
        yield add(*row) if isinstance(row, tuple) else add(row)


def _steps() -> Iterator[Undo]:
    yield from _each(_class, CLASSES)
    yield from _each(_property, PROPERTIES)
    yield from _each(_resource, RESOURCES)
    yield from _each(_handler, HANDLERS)
    yield from _each(_timer, TIMERS)
    yield from _each(_menu, MENUS)
    yield from _each(_key, KEYS)
    yield from _each(_command, COMMANDS)


def register() -> None:
    """Adds the whole table. If one entry fails, those before it are taken back and the error goes on."""
    if _undo:
        raise RuntimeError("Holdfast is registered already")
    try:
        for undo in _steps():
            _undo.append(undo)  # noqa: PERF402  one by one: what is there must be undone if the next fails
    except BaseException:
        unregister()
        raise


def unregister() -> None:
    """Takes back what `register` added, last first; the first error is raised once all is taken back."""
    failure: BaseException | None = None
    while _undo:
        try:
            _undo.pop()()
        except BaseException as error:
            failure = failure or error
    if failure is not None:
        raise failure
