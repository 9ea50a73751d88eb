# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the scene's parts back as they were when the stage fails or is cancelled in the middle."""

from collections.abc import Iterable
from typing import Any

import bpy

from .assembly import MOTION, REST
from .meshes import ORIGINAL

_KEPT = ("rotation_mode", "location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")


class Rollback:
    """Remembers meshes, actions and transforms of objects; superseded data stays alive until ``commit``."""

    def __init__(self, objects: Iterable[bpy.types.Object]) -> None:
        self.objects = list(objects)
        self._states = [self._state(ob) for ob in self.objects]
        self._pinned = []
        for ob in self.objects:
            for block in (ob.data, ob.animation_data.action if ob.animation_data else None):
                if block is not None and not block.use_fake_user:
                    block.use_fake_user = True
                    self._pinned.append(block)

    @staticmethod
    def _state(ob: bpy.types.Object) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for name in _KEPT:
            value = getattr(ob, name)
            state[name] = value if isinstance(value, str) else tuple(value)
        state["data"] = ob.data
        state["action"] = ob.animation_data.action if ob.animation_data else None
        state["props"] = {key: _plain(ob[key]) for key in (MOTION, REST) if ob.get(key) is not None}
        return state

    def commit(self) -> None:
        """Lets go of what was superseded; the untouched meshes of fitted parts keep their fake user."""
        kept = [ob.data.get(ORIGINAL) for ob in self.objects if ob.data is not None]
        for block in self._pinned:
            if block in kept:
                continue
            block.use_fake_user = False
            if block.users == 0:
                _remove(block)
        self._pinned = []

    def undo(self) -> None:
        """Puts everything back. Does nothing to objects that are gone."""
        for ob, state in zip(self.objects, self._states, strict=True):
            try:
                self._put_back(ob, state)
            except ReferenceError:
                return
        self.commit()

    def _put_back(self, ob: bpy.types.Object, state: dict[str, Any]) -> None:
        made: list[Any] = [ob.data] if ob.data != state["data"] else []
        action = ob.animation_data.action if ob.animation_data else None
        if action is not None and action != state["action"]:
            made.append(action)
        ob.data = state["data"]
        if ob.animation_data:
            ob.animation_data.action = state["action"]
            if state["action"] is None:
                ob.animation_data_clear()
        for name in _KEPT:
            setattr(ob, name, state[name])
        for key in (MOTION, REST):
            ob.pop(key, None)
        for key, value in state["props"].items():
            ob[key] = value
        for block in made:
            if block.users == 0:
                _remove(block)


def _plain(value: Any) -> Any:
    """A copy of a custom property that outlives its removal."""
    return value if isinstance(value, str) else list(value)


def _remove(block: Any) -> None:
    (bpy.data.actions if isinstance(block, bpy.types.Action) else bpy.data.meshes).remove(block)
