# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour of every part by its number: the same in the viewport, the viewer, the list and on contact sheets.

The first seven are those of Okabe and Ito, which colour-blind people can tell apart. Each further one is the candidate
that differs most from all before it, for whichever of three eyes (all cones, no red cones, no green cones) it differs
least. Part 0 is no part.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pictures import F32
from .truth import F64

NOTHING = (13, 13, 15)
OKABE_ITO = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
"""Okabe and Ito 2008, Color Universal Design; without black, which is the background's."""
DISTINCT = 512
"""So many numbers have colours of their own; then they come round again."""
FEW = 32
"""Made at once; all of them take a tenth of a second, the first time that a shot has so many parts."""
_EYES = (
    np.eye(3),
    np.array(((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))),
    np.array(((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))),
)  # fmt: skip
"""What protanopes and deuteranopes see of linear sRGB: Machado, Oliveira and Fernandes 2009, severity 1."""
_TO_LMS = np.array(
    ((0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566), (0.0883024619, 0.2817188376, 0.6299787005))
)  # fmt: skip
_TO_LAB = np.array(
    ((0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099), (0.0259040371, 0.7827717662, -0.8086757660))
)  # fmt: skip
"""Oklab: Ottosson 2020."""
_STEPS = 14
_WEIGHTS = np.array(((0.6,), (1.0,), (1.0,)))
"""What two eyes in a hundred confuse weighs more."""


def colour_of(number: int) -> tuple[float, float, float]:
    """Display-referred sRGB in 0..1 of a part's number; `NOTHING` for 0."""
    red, green, blue = palette(number)[index_of(number)].tolist()
    return red, green, blue


def index_of(number: int) -> int:
    """The row of `palette` that a part's number has."""
    return (number - 1) % DISTINCT + 1 if number > 0 else 0


def coloured(ids: NDArray[Any]) -> F32:
    """(H, W, 3) float32 display colours of an id map (H, W)."""
    wide = ids.astype(np.int64)
    shown: F32 = palette(int(wide.max(initial=0)))[np.where(wide > 0, (wide - 1) % DISTINCT + 1, 0)]
    return shown


def palette(most: int = DISTINCT) -> F32:
    """(N + 1, 3) float32: display-referred sRGB of no part and of the numbers up to ``most``, or to `DISTINCT`."""
    return _made(FEW if most <= FEW else DISTINCT)


@lru_cache(maxsize=2)
def _made(count: int) -> F32:
    steps = np.linspace(0.0, 1.0, _STEPS)
    candidates = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    candidates = np.rint(candidates * 255.0) / 255.0
    lightness = oklab(candidates)[:, 0]
    candidates = candidates[(lightness > 0.38) & (lightness < 0.95)]
    seen = _seen(candidates)
    chosen = [tuple(channel / 255.0 for channel in colour) for colour in (NOTHING, *OKABE_ITO)]
    nearest = np.min([_differences(seen, _seen(np.array([colour]))) for colour in chosen], axis=0)
    while len(chosen) <= count:
        best = int(np.argmax(nearest))
        chosen.append(tuple(candidates[best]))
        nearest = np.minimum(nearest, _differences(seen, seen[:, best : best + 1]))
    return np.array(chosen, np.float32)


def _differences(seen: F64, colour: F64) -> F64:
    """(N,) how much a colour (3, 1, 3) differs from the candidates for the eye to which it differs least."""
    apart = np.sqrt(((seen - colour) ** 2).sum(2)) * _WEIGHTS
    return np.asarray(apart.min(axis=0))


def _seen(srgb: F64) -> F64:
    """(3, N, 3) what each of the eyes sees."""
    return np.stack([oklab(srgb, eye) for eye in _EYES])


def oklab(srgb: F64, eye: F64 = _EYES[0]) -> F64:
    """(N, 3) Oklab of (N, 3) sRGB in 0..1, as an eye with the matrix ``eye`` (in linear sRGB) sees it."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    cones = np.clip(linear @ eye.T, 0.0, 1.0) @ _TO_LMS.T
    return np.asarray(np.cbrt(cones) @ _TO_LAB.T)
