# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a scene as the panel lists them: also those that are marked wrongly, each with what is wrong.

Read by the session's timer when marks changed; what draws looks them up.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..pipeline.errors import HoldfastError
from ..rendering.parts import Part, marked_collections, marked_objects, part_name, read_parts, slot_key
from ..rendering.shapes import Pointer, pointer

KINDS: dict[str, Any] = {
    "OBJECT": "OBJECT_DATA",
    "COLLECTION": "OUTLINER_COLLECTION",
    "SLOT": "MATERIAL",
    "INSTANCE": "MOD_ARRAY",
}
"""What a part can be, and its icon."""
Marked = bpy.types.Object | bpy.types.Collection


@dataclass(frozen=True)
class Row:
    """One part: its number (0: not yet given), its name, what it is and where, and what is wrong with it.

    ``marked`` has its mark; ``piece`` is the place of a slot or instance among the pieces of that, ``key`` names it.
    """

    id: int
    name: str
    kind: str
    where: Pointer
    marked: Marked
    wrong: str = ""
    key: str = ""
    piece: int = -1


_rows: dict[int, tuple[Row, ...]] = {}


def rows(scene: bpy.types.Scene) -> tuple[Row, ...]:
    """The parts by number, as last read."""
    return _rows.get(scene.session_uid, ())


def forget(*_args: object) -> None:
    """Nothing is known any more: objects may be gone."""
    _rows.clear()


def marks(scene: bpy.types.Scene) -> Iterator[object]:
    """All that decides the rows, cheap enough to be compared every moment."""
    for thing in scene.objects:
        mark = thing.holdfast
        if mark.is_part or mark.see_through:
            yield (
                thing.name,
                mark.part,
                mark.part_id,
                mark.role,
                mark.split,
                mark.see_through,
                thing.hide_render,
            )
            for piece in mark.pieces if mark.split != "NONE" else ():
                yield piece.key, piece.part, piece.number
    for each in scene.collection.children_recursive:
        if each.holdfast.is_part:
            yield each.name, each.holdfast.part, each.holdfast.part_id, len(each.all_objects)


def read(scene: bpy.types.Scene) -> tuple[Row, ...]:
    """Reads the parts of a scene and remembers them: as they will be rendered, or with what is wrong."""
    collections = marked_collections(scene)
    try:
        named = {part_name(each): each for each in collections}
        found = [_row(part, named) for part in read_parts(scene)]
    except HoldfastError:
        found = _marked(scene, collections)
    _rows[scene.session_uid] = tuple(sorted(found, key=lambda row: (row.id or 1 << 16, row.name)))
    return _rows[scene.session_uid]


def _row(part: Part, collections: dict[str, bpy.types.Collection]) -> Row:
    where = pointer(part)
    if part.kind == "COLLECTION":
        return Row(part.id, part.name, part.kind, where, collections[part.name])
    key = (
        slot_key(where.slot or 0)
        if part.kind == "SLOT"
        else " ".join(str(number) for number in part.instance)
    )
    pieces = [piece.key for piece in part.object.holdfast.pieces]
    place = pieces.index(key) if part.kind in {"SLOT", "INSTANCE"} and key in pieces else -1
    return Row(part.id, part.name, part.kind, where, part.object, key=key, piece=place)


def _marked(
    scene: bpy.types.Scene, collections: dict[bpy.types.Collection, list[bpy.types.Object]]
) -> list[Row]:
    """What is marked, where the parts can't be told: which of them can't, and why."""
    found: list[tuple[Marked, Sequence[bpy.types.Object]]] = [
        (thing, (thing,)) for thing in marked_objects(scene)
    ]
    found += list(collections.items())
    names = Counter(part_name(each) for each, _things in found)
    numbers = Counter(each.holdfast.part_id for each, _things in found if each.holdfast.part_id)
    return [
        Row(
            each.holdfast.part_id, part_name(each), "OBJECT" if isinstance(each, bpy.types.Object) else "COLLECTION",
            Pointer(tuple(things)), each, _wrong(each, names, numbers),
        )
        for each, things in found
    ]  # fmt: skip


def _wrong(each: Marked, names: Counter[str], numbers: Counter[int]) -> str:
    if names[part_name(each)] > 1:
        return "Another part has the same name. Give each its own"
    if numbers[each.holdfast.part_id] > 1:
        return (
            f"Another part has the number {each.holdfast.part_id}. Renumber gives the later one a new number"
        )
    if each.hide_render:
        return "It is hidden in renders. Show it, or take the part mark off it"
    return ""


def holder(row: Row) -> Any:
    """The settings with the name (``part``) of a part, which the list edits; None while they are being read anew."""
    try:
        mark = row.marked.holdfast
        if row.kind not in {"SLOT", "INSTANCE"}:
            return mark
        there = 0 <= row.piece < len(mark.pieces) and mark.pieces[row.piece].key == row.key
        return mark.pieces[row.piece] if there else None
    except ReferenceError:
        return None


def select(context: bpy.types.Context, name: str) -> bool:
    """Selects the objects of a part, and nothing else; False if there is no such part in the view."""
    row = next((row for row in rows(context.scene) if row.name == name), None)
    if row is None or context.mode != "OBJECT":
        return False
    for thing in context.selected_objects:
        thing.select_set(False)
    there = [thing for thing in row.where.objects if thing.name in context.view_layer.objects]
    for thing in there:
        thing.select_set(True)
    if there:
        context.view_layer.objects.active = there[0]
    index = [row.name for row in rows(context.scene)].index(name)
    context.window_manager.holdfast.active_part = index
    return bool(there)
