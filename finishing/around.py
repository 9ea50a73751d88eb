# SPDX-License-Identifier: GPL-3.0-or-later
"""The look of a part that no good frame shows, taken from everything around it: the other parts and the ground.

The last resort, for the protected composite: colours follow an affine map from render to take that is held near to
"as rendered" where the surroundings say little, the outline is that of the other parts, the texture clings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .clean import Good
from .grain import NONE, Grain, bands, colour_of, spread
from .ink import INK_PX, Ink, ink_profile
from .plates import Mask, Plate
from .restore import Restorer, good_of

_HOLD = 0.02
"""How strongly the map is held at the identity, as a share of the samples."""
_SAMPLES = 6000
_LEAST = 300


@dataclass(frozen=True)
class Around:
    """``matrix`` (7, 3): Lab of the take from (1, L, a, b, normal) of the render."""

    matrix: F32

    def predict(self, plate: Plate, where: Mask) -> F32:
        """(H, W, 3) float32 colour 0..255 at ``where`` (H, W) bool, 0 elsewhere."""
        result = np.zeros((*plate.size, 3), np.float32)
        if where.any():
            lab = _features(plate, where) @ self.matrix
            rgb = cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
            result[where] = np.clip(rgb, 0, 1) * 255
        return result


def restorer_around(plates: Sequence[Plate]) -> Restorer | None:
    """What puts a part back by what surrounds it in ``plates``; None if the part is in none of them."""
    plates = [plate for plate in plates if plate.solid.any()]
    if not plates:
        return None
    look, scale = learn_around(plates), plates[0].scale
    others = [good for plate in plates for good in _others(plate, look, scale)]
    ink = ink_profile(others, scale) if others else Ink.none()
    return Restorer((), look, ink, scale, 1.0, grain=_texture(others, scale))


def _others(plate: Plate, look: "Around", scale: float) -> list[Good]:
    """The other parts of a frame as if they were the one, the largest two."""
    counts = {
        int(own): int((plate.ids == own).sum()) for own in np.unique(plate.ids) if own not in (0, plate.own)
    }
    found = []
    for own in sorted((own for own in counts if counts[own] > _LEAST), key=lambda own: -counts[own])[:2]:
        matte = cv2.GaussianBlur((plate.ids == own).astype(np.float32), (0, 0), 0.6)
        found.append(good_of(replace(plate, own=own, matte=matte), look, scale))
    return found


def _texture(others: Sequence[Good], scale: float) -> Grain:
    """The texture of the other parts, for the one that nothing shows."""
    inner = [good.edge > (INK_PX + 1) * scale for good in others]
    if sum(int(where.sum()) for where in inner) < _LEAST:
        return NONE
    split = [list(zip(bands(good.plate.take), bands(good.styled), strict=True)) for good in others]
    levels = []
    for index in range(len(split[0])):
        parts = [(one[index][0] - one[index][1])[where] for one, where in zip(split, inner, strict=True)]
        levels.append(spread(np.concatenate(parts)))
    fine = np.concatenate([one[0][0][where] for one, where in zip(split, inner, strict=True)])
    return replace(NONE, texture=np.array(levels, np.float32), mix=colour_of(fine))


def learn_around(plates: Sequence[Plate]) -> Around:
    """From what is not the part in frames of the take."""
    render, taken = [], []
    for plate in plates:
        where = (plate.ids != plate.own) & (plate.matte <= 0) & (plate.depth > 0)
        chosen = np.zeros(where.size, bool)
        chosen[np.flatnonzero(where)[:: max(int(where.sum()) // _SAMPLES, 1)]] = True
        chosen = chosen.reshape(where.shape)
        weight = np.where(plate.ids[chosen] > 0, 3.0, 1.0)[
            :, None
        ]  # parts tell more of a part than the ground
        render.append(_features(plate, chosen) * weight)
        taken.append(_lab(plate.take[chosen]) * weight)
    x, y = np.concatenate(render).astype(np.float64), np.concatenate(taken).astype(np.float64)
    held = np.zeros((7, 3))
    held[1:4] = np.eye(3)
    ridge = _HOLD * len(x) * np.diag([1e-3, 30.0, 60.0, 60.0, 30.0, 30.0, 30.0])
    matrix = np.linalg.solve(x.T @ x + ridge, x.T @ y + ridge @ held)
    return Around(matrix.astype(np.float32))


def _features(plate: Plate, where: Mask) -> F32:
    one = np.ones((int(where.sum()), 1), np.float32)
    return np.hstack([one, _lab(plate.beauty[where]), plate.normal[where] * 10]).astype(np.float32)


def _lab(rgb: F32) -> F32:
    """(N, 3) Lab of (N, 3) RGB 0..255."""
    return np.asarray(cv2.cvtColor((rgb / 255)[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0], np.float32)
