# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a joint from world matrices alone. Imports nothing of the code that authored the motion."""

from dataclasses import dataclass

import numpy as np

from .joints.base import Mechanism
from .rigid import Array


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
    """
    each, where = np.zeros(len(peg_in_socket)), np.zeros((len(peg_in_socket), 3))
    reach = float(np.sqrt((peg_points**2).sum(axis=1).max())) if len(peg_points) else 0.0
    for index, m in enumerate(peg_in_socket):
        moved = peg_points @ m[:3, :3].T + m[:3, 3]
        inside = moved[(moved[:, 2] < 0.0) & (moved[:, 0] ** 2 + moved[:, 1] ** 2 < wall * wall)]
        if len(inside):
            found = mechanism.depth_in_socket(inside)
            worst = int(found.argmax())
            each[index], where[index] = found[worst], inside[worst]
        if len(socket_points) and m[2, 3] < reach:
            found = mechanism.depth_in_peg((socket_points - m[:3, 3]) @ m[:3, :3])
            worst = int(found.argmax())
            if found[worst] > each[index]:
                each[index], where[index] = found[worst], socket_points[worst]
    worst = int(each.argmax()) if len(each) else 0
    if not len(each):
        return Sweep(0.0, 0, each, (0.0, 0.0, 0.0))
    x, y, z = (float(value) for value in where[worst])
    return Sweep(float(each[worst]), worst, each, (x, y, z))


def pose_errors(expected: Array, found: Array) -> tuple[float, float]:
    """(largest distance of origins in metres, largest angle in radians) between two (..., 4, 4) sets of poses."""
    distance = np.sqrt(((expected[..., :3, 3] - found[..., :3, 3]) ** 2).sum(axis=-1)).max()
    left, right = _unit(expected[..., :3, :3]), _unit(found[..., :3, :3])
    chord = np.sqrt(((left - right) ** 2).sum(axis=(-1, -2))).max()
    return float(distance), float(2.0 * np.arcsin(min(chord / np.sqrt(8.0), 1.0)))


def _unit(turned: Array) -> Array:
    length: Array = np.sqrt((turned**2).sum(axis=-2, keepdims=True))
    return turned / length
