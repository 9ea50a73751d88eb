# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a joint from world matrices alone. Imports nothing of the code that authored the motion."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from .joints.base import Mechanism
from .rigid import Array
from .units import MM

SAME: Final = 1e-4 * MM
"""Poses closer to each other than this, in metres and as much in the entries of their turns, count as one."""
FREE: Final = 1e-9
"""Metres inside of the bore's wall from which on a point surely lies in free space."""


@dataclass(frozen=True)
class Sweep:
    """The deepest penetration in metres of a motion, at which sample, that of each sample, and where (3,) in the socket
    frame it is deepest."""

    deepest: float
    index: int
    each: Array
    at: tuple[float, float, float]


def swept(
    peg_in_socket: Array, mechanism: Mechanism, peg_points: Array, socket_points: Array, wall: float = np.inf
) -> Sweep:
    """Penetration at every one of (S, 4, 4) relative poses: peg points in the socket, socket points in the peg.

    ``wall`` in metres: the socket is taken to reach out to that radius; beyond it nothing is known and 0 is given.
    Poses that agree to a ten-thousandth of a millimetre, as those of parts at rest, are looked at once.
    """
    if not len(peg_in_socket):
        return Sweep(0.0, 0, np.zeros(0), (0.0, 0.0, 0.0))
    rounded = np.round(peg_in_socket[:, :3].reshape(-1, 12) / SAME)
    _, first, same = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    pegs, sockets = np.ascontiguousarray(peg_points.T), np.ascontiguousarray(socket_points.T)
    reach = float(np.sqrt((peg_points**2).sum(axis=1).max())) if len(peg_points) else 0.0
    depths, places = np.zeros(len(first)), np.zeros((len(first), 3))
    for index, sample in enumerate(first):
        m = peg_in_socket[sample]
        depths[index], places[index] = _in_socket(m, mechanism, pegs, wall)
        if len(socket_points) and m[2, 3] < reach:
            depth, place = _in_peg(m, mechanism, sockets)
            if depth > depths[index]:
                depths[index], places[index] = depth, place
    each = depths[same.ravel()]
    worst = int(each.argmax())
    x, y, z = (float(value) for value in places[same.ravel()[worst]])
    return Sweep(float(each[worst]), worst, each, (x, y, z))


def _in_socket(m: Array, mechanism: Mechanism, points: Array, wall: float) -> tuple[float, Array]:
    """The deepest of (3, N) peg points in the socket, and where; points above the rim or in the plain bore are free."""
    z = m[2, :3] @ points + m[2, 3]
    low = np.flatnonzero(z < 0.0)
    x, y = m[:2, :3] @ points[:, low] + m[:2, 3, None]
    square = x * x + y * y
    bored = (square <= (mechanism.bore_radius - FREE) ** 2) & (z[low] >= -mechanism.bore_depth)
    kept = np.flatnonzero((square < wall * wall) & ~bored)
    return _deepest(mechanism.depth_in_socket, np.stack((x[kept], y[kept], z[low[kept]]), axis=1))


def _in_peg(m: Array, mechanism: Mechanism, points: Array) -> tuple[float, Array]:
    """The deepest of (3, N) socket points in the peg, and where in the socket; only those beside the peg can be."""
    moved = points - m[:3, 3, None]
    z = m[:3, 2] @ moved
    beside = np.flatnonzero((z > -mechanism.length) & (z < 0.0))
    local = m[:3, :3].T @ moved[:, beside]
    depth, _ = found = _deepest(mechanism.depth_in_peg, local.T)
    return found if depth == 0.0 else (depth, m[:3, :3] @ found[1] + m[:3, 3])


def _deepest(measure: Callable[[Array], Array], points: Array) -> tuple[float, Array]:
    if not len(points):
        return 0.0, np.zeros(3)
    found = measure(points)
    worst = int(found.argmax())
    return float(found[worst]), points[worst]


def pose_errors(expected: Array, found: Array) -> tuple[float, float]:
    """(largest distance of origins in metres, largest angle in radians) between two (..., 4, 4) sets of poses."""
    distance = np.sqrt(((expected[..., :3, 3] - found[..., :3, 3]) ** 2).sum(axis=-1)).max()
    left, right = _unit(expected[..., :3, :3]), _unit(found[..., :3, :3])
    chord = np.sqrt(((left - right) ** 2).sum(axis=(-1, -2))).max()
    return float(distance), float(2.0 * np.arcsin(min(chord / np.sqrt(8.0), 1.0)))


def _unit(turned: Array) -> Array:
    length: Array = np.sqrt((turned**2).sum(axis=-2, keepdims=True))
    return turned / length
