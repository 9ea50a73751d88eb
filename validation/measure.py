# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes through the frames once and measures every part. Memory is flat in the length of the take."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.context import Context
from ..pipeline.pictures import F32
from .agree import Reading, agree
from .anchors import Displacement, Region, Rig, carry, displacement, readable, turned_deg
from .contours import Contour, Edges, Outline, measure_outline, trace
from .ghosts import ghost_score
from .plates import Plate, Window
from .series import Series
from .surface import anchored_jump, compare, samples, solid, surroundings, texture_change

DISTANCES = (4, 6, 9, 12, 16)
"""How far, in frames, the other frames of the take lie that must predict this one: two before, two after."""
BEST_DISTANCE = 10
FREE_TURN_DEG = 8.0
MOST_TURN_DEG = 30.0
"""A part that turned further shows another side: such a frame says nothing of its place and shape."""
KEEP = 34
LEAST_VISIBLE_PX = 40.0
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Piece:
    """A part at one frame: its mask in the region, the mask eroded away from its outline, its visible contour."""

    name: str
    id: int
    mask: Mask
    solid: Mask
    contour: Contour


class Measurer:
    """Measures the frames of one take against its truth, one at a time."""

    def __init__(
        self, window: Window, rig: Rig, parts: Sequence[tuple[str, int]], pairs: Sequence[tuple[int, int]]
    ) -> None:
        """``parts`` (name, id) and ``pairs`` (source frame, take frame), in the order of the window."""
        self.window, self.rig, self.parts = window, rig, list(parts)
        self.sources, frames = [source for source, _ in pairs], [frame for _, frame in pairs]
        self.series = Series(tuple(frames), tuple(name for name, _ in parts))
        self.readings: dict[str, list[list[Reading]]] = {name: [[] for _ in frames] for name, _ in parts}
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._fast = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def run(self, ctx: Context) -> Series:
        """All frames. Raises Cancelled and InputError."""
        for index in ctx.each(range(len(self.series.frames)), "Measuring frame"):
            self.step(index, self.window[index])
        agree(self.series, self.readings)
        return self.series

    def step(self, index: int, here: Plate) -> None:
        """One frame: outline and ghost from the frame itself, the rest against other frames of the take."""
        ids = [number for _, number in self.parts]
        region = Region.around(here.ids, ids, here.unit)
        if region is None:
            for name, _ in self.parts:
                self.series.put(name, index, visible_px=0.0)
            return
        pieces = self._pieces(here, region, index)
        edges = Edges.of(here)
        for piece in pieces:
            rng = np.random.default_rng(1000 * self.series.frames[index] + piece.id)
            self._outline(index, piece, measure_outline(edges, piece.contour, here.unit, rng))
            self._palette(index, piece, here, region)
            score, (x, y) = ghost_score(here, piece.id)
            self.series.put(piece.name, index, ghost=score, ghost_x=x / here.unit, ghost_y=y / here.unit)
        if pieces:
            self._others(index, here, pieces, region)

    def _pieces(self, here: Plate, region: Region, index: int) -> list[Piece]:
        pieces = []
        names = {number: name for name, number in self.parts}
        for name, number in self.parts:
            mask = (here.ids[region.cut] == number).astype(np.uint8)
            visible = float(mask.sum()) / here.unit**2
            self.series.put(name, index, visible_px=visible)
            if visible < LEAST_VISIBLE_PX:
                continue
            contour = trace(here, number)
            self.series.touching[name][index] = frozenset(names[i] for i in contour.touching if i in names)
            pieces.append(Piece(name, number, mask > 0, solid(mask, here.unit), contour))
        return pieces

    def _outline(self, index: int, piece: Piece, found: Outline) -> None:
        self.series.put(
            piece.name, index, lost=found.lost, null=found.null, ratio=found.ratio, gain=found.gain,
            offset_x=found.offset[0], offset_y=found.offset[1], wobble=found.wobble, scale=found.scale,
            turn_deg=found.turn_deg, decidable=found.decidable,
        )  # fmt: skip

    def _palette(self, index: int, piece: Piece, here: Plate, region: Region) -> None:
        if piece.solid.sum() < 12:
            return
        take = np.median(here.take_lab[region.cut][piece.solid], axis=0)
        render = np.median(here.beauty_lab[region.cut][piece.solid], axis=0)
        names = [f"{kind}_{axis}" for kind in ("take", "render") for axis in "Lab"]
        values = [float(value) for value in (*take, *render)]
        self.series.put(piece.name, index, **dict(zip(names, values, strict=True)))

    def _others(self, index: int, here: Plate, pieces: list[Piece], region: Region) -> None:
        ids = [piece.id for piece in pieces]
        textured = readable(here, region)
        now = {p.name: self._colours(here, p, region) for p in pieces}
        for other in self._chosen(index, here, pieces):
            there = self.window[other]
            carried = carry(self.rig, here, there, ids, region, self._flow)
            labs = [here.take_lab[region.cut], here.beauty_lab[region.cut]]
            before = [
                cv2.remap(lab, carried.where, None, cv2.INTER_LINEAR)
                for lab in (there.take_lab, there.beauty_lab)
            ]
            for piece in pieces:
                common = piece.solid & carried.valid
                look = compare(*now[piece.name][:2], there, piece.id, now[piece.name][2])
                enough = common.sum() >= max(12, 0.25 * piece.solid.sum())
                seen_alike = (
                    enough and turned_deg(self.rig, here.frame, there.frame, piece.id) <= MOST_TURN_DEG
                )
                moved = (
                    displacement(carried.flow, common & textured, here.unit) if seen_alike else Displacement()
                )
                anchored = (
                    anchored_jump(before[0], labs[0], before[1], labs[1], common) if enough else float("nan")
                )
                jump = float(np.fmin(look.jump, anchored))
                arc = (
                    np.radians(turned_deg(self.rig, here.frame, there.frame, piece.id))
                    * _radius(piece.mask)
                    / here.unit
                )
                reading = Reading(other, moved.shift, moved.bend, float(arc), look.unlike, look.behind, jump)
                self.readings[piece.name][index].append(reading)
        for piece in pieces:
            share = float((piece.solid & textured).sum() / max(1, piece.solid.sum()))
            self.series.put(piece.name, index, textured=share)
        if index > 0:
            self._step_before(index, here, pieces, region, textured)

    def _chosen(self, index: int, here: Plate, pieces: list[Piece]) -> list[int]:
        """Positions of four other frames: far enough to lie outside a short fault, seen from nearly the same side."""

        def cost(step: int) -> tuple[float, int]:
            there = self.sources[index + step]
            turn = max(turned_deg(self.rig, here.frame, there, piece.id) for piece in pieces)
            return max(turn - FREE_TURN_DEG, 0) + 0.4 * abs(abs(step) - BEST_DISTANCE), -abs(step)

        inside = [
            sign * d for d in DISTANCES for sign in (-1, 1) if 0 <= index + sign * d < len(self.sources)
        ]
        before = sorted((d for d in inside if d < 0), key=cost)
        after = sorted((d for d in inside if d > 0), key=cost)
        both = before[:2] + after[:2]
        rest = sorted(before[2:] + after[2:], key=cost)
        return [index + step for step in both + rest[: 4 - len(both)]]

    @staticmethod
    def _colours(here: Plate, piece: Piece, region: Region) -> tuple[F32, F32, F32]:
        ring = surroundings(here, piece.mask, region)
        return (
            samples(here.take_lab[region.cut], piece.solid),
            ring,
            samples(here.beauty_lab[region.cut], piece.solid),
        )

    def _step_before(
        self, index: int, here: Plate, pieces: list[Piece], region: Region, textured: Mask
    ) -> None:
        there = self.window[index - 1]
        carried = carry(self.rig, here, there, [piece.id for piece in pieces], region, self._fast)
        before = cv2.remap(
            there.take_lab, carried.where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        now = here.take_lab[region.cut]
        for piece in pieces:
            common = piece.solid & carried.valid
            moved = displacement(carried.flow, common & textured, here.unit)
            boil = texture_change(np.asarray(before, np.float32), now, common, here.unit)
            self.series.put(piece.name, index, slip=moved.shift, flex=moved.bend, boil=boil)


def _radius(mask: Mask) -> float:
    """Half the larger side of what shows of a part, working pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return 0.5 * float(max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1)
