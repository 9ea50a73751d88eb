# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks parts in the scene and gives them their numbers and names, which stay; the work of the operators in ``mark``."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import bpy

from ..pipeline.errors import InputError
from ..rendering import evaluated
from ..rendering.part_numbers import Numbers
from ..rendering.parts import marked_collections, marked_objects, part_name, slot_key, used_slots
from ..rendering.throwaway import rendered_layer

Marked = bpy.types.Object | bpy.types.Collection


def mark_objects(scene: bpy.types.Scene, things: Sequence[bpy.types.Object], split: str = "NONE") -> int:
    """Each object is a part, or (``split``) made of parts. How many."""
    numbers, names = Numbers(scene), _names(scene)
    for thing in things:
        thing.holdfast.role, thing.holdfast.split = "HERO", split
        _mark(thing, numbers, names)
    return len(things)


def mark_collection(scene: bpy.types.Scene, collection: bpy.types.Collection) -> int:
    """The collection is one part, and nothing in it another. How many: 1. Raises InputError for the scene's own."""
    if collection == scene.collection:
        todo = "Put its objects into a collection, and choose that."
        raise InputError("The scene's own collection can't be a part", where=scene.name, todo=todo)
    for each in (*collection.all_objects, *collection.children_recursive):
        each.holdfast.is_part = False
    things = sorted(collection.all_objects, key=lambda thing: thing.name)
    roots = [thing for thing in things if thing.parent not in things]
    collection.holdfast.leader = collection.holdfast.leader or next(iter(roots), None)
    _mark(collection, Numbers(scene), _names(scene))
    return 1


def gathered(things: Sequence[bpy.types.Object]) -> bpy.types.Collection:
    """A new collection with these objects, beside where they are now."""
    home = things[0].users_collection[0]
    made = bpy.data.collections.new(things[0].name)
    home.children.link(made)
    for thing in things:
        made.objects.link(thing)
    return made


def mark_slots(scene: bpy.types.Scene, things: Sequence[bpy.types.Object]) -> int:
    """Each material slot that is in use is a part. How many."""
    things = [thing for thing in things if len(thing.material_slots)]
    mark_objects(scene, things, "SLOTS")
    count, numbers, depsgraph = 0, Numbers(scene), rendered_layer(scene).depsgraph
    for thing in things:
        piece_of = _pieces(thing, numbers)
        for index in sorted(used_slots(thing.evaluated_get(depsgraph).data, len(thing.material_slots))):
            material = thing.material_slots[index].material
            piece_of(slot_key(index), f"{part_name(thing)} {material.name if material else index + 1}")
            count += 1
    return count


def mark_instances(scene: bpy.types.Scene, things: Sequence[bpy.types.Object], whole_shot: bool) -> int:
    """Each instance that one of the objects shows is a part; those that have a number keep it. How many.

    ``whole_shot`` looks at every frame of the shot; the scene's frame is then as before.
    """
    frame, subframe = scene.frame_current, scene.frame_subframe
    numbers = Numbers(scene)
    piece_of = {thing: _pieces(thing, numbers) for thing in things}
    marked: dict[tuple[bpy.types.Object, str], None] = {}
    try:
        for moment in range(scene.frame_start, scene.frame_end + 1) if whole_shot else (frame,):
            if whole_shot:
                scene.frame_set(moment)
            for entry in evaluated.read(scene):
                key = " ".join(str(number) for number in entry.instance or ())
                if entry.maker in piece_of and (entry.maker, key) not in marked and (key or not entry.empty):
                    _instance(entry, key, piece_of[entry.maker])
                    marked[entry.maker, key] = None
    finally:
        if whole_shot:
            scene.frame_set(frame, subframe=subframe)
    mark_objects(scene, list(dict.fromkeys(thing for thing, _ in marked)), "INSTANCES")
    return len(marked)


def _instance(entry: evaluated.Entry, key: str, piece_of: Callable[[str, str], Any]) -> None:
    pieces = [
        piece for piece in entry.maker.holdfast.pieces if piece.key and not piece.key.startswith("slot")
    ]
    name, number = part_name(entry.maker), len(pieces) + 1
    if not key:
        title = name
    elif entry.maker.instance_type == "COLLECTION" and all(
        piece.part != f"{name} {entry.name}" for piece in pieces
    ):
        title = f"{name} {entry.name}"
    else:
        title = f"{name} {number}"
    piece = piece_of(key, title)
    piece.bounds = (*entry.bounds.min(0), *entry.bounds.max(0))


def _pieces(thing: bpy.types.Object, numbers: Numbers) -> Callable[[str, str], Any]:
    """A function that gives the object's piece of a key; a new one gets the name and a number, an old one keeps its."""
    pieces = thing.holdfast.pieces
    known = {piece.key: row for row, piece in enumerate(pieces)}  # a piece itself moves when another is added
    for piece in pieces:
        if not numbers.is_own(piece.number):
            piece.number = numbers.give(piece.part)

    def piece_of(key: str, name: str) -> Any:
        if key not in known:
            known[key] = len(pieces)
            made = pieces.add()
            made.key, made.part, made.number = key, name, numbers.give(name)
        return pieces[known[key]]

    return piece_of


def _names(scene: bpy.types.Scene) -> Counter[str]:
    marked: list[Marked] = [*marked_objects(scene), *marked_collections(scene)]
    return Counter(part_name(each) for each in marked)


def _mark(thing: Marked, numbers: Numbers, names: Counter[str]) -> None:
    """Marks an object or collection under a name and a number that no other part has."""
    mark = thing.holdfast
    if mark.is_part:
        names[part_name(thing)] -= 1
    if not mark.part or names[mark.part] > 0:
        mark.part = thing.name
    names[mark.part] += 1
    if getattr(mark, "split", "NONE") == "NONE" and not numbers.is_own(mark.part_id):
        mark.part_id = numbers.give(mark.part)
    mark.is_part = True
