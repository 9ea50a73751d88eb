# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures a joint from world matrices alone. Imports nothing of the code that authored the motion.

The socket's free space is a union of boxes in cylinder coordinates, so that how deep a point lies in material is its
distance to the nearest free point: exact, without facets.
"""

from dataclasses import dataclass

import numpy as np

from .kit import Kit
from .rigid import Array
from .units import MM, PI


@dataclass(frozen=True)
class Engagement:
    """Where the peg stands in the socket: ``depth``, ``lateral`` and ``gap`` (shoulder over its seat) in metres,
    ``turned`` from the entry towards the lock and ``tilt`` of the axes in radians.
    """

    depth: float
    turned: float
    tilt: float
    lateral: float
    gap: float


def engagement(peg_in_socket: Array, kit: Kit) -> Engagement:
    """The engagement of one (4, 4) rigid transform of the peg frame in the socket frame."""
    m = np.asarray(peg_in_socket, dtype=np.float64)
    z = m[:3, 2]
    tilt = float(np.arctan2(np.hypot(z[0], z[1]), z[2]))
    angle = float(np.arctan2(m[1, 0] - m[0, 1], m[0, 0] + m[1, 1]))
    turned = kit.turn * (angle - kit.entry)
    turned = (turned + PI) % (2.0 * PI) - PI if abs(turned) > PI else turned
    height = float(m[2, 3]) - kit.seat
    return Engagement(kit.depth - height, turned, tilt, float(np.hypot(m[0, 3], m[1, 3])), height)


def _beyond(value: Array, low: float, high: float) -> Array:
    """How far values lie outside an interval; 0 inside."""
    outside: Array = np.maximum(np.maximum(low - value, value - high), 0.0)
    return outside


def _turn_beyond(angle: Array, low: float, high: float) -> Array:
    """Angle in radians to the arc low..high, 0 on it."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    away = np.abs((angle - middle + PI) % (2.0 * PI) - PI)
    outside: Array = np.maximum(away - half, 0.0)
    return outside


def depth_in_socket(points: Array, kit: Kit, wall: float = np.inf) -> Array:
    """(N,) metres by which (N, 3) points in the socket frame lie in its material; 0 in free space.

    ``wall`` in metres: the socket is taken to reach out to that radius; beyond it nothing is known and 0 is given.
    """
    r, angle, z = np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 1], points[:, 0]), points[:, 2]
    nearest = np.minimum(np.maximum(-z, 0.0), np.hypot(np.maximum(r - kit.bore_radius, 0.0), _floor(z, kit)))
    out = np.maximum(r - kit.groove_radius, 0.0)
    for middle in kit.lug_angles:
        slot = (middle + kit.entry - kit.slot_half, middle + kit.entry + kit.slot_half)
        groove = (kit.groove_span[0] + middle, kit.groove_span[1] + middle)
        for (low, high), (bottom, top) in ((slot, (kit.groove_z[0], np.inf)), (groove, kit.groove_z)):
            around = r * _turn_beyond(angle, low, high)
            reach = np.sqrt(out**2 + around**2 + _beyond(z, bottom, top) ** 2)
            nearest = np.minimum(nearest, reach)
    result: Array = np.where(r < wall, nearest, 0.0)
    return result


def _floor(z: Array, kit: Kit) -> Array:
    return np.maximum(-kit.bore_depth - z, 0.0)


def depth_in_peg(points: Array, kit: Kit) -> Array:
    """(N,) metres by which (N, 3) points in the peg frame lie in the shaft or a lug; 0 outside."""
    r, angle, z = np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 1], points[:, 0]), points[:, 2]
    deepest = np.minimum(kit.peg_radius - r, np.minimum(z + kit.length, -z))
    for middle in kit.lug_angles:
        away = np.abs((angle - middle + PI) % (2.0 * PI) - PI)
        inside = np.minimum(kit.lug_radius - r, r * (kit.lug_half - away))
        inside = np.minimum(inside, np.minimum(z - kit.lug_z[0], kit.lug_z[1] - z))
        deepest = np.maximum(deepest, inside)
    result: Array = np.maximum(deepest, 0.0)
    return result


def surface_points(kit: Kit) -> Array:
    """(N, 3) points on the peg's working surfaces in its frame: tip, shaft, lug faces, flanks and edges, shoulder."""
    rings = np.linspace(0.0, 2.0 * PI, 96, endpoint=False)
    shaft = _grid((kit.peg_radius,), rings, np.linspace(-kit.length, -0.02 * kit.length, 12))
    tip = _grid(np.linspace(0.2, 1.0, 5) * kit.peg_radius, rings[::2], (-kit.length,))
    shoulder = _grid((kit.bore_radius + 0.3 * MM, kit.bore_radius + 0.6 * MM), rings, (0.0,))
    parts = [shaft, tip, shoulder]
    for middle in kit.lug_angles:
        across = np.linspace(middle - kit.lug_half, middle + kit.lug_half, 17)
        radii, heights = np.linspace(kit.peg_radius, kit.lug_radius, 5), np.linspace(*kit.lug_z, 5)
        parts += [_grid((kit.lug_radius,), across, heights), _grid(radii, across, kit.lug_z)]
        parts.append(_grid(radii, across[[0, -1]], heights))
    return np.concatenate(parts)


def _grid(radii: object, angles: object, heights: object) -> Array:
    r, a, z = (part.ravel() for part in np.meshgrid(radii, angles, heights, indexing="ij"))  # type: ignore[arg-type]
    return np.stack((r * np.cos(a), r * np.sin(a), z), axis=1)


@dataclass(frozen=True)
class Sweep:
    """The deepest penetration in metres of a motion, at which sample, and that of each sample."""

    deepest: float
    index: int
    each: Array


def swept(
    peg_in_socket: Array, kit: Kit, peg_points: Array, socket_points: Array, wall: float = np.inf
) -> Sweep:
    """Penetration at every one of (S, 4, 4) relative poses: peg points in the socket, socket points in the peg."""
    each = np.zeros(len(peg_in_socket))
    reach = float(np.sqrt((peg_points**2).sum(axis=1).max())) if len(peg_points) else 0.0
    for index, m in enumerate(peg_in_socket):
        moved = peg_points @ m[:3, :3].T + m[:3, 3]
        if moved[:, 2].min() < 0.0:
            each[index] = depth_in_socket(moved[moved[:, 2] < 0.0], kit, wall).max()
        if len(socket_points) and m[2, 3] < reach:
            local = (socket_points - m[:3, 3]) @ m[:3, :3]
            each[index] = max(each[index], float(depth_in_peg(local, kit).max()))
    worst = int(each.argmax()) if len(each) else 0
    return Sweep(float(each[worst]) if len(each) else 0.0, worst, each)


def pose_errors(expected: Array, found: Array) -> tuple[float, float]:
    """(largest distance of origins in metres, largest angle in radians) between two (..., 4, 4) sets of poses."""
    distance = np.sqrt(((expected[..., :3, 3] - found[..., :3, 3]) ** 2).sum(axis=-1)).max()
    left, right = _unit(expected[..., :3, :3]), _unit(found[..., :3, :3])
    chord = np.sqrt(((left - right) ** 2).sum(axis=(-1, -2))).max()
    return float(distance), float(2.0 * np.arcsin(min(chord / np.sqrt(8.0), 1.0)))


def _unit(turned: Array) -> Array:
    length: Array = np.sqrt((turned**2).sum(axis=-2, keepdims=True))
    return turned / length
