# SPDX-License-Identifier: GPL-3.0-or-later
"""A deep dump of the file as an artist knows it: every setting of every data-block, to be compared before and after."""

from __future__ import annotations

from typing import Any

import bpy

KINDS = (
    "scenes",
    "objects",
    "meshes",
    "collections",
    "actions",
    "materials",
    "worlds",
    "node_groups",
    "texts",
)
SKIPPED = {
    "rna_type",
    "session_uid",
    "original",
    "users",
    "is_evaluated",
    "tag",
    "preview",
    "use_nodes",
    "bl_system_properties_get",
}
NESTED = {
    "holdfast",
    "rigid_body",
    "rigidbody_world",
    "point_cache",
    "constraints",
    "modifiers",
    "animation_data",
}
DERIVED = {
    "matrix_world",
    "layer_collection",
    "depsgraph",
    "view_layers",
    "is_updated",
    "is_updated_data",
    "is_runtime_data",
}


def custom(held: Any) -> Any:
    """A custom property without the addresses that its text would show."""
    if isinstance(held, bpy.types.ID):
        return f"{type(held).__name__} {held.name}"
    if hasattr(held, "to_dict"):
        return str(held.to_dict())
    return str(held.to_list()) if hasattr(held, "to_list") else str(held)


def value(thing: Any, depth: int) -> Any:
    """Something that compares by what it holds."""
    if isinstance(thing, bpy.types.ID):
        return f"{type(thing).__name__} {thing.name}"
    if isinstance(thing, bpy.types.bpy_struct):
        return block(thing, depth + 1) if depth < 3 else type(thing).__name__
    if isinstance(thing, (str, int, float, bool, type(None))):
        return thing
    if hasattr(thing, "bl_rna") or hasattr(thing, "keys"):
        return (
            [value(item, depth) for item in list(thing)[:64]] if not hasattr(thing, "items") else len(thing)
        )
    try:
        return [value(item, depth) for item in thing][:64]
    except TypeError:
        return str(type(thing))


def block(thing: Any, depth: int = 0) -> dict[str, Any]:
    """Every property of a block, and its custom ones; what hangs on it is followed where it belongs to it."""
    seen: dict[str, Any] = {}
    for prop in thing.bl_rna.properties:
        name = prop.identifier
        if name in SKIPPED | DERIVED or (prop.type == "POINTER" and depth > 0 and name not in NESTED):
            continue
        found = getattr(thing, name, None)
        if prop.type == "COLLECTION":
            whole = name in NESTED
            seen[name] = (
                [value(item, depth) for item in found]
                if whole
                else sorted(getattr(i, "name", "") for i in found)
            )
        elif prop.type == "POINTER" and name not in NESTED and not isinstance(found, bpy.types.ID):
            continue
        else:
            seen[name] = value(found, depth)
    if isinstance(thing, bpy.types.ID):
        seen["custom"] = {key: custom(thing[key]) for key in sorted(thing.keys()) if key != "holdfast"}
    if isinstance(thing, bpy.types.Mesh):
        seen["points"] = [tuple(vertex.co) for vertex in thing.vertices]
    return seen


def dump() -> dict[str, dict[str, Any]]:
    """Every data-block of the file by kind and name, and the points of its meshes."""
    bpy.context.view_layer.update()
    return {f"{kind} {item.name}": block(item) for kind in KINDS for item in getattr(bpy.data, kind)}


def users() -> dict[str, list[str]]:
    """By data-block, which others use it, as Blender finds it by looking.

    Not ``ID.users``, which is a running count: Blender 4.2 (not 4.3) leaves the objects and collections directly in a
    scene with one too many when a copy of the scene is removed, and Blender 5.2 counts a scene twice when a
    Render Layers node is made. Both count anew on load. An artist can notice one thing of it, in 4.2: an object deleted
    afterwards stays in the file, unused, until that was saved and opened again.
    """
    result_of_a_render = ("Render Result", "Viewer Node")
    return {
        f"{type(item).__name__} {item.name_full}": sorted(
            f"{type(user).__name__} {user.name_full}" for user in by
        )
        for item, by in bpy.data.user_map().items()
        if item.name not in result_of_a_render
    }


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What is not the same, for the message of a failing test."""
    lines = [f"gone: {name}" for name in before if name not in after]
    lines += [f"new: {name}" for name in after if name not in before]
    for name in before.keys() & after.keys():
        for key in before[name].keys() | after[name].keys():
            if before[name].get(key) != after[name].get(key):
                lines.append(f"{name}.{key}: {before[name].get(key)!r} became {after[name].get(key)!r}")
    return lines
