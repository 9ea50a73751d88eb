# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of parts: given once, when something is marked, and never used again for anything else."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import bpy

from ..pipeline.errors import InputError
from .cryptomatte import murmur3
from .part import MOST_PARTS
from .parts import marked_collections, marked_objects, part_name

_GIVEN = "holdfast_part_numbers"
"""Custom property of the scene: the numbers ever given in it, by the hash of the part's name."""


class Place(NamedTuple):
    """Where a number is kept: by object, collection or piece; ``owner`` is the data-block that holds it."""

    owner: bpy.types.Object | bpy.types.Collection
    holder: Any
    attribute: str
    name: str

    @property
    def number(self) -> int:
        """The number kept here; 0 means none."""
        return int(getattr(self.holder, self.attribute))


class Numbers:
    """Gives new numbers: greater than any in the file, and than any ever given in the scene.

    What was a part once, or was deleted, so keeps its number to itself; a part of its name gets it back.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene: Any = scene
        self._used = Counter(place.number for owner in _owners() for place in places(owner))
        here = (*scene.objects, *scene.collection.children_recursive)
        self._here = Counter(place.number for owner in here for place in places(owner))
        self._given: dict[str, int] = dict(scene.get(_GIVEN, {}))
        self._last = max({*self._used, *self._given.values()}, default=0)

    def is_own(self, number: int) -> bool:
        """Whether this number was given, and no two things of the scene have it, as an object and its duplicate do."""
        return number > 0 and self._here[number] <= 1

    def give(self, name: str) -> int:
        """The number for a new part of this name. Raises InputError when there are none left."""
        key = f"{murmur3(name.encode(errors='replace')):08x}"
        number = self._given.get(key, 0)
        if not number or self._used[number]:
            number = self._last + 1
        if number > MOST_PARTS:
            taken = {each for each, times in self._used.items() if times}
            unused = [each for each in range(1, MOST_PARTS + 1) if each not in taken]
            number = next(
                (each for each in unused if each not in self._given.values()), unused[0] if unused else 0
            )
        if not number:
            raise InputError(f"All {MOST_PARTS} part numbers are used", where=self._scene.name)
        self._used[number] += 1
        self._last = max(self._last, number)
        self._given[key] = number
        if not self._scene.get(_GIVEN):
            self._scene[_GIVEN] = {}
        self._scene[_GIVEN][key] = number
        return number


def places(owner: bpy.types.Object | bpy.types.Collection) -> list[Place]:
    """Everything that can hold a number on an object or a collection."""
    name, held = part_name(owner), owner.holdfast
    found = [Place(owner, held, "part_id", name)]
    if isinstance(owner, bpy.types.Object):
        found += [Place(owner, piece, "number", piece.part or f"{name} {piece.key}") for piece in held.pieces]
    return found


def renumber(scene: bpy.types.Scene) -> list[str]:
    """Gives all but the first of the parts that share a number new ones. Their names.

    The first is the one that can't be edited, being linked, or else the first by name. Raises InputError for two linked
    ones.
    """
    numbers = Numbers(scene)
    taken: dict[int, Place] = {}
    changed: list[str] = []
    in_use = [place for place in _in_use(scene) if place.number]
    for place in sorted(in_use, key=lambda place: (place.owner.is_editable, place.name)):
        first = taken.setdefault(place.number, place)
        if first is place:
            continue
        if not place.owner.is_editable:
            todo = "Give one of them another number in its file, or make it a library override."
            says = f"{place.name} and {first.name} have the same number and are linked"
            raise InputError(says, where=place.owner.name_full, todo=todo)
        setattr(place.holder, place.attribute, numbers.give(place.name))
        changed.append(place.name)
    return changed


def _owners() -> Iterator[bpy.types.Object | bpy.types.Collection]:
    yield from bpy.data.objects
    yield from bpy.data.collections


def _in_use(scene: bpy.types.Scene) -> Iterator[Place]:
    """The places whose numbers count now: pieces where an object is split, its own where it is not."""
    for thing in marked_objects(scene):
        whole, *pieces = places(thing)
        yield from pieces if thing.holdfast.split != "NONE" else [whole]
    for collection in marked_collections(scene):
        yield from places(collection)
