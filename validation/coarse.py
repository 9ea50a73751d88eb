# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the whole picture cropped or shifted by more than edges can be followed? Guesses from small pictures."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import F32
from .register import Fit, from_centres

F64 = NDArray[np.float64]
SCALES = np.arange(0.80, 1.26, 0.025)
COARSE_GAIN = 1.03
"""Likeness over that of the picture as it is from which a crop or shift is followed up."""
FARTHEST, MIDDLE = 0.1, 2.0
"""Share of the picture's width and height, and cells, by which its middle is looked for at most."""


def coarse_fits(renders: Sequence[F32], takes: Sequence[F32]) -> list[Fit]:
    """Crops and shifts of a whole picture, to about a cell, from edges (h, w, 3) of frames of the shot and of the take:
    those by which their means are most alike, about the middle and anywhere; none if the picture as it is does as well.
    A mean over time hardly knows which frame is shown when. Guesses, which ``likeness`` at full detail must confirm."""
    render, take = _flatten(np.mean(renders, 0)), _flatten(np.mean(takes, 0))
    height, width = render.shape
    spectrum = np.fft.rfft2(take)
    down, right = (np.rint(np.fft.fftfreq(n, 1 / n)).astype(np.int64) for n in (height, width))
    share = np.maximum(np.abs(down)[:, None] / height, np.abs(right)[None] / width)
    cells = np.hypot(down[:, None], right[None])
    plain, best = 0.0, [(-np.inf, Fit()), (-np.inf, Fit())]
    for scale in [1.0, *(float(s) for s in SCALES if abs(s - 1) > 0.01)]:
        like = _likeness(render, spectrum, (scale, scale))
        if scale == 1.0:
            plain = float(like[cells <= 1.5].max())
        for turn, near in enumerate((cells <= MIDDLE, share <= FARTHEST)):
            held = np.where(near, like, -np.inf)
            row, col = np.unravel_index(int(held.argmax()), held.shape)
            if held[row, col] > best[turn][0]:
                shift = float(right[col]) / width, float(down[row]) / height
                best[turn] = float(held[row, col]), Fit((scale, scale), shift)
    return list(dict.fromkeys(fit for worth, fit in best if worth > plain * COARSE_GAIN and not fit.plain))


def _flatten(edges: F32) -> F32:
    return np.asarray(edges.sum(-1) - cv2.blur(edges.sum(-1), (15, 15)), np.float32)


def _likeness(render: F32, spectrum: NDArray[np.complex128], scale: tuple[float, float]) -> F64:
    size = render.shape[1], render.shape[0]
    moved = cv2.warpAffine(render, from_centres(Fit(scale).matrix(size, size)), size)
    power = float(np.sqrt((moved**2).sum())) + 1e-6
    return np.asarray(
        np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(moved)), s=render.shape) / power, np.float64
    )
