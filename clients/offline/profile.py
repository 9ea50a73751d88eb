# SPDX-License-Identifier: GPL-3.0-or-later
"""From the wobbly half of a drawn outline to the clean profile that its maker meant: straight runs, fair curves, edges.

Profiles are (N, 2) float64 millimetres (r, z), from the axis at the bottom, outside, to the axis at the top; the solid lies
to the left.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
CORNER = np.radians(24)
SNAP_DEG = 4.0


@dataclass(frozen=True)
class _Section:
    """A run between two edges: fitted points and the lines at its two ends (point, direction)."""

    points: F64
    straight: bool
    start: tuple[F64, F64]
    end: tuple[F64, F64]


def resample(points: F64, step: float) -> F64:
    """The same polyline with points about ``step`` apart."""
    points = points[np.r_[True, np.linalg.norm(np.diff(points, axis=0), axis=1) > 1e-9]]
    length = np.r_[0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    at = np.linspace(0, length[-1], max(2, round(length[-1] / step) + 1))
    return np.stack([np.interp(at, length, points[:, k]) for k in (0, 1)], axis=1)


def fair(half: F64, height_mm: float, stroke_mm: float = 0.5) -> F64:
    """The clean profile of a drawn half outline: an edge where the line turns sharply, lines and fair curves between.

    Runs within 4 degrees of upright or level become exactly so.
    """
    step = height_mm / 450
    points = resample(half, step)
    scale = max(0.018 * height_mm, 1.1 * stroke_mm)
    corners = find_corners(points, scale / step)
    stops = [0, *corners, len(points) - 1]
    sections = [_fit(points, a, b, height_mm, step) for a, b in pairwise(stops) if b - a >= 2]
    return _clip_axis(_joined(sections, points[0], points[-1], 2.2 * scale))


def fair_ring(ring: F64, height_mm: float, stroke_mm: float = 0.5) -> F64:
    """The same for a closed outline (N, 2): its edges found, lines and fair curves between them, ring kept closed."""
    step = height_mm / 450
    points = resample(np.vstack([ring, ring[:1]]), step)[:-1]
    scale = max(0.018 * height_mm, 1.1 * stroke_mm)
    n, pad = len(points), min(len(points) - 1, round(8 * scale / step))
    wrapped = np.vstack([points[-pad:], points, points[:pad]])
    corners = [c - pad for c in find_corners(wrapped, scale / step) if pad <= c < pad + n]
    if len(corners) < 2:
        width = 0.035 * height_mm / step
        return _smooth(np.vstack([points] * 3), width, False, False)[n : 2 * n]
    points = np.roll(points, -corners[0], axis=0)
    stops = [c - corners[0] + 1 for c in corners] + [n + 1]
    wrapped = np.vstack([points[-1:], points, points[:2]])
    sections = [_fit(wrapped, a, b, height_mm, step) for a, b in pairwise(stops) if b - a >= 2]
    out: list[F64] = []
    for index, section in enumerate(sections):
        out.append(_meet(sections[index - 1], section, 2.2 * scale))
        if not section.straight:
            out.extend(section.points)
    made = np.array(out)
    return made[np.linalg.norm(made - np.roll(made, 1, axis=0), axis=1) > 1e-6]


def find_corners(points: F64, scale: float) -> list[int]:
    """Indices where an evenly sampled line turns sharply within ``scale`` samples, compared with the turning nearby."""
    if len(points) < 4 * scale:
        return []
    gap, reach = max(1, round(0.3 * scale)), max(2, round(0.8 * scale))
    mirror = np.array([-1.0, 1.0])
    pad = 3 * (gap + reach)
    full = np.vstack([points[pad:0:-1] * mirror, points, points[-2 : -pad - 2 : -1] * mirror])
    n = np.arange(pad, len(full) - pad)
    ahead, behind = full[n + gap + reach] - full[n + gap], full[n - gap] - full[n - gap - reach]
    turn = np.arctan2(behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0], (ahead * behind).sum(axis=1))
    far = round(1.7 * scale)
    near = np.pad(np.abs(turn), far, mode="reflect")
    excess = np.abs(turn) - 0.5 * np.minimum(near[: len(turn)] + near[2 * far :], 2 * np.abs(turn))
    found: list[int] = []
    for index in np.argsort(-excess):
        if excess[index] < CORNER:
            break
        inside = 0.4 * scale < index < len(points) - 1 - 0.4 * scale
        if inside and all(abs(index - other) > 0.85 * scale for other in found):
            found.append(int(index))
    return sorted(found)


def _fit(points: F64, a: int, b: int, height: float, step: float) -> _Section:
    part = points[a : b + 1]
    trim = min(round(0.011 * height / step), (b - a) // 4)
    head = 0 if a == 0 else trim
    core = part[head : len(part) - (0 if b == len(points) - 1 else trim)]
    centre = core.mean(axis=0)
    direction = np.linalg.svd(core - centre, full_matrices=False)[2][0]
    direction = direction if direction @ (part[-1] - part[0]) > 0 else -direction
    off = np.abs((core - centre) @ np.array([-direction[1], direction[0]]))
    length = float(np.linalg.norm(part[-1] - part[0]))
    if float(off.max()) < max(0.0075 * height, 0.02 * length) or length < 0.035 * height:
        direction = _snapped(direction)
        ray = (centre, direction)
        ends = np.stack([centre + direction * ((p - centre) @ direction) for p in (part[0], part[-1])])
        return _Section(ends, True, ray, ray)
    curve = _smooth(core, 0.035 * height / step, a == 0, b == len(points) - 1)
    k = min(3, len(curve) - 1)
    return _Section(
        curve, False, (curve[0], _unit(curve[k] - curve[0])), (curve[-1], _unit(curve[-1] - curve[-1 - k]))
    )


def _unit(vector: F64) -> F64:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))


def _snapped(direction: F64) -> F64:
    limit = np.sin(np.radians(SNAP_DEG))
    if abs(direction[0]) < limit:
        return np.array([0.0, np.sign(direction[1])])
    return np.array([np.sign(direction[0]), 0.0]) if abs(direction[1]) < limit else direction


def _smooth(points: F64, width: float, at_axis_start: bool, at_axis_end: bool) -> F64:
    """Whittaker smoothing (third differences) of an evenly sampled line; runs across the axis are mirrored there."""
    pad = min(len(points) - 1, int(3 * width))
    mirror = np.array([-1.0, 1.0])
    head = points[pad:0:-1] * mirror if at_axis_start else 2 * points[0] - points[pad:0:-1]
    tail = points[-2 : -pad - 2 : -1]
    tail = tail * mirror if at_axis_end else 2 * points[-1] - tail
    full = np.vstack([head, points, tail])
    n = len(full)
    frequency = np.fft.rfftfreq(2 * n)
    response = 1 / (1 + (2 * np.pi * frequency * width / 2.2) ** 6)
    trend = np.linspace(full[0], full[-1], n)
    rest = full - trend
    odd = np.vstack([rest, -rest[::-1]])
    smooth = np.fft.irfft(np.fft.rfft(odd, axis=0) * response[:, None], 2 * n, axis=0)[:n] + trend
    return np.asarray(smooth[pad : pad + len(points)])


def _joined(sections: list[_Section], first: F64, last: F64, reach: float) -> F64:
    out = [np.array([0.0, sections[0].start[0][1] if sections[0].straight else first[1]])]
    for index, section in enumerate(sections):
        if not section.straight:
            out.extend(section.points)
        if index + 1 < len(sections):
            out.append(_meet(section, sections[index + 1], reach))
    out.append(np.array([0.0, _axis_height(sections[-1], last)]))
    out[0][1] = _axis_height(sections[0], first)
    joined = np.array(out)
    return joined[np.r_[True, np.linalg.norm(np.diff(joined, axis=0), axis=1) > 1e-6]]


def _axis_height(section: _Section, end: F64) -> float:
    """Where a straight run at the axis meets it (level runs stay level); a curve keeps its own end."""
    if section.straight and abs(section.start[1][0]) > 0.5:
        point, direction = section.start
        return float(point[1] - point[0] / direction[0] * direction[1])
    return float(end[1])


def _meet(one: _Section, two: _Section, reach: float) -> F64:
    """Where the end of one run meets the start of the next; halfway if that is far off or they run alike."""
    (p, u), (q, v) = one.end, two.start
    near = 0.5 * (one.points[-1] + two.points[0])
    cross = u[0] * v[1] - u[1] * v[0]
    if abs(cross) < 0.15:
        return np.asarray(near)
    at = p + u * float((q - p)[0] * v[1] - (q - p)[1] * v[0]) / cross
    return np.asarray(at if np.linalg.norm(at - near) < reach else near)


def _clip_axis(points: F64) -> F64:
    points = points.copy()
    points[:, 0] = np.maximum(points[:, 0], 0)
    inner = (points[1:-1, 0] > 1e-4) | (np.arange(1, len(points) - 1) < 0)
    return points[np.r_[True, inner, True]]


def bevelled(
    points: F64, radius_mm: float, *, sharpest_deg: float = 22.0, sides: int = 3
) -> tuple[F64, Mask]:
    """Rounds the edges of a profile: (points, True where the line is straight on to the next point and may be divided).

    Each edge becomes an arc of ``sides`` pieces with a holding point beyond either end, so that smooth shading stays flat on
    flat faces. Edges with little room get a smaller radius.
    """
    out: list[F64] = [points[0]]
    for before, here, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        a, b = here - before, after - here
        la, lb = float(np.linalg.norm(a)), float(np.linalg.norm(b))
        turn = float(np.arctan2(a[0] * b[1] - a[1] * b[0], a @ b))
        if abs(turn) < np.radians(sharpest_deg) or min(la, lb) < 1e-3:
            out.append(here)
            continue
        half = abs(np.tan(turn / 2))
        room = 0.42 * min(la, lb)
        cut = min(radius_mm * half, room, 2 * radius_mm)
        hold = cut + min(0.7 * radius_mm, 0.5 * (room - cut)) if room > 1.4 * cut else None
        if hold:
            out.append(here - a / la * hold)
        out.extend(_arc(here - a / la * cut, here, here + b / lb * cut, sides))
        if hold:
            out.append(here + b / lb * hold)
    out.append(points[-1])
    line = np.array(out)
    line = line[np.r_[True, np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-5]]
    return line, np.ones(len(line), bool)


def bevelled_ring(ring: F64, radius_mm: float) -> F64:
    """``bevelled`` for a closed outline."""
    line, _ = bevelled(np.vstack([ring[-1:], ring, ring[:1]]), radius_mm)
    return line[1:-1]


def _arc(a: F64, corner: F64, b: F64, sides: int) -> list[F64]:
    """Points from a to b, tangent to both edges: a circle's arc (a and b are equally far from the corner)."""
    t = np.linspace(0, 1, sides + 1)[:, None]
    half_turn = 0.5 * np.pi - 0.5 * np.arccos(np.clip(_unit(a - corner) @ _unit(b - corner), -1, 1))
    weight = np.cos(half_turn)  # rational quadratic Bezier: an exact circle
    bottom = (1 - t) ** 2 + 2 * weight * t * (1 - t) + t**2
    return list(((1 - t) ** 2 * a + 2 * weight * t * (1 - t) * corner + t**2 * b) / bottom)


def thinned(points: F64, tolerance_mm: float) -> F64:
    """Douglas and Peucker: the fewest points that stay within ``tolerance_mm``; both ends kept."""
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    stack = [(0, len(points) - 1)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        piece = points[b] - points[a]
        rel = points[a + 1 : b] - points[a]
        along = np.clip(rel @ piece / max(float(piece @ piece), 1e-24), 0, 1)
        off = np.linalg.norm(rel - along[:, None] * piece, axis=1)
        worst = int(np.argmax(off))
        if off[worst] > tolerance_mm:
            keep[a + 1 + worst] = True
            stack += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return points[keep]


def divided(points: F64, longest_mm: float) -> F64:
    """Adds points so that no piece is longer than ``longest_mm``."""
    out = [points[:1]]
    for a, b in pairwise(points):
        count = max(1, int(np.ceil(float(np.linalg.norm(b - a)) / longest_mm - 1e-9)))
        out.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.vstack(out)


def deviation(profile: F64, drawn: F64) -> tuple[float, float]:
    """(mean, greatest) distance in mm of the drawn points from the profile."""
    a, b = profile[:-1], profile[1:]
    d = b - a
    length2 = np.maximum((d**2).sum(axis=1), 1e-12)
    worst = []
    for point in drawn[:: max(1, len(drawn) // 400)]:
        t = np.clip(((point - a) * d).sum(axis=1) / length2, 0, 1)
        worst.append(float(np.min(np.linalg.norm(a + t[:, None] * d - point, axis=1))))
    return float(np.mean(worst)), float(np.max(worst))
