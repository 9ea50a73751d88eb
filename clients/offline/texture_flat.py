# SPDX-License-Identifier: GPL-3.0-or-later
"""Paints the textures of plates and blobs: coat everywhere, the drawn decor on front and back."""

import cv2
import numpy as np

from .decor import Decor
from .flat import Flat, Island
from .texture import F64, U8, Coat, Palette

BLEED = 6 / 1024


def paint_flat(flat: Flat, decor: Decor | None, colours: Palette, size: int, seed: int) -> U8:
    """(size, size, 3) uint8 sRGB texture."""
    coat = Coat(seed)
    u, v = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    mm = 1 / flat.islands[0].scale
    picture = np.array(colours.base) * coat.shade(u * mm / 60, v * mm / 60)[..., None]
    if decor is not None:
        for island in flat.islands:
            if island.side:
                _decorate(picture, island, decor, colours)
    return np.asarray(np.clip(picture[::-1], 0, 1) * 255 + 0.5, np.uint8)


def _decorate(picture: F64, island: Island, decor: Decor, colours: Palette) -> None:
    size, place = picture.shape[0], island.place
    x0, x1 = int(max(0, (place.u - BLEED) * size)), int(min(size, (place.u + place.width + BLEED) * size))
    y0, y1 = int(max(0, (place.v - BLEED) * size)), int(min(size, (place.v + place.height + BLEED) * size))
    u, v = np.meshgrid((np.arange(x0, x1) + 0.5) / size, (np.arange(y0, y1) + 0.5) / size)
    x, z = island.to_mm(u, v)
    lines, panes = (
        decor.at(decor.lines, x, z)[..., None],
        np.clip(2 * decor.at(decor.panes, x, z), 0, 1)[..., None],
    )
    part = picture[y0:y1, x0:x1]
    shade = part / np.array(colours.base).clip(0.02)
    part = part * (1 - panes) + np.array(colours.accent) * shade * panes
    halo = cv2.GaussianBlur(lines[..., 0], (0, 0), 5)[..., None]
    part = part * (1 - 0.16 * np.clip(halo, 0, 1))
    strength = 0.86 * np.clip(lines, 0, 1)
    picture[y0:y1, x0:x1] = part * (1 - strength) + np.array(colours.line) * strength
