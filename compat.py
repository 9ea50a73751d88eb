# SPDX-License-Identifier: GPL-3.0-or-later
"""Every difference between Blender 4.2 and 5.2, one function each."""

import bpy


def ensure_fcurve(action: bpy.types.Action, owner: bpy.types.ID, path: str, index: int) -> bpy.types.FCurve:
    """The action's curve for ``path[index]`` of ``owner``, whose active action it is; made if missing.

    From 4.4 on curves live in the slot of their owner; from 5.0 on there is no other way to them.
    """
    if hasattr(action, "fcurve_ensure_for_datablock"):
        return action.fcurve_ensure_for_datablock(owner, path, index=index)
    return action.fcurves.find(path, index=index) or action.fcurves.new(path, index=index)
