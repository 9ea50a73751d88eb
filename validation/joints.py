# SPDX-License-Identifier: GPL-3.0-or-later
"""Which parts move against each other, about or along which axis: read from their exact poses (screw theory)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anchors import Rig

F64 = NDArray[np.float64]
LEAST_TURN_DEG = 4.0
LEAST_TRAVEL = 0.05
"""Of the parts' distance from each other or from the axis: less is no joint's motion."""
STEADY = 0.98
"""Least cosine between the axes of two frames of one joint: what turns about a wandering axis is not a joint."""


@dataclass(frozen=True)
class Joint:
    """Parts ``one`` and ``other`` (name, id): in the axes of ``other`` the first turns about ``axis`` (3,) through
    ``point`` (3,) metres, or travels along it; ``turns`` and ``travels`` say which of the two the shot shows."""

    one: tuple[str, int]
    other: tuple[str, int]
    axis: F64
    point: F64
    turns: bool
    travels: bool

    def velocities(self, rig: Rig, frame: int, part_id: int, points: F64) -> Iterator[tuple[F64, F64]]:
        """((n, 3) metres a radian, (n, 3) metres a metre) of points (n, 3, camera axes) of part ``part_id``, if it is
        one of the two; nothing else."""
        if part_id not in (self.one[1], self.other[1]):
            return
        matrix = rig.seen(frame, self.other[1])[0]
        size = np.cbrt(abs(np.linalg.det(matrix[:3, :3]))) or 1.0
        axis = matrix[:3, :3] @ self.axis / size
        axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
        point = matrix[:3, :3] @ self.point + matrix[:3, 3]
        yield np.cross(axis, points - point), np.broadcast_to(axis, points.shape)


def joints_of(rig: Rig, parts: Sequence[tuple[str, int]], frames: Sequence[int]) -> list[Joint]:
    """The joints that the shot shows: pairs whose relative motion keeps to one axis."""
    some = sorted({frames[int(i)] for i in np.linspace(0, len(frames) - 1, min(13, len(frames)))})
    found = []
    for i, one in enumerate(parts):
        for other in parts[:i]:
            joint = _joint(rig, one, other, some)
            if joint is not None:
                found.append(joint)
    return found


def _joint(rig: Rig, one: tuple[str, int], other: tuple[str, int], frames: Sequence[int]) -> Joint | None:
    between = [rig.seen(f, other[1])[1] @ rig.seen(f, one[1])[0] for f in frames]
    if all(np.array_equal(b, between[0]) for b in between):
        return None
    back = np.linalg.pinv(between[0])
    moves = [b @ back for b in between]
    angles = [_angle(move) for move in moves]
    far = max(float(np.linalg.norm(between[0][:3, 3])), 1e-6)
    most = int(np.argmax(angles))
    if np.degrees(angles[most]) >= LEAST_TURN_DEG:
        axis, point = _screw(moves[most])
        steady = [
            abs(float(_screw(m)[0] @ axis))
            for m, a in zip(moves, angles, strict=True)
            if np.degrees(a) > LEAST_TURN_DEG
        ]
        if min(steady) < STEADY:
            return None
        along = [float(m[:3, 3] @ axis) for m in moves]
        aside = [
            float(np.linalg.norm((m[:3, :3] - np.eye(3)) @ point + m[:3, 3] - axis * t))
            for m, t in zip(moves, along, strict=True)
        ]
        if max(aside) > LEAST_TRAVEL * max(far, max(map(abs, along))):
            return None
        return Joint(one, other, axis, point, True, max(map(abs, along)) > LEAST_TRAVEL * far)
    shifts = [m[:3, 3] for m in moves]
    longest = max(shifts, key=lambda v: float(np.linalg.norm(v)))
    length = float(np.linalg.norm(longest))
    if length < LEAST_TRAVEL * far:
        return None
    axis = longest / length
    if max(float(np.linalg.norm(v - axis * (v @ axis))) for v in shifts) > LEAST_TRAVEL * length:
        return None
    return Joint(one, other, axis, between[0][:3, 3], False, True)


def _angle(move: F64) -> float:
    size = np.cbrt(abs(np.linalg.det(move[:3, :3]))) or 1.0
    return float(np.arccos(np.clip((np.trace(move[:3, :3]) / size - 1) / 2, -1, 1)))


def _screw(move: F64) -> tuple[F64, F64]:
    """(unit axis, a point on it) of a rigid motion (4, 4)."""
    r, t = move[:3, :3], move[:3, 3]
    turn = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    length = float(np.linalg.norm(turn))
    if length < 1e-9:  # half a turn: the axis is what stays
        values, vectors = np.linalg.eigh((r + r.T) / 2)
        axis = vectors[:, int(values.argmax())]
    else:
        axis = turn / length
    across = t - axis * (t @ axis)
    point = np.linalg.lstsq(np.eye(3) - r, across, rcond=None)[0]
    return axis, point - axis * (point @ axis)
