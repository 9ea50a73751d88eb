# SPDX-License-Identifier: GPL-3.0-or-later
"""Least squares of a slightly tapered cylinder (Gauss-Newton, Cauchy weights) and how far it can be trusted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rigid import Array, frame
from .units import PI

MOST_TAPER = 0.14
MOST_POINTS = 6000
FEW_POINTS = 1500
OPTIMISM = 1.45
"""True errors over those that the gradients tell, root mean square over parts of 3 % noise (bench_axis's kinds)."""
MOST_UNEVEN = 0.05
"""Radii that half of a flat may lie off its plane: noise of 3 % stays inside, a dome does not."""
MORE_ON_FLATS = 1.3
"""And of a flat end's, which has fewer clusters."""


@dataclass(frozen=True)
class Tube:
    """A cylinder: unit ``axis`` through ``centre``; ``radius`` there, growing by ``taper`` a unit along the axis."""

    axis: Array
    centre: Array
    radius: float
    taper: float = 0.0

    def local(self, points: Array) -> tuple[Array, Array, Array]:
        """x, y and z, each (N,), of (N, 3) points in a frame with z along the axis."""
        x, y, z = frame((0.0, 0.0, 0.0), self.axis)[:3, :3].T @ (points - self.centre).T
        return x, y, z

    def out(self, points: Array) -> tuple[Array, Array]:
        """Distance from the axis and height of (N, 3) points, each (N,)."""
        x, y, z = self.local(points)
        return np.sqrt(x * x + y * y), z


@dataclass(frozen=True)
class Doubt:
    """Standard deviations: of the axis in radians, of centre and radius in radii; ``residual`` is robust, in radii."""

    axis: float
    centre: float
    radius: float
    residual: float


@dataclass(frozen=True)
class _Slopes:
    """hessian (6, 6), gradient and jacobian (6, N), off (N,) where a descent ended."""

    hessian: Array
    gradient: Array
    jacobian: Array
    off: Array


def fit(tube: Tube, points: Array, weights: Array) -> tuple[Tube, Doubt]:
    """The tube that lies best on the points (N, 3), from a near one, and how far it can be trusted."""
    tube, slopes = _descended(tube, points, weights, 5, MOST_POINTS)
    return tube, _doubt(slopes)


def fit_roughly(tube: Tube, points: Array, weights: Array, rounds: int) -> Tube:
    """A tube that lies well on the points (N, 3), from a near one."""
    return _descended(tube, points, weights, rounds, FEW_POINTS)[0]


def _descended(tube: Tube, points: Array, weights: Array, rounds: int, most: int) -> tuple[Tube, _Slopes]:
    if len(points) > most:
        chosen = np.random.default_rng(7).permutation(len(points))[:most]
        points, weights = points[chosen], weights[chosen]
    weights = weights / max(float(weights.sum()), 1e-300)
    middle = weights @ points
    for _ in range(rounds):
        basis = frame((0.0, 0.0, 0.0), tube.axis)[:3, :3]
        height = float((middle - tube.centre) @ tube.axis)
        tube = Tube(
            tube.axis, tube.centre + height * tube.axis, tube.radius + tube.taper * height, tube.taper
        )
        scale = tube.radius
        x, y, t = (basis.T @ (points - tube.centre).T) / scale
        out = np.maximum(np.sqrt(x * x + y * y), 1e-9)
        x, y = x / out, y / out
        off = out - 1.0 - tube.taper * t
        spread = max(2.4 * 1.4826 * float(np.median(np.abs(off))), 1e-4)
        robust = weights / (1.0 + (off / spread) ** 2)
        jacobian = np.stack((x, y, t * x, t * y, np.ones(len(t)), t))
        gradient = jacobian * (robust * off)
        hessian = (jacobian * robust) @ jacobian.T
        ridge = hessian + np.diag((1e-9, 1e-9, 1e-6, 1e-6, 1e-9, 1e-4)) * np.trace(hessian) / 6.0
        step = np.linalg.solve(ridge, gradient.sum(axis=1))
        step = np.clip(step, -0.3, 0.3)
        axis = basis @ np.array((step[2], step[3], 1.0))
        tube = Tube(
            axis / np.linalg.norm(axis), tube.centre + basis @ np.array((step[0], step[1], 0.0)) * scale,
            float(max(tube.radius + step[4] * scale, 0.2 * tube.radius)),
            float(np.clip(tube.taper + step[5], -MOST_TAPER, MOST_TAPER)),
        )  # fmt: skip
    return tube, _Slopes(hessian, gradient, jacobian, off)


def _doubt(slopes: _Slopes) -> Doubt:
    """What is wrong is taken as alike within patches of a third of a radius square, not beyond."""
    x, y, _, _, _, t = slopes.jacobian
    column = np.floor((np.arctan2(y, x) + PI) / (2.0 * PI) * 17.999).astype(np.int64)
    row = np.floor((t - t.min()) / 0.35).astype(np.int64)
    sd = _sandwich(slopes.hessian, slopes.gradient, column + 18 * row)
    residual = 1.4826 * float(np.median(np.abs(slopes.off)))
    return Doubt(float(np.hypot(sd[2], sd[3])), float(np.hypot(sd[0], sd[1])), float(sd[4]), residual)


def _sandwich(hessian: Array, gradient: Array, cluster: NDArray[np.int64]) -> Array:
    """Standard deviations of P parameters from gradients (P, N) summed by cluster (Liang and Zeger 1986).

    These are too small where clusters are few and alike beyond their edges (``OPTIMISM``).
    """
    _, owner = np.unique(cluster, return_inverse=True)
    size = len(gradient)
    clusters = np.stack([np.bincount(owner, row) for row in gradient], axis=1)
    bread = np.linalg.pinv(hessian)
    spare = len(clusters) / max(float(len(clusters) - size), 1.0)
    sd: Array = OPTIMISM * np.sqrt(np.maximum(np.diag(bread @ (clusters.T @ clusters) @ bread) * spare, 0.0))
    return sd


def squared(tube: Tube, doubt: Doubt, points: Array, weights: Array) -> tuple[Tube, Doubt]:
    """The tube with its axis also squared to a flat end, of which ``points`` (N, 3) are samples, as far as both agree.

    A short tube's flat tip or floor tells its direction as well as its side does.
    """
    basis = frame((0.0, 0.0, 0.0), tube.axis)[:3, :3]
    flat = (points - tube.centre) @ basis / tube.radius
    weights = weights / max(float(weights.sum()), 1e-300)
    x, y, t = (flat - (flat * weights[:, None]).sum(axis=0)).T
    jacobian = np.column_stack((x, y, np.ones(len(x))))
    robust, off = weights, t
    for _ in range(4):
        hessian = (jacobian * robust[:, None]).T @ jacobian
        slope = np.linalg.lstsq(hessian, jacobian.T @ (robust * t), rcond=None)[0]
        off = t - jacobian @ slope
        robust = weights / (1.0 + (off / max(3.5 * float(np.median(np.abs(off))), 1e-4)) ** 2)
    cells = np.floor(x / 0.33).astype(np.int64) * 64 + np.floor(y / 0.33).astype(np.int64)
    sd = _sandwich(hessian, (jacobian * (robust * off)[:, None]).T, cells)
    own, other = max(doubt.axis, 1e-6), max(MORE_ON_FLATS * float(np.hypot(sd[0], sd[1])), 1e-6)
    apart = float(np.hypot(slope[0], slope[1]))
    if (
        float(np.median(np.abs(off))) > MOST_UNEVEN
        or apart > 2.5 * float(np.hypot(own, other))
        or apart > 0.05
    ):
        return tube, doubt
    share = own**2 / (own**2 + other**2)
    axis = basis @ np.array((-share * slope[0], -share * slope[1], 1.0))
    sure = Doubt(own * other / float(np.hypot(own, other)), doubt.centre, doubt.radius, doubt.residual)
    return Tube(axis / np.linalg.norm(axis), tube.centre, tube.radius, tube.taper), sure
