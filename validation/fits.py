# SPDX-License-Identifier: GPL-3.0-or-later
"""What a displacement field says about a rigid body: how it moved in space, and how much it bent.

A part that is off its place shows a displacement of its pixels. The six motions of a rigid body in front of the
camera explain what a rigid part can show (the twist Jacobian of the pinhole camera); low polynomials over the part
describe what is left, the bend. Both in working pixels, so that they compare over frames and parts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
SAMPLES = 500
RIGID = ("tx", "ty", "tz", "rz", "rx", "ry")
"""Shift right and down, growth by coming nearer (px at the rim), turns about the ray and the camera's x and y (px at
the rim: radians times ``radius``). The first four, a similarity, are fitted; tilts are told from the bend."""
PLANE = 4
MODES = PLANE + 18
"""Coefficients of a displacement field: four of the plane motion, nine polynomials for x and for y."""
POWERS = ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))
_RIDGE = np.array([1e-3, 1e-3, 2e-3, 2e-3])
_BOTH_RIDGE = np.array(2 * ([4e-3] * 5 + [1e-2] * 4))
LEAST_ERROR_PX = 0.25


@dataclass(frozen=True)
class Lens:
    """How a part lies before the camera: ``centre`` (3,) m, ``pixel`` (2,) of it, ``radius`` px (rms, times sqrt 2),
    ``focal`` px a metre at the centre."""

    centre: F64
    pixel: F64
    radius: float
    focal: float
    orthographic: bool

    @classmethod
    def of(cls, points: NDArray[np.generic], pixels: F64, K: F64, orthographic: bool) -> "Lens":
        """Of surface ``points`` (n, 3) seen at ``pixels`` (n, 2)."""
        centre, pixel = points.mean(0).astype(np.float64), pixels.mean(0)
        radius = float(np.sqrt(2 * ((pixels - pixel) ** 2).sum(1).mean())) + 1e-6
        focal = float(K[0, 0]) if orthographic else float(K[0, 0]) / max(float(centre[2]), 1e-6)
        return cls(centre, pixel, max(radius, 1.0), focal, orthographic)

    def jacobian(self, points: NDArray[np.generic], modes: int = 6) -> F64:
        """(n, 2, modes) px: displacement of surface points (n, 3) for one unit of each of the first of RIGID."""
        p = points.astype(np.float64)
        arm = (p - self.centre) / self.radius
        unit, none = 1.0 / self.focal, np.zeros(len(p))
        ray = np.array([0.0, 0.0, 1.0]) if self.orthographic else self.centre / np.linalg.norm(self.centre)
        x, y, z = arm.T
        about = np.stack([ray[1] * z - ray[2] * y, ray[2] * x - ray[0] * z, ray[0] * y - ray[1] * x], 1)
        away = -ray * np.linalg.norm(self.centre) / self.radius
        moves = np.zeros((modes, len(p), 3))
        moves[0, :, 0] = moves[1, :, 1] = unit
        moves[2] = away
        if self.orthographic:  # no size change: a growth
            moves[2, :, :2], moves[2, :, 2] = arm[:, :2], 0
        moves[3] = about
        if modes > 4:
            moves[4], moves[5] = np.stack([none, -z, y], 1), np.stack([z, none, -x], 1)
        return np.ascontiguousarray(self.seen(p, moves).transpose(1, 2, 0))

    def seen(self, points: F64, velocity: F64) -> F64:
        """(..., n, 2) px by which ``points`` (n, 3) move in the picture when they move by ``velocity`` (..., n, 3) metres."""
        if self.orthographic:
            return np.asarray(self.focal * velocity[..., :2])
        z = np.maximum(points[:, 2], 1e-6)
        scale = (self.focal * self.centre[2] / z)[:, None]
        return np.asarray(scale * (velocity[..., :2] - points[:, :2] * (velocity[..., 2] / z)[..., None]))

    def polynomials(self, pixels: F64) -> F64:
        """(n, 9) POWERS of the place in the part, about -1..1."""
        x, y = ((pixels - self.pixel) / self.radius).clip(-2, 2).T
        return np.stack([x**i * y**j for i, j in POWERS], 1)


@dataclass(frozen=True)
class Fit:
    """``field`` (22,) px: the plane motion (RIGID's first four) and the bend (POWERS for x, then for y); ``rest`` px
    that neither explains (p80); ``slid`` 0..1.2 how much of the normals' slide was seen; ``points`` used."""

    field: F64
    rest: float
    slid: float
    points: int


def fit_normal(
    jacobian: F64, polynomials: F64, normals: F64, along: F64, weight: F64, slide: F64 | None = None
) -> Fit:
    """Fits displacements ``along`` (n,) px the ``normals`` (n, 2), which is all that an edge shows, by least absolute
    deviations (reweighted): first the plane motion, and the ``slide`` (n, 2) of what is locked to the surface's
    normals, then the bend of what is left. ``weight`` (n,) how clear each is."""
    across = np.asarray(
        normals[:, :1] * jacobian[:, 0, :PLANE] + normals[:, 1:] * jacobian[:, 1, :PLANE], np.float64
    )
    plane = Problem(across, along, _RIDGE)
    whole = plane
    if slide is not None:
        across = np.concatenate([across, (normals * slide).sum(1)[:, None]], 1)
        whole = Problem(across, along, np.append(_RIDGE, 2e-2))
    w, x, rest = weight, np.zeros(across.shape[1]), along
    for _ in range(5):
        x = whole.solve(w)
        if slide is not None and not 0 <= x[PLANE] <= 1.2:
            held = min(max(float(x[PLANE]), 0.0), 1.2)
            x = np.append(plane.solve(w, held * across[:, PLANE]), held)
        rest = along - across @ x
        w = weight / np.maximum(np.abs(rest), LEAST_ERROR_PX)
    basis = np.concatenate([normals[:, :1] * polynomials, normals[:, 1:] * polynomials], 1)
    bend = Problem(basis, rest, _BOTH_RIDGE).solve(w)
    left = np.abs(rest - basis @ bend)
    slid = float(x[PLANE]) if slide is not None else 0.0
    return Fit(np.concatenate([x[:PLANE], bend]), quantile(left, 0.8), slid, len(along))


class Problem:
    """Weighted least squares for ``columns`` (n, k) and ``values`` (n,) with a ``ridge`` (k,), for many weights."""

    def __init__(self, columns: F64, values: F64, ridge: F64) -> None:
        self._both, self._values = np.column_stack([columns, values]), values
        self._ridge = np.diag(ridge)

    def solve(self, weight: F64, less: F64 | None = None) -> F64:
        """(k,) for ``weight`` (n,); ``less`` (n,) is taken off the values."""
        if less is not None:
            self._both[:, -1] = self._values - less
        products = (self._both[:, :-1] * weight[:, None]).T @ self._both
        return np.asarray(np.linalg.solve(products[:, :-1] + self._ridge * weight.sum(), products[:, -1]))


def quantile(values: F64, share: float) -> float:
    """As numpy's, of a plain row of finite values, in a tenth of the time."""
    at = share * (len(values) - 1)
    low = int(at)
    a, b = np.partition(values, (low, min(low + 1, len(values) - 1)))[low : low + 2][[0, -1]]
    return float(a + (b - a) * (at - low))


@dataclass(frozen=True)
class Frame:
    """How fields of one part at one frame are compared: ``products`` (22, 22), so that the mean square of a field with
    coefficients c is c @ products @ c; ``motions`` (22, m) the coefficients of motions that it may be asked for."""

    products: F64
    motions: F64


def frame_of(jacobian: F64, polynomials: F64, motions: F64, across: F64, weight: F64) -> Frame:
    """From the jacobian (n, 2, 6) and polynomials (n, 9) on a spread of the part's pixels, ``motions`` (n, 2, m), and the
    directions ``across`` (n, 2) in which displacements can be read, with ``weight`` (n,)."""
    n = len(polynomials)
    basis = np.zeros((n, 2, MODES))
    basis[..., :PLANE] = jacobian[..., :PLANE]
    basis[:, 0, PLANE : PLANE + 9] = polynomials
    basis[:, 1, PLANE + 9 :] = polynomials
    seen = np.einsum("nd,ndk->nk", across, basis) * np.sqrt(weight)[:, None]
    products = 2 * seen.T @ seen / max(float(weight.sum()), 1e-9)  # one direction of two is read
    rows, asked = basis.reshape(2 * n, MODES), motions.reshape(2 * n, -1)
    first = _plain(rows[:, :PLANE], asked)
    return Frame(products, np.concatenate([first, _plain(rows[:, PLANE:], asked - rows[:, :PLANE] @ first)]))


def _plain(columns: F64, values: F64) -> F64:
    normal = columns.T @ columns
    return np.asarray(np.linalg.solve(normal + 1e-3 * len(columns) * np.eye(len(normal)), columns.T @ values))
