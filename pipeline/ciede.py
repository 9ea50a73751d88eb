# SPDX-License-Identifier: GPL-3.0-or-later
"""How different two colours look: CIEDE2000, for all who compare colours."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def ciede2000(a: F64, b: F64) -> F64:
    """(N,) colour difference of (N, 3) Lab colours (Sharma, Wu and Dalal 2005)."""
    chroma = (np.hypot(a[:, 1], a[:, 2]) + np.hypot(b[:, 1], b[:, 2])) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    (c1, h1), (c2, h2) = (_polar(stretch * lab[:, 1], lab[:, 2]) for lab in (a, b))
    apart = (h2 - h1 + np.pi) % (2 * np.pi) - np.pi
    grey = c1 * c2 == 0
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.where(grey, 0, apart) / 2)
    hue = np.where(grey, h1 + h2, h1 + apart / 2)
    light, chroma = (a[:, 0] + b[:, 0]) / 2, (c1 + c2) / 2
    d_light, d_chroma = b[:, 0] - a[:, 0], c2 - c1
    weight = (
        1 - 0.17 * np.cos(hue - np.pi / 6) + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6)) - 0.20 * np.cos(4 * hue - np.radians(63))
    )  # fmt: skip
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    degrees = np.degrees(hue) % 360
    turn = np.radians(60) * np.exp(-(((degrees - 275) / 25) ** 2))
    mixed = -np.sin(turn) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    x, y, z = d_light / s_light, d_chroma / s_chroma, d_hue / s_hue
    return np.asarray(np.sqrt(np.maximum(x * x + y * y + z * z + mixed * y * z, 0)))


def _polar(a: F64, b: F64) -> tuple[F64, F64]:
    return np.hypot(a, b), np.arctan2(b, a) % (2 * np.pi)
