# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around a tube: how far it reaches, what closes its ends, which lugs or slots break its side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .axis_fit import Tube
from .axis_surface import Patches
from .rigid import Array, frame
from .units import PI

SLICE = 0.125
"""Height of a slice in radii."""
TURNS = 16
"""Parts of a turn that a slice's coverage is counted in."""
COVERED = 0.5
GAP = 0.6
"""Radii that a run may break off for: holes, lugs, grooves."""


@dataclass(frozen=True)
class Around:
    """Samples as a tube sees them, lengths in its radii: distance off its side, from its axis, place; each (N,).

    ``facing`` is 1 where a sample faces as the tube's side does, ``up`` its normal along the axis; area in radii^2.
    """

    off: Array
    out: Array
    x: Array
    y: Array
    height: Array
    facing: Array
    up: Array
    area: Array

    def on(self, tolerance: float) -> NDArray[np.bool_]:
        """What lies on the side and faces as it must."""
        result: NDArray[np.bool_] = (np.abs(self.off) < tolerance) & (self.facing > 0.7)
        return result

    def column(self, rows: NDArray[np.bool_], columns: int) -> NDArray[np.int64]:
        """Which of so many equal parts of a turn these rows are in."""
        turn = np.arctan2(self.y[rows], self.x[rows])
        return np.minimum(((turn + PI) / (2.0 * PI) * columns).astype(np.int64), columns - 1)


@dataclass(frozen=True)
class Run:
    """Heights in radii between which the side is there; ``coverage`` is the share of the turn that is."""

    low: float
    high: float
    coverage: float


@dataclass(frozen=True)
class End:
    """An end at ``height``, and how much closes it in disc areas.

    ``cap`` faces away from the tube, ``flat`` of it straight along the axis, ``floor`` faces into the tube,
    ``beyond`` lies past the end. ``edge`` is the share of the turn in which a flat edge runs along the side: a hollow
    peg has no more of a tip than that.
    """

    height: float
    cap: float
    flat: float
    floor: float
    beyond: float
    edge: float


def around(tube: Tube, spread: Patches, normal: Array, sign: float) -> Around:
    """Samples with smoothed normals (N, 3) seen from a tube; ``sign`` 1 for a peg, -1 for a bore."""
    size = tube.radius
    x, y, height = (v / size for v in tube.local(spread.point))
    out = np.sqrt(x * x + y * y)
    nx, ny, up = frame((0.0, 0.0, 0.0), tube.axis)[:3, :3].T @ normal.T
    facing = sign * (nx * x + ny * y) / np.maximum(out, 1e-12)
    off = out - 1.0 - tube.taper * height
    return Around(off, out, x, y, height, facing, up, spread.area / size**2)


def longest_run(seen: Around, tolerance: float, at: float = 0.0) -> Run | None:
    """The longest stretch of well-covered slices."""
    on = seen.on(tolerance)
    if not on.any():
        return None
    base = float(seen.height[on].min())
    row = np.floor((seen.height[on] - base) / SLICE).astype(np.int64)
    column = seen.column(on, TURNS)
    cells = np.bincount(row * TURNS + column, seen.area[on], minlength=(row.max() + 1) * TURNS)
    full = SLICE * 2.0 * PI / TURNS
    cover = (cells.reshape(-1, TURNS) > 0.2 * full).mean(axis=1)
    good = np.flatnonzero(cover >= COVERED)
    if not len(good):
        return None
    breaks = np.flatnonzero(np.diff(good) > round(GAP / SLICE) + 1)
    groups = np.split(good, breaks + 1)
    best = max(groups, key=lambda rows: (len(rows), -rows[0]))
    first, last = int(best[0]), int(best[-1])
    per_slice = cells.reshape(-1, TURNS).sum(axis=1) / (2.0 * PI * SLICE)
    inner = float(np.median(per_slice[best])) if len(best) else 1.0
    # the end slices are there in part: by as much area as they hold of what a whole one holds
    low = base + SLICE * (first + 1 - min(_part(per_slice, first, -1, inner), 2.0))
    high = base + SLICE * (last + min(_part(per_slice, last, 1, inner), 2.0))
    return Run(low, max(high, low + 1e-6), float(cover[best].mean()))


def _part(per_slice: Array, row: int, step: int, inner: float) -> float:
    """How much of the end slice and of the one past it is there."""
    past = per_slice[row + step] if 0 <= row + step < len(per_slice) else 0.0
    return float((min(per_slice[row], inner) + min(past, inner)) / max(inner, 1e-9))


def end(seen: Around, run: Run, side: float, kind: str) -> End:
    """The run's upper (side 1) or lower (-1) end; a plane that closes or surrounds it says where it is."""
    height = run.high if side > 0 else run.low
    past = side * (seen.height - height)
    up = side * seen.up
    by = np.abs(past) < 0.35
    inside = by & (seen.out < 0.92)
    cap, floor = (float(seen.area[inside & (way > 0.6)].sum()) / PI for way in (up, -up))
    flat = float(seen.area[inside & (up > 0.88)].sum()) / PI
    stuff = ((past > 0.25) & (seen.out < 2.2)) | ((past > -0.1) & (seen.out > 1.38) & (seen.out < 2.2))
    beyond = float(seen.area[stuff].sum()) / PI
    edge = seen.column((np.abs(past) < 0.2) & (up > 0.88) & (seen.out > 0.55) & (seen.out < 1.0), TURNS)
    ring = by & (seen.out > 1.04) & (seen.out < 1.6)
    if kind == "peg":
        plane = inside & (up > 0.9) if cap > 0.5 and beyond < 0.3 else ring & (up < -0.9)
    else:
        plane = inside & (up < -0.9) if floor > 0.4 else ring & (up > 0.9)
    if float(seen.area[plane].sum()) > 0.25:
        order = np.argsort(seen.height[plane], kind="stable")
        share = np.cumsum(seen.area[plane][order])
        height = float(seen.height[plane][order][int(np.searchsorted(share, 0.5 * share[-1]))])
    return End(height, cap, flat, floor, beyond, len(np.unique(edge)) / TURNS)


def interruptions(seen: Around, run: Run, kind: str, rim_side: float) -> tuple[float, ...]:
    """Turns (radians, about the tube's axis) of the lugs of a peg or the slots of a bore, if they are plainly there."""
    low, high = run.low + 0.03, run.high - 0.03
    if kind == "socket":  # where they start: further down a groove may join them
        middle = 0.35 * run.low + 0.65 * run.high if rim_side > 0 else 0.65 * run.low + 0.35 * run.high
        low, high = (middle, high) if rim_side > 0 else (low, middle)
    on = (
        (seen.off > 0.1) & (seen.off < 0.5) & (seen.facing > 0.6) & (seen.height > low) & (seen.height < high)
    )
    bins = 72
    column = seen.column(on, bins)
    there = np.bincount(column, seen.area[on], minlength=bins) > 0.006
    there = there | (np.roll(there, 1) & np.roll(there, -1))
    if not there.any() or there.mean() > 0.75:
        return ()
    start = int(np.flatnonzero(~there)[0])
    turned = np.roll(there, -start)
    edges = np.flatnonzero(np.diff(np.concatenate(((False,), turned, (False,))).astype(np.int8)))
    firsts, lasts = edges[::2], edges[1::2]
    widths = lasts - firsts
    if len(widths) > 8 or widths.min() < 2 or widths.max() > 2.0 * widths.min() + 1:
        return ()
    middles = (start + 0.5 * (firsts + lasts)) / bins * 2.0 * PI - PI
    return tuple(float(x) for x in middles)
