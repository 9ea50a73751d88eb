# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours by the words that people and models use for them."""

import re

NAMES: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "red": (220, 30, 30), "crimson": (165, 20, 50), "orange": (240, 130, 20), "rust": (183, 65, 14),
    "yellow": (250, 220, 30), "gold": (212, 165, 45), "ochre": (200, 120, 35), "brown": (110, 65, 30),
    "beige": (230, 215, 185), "cream": (250, 240, 210), "green": (40, 150, 60), "olive": (115, 120, 40),
    "teal": (20, 125, 125), "turquoise": (60, 200, 190), "cyan": (20, 200, 230), "blue": (40, 80, 210),
    "navy": (20, 30, 90), "indigo": (70, 40, 140), "purple": (130, 50, 160), "violet": (140, 80, 210),
    "pink": (240, 140, 180), "magenta": (220, 40, 180),
}  # fmt: skip
ALIKE = 130.0
"""Weighted distance in sRGB up to which a colour may pass for another one's lighter or darker shade."""
_SPELLED = {"gray": "grey", "golden": "gold"}
WORDS = re.compile(rf"(?<![\w-])(?:{'|'.join([*NAMES, *_SPELLED])})(?![\w])", re.IGNORECASE)


def rgb_of(text: str) -> tuple[int, int, int]:
    """The sRGB of "#rrggbb"."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def distance(one: tuple[int, int, int], two: tuple[int, int, int]) -> float:
    """How far two colours are apart: sRGB weighted by the mean red ("redmean", Compuphase), 0 to about 765."""
    red = (one[0] + two[0]) / 2
    r, g, b = (a - b for a, b in zip(one, two, strict=True))
    weighed = (2 + red / 256) * r * r + 4 * g * g + (2 + (255 - red) / 256) * b * b
    return float(weighed**0.5)


def colour_name(text: str) -> str:
    """ "rust (#b7410e)": the nearest word beside the exact colour."""
    rgb = rgb_of(text)
    return f"{min(NAMES, key=lambda name: distance(NAMES[name], rgb))} ({text})"


def outside(word: str, palette: tuple[str, ...]) -> bool:
    """Whether a colour word is none of a palette's colours, in whatever shade."""
    name = word.lower()
    rgb = NAMES[_SPELLED.get(name, name)]
    if max(rgb) - min(rgb) < 30:
        return False  # greys, black and white are shades of every palette
    return min(distance(rgb, _like(rgb_of(each), rgb)) for each in palette) > ALIKE


def _like(rgb: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    """The shade of ``rgb`` that is as bright as ``other``."""
    scale = min(sum(other) / max(sum(rgb), 1), 255 / max(*rgb, 1))
    r, g, b = (round(channel * scale) for channel in rgb)
    return r, g, b
