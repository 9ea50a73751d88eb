# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in pictures: a typeface that has the letters, and masks of lines of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..pipeline.pictures import F32

Font = ImageFont.FreeTypeFont
_NO_GLYPH = "\U0010fffd"
_PLAIN = str.maketrans({"×": "x", "–": "-", "—": "-", "’": "'", "→": ">"})


@dataclass(frozen=True)
class Lettering:
    """``fonts`` are font files in order of preference; Pillow's own Aileron (Latin) is behind them all."""

    fonts: tuple[str, ...] = ()

    def font(self, text: str, size: float, weight: int = 400) -> Font:
        """The first font that has every letter of ``text``, at ``size`` px, of ``weight`` where it varies."""
        for path in self.fonts:
            font = _open(path, round(size), weight)
            if font is not None and _covers(font, text):
                return font
        return _default(round(size))

    def fitting(self, text: str, size: float, weight: int, width: float) -> Font:
        """Like ``font``, as small as it must be for ``text`` to be at most ``width`` px wide."""
        font = self.font(text, size, weight)
        long = font.getlength(text)
        return font if long <= width else self.font(text, max(size * width / long, 6), weight)

    def readable(self, text: str) -> str:
        """``text`` with typographic signs spelt plainly where no font has them."""
        font = self.font(text, 16)
        return text if _covers(font, text) else text.translate(_PLAIN)


@cache
def _open(path: str, size: int, weight: int) -> Font | None:
    try:
        font = _truetype(path, size)
        axes = font.get_variation_axes()
    except OSError:  # no such file, a format this FreeType can't read, or a font that does not vary
        return _static(path, size)
    font.set_variation_by_axes([_axis_value(axis, size, weight) for axis in axes])
    made = font if _measures(font) else _static(path, size)
    return made if made is not None and _measures(made) else None


def _truetype(path: str, size: int) -> Font:
    """Laid out letter by letter: Raqm shapes with whatever HarfBuzz the process has loaded, and Debian's Blender 4.3 has
    one with which every letter of a varied font is 200,000 px wide, or -1,000,000."""
    return ImageFont.truetype(path, max(size, 1), layout_engine=ImageFont.Layout.BASIC)


def _measures(font: Font) -> bool:
    """Whether letters have widths that can be."""
    return all(0.1 * font.size < font.getlength(letter) < 3.0 * font.size for letter in "HamburgLtn")


def _axis_value(axis: Any, size: int, weight: int) -> float:
    wanted = {b"Weight": weight, b"Optical size": size}.get(axis["name"], axis["default"])
    return float(min(max(wanted, axis["minimum"]), axis["maximum"]))


def _static(path: str, size: int) -> Font | None:
    try:
        return _truetype(path, size)
    except OSError:
        return None


@cache
def _default(size: int) -> Font:
    font = ImageFont.load_default(max(size, 1))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@cache
def _covers(font: Font, text: str) -> bool:
    missing = bytes(font.getmask(_NO_GLYPH))
    return all(letter.isspace() or bytes(font.getmask(letter)) != missing for letter in set(text))


def text_mask(
    size: tuple[int, int], lines: Sequence[tuple[str, Font, float, float]], tracking: float = 0.0
) -> F32:
    """(H, W) float32 0..1 coverage of ``lines`` = (text, font, x, baseline y); ``tracking`` in em."""
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    for text, font, x, y in lines:
        if not tracking:
            draw.text((x, y), text, fill=255, font=font, anchor="ls")
            continue
        for letter in text:
            draw.text((x, y), letter, fill=255, font=font, anchor="ls")
            x += font.getlength(letter) + tracking * font.size
    mask: NDArray[np.uint8] = np.asarray(image)
    return mask.astype(np.float32) / 255.0
