# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts a scene has: their numbers, their names, and under which names the renderer knows them.

An object with a mark of its own, or in the role Set, is not in the part of a collection around it: the innermost mark
counts. Numbers are given when parts are marked and stay. A part that has none (a script set its mark) takes the lowest
that no other part of the scene has, in the order of names: the same on every machine, but it may change when parts come
or go, until it is marked with the operator. Nothing here changes the scene.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.truth import F64
from . import evaluated
from .drawn import COVERING, NO_MATERIAL, Drawn, family_of, shown_with
from .part import MOST_PARTS, Corners, StandIn
from .part import Part as Part
from .part_names import folders
from .throwaway import MARK, rendered_layer

_SLOT = "slot "
_SHOW = "Show it, or take the part mark off it."


def read_parts(scene: bpy.types.Scene) -> list[Part]:
    """The parts of the shot by id. Raises InputError if there are none, or what can't be given or told apart.

    It reads settings rather than the picture of one frame, so that it is the same at every frame.
    """
    drawn = Drawn(scene)
    found = [part for thing in marked_objects(scene) for part in _of_object(thing, drawn, scene)]
    found += [_of_collection(each, members, drawn) for each, members in marked_collections(scene).items()]
    if not found:
        todo = "Select the objects of the product and mark them as parts."
        raise InputError("The shot has no parts", where=scene.name, todo=todo)
    if len(found) > MOST_PARTS:
        raise InputError(f"The shot has {len(found)} parts, more than {MOST_PARTS}", where=scene.name)
    _refuse_same([part.name for part in found], "name", "Give each its own.")
    numbered = {part.id for part in found}
    free = (number for number in range(1, MOST_PARTS + 1) if number not in numbered)
    found = [
        part if part.id else replace(part, id=next(free))
        for part in sorted(found, key=lambda part: part.name)
    ]
    _refuse_same([part.id for part in found], "number", "Renumber Parts gives the later ones new numbers.")
    folder = folders(part.name for part in found)
    found = [_named(part, folder[part.name]) for part in found]
    return sorted(found, key=lambda part: part.id)


def poses(scene: bpy.types.Scene, parts: Sequence[Part]) -> F64:
    """(P, 4, 4) float64 world matrices of the parts at the scene's current frame, metres.

    An instance has its own matrix; at a frame where it is not there, one without extent at its generator's origin.
    """
    depsgraph = rendered_layer(scene).depsgraph
    found = [part.object.evaluated_get(depsgraph).matrix_world for part in parts]
    result = np.array(found, np.float64).reshape(len(parts), 4, 4)
    if any(part.instance for part in parts):
        there = {(each.maker, each.instance): each.matrix for each in evaluated.read(scene)}
        for row, part in enumerate(parts):
            if part.instance and (part.object, part.instance) in there:
                result[row] = there[part.object, part.instance]
            elif part.instance:
                result[row, :3, :3] = 0
    return result


def part_name(thing: bpy.types.Object | bpy.types.Collection) -> str:
    """The stable name of a part that is an object or a collection."""
    return str(thing.holdfast.part or thing.name)


def objects_named(scene: bpy.types.Scene, name: str) -> list[bpy.types.Object]:
    """The objects that show the part of this name: for a slot or an instance, the one that has it."""
    found = [
        thing
        for thing in marked_objects(scene)
        if part_name(thing) == name or any(piece.part == name for piece in thing.holdfast.pieces)
    ]
    for collection, members in marked_collections(scene).items():
        found += members if part_name(collection) == name else []
    return found


def marked_objects(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The objects that are parts, or whose slots or instances are."""
    return [thing for thing in scene.objects if thing.holdfast.is_part and thing.holdfast.role == "HERO"]


def marked_collections(scene: bpy.types.Scene) -> dict[bpy.types.Collection, list[bpy.types.Object]]:
    """The collections that are parts, each with its own objects: those that no other mark below it takes."""
    found: dict[bpy.types.Collection, list[bpy.types.Object]] = {}

    def walk(collection: bpy.types.Collection, part: bpy.types.Collection | None) -> None:
        if collection.holdfast.is_part:
            part = collection
        if part is not None:
            own = [
                each
                for each in collection.objects
                if not each.holdfast.is_part and each.holdfast.role == "HERO"
            ]
            found.setdefault(part, []).extend(each for each in own if each not in found[part])
        for child in collection.children:
            walk(child, part)

    for child in scene.collection.children:
        walk(child, None)
    return found


def _of_object(thing: bpy.types.Object, drawn: Drawn, scene: bpy.types.Scene) -> list[Part]:
    name = part_name(thing)
    if thing not in drawn.objects:
        raise InputError(f"The part {name} is hidden in renders", where=thing.name, todo=_SHOW)
    if thing.type == "META" and family_of(thing, scene)[0] != thing:
        leader = family_of(thing, scene)[0].name
        todo = f"Mark {leader} instead, or give {thing.name} another name."
        raise InputError(f"The metaball {thing.name} is drawn as a piece of {leader}", where=name, todo=todo)
    if thing.holdfast.split == "INSTANCES":
        return list(_instances(thing))
    cover, stand_ins = _cover([thing], drawn, name)
    objects = family_of(thing, scene) if thing.type == "META" else shown_with(thing)
    plain = Part(
        thing.holdfast.part_id, name, "", "OBJECT", thing, cover,
        stand_ins=stand_ins, bounds=bounds_of(thing), objects=tuple(objects),
    )  # fmt: skip
    return list(_slots(plain)) if thing.holdfast.split == "SLOTS" else [plain]


def _of_collection(
    collection: bpy.types.Collection, members: Sequence[bpy.types.Object], drawn: Drawn
) -> Part:
    name = part_name(collection)
    shown = [thing for thing in members if thing in drawn.objects]
    if not shown:
        raise InputError(f"Nothing of the part {name} is shown in renders", where=collection.name, todo=_SHOW)
    roots = [thing for thing in shown if thing.parent not in shown] or shown
    leader = collection.holdfast.leader
    if leader not in shown:
        leader = min(roots, key=lambda thing: (thing.type not in COVERING, thing.name))
    cover, stand_ins = _cover(shown, drawn, name)
    bounds = bounds_of(leader) if len(shown) == 1 else None
    return Part(
        collection.holdfast.part_id, name, "", "COLLECTION", leader, cover,
        stand_ins=stand_ins, bounds=bounds, objects=tuple(each for thing in shown for each in shown_with(thing)),
    )  # fmt: skip


def _cover(
    members: Sequence[bpy.types.Object], drawn: Drawn, name: str
) -> tuple[tuple[str, ...], tuple[StandIn, ...]]:
    """The names that cover the picture for these objects, and stand-ins for those whose name others have too."""
    own = set(members)
    names: dict[str, None] = {}
    stand_ins: list[StandIn] = []
    for thing in members:
        made = [each for each in drawn.made_by(thing) if each.type in COVERING]
        alone = drawn.makers.get(thing.name, set()) <= own
        if thing.type in COVERING and (alone or not made):
            if alone:
                names[thing.name] = None
            else:
                stand_ins.append(StandIn("", thing, None))
        shared = [each.name for each in (thing, *made) if not drawn.makers.get(each.name, set()) <= own]
        if made and shared:
            todo = "Mark it per instance, or give the object that it repeats another name."
            raise InputError(f"{thing.name} shows {shared[0]}, as others do", where=name, todo=todo)
        names.update(dict.fromkeys(each.name for each in made))
    if not names and not stand_ins:
        kind = members[0].bl_rna.properties["type"].enum_items[members[0].type].name.lower()
        todo = "Take the part mark off it."
        raise InputError(f"The part {name} ({kind}) has no coverage in a render", where=name, todo=todo)
    return tuple(names), tuple(stand_ins)


def _slots(plain: Part) -> Iterator[Part]:
    """A part per material slot in use."""
    pieces = {piece.key: piece for piece in plain.object.holdfast.pieces}
    materials: dict[str, int] = {}
    for index, slot in enumerate(plain.object.material_slots):
        piece = pieces.get(slot_key(index))
        if piece is None and index not in used_slots(plain.object.data, len(plain.object.material_slots)):
            continue
        material = slot.material.name if slot.material else NO_MATERIAL
        if material in materials:
            says = f"Slots {materials[material] + 1} and {index + 1} of {plain.object.name} have the same material"
            raise InputError(says, where=material, todo="Give each slot a material of its own.")
        materials[material] = index
        name = piece.part if piece and piece.part else f"{plain.name} {material}"
        yield replace(plain, id=piece.number if piece else 0, name=name, kind="SLOT", material=material)
    if not materials:
        todo = "Give it materials, or mark it as one part."
        raise InputError(f"{plain.object.name} has no material slots", where=plain.name, todo=todo)


def slot_key(index: int) -> str:
    """The key of the piece that is a material slot; those of instances are their persistent ids."""
    return f"{_SLOT}{index}"


def used_slots(data: bpy.types.ID, slots: int) -> set[int]:
    """The material slots that faces of a mesh use; all of them for other data."""
    if not isinstance(data, bpy.types.Mesh):
        return set(range(slots))
    used = np.zeros(len(data.polygons), np.int32)
    data.polygons.foreach_get("material_index", used)
    return set(np.minimum(np.unique(used), slots - 1).tolist())


def _instances(maker: bpy.types.Object) -> Iterator[Part]:
    """A part per instance that was numbered when they were marked."""
    name = part_name(maker)
    pieces = [piece for piece in maker.holdfast.pieces if not piece.key.startswith(_SLOT)]
    if not pieces:
        todo = "Mark it as parts per instance at a frame where it shows them."
        raise InputError(f"The instances of {maker.name} have no numbers", where=name, todo=todo)
    for place, piece in enumerate(pieces, 1):
        key = tuple(int(number) for number in piece.key.split())
        label, corners = piece.part or f"{name} {place}", list(piece.bounds)
        stand_in = (StandIn("", maker, key or None),)
        bounds = (tuple(corners[:3]), tuple(corners[3:]))
        yield Part(
            piece.number, label, "", "INSTANCE", maker, (),
            instance=key, stand_ins=stand_in, bounds=bounds, objects=tuple(shown_with(maker)),
        )  # fmt: skip


def _named(part: Part, folder: str) -> Part:
    """The part with its folder, and its stand-ins called after its number."""
    named = tuple(
        each._replace(name=f"{MARK} {part.id}.{place}") for place, each in enumerate(part.stand_ins)
    )
    cover = (*part.cover, *(each.name for each in named))
    return replace(part, folder=folder, cover=cover, stand_ins=named)


def bounds_of(thing: bpy.types.Object) -> Corners | None:
    """The least and greatest corner of what an object draws itself, in its own axes; None without geometry."""
    if thing.type not in COVERING:
        return None
    box = thing.bound_box  # its first corner is the least, its seventh the greatest
    return tuple(box[0]), tuple(box[6])


def _refuse_same(values: Sequence[object], what: str, todo: str) -> None:
    seen: set[object] = set()
    twice = {str(value) for value in values if value in seen or seen.add(value)}
    if twice:
        raise InputError(f"Two parts have the same part {what}", where=", ".join(sorted(twice)), todo=todo)
