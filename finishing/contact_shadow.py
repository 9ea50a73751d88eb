# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact shadow: what a part darkens where it touches, brought along when the ground is brought from other frames.

In those frames the part stood elsewhere, so its shadow lay elsewhere. The render knows both: the ratio of its light
at the same point of the ground in the two frames. How far the look follows the render's light (a wash does, a flat
cel does not) is learnt from the take's good frames.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np

from ..pipeline.pictures import F32
from .plates import FLOOR, LUMA, Mask, Plate, Way, sample, visible, way

_DARKEST, _LIGHTEST = 0.35, 2.5
_USUAL = 0.7
"""How far a look follows the light where its good frames don't tell."""
_WEIGHT = 1.5
"""How much evidence (sum of squared log ratios) counts as much as the usual."""


class Seen(Protocol):
    """A good frame: its plate, and ``edge`` (H, W) signed px from the part's edge."""

    @property
    def plate(self) -> Plate: ...
    @property
    def edge(self) -> F32: ...


def ratio(here: Plate, there: Plate, path: Way) -> F32:
    """(H, W) float32: the render's light here over that of the same surface in ``there``, without its grain."""
    there_light = np.maximum(sample(there.light, path), 1.0)
    return np.asarray(np.clip(here.light / there_light, _DARKEST, _LIGHTEST), np.float32)


def shaded(colour: F32, light: F32, follow: float) -> F32:
    """``colour`` (H, W, 3) 0..255 under a light that is ``light`` (H, W) times as strong."""
    return np.asarray(colour * (light**follow)[..., None], np.float32)


def follows(goods: Sequence[Seen], reach: float) -> float:
    """How far the take's look follows the render's light on the ground around the part: 0 not at all, 1 as it is.

    The slope of log light of the take over log light of the render between pairs of good frames, with a prior.
    """
    above, below = _USUAL * _WEIGHT, _WEIGHT
    pairs = [*pairwise(goods), *([(goods[0], goods[-1])] if len(goods) > 2 else [])]
    for one, other in pairs:
        here, there = one.plate, other.plate
        zone: Mask = (one.edge < -reach) & (one.edge > -6 * reach)
        for owner in (int(value) for value in np.unique(here.ids[zone]) if value != here.own):
            path = way(here, there, owner)
            known = zone & visible(here, there, path, owner) & (sample(other.edge, path) < -reach)
            render = np.log(ratio(here, there, path))[known]
            gain = _light(here.take, here.scale) / np.maximum(
                sample(_light(there.take, here.scale), path), 1.0
            )
            above += float((render * np.log(np.clip(gain, 0.2, 5))[known]).sum())
            below += float((render**2).sum())
    return float(np.clip(above / below, 0.0, 1.2))


def _light(picture: F32, scale: float) -> F32:
    return np.asarray(cv2.GaussianBlur(picture @ LUMA, (0, 0), 1.5 * scale) + FLOOR, np.float32)
