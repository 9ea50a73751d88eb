# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the peg or the bore in a mesh: the cylinder whose surface normals agree, or a refusal that says why.

Normals vote for axes by pairs, then for centre and radius: on a cylinder p = c + r n, with r > 0 where the surface
faces outwards (a peg) and r < 0 where it faces inwards (a bore). Seeded, so that the same mesh gives the same answer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from .features import Feature, Vector3
from .rigid import Array, frame
from .units import PI

TOLERANCE = 0.03
"""Distance from the cylinder, in radii, at which a face still counts as lying on it."""
AXIS_CANDIDATES = 8
PAIRS = 400


@dataclass(frozen=True)
class _Surface:
    corners: Array  # (T, 3, 3)
    middle: Array  # (T, 3)
    normal: Array  # (T, 3)
    area: Array  # (T,)


@dataclass(frozen=True)
class _Cylinder:
    axis: Array
    centre: Array
    radius: float
    low: float
    high: float
    score: float
    spread: float


def find_cylinder(vertices: Array, triangles: NDArray[np.int64], kind: str, part: str,
                  shoulder_hint: Vector3 | None = None) -> Feature:  # fmt: skip
    """The peg ("peg") or bore ("socket") of a mesh, in its own units.

    ``shoulder_hint`` is a point on the shoulder's side of a peg (the middle of what it hangs on). Raises InputError
    if nothing fits, two things fit about as well, or it can't be told which end goes in.
    """
    surface = _surface(vertices, triangles)
    sign = 1.0 if kind == "peg" else -1.0
    found = [c for axis in _axes(surface) for c in _cylinders(surface, axis, sign)]
    found.sort(key=lambda cylinder: -cylinder.score)
    ask = f"State it: custom property holdfast_feature on {part!r}, or choose a part that Assets made."
    if not found:
        raise InputError(f"No {kind} was found in the shape of {part!r}", todo=ask)
    best = found[0]
    for other in found[1:]:
        if other.score > 0.8 * best.score and not _same(best, other):
            what = (
                f"More than one surface of {part!r} could be its {kind} ({_mm(best)} or {_mm(other)} radius)"
            )
            raise InputError(what, todo=ask)
    if best.spread > 0.025:
        what = f"The {kind} of {part!r} is too uneven to be sure of ({100 * best.spread:.1f} % of its radius)"
        raise InputError(what, todo=ask)
    return _feature(surface, best, kind, part, shoulder_hint, ask)


def _mm(cylinder: _Cylinder) -> str:
    return f"{1e3 * cylinder.radius:.2f} mm"


def _surface(vertices: Array, triangles: NDArray[np.int64]) -> _Surface:
    corners = vertices[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double = np.linalg.norm(cross, axis=1)
    keep = double > 1e-12 * max(float(double.max(initial=0.0)), 1e-30)
    corners, cross, double = corners[keep], cross[keep], double[keep]
    return _Surface(corners, corners.mean(axis=1), cross / double[:, None], 0.5 * double)


def _axes(surface: _Surface) -> list[Array]:
    """The directions that most of the surface stands beside, best first."""
    if len(surface.area) < 8:
        return []
    rng = np.random.default_rng(11)
    share = surface.area / surface.area.sum()
    pairs = rng.choice(len(share), size=(PAIRS, 2), p=share)
    crossed = np.cross(surface.normal[pairs[:, 0]], surface.normal[pairs[:, 1]])
    length = np.linalg.norm(crossed, axis=1)
    voted = np.concatenate((np.eye(3), crossed[length > 0.3] / length[length > 0.3, None]))
    support = np.array([_around(surface, axis) for axis in voted])
    chosen: list[Array] = []
    for index in np.argsort(-support, kind="stable"):
        if all(abs(float(voted[index] @ axis)) < 0.996 for axis in chosen):
            chosen.append(voted[index])
        if len(chosen) == AXIS_CANDIDATES:
            break
    return chosen


def _around(surface: _Surface, axis: Array) -> float:
    """Area that stands beside an axis and faces all ways about it: flat caps face two ways only and count little."""
    local = surface.normal @ frame((0.0, 0.0, 0.0), axis)[:3, :3]
    beside = np.abs(local[:, 2]) < 0.06
    way = np.floor((np.arctan2(local[beside, 1], local[beside, 0]) + PI) / (2.0 * PI) * 23.999).astype(
        np.int64
    )
    bins = np.bincount(way, weights=surface.area[beside], minlength=24)
    return float(np.minimum(bins, surface.area.sum() / 400.0).sum())


def _cylinders(surface: _Surface, axis: Array, sign: float) -> list[_Cylinder]:
    """Cylinders about a direction: the direction is refined on what each one's faces say."""
    result = []
    for _ in range(2):
        basis = frame((0.0, 0.0, 0.0), axis)[:3, :3]
        beside = np.abs(surface.normal @ axis) < 0.12
        result = list(_circles(surface, basis, beside, sign))
        if not result:
            return []
        on = _on(surface, basis, beside, result[0], sign)
        weighted = surface.normal[on] * surface.area[on, None]
        refined = np.linalg.eigh(weighted.T @ surface.normal[on])[1][:, 0]
        axis = refined if float(refined @ axis) >= 0.0 else -refined
    return result


def _circles(surface: _Surface, basis: Array, beside: NDArray[np.bool_], sign: float) -> list[_Cylinder]:
    flat = (surface.middle @ basis)[beside, :2]
    normal = (surface.normal @ basis)[beside, :2]
    normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    area = surface.area[beside]
    if len(area) < 6:
        return []
    rng = np.random.default_rng(5)
    pairs = rng.choice(len(area), size=(PAIRS, 2), p=area / area.sum())
    apart = normal[pairs[:, 0]] - normal[pairs[:, 1]]
    length = (apart**2).sum(axis=1)
    good = length > 0.1
    between = (flat[pairs[:, 0]] - flat[pairs[:, 1]])[good]
    radius = (between * apart[good]).sum(axis=1) / length[good]
    centre = flat[pairs[good, 0]] - radius[:, None] * normal[pairs[good, 0]]
    wanted = radius * sign > 0.0
    guesses = np.column_stack((centre, radius))[wanted]
    support = np.array([float(area[_near(flat, normal, guess)].sum()) for guess in guesses])
    result: list[_Cylinder] = []
    for _ in range(6):
        if not len(guesses):
            break
        guess = guesses[int(support.argmax())]
        cylinder = _refine(surface, basis, beside, flat, normal, area, guess)
        if cylinder is not None and not any(_same(cylinder, other) for other in result):
            result.append(cylinder)
        other = np.abs(guesses - guess).max(axis=1) > 0.08 * abs(guess[2])
        guesses, support = guesses[other], support[other]
    return result


def _near(flat: Array, normal: Array, guess: Array) -> NDArray[np.bool_]:
    off = flat - guess[:2] - guess[2] * normal
    inside: NDArray[np.bool_] = (off**2).sum(axis=1) < (TOLERANCE * guess[2]) ** 2 * 4.0
    return inside


def _refine(surface: _Surface, basis: Array, beside: NDArray[np.bool_], flat: Array, normal: Array, area: Array,
            guess: Array) -> _Cylinder | None:  # fmt: skip
    for _ in range(4):
        on = _near(flat, normal, guess)
        if int(on.sum()) < 6:
            return None
        w, p, n = area[on], flat[on], normal[on]
        total = w.sum()
        mean_p, mean_n = (w[:, None] * p).sum(axis=0) / total, (w[:, None] * n).sum(axis=0) / total
        dp, dn = p - mean_p, n - mean_n
        turned = float((w[:, None] * dn * dn).sum())
        if turned < 0.1 * float(total):
            return None
        radius = float((w[:, None] * dp * dn).sum()) / turned
        guess = np.array((*(mean_p - radius * mean_n), radius))
    if radius * guess[2] <= 0.0 or radius == 0.0:
        return None
    corners = (surface.corners[beside][on] @ basis).reshape(-1, 3)
    out = np.linalg.norm(corners[:, :2] - guess[:2], axis=1)
    size = float(np.median(out))
    spread = float(np.sqrt(np.mean((out - size) ** 2))) / size
    low, high = float(corners[:, 2].min()), float(corners[:, 2].max())
    turn = np.arctan2(*(corners[:, :2] - guess[:2]).T[::-1])
    covered = len(np.unique(np.floor((turn + PI) / (2.0 * PI) * 16.0 - 1e-9))) / 16.0
    full = float(w.sum()) / (2.0 * PI * size * max(high - low, 1e-12))
    if covered < 0.75 or full < 0.6 or high - low < 0.4 * size or spread > 0.1:
        return None
    centre = basis @ np.array((guess[0], guess[1], 0.0))
    return _Cylinder(basis[:, 2], centre, size, low, high, float(w.sum()) * min(full, 1.0) * covered, spread)


def _on(
    surface: _Surface, basis: Array, beside: NDArray[np.bool_], cylinder: _Cylinder, sign: float
) -> NDArray[np.int64]:
    local = surface.middle @ basis
    normal = (surface.normal @ basis)[:, :2]
    guess = np.array((*(cylinder.centre @ basis)[:2], sign * cylinder.radius))
    rows: NDArray[np.int64] = np.flatnonzero(beside & _near(local[:, :2], normal, guess))
    return rows


def _same(a: _Cylinder, b: _Cylinder) -> bool:
    """Whether two finds are one surface; the second one's axis may point the other way."""
    along = float(a.axis @ b.axis)
    low, high = (b.low, b.high) if along > 0.0 else (-b.high, -b.low)
    aside = a.centre - b.centre
    aside = aside - a.axis * float(aside @ a.axis)
    near = float(np.linalg.norm(aside)) < 0.05 * a.radius
    alike = abs(along) > 0.99 and abs(a.radius - b.radius) < 0.05 * a.radius
    return alike and near and min(a.high, high) > max(a.low, low)


def _feature(
    surface: _Surface, found: _Cylinder, kind: str, part: str, hint: Vector3 | None, ask: str
) -> Feature:
    low, high = (found.centre + found.axis * at for at in (found.low, found.high))
    if kind == "peg":
        if hint is None:
            what = f"Which end of {part!r} goes in can't be told"
            raise InputError(what, todo="Parent the peg to the part that carries it, or state it. " + ask)
        towards = np.asarray(hint, dtype=np.float64)
        at_high = float(np.linalg.norm(towards - high)) < float(np.linalg.norm(towards - low))
        origin, axis = (high, -found.axis) if at_high else (low, found.axis)
    else:
        floors = [_capped(surface, found, at) for at in (found.low, found.high)]
        if floors[0] == floors[1]:
            what = "goes through" if not floors[0] else "is closed at both ends"
            raise InputError(f"The bore of {part!r} {what}, so its rim can't be told", todo=ask)
        origin, axis = (high, found.axis) if floors[0] else (low, -found.axis)
    return Feature(kind, round(found.radius, 7), round(found.high - found.low, 7), _rounded(_snap(axis)),
                   _rounded(origin), "detected")  # fmt: skip


def _capped(surface: _Surface, found: _Cylinder, at: float) -> bool:
    """Whether a floor closes the cylinder at the height ``at``, to a fifth of its length."""
    relative = surface.middle - found.centre
    height = relative @ found.axis
    aside = np.linalg.norm(relative - height[:, None] * found.axis, axis=1)
    reach = 0.2 * (found.high - found.low)
    cap = (
        (np.abs(height - at) < reach)
        & (aside < 0.95 * found.radius)
        & (np.abs(surface.normal @ found.axis) > 0.5)
    )
    return float(surface.area[cap].sum()) > 0.5 * PI * found.radius**2


def _snap(axis: Array) -> Array:
    """An axis within a fifth of a degree of a coordinate axis is that axis."""
    index = int(np.argmax(np.abs(axis)))
    if abs(float(axis[index])) < 1.0 - 6e-6:
        return axis
    snapped = np.zeros(3)
    snapped[index] = np.sign(axis[index])
    return snapped


def _rounded(vector: Array) -> Vector3:
    x, y, z = (round(float(value), 7) + 0.0 for value in vector)
    return x, y, z
