# SPDX-License-Identifier: GPL-3.0-or-later
"""A part under work: its mesh is cut again and again in the joint's frame, and the untouched mesh stays."""

from dataclasses import dataclass

import bpy
from mathutils.bvhtree import BVHTree

from . import meshes
from .booleans import Change, boolean
from .rigid import Array, inverse, move_points
from .solids import Solid


@dataclass
class Workpiece:
    """A part on the bench: its mesh so far, replaced with every cut. ``frame`` (4, 4) in mesh units, ``scale`` metres
    to one of them."""

    ob: bpy.types.Object
    source: bpy.types.Mesh
    mesh: bpy.types.Mesh
    frame: Array
    scale: float

    def cut(self, tool: Solid, operation: str, change: Change) -> None:
        """Changes in cubic metres."""
        placed = Solid(move_points(self.frame, tool.vertices / self.scale), tool.faces)
        wanted = Change(change.low / self.scale**3, change.high / self.scale**3)
        result = boolean(self.mesh, placed, operation, wanted, self.ob.name)
        self.drop()
        self.mesh = result

    def drop(self) -> None:
        """Frees what was made so far."""
        if self.mesh != self.source:
            bpy.data.meshes.remove(self.mesh)
            self.mesh = self.source

    def near(self, reach: float) -> BVHTree:
        """A search tree over the triangles within ``reach`` of the axis, in the joint's frame, metres."""
        local = self.points()
        corners = meshes.triangles(self.mesh)
        box = local[corners]
        close = (box.min(axis=1)[:, :2] < reach).all(axis=1) & (box.max(axis=1)[:, :2] > -reach).all(axis=1)
        return BVHTree.FromPolygons(local.tolist(), corners[close].tolist(), all_triangles=True)

    def points(self) -> Array:
        """(V, 3) vertices in the joint's frame, metres."""
        placed = self.frame.copy()
        placed[:3, 3] *= self.scale
        return move_points(inverse(placed), meshes.vertices(self.mesh) * self.scale)
