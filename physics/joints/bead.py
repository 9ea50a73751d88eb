# SPDX-License-Identifier: GPL-3.0-or-later
"""A ring-shaped bead on a peg that snaps behind a lip of the bore: where the material is, its pieces for lab and fit.

The bead rises from the peg at the angle ``lead`` to its crest and falls at the angle ``back``, both against the axis. The lip
is the bore's own wall between the rim and a groove. All of it is round; in the lab the lip is ``PADS`` pieces on springs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rigid import Array, rotation, sine_cosine
from ..solids import Sector, Solid, hull_points, point
from ..turned import SIDES, circle_volume, loft, ring
from ..units import MM, PI, to_deg
from .base import Flexure, Mechanism, Pose, Tool
from .lugs import RINGS, floor_sectors, grid, rod_points, shaft_hulls

PADS: Final = 2
"""Pieces of the lip in the lab: in one plane with the axis, where Bullet's friction at rest acts along it."""
FACETS: Final = 16
"""Sides of the bead in the lab; the middle of one meets each pad, and each piece of the wall."""
COLUMNS: Final = 8
"""Rigid pieces around the bore there."""
WIDE: Final = 0.5 * MM
"""Half the width of a pad, and how thick it is."""


@dataclass(frozen=True)
class BeadMechanism(Mechanism):
    """``crest`` radius of the bead at the peg height ``middle``; ``lip`` height of the lip; ``groove`` (radius, bottom) behind
    it; ``press`` N that opens each pad by the whole ``undercut``; ``friction`` of each surface, two of which multiply.
    """

    crest: float
    middle: float
    lead: float
    back: float
    lip: float
    groove: tuple[float, float]
    press: float
    friction: float

    @property
    def undercut(self) -> float:
        """Metres by which the bead stands out over the bore."""
        return self.crest - self.bore_radius

    @property
    def gives(self) -> float:
        return self.undercut

    @property
    def reach(self) -> float:
        return self.groove[0]

    @property
    def stiffness(self) -> float:
        """N/m of each pad."""
        return self.press / self.undercut

    @property
    def slopes(self) -> tuple[float, float]:
        """Tangents of ``lead`` and ``back``."""
        return tuple(s / c for s, c in (sine_cosine(self.lead), sine_cosine(self.back)))  # type: ignore[return-value]

    @property
    def meets(self) -> float:
        """Height over the seat at which the bead meets the rim."""
        return self.undercut / self.slopes[0] - self.middle - self.seat

    @property
    def behind(self) -> float:
        """Height over the seat at which the crest leaves the lip and the bead slides behind it."""
        return -self.lip - self.middle - self.seat

    def depth_in_socket(self, points: Array) -> Array:
        r, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        bored = np.hypot(np.maximum(r - self.bore_radius, 0.0), np.maximum(-self.bore_depth - z, 0.0))
        radius, bottom = self.groove
        over = np.maximum(np.maximum(bottom - z, z + self.lip), 0.0)
        nearest: Array = np.minimum(
            np.minimum(np.maximum(-z, 0.0), bored), np.hypot(np.maximum(r - radius, 0.0), over)
        )
        return nearest

    def depth_in_peg(self, points: Array) -> Array:
        r, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        up, low = z - self.middle, self.crest - r
        (sa, ca), (sb, cb) = sine_cosine(self.lead), sine_cosine(self.back)
        bead = np.minimum(np.minimum(up * sa + low * ca, low * cb - up * sb), r - 0.8 * self.peg_radius)
        ends = np.minimum(z + self.length, -z)
        result: Array = np.maximum(np.minimum(np.maximum(self.peg_radius - r, bead), ends), 0.0)
        return result

    def _profile(self, root: float, margin: float = 0.0) -> list[tuple[float, float]]:
        """(radius, height) of the bead from below: its foot at the radius ``root``, crest, foot; shrunk by ``margin``."""
        (sa, ca), (sb, cb) = sine_cosine(self.lead), sine_cosine(self.back)
        low = margin * (sa + sb) / (sa * cb + ca * sb)
        rows = [(root, (margin - (self.crest - root) * ca) / sa), (self.crest - low, (margin - low * ca) / sa),
                (root, ((self.crest - root) * cb - margin) / sb)]  # fmt: skip
        return [(r, self.middle + up) for r, up in rows]

    def surface_points(self) -> Array:
        parts = rod_points(self)
        foot, crest, head = self._profile(self.peg_radius)
        tall = self.crest - self.peg_radius
        at, near = self.undercut / tall, np.arange(1, 9) * 0.004 * MM / tall
        for end in (foot, head):  # densest where a ramp stands out over the bore
            for u in (*np.linspace(0.0, at, 17), *np.maximum(at - near, 0.0), *np.linspace(at, 1.0, 5)):
                r, z = (float(c + u * (e - c)) for c, e in zip(crest, end, strict=True))
                parts.append(grid((r,), RINGS, (z,)))
        return np.concatenate(parts)

    def marks(self) -> list[Array]:
        turns = [2.0 * PI * k / 48 for k in range(49)]
        return [np.array([point(r, turn, z) for turn in turns]) for r, z in self._profile(self.peg_radius)]

    def peg_hulls(self, margin: float, catch: bool = True) -> list[Array]:
        pieces = shaft_hulls(self, margin)
        if not catch:
            return pieces
        wide = 1.0 / sine_cosine(PI / 2 - PI / FACETS)[0]
        turns = [2.0 * PI * (k + 0.5) / FACETS for k in range(FACETS)]
        rows = [
            point(r * wide, turn, z)
            for r, z in self._profile(0.9 * self.peg_radius, margin)
            for turn in turns
        ]
        return [*pieces, np.array(rows)]

    def socket_hulls(self, margin: float) -> list[Array]:
        lip = [Sector((self.bore_radius, self._outer), pair, (-self.lip, 0.0)) for pair in _columns()]
        more = [*floor_sectors(self, self._outer), *lip]
        return self.still_hulls(margin) + [hull_points(sector, margin) for sector in more]

    def still_hulls(self, margin: float) -> list[Array]:
        """The rim around the lip, far enough from it not to meet the bead's corners, and the wall below the groove."""
        sectors, rim = [], self.bore_radius + 0.25 * self.peg_radius
        for pair in _columns():
            sectors.append(Sector((self.bore_radius, self._outer), pair, (-self.bore_depth, self.groove[1])))
            sectors.append(Sector((rim, self._outer), pair, (self.groove[1], 0.0)))
        return [hull_points(sector, margin) for sector in sectors]

    @property
    def _outer(self) -> float:
        return self.groove[0] + 0.45 * self.bore_radius

    def flexures(self, margin: float = 0.0) -> list[Flexure]:
        """Each pad is a roof with its ridge along the axis, so that the bead meets it in one point at a time."""
        inner, low, high = self.bore_radius + margin, margin - self.lip, -margin
        rows = np.array([(inner + abs(y) + out, y, z) for z in (low, high) for y, out in
                         ((0.0, 0.0), (-WIDE, 0.0), (WIDE, 0.0), (-WIDE, WIDE), (WIDE, WIDE))])  # fmt: skip
        made = []
        for index in range(PADS):
            turn = rotation(2, 2.0 * PI * index / PADS)[:3, :3]
            x, y, _ = (float(value) for value in turn[:, 0])
            made.append(Flexure(f"lip {index}", rows @ turn.T, (x, y, 0.0), self.stiffness, 2.0 * self.undercut,
                                mass=0.02, friction=self.friction))  # fmt: skip
        return made

    def tools(self) -> list[Tool]:
        return [self._bead_tool(), self._groove_tool()]

    def _bead_tool(self) -> Tool:
        """The bead, rooted deep enough in the peg to unite with it."""
        turns = [2.0 * PI * k / SIDES for k in range(SIDES)]
        loops = np.array(
            [[point(r, turn, z) for turn in turns] for r, z in self._profile(0.9 * self.peg_radius)]
        )
        (p, foot), (top, middle), (_, head) = self._profile(self.peg_radius)
        volume = circle_volume(1.0, head - foot) * ((top * top + top * p + p * p) / 3.0 - p * p)
        assert foot < middle < head
        return Tool("peg", "UNION", loft(loops), volume)

    def _groove_tool(self, slack: float = 0.01 * MM) -> Tool:
        """The groove, cut ``slack`` metres wider, so that no faces of the render meshes coincide."""
        radius, bottom = self.groove
        inner = self.bore_radius - min(0.5 * MM, 0.1 * self.bore_radius)
        solid: Solid = ring(inner, radius + slack, bottom - slack, slack - self.lip)
        high = -self.lip - bottom
        return Tool(
            "socket", "DIFFERENCE", solid, circle_volume(radius, high) - circle_volume(self.bore_radius, high)
        )


@dataclass(frozen=True)
class SnapFit(BeadMechanism):
    """A bead with the forces that it takes."""

    def sliding(self, angle: float) -> float:
        """Force along the axis over the force that opens the lip, for a ramp of ``angle``."""
        mu = self.friction * self.friction
        tangent = float(np.tan(angle))
        return (tangent + mu) / (1.0 - mu * tangent)

    @property
    def push_in(self) -> float:
        """N that snap it in."""
        return PADS * self.press * self.sliding(self.lead)

    @property
    def pull_out(self) -> float:
        """N that snap it out."""
        return PADS * self.press * self.sliding(self.back)

    def lifted(self, pull: float) -> float:
        """Metres that it lifts under a pull in N: its clearance, and what the lip gives."""
        return self.lift + pull / self.pull_out * self.undercut / self.slopes[1]

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many = [float(u) for u in np.linspace(0.0, 1.0, 25)]
        fault = 0.05 * MM
        drawn = self.lift + 2.0 * fault / float(np.sin(self.back))
        beside = min(self.bore_radius - self.peg_radius, self.groove[0] - self.crest) + fault
        tilt = (self.bore_radius - self.peg_radius + 2.0 * fault) / self.depth
        return {
            "drawn": ("drawn 0.1 mm into the lip", np.stack([self.at(Pose(drawn * u)) for u in many])),
            "off_axis": ("0.05 mm too far to the side", np.stack([self.at(Pose(aside=beside))])),
            "wrong_axis": (f"tilted by {to_deg(tilt):.1f} degrees", np.stack([self.at(Pose(tilt=tilt * u)) for u in many])),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-fault))])),
        }  # fmt: skip


def _columns() -> list[tuple[float, float]]:
    return [(2.0 * PI * k / COLUMNS, 2.0 * PI * (k + 1) / COLUMNS) for k in range(COLUMNS)]
