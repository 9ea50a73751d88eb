# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the real render meshes of the two sides ever cut each other, at sampled frames of the baked motion."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from . import meshes
from .assembly import Assembly, Joint, Part
from .rigid import Array, inverse, multiply
from .units import MM

LIFT = 0.02 * MM
"""The moving side is held this much off its seat or its stop, so that faces that rest on each other don't count."""


@dataclass(frozen=True)
class Overlap:
    """Most triangles that cut each other at once, at which sample, and the two parts; 0 where nothing does."""

    triangles: int = 0
    sample: int = 0
    parts: tuple[str, str] = ("", "")


def overlaps(
    assembly: Assembly, joint: Joint, read: Array, samples: Sequence[tuple[int, float]]
) -> Generator[float, None, Overlap]:
    """Of (S, P, 4, 4) world matrices at some ``samples``, between the two sides of one joint. Yields the fraction done."""
    moving = [(k, part) for k, part in enumerate(assembly.parts) if part.root == joint.peg.root]
    fixed = [(k, part) for k, part in enumerate(assembly.parts) if part.root == joint.socket.root]
    shapes = {part.name: _shape(part) for _, part in moving + fixed}
    trees = {part.name: _tree(*shapes[part.name]) for _, part in fixed}
    socket = [part.name for part in assembly.parts].index(joint.socket.name)
    worst = Overlap()
    for done, (sample, off) in enumerate(samples):
        axis = _rigid(read[sample, socket])[:3, :3] @ joint.socket_frame[:3, 2]
        for index, part in moving:
            for other_index, other in fixed:
                relative = multiply(inverse(_rigid(read[sample, other_index])), _rigid(read[sample, index]))
                out = _rigid(read[sample, other_index])[:3, :3].T @ axis
                points, corners = shapes[part.name]
                placed = points @ relative[:3, :3].T + relative[:3, 3] + off * LIFT * out
                if not _near(placed, shapes[other.name][0]):
                    continue
                count = len(_tree(placed, corners).overlap(trees[other.name]))
                if count > worst.triangles:
                    worst = Overlap(count, sample, (part.name, other.name))
        yield (done + 1) / len(samples)
    return worst


def _rigid(world: Array) -> Array:
    result = world.copy()
    result[:3, :3] = world[:3, :3] / np.sqrt((world[:3, :3] ** 2).sum(axis=0))
    return result


def _shape(part: Part) -> tuple[Array, NDArray[np.int64]]:
    return meshes.vertices(meshes.of(part.ob)) * part.scale, meshes.triangles(meshes.of(part.ob))


def _tree(points: Array, corners: NDArray[np.int64]) -> Any:
    tree: Any = BVHTree.FromPolygons(points.tolist(), corners.tolist(), all_triangles=True)
    return tree


def _near(a: Array, b: Array) -> bool:
    return bool((a.min(axis=0) < b.max(axis=0)).all() and (b.min(axis=0) < a.max(axis=0)).all())
