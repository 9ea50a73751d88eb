# SPDX-License-Identifier: GPL-3.0-or-later
"""Ribs on a peg that are pressed into a plain bore: where the material is, and its pieces for lab and fit.

Ribs are drawn as they are once pressed: as wide as the bore. In the lab two pads in the bore stand for what gives, ribs and
bore together, and carry the force of all ribs: two, because in one plane with the axis Bullet's friction at rest acts along it.
"""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rigid import Array, rotation, sine_cosine
from ..solids import Sector, hull_points
from ..units import MM, PI, to_deg
from .base import Flexure, Pose, Tool
from .lugs import LugMechanism, lug_solid, shaft_hulls

GAP: Final = 0.03 * MM
"""What pressed ribs are drawn short of the bore, so that no faces coincide."""
SHORT: Final = 0.05 * MM
"""What the lead-in of a rib starts below its pad."""
SIDES: Final = (0.0, PI)
"""Where ribs and pads are in the lab."""
COLUMNS: Final = 8
"""Pieces of the rim there."""


@dataclass(frozen=True)
class PressFit(LugMechanism):
    """Ribs without channels; ``lead`` angle of their lead-in; ``press`` N of each; ``yields`` metres of a pad in the lab."""

    interference: float
    lead: float
    press: float
    yields: float
    friction: float

    @property
    def reach(self) -> float:
        return self.bore_radius

    @property
    def gives(self) -> float:
        return self.interference

    @property
    def hold(self) -> float:
        """N that friction holds along the axis."""
        return self.count * self.press * self.friction * self.friction

    @property
    def push_in(self) -> float:
        """N that press it in."""
        tangent, mu = float(np.tan(self.lead)), self.friction * self.friction
        return self.count * self.press * (tangent + mu) / (1.0 - mu * tangent)

    @property
    def level(self) -> float:
        """Height of the pads in the socket."""
        return -0.3 * self.depth

    @property
    def meets(self) -> float:
        """Height over the seat at which the ribs meet their pads."""
        return self.level + self.depth - SHORT / float(np.tan(self.lead))

    @property
    def pressed(self) -> float:
        """Height over the seat at which the lead-in is over."""
        return self.meets - self.yields / float(np.tan(self.lead))

    def peg_hulls(self, margin: float, catch: bool = True) -> list[Array]:
        """The shoulder and the ribs, which are alone in the lab: a pad at rest would stand in the shaft."""
        shaft, shoulder = shaft_hulls(self, margin)
        if not catch:
            return [shaft, shoulder]
        tip, top, outer = -self.length, self.lug_z[1], self.lug_radius - margin
        rise = (self.yields + SHORT) / float(np.tan(self.lead))
        profile = ((0.3 * self.peg_radius, tip), (outer - self.yields - SHORT, tip), (outer, tip + rise), (outer, top),
                   (0.3 * self.peg_radius, top))  # fmt: skip
        half = self.peg_radius * self.lug_half
        rows = np.array([(r, side * half, z) for side in (-1.0, 1.0) for r, z in profile])
        return [shoulder, *(rows @ rotation(2, turn)[:3, :3].T for turn in SIDES)]

    def still_hulls(self, margin: float) -> list[Array]:
        """The rim, on which the shoulder seats."""
        rim = self.bore_radius + 0.25 * self.peg_radius
        edges = [2.0 * PI * k / COLUMNS for k in range(COLUMNS + 1)]
        made = [
            Sector((rim, 1.6 * self.bore_radius), pair, (-1.0 * MM, 0.0))
            for pair in itertools.pairwise(edges)
        ]
        return [hull_points(sector, margin) for sector in made]

    def flexures(self, margin: float = 0.0) -> list[Flexure]:
        """Two pads with the force of all ribs, each a pyramid that meets its rib with its tip, in one point."""
        tip, wide = self.lug_radius - self.yields + margin, 0.4 * MM
        rows = [(tip, 0.0, self.level)]
        rows += [(tip + wide + out, y, self.level + z)
                 for out in (0.0, wide) for y in (-wide, wide) for z in (-wide, wide)]  # fmt: skip
        made = []
        stiff = self.count * self.press / len(SIDES) / self.yields
        for index, angle in enumerate(SIDES):
            turn = rotation(2, angle)[:3, :3]
            x, y, _ = (float(value) for value in turn[:, 0])
            made.append(Flexure(f"pad {index}", np.array(rows) @ turn.T, (x, y, 0.0), stiff, 2.0 * self.yields,
                                mass=0.02, friction=self.friction))  # fmt: skip
        return made

    def tools(self) -> list[Tool]:
        area = self.count * (self.lug_radius**2 - self.peg_radius**2) * self.lug_half
        return [Tool("peg", "UNION", lug_solid(self), area * (self.lug_z[1] - self.lug_z[0]))]

    def wrong_motions(self) -> dict[str, tuple[str, Array]]:
        many = [float(u) for u in np.linspace(0.0, 1.0, 25)]
        fault, play = 0.05 * MM, self.bore_radius - self.lug_radius
        beside = (
            (play + fault) / sine_cosine(PI / 2 - 0.5 * self.spacing)[0] if self.count < 4 else play + fault
        )
        tilt = 3.0 * (play + fault) / self.depth
        return {
            "off_axis": ("0.05 mm too far to the side", np.stack([self.at(Pose(aside=beside * u)) for u in many])),
            "wrong_axis": (
                f"pressed in with the axis tilted by {to_deg(tilt):.1f} degrees",
                np.stack([self.at(Pose(self.depth * (1.0 - u), tilt=tilt)) for u in many]),
            ),
            "too_deep": ("pressed 0.05 mm into its seat", np.stack([self.at(Pose(-fault))])),
        }  # fmt: skip
