# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes through the frames once and measures every part. Memory is flat in the length of the take.

Every frame is measured by itself (outlines, ghosts) and against three others of the take: the one before, and one
a good way off on either side. What the pairs say is put together later (``series.Links``, ``settle``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.context import Context
from ..pipeline.pictures import F32
from .anchors import (
    MARGIN_PX,
    TURNED_DEG,
    Carried,
    Facing,
    Region,
    Rig,
    Surface,
    carry,
    normals,
    surfaces,
)
from .backdrop import COPY, Backdrop, likeness
from .contours import Edges, Outline, measure_outline
from .fits import Fit, fit_normal
from .ghosts import Scout
from .joints import joints_of
from .pieces import LEAST_CLEAR, LEAST_POINTS, Lines, Piece, shape_of
from .plates import Plate, Window, middles
from .series import CELLS, Link, Series
from .surface import ALIKE_LAB, Patches, around, compare, energy, nearest, sampled

FAR = (5, 8, 11)
"""How far, in frames, the others lie: outside most short faults, inside the reach of one look at the part."""
FREE_TURN_DEG = 8.0
MOST_TURN_DEG = 35.0
"""A part that turned further shows another side: such a frame says nothing of its place and shape."""
KEEP = 2 * FAR[-1] + 2
LEAST_VISIBLE_PX = 40.0
ODD_SHARE = 0.04
"""Share of a surface that must look odd before it is asked whose it looks like."""
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Moving:
    """Lightness (h, w) of take and render on a region, as carried from another frame and here, and the ``flow``
    (h, w, 2) of the take between the two. Patches are made of crops: most of a picture is no part."""

    take: tuple[F32, F32]
    render: tuple[F32, F32]
    flow: F32
    unit: float

    @classmethod
    def of(cls, here: Plate, there: Plate, carried: Carried, flow: F32, region: Region) -> "Moving":
        def pair(now: F32, before: F32) -> tuple[F32, F32]:
            own = np.ascontiguousarray(now[region.cut][..., 0])
            brought = carried.bring(np.ascontiguousarray(before[..., 0]))
            return np.where(carried.valid, brought, own).astype(np.float32), own

        pairs = pair(here.take_lab, there.take_lab), pair(here.beauty_lab, there.beauty_lab)
        return cls(*pairs, flow, here.unit)

    def patches(self, cut: tuple[slice, slice]) -> Patches:
        """Those of a crop; what was carried is moved along the flow to where it is found here."""
        rows, columns = (np.arange(c.start, c.stop, dtype=np.float32) for c in cut)
        x, y = columns[None] - self.flow[cut][..., 0], rows[:, None] - self.flow[cut][..., 1]
        moved = cv2.remap(self.take[0], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        now, rendered, shaded = (np.ascontiguousarray(p[cut]) for p in (self.take[1], *self.render))
        return Patches(np.asarray(moved, np.float32), now, rendered, shaded, self.unit)


class Measurer:
    """Measures the frames of one take against its truth, one at a time."""

    def __init__(
        self, window: Window, rig: Rig, parts: Sequence[tuple[str, int]], pairs: Sequence[tuple[int, int]],
        far: Sequence[int] = FAR,
    ) -> None:  # fmt: skip
        """``parts`` (name, id) and ``pairs`` (source frame, take frame), in the order of the window; ``far`` how far off
        the other frames lie."""
        self._far = tuple(far)
        self.window, self.rig, self.parts = window, rig, list(parts)
        self.sources, frames = [source for source, _ in pairs], [frame for _, frame in pairs]
        self.series = Series(tuple(frames), tuple(name for name, _ in parts))
        self.series.numbers = {number: name for name, number in parts}
        self.series.joints = joints_of(rig, parts, self.sources)
        self._numbers = frozenset(number for _, number in parts)
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._flow.setPatchStride(4)  # half the time of the preset, and as exact to a hundredth of a pixel
        self._flow.setGradientDescentIterations(12)
        self._flow.setVariationalRefinementIterations(3)
        self._fast = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def run(self, ctx: Context, which: Sequence[int] | None = None) -> Series:
        """All frames, or the positions ``which``. Raises Cancelled and InputError."""
        for index in ctx.each(range(len(self.series.frames)) if which is None else which, "Measuring frame"):
            self.step(index)
        return self.series

    def step(self, index: int) -> None:
        """One frame: outline and ghost from the frame itself, the rest against other frames of the take."""
        here = self.window[index]
        shown = surfaces(self.rig, here, round(MARGIN_PX * max(here.unit, 0.5)))
        shown = {number: surface for number, surface in shown.items() if number in self._numbers}
        self.series.cells[index] = middles(here.ids, CELLS[::-1])
        for name, number in self.parts:
            visible = len(shown[number].x) / here.unit**2 if number in shown else 0.0
            self.series.put(name, index, visible_px=visible)
        if not shown:
            return
        region = Region.over([surface.box for surface in shown.values()])
        pieces = self._pieces(here, region, shown, index)
        if not pieces:
            return
        edges, scout = Edges.of(here), Scout(here)
        wall = Backdrop(self.rig, here)
        for piece in pieces:
            rng = np.random.default_rng(1000 * self.series.frames[index] + piece.id)
            found = measure_outline(edges, piece.contour, here, self.rig, piece.lens, rng)
            self._outline(index, piece, found, here.unit)
            self._palette(index, piece, here, region)
            score, (x, y) = scout.look_for(piece.id, piece.box)
            self.series.put(piece.name, index, ghost=score, ghost_x=x, ghost_y=y)
        self._others(index, here, pieces, region, wall)
        self._stranger(index, pieces, wall)

    def _stranger(self, index: int, pieces: list[Piece], wall: Backdrop) -> None:
        """What is new in the background: where copies of parts seem to be, and the largest of it: of the part that it
        looks like, else of the one next to it."""
        for piece in pieces:
            of = self.series.of[piece.name]
            self.series.put(
                piece.name,
                index,
                ghost_new=wall.within(of["ghost_x"][index], of["ghost_y"][index], piece.box),
                new=0.0,
                new_like=0.0,
            )
        blob = wall.blob()
        if blob.area > 0:
            width, height = wall.plate.ids.shape[1::-1]

            def away(piece: Piece) -> float:
                box = piece.box
                return float(
                    np.hypot((box.x0 + box.x1) / 2 - blob.x * width, (box.y0 + box.y1) / 2 - blob.y * height)
                )

            def like(piece: Piece) -> float:
                take = wall.plate.take_lab[piece.surface.y, piece.surface.x]
                return likeness(blob, take, len(take) / wall.plate.unit**2)

            near, alike = min(pieces, key=away), max(pieces, key=like)
            share = like(alike)
            whose = alike if share > COPY else near
            self.series.put(whose.name, index, new=blob.area, new_x=blob.x, new_y=blob.y, new_like=share)

    def _pieces(self, here: Plate, region: Region, shown: dict[int, Surface], index: int) -> list[Piece]:
        names = {number: name for name, number in self.parts}
        pieces = []
        for name, number in self.parts:
            surface = shown.get(number)
            if surface is None or len(surface.x) < max(12, LEAST_VISIBLE_PX * here.unit**2):
                continue
            piece = Piece.of(self.rig, here, region, surface, name)
            self.series.touching[name][index] = frozenset(
                names[i] for i in piece.contour.touching if i in names
            )
            if index:
                self.series.put(name, index, speed=self._speed(here, surface, self.sources[index - 1]))
            pieces.append(piece)
        return pieces

    def _speed(self, here: Plate, surface: Surface, before: int) -> float:
        """Mean px (of a picture 640 wide) by which the part's surface has moved in the picture since frame ``before``."""
        some = slice(None, None, max(1, len(surface.x) // 30))
        move = self.rig.carry(here.frame, before, surface.id).astype(np.float32)
        x, y = self.rig.project(before, surface.points[some] @ move[:3, :3].T + move[:3, 3])
        return float(np.hypot(x - surface.x[some], y - surface.y[some]).mean()) / here.unit

    def _outline(self, index: int, piece: Piece, found: Outline, unit: float) -> None:
        self.series.put(
            piece.name, index, lost=found.lost, null=found.null, ratio=found.ratio, decidable=found.decidable,
            clear=found.clear, outline_bend=found.bend, radius=piece.lens.radius / unit, focal=piece.lens.focal / unit,
        )  # fmt: skip
        self.series.profiles[piece.name][index] = found.profile
        self.series.borders[piece.name][index] = found.borders
        if found.fit is not None:
            self.series.outline(piece.name, index, found.fit, unit)

    def _palette(self, index: int, piece: Piece, here: Plate, region: Region) -> None:
        if len(piece.rows) < 12:
            return
        take = np.median(here.take_lab[region.cut][piece.rows, piece.columns], axis=0)
        render = np.median(here.beauty_lab[region.cut][piece.rows, piece.columns], axis=0)
        names = [f"{kind}_{axis}" for kind in ("take", "render") for axis in "Lab"]
        values = [float(value) for value in (*take, *render)]
        rough = energy(np.ascontiguousarray(here.take_lab[piece.box.cut][..., 0]), piece.solid)
        self.series.put(piece.name, index, energy=rough, **dict(zip(names, values, strict=True)))

    def _chosen(self, index: int, here: Plate, pieces: list[Piece]) -> list[int]:
        """Positions of the others far off: one on either side, or two on one, seen from nearly the same side."""

        def cost(step: int) -> tuple[float, int]:
            turns = [self.rig.turned_deg(here.frame, self.sources[index + step], p.id) for p in pieces]
            return float(np.mean([max(t - FREE_TURN_DEG, 0.0) for t in turns])) - 0.3 * abs(step), -step

        inside = [
            sign * d for d in self._far for sign in (-1, 1) if 0 <= index + sign * d < len(self.sources)
        ]
        sides = [sorted((d for d in inside if (d > 0) == after), key=cost) for after in (False, True)]
        found = [side[0] for side in sides if side]
        if len(found) == 1:
            found += next(side for side in sides if side)[1:2]
        return [index + step for step in found]

    def _others(self, index: int, here: Plate, pieces: list[Piece], region: Region, wall: Backdrop) -> None:
        structure = np.ascontiguousarray(here.structure[region.cut])
        lines = Lines(structure, here.unit)
        rings = {p.name: around(here, p.mask, p.box.cut) for p in pieces}
        read = {piece.id: lines.at(piece.rows, piece.columns) for piece in pieces}
        for piece in pieces:
            across, clear = read[piece.id]
            self.series.put(piece.name, index, textured=float(clear.mean()) if len(clear) else 0.0)
            if len(clear) >= 12:
                self.series.shapes[piece.name][index] = shape_of(
                    self.rig, here, piece, across, clear, self.series.joints
                )
        facing: dict[int, Facing] = {}
        for other in [*self._chosen(index, here, pieces), *([index - 1] if index else [])]:
            near = other == index - 1
            there = self.window[other]
            if not near:
                wall.compare(Backdrop(self.rig, there))
            carried = carry(self.rig, here, there, [p.surface for p in pieces], region)
            before = np.asarray(carried.bring(there.structure))
            before = np.where(carried.valid, before, structure).astype(np.uint8)
            flow = np.asarray((self._fast if near else self._flow).calc(before, structure, None), np.float32)
            moving = Moving.of(here, there, carried, flow, region)
            for piece in pieces:
                turned = self.rig.turned_deg(here.frame, there.frame, piece.id)
                if turned > MOST_TURN_DEG:
                    continue
                free = None
                if turned > TURNED_DEG:
                    if piece.id not in facing:
                        field = normals(self.rig, here, piece.box)
                        y, x = piece.box.y0 - region.y0, piece.box.x0 - region.x0
                        facing[piece.id] = Facing.of(field, piece.rows - y, piece.columns - x)
                    free = facing[piece.id].slide(self.rig.carry(here.frame, there.frame, piece.id)[:3, :3])
                self._link(
                    index,
                    other,
                    here,
                    there,
                    piece,
                    carried,
                    flow,
                    free,
                    read[piece.id],
                    moving,
                    rings[piece.name],
                    region,
                    turned,
                )

    def _foreign(self, now: F32, before: F32, part_id: int, there: Plate) -> tuple[float, int]:
        """(share, id): how much of a part's surface (n, 3) shows another part's colours rather than its own, and whose."""
        own, best = np.linalg.norm(now - before, axis=1), (0.0, 0)
        lab, ids = there.take_lab[::3, ::3], there.ids[::3, ::3]
        for _, number in self.parts:
            colours = lab[ids == number]
            if number != part_id and len(colours) >= 8:
                share = float(((own > ALIKE_LAB) & (nearest(now, sampled(colours)) < 0.5 * own - 1)).mean())
                best = max(best, (share, number))
        return best

    def _link(self, index: int, other: int, here: Plate, there: Plate, piece: Piece, carried: Carried, flow: F32,
              free: F64 | None, read: tuple[F32, F32], moving: Moving, ring: F32, region: Region, turned: float) -> None:  # fmt: skip
        rows, columns = piece.rows, piece.columns
        both = carried.valid[rows, columns]
        if both.sum() < max(12, 0.25 * len(rows)):
            return
        sides, clear = read
        use = both & (clear > LEAST_CLEAR)
        fit: Fit | None = None
        if use.sum() >= LEAST_POINTS:
            across = sides[use].astype(np.float64)
            along = (flow[rows[use], columns[use]] * across).sum(1).astype(np.float64)
            weight = clear[use].astype(np.float64)
            slid = None if free is None else free[use]
            fit = fit_normal(piece.jacobian[use], piece.polynomials[use], across, along, weight, slid)
        r, c = rows[both], columns[both]
        points = np.ascontiguousarray(carried.where[r, c][None])
        take, render = (
            cv2.remap(lab, points, None, cv2.INTER_LINEAR)[0] for lab in (there.take_lab, there.beauty_lab)
        )
        now, shaded = here.take_lab[region.cut][r, c], here.beauty_lab[region.cut][r, c]
        look = compare(now, take, shaded, render, sampled(take), ring, (c + region.x0, r + region.y0))
        foreign, alien = (
            self._foreign(now, take, piece.id, there) if max(look.gone, look.unlike) > ODD_SHARE else (0.0, 0)
        )
        cut = piece.box.inside(region)
        texture = moving.patches(cut).of(piece.solid & carried.valid[cut])
        self.series.links[piece.name].append(
            Link.of(index, other, fit, look, texture, here.unit, turned, foreign, alien)
        )
