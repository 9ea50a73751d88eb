# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a scene as the panel lists them: also those that are marked wrongly, each with what is wrong.

Read by the session's timer when marks changed; what draws looks them up.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import bpy

from ..pipeline.errors import HoldfastError
from ..rendering.parts import Part, part_name, read_parts

KINDS = {
    "OBJECT": "OBJECT_DATA",
    "COLLECTION": "OUTLINER_COLLECTION",
    "SLOT": "MATERIAL",
    "INSTANCE": "MOD_ARRAY",
}
"""What a part can be, and its icon."""


@dataclass(frozen=True)
class Row:
    """One part: its number (0: not yet given), its name, what it is, the objects it covers, and what is wrong."""

    id: int
    name: str
    kind: str
    objects: tuple[bpy.types.Object, ...]
    wrong: str = ""


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
        if mark.is_part:
            yield thing.name, mark.part, mark.part_id, mark.role, mark.see_through, thing.hide_render


def read(scene: bpy.types.Scene) -> tuple[Row, ...]:
    """Reads the parts of a scene and remembers them: as they will be rendered, or with what is wrong."""
    try:
        found = [_row(scene, part) for part in read_parts(scene)]
    except HoldfastError:
        found = _marked(scene)
    _rows[scene.session_uid] = tuple(sorted(found, key=lambda row: (row.id or 1 << 16, row.name)))
    return _rows[scene.session_uid]


def _row(scene: bpy.types.Scene, part: Part) -> Row:
    covered = (part.object,)
    if part.kind == "COLLECTION":
        covered = tuple(thing for thing in scene.objects if thing.name in part.cover)
    return Row(part.id, part.name, part.kind, covered)


def _marked(scene: bpy.types.Scene) -> list[Row]:
    found = [thing for thing in scene.objects if thing.holdfast.is_part and thing.holdfast.role == "HERO"]
    names = Counter(part_name(thing) for thing in found)
    numbers = Counter(thing.holdfast.part_id for thing in found if thing.holdfast.part_id)
    return [
        Row(thing.holdfast.part_id, part_name(thing), "OBJECT", (thing,), _wrong(thing, names, numbers))
        for thing in found
    ]


def _wrong(thing: bpy.types.Object, names: Counter[str], numbers: Counter[int]) -> str:
    if names[part_name(thing)] > 1:
        return "Another part has the same name"
    if numbers[thing.holdfast.part_id] > 1:
        return f"Another part has the number {thing.holdfast.part_id}"
    if thing.hide_render:
        return "It is hidden in renders"
    return ""


def marked(row: Row) -> bpy.types.PropertyGroup | None:
    """The settings that carry the name of a part; None where its generator names it."""
    return row.objects[0].holdfast if row.kind == "OBJECT" and row.objects else None


def select(context: bpy.types.Context, name: str) -> bool:
    """Selects the objects of a part, and nothing else; False if there is no such part in the view."""
    row = next((row for row in rows(context.scene) if row.name == name), None)
    if row is None or context.mode != "OBJECT":
        return False
    for thing in context.selected_objects:
        thing.select_set(False)
    there = [thing for thing in row.objects if thing.name in context.view_layer.objects]
    for thing in there:
        thing.select_set(True)
    if there:
        context.view_layer.objects.active = there[0]
    index = [row.name for row in rows(context.scene)].index(name)
    context.window_manager.holdfast.active_part = index
    return bool(there)
