# SPDX-License-Identifier: GPL-3.0-or-later
"""A second copy of a part: the part's picture in the take is looked for where no such part is (notes M12)."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .anchors import Region
from .plates import Plate

SCALES = (0.25, 0.5)
LARGE_PX = 44
"""Parts larger than this (px of a picture 640 wide) are looked for at the first scale, others at the second."""
LEAST_PX = 80.0
LEAST_SPREAD = 3.0
MOST_COVERED = 0.4
ODD = 0.2
"""Below this likeness the render need not be asked."""


class Scout:
    """Looks for copies in one frame; the reduced pictures are shared by all parts."""

    def __init__(self, plate: Plate) -> None:
        self._plate = plate
        self._small: dict[float, tuple[F32, F32, F32]] = {}

    def look_for(self, part_id: int, box: Region) -> tuple[float, tuple[float, float]]:
        """(score, centre): best masked correlation of the part elsewhere in the take less the render's own, -1..1, and
        where (x, y in shares of the picture). NaN for a part that is too small or has no contrast of its own."""
        none = float("nan"), (0.0, 0.0)
        plate = self._plate
        mask = (plate.ids[box.cut] == part_id).astype(np.float32)
        if mask.sum() < LEAST_PX * plate.unit**2:
            return none
        scale = SCALES[0] if max(mask.shape) > LARGE_PX * plate.unit else SCALES[1]
        take, render, others = self._pictures(scale / max(plate.unit, 1e-6))
        height, width = others.shape
        factor = width / plate.ids.shape[1]
        x0, y0 = round(box.x0 * factor), round(box.y0 * factor)
        size = max(2, round(mask.shape[1] * factor)), max(2, round(mask.shape[0] * factor))
        stencil = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0.3).astype(np.uint8)
        stencil = cv2.dilate(stencil, np.ones((3, 3), np.uint8))[: height - y0, : width - x0]
        ys, xs = np.flatnonzero(stencil.any(1)), np.flatnonzero(stencil.any(0))
        stencil = np.ascontiguousarray(stencil[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1])
        y0, x0 = y0 + int(ys[0]), x0 + int(xs[0])
        if stencil.shape[0] * 2 > height or stencil.shape[1] * 2 > width or stencil.sum() < 12:
            return none
        away = _away((y0, x0), stencil.shape, others.shape) & _free(others, stencil)
        found = _match(take, (y0, x0), stencil, away)
        if found is None:
            return none
        own = _match(render, (y0, x0), stencil, away) if found.max() > ODD else None
        y, x = np.unravel_index(int(found.argmax()), found.shape)
        centre = ((x + stencil.shape[1] / 2) / width, (y + stencil.shape[0] / 2) / height)
        return float(found[y, x] - max(0.0, own.max() if own is not None else 0.0)), (
            float(centre[0]),
            float(centre[1]),
        )

    def _pictures(self, scale: float) -> tuple[F32, F32, F32]:
        """Take and render (h, w, 3) Lab and (h, w) share of parts, at ``scale`` of the working size."""
        if scale not in self._small:
            plate = self._plate
            size = tuple(max(16, round(n * scale)) for n in plate.ids.shape[1::-1])
            parts = (plate.ids > 0).astype(np.float32)
            self._small[scale] = tuple(  # type: ignore[assignment]
                np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
                for picture in (plate.take_lab, plate.beauty_lab, parts)
            )
        return self._small[scale]


def _away(corner: tuple[int, int], shape: tuple[int, ...], picture: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where the template's corner may lie: at least half of the template away from the part itself."""
    dy = np.abs(np.arange(picture[0] - shape[0] + 1) - corner[0])[:, None] > 0.6 * shape[0]
    dx = np.abs(np.arange(picture[1] - shape[1] + 1) - corner[1])[None, :] > 0.6 * shape[1]
    return np.asarray(dy | dx)


def _free(others: F32, stencil: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the template would lie mostly off every part: parts of one material look alike."""
    covered = cv2.matchTemplate(others, stencil.astype(np.float32), cv2.TM_CCORR) / max(1, int(stencil.sum()))
    return np.asarray(covered < MOST_COVERED)


def _match(
    image: F32, corner: tuple[int, int], stencil: NDArray[np.uint8], away: NDArray[np.bool_]
) -> F32 | None:
    box = slice(corner[0], corner[0] + stencil.shape[0]), slice(corner[1], corner[1] + stencil.shape[1])
    spread = image[box][stencil > 0].std(0)
    if spread.max() < LEAST_SPREAD:
        return None
    plane = np.ascontiguousarray(image[..., int(spread.argmax())])  # L, a or b: whichever tells the part best
    template, mask = np.ascontiguousarray(plane[box]), stencil.astype(np.float32)
    score = cv2.matchTemplate(plane, template, cv2.TM_CCOEFF_NORMED, mask=mask)
    score = np.nan_to_num(np.asarray(score, np.float32), nan=-1, posinf=-1, neginf=-1)
    return np.where(away & (np.abs(score) <= 1.001), score, -1).astype(np.float32)
