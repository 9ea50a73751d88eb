# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed outline among the strokes, its axis of symmetry, and level lines of a distance field."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import InputError
from .sketch_ink import F32, Mask, close_gaps, distance, grow, shrink

F64 = NDArray[np.float64]
GAPS_PX = (
    0.0,
    1.5,
    2.5,
    4.0,
    6.0,
    9.0,
    13.0,
    18.0,
    24.0,
)  # half widths of gaps tried, for a sheet 2000 px long


@dataclass(frozen=True)
class Silhouette:
    """``field`` (H, W) float32 signed distance in px to the middle of the outer stroke, positive inside; the inner side
    of that stroke as ``inside`` (H, W) bool; the widest gap that was bridged, px."""

    field: F32
    inside: Mask
    gap_px: float


@dataclass(frozen=True)
class Axis:
    """A line of symmetry: a point on it (px), its tilt (degrees, positive leans right), overlap with its mirror 0..1."""

    x: float
    y: float
    tilt_deg: float
    symmetry: float


def find_silhouette(ink: Mask, stroke_px: float) -> Silhouette:
    """The region inside the largest closed outline. Raises InputError if nothing is closed.

    Gaps are bridged with the smallest reach that closes (nearly) as much symmetric area as any reach does.
    """
    for reach, expected in _reaches(ink, stroke_px):
        region = _enclosed(close_gaps(ink, reach) if reach else ink, stroke_px)
        if np.count_nonzero(region) >= 0.93 * expected:
            break
    barrier = ink | _bridges(ink, reach, region, stroke_px)
    inside = _enclosed(barrier, stroke_px)
    if np.count_nonzero(inside) < 0.8 * np.count_nonzero(region):
        inside, barrier = region, close_gaps(ink, reach)
    return Silhouette(_middle_field(inside, barrier, stroke_px), inside, 2 * reach)


def _reaches(ink: Mask, stroke_px: float) -> list[tuple[float, float]]:
    """(half width of gaps to bridge, area that this closes), in px: what suffices on a drawing of half the size, then more,
    because halving closes the narrowest gaps by itself."""
    unit = max(ink.shape) / 2000
    halve = max(ink.shape) > 900
    small, scale = (_halved(ink), 0.5) if halve else (ink, 1.0)
    tried: list[tuple[float, float, int]] = []
    for gap in GAPS_PX:
        reach = gap * unit * scale
        region = _enclosed(close_gaps(small, reach) if gap else small, stroke_px * scale)
        area = int(np.count_nonzero(region))
        tried.append((area * _rough_symmetry(region) ** 2 if area else 0.0, gap * unit, area))
    most = max(score for score, _, _ in tried)
    if most <= 0 or max(area for _, _, area in tried) < 0.002 * small.size:
        todo = "Draw the outline as one closed line; gaps up to about 2 % of the sheet are bridged."
        raise InputError("No closed shape was found in the drawing", todo=todo)
    first = next(index for index, (score, _, _) in enumerate(tried) if score >= 0.965 * most)
    expected = tried[first][2] / scale**2
    return [(reach, expected) for _, reach, _ in tried[first:]]


def _halved(mask: Mask) -> Mask:
    """Half the size; a pixel is set if any of its four was, so that thin lines stay closed."""
    even = np.pad(mask, ((0, mask.shape[0] % 2), (0, mask.shape[1] % 2)))
    return np.asarray(even[::2, ::2] | even[1::2, ::2] | even[::2, 1::2] | even[1::2, 1::2])


def _fill(mask: Mask) -> Mask:
    """The mask with everything that the border can't reach."""
    padded = np.pad(mask, 1).astype(np.uint8)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] != 2)


def _enclosed(barrier: Mask, stroke_px: float) -> Mask:
    """The largest group of closed cells that only strokes divide, as one filled region."""
    cells = _fill(barrier) & ~barrier
    if not cells.any():
        return cells
    merged = close_gaps(cells, stroke_px * 0.9)
    _, labels = cv2.connectedComponents(merged.astype(np.uint8), connectivity=4)
    sizes = np.bincount(labels[cells], minlength=int(labels.max()) + 1)
    sizes[0] = 0
    return _fill(labels == int(np.argmax(sizes)))


def _bridges(ink: Mask, reach: float, region: Mask, stroke_px: float) -> Mask:
    """Those pieces that closing added which part the region from the outside: straight bridges, not filled corners."""
    if reach == 0:
        return np.zeros_like(ink)
    closed = close_gaps(ink, reach)
    added = closed & ~ink
    _, labels = cv2.connectedComponents(added.astype(np.uint8), connectivity=8)
    outside = ~_fill(closed)
    inner = np.unique(labels[grow(region & ~closed, 2.0) & added])
    outer = np.unique(labels[grow(outside, 2.0) & added])
    both = np.intersect1d(inner, outer)
    return np.asarray(np.isin(labels, both[both > 0]))


def _middle_field(inside: Mask, barrier: Mask, stroke_px: float) -> F32:
    """Signed distance to the line midway between the inner and the outer side of the outline's stroke."""
    near = grow(inside, 1.7 * stroke_px)
    outer = _fill((barrier & near) | inside) & near
    thick = (
        shrink(grow(shrink(outer, 0.8 * stroke_px), 0.8 * stroke_px), 0) | inside
    )  # opening: stray ends go
    thick = _only_touching(thick, inside)
    field = 0.5 * (distance(inside) - distance(~inside)) + 0.5 * (distance(thick) - distance(~thick))
    return np.asarray(cv2.GaussianBlur(field, (0, 0), max(0.8, 0.3 * stroke_px)), np.float32)


def _only_touching(mask: Mask, core: Mask) -> Mask:
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    keep = np.zeros(int(labels.max()) + 1, bool)
    keep[np.unique(labels[core])] = True
    keep[0] = False
    return np.asarray(keep[labels])


def _rough_symmetry(region: Mask) -> float:
    if not region.any():
        return 0.0
    return find_axis(region, (-8.0, -4.0, 0.0, 4.0, 8.0), side=96).symmetry


def find_axis(region: Mask, angles: tuple[float, ...] = tuple(range(-10, 11)), side: int = 320) -> Axis:
    """The best mirror axis within 10 degrees of upright; ``symmetry`` is intersection over union with the mirror."""
    ys, xs = np.nonzero(region)
    centre = (float(xs.mean()), float(ys.mean()))
    radius = float(np.hypot(xs - centre[0], ys - centre[1]).max()) + 2
    scale = side / 2 / radius
    best = _best_axis(region, centre, scale, side, angles)
    if len(angles) > 8:
        for step in (0.5, 0.12):
            around = tuple(best[1] + step * k for k in range(-3, 4))
            best = _best_axis(region, centre, scale, side, around)
    tilt, shift = best[1], best[2] / scale
    turn = np.radians(tilt)
    return Axis(
        centre[0] + shift * float(np.cos(turn)), centre[1] + shift * float(np.sin(turn)), tilt, best[0]
    )


def _best_axis(
    region: Mask, centre: tuple[float, float], scale: float, side: int, angles: tuple[float, ...]
) -> tuple[float, float, float]:
    best = (-1.0, 0.0, 0.0)
    source = region.astype(np.float32)
    for angle in angles:
        matrix = cv2.getRotationMatrix2D(centre, angle, scale)
        matrix[:, 2] += (side / 2 - centre[0], side / 2 - centre[1])
        turned = cv2.warpAffine(source, matrix, (side, side), flags=cv2.INTER_AREA)
        overlap, shift = _mirror(turned)
        if overlap - 1e-4 * abs(angle) > best[0]:
            best = (overlap, angle, shift)
    return best


def _mirror(picture: F32) -> tuple[float, float]:
    """Best overlap of a soft mask with its left-right mirror and the axis' offset (px) from the middle column."""
    width = picture.shape[1]
    size = 2 * width
    spectrum = np.fft.rfft(picture, size, axis=1)
    product = np.fft.irfft((spectrum * spectrum).sum(axis=0), size)  # sum over x of p(x) p(k - x)
    k = np.arange(size)
    near = np.abs(k - (width - 1)) <= 0.2 * width
    product = np.where(near, product, 0)
    top = int(np.argmax(product))
    left, mid, right = product[top - 1], product[top], product[(top + 1) % size]
    bend = left - 2 * mid + right
    peak = top + (0.5 * (left - right) / bend if abs(bend) > 1e-9 else 0.0)
    total = float((picture**2).sum())
    return float(mid / max(2 * total - mid, 1e-9)), float(peak - width) / 2


def level_lines(field: F32, level: float = 0.0, *, shortest_px: float = 12.0) -> list[F64]:
    """Closed lines (N, 2) x, y in px where ``field`` passes ``level``, to a fraction of a pixel; longest first.

    The inside (greater values) lies on the same side throughout: outer lines run one way, holes the other.
    """
    zoom = 2
    big = cv2.resize(field - level, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
    contours, _ = cv2.findContours((big > 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    lines = []
    gy, gx = np.gradient(field)
    for contour in contours:
        points = (contour[:, 0].astype(np.float64) + 0.5) / zoom - 0.5
        if len(points) < shortest_px * zoom:
            continue
        for _ in range(3):
            value = _sample(field, points) - level
            slope = np.stack([_sample(gx, points), _sample(gy, points)], axis=1)
            steep = np.maximum((slope**2).sum(1), 0.09)
            points = points - np.clip(value / steep, -1, 1)[:, None] * slope
        lines.append(points)
    return sorted(lines, key=len, reverse=True)


def _sample(picture: NDArray[np.floating[Any]], points: F64) -> F64:
    """Bilinear values of a picture at points (N, 2) x, y."""
    at = points.astype(np.float32).reshape(-1, 1, 2)
    out = []
    for start in range(0, len(at), 30000):
        piece = at[start : start + 30000]
        out.append(
            cv2.remap(
                np.asarray(picture, np.float32), piece, None, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
            )
        )
    return np.concatenate(out)[:, 0].astype(np.float64)
