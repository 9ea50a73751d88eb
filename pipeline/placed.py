# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a take shows what the render has: the fit that a report found, for whoever draws over the take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDE = 1920
"""Reports tell px of a picture so wide."""


@dataclass(frozen=True)
class Placed:
    """From places of the render to those of the take, both 0..1 of the picture's width and height from its lower left:
    ``x' = scale * x + shift``, along both axes."""

    scale: tuple[float, float] = (1.0, 1.0)
    shift: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, fit: Mapping[str, Any] | None, frame: int, size: tuple[int, int]) -> "Placed":
        """Of take frame ``frame`` by a report's ``fit`` of a shot of ``size`` (width, height). A fit's scale is about the
        picture's middle; ``offset_px`` and ``shake`` [[frame, x, y], ...] are px of a picture WIDE wide, y down."""
        if not fit:
            return cls()
        sx, sy = fit.get("scale") or (1.0, 1.0)
        x, y = fit.get("offset_px") or (0.0, 0.0)
        for number, right, down in fit.get("shake") or ():
            if number == frame:
                x, y = x + right, y + down
        width, height = size
        up = -y / WIDE * width / height
        return cls((float(sx), float(sy)), (0.5 - 0.5 * sx + x / WIDE, 0.5 - 0.5 * sy + up))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where the take shows a place of the render."""
        return self.scale[0] * x + self.shift[0], self.scale[1] * y + self.shift[1]

    def box(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of the whole render in a take that is drawn in such a box."""
        x, y = self.point(0.0, 0.0)
        return left + x * width, bottom + y * height, self.scale[0] * width, self.scale[1] * height
