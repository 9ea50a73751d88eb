# SPDX-License-Identifier: GPL-3.0-or-later
"""The outline of a part: is it there in the take, and is it where the render has it?

Everything is read from the colour structure tensor along the truth's visible contour, so it is blind to recolour,
relight and the sign of the contrast. (Silhouette support and boundary displacement, notes M3 and M4.)
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .plates import Plate, edge_tensor

REACH_PX = 10.0
SEARCH_PX = 8
TOLERANCE_PX = 1.6
RENDER_SUPPORT = 1.8
TAKE_SUPPORT = 1.25
NOISE_LAB = 0.35
NULL_SHIFTS = 16
CONTACT_DEPTH = 0.012
"""Parts whose depths differ by less than this share meet at the contour: neither occludes the other."""


@dataclass(frozen=True)
class Contour:
    """Visible contour points that the part itself draws (what lies beyond is behind it).

    ``points`` and ``normals`` (P, 2) float32 x, y at working size, normals point outward; ``beyond`` (P,) uint8 id
    outside; ``touching`` ids of parts that meet this one without occluding it or being occluded.
    """

    points: F32
    normals: F32
    beyond: NDArray[np.uint8]
    touching: frozenset[int]


def trace(plate: Plate, part_id: int) -> Contour:
    """The part's own visible contour in the truth."""
    mask = (plate.ids == part_id).astype(np.uint8)
    lines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    lines = [line for line in lines if len(line) >= 6]
    if not lines:
        empty = np.zeros((0, 2), np.float32)
        return Contour(empty, empty, np.zeros(0, np.uint8), frozenset())
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(1.2, 1.8 * plate.unit))
    points = np.concatenate([line[:, 0, :] for line in lines]).astype(np.float32)
    x, y = points[:, 0].astype(int), points[:, 1].astype(int)
    height, width = mask.shape
    inner = (x > 1) & (y > 1) & (x < width - 2) & (y < height - 2)
    x, y, points = x[inner], y[inner], points[inner]
    gx = soft[y, x + 1] - soft[y, x - 1]
    gy = soft[y + 1, x] - soft[y - 1, x]
    length = np.hypot(gx, gy) + 1e-6
    normals = np.stack([-gx / length, -gy / length], 1).astype(np.float32)
    far = np.rint(points + 2.2 * normals).astype(int)
    near = np.rint(points - 1.0 * normals).astype(int)
    far[:, 0], far[:, 1] = far[:, 0].clip(0, width - 1), far[:, 1].clip(0, height - 1)
    near[:, 0], near[:, 1] = near[:, 0].clip(0, width - 1), near[:, 1].clip(0, height - 1)
    beyond = plate.ids[far[:, 1], far[:, 0]]
    depth_far, depth_near = plate.depth[far[:, 1], far[:, 0]], plate.depth[near[:, 1], near[:, 0]]
    step = np.where(depth_far > 0, (depth_far - depth_near) / np.maximum(depth_near, 1e-6), 1.0)
    own = (beyond != part_id) & ((step > CONTACT_DEPTH) | ((beyond == 0) & (step > 0)))
    meets = (beyond != part_id) & (beyond != 0) & (np.abs(step) <= 4 * CONTACT_DEPTH)
    touching = frozenset(int(i) for i in np.unique(beyond[meets]))
    stride = max(1, int(own.sum()) // 400)
    keep = np.flatnonzero(own)[::stride]
    return Contour(points[keep] + 0.5 * normals[keep], normals[keep], beyond[keep], touching)


def profiles(edges: F32, points: F32, normals: F32, offsets: F32) -> F32:
    """(P, S) directional gradient across the contour, Lab units a pixel, at ``points + offset * normal``."""
    where = points[:, None, :] + offsets[None, :, None] * normals[:, None, :]
    tensor = cv2.remap(edges, np.ascontiguousarray(where, np.float32), None, cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return _across(tensor, normals[:, None, :])


def _across(tensor: NDArray[np.float32], normals: F32) -> F32:
    nx, ny = normals[..., 0], normals[..., 1]
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
    beats the same contour elsewhere in the frame; ``offset`` (dx, dy) of the best shift with ``gain`` over no shift;
    ``wobble`` p90 of what the best similarity leaves; ``scale`` and ``turn_deg`` of it; ``decidable`` points.
    """

    lost: float = np.nan
    null: float = np.nan
    ratio: float = np.nan
    gain: float = np.nan
    offset: tuple[float, float] = (np.nan, np.nan)
    wobble: float = np.nan
    scale: float = np.nan
    turn_deg: float = np.nan
    decidable: int = 0


def measure_outline(edges: Edges, contour: Contour, unit: float, rng: np.random.Generator) -> Outline:
    """Compares take and render along the contour; ``unit`` as in Plate."""
    if len(contour.points) < 8:
        return Outline(decidable=len(contour.points))
    reach = max(5, round(REACH_PX * unit))
    tolerance = max(1, round(TOLERANCE_PX * unit))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    render = profiles(edges.render, contour.points, contour.normals, offsets)
    expected = support(render, reach, tolerance)
    seen = expected > RENDER_SUPPORT
    if seen.sum() < max(8, 0.15 * len(seen)):
        return Outline(decidable=int(seen.sum()))
    points, normals = contour.points[seen], contour.normals[seen]
    styled = profiles(edges.take, points, normals, offsets)
    found = support(styled, reach, tolerance)
    null = _null(edges, points, normals, unit, rng)
    offset, gain = _shift(edges, points, normals, unit)
    wobble, scale, turn = _fit(styled, render[seen], points, normals, unit)
    return Outline(
        lost=float((found < TAKE_SUPPORT).mean()),
        null=float((found.mean() - null.mean()) / (null.std() + 0.05)),
        ratio=float(np.median(found) / np.median(expected[seen])),
        gain=gain,
        offset=(offset[0] / unit, offset[1] / unit),
        wobble=wobble,
        scale=scale,
        turn_deg=turn,
        decidable=int(seen.sum()),
    )


def _null(edges: Edges, points: F32, normals: F32, unit: float, rng: np.random.Generator) -> F32:
    """(NULL_SHIFTS,) mean support of the same contour at random other places of the take."""
    reach, tolerance = max(5, round(REACH_PX * unit)), max(1, round(TOLERANCE_PX * unit))
    keep = slice(None, None, max(1, len(points) // 80))
    points, normals = points[keep], normals[keep]
    angle, far = rng.uniform(0, 2 * np.pi, NULL_SHIFTS), rng.uniform(12, 40, NULL_SHIFTS) * unit
    moves = np.stack([np.cos(angle) * far, np.sin(angle) * far], 1).astype(np.float32)
    moved = (points[None] + moves[:, None]).reshape(-1, 2)
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    styled = profiles(edges.take, moved, np.tile(normals, (NULL_SHIFTS, 1)), offsets)
    return support(styled, reach, tolerance).reshape(NULL_SHIFTS, -1).mean(1)


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
    votes = np.minimum(_across(crop[ys, xs], normals[:, None, :]), 3.0)
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


def _shift(edges: Edges, points: F32, normals: F32, unit: float) -> tuple[tuple[float, float], float]:
    keep = slice(None, None, max(1, len(points) // 160))
    search = max(4, round(SEARCH_PX * unit))
    return peak(shift_votes(edges.take, points[keep], normals[keep], search))


def _fit(styled: F32, render: F32, points: F32, normals: F32, unit: float) -> tuple[float, float, float]:
    """(wobble in units, scale, turn in degrees) of the outline's displacement along its normals."""
    sigma = max(0.8, 1.1 * unit)
    smooth = [cv2.GaussianBlur(p, (0, 0), sigmaX=sigma, sigmaY=1.0) for p in (styled, render)]
    centre = styled.shape[1] // 2
    moved = (smooth[0].argmax(1) - smooth[1].argmax(1)).astype(np.float64)
    clear = smooth[0].max(1) > 2.0 * smooth[0].mean(1) + NOISE_LAB
    clear &= np.abs(smooth[1].argmax(1) - centre) <= centre // 2
    if clear.sum() < 12:
        return np.nan, np.nan, np.nan
    moved, points, normals = moved[clear], points[clear], normals[clear]
    arm = points - points.mean(0)
    radius = float(np.sqrt((arm**2).sum(1).mean())) + 1e-6
    design = np.stack(
        [normals[:, 0], normals[:, 1], (arm * normals).sum(1) / radius, (arm[:, 0] * normals[:, 1] - arm[:, 1] * normals[:, 0]) / radius],
        1,
    )  # fmt: skip
    weight = np.ones(len(moved))
    solution = np.zeros(4)
    for _ in range(5):
        normal = design.T @ (design * weight[:, None]) + 1e-3 * np.eye(4) * len(moved)
        solution = np.linalg.solve(normal, design.T @ (weight * moved))
        rest = np.abs(moved - design @ solution)
        weight = 1 / np.maximum(rest, 0.5)
    rest = np.abs(moved - design @ solution)
    return (
        float(np.quantile(rest, 0.8)) / unit,
        1 + float(solution[2]) / radius,
        float(np.degrees(solution[3] / radius)),
    )
