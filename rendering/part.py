# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the product, as the ground truth knows it."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import bpy

MOST_PARTS = 65535
"""Ids are stored in 16 bits at most, 0 being no part."""
Kind = Literal["OBJECT", "COLLECTION", "SLOT", "INSTANCE"]
Corners = tuple[tuple[float, ...], tuple[float, ...]]


class StandIn(NamedTuple):
    """A temporary object ``name`` in place of the own geometry of ``object`` (None), or of one of its instances."""

    name: str
    object: bpy.types.Object
    instance: tuple[int, ...] | None


@dataclass(frozen=True)
class Part:
    """A part of the product.

    ``object`` has the part's pose (for INSTANCE it is the generator, and the pose is the instance's own). ``cover``
    are the names under which Cryptomatte's object layer has the part, ``material`` the one of its material layer (SLOT
    only), ``instance`` the persistent id of a generated instance. ``stand_ins`` are the temporary objects among
    ``cover`` that are there only after ``instances.realise``. ``bounds`` are the least and greatest corner in the
    pose's own axes, metres. ``objects`` of the scene show the part, makers of its instances included.
    """

    id: int
    name: str
    folder: str
    kind: Kind
    object: bpy.types.Object
    cover: tuple[str, ...]
    material: str = ""
    instance: tuple[int, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
    bounds: Corners | None = None
    objects: tuple[bpy.types.Object, ...] = ()

    @property
    def realised(self) -> bool:
        """Whether the part is in a picture under its own names only after ``instances.realise``."""
        return bool(self.stand_ins)

    def record(self) -> dict[str, Any]:
        """As truth.json lists it."""
        return {
            "id": self.id,
            "name": self.name,
            "folder": self.folder,
            "kind": self.kind,
            "object": self.object.name,
            "cover": list(self.cover),
            "material": self.material,
            "bounds": None if self.bounds is None else [list(corner) for corner in self.bounds],
        }
