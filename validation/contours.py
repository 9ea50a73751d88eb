# SPDX-License-Identifier: GPL-3.0-or-later
"""The outline of a part: is it there in the take, and where does it lie?

Everything is read from the colour structure tensor along the truth's visible contour, so it is blind to recolour,
relight and the sign of the contrast. (Silhouette support and boundary displacement, notes M3 and M4.)
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import Region, Rig
from .fits import PLANE, Fit, Lens, fit_normal
from .plates import Plate, edge_tensor

F64 = NDArray[np.float64]
REACH_PX = 10.0
TOLERANCE_PX = 1.6
RENDER_SUPPORT = 1.8
TAKE_SUPPORT = 1.25
NOISE_LAB = 0.35
NULL_SHIFTS = 12
MOST_POINTS = 260
FIRM = 0.15
"""Least mean square of the normals along a direction (0..0.5) for a shift in that direction to be read."""
SECTORS = 36
"""Into so many sectors about the part's middle the outline is cut to look for dents."""
ALONE_PX = (4.5, 7.0, 9.5)
"""How far out (px at 640 wide) the same thing as right behind the contour must show for its place to count."""
LEAST_BORDER = 8
"""Contour points between two parts from which their border can be said to be there or not."""
CONTACT_DEPTH = 0.012
"""Parts whose depths differ by less than this share meet at the contour: neither occludes the other."""


@dataclass(frozen=True)
class Contour:
    """Visible contour points that the part itself draws (what lies beyond is behind it).

    ``points`` and ``normals`` (P, 2) float32 x, y at working size, normals point outward; ``inner`` (P, 2) the pixel
    just inside; ``behind`` (P,) id of what lies beyond; ``alone`` (P,) where no other part's edge is near, which could
    be mistaken for this one; ``touching`` ids of parts that meet this one without occluding it or being occluded.
    """

    points: F32
    normals: F32
    inner: NDArray[np.intp]
    behind: NDArray[np.int32]
    alone: NDArray[np.bool_]
    touching: frozenset[int]


_NONE = np.zeros((0, 2), np.float32)
_NO_CONTOUR = Contour(
    _NONE, _NONE, _NONE.astype(np.intp), np.zeros(0, np.int32), _NONE[:, 0] > 0, frozenset()
)


def trace(plate: Plate, part_id: int, box: Region | None = None) -> Contour:
    """The part's own visible contour in the truth; ``box`` holds the part with some pixels around it."""
    if box is None:
        box = Region(0, 0, plate.ids.shape[1], plate.ids.shape[0])
    ids, depth = plate.ids[box.cut], plate.depth[box.cut]
    mask = (ids == part_id).astype(np.uint8)
    lines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    lines = [line for line in lines if len(line) >= 6]
    if not lines:
        return _NO_CONTOUR
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(1.2, 1.8 * plate.unit))
    points = np.concatenate([line[:, 0, :] for line in lines]).astype(np.float32)
    x, y = points[:, 0].astype(int), points[:, 1].astype(int)
    height, width = mask.shape
    inside = (x > 1) & (y > 1) & (x < width - 2) & (y < height - 2)
    x, y, points = x[inside], y[inside], points[inside]
    gx, gy = soft[y, x + 1] - soft[y, x - 1], soft[y + 1, x] - soft[y - 1, x]
    length = np.hypot(gx, gy) + 1e-6
    normals = np.stack([-gx / length, -gy / length], 1).astype(np.float32)
    limit = [width - 1, height - 1]
    far = np.rint(points + 2.2 * normals).astype(int).clip(0, limit)
    near = np.rint(points - 1.0 * normals).astype(int).clip(0, limit)
    beyond = ids[far[:, 1], far[:, 0]]
    depth_far, depth_near = depth[far[:, 1], far[:, 0]], depth[near[:, 1], near[:, 0]]
    step = np.where(depth_far > 0, (depth_far - depth_near) / np.maximum(depth_near, 1e-6), 1.0)
    own = (beyond != part_id) & ((step > CONTACT_DEPTH) | ((beyond == 0) & (step > 0)))
    meets = (beyond != part_id) & (beyond != 0) & (np.abs(step) <= 4 * CONTACT_DEPTH)
    touching = frozenset(int(i) for i in np.unique(beyond[meets]))
    keep = np.flatnonzero(own)
    keep = keep[:: max(1, -(-len(keep) // MOST_POINTS))]
    origin = np.array([box.x0, box.y0])
    places, across = points[keep], normals[keep]
    alone = np.ones(len(keep), bool)
    for px in ALONE_PX:
        out = np.rint(places + px * plate.unit * across).astype(int).clip(0, limit)
        alone &= ids[out[:, 1], out[:, 0]] == beyond[keep]
    centres = (places + 0.5 * across + origin).astype(np.float32)
    return Contour(centres, across, near[keep] + origin, beyond[keep].astype(np.int32), alone, touching)


def profiles(edges: F32, points: F32, normals: F32, offsets: F32) -> F32:
    """(P, S) directional gradient across the contour, Lab units a pixel, at ``points + offset * normal``."""
    where = points[:, None, :] + offsets[None, :, None] * normals[:, None, :]
    tensor = cv2.remap(edges, np.ascontiguousarray(where, np.float32), None, cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    nx, ny = normals[:, None, 0], normals[:, None, 1]
    power = tensor[..., 0] * nx * nx + 2 * tensor[..., 1] * nx * ny + tensor[..., 2] * ny * ny
    return np.asarray(np.sqrt(np.maximum(power, 0)), np.float32)


def support(profile: F32, centre: int, tolerance: int) -> F32:
    """(P,) strongest gradient within ``tolerance`` of the contour over the mean along the profile."""
    core = profile[:, centre - tolerance : centre + tolerance + 1].max(1)
    return np.asarray(core / (profile.mean(1) + NOISE_LAB), np.float32)


@dataclass(frozen=True)
class Edges:
    """Colour structure tensors (h, w, 3) of one frame: see ``plates.edge_tensor``."""

    take: F32
    render: F32

    @classmethod
    def of(cls, plate: Plate) -> "Edges":
        return cls(edge_tensor(plate.take_lab, plate.unit), edge_tensor(plate.beauty_lab, plate.unit))


@dataclass(frozen=True)
class Outline:
    """What the contour says at one frame; lengths in units (px of a picture 640 wide). NaN: can't tell.

    ``lost`` share of decidable contour that the take does not draw; ``null`` deviations by which the true place
    beats the same contour elsewhere in the frame; ``ratio`` of support in take and render; ``decidable`` points;
    ``profile`` (36,) px by which the sectors of it before the background lie off what its plane motion explains, outwards; ``bend`` rms px of
    the fit's bend along it; ``fit`` how the outline lies off the render's, as a rigid body and a bend (None: too little
    of it is clear); ``clear`` share of the decidable points whose place is clear; ``borders`` by id of the part behind
    the share of the border with it that the take does not draw.
    """

    lost: float = np.nan
    null: float = np.nan
    ratio: float = np.nan
    decidable: int = 0
    clear: float = np.nan
    profile: F64 = field(default_factory=lambda: np.full(SECTORS, np.nan))
    bend: float = np.nan
    fit: Fit | None = field(default=None)
    borders: dict[int, float] = field(default_factory=dict)


def measure_outline(
    edges: Edges, contour: Contour, plate: Plate, rig: Rig, lens: Lens, rng: np.random.Generator
) -> Outline:
    """Compares take and render along the contour."""
    unit = plate.unit
    if len(contour.points) < 8:
        return Outline(decidable=len(contour.points))
    reach, tolerance = max(5, round(REACH_PX * unit)), max(1, round(TOLERANCE_PX * unit))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    render = profiles(edges.render, contour.points, contour.normals, offsets)
    drawn = support(render, reach, tolerance)
    seen = drawn > RENDER_SUPPORT
    if seen.sum() < max(8, 0.15 * len(seen)):
        return Outline(decidable=int(seen.sum()))
    points, normals, render, alone = (
        contour.points[seen],
        contour.normals[seen],
        render[seen],
        contour.alone[seen],
    )
    styled = profiles(edges.take, points, normals, offsets)
    found = support(styled, reach, tolerance)
    null = _null(edges, points, normals, unit, rng)
    moved, clear = _displacements(styled, render, unit)
    clear &= alone
    fit, profile, bend = None, np.full(SECTORS, np.nan), np.nan
    if clear.sum() >= 12:
        usable = Clear(
            points[clear],
            normals[clear],
            contour.inner[seen][clear],
            moved[clear],
            contour.behind[seen][clear] == 0,
        )
        fit, profile, bend = _fit(usable, plate, rig, lens)
        fit = _held(usable.normals.astype(np.float64), fit)
    behind, gone = contour.behind[seen], found < TAKE_SUPPORT
    return Outline(
        lost=float(gone.mean()),
        null=float((found.mean() - null.mean()) / (null.std() + 0.05)),
        ratio=float(np.median(found) / np.median(drawn[seen])),
        decidable=int(seen.sum()),
        clear=float(clear.sum() / max(1, int(alone.sum()))),
        profile=profile / unit,
        bend=bend / unit,
        fit=fit,
        borders={
            int(i): float(gone[behind == i].mean())
            for i in np.unique(behind[behind > 0])
            if (behind == i).sum() >= LEAST_BORDER
        },
    )


@dataclass(frozen=True)
class Clear:
    """Contour points whose place in the take is clear: see Contour; ``moved`` (P,) working px along the normals,
    ``free`` (P,) where no part lies behind: a style may draw a border between two parts on either of them."""

    points: F32
    normals: F32
    inner: NDArray[np.intp]
    moved: F64
    free: NDArray[np.bool_]


def _fit(found: Clear, plate: Plate, rig: Rig, lens: Lens) -> tuple[Fit, F64, float]:
    """(fit, profile, bend): see Outline; working px."""
    x, y = found.points.T
    depth = plate.depth[found.inner[:, 1], found.inner[:, 0]]
    depth = np.where(depth > 0, depth, lens.centre[2]).astype(np.float32)
    across = found.normals.astype(np.float64)
    jacobian = lens.jacobian(rig.points(plate.frame, x, y, depth), PLANE)
    polynomials = lens.polynomials(found.points.astype(np.float64))
    fit = fit_normal(jacobian, polynomials, across, found.moved, np.ones(len(x)))
    rest = found.moved - (across * (jacobian @ fit.field[:PLANE])).sum(1)
    bend = (across * (polynomials @ fit.field[PLANE:].reshape(2, 9).T)).sum(1)
    return (
        fit,
        _profile((found.points - lens.pixel)[found.free], rest[found.free]),
        float(np.sqrt((bend**2).mean())),
    )


def _held(normals: F64, fit: Fit) -> Fit:
    """The fit less a shift in a direction in which the outline, by its ``normals`` (P, 2), hardly holds the part."""
    sizes, ways = np.linalg.eigh(normals.T @ normals / len(normals))
    if sizes[0] >= FIRM:
        return fit
    field = fit.field.copy()
    field[:2] -= (field[:2] @ ways[:, 0]) * ways[:, 0]
    return replace(fit, field=field)


def _profile(arms: NDArray[np.generic], rest: F64) -> F64:
    """(36,) median of ``rest`` (P,) over the sectors into which ``arms`` (P, 2) point; NaN where there are few."""
    angle = np.arctan2(arms[:, 1], arms[:, 0])
    sector = np.floor((angle / (2 * np.pi)) % 1 * SECTORS).astype(np.intp).clip(0, SECTORS - 1)
    out = np.full(SECTORS, np.nan)
    for number in np.flatnonzero(np.bincount(sector, minlength=SECTORS) >= 2):
        out[number] = np.median(rest[sector == number])
    return out


def _null(edges: Edges, points: F32, normals: F32, unit: float, rng: np.random.Generator) -> F32:
    """(NULL_SHIFTS,) mean support of the same contour at random other places of the take."""
    reach, tolerance = max(5, round(REACH_PX * unit)), max(1, round(TOLERANCE_PX * unit))
    keep = slice(None, None, max(1, len(points) // 40))
    points, normals = points[keep], normals[keep]
    angle, far = rng.uniform(0, 2 * np.pi, NULL_SHIFTS), rng.uniform(12, 40, NULL_SHIFTS) * unit
    moves = np.stack([np.cos(angle) * far, np.sin(angle) * far], 1).astype(np.float32)
    moved = (points[None] + moves[:, None]).reshape(-1, 2)
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    styled = profiles(edges.take, moved, np.tile(normals, (NULL_SHIFTS, 1)), offsets)
    return support(styled, reach, tolerance).reshape(NULL_SHIFTS, -1).mean(1)


def _displacements(styled: F32, render: F32, unit: float) -> tuple[F64, NDArray[np.bool_]]:
    """((P,) working px by which the take's edge lies further out than the render's, sub-pixel; (P,) where it is clear)."""
    sigma = max(0.8, 1.1 * unit)
    smooth = [cv2.GaussianBlur(p, (0, 0), sigmaX=sigma, sigmaY=1.0) for p in (styled, render)]
    centre = styled.shape[1] // 2
    fall = np.exp(-0.5 * ((np.arange(styled.shape[1]) - centre) / (0.55 * centre)) ** 2).astype(np.float32)
    at = [_peak(p * fall) for p in smooth]
    clear = smooth[0].max(1) > 2.0 * smooth[0].mean(1) + NOISE_LAB
    clear &= np.abs(at[1] - centre) <= centre // 2
    clear &= np.abs(at[0] - centre) <= centre - 2
    return (at[0] - at[1]).astype(np.float64), clear


def _peak(rows: F32) -> NDArray[np.float32]:
    """(P,) sub-pixel place of the largest value of each row (parabola through three)."""
    best = rows.argmax(1).clip(1, rows.shape[1] - 2)
    row = np.arange(len(rows))
    a, b, c = rows[row, best - 1], rows[row, best], rows[row, best + 1]
    bend = np.minimum(a - 2 * b + c, -1e-6)
    return (best + np.clip(0.5 * (a - c) / bend, -0.5, 0.5)).astype(np.float32)


def shift_votes(edges: F32, points: F32, normals: F32, search: int) -> F32:
    """(2s+1, 2s+1) mean normalised gradient across the contour when it is moved by dy, dx working pixels."""
    x0, y0 = np.floor(points.min(0)).astype(int) - search - 2
    x1, y1 = np.ceil(points.max(0)).astype(int) + search + 3
    height, width = edges.shape[:2]
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(width, x1), min(height, y1)
    crop = np.ascontiguousarray(edges[y0:y1, x0:x1])
    strength = np.sqrt(crop[..., 0] + crop[..., 2])
    reach = 2 * search + 1
    mean = cv2.blur(strength, (reach, reach)) + NOISE_LAB
    crop = crop / (mean * mean)[..., None]
    steps = np.arange(-search, search + 1)
    dy, dx = np.meshgrid(steps, steps, indexing="ij")
    moves = np.stack([dx.ravel(), dy.ravel()], 1)
    base = np.rint(points - (x0, y0)).astype(int)
    xs = (base[:, None, 0] + moves[None, :, 0]).clip(0, crop.shape[1] - 1)
    ys = (base[:, None, 1] + moves[None, :, 1]).clip(0, crop.shape[0] - 1)
    nx, ny = normals[:, None, 0], normals[:, None, 1]
    tensor = crop[ys, xs]
    power = tensor[..., 0] * nx * nx + 2 * tensor[..., 1] * nx * ny + tensor[..., 2] * ny * ny
    votes = np.minimum(np.sqrt(np.maximum(power, 0)), 3.0)
    return np.asarray(votes.mean(0).reshape(reach, reach), np.float32)


def peak(votes: F32) -> tuple[tuple[float, float], float]:
    """((dx, dy), gain): sub-pixel place of the strongest vote and its lead over no shift, share of the mean vote."""
    search = votes.shape[0] // 2
    y, x = np.unravel_index(int(votes.argmax()), votes.shape)
    gain = float((votes[y, x] - votes[search, search]) / (votes.mean() + 1e-6))

    def refine(line: F32, at: int) -> float:
        if at in (0, len(line) - 1):
            return float(at)
        a, b, c = (float(v) for v in line[at - 1 : at + 2])
        bend = a - 2 * b + c
        return at if bend >= 0 else at + 0.5 * (a - c) / bend

    return (refine(votes[y], int(x)) - search, refine(votes[:, x], int(y)) - search), gain
