# SPDX-License-Identifier: GPL-3.0-or-later
"""Torque-free rotation of a rigid body of any inertia: a long spin without the energy that step solvers lose.

Euler's equations for the angular momentum in the body, L' = L x w with w = I^-1 L, and q' = q (0, w) / 2, are solved
by Gauss-Legendre collocation of order 6 (Hairer, Lubich, Wanner, Geometric Numerical Integration, II.1.3 and IV.2):
it keeps quadratic invariants, so energy, the length of L and that of q, to rounding. Sums, products, square root only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .rigid import Array, from_quaternion

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]

_ROOT = float(np.sqrt(15.0))
_STAGES = (
    (5 / 36, 2 / 9 - _ROOT / 15, 5 / 36 - _ROOT / 30),
    (5 / 36 + _ROOT / 24, 2 / 9, 5 / 36 - _ROOT / 24),
    (5 / 36 + _ROOT / 30, 2 / 9 + _ROOT / 15, 5 / 36),
)
_WEIGHTS = (5 / 18, 4 / 9, 5 / 18)
ANGLE = 0.2
"""Radians that a step may turn at most; the direction of the momentum then stays to 1e-9 over a hundred turns."""
_ROUNDS = 16


@dataclass(frozen=True)
class Spin:
    """A body's rotation: unit ``quaternion`` (w, x, y, z) and angular ``momentum`` (3,) kg m2/s in its own axes."""

    quaternion: Quaternion
    momentum: Vector


def inverse3(matrix: Array) -> Array:
    """The inverse of a regular (3, 3) matrix by cofactors."""
    m = matrix.tolist()
    rows = [[
        m[(j + 1) % 3][(i + 1) % 3] * m[(j + 2) % 3][(i + 2) % 3]
        - m[(j + 1) % 3][(i + 2) % 3] * m[(j + 2) % 3][(i + 1) % 3] for j in range(3)] for i in range(3)]  # fmt: skip
    determinant = m[0][0] * rows[0][0] + m[0][1] * rows[1][0] + m[0][2] * rows[2][0]
    return np.array(rows, dtype=np.float64) / determinant


def apply3(matrix: Array, vector: Sequence[float] | Array) -> Array:
    """(3, 3) times (3,), summed in one fixed order."""
    x, y, z = (float(part) for part in vector)
    found: Array = matrix[:, 0] * x + matrix[:, 1] * y + matrix[:, 2] * z
    return found


def spinning(quaternion: Sequence[float], rate: Sequence[float], inertia: Array) -> Spin:
    """The spin of a body at an attitude with ``rate`` (3,) rad/s about world axes; ``inertia`` (3, 3) in its axes."""
    q = np.array(quaternion, dtype=np.float64)
    q = q / np.sqrt((q * q).sum())
    momentum = apply3(inertia, apply3(from_quaternion(q)[:3, :3].T, rate))
    return Spin(_four(q), _three(momentum))


def rate_of(spin: Spin, inverse_inertia: Array) -> Array:
    """(3,) rad/s about world axes."""
    return apply3(from_quaternion(spin.quaternion)[:3, :3], apply3(inverse_inertia, spin.momentum))


def longest_step(spin: Spin, inverse_inertia: Array) -> float:
    """Seconds in which the body turns by ``ANGLE`` at most, however its spin wanders; infinite for one at rest."""
    length = float(np.sqrt(np.square(spin.momentum).sum()))
    bound = length * float(np.abs(inverse_inertia).sum(axis=1).max())
    return ANGLE / bound if bound > 0.0 else float("inf")


def turned(spin: Spin, inverse_inertia: Array, seconds: float) -> Spin:
    """The spin ``seconds`` later, in equal steps no longer than ``longest_step``."""
    if seconds == 0.0 or spin.momentum == (0.0, 0.0, 0.0):
        return spin
    count = int(np.ceil(abs(seconds) / longest_step(spin, inverse_inertia)))
    rows = inverse_inertia.tolist()
    for _ in range(count):
        spin = _step(spin, rows, seconds / count)
    return spin


def attitudes(spin: Spin, inertia: Array, times: Sequence[float]) -> tuple[Array, list[Spin]]:
    """(T, 4) quaternions and spins at rising ``times`` in seconds; the first is that of ``spin``."""
    inverse = inverse3(inertia)
    found = [spin]
    for before, after in pairwise(times):
        found.append(turned(found[-1], inverse, after - before))
    return np.array([each.quaternion for each in found], dtype=np.float64), found


def energy(spin: Spin, inverse_inertia: Array) -> float:
    """Rotational energy in joules."""
    return 0.5 * float((np.array(spin.momentum) * apply3(inverse_inertia, spin.momentum)).sum())


def world_momentum(spin: Spin) -> Array:
    """(3,) angular momentum in world axes, kg m2/s."""
    return apply3(from_quaternion(spin.quaternion)[:3, :3], spin.momentum)


def _step(spin: Spin, inverse_inertia: list[list[float]], h: float) -> Spin:
    """One collocation step of ``h`` seconds: first the momentum, then the quaternion with the rates found."""
    rates, slopes = _momentum_stages(spin.momentum, inverse_inertia, h)
    momentum = _after(spin.momentum, slopes, h)
    changes = [_quaternion_slope(spin.quaternion, rate) for rate in rates]
    for _ in range(_ROUNDS):
        before = changes
        changes = [
            _quaternion_slope(_four([
                start + h * (a[0] * before[0][k] + a[1] * before[1][k] + a[2] * before[2][k])
                for k, start in enumerate(spin.quaternion)]), rate)
            for a, rate in zip(_STAGES, rates, strict=True)]  # fmt: skip
        if changes == before:
            break
    quaternion = _after(spin.quaternion, changes, h)
    return Spin(_four(quaternion), _three(momentum))


def _after(start: Sequence[float], slopes: Sequence[Sequence[float]], h: float) -> list[float]:
    """The end of a step from its stages' slopes. No ``sum()``: from Python 3.12 on it rounds another way."""
    a, b, c = slopes
    return [
        value + h * (_WEIGHTS[0] * a[k] + _WEIGHTS[1] * b[k] + _WEIGHTS[2] * c[k])
        for k, value in enumerate(start)
    ]


def _momentum_stages(
    start: Vector, inverse_inertia: list[list[float]], h: float
) -> tuple[list[Vector], list[Vector]]:
    """Rates w and slopes L x w at the three stages, by fixed-point rounds."""
    rates = [_rate(inverse_inertia, start)] * 3
    slopes = [_cross(start, rates[0])] * 3
    for _ in range(_ROUNDS):
        before = slopes
        stages = [
            _three([s + h * (a[0] * before[0][k] + a[1] * before[1][k] + a[2] * before[2][k])
                    for k, s in enumerate(start)])
            for a in _STAGES]  # fmt: skip
        rates = [_rate(inverse_inertia, stage) for stage in stages]
        slopes = [_cross(stage, rate) for stage, rate in zip(stages, rates, strict=True)]
        if slopes == before:
            break
    return rates, slopes


def _rate(matrix: list[list[float]], v: Vector) -> Vector:
    a, b, c = matrix
    return (
        a[0] * v[0] + a[1] * v[1] + a[2] * v[2],
        b[0] * v[0] + b[1] * v[1] + b[2] * v[2],
        c[0] * v[0] + c[1] * v[1] + c[2] * v[2],
    )


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _quaternion_slope(q: Quaternion, w: Vector) -> Quaternion:
    return (
        -0.5 * (q[1] * w[0] + q[2] * w[1] + q[3] * w[2]),
        0.5 * (q[0] * w[0] + q[2] * w[2] - q[3] * w[1]),
        0.5 * (q[0] * w[1] + q[3] * w[0] - q[1] * w[2]),
        0.5 * (q[0] * w[2] + q[1] * w[1] - q[2] * w[0]),
    )


def _three(values: Sequence[float] | Array) -> Vector:
    return float(values[0]), float(values[1]), float(values[2])


def _four(values: Sequence[float] | Array) -> Quaternion:
    return float(values[0]), float(values[1]), float(values[2]), float(values[3])
