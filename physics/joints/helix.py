# SPDX-License-Identifier: GPL-3.0-or-later
"""A helical ridge on a peg and the groove that it runs in: where the material is, and its pieces for lab and fit.

Along a thread everything is told by ``t``, the angle in radians from the lower end of its ridge, counted up the helix.
Distances are taken in the cylinder that is unrolled at the point's radius; there a groove is a straight strip that
starts at the stop, so that a flank is as far as its height over the strip times the cosine of the lead angle.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rigid import Array, sine_cosine
from ..solids import STEP, Sector, Solid, divide, hull_points, merged, point
from ..units import DEG, MM, PI
from .base import Mechanism, Pose, Tool
from .lugs import floor_sectors, rod_points, shaft_hulls

PIECE: Final = 15.0 * DEG
"""Arc of one convex piece of ridge or land. A whole number of them makes the angle between two starts."""
SLIT: Final = 0.05 * MM
"""Pieces of a ridge are this much shorter at either end, but for the one that meets the stop: facets that lean meet at
their middle radius only, so that a piece would rub on the edge of its neighbour's land."""
THIN: Final = 0.03 * MM
"""Pieces that would be thinner than this somewhere, as where a groove runs out at the rim, are left out."""


@dataclass(frozen=True)
class Thread(Mechanism):
    """``count`` ridges of square section: axial ``width``, crest at ``ridge_radius``, from peg height ``low`` (its middle
    at t = 0) through ``span`` radians. The groove leaves ``lift`` above and ``below`` under it and ends at t = 0: that is
    the stop. ``pitch`` is the distance of neighbouring ridges; ``screwed`` the whole angle from the rim to the stop.
    """

    pitch: float
    ridge_radius: float
    groove_radius: float
    width: float
    low: float
    span: float
    below: float
    screwed: float

    @property
    def lead(self) -> float:
        """Metres that one turn moves the peg."""
        return self.pitch * self.count

    @property
    def rise(self) -> float:
        """Metres a radian."""
        return self.lead / (2.0 * PI)

    @property
    def sense(self) -> int:
        """+1 where the ridge rises counter-clockwise: a right-hand thread."""
        return -self.turn

    @property
    def contact(self) -> float:
        """Radius in the middle of where the flanks meet."""
        return 0.5 * (self.bore_radius + self.ridge_radius)

    @property
    def lead_angle(self) -> float:
        """Angle of the thread against the plane across the axis, where flanks meet."""
        return float(np.arctan2(self.rise, self.contact))

    @property
    def steep(self) -> float:
        """Height over a flank for each metre across it: one over the cosine of the lead angle."""
        return float(np.sqrt(1.0 + (self.rise / self.contact) ** 2))

    @property
    def loose(self) -> float:
        return max(self.bore_radius - self.peg_radius, self.lift)

    @property
    def reach(self) -> float:
        return self.groove_radius

    @property
    def starts(self) -> tuple[float, ...]:
        """Angle of t = 0 of every ridge in the peg frame."""
        return tuple(2.0 * PI * index / self.count for index in range(self.count))

    def marks(self) -> list[Array]:
        """The two edges of every ridge's crest."""
        turns = divide(0.0, self.span, 3.0 * STEP)
        rows = [
            [
                point(self.ridge_radius, first + self.sense * t, self.low + self.rise * t + side * self.width)
                for t in turns
            ]
            for first in self.starts
            for side in (-0.5, 0.5)
        ]
        return [np.array(row) for row in rows]

    def along(self, turned: float, extra: float = 0.0) -> Pose:
        """``turned`` radians short of the stop on the helix, and ``extra`` metres above it."""
        return Pose(self.rise * turned + extra, self.sense * turned)

    def at(self, pose: Pose) -> Array:
        whole = round(pose.angle / (2.0 * PI))
        near = Pose(
            pose.height, pose.angle - 2.0 * PI * whole, pose.aside, pose.tilt, pose.towards, pose.about
        )
        return near.peg_in_socket(self.seat)

    def depth_in_socket(self, points: Array) -> Array:
        r, angle, z = (
            np.hypot(points[:, 0], points[:, 1]),
            np.arctan2(points[:, 1], points[:, 0]),
            points[:, 2],
        )
        bored = np.hypot(np.maximum(r - self.bore_radius, 0.0), np.maximum(-self.bore_depth - z, 0.0))
        nearest = np.minimum(np.maximum(-z, 0.0), bored)
        deep = np.flatnonzero((nearest > 0.0) & (r > 0.5 * self.bore_radius))
        if len(deep):
            nearest[deep] = np.minimum(nearest[deep], self._to_grooves(r[deep], angle[deep], z[deep]))
        return nearest

    def _to_grooves(self, r: Array, angle: Array, z: Array) -> Array:
        nearest = np.full(len(r), np.inf)
        out = np.maximum(r - self.groove_radius, 0.0)
        v = z - (self.low + self.seat)
        low, high = -0.5 * self.width - self.below, 0.5 * self.width + self.lift
        turns = int(np.ceil((self.screwed + self.span) / (2.0 * PI))) + 1
        slope = self.rise / r
        square = 1.0 / (1.0 + slope**2)
        for first in self.starts:
            lowest = (self.sense * (angle - first)) % (2.0 * PI)
            for turn in range(-1, turns):
                t = lowest + 2.0 * PI * turn
                u, e = r * t, v - self.rise * t
                over = np.maximum(e - high, 0.0) - np.maximum(low - e, 0.0)
                end = np.hypot(u, v - np.clip(v, low, high))
                flank = np.where(u + over * slope * square >= 0.0, np.abs(over) * np.sqrt(square), end)
                nearest = np.minimum(nearest, np.hypot(out, flank))
        return nearest

    def depth_in_peg(self, points: Array) -> Array:
        r, angle, z = (
            np.hypot(points[:, 0], points[:, 1]),
            np.arctan2(points[:, 1], points[:, 0]),
            points[:, 2],
        )
        deepest = np.minimum(self.peg_radius - r, np.minimum(z + self.length, -z))
        cosine = r / np.hypot(r, self.rise)
        for first in self.starts:
            lowest = (self.sense * (angle - first)) % (2.0 * PI)
            for turn in range(int(np.ceil(self.span / (2.0 * PI)))):
                t = lowest + 2.0 * PI * turn
                flank = (0.5 * self.width - np.abs(z - self.low - self.rise * t)) * cosine
                inside = np.minimum(
                    np.minimum(self.ridge_radius - r, flank), np.minimum(r * t, r * (self.span - t))
                )
                deepest = np.maximum(deepest, inside)
        result: Array = np.maximum(deepest, 0.0)
        return result

    def surface_points(self) -> Array:
        parts = rod_points(self)
        half, radii = 0.5 * self.width, np.linspace(self.peg_radius, self.ridge_radius, 5)
        heights, many = (
            np.linspace(-half, half, 7),
            np.linspace(0.0, self.span, max(2, round(self.span / (4.0 * DEG)))),
        )
        for first in self.starts:
            for rs, ts, zs in (((radii), many, (-half, half)), ((self.ridge_radius,), many, heights),
                               (radii, (0.0, self.span), heights)):  # fmt: skip
                r, t, z = (part.ravel() for part in np.meshgrid(rs, ts, zs, indexing="ij"))
                a = first + self.sense * t
                parts.append(np.stack((r * np.cos(a), r * np.sin(a), self.low + self.rise * t + z), axis=1))
        return np.concatenate(parts)

    def peg_hulls(self, margin: float, catch: bool = True) -> list[Array]:
        # corners that meet the bore's facets in their middles, at the stop: there its play is as exact as its thread's
        pieces = shaft_hulls(self, margin, round(2.0 * PI / PIECE), 0.5 * PIECE)
        if not catch:
            return pieces
        half = 0.5 * self.width - margin * self.steep
        radii = (0.92 * self.peg_radius, self.ridge_radius - margin)
        for first in self.starts:
            for a, b in itertools.pairwise(divide(0.0, self.span, PIECE)):
                middle, arc = 0.5 * (a + b), 0.5 * (b - a)
                level = self.low + self.rise * middle
                turn = first + self.sense * middle
                apart = margin + (SLIT if a > 0.0 else 0.0)
                pieces.append(
                    self._wedge(radii, turn, arc, apart, (level - half, True), (level + half, True))
                )
        return pieces

    def socket_hulls(self, margin: float) -> list[Array]:
        """The lands between the grooves, each column of them within one ``PIECE``, and the floor.

        Facets are planes through the helix at the radius of contact, in step with those of the ridge at the stop: there
        the two fit exactly. No wall stands behind the grooves: the shaft meets the bore before a crest could reach it.
        The rim goes on beyond them: there the shoulder rests where a groove leaves the bore.
        """
        outer = self.groove_radius + 0.45 * self.bore_radius
        rim = [
            Sector((self.groove_radius, outer), pair, (-1.0 * MM, 0.0))
            for pair in itertools.pairwise(divide(0.0, 2.0 * PI, 2.0 * PIECE))
        ]
        pieces = [hull_points(sector, margin) for sector in [*floor_sectors(self, outer), *rim]]
        half = 0.5 * PIECE
        radii = ((self.bore_radius + margin) / sine_cosine(PI / 2 - half)[0], outer)
        grow = margin * self.steep
        for column in range(round(2.0 * PI / PIECE)):
            middle = (column + 0.5) * PIECE
            under, lean = -self.bore_depth + margin, False
            for level in [*self._levels(middle), None]:
                low = 0.0 if level is None else level - 0.5 * self.width - self.below
                top = (-margin, False) if level is None else (low - grow, True)
                made = self._wedge(radii, self.sense * middle, half, margin, (under, lean), top, -margin)
                thick = made.reshape(2, -1, 3)[1, :, 2] - made.reshape(2, -1, 3)[0, :, 2]
                if thick.min() > THIN:
                    pieces.append(made)
                if level is not None:
                    under, lean = level + 0.5 * self.width + self.lift + grow, True
        return pieces

    def _levels(self, middle: float) -> list[float]:
        """Heights of the ridges' middles, seated, over the angle ``middle`` up the helix, as far as grooves go."""
        found = []
        for first in self.starts:
            t = (middle - self.sense * first) % (2.0 * PI)
            while (level := self.low + self.seat + self.rise * t) - 0.5 * self.width - self.below < 0.0:
                found.append(level)
                t += 2.0 * PI
        return sorted(found)

    def _wedge(self, radii: tuple[float, float], turn: float, half: float, margin: float, low: tuple[float, bool],
               high: tuple[float, bool], top: float = np.inf) -> Array:  # fmt: skip
        """(8, 3) corners of a piece about the angle ``turn``: its height below and above, each level or leaning with the
        helix, cut off at ``top``. The lower four come first."""
        sine, _ = sine_cosine(half)
        short = half - margin / self.contact
        reach, _ = sine_cosine(short)
        slope = self.rise * half / (self.contact * sine)
        rows = []
        for level, leans in (low, high):
            for side in (-1, 1):
                for r in radii:
                    z = level + side * slope * r * reach * leans
                    rows.append(point(r, turn + self.sense * side * short, min(z, top)))
        return np.array(rows)

    def tools(self) -> list[Tool]:
        ridge = self.count * 0.5 * (self.ridge_radius**2 - self.peg_radius**2) * self.span * self.width
        return [
            Tool("peg", "UNION", self._ridge_solid(), ridge),
            Tool("socket", "DIFFERENCE", *self._groove_solid()),
        ]

    def _ridge_solid(self) -> Solid:
        half, steps = 0.5 * self.width, divide(0.0, self.span, STEP)
        rows = [(t, self.low + self.rise * t - half, self.low + self.rise * t + half) for t in steps]
        return merged(
            [self._swept(first, rows, (0.7 * self.peg_radius, self.ridge_radius)) for first in self.starts]
        )

    def _groove_solid(self, slack: float = 0.01 * MM) -> tuple[Solid, float]:
        """What is cut out of the socket, ``slack`` beyond the exact groove, and the volume that goes."""
        outer = (self.groove_radius + slack) / sine_cosine(PI / 2 - 0.5 * STEP)[0]
        inner = self.bore_radius - min(0.5 * MM, 0.1 * self.bore_radius)
        zero, over = self.low + self.seat, 1.0 * MM + 0.05 * self.bore_radius
        down, up = 0.5 * self.width + self.below + slack, 0.5 * self.width + self.lift + slack
        steps = divide(-slack / self.contact, (down - zero) / self.rise + 0.2 * DEG, STEP)
        rows = [(t, zero + self.rise * t - down, min(zero + self.rise * t + up, over)) for t in steps]
        area = 0.0
        for (a, low_a, high_a), (b, low_b, high_b) in itertools.pairwise(rows):
            heights = [
                max(min(high, 0.0) - min(low, 0.0), 0.0) for low, high in ((low_a, high_a), (low_b, high_b))
            ]
            area += 0.5 * (b - a) * sum(heights)
        volume = self.count * 0.5 * (self.groove_radius**2 - self.bore_radius**2) * area
        return merged([self._swept(first, rows, (inner, outer)) for first in self.starts]), volume

    def _swept(
        self, first: float, rows: list[tuple[float, float, float]], radii: tuple[float, float]
    ) -> Solid:
        """A rectangle that runs along the helix: rows of t, lower and upper height."""
        vertices = []
        for t, low, high in rows:
            a = first + self.sense * t
            vertices += [
                point(r, a, z)
                for r, z in ((radii[0], low), (radii[1], low), (radii[1], high), (radii[0], high))
            ]
        quads = [(3, 2, 1, 0), tuple(4 * (len(rows) - 1) + k for k in range(4))]
        for row in range(len(rows) - 1):
            for k in range(4):
                a, b = 4 * row + k, 4 * row + (k + 1) % 4
                quads.append((a, b, b + 4, a + 4))
        faces = [triangle for q in quads for triangle in ((q[0], q[1], q[2]), (q[0], q[2], q[3]))]
        # seen along +t the rectangle runs clockwise where t goes counter-clockwise
        flipped = [face[::-1] for face in faces] if self.sense > 0 else faces
        return Solid(np.array(vertices), tuple(flipped))
