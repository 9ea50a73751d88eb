# SPDX-License-Identifier: GPL-3.0-or-later
"""The throw-away lab: a scene of its own in which things are built, evaluated and simulated, then removed whole.

The artist's scene is never stepped and keeps every data-block it had; nothing of the lab is left, also after an error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from .. import compat

MARK = "holdfast_lab"
"""Custom property on everything that belongs to a lab."""


class Lab:
    """A lab scene. Objects and data made through it are removed with it."""

    def __init__(self, name: str) -> None:
        self.scene = bpy.data.scenes.new(f"Holdfast lab {name}")
        self.scene[MARK] = True
        self._data: list[Any] = []

    def object(self, name: str, data: Any = None, matrix: Any = None) -> bpy.types.Object:
        """A new object in the lab; the lab owns its data from now on."""
        ob = bpy.data.objects.new(f"holdfast lab {name}", data)
        ob[MARK] = True
        if data is not None:
            data[MARK] = True
            self._data.append(data)
        ob.rotation_mode = "QUATERNION"
        if matrix is not None:
            ob.matrix_basis = matrix
        self.scene.collection.objects.link(ob)
        return ob

    def graph(self) -> bpy.types.Depsgraph:
        """The lab's dependency graph, up to date."""
        layer = self.scene.view_layers[0]
        layer.update()
        return layer.depsgraph

    def close(self) -> None:
        """Removes the lab, also where an undo has replaced its data-blocks in the meantime."""
        sweep()


def lab_collection(name: str) -> bpy.types.Collection:
    """A collection that goes with the labs."""
    collection = bpy.data.collections.new(f"holdfast lab {name}")
    collection[MARK] = True
    return collection


def sweep() -> None:
    """Removes whatever a lab left, as an undo in the middle of one can bring it back."""
    for scene in [scene for scene in bpy.data.scenes if scene.get(MARK)]:
        compat.remove_scene(scene)
    kinds: tuple[Any, ...] = (
        bpy.data.objects, bpy.data.meshes, bpy.data.actions, bpy.data.collections,
    )  # fmt: skip
    bpy.data.batch_remove([block for blocks in kinds for block in blocks if block.get(MARK)])


@contextmanager
def lab_scene(name: str) -> Iterator[Lab]:
    """A lab that is gone when the block ends, however it ends."""
    lab = Lab(name)
    try:
        yield lab
    finally:
        lab.close()
