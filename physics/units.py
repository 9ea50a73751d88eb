# SPDX-License-Identifier: GPL-3.0-or-later
"""Millimetres and degrees, as artists set them, to the metres and radians of the maths; one place."""

from typing import Final

MM: Final = 1e-3
"""One millimetre in metres."""
PI: Final = 3.141592653589793
DEG: Final = PI / 180.0
"""One degree in radians."""


def to_mm(metres: float, digits: int = 6) -> float:
    """Metres as millimetres, rounded to ``digits`` so that it can be written down and hashed."""
    return round(metres / MM, digits) + 0.0


def to_deg(radians: float, digits: int = 6) -> float:
    """Radians as degrees, rounded to ``digits``."""
    return round(radians / DEG, digits) + 0.0
