# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the real part back into a take that lost or bent it, in the take's own look.

The render says where the part is (matte, depth, pose); the good frames of the same take say how it looks there.
Each pixel of the part is followed to where the same point of the surface was seen in good frames; its paint is
brought from there, with the change of light between the two that the learned look predicts and the exposure of the
frame itself. The outline, drawn partly outside the matte, is brought along the same way. Where no good frame saw the
point, the look alone paints. Grain and sharpness are brought back to the take's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np

from ..pipeline.pictures import F32, U8
from .clean import AROUND_PX, Good, clean_plate
from .contact_shadow import follows
from .grain import NONE, Grain, measure
from .ink import INK_PX, Ink, ink_profile
from .light import Light, learn_light, turn_of
from .look import learn
from .plates import (
    Mask,
    Plate,
    Way,
    box_around,
    cropped,
    filled,
    sample,
    signed_distance,
    to_other_parts,
    visible,
    way,
)
from .tone import softened

RING_PX = 8.0
"""How far outside the matte the result blends into the take, in px at 640 wide."""
_EDGE_SLACK_PX = 0.45
_EVEN_PX = 1.2


@dataclass(frozen=True)
class Restored:
    """``picture`` (H, W, 3) uint8; ``seen``: part of the part's pixels that a good frame showed, 0..1."""

    picture: U8
    seen: float


@dataclass(frozen=True)
class Paint:
    """The part on a clean plate (``colour``, before grain), that plate alone and the take ``rid`` of what strayed, all
    (H, W, 3); ``frames`` (H, W) how many good frames each pixel was averaged from, 0 where the look alone paints."""

    colour: F32
    clean: F32
    rid: F32
    frames: F32


class Painter(Protocol):
    """A look: what it would paint."""

    def predict(self, plate: Plate, where: Mask) -> F32:
        """(H, W, 3) float32 styled colour 0..255 at ``where`` (H, W) bool, 0 elsewhere."""


@dataclass(frozen=True)
class Restorer:
    """What a take's good frames say about one part."""

    goods: tuple[Good, ...]
    look: Painter
    ink: Ink
    scale: float
    follow: float
    light: Light | None = None
    grain: Grain = NONE

    @classmethod
    def learn(cls, plates: Sequence[Plate]) -> "Restorer | None":
        """From good frames that show the part; None if there are none."""
        plates = [plate for plate in plates if plate.solid.any()]
        look = learn(plates, INK_PX * plates[0].scale) if plates else None
        if look is None:
            return None
        scale = plates[0].scale
        light = learn_light(plates, look, (INK_PX + 1) * scale)
        goods = tuple(good_of(plate, look, scale, light) for plate in plates)
        follow = follows(goods, (INK_PX + 1) * scale)
        made = cls(goods, look, ink_profile(goods, scale), scale, follow, light)
        return replace(made, grain=made._grain())

    def restore(self, plate: Plate) -> Restored:
        """The frame of ``plate`` with the part put back; unchanged where the part is not to be seen."""
        if not plate.solid.any():
            return Restored(_u8(plate.take), 1.0)
        box = self.box(plate)
        picture = plate.take.copy()
        small = cropped(plate, box)
        edge = signed_distance(small.matte)
        paint = self.paint(small, edge)
        picture[box] = self.blended(small, edge, paint)
        return Restored(_u8(picture), float((paint.frames > 0)[small.solid].mean()))

    def box(self, plate: Plate) -> tuple[slice, slice]:
        """Rows and columns that restoring ``plate`` needs and may change."""
        return box_around(plate.matte > 0, round((AROUND_PX + 10) * self.scale))

    def blended(self, plate: Plate, edge: F32, paint: Paint) -> F32:
        """The take of a cropped plate with the paint over it: all of it inside, fading out over the ring."""
        inner, outer = -INK_PX * self.scale, -RING_PX * self.scale
        blend = np.clip((edge - outer) / (inner - outer), 0, 1)
        colour = self.grain.onto(paint.colour, plate, paint.frames)
        return np.asarray(paint.rid + (colour - paint.rid) * blend[..., None], np.float32)

    def paint(self, plate: Plate, edge: F32) -> Paint:
        """The part as it should be in a plate that was cropped to it."""
        clean = clean_plate(plate, self.goods, edge, self.reach, self.follow)
        plate = replace(plate, take=clean.picture)
        styled = self._styled(plate, edge > -RING_PX * self.scale)
        lit, others = _lit(plate, self.light), to_other_parts(plate)
        total, weight = np.zeros_like(plate.take), np.zeros(plate.size, np.float32)
        squares = np.zeros_like(weight)
        for side in (-1, 1):
            beside = [good for good in self.goods if (good.plate.frame - plate.frame) * side > 0]
            free = np.ones(plate.size, np.float32)
            for good in sorted(beside, key=lambda each: abs(each.plate.frame - plate.frame)):
                colour, valid = self._brought(plate, good, edge, lit, others, styled)
                share = (
                    valid * free / abs(good.plate.frame - plate.frame)
                )  # over the span, one side fades into the other
                total += colour * share[..., None]
                weight += share
                squares += share**2
                free = free * (1 - valid)
                if free.max() <= 0:
                    break
        painted = self._painted(plate, edge, styled)
        nearest_good = max((abs(good.plate.frame - plate.frame) for good in self.goods), default=1)
        known = np.minimum(_soft(weight > 0, self.scale), np.clip(weight * nearest_good, 0, 1))
        colour = np.where(weight[..., None] > 0, total / np.maximum(weight, 1e-9)[..., None], painted)
        colour = painted + (colour - painted) * known[..., None]
        cover = np.maximum(plate.matte, self.ink.over(edge))[..., None]
        colour = colour * (1 + (clean.tone - 1) * cover)
        frames = np.where(weight > 0, weight**2 / np.maximum(squares, 1e-12), 0)
        return Paint(np.asarray(colour, np.float32), clean.picture, clean.rid, frames.astype(np.float32))

    def median(self, plate: Plate, edge: F32) -> tuple[F32, F32]:
        """The paint (H, W, 3) of the part in a cropped plate as the median of all good frames that show the point,
        in this frame's light, and (H, W) how many those are."""
        styled = self._styled(plate, edge > -RING_PX * self.scale)
        lit, others = _lit(plate, self.light), to_other_parts(plate)
        brought = [self._brought(plate, good, edge, lit, others, styled) for good in self.goods]
        shown = np.stack([valid > 0.5 for _, valid in brought])
        values = np.stack([np.where(valid[..., None] > 0.5, colour, np.inf) for colour, valid in brought])
        values.sort(0)
        count = shown.sum(0)
        low, high = (np.maximum(index, 0)[None, ..., None] for index in ((count - 1) // 2, count // 2))
        high = np.minimum(high, np.maximum(count - 1, 0)[None, ..., None])
        middle = (np.take_along_axis(values, low, 0) + np.take_along_axis(values, high, 0))[0] / 2
        colour = np.where(count[..., None] > 0, middle, plate.take)
        return np.asarray(colour, np.float32), count.astype(np.float32)

    @property
    def reach(self) -> float:
        """Pixels from the matte's edge within which the take may show the part's outline."""
        return (INK_PX + 1) * self.scale

    def check(self) -> float | None:
        """Mean absolute difference (code values 0..255) between a good frame's part and the same part made from
        the other good frames; None where there is only one. The proof that the method suits this look."""
        if len(self.goods) < 2:
            return None
        kept = self.goods[len(self.goods) // 2]
        others = replace(self, goods=tuple(good for good in self.goods if good is not kept))
        bare = replace(kept.plate, take=kept.behind)
        made = others.restore(bare).picture
        part = kept.plate.matte > 0.5
        return float(np.abs(made - kept.plate.take)[part].mean())

    def _grain(self) -> Grain:
        """From the two good frames that are nearest in time."""
        if len(self.goods) < 2:
            return NONE
        ordered = sorted(self.goods, key=lambda good: good.plate.frame)
        here, there = min(pairwise(ordered), key=lambda pair: pair[1].plate.frame - pair[0].plate.frame)
        box = self.box(here.plate)
        small = cropped(here.plate, box)
        brought, valid = self._brought(
            small, there, here.edge[box], here.lit[box], here.others[box], here.styled[box]
        )
        inner = (valid > 0.99) & (here.edge[box] > self.reach)
        return measure(small.take, brought, inner, here.styled[box])

    def _styled(self, plate: Plate, region: Mask) -> F32:
        """The look's idea of the part in ``plate``, grown over ``region``, smoothed within the part."""
        return _grown(self.look.predict(plate, plate.solid), plate.solid, region, self.scale)

    def _brought(
        self, plate: Plate, good: Good, edge: F32, lit: F32, others: F32, styled: F32
    ) -> tuple[F32, F32]:
        """Colours (H, W, 3) brought from one good frame, and (H, W) 0/1 where that frame can be trusted."""
        path = way(plate, good.plate, plate.own)
        edge_there = sample(good.edge, path)
        cover = plate.matte[..., None]
        take, behind = sample(good.plate.take, path), sample(good.behind, path)
        line = self.ink.over(edge)[..., None]
        through = (1 - cover) * (1 - line)
        light = self._relit(plate, good, path, lit, styled)
        colour = take + through * (plate.take - behind) + cover * (1 - line) * light
        low, high = np.minimum(plate.take, self.ink.colour), np.maximum(plate.take, self.ink.colour)
        outside = (edge < -0.5)[..., None]  # there, nothing but what is behind and the outline can be
        colour = np.where(outside, np.clip(colour, low, high), colour)
        near = np.minimum(np.abs(edge), np.abs(edge_there)) < self.reach
        steady = np.clip(2 - np.abs(edge - edge_there) / (_EDGE_SLACK_PX * self.scale), 0, 1)
        shown = visible(plate, good.plate, path, plate.own) | ~plate.solid | (np.abs(edge) < 1.0)
        others_there = sample(good.others, path)
        alike = (np.abs(others - others_there) < 1.5) | (np.minimum(others, others_there) > 2 * self.reach)
        valid = np.where(near, steady * alike, edge_there * edge > 0) * shown
        return np.asarray(colour, np.float32), np.where(near, _soft(valid, 2 * self.scale), valid).astype(
            np.float32
        )

    def _relit(self, plate: Plate, good: Good, path: Way, lit: F32, styled: F32) -> F32:
        """(H, W, 3) by how much a good frame's paint gets lighter here: as changes between good frames tell; where
        the surface turned farther than in any of those, as the look tells."""
        change = lit - sample(good.lit, path)
        if self.light is None or not plate.solid.any():
            return np.asarray(np.clip(change, -64, 64), np.float32)
        even = _EVEN_PX * self.scale  # creases turn in a pixel, their light doesn't
        change = np.clip(softened(change, plate.solid, even), -64, 64)
        turn = turn_of(plate.normal - sample(good.plate.normal, path)) * plate.solid
        far = self.light.beyond(cv2.GaussianBlur(turn, (0, 0), even))[..., None]
        return np.asarray(change + (styled - sample(good.styled, path) - change) * far, np.float32)

    def _painted(self, plate: Plate, edge: F32, styled: F32) -> F32:
        """The part as the look alone would paint it, with its outline."""
        colour = plate.take + (styled - plate.take) * plate.matte[..., None]
        colour = colour + (self.ink.colour - colour) * self.ink.over(edge)[..., None]
        return np.asarray(colour, np.float32)


def good_of(plate: Plate, look: Painter, scale: float, light: Light | None = None) -> Good:
    """A good frame with what is derived from it."""
    edge = signed_distance(plate.matte)
    region = edge > -RING_PX * scale
    behind = filled(plate.take, edge < -(INK_PX + 1) * scale)
    styled = _grown(look.predict(plate, plate.solid), plate.solid, region, scale)
    return Good(plate, edge, behind, styled, _lit(plate, light), to_other_parts(plate))


def _lit(plate: Plate, light: Light | None) -> F32:
    """(H, W, 3) the light's model at every pixel, carried on beyond the part."""
    if light is None:
        return np.zeros((*plate.size, 3), np.float32)
    return filled(light.predict(plate, plate.solid), plate.solid)


def _grown(picture: F32, solid: Mask, region: Mask, scale: float) -> F32:
    """``picture``, known on ``solid``, carried on over ``region``; its edges inside are kept, since flat tones have
    hard ones."""
    sigma = 0.4 * scale
    weight = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), sigma)
    smooth = cv2.GaussianBlur(picture * solid[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
    return np.where(region[..., None], filled(smooth, solid), 0).astype(np.float32)


def _soft(mask: Mask | F32, scale: float) -> F32:
    """0..1: ``mask`` with a soft inner edge, 0 outside; specks go."""
    soft = np.clip(2 * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2 * scale) - 1, 0, 1)
    return np.asarray(soft * mask, np.float32)


def _u8(picture: F32) -> U8:
    return np.asarray(np.rint(np.clip(picture, 0, 255)), np.uint8)
