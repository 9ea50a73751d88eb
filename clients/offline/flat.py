# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts that are unwrapped as seen from the front and the back."""

from dataclasses import dataclass

import numpy as np

from .atlas import Place
from .meshing import F64, Mesh


@dataclass(frozen=True)
class Island:
    """A piece of the texture. ``side`` -1 front (seen along +Y), 1 back, 0 rim; ``low`` (x, z) in mm of its lower left corner,
    ``scale`` texture units per mm. The back is mirrored, so that it reads right from behind."""

    side: int
    place: Place
    low: tuple[float, float]
    scale: float

    def to_uv(self, points: F64) -> F64:
        """Texture coordinates of points (..., 2) x, z in mm (front and back islands)."""
        x = points[..., 0] if self.side < 0 else -points[..., 0]
        return np.stack(
            [
                self.place.u + (x - self.low[0]) * self.scale,
                self.place.v + (points[..., 1] - self.low[1]) * self.scale,
            ],
            axis=-1,
        )

    def to_mm(self, u: F64, v: F64) -> tuple[F64, F64]:
        """x, z in mm of texture places."""
        x = (u - self.place.u) / self.scale + self.low[0]
        return (x if self.side < 0 else -x), (v - self.place.v) / self.scale + self.low[1]


@dataclass(frozen=True)
class Flat:
    """A mesh with its islands."""

    mesh: Mesh
    islands: list[Island]
