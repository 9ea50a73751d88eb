# SPDX-License-Identifier: GPL-3.0-or-later
"""Between a live body and a keyed one: who follows whom, the proxy or the part; and the keys, which can be taken off.

While a part is keyed its proxy hangs on it, as that of an animated body, so that others still collide with it.
"""

import json
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np

from ..pipeline.errors import InputError
from .freed import place_of
from .keys import new_action
from .proxies import PROXY_OF, RECORD, hang, lead, remove_all
from .rigid import Array, from_quaternion, multiply
from .tumble import apply3, inverse3

BAKED = "holdfast_baked"
"""Custom property of a proxy whose part is keyed: the JSON of its own location and quaternion when it was live."""
BAKE = "holdfast_bake"
"""Custom property of an action with the motion of a body: the hash of that motion."""
BEFORE = "holdfast_before"
"""Custom property of the same action: the JSON of the object's own transform before."""
_OWN = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle")
_SHEAR = 1e-4


def bake_of(ob: bpy.types.Object) -> str | None:
    """The hash of the motion of a body that an object is keyed with; None without one."""
    action = ob.animation_data.action if ob.animation_data else None
    found = None if action is None else action.get(BAKE)
    return None if found is None else str(found)


def start_of(proxy: bpy.types.Object) -> Array | None:
    """(4, 4) rigid world pose from which a live or baked proxy starts; None for an animated one."""
    if proxy.get(BAKED) is not None:
        held = json.loads(proxy[BAKED])
        place, turn = held["location"], held["quaternion"]
    elif proxy.parent is None:
        place, turn = proxy.location[:], proxy.rotation_quaternion[:]
    else:
        return None
    pose = from_quaternion(turn)
    pose[:3, 3] = place
    return pose


def follow(proxy: bpy.types.Object) -> None:
    """A live proxy follows its part from now on; nothing happens to one that does already."""
    if proxy.get(BAKED) is not None or proxy.parent is not None:
        return
    frame, stretch = place_of(proxy)
    proxy[BAKED] = json.dumps({"location": proxy.location[:], "quaternion": proxy.rotation_quaternion[:]})
    remove_all([child for child in proxy.children if child.type == "EMPTY"])
    proxy.location, proxy.rotation_quaternion = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
    hang(proxy, proxy[PROXY_OF], frame, stretch)
    _live(proxy, on=False)


def lead_again(proxy: bpy.types.Object) -> None:
    """A baked proxy is live again, where it was then."""
    if proxy.get(BAKED) is None:
        return
    (frame, stretch), held, ob = place_of(proxy), json.loads(proxy[BAKED]), proxy[PROXY_OF]
    del proxy[BAKED]
    proxy.parent = None
    proxy.matrix_parent_inverse.identity()
    proxy.location, proxy.rotation_quaternion = held["location"], held["quaternion"]
    _live(proxy, on=True)
    lead(proxy, ob, str(json.loads(proxy[RECORD])["part"]), frame, stretch)


def _live(proxy: bpy.types.Object, *, on: bool) -> None:
    proxy.rigid_body.kinematic = not on
    proxy[RECORD] = json.dumps({**json.loads(proxy[RECORD]), "live": on})


def own_places(ob: bpy.types.Object, worlds: Array, parents: Array | None) -> Array:
    """(T, 4, 4) transforms of an object's own, without its scale, that put it at ``worlds`` (T, 4, 4) under ``parents``.

    Raises InputError where its parent's uneven scale would shear it.
    """
    own = worlds
    if parents is not None:
        held = np.array(ob.matrix_parent_inverse, dtype=np.float64)
        own = multiply(_inverses(multiply(parents, held[None])), worlds)
    result = own.copy()
    result[:, :3, :3] = own[:, :3, :3] / np.array(ob.scale, dtype=np.float64)
    turns = result[:, :3, :3]
    off = np.abs(np.swapaxes(turns, 1, 2) @ turns - np.eye(3)).max() if len(turns) else 0.0
    if off > _SHEAR or np.linalg.det(turns[0]) < 0.0:
        todo = (
            "Clear the parent (Object > Parent > Clear and Keep Transformation), or apply the parent's scale."
        )
        raise InputError(f"{ob.name!r} would be sheared by the uneven scale of its parent", todo=todo)
    return result


def _inverses(transforms: Array) -> Array:
    """(T, 4, 4) inverses of affine transforms; of a still parent only one is worked out."""
    still = bool((transforms == transforms[0]).all())
    result = np.zeros_like(transforms)
    for index, transform in enumerate(transforms[:1] if still else transforms):
        linear = inverse3(transform[:3, :3])
        result[index, :3, :3] = linear
        result[index, :3, 3] = -apply3(linear, transform[:3, 3])
        result[index, 3, 3] = 1.0
    return np.broadcast_to(result[:1], result.shape) if still else result


def key(ob: bpy.types.Object, frames: Sequence[int], places: Array, digest: str) -> bpy.types.Action | None:
    """Keys an object with (T, 4, 4) transforms of its own, LINEAR. Returns the action of an earlier bake, still there."""
    previous = ob.animation_data.action if ob.animation_data else None
    before = previous[BEFORE] if previous is not None else json.dumps(_state(ob))
    action = new_action(ob, f"{ob.name} fall", frames, places)
    action[BEFORE], action[BAKE] = before, digest
    return previous


def put_back(ob: bpy.types.Object, previous: bpy.types.Action | None) -> None:
    """Undoes ``key``: an earlier bake is there again, or none."""
    if previous is None:
        unkey(ob)
    else:
        action, ob.animation_data.action = ob.animation_data.action, previous
        bpy.data.actions.remove(action)


def settle_for(ob: bpy.types.Object, previous: bpy.types.Action | None) -> None:
    """Lets the action of an earlier bake go, unless something else uses it."""
    if previous is not None and previous.users == 0:
        bpy.data.actions.remove(previous)
        ob.animation_data.action.name = f"{ob.name} fall"


def unkey(ob: bpy.types.Object) -> bool:
    """Takes the motion of a body off an object, which then stands where it stood. False if it had none."""
    if bake_of(ob) is None:
        return False
    action = ob.animation_data.action
    before = json.loads(action[BEFORE])
    bpy.data.actions.remove(action)
    ob.animation_data_clear()
    ob.rotation_mode = before["rotation_mode"]
    for name in _OWN:
        setattr(ob, name, before[name])
    return True


def _state(ob: bpy.types.Object) -> dict[str, Any]:
    return {"rotation_mode": ob.rotation_mode, **{name: list(getattr(ob, name)) for name in _OWN}}
