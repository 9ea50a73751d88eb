# SPDX-License-Identifier: GPL-3.0-or-later
"""A ball on a neck in a cavity with a narrower mouth: where the material is, and its pieces for lab and fit.

Polar angles are counted from the axis out of the bore. The mouth lies on the sphere of the cavity, at ``polar``.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rigid import Array, sine_cosine
from ..solids import Solid, disc_points, point
from ..turned import SIDES, circle_volume, loft, ring, shaft
from ..units import DEG, MM, PI
from .base import Mechanism, Pose, Tool
from .lugs import grid

COLUMNS: Final = 24
"""Pieces around the cavity, and corners around the ball that meet their middles."""
SLICES: Final = 4000
"""Heights at which the volume of a round tool is summed."""


@dataclass(frozen=True)
class BallMechanism(Mechanism):
    """``ball`` radius about the peg height -``centre``, ``neck`` radius, ``cavity`` radius, ``under`` the rim to its
    centre, ``swing`` to the stop, ``play`` between ball and cavity, ``stated`` length of the peg's mesh.
    """

    ball: float
    neck: float
    cavity: float
    under: float
    swing: float
    play: float
    stated: float

    @property
    def centre(self) -> float:
        """From the shoulder down to the ball's centre."""
        return self.seat + self.under

    @property
    def polar(self) -> float:
        """Polar angle of the mouth's edge."""
        return float(np.arctan2(self.bore_radius, self.under))

    @property
    def stop(self) -> float:
        """Tilt at which a peg is stopped that is pressed against the edge: the ball gives way by its play."""
        return self.polar - float(np.arcsin((self.neck - self.play) / self.cavity))

    @property
    def loose(self) -> float:
        return self.play

    @property
    def reach(self) -> float:
        return self.cavity

    def tilted(self, tilt: float, towards: float = 0.0) -> Pose:
        """Tilted about the ball's centre."""
        return Pose(tilt=tilt, towards=towards, about=-self.under)

    def depth_in_socket(self, points: Array) -> Array:
        r, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        bored = np.hypot(np.maximum(r - self.bore_radius, 0.0), np.maximum(-self.bore_depth - z, 0.0))
        hollow = np.maximum(np.hypot(r, z + self.under) - self.cavity, 0.0)
        nearest: Array = np.minimum(np.minimum(np.maximum(-z, 0.0), bored), hollow)
        return nearest

    def depth_in_peg(self, points: Array) -> Array:
        r, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        inside = np.maximum(
            self.ball - np.hypot(r, z + self.centre),
            np.minimum(self.neck - r, np.minimum(z + self.centre, -z)),
        )
        result: Array = np.maximum(inside, 0.0)
        return result

    def surface_points(self) -> Array:
        """Dense where ball and neck meet the mouth's edge: a small fault there is a small spot."""
        around, near = np.linspace(0.0, 2.0 * PI, 96, endpoint=False), np.linspace(-0.15, 0.15, 31) * MM
        edge, spare = np.arcsin(self.bore_radius / self.ball), 0.15 * MM / self.ball
        drawn = np.arcsin(min(self.bore_radius / (self.ball - 0.1 * MM), 1.0))
        bottom = PI - np.arcsin(self.neck / self.ball)
        polar = np.concatenate(
            (np.linspace(PI - bottom, PI, 45), np.linspace(edge - spare, drawn + spare, 41))
        )
        meets = -self.centre + np.sqrt(self.cavity**2 - self.neck**2)
        heights = np.concatenate((np.linspace(-self.centre, 0.0, 12), meets + near))
        balls = [
            grid((self.ball * np.sin(a),), around, (self.ball * np.cos(a) - self.centre,)) for a in polar
        ]
        return np.concatenate(
            [*balls, grid((self.neck,), around, heights), grid((self.shoulder,), around, (0.0,))]
        )

    def marks(self) -> list[Array]:
        """Three great circles of the ball."""
        turn = np.linspace(0.0, 2.0 * PI, 73)
        x, y, flat = self.ball * np.cos(turn), self.ball * np.sin(turn), np.zeros(73)
        rings = ((x, y, flat), (x, flat, y), (flat, x, y))
        return [np.stack(ring, axis=1) - (0.0, 0.0, self.centre) for ring in rings]

    @property
    def shoulder(self) -> float:
        """Radius of the body over the neck that clears the rim at full swing."""
        return 1.1 * max(self.peg_radius, self.neck)

    def peg_hulls(self, margin: float, catch: bool = True) -> list[Array]:
        """The ball, whose corners meet the cavity's facets in their middles, and the neck. Without its catch the ball is
        smaller than the mouth."""
        radius = (self.ball if catch else 0.9 * self.bore_radius) - margin
        edge, rows = float(np.arcsin(self.bore_radius / self.ball)), []
        turns = [2.0 * PI * k / COLUMNS for k in range(COLUMNS)]
        for polar in sorted({*(k * 15.0 * DEG for k in range(2, 11)), 20.0 * DEG, 160.0 * DEG, edge}):
            sine, cosine = sine_cosine(polar)
            rows += [point(radius * sine, turn, radius * cosine - self.centre) for turn in turns]
        rows += [(0.0, 0.0, radius - self.centre), (0.0, 0.0, -radius - self.centre)]
        neck = self.neck if catch else 0.8 * self.neck
        return [np.array(rows), disc_points(neck, (-self.centre, 0.0), margin, 2 * COLUMNS)]

    def socket_hulls(self, margin: float) -> list[Array]:
        """Columns of a shell around the cavity. Facets touch its sphere at the mouth's edge and where the ball is pressed
        at the stop, and lie outside it elsewhere."""
        touch = [self.polar]
        if 0.5 * PI - self.stop > self.polar + 0.5 * DEG:
            touch.append(0.5 * PI - self.stop)
        touch += [a * DEG for a in (105.0, 135.0, 160.0)]
        corners = [(self.polar, self.cavity)]
        for a, b in itertools.pairwise(touch):
            corners.append((0.5 * (a + b), self.cavity / sine_cosine(PI / 2 - 0.5 * (b - a))[0]))
        corners.append((170.0 * DEG, self.cavity / sine_cosine(PI / 2 - 10.0 * DEG)[0]))
        half = PI / COLUMNS
        wide = 1.0 / sine_cosine(PI / 2 - half)[0]
        inner, outer = [], []
        for index, (polar, radius) in enumerate(corners):
            sine, cosine = sine_cosine(polar)
            inner.append(((radius + margin) * sine * wide, (radius + margin) * cosine - self.under))
            thick = radius + 0.3 * self.cavity
            outer.append(
                (1.3 * self.bore_radius * wide, -margin)
                if index == 0
                else (thick * sine * wide, thick * cosine - self.under)
            )
        pieces = []
        for column in range(COLUMNS):
            middle = 2.0 * PI * column / COLUMNS
            for k in range(len(corners) - 1):
                profile = (inner[k], inner[k + 1], outer[k], outer[k + 1])
                pieces.append(
                    np.array([point(r, middle + side * half, z) for side in (-1, 1) for r, z in profile])
                )
        return pieces

    def tools(self) -> list[Tool]:
        outer, low = 1.3 * max(self.peg_radius, self.neck), -max(self.stated, self.centre) - 1.0 * MM
        made = []
        if self.neck < self.peg_radius:
            length = min(self.stated, self.centre)
            gone = circle_volume(self.peg_radius, length) - circle_volume(self.neck, length)
            made.append(Tool("peg", "DIFFERENCE", ring(self.neck, outer, -self.centre, 0.0), gone))
        if self.stated > self.centre:
            gone = circle_volume(self.peg_radius, self.stated - self.centre)
            made.append(Tool("peg", "DIFFERENCE", shaft(outer, low, -self.centre), gone))
        return [*made, self._ball_tool(), self._cavity_tool()]

    def _ball_tool(self) -> Tool:
        """The ball with a neck that is rooted in the part; a neck that is there already hides it."""
        inside = min(self.neck, self.peg_radius)
        neck = self.neck if self.neck > self.peg_radius else 0.9 * self.neck
        profile = _arc(self.ball, -self.centre, PI - 0.02, float(np.arcsin(neck / self.ball)))
        z, width = _slices(-self.centre - self.ball, 0.0)
        after = np.maximum(self.ball**2 - (z + self.centre) ** 2, np.where(z > -self.centre, neck**2, 0.0))
        before = np.where(z > -min(self.stated, self.centre), inside**2, 0.0)
        volume = PI * float(np.maximum(after - before, 0.0).sum()) * width
        return Tool("peg", "UNION", _turned([*profile, (neck, 0.2 * self.neck)]), volume)

    def _cavity_tool(self, slack: float = 0.01 * MM) -> Tool:
        profile = _arc(
            self.cavity + slack, -self.under, PI - 0.02, float(np.arcsin(self.bore_radius / self.cavity))
        )
        profile[-1] = (self.bore_radius + slack, 0.0)
        z, width = _slices(-self.under - self.cavity, 0.0)
        hollow, bored = (
            self.cavity**2 - (z + self.under) ** 2,
            np.where(z > -self.bore_depth, self.bore_radius**2, 0.0),
        )
        volume = PI * float(np.maximum(hollow - bored, 0.0).sum()) * width
        top = 1.0 * MM + 0.05 * self.bore_radius
        return Tool("socket", "DIFFERENCE", _turned([*profile, (self.bore_radius + slack, top)]), volume)


def _slices(low: float, high: float) -> tuple[Array, float]:
    """Heights in the middle of thin slices, and how thick they are."""
    width = (high - low) / SLICES
    return low + width * (np.arange(SLICES) + 0.5), width


def _arc(
    radius: float, middle: float, start: float, end: float, steps: int = 48
) -> list[tuple[float, float]]:
    """(radius, height) along a sphere's profile between two polar angles."""
    rows = []
    for k in range(steps + 1):
        sine, cosine = sine_cosine(start + (end - start) * k / steps)
        rows.append((radius * sine, middle + radius * cosine))
    return rows


def _turned(profile: list[tuple[float, float]]) -> Solid:
    """A solid of revolution from its lowest to its highest (radius, height)."""
    turns = [2.0 * PI * k / SIDES for k in range(SIDES)]
    return loft(np.array([[point(r, turn, z) for turn in turns] for r, z in profile]))
