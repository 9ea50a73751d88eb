# SPDX-License-Identifier: GPL-3.0-or-later
"""The joints' timing as real keys, to be dragged in the Timeline and the Dope Sheet: a channel for every joint.

The settings stay the truth. While the keys are there, whichever of the two changed since they last agreed sets the
other; what they agreed on is kept with the keys, so that undo takes all of it back at once. Keys are only moved here,
never added or removed, while they can be in the middle of a drag.
"""

import json
from collections.abc import Sequence
from typing import Final

import bpy

from .. import compat
from . import state_cache, timeline
from .timeline import Row

Result = set[str]
NAME: Final = "Holdfast timing"
KEEPER: Final = "holdfast_timing_keys"
"""Custom property of the scene: the empty that carries the keys."""
AGREED: Final = "holdfast_agreed"
"""Custom property of that empty: the keys and the settings' frames when they last agreed, as JSON."""
Frames = list[list[float]]
TICK_SECONDS: Final = 0.25


def keeper(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The empty that carries the keys, or None."""
    ob = scene.get(KEEPER)
    return ob if isinstance(ob, bpy.types.Object) and ob.name in scene.objects else None


def show(scene: bpy.types.Scene) -> bpy.types.Object:
    """Makes the keys, in place of earlier ones. The empty is returned."""
    hide(scene)
    ob = bpy.data.objects.new(NAME, None)
    ob.empty_display_size, ob.hide_render = 0.0, True
    scene.collection.objects.link(ob)
    scene[KEEPER] = ob
    _fill(scene, ob)
    return ob


def _fill(scene: bpy.types.Scene, ob: bpy.types.Object) -> None:
    """A new action with a channel for every joint, in place of the one before."""
    before = ob.animation_data.action if ob.animation_data else None
    for key in [key for key in ob.keys() if key[:1].isdigit()]:  # noqa: SIM118  ID properties are no dict
        del ob[key]
    ob.animation_data_create().action = bpy.data.actions.new(NAME)
    if before is not None and before.users == 0:
        bpy.data.actions.remove(before)
    for row in timeline.rows(scene):
        ob[_channel(row)] = float(row.number)
        curve = compat.ensure_fcurve(ob.animation_data.action, ob, _path(row), 0)
        curve.keyframe_points.add(len(row.keys))
        for point in curve.keyframe_points:
            point.co = (0.0, row.number)
            point.interpolation = "CONSTANT"
        _place(curve, row.keys)
    _agree(scene, ob)


def hide(scene: bpy.types.Scene) -> None:
    """Takes the keys away; the settings have them."""
    ob = scene.get(KEEPER)
    if scene.get(KEEPER) is not None:
        del scene[KEEPER]
    if isinstance(ob, bpy.types.Object):
        action = ob.animation_data.action if ob.animation_data else None
        bpy.data.objects.remove(ob)
        if action is not None and action.users == 0:
            bpy.data.actions.remove(action)


def agree(scene: bpy.types.Scene) -> None:
    """Lets settings follow the keys that a person moved, else the keys the settings."""
    ob = keeper(scene)
    if ob is None:
        return
    found, agreed = _keys(scene, ob), json.loads(ob.get(AGREED, "{}"))
    if found == agreed.get("keys") and _frames(scene) == agreed.get("rows"):
        return
    if found is None or not _as_many(found, agreed):
        # Keys that a person adds or deletes mean nothing; other moves in the settings want other keys, but not now:
        # this runs in the middle of an evaluation.
        if _frames(scene) != agreed.get("rows") and not bpy.app.timers.is_registered(_fill_all):
            bpy.app.timers.register(_fill_all, first_interval=0.0)
        return
    moved = [index for index, keys in enumerate(found) if keys != agreed["keys"][index]]
    for index in moved:
        row = timeline.rows(scene)[index]
        timeline.write(scene, row, timeline.legal(row, found[index]))
    for index, row in enumerate(timeline.rows(scene)):
        if index not in moved:
            _place(_curve(ob, row), row.keys)
    if moved:
        state_cache.on_change()
    _agree(scene, ob)


def on_depsgraph_update(scene: bpy.types.Scene, *_args: object) -> None:
    """Handler: something changed; one look-up while there are no keys."""
    if scene.get(KEEPER) is not None:
        agree(scene)


def tick() -> float:
    """Timer: settings that were changed move the keys; Blender does not always tell of those."""
    scene = bpy.context.scene
    if scene is not None and scene.get(KEEPER) is not None:
        agree(scene)
    return TICK_SECONDS


def _fill_all() -> None:
    """Timer, once: new channels where the joints or their moves are others."""
    for scene in bpy.data.scenes:
        ob = keeper(scene)
        if ob is not None and not _as_many(_keys(scene, ob), json.loads(ob.get(AGREED, "{}"))):
            _fill(scene, ob)


def _as_many(found: Frames | None, agreed: dict[str, Frames | None]) -> bool:
    """Whether there are as many keys in every channel as when they last agreed with the settings."""
    return [len(keys) for keys in found or ()] == [len(keys) for keys in agreed.get("keys") or ()]


def _channel(row: Row) -> str:
    return f"{row.number + 1} {row.name or row.kind}"[:60]


def _path(row: Row) -> str:
    return f'["{bpy.utils.escape_identifier(_channel(row))}"]'


def _curve(ob: bpy.types.Object, row: Row) -> bpy.types.FCurve | None:
    action = ob.animation_data.action if ob.animation_data else None
    curves = compat.fcurves_of(action) if action is not None else []
    return next((curve for curve in curves if curve.data_path == _path(row)), None)


def _keys(scene: bpy.types.Scene, ob: bpy.types.Object) -> Frames | None:
    """The frames of all keys, a list for every joint; None where they are not those of the joints' moves."""
    found: Frames = []
    for row in timeline.rows(scene):
        curve = _curve(ob, row)
        if curve is None or len(curve.keyframe_points) != len(row.keys):
            return None
        found.append([round(point.co.x, 3) for point in curve.keyframe_points])
    return found


def _frames(scene: bpy.types.Scene) -> Frames:
    return [[float(key) for key in row.keys] for row in timeline.rows(scene)]


def _place(curve: bpy.types.FCurve | None, keys: Sequence[int]) -> None:
    if curve is None:
        return
    for point, frame in zip(curve.keyframe_points, keys, strict=True):
        if point.co.x != frame:
            point.co_ui.x = frame
    curve.update()


def _agree(scene: bpy.types.Scene, ob: bpy.types.Object) -> None:
    ob[AGREED] = json.dumps({"keys": _keys(scene, ob), "rows": _frames(scene)})


class HOLDFAST_OT_timing_keys(bpy.types.Operator):
    """Shows the timing as keys, or takes them away."""

    bl_idname = "holdfast.timing_keys"
    bl_label = "Timing as Keys"
    bl_description = "Show the ends of all moves as keys of an empty, to drag in the Timeline or Dope Sheet; again takes them away"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(context.scene.holdfast.physics.joints)

    def execute(self, context: bpy.types.Context) -> Result:
        scene = context.scene
        if keeper(scene) is not None:
            hide(scene)
            return {"FINISHED"}
        ob = show(scene)
        for other in context.view_layer.objects:
            other.select_set(other == ob)
        context.view_layer.objects.active = ob
        return {"FINISHED"}


CLASSES = (HOLDFAST_OT_timing_keys,)
