# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture of one clip: a frame of the ground truth as a model's control wants it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.controls import Control
from ...pipeline.fitting import Fit
from ...pipeline.part_colours import coloured
from ...pipeline.pictures import F32, U8
from ...pipeline.truth import GroundTruth
from . import lines, surface
from .depth import Range, grey, inverse
from .resample import Resampler

DEPTH_STEP = 3 / 255
"""Share of the depth range above which a step between neighbours is never blended: three levels of grey."""
LINE_STEP = 0.04
"""Share of the depth range above which a step within one part is drawn as a line."""
BLEED = {"depth": None, "normals": None, "beauty": None, "ids": 0.0, "edges": 0.0}
"""What fills the padding by kind; None: the picture's own border, drawn out."""


@dataclass(frozen=True)
class Look:
    """What is the same for every frame of a clip. ``parts`` are those that a matte shows, ``change`` whether they are what
    the model shall change (else all the rest is)."""

    control: Control
    ends: Range
    parts: tuple[str, ...] = ()
    change: bool = True

    @property
    def inverted(self) -> bool:
        """Whether a matte is black on its parts."""
        return self.change != (self.control.white == "change")


class Frame:
    """The passes of one frame in the clip's geometry; what several clips need is read and found once."""

    def __init__(self, truth: GroundTruth, number: int, fit: Fit) -> None:
        self.truth, self.number, self.fit = truth, number, fit
        self.resampler = Resampler(fit)

    @cached_property
    def inverse(self) -> F32:
        """(H, W) 1/z of the source in 1/m, 0 where nothing is."""
        return inverse(self.truth.depth(self.number))

    @cached_property
    def ids(self) -> NDArray[Any]:
        """(H, W) ids of the source."""
        return self.truth.ids(self.number)

    @cached_property
    def normal(self) -> F32:
        """(H, W, 3) camera-space normals of the source."""
        return self.truth.normal(self.number)

    @cached_property
    def parting(self) -> surface.Pairs:
        """Pairs of source pixels of different parts."""
        return surface.borders(self.ids)

    def draw(self, look: Look) -> NDArray[Any]:
        """(H, W) grey or (H, W, 3) RGB of the clip, uint8 or uint16."""
        kind = look.control.kind
        if kind == "depth":
            return self._depth(look)
        if kind == "edges":
            return self._edges(look)
        if kind == "normals":
            return self._normals(look)
        if kind == "matte":
            return self._matte(look)
        if kind == "ids":
            return self.resampler.padded(part_colours(self.resampler.nearest(self.ids)), BLEED["ids"])
        picture = self.resampler.picture(self.truth.beauty(self.number))
        return self.resampler.padded(picture, BLEED["beauty"])

    def _depth(self, look: Look) -> NDArray[Any]:
        torn = surface.tears(self.inverse, DEPTH_STEP * look.ends.inverse_span)
        seen = self.resampler.surfaces(self.inverse, torn.pixels(), self.inverse)
        control = look.control
        return self.resampler.padded(
            grey(seen, look.ends, control.curve, control.white, control.bits), BLEED["depth"]
        )

    def _edges(self, look: Look) -> U8:
        torn = surface.tears(self.inverse, LINE_STEP * look.ends.inverse_span)
        folded = surface.folds(self.normal, torn | self.parting)
        edges = surface.tidied(surface.sharpest(torn, self.inverse) | folded | self.parting)
        sure = self.truth.sure(self.number) if self.truth.has("sure") else None
        place = lines.places(self.parting, sure, folded, self.inverse)
        drawn = lines.draw(lines.segments(edges, place), self.fit, look.control.line_px)
        return np.asarray(drawn if look.control.white == "line" else 255 - drawn)

    def _normals(self, look: Look) -> U8:
        torn = surface.tears(self.inverse, DEPTH_STEP * look.ends.inverse_span) | self.parting
        facing = self.normal.copy()
        facing[self.inverse == 0] = (0, 0, 1)
        seen = self.resampler.surfaces(self.inverse, torn.pixels(), facing)
        seen /= np.sqrt(np.maximum(np.einsum("ijk,ijk->ij", seen, seen), 1e-12))[..., None]
        if look.control.axes == "directx":
            seen[..., 1] *= -1
        colours = cv2.convertScaleAbs(seen, alpha=127.5, beta=127.5)
        return np.asarray(self.resampler.padded(colours, BLEED["normals"]))

    def _matte(self, look: Look) -> NDArray[Any]:
        cover = np.zeros(self._shape, np.float32)
        for part in look.parts:
            cover += self.truth.matte(part, self.number)
        seen = np.clip(self.resampler.smooth(cover), 0, 1)
        seen = 1 - seen if look.inverted else seen
        levels = 2**look.control.bits - 1
        keep = 0.0 if look.control.white == "change" else float(levels)
        stored = np.rint(seen * levels).astype(np.uint16 if look.control.bits == 16 else np.uint8)
        return self.resampler.padded(stored, keep)  # what is only padding is never to be changed

    @property
    def _shape(self) -> tuple[int, int]:
        """(H, W) of the source."""
        return self.truth.size[1], self.truth.size[0]


def part_colours(ids: NDArray[Any]) -> U8:
    """(H, W, 3) flat colours of ids, those of list, viewport and viewer; black for none."""
    return np.where((ids > 0)[..., None], np.rint(coloured(ids) * 255), 0).astype(np.uint8)
