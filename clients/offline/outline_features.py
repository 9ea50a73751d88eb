# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of an upright drawing mean: centre line, peg, socket, holes, panes, decor. Legend: docs/ideate.md."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .outline_trace import _fill
from .sketch_ink import F32, Mask, close_gaps, distance, grow

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Upright:
    """A drawing turned so that its axis is a vertical line; rows run down.

    ``rgb`` (H, W, 3) uint8 sheet, ``tone`` (H, W) float32 and ``ink`` (H, W) bool lines, ``inside`` (H, W) bool inner side
    of the outline's stroke, ``field`` (H, W) float32 signed distance to the outline in px, positive inside.
    """

    rgb: NDArray[np.uint8]
    tone: F32
    ink: Mask
    inside: Mask
    field: F32
    axis_px: float
    top_px: float
    bottom_px: float
    px_per_mm: float
    stroke_px: float

    @property
    def height_mm(self) -> float:
        """Real height of the outline."""
        return (self.bottom_px - self.top_px) / self.px_per_mm

    def to_mm(self, points: F64) -> F64:
        """Pixels (N, 2) to millimetres from the axis and above the bottom."""
        return (points - (self.axis_px, self.bottom_px)) / self.px_per_mm * (1, -1)

    def column(self, x_mm: float) -> int:
        return int(np.clip(round(self.axis_px + x_mm * self.px_per_mm), 0, self.field.shape[1] - 1))

    def row(self, z_mm: float) -> int:
        return int(np.clip(round(self.bottom_px - z_mm * self.px_per_mm), 0, self.field.shape[0] - 1))


@dataclass(frozen=True)
class Feature:
    """A drawn peg or socket: radius and length (or depth) in mm; ``level_mm`` height of its shoulder or rim."""

    kind: str
    radius_mm: float
    length_mm: float
    level_mm: float
    confidence: float
    how: str


def half_widths(view: Upright) -> tuple[F64, F64, F64]:
    """Heights z, outer half widths and inner half widths (0 unless the top is hollow) in mm, bottom first."""
    rows = np.arange(int(np.ceil(view.bottom_px)) - 1, int(view.top_px), -1)
    start = round(view.axis_px)
    right = view.field[rows, start:]
    inside = right > 0
    outer_px = right.shape[1] - 1 - np.argmax(inside[:, ::-1], axis=1)
    inner_px = np.argmax(inside, axis=1)
    index = np.arange(len(rows))
    part = np.clip(right[index, outer_px], 0, 1)
    none = ~inside.any(axis=1)
    outer = np.where(none, 0, (outer_px + part + start - view.axis_px) / view.px_per_mm)
    inner = np.where(none | (inner_px <= 1), 0, (inner_px + start - view.axis_px) / view.px_per_mm)
    return (view.bottom_px - rows) / view.px_per_mm, np.asarray(outer), np.asarray(inner)


def centre_line(view: Upright) -> bool:
    """True if a centre line is drawn: a narrow, mostly straight row of marks on the axis, past the outline or inside."""
    band = _near_columns(view, 0.0, 0.012 * view.height_mm)
    reach = 0.07 * view.height_mm
    whole = band[view.row(view.height_mm + reach) : view.row(-reach)]
    lowest = view.row(-0.03 * view.height_mm)
    above, below = band[: view.row(1.03 * view.height_mm)], band[lowest:]
    length = 0.02 * view.height_mm * view.px_per_mm
    ends = int(above.sum() > length) + int(below.sum() > length)
    return bool(whole.mean() > 0.38 and ends >= 1) or bool(whole.mean() > 0.25 and ends == 2)


def _near_columns(view: Upright, x_mm: float, reach_mm: float) -> Mask:
    """(H,) bool: rows with ink, other than the outline's, within ``reach_mm`` of the column ``x_mm``."""
    columns = slice(view.column(x_mm - reach_mm), view.column(x_mm + reach_mm) + 1)
    return np.asarray(
        (view.ink[:, columns] & (np.abs(view.field[:, columns]) > 1.2 * view.stroke_px)).any(axis=1)
    )


def find_peg(view: Upright) -> Feature | None:
    """A straight, flat-tipped end below a shoulder, or None."""
    z, width, _ = half_widths(view)
    height = view.height_mm
    reach = max(1, round(0.022 * height * view.px_per_mm))
    ahead = np.r_[width[2 * reach :], np.full(2 * reach, width[-1])]
    wider = (ahead > 1.18 * width) & (ahead - width > 0.03 * height) & (z > 0.1 * height) & (z < 0.8 * height)
    if not wider.any():
        return None
    level = float(z[int(np.argmax(wider))])
    shaft = (z > 0.22 * level) & (z < level - 0.012 * height)
    if shaft.sum() < 8:
        return None
    radius = float(np.median(width[shaft]))
    after = (z > level) & (z < level + 0.1 * height)
    edge = 0.5 * (radius + float(width[after].max()))
    level = float(z[(z >= level) & (width >= min(edge, 1.25 * radius))][0])
    uneven = float(np.abs(width[shaft] - radius).max() / radius)
    tip = float(width[z > 0.07 * level][0] / radius)
    if uneven > 0.12 or tip < 0.6 or level < 0.35 * radius or float(width[:reach].max()) > 1.1 * radius:
        return None
    confidence = float(np.clip(1.0 - 4 * uneven, 0.4, 0.98))
    return Feature("peg", radius, level, level, confidence, "straight end with a flat tip below a shoulder")


def find_socket(view: Upright) -> Feature | None:
    """A straight-sided cavity open at the top: cut into the outline, or drawn inside it (dashed or plain)."""
    return _cut_socket(view) or _drawn_socket(view)


def _cut_socket(view: Upright) -> Feature | None:
    z, outer, inner = half_widths(view)
    hollow = (inner > 0) | (outer <= 0)
    if not hollow[-1] and not hollow[int(0.96 * len(z))]:
        return None
    floor = int(np.flatnonzero(~hollow)[-1]) if (~hollow).any() else 0
    depth = view.height_mm - float(z[floor])
    walls = inner[floor + 2 : int(0.97 * len(z))]
    if depth < 0.06 * view.height_mm or len(walls) < 6:
        return None
    radius = float(np.median(walls))
    uneven = float(np.percentile(np.abs(walls - radius), 90) / radius)
    if uneven > 0.12 or radius > 0.95 * float(np.median(outer[floor + 2 : int(0.97 * len(z))])):
        return None
    confidence = float(np.clip(1 - 3 * uneven, 0.4, 0.98))
    return Feature("socket", radius, depth, view.height_mm, confidence, "cavity cut into the outline's top")


def _drawn_socket(view: Upright) -> Feature | None:
    height, ppm = view.height_mm, view.px_per_mm
    z, outer, _ = half_widths(view)
    rim = float(np.median(outer[(z > 0.93 * height) & (z < 0.98 * height)]))
    band = max(0.011 * height, 0.6 * view.stroke_px / ppm)
    thick = (
        cv2.dilate(view.ink.astype(np.uint8), np.ones((2 * round(0.009 * height * ppm) + 1, 1), np.uint8)) > 0
    )
    top, rows = view.row(height), np.arange(view.row(0.92 * height), view.row(0.15 * height))
    best: tuple[float, Feature | None] = (0.0, None)
    for x in np.arange(max(0.2 * rim, 0.05 * height), 0.92 * rim, 0.25 / ppm * view.stroke_px):
        sides = [_near_columns(view, sign * x, band)[top : rows[-1] + 1] for sign in (-1, 1)]
        if _first_gap(sides[0] | sides[1]) > 0.05 * height * ppm:
            continue
        cover = np.min([np.cumsum(side) / np.arange(1, len(side) + 1) for side in sides], axis=0)[rows - top]
        floor = thick[rows, view.column(-x) : view.column(x) + 1].mean(axis=1)
        past = _past_walls(view, thick, rows, x + 1.6 * band, 0.3 * x + band)
        on = _going_on(sides, rows - top, round(0.015 * height * ppm), round(0.11 * height * ppm))
        drawn = (cover > 0.4) & (floor > 0.45) & (past < 0.6) & (on < 0.55)
        score = np.where(drawn, cover + floor - 0.9 * past - 0.6 * on, 0)
        at = int(np.argmax(score))
        if score[at] > best[0]:
            same = np.flatnonzero(score >= score[at] - 0.03)
            level = (view.bottom_px - float(rows[same[np.abs(same - at) < 0.03 * height * ppm]].mean())) / ppm
            confidence = float(
                np.clip(0.25 + 0.36 * cover[at] + 0.36 * floor[at] - 0.3 * past[at], 0.2, 0.97)
            )
            how = "straight inner lines from the rim down to a floor line"
            best = (float(score[at]), Feature("socket", float(x), height - level, height, confidence, how))
    if best[1] is None:
        return None
    return replace(best[1], radius_mm=_fine_radius(view, best[1], band))


def _first_gap(marks: Mask) -> int:
    """Rows before the first mark."""
    return int(np.argmax(marks)) if marks.any() else len(marks)


def _going_on(sides: list[Mask], at: NDArray[np.int_], skip: int, reach: int) -> F64:
    """How much of the walls goes on below each row (0..1): a bar does, a cavity's wall does not."""
    total = np.cumsum(np.mean(np.asarray(sides, float), axis=0))
    last = len(total) - 1
    low, high = np.minimum(at + skip, last), np.minimum(at + reach, last)
    return np.asarray((total[high] - total[low]) / np.maximum(high - low, 1))


def _past_walls(view: Upright, thick: Mask, rows: NDArray[np.int_], start_mm: float, reach_mm: float) -> F64:
    """How much of a floor line goes on past both walls (0..1 per row): a collar's edge does, a cavity's floor does not."""
    total = np.zeros(len(rows))
    for sign in (-1, 1):
        a, b = sorted((view.column(sign * start_mm), view.column(sign * (start_mm + reach_mm))))
        total += (thick[rows, a : b + 1] & (view.field[rows, a : b + 1] > 0)).mean(axis=1)
    return np.asarray(total / 2)


def _fine_radius(view: Upright, socket: Feature, band: float) -> float:
    rows = slice(
        view.row(socket.level_mm - 0.02 * view.height_mm), view.row(socket.level_mm - 0.92 * socket.length_mm)
    )
    found = []
    for sign in (-1.0, 1.0):
        a, b = sorted(
            (view.column(sign * (socket.radius_mm - band)), view.column(sign * (socket.radius_mm + band)))
        )
        tone = view.tone[rows, a : b + 1]
        columns = np.arange(a, b + 1)
        if tone.sum() > 1:
            found.append(
                abs(float((tone.sum(axis=0) * columns).sum() / tone.sum()) - view.axis_px) / view.px_per_mm
            )
    return float(np.mean(found)) if len(found) == 2 else socket.radius_mm


def decor_tone(view: Upright, *, drop_centre: bool, socket: Feature | None) -> F32:
    """(H, W) float32 0..1: the lines inside the outline, without its own stroke, centre line and hidden lines."""
    tone = view.tone.copy()
    if drop_centre:
        half = max(0.012 * view.height_mm, 0.9 * view.stroke_px / view.px_per_mm)
        a, b = view.column(-half), view.column(half)
        blend = np.linspace(0, 1, b - a + 1, dtype=np.float32)
        left, right = tone[:, max(a - 3, 0) : a].mean(axis=1), tone[:, b + 1 : b + 4].mean(axis=1)
        tone[:, a : b + 1] = left[:, None] * (1 - blend) + right[:, None] * blend
    if socket is not None:
        _erase_socket(view, tone, socket)
    core = np.clip((view.field - 0.75 * view.stroke_px) / (0.4 * view.stroke_px), 0, 1)
    keep = grow(_not_outline(view), 1.5)
    return np.asarray(tone * core * keep, np.float32)


def _not_outline(view: Upright) -> Mask:
    """Ink that stays away from the outline's stroke, and what of the touching ink goes on inside."""
    return np.asarray(view.ink & (view.field > 0.7 * view.stroke_px))


def _erase_socket(view: Upright, tone: F32, socket: Feature) -> None:
    half = max(0.012 * view.height_mm, 0.8 * view.stroke_px / view.px_per_mm)
    top, low = view.row(socket.level_mm), view.row(socket.level_mm - socket.length_mm - half)
    for sign in (-1, 1):
        a, b = sorted(
            (view.column(sign * (socket.radius_mm - half)), view.column(sign * (socket.radius_mm + half)))
        )
        blend = np.linspace(0, 1, b - a + 1, dtype=np.float32)
        left, right = tone[top:low, max(a - 3, 0) : a].mean(axis=1), tone[top:low, b + 1 : b + 4].mean(axis=1)
        tone[top:low, a : b + 1] = left[:, None] * (1 - blend) + right[:, None] * blend
    floor = slice(view.row(socket.level_mm - socket.length_mm + half), low)
    tone[floor, view.column(-socket.radius_mm - half) : view.column(socket.radius_mm + half) + 1] = 0


def inner_cells(view: Upright, lines: Mask) -> tuple[list[Mask], list[Mask]]:
    """Closed cells inside the outline as masks: (free-standing ones = holes of a flat part, other ones = panes)."""
    outline = view.inside & (view.field < 1.4 * view.stroke_px)
    reach = 0.010 * view.height_mm * view.px_per_mm
    barrier = close_gaps((lines & view.inside) | outline | ~view.inside, reach) & view.inside & ~outline
    _, strokes = cv2.connectedComponents((barrier | outline).astype(np.uint8), connectivity=8)
    rim = set(np.unique(strokes[outline]).tolist())
    cells = view.inside & ~barrier & ~outline
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=4)
    holes: list[Mask] = []
    panes: list[Mask] = []
    whole, pad = np.count_nonzero(view.inside), int(view.stroke_px) + 4
    for index in range(1, count):
        if stats[index, cv2.CC_STAT_AREA] < 0.008 * whole:
            continue
        x, y, w, h = (int(v) for v in stats[index, :4])
        box = np.s_[max(y - pad, 0) : y + h + pad, max(x - pad, 0) : x + w + pad]
        cell = np.asarray(labels[box] == index)
        if float(distance(cell).max()) < 0.028 * view.height_mm * view.px_per_mm:
            continue
        edge = grow(cell, 2.5) & ~cell
        if (edge & ~barrier[box]).sum() > 0.061 * edge.sum():
            continue
        free = not (set(np.unique(strokes[box][edge & barrier[box]]).tolist()) & rim)
        found = np.zeros_like(cells)
        found[box] = grow(_fill(cell), 0.5 * view.stroke_px)
        (holes if free else panes).append(found)
    return holes, panes
