# SPDX-License-Identifier: GPL-3.0-or-later
"""Joints whose peg carries lugs that run in channels around the bore: twist-lock, hinge and slider.

All free space is a union of boxes in cylinder coordinates, so that how deep a point lies in material is its distance to
the nearest free point: exact, without facets.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from ..rigid import Array, sine_cosine
from ..solids import (
    HULL_STEP,
    STEP,
    Sector,
    Solid,
    cell_solid,
    disc_points,
    divide,
    hull_points,
    merged,
    point,
)
from ..units import DEG, MM, PI
from .base import Mechanism, Tool
from .spec import JointSpec

LIP: Final = 0.3 * MM
"""Least overlap of a lug with the lip above it that holds anything, and least height of lip and groove wall."""
RIB: Final = 8.0 * DEG
"""Least width of material left between two mechanisms around the bore."""
ABOVE: Final = float("inf")
"""Upper end of a channel that is open at the rim."""


class Channel(NamedTuple):
    """Free space for one lug: angles from the lug's own engaged angle, and heights in the socket frame."""

    low: float
    high: float
    bottom: float
    top: float


@dataclass(frozen=True)
class LugMechanism(Mechanism):
    """Lugs on the peg: radius ``lug_radius``, half width ``lug_half``, peg-frame z ``lug_z``; ``channels`` of the lug at
    angle 0 reach out to ``groove_radius``.
    """

    lug_radius: float
    lug_half: float
    lug_z: tuple[float, float]
    groove_radius: float
    channels: tuple[Channel, ...]

    @property
    def spacing(self) -> float:
        return 2.0 * PI / self.count

    @property
    def reach(self) -> float:
        return self.groove_radius

    @property
    def contact(self) -> float:
        """Radius in the middle of where the lugs' flanks meet the end of a channel."""
        return 0.5 * (self.bore_radius + self.lug_radius)

    @property
    def lug_angles(self) -> tuple[float, ...]:
        """Middle of each lug in the peg frame."""
        return tuple(index * self.spacing for index in range(self.count))

    def depth_in_socket(self, points: Array) -> Array:
        r, angle, z = _cylinder(points)
        below = np.maximum(-self.bore_depth - z, 0.0)
        nearest = np.minimum(np.maximum(-z, 0.0), np.hypot(np.maximum(r - self.bore_radius, 0.0), below))
        out = np.maximum(r - self.groove_radius, 0.0)
        for middle in self.lug_angles:
            for low, high, bottom, top in self.channels:
                around = r * _turn_beyond(angle, middle + low, middle + high)
                over = np.maximum(np.maximum(bottom - z, z - top), 0.0)
                nearest = np.minimum(nearest, np.sqrt(out**2 + around**2 + over**2))
        return nearest

    def depth_in_peg(self, points: Array) -> Array:
        r, angle, z = _cylinder(points)
        deepest = np.minimum(self.peg_radius - r, np.minimum(z + self.length, -z))
        for middle in self.lug_angles:
            away = np.abs((angle - middle + PI) % (2.0 * PI) - PI)
            inside = np.minimum(self.lug_radius - r, r * (self.lug_half - away))
            inside = np.minimum(inside, np.minimum(z - self.lug_z[0], self.lug_z[1] - z))
            deepest = np.maximum(deepest, inside)
        result: Array = np.maximum(deepest, 0.0)
        return result

    def surface_points(self) -> Array:
        parts = rod_points(self)
        for middle in self.lug_angles:
            across = np.linspace(middle - self.lug_half, middle + self.lug_half, 17)
            radii, heights = np.linspace(self.peg_radius, self.lug_radius, 5), np.linspace(*self.lug_z, 5)
            parts += [grid((self.lug_radius,), across, heights), grid(radii, across, self.lug_z)]
            parts.append(grid(radii, across[[0, -1]], heights))
        return np.concatenate(parts)

    def marks(self) -> list[Array]:
        """The outer face of every lug, and the edges to the shaft at its ends."""
        found = []
        for middle in self.lug_angles:
            low, high = middle - self.lug_half, middle + self.lug_half
            across = divide(low, high, STEP)
            bottom, top = self.lug_z
            outline = [point(self.lug_radius, a, bottom) for a in across]
            outline += [point(self.lug_radius, a, top) for a in reversed(across)]
            found.append(np.array([*outline, outline[0]]))
            for a in (low, high):
                radii = ((self.peg_radius, bottom), (self.lug_radius, bottom))
                found.append(np.array([point(r, a, z) for r, z in radii]))
                found.append(np.array([point(r, a, top) for r, _ in radii]))
        return found

    def peg_hulls(self, margin: float, catch: bool = True) -> list[Array]:
        pieces = shaft_hulls(self, margin)
        if not catch:
            return pieces
        at, heights = margin / self.contact, (self.lug_z[0] + margin, self.lug_z[1] - margin)
        radii = (0.7 * self.peg_radius, self.lug_radius - margin)
        for middle in self.lug_angles:
            for a, b in itertools.pairwise(divide(middle - self.lug_half, middle + self.lug_half, HULL_STEP)):
                pieces.append(box_points(radii, (a + at, b - at), heights))
        return pieces

    def socket_hulls(self, margin: float) -> list[Array]:
        return [hull_points(sector, margin, self.contact) for sector in self._sectors()]

    def _sectors(self) -> list[Sector]:
        outer = self.groove_radius + 0.25 * self.bore_radius
        wide = outer + 0.2 * self.bore_radius
        knots = {-self.bore_depth, 0.0}
        for channel in self.channels:
            knots |= {z for z in (channel.bottom, channel.top) if -self.bore_depth < z < 0.0}
        gaps = [(c.low + a, c.high + a, c.bottom, c.top) for a in self.lug_angles for c in self.channels]
        layers = [pair for pair in itertools.pairwise(sorted(knots)) if pair[1] - pair[0] >= 0.05 * MM]
        sectors = floor_sectors(self, outer)
        for a, b in itertools.pairwise(ring_edges([(low, high) for low, high, _, _ in gaps])):
            here = [g for g in gaps if (0.5 * (a + b) - g[0]) % (2.0 * PI) < g[1] - g[0]]
            inner = [
                self.groove_radius
                if any(g[2] < 0.5 * (low + high) < g[3] for g in here)
                else self.bore_radius
                for low, high in layers
            ]
            for r, run in itertools.groupby(range(len(layers)), key=inner.__getitem__):
                span = list(run)
                sectors.append(Sector((r, wide), (a, b), (layers[span[0]][0], layers[span[-1]][1])))
        return sectors

    def tools(self) -> list[Tool]:
        area = self.count * (self.lug_radius**2 - self.peg_radius**2) * self.lug_half
        lugs = Tool("peg", "UNION", lug_solid(self), area * (self.lug_z[1] - self.lug_z[0]))
        cut, volume = channel_solid(self)
        return [lugs, Tool("socket", "DIFFERENCE", cut, volume)]


def _cylinder(points: Array) -> tuple[Array, Array, Array]:
    return np.hypot(points[:, 0], points[:, 1]), np.arctan2(points[:, 1], points[:, 0]), points[:, 2]


def _turn_beyond(angle: Array, low: float, high: float) -> Array:
    """Angle in radians to the arc low..high, 0 on it."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    away = np.abs((angle - middle + PI) % (2.0 * PI) - PI)
    outside: Array = np.maximum(away - half, 0.0)
    return outside


def grid(radii: object, angles: object, heights: object) -> Array:
    """(N, 3) points at all combinations of radii, angles and heights."""
    r, a, z = (part.ravel() for part in np.meshgrid(radii, angles, heights, indexing="ij"))  # type: ignore[arg-type]
    return np.stack((r * np.cos(a), r * np.sin(a), z), axis=1)


RINGS: Final = np.linspace(0.0, 2.0 * PI, 96, endpoint=False)
"""Angles at which what is round is looked at."""


def rod_points(mechanism: Mechanism) -> list[Array]:
    """(N, 3) points each on the shaft, the tip and the shoulder of a round peg, in its frame."""
    radius, length, bore = mechanism.peg_radius, mechanism.length, mechanism.bore_radius
    return [
        grid((radius,), RINGS, np.linspace(-length, -0.02 * length, 12)),
        grid(np.linspace(0.2, 1.0, 5) * radius, RINGS[::2], (-length,)),
        grid((bore + 0.3 * MM, bore + 0.6 * MM), RINGS, (0.0,)),
    ]


def box_points(radii: Sequence[float], angles: Sequence[float], heights: Sequence[float]) -> Array:
    """(8, 3) corners of a box in cylinder coordinates."""
    rows = []
    for z in heights:
        for angle in angles:
            sine, cosine = sine_cosine(angle)
            rows += [(r * cosine, r * sine, z) for r in radii]
    return np.array(rows)


def shaft_hulls(mechanism: Mechanism, margin: float, sides: int = 36, first: float = 0.0) -> list[Array]:
    """The plain peg: its shaft with a corner at the angle ``first``, and a disc for the shoulder that seats on the rim."""
    shoulder = mechanism.bore_radius + 0.4 * mechanism.peg_radius
    return [
        disc_points(mechanism.peg_radius, (-mechanism.length, -2.0 * margin), margin, sides, first),
        disc_points(shoulder, (0.0, 2.0 * MM), margin),
    ]


def ring_edges(gaps: Sequence[tuple[float, float]]) -> list[float]:
    """Angles that divide a whole turn into narrow sectors, with an edge at every end of a gap."""
    start = gaps[0][0] if gaps else 0.0
    at = [a + 2.0 * PI * k for gap in gaps for a in gap for k in (-1, 0, 1)]
    return divide(start, start + 2.0 * PI, HULL_STEP, at)


def floor_sectors(mechanism: Mechanism, outer: float) -> list[Sector]:
    """What closes the bore below, 2 mm thick."""
    heights = (-mechanism.bore_depth - 2.0 * MM, -mechanism.bore_depth)
    edges = divide(0.0, 2.0 * PI, 2.0 * PI / 6)
    return [Sector((0.0, outer), pair, heights) for pair in itertools.pairwise(edges)]


def lug_solid(mechanism: LugMechanism) -> Solid:
    """The lugs in the peg frame, rooted deep enough in the peg to unite with it. Flanks, top and radius are exact."""
    solids = []
    for middle in mechanism.lug_angles:
        angles = divide(middle - mechanism.lug_half, middle + mechanism.lug_half, STEP)
        filled = np.ones((len(angles) - 1, 1), dtype=bool)
        radii = (0.6 * mechanism.peg_radius, mechanism.lug_radius)
        solids.append(cell_solid(angles, mechanism.lug_z, filled, radii))
    return merged(solids)


def channel_solid(mechanism: LugMechanism, slack: float = 0.01 * MM) -> tuple[Solid, float]:
    """What is cut out of the socket, in its frame, and the volume in m3 that goes.

    ``slack`` in metres is cut away beyond the exact channels, so that no faces of the render meshes coincide.
    """
    outer = (mechanism.groove_radius + slack) / sine_cosine(PI / 2 - 0.5 * STEP)[0]
    inner = mechanism.bore_radius - min(0.5 * MM, 0.1 * mechanism.bore_radius)
    wide, over = slack / mechanism.bore_radius, 1.0 * MM + 0.05 * mechanism.bore_radius
    boxes = [
        Channel(c.low - wide, c.high + wide, c.bottom - slack, over if c.top == ABOVE else c.top + slack)
        for c in mechanism.channels
    ]
    heights = sorted({z for box in boxes for z in (box.bottom, box.top)})
    solids, volume = [], 0.0
    for middle in mechanism.lug_angles:
        low, high = min(box.low for box in boxes), max(box.high for box in boxes)
        at = [middle + angle for box in boxes for angle in (box.low, box.high)]
        angles = divide(middle + low, middle + high, STEP, at)
        filled = np.zeros((len(angles) - 1, len(heights) - 1), dtype=bool)
        for i, (a, b) in enumerate(itertools.pairwise(angles)):
            for j, (bottom, top) in enumerate(itertools.pairwise(heights)):
                turned, z = 0.5 * (a + b) - middle, 0.5 * (bottom + top)
                filled[i, j] = any(x.low < turned < x.high and x.bottom < z < x.top for x in boxes)
                ring = 0.5 * (mechanism.groove_radius**2 - mechanism.bore_radius**2) * (b - a)
                volume += ring * max(min(top, 0.0) - bottom, 0.0) * filled[i, j]
        solids.append(cell_solid(angles, heights, filled, (inner, outer)))
    return merged(solids), volume


class LugSizes(NamedTuple):
    """Lugs that fit a peg, in mm: height of a lug, how far above the tip it starts, how far it stands out."""

    height: float
    tip: float
    protrusion: float


def lug_sizes(spec: JointSpec) -> LugSizes:
    """A fifth of the radius out, a sixth of the length high, within what can be made."""
    out = min(max(round(0.2 * spec.peg_radius_mm, 3), 0.8), 3.0) + (spec.bore_radius_mm - spec.peg_radius_mm)
    height = min(max(round(spec.peg_length_mm / 6.0, 3), 1.0), 4.0)
    return LugSizes(height, min(max(round(spec.peg_length_mm / 15.0, 3), 0.3), 1.5), out)


def groove_reach(spec: JointSpec, lug_radius: float) -> float:
    """Radius of a groove: the shaft meets the bore before a lug could meet the groove's wall and jam there."""
    gap = (spec.bore_radius_mm - spec.peg_radius_mm) * MM
    return lug_radius + max(spec.length("clearance_mm"), gap + 0.05 * MM)


def check_lugs(spec: JointSpec, mechanism: LugMechanism) -> None:
    """Raises InputError with the one measure of lugs or channels that makes the joint impossible."""
    low, high = mechanism.lug_z
    if low <= -mechanism.length or high + 2.0 * LIP > 0.0 or mechanism.lug_half <= 0.0:
        spec.refuse("The lugs don't fit on the peg", "Make them lower, or the peg longer.")
    past = mechanism.lug_radius - mechanism.bore_radius
    if past < LIP:
        what = f"The lugs reach only {past / MM:.2f} mm past the bore and would not hold"
        spec.refuse(what, "Let them stand out further.")
    if max(c.top for c in mechanism.channels if c.top != ABOVE) > -2.0 * LIP:
        spec.refuse("Too little material is left above the groove", "Set the depth deeper.")
    if min(c.bottom for c in mechanism.channels) < -mechanism.bore_depth - 5e-5:
        spec.refuse("The groove lies deeper than the bore", "Drill the bore deeper or raise the lugs.")
    used = max(c.high for c in mechanism.channels) - min(c.low for c in mechanism.channels)
    if used + RIB > mechanism.spacing:
        what = f"{mechanism.count} lugs with {used / DEG:.1f} degrees of channel need more than a whole turn"
        spec.refuse(what, "Take fewer lugs, narrower ones, or less turn.")
