# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the real part back into a take that lost or bent it, in the take's own look.

The render says where the part is (matte, depth, pose); the good frames of the same take say how it looks there.
Each pixel of the part is followed to where the same point of the surface was seen in good frames; its paint is
brought from there, with the change of light between the two that the learned look predicts. The outline, drawn
partly outside the matte, is brought along the same way. Where no good frame saw the point, the look alone paints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..pipeline.pictures import F32, U8
from .clean import Good, clean_plate
from .look import Look, learn
from .plates import Mask, Plate, box_around, cropped, filled, sample, signed_distance, visible, way

INK_PX = 2.5
"""How far from the matte's edge a look may draw the part's outline, in px at 640 wide."""
RING_PX = 8.0
"""How far outside the matte the result blends into the take, in px at 640 wide."""
_EDGE_SLACK_PX = 1.0


@dataclass(frozen=True)
class Restored:
    """``picture`` (H, W, 3) uint8; ``seen``: part of the part's pixels that a good frame showed, 0..1."""

    picture: U8
    seen: float


@dataclass(frozen=True)
class Ink:
    """The part's outline across its edge: coverage 0..1 for each of ``at`` px (inside positive), one colour."""

    at: F32
    amount: F32
    colour: F32

    def over(self, edge: F32) -> F32:
        """(H, W) coverage of the line for a signed distance (H, W)."""
        return np.interp(edge, self.at, self.amount, left=0.0, right=0.0).astype(np.float32)


@dataclass(frozen=True)
class Restorer:
    """What a take's good frames say about one part."""

    goods: tuple[Good, ...]
    look: Look
    ink: Ink
    scale: float

    @classmethod
    def learn(cls, plates: Sequence[Plate]) -> "Restorer | None":
        """From good frames that show the part; None if there are none."""
        plates = [plate for plate in plates if plate.solid.any()]
        scale = plates[0].size[1] / 640 if plates else 1.0
        look = learn(plates, INK_PX * scale) if plates else None
        if look is None:
            return None
        goods = tuple(_good(plate, look, scale) for plate in plates)
        return cls(goods, look, _ink_profile(goods, scale), scale)

    def restore(self, plate: Plate) -> Restored:
        """The frame of ``plate`` with the part put back; unchanged where the part is not to be seen."""
        if not plate.solid.any():
            return Restored(_u8(plate.take), 1.0)
        box = box_around(plate.matte > 0, round(3 * RING_PX * self.scale))
        picture = plate.take.copy()
        picture[box], seen = self._restored(cropped(plate, box))
        return Restored(_u8(picture), seen)

    def _restored(self, plate: Plate) -> tuple[F32, float]:
        """The restored picture (H, W, 3) of a plate that was cropped to the part, and how much of it was seen."""
        edge, take = signed_distance(plate.matte), plate.take
        plate = replace(plate, take=clean_plate(plate, self.goods, edge, self.reach))
        styled = self._styled(plate, edge > -RING_PX * self.scale)
        total, weight = np.zeros_like(take), np.zeros(plate.size, np.float32)
        for good in self.goods:
            colour, valid = self._brought(plate, good, edge, styled)
            trust = valid / float(max(abs(good.plate.frame - plate.frame), 1)) ** 3
            total += colour * trust[..., None]
            weight += trust
        painted = self._painted(plate, edge, styled)
        known = _soft(weight > 0, self.scale)[..., None]
        colour = np.where(weight[..., None] > 0, total / np.maximum(weight, 1e-9)[..., None], painted)
        colour = painted + (colour - painted) * known
        inner, outer = -INK_PX * self.scale, -RING_PX * self.scale
        blend = np.clip((edge - outer) / (inner - outer), 0, 1)[..., None]
        seen = float((weight > 0)[plate.solid].mean())
        return np.asarray(take + (colour - take) * blend, np.float32), seen

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

    def _styled(self, plate: Plate, region: Mask) -> F32:
        """The look's idea of the part in ``plate``, grown over ``region``, smoothed within the part."""
        return _grown(self.look.predict(plate, plate.solid), plate.solid, region, self.scale)

    def _brought(self, plate: Plate, good: Good, edge: F32, styled: F32) -> tuple[F32, F32]:
        """Colours (H, W, 3) brought from one good frame, and (H, W) 0/1 where that frame can be trusted."""
        path = way(plate, good.plate, plate.own)
        edge_there = sample(good.edge, path)
        cover = plate.matte[..., None]
        take, behind = sample(good.plate.take, path), sample(good.behind, path)
        line = self.ink.over(edge)[..., None]
        through = (1 - cover) * (1 - line)
        light = np.clip(styled - sample(good.styled, path), -64, 64)
        colour = take + through * (plate.take - behind) + cover * (1 - line) * light
        low, high = np.minimum(plate.take, self.ink.colour), np.maximum(plate.take, self.ink.colour)
        outside = (edge < -0.5)[..., None]  # there, nothing but what is behind and the outline can be
        colour = np.where(outside, np.clip(colour, low, high), colour)
        near = np.minimum(np.abs(edge), np.abs(edge_there)) < self.reach
        steady = np.abs(edge - edge_there) < _EDGE_SLACK_PX * self.scale
        shown = visible(plate, good.plate, path, plate.own) | ~plate.solid | (np.abs(edge) < 1.0)
        valid = np.where(near, steady, edge_there * edge > 0) & shown
        return np.asarray(colour, np.float32), valid.astype(np.float32)

    def _painted(self, plate: Plate, edge: F32, styled: F32) -> F32:
        """The part as the look alone would paint it, with its outline."""
        colour = plate.take + (styled - plate.take) * plate.matte[..., None]
        colour = colour + (self.ink.colour - colour) * self.ink.over(edge)[..., None]
        return np.asarray(colour, np.float32)


def _good(plate: Plate, look: Look, scale: float) -> Good:
    edge = signed_distance(plate.matte)
    region = edge > -RING_PX * scale
    behind = filled(plate.take, edge < -(INK_PX + 1) * scale)
    return Good(plate, edge, behind, _grown(look.predict(plate, plate.solid), plate.solid, region, scale))


def _grown(picture: F32, solid: Mask, region: Mask, scale: float) -> F32:
    """``picture``, known on ``solid``, smoothed there and carried on over ``region``."""
    sigma = 1.5 * scale
    weight = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), sigma)
    smooth = cv2.GaussianBlur(picture * solid[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
    return np.where(region[..., None], filled(smooth, solid), 0).astype(np.float32)


def _ink_profile(goods: Sequence[Good], scale: float) -> Ink:
    """How much the outline covers at each distance from the edge, from the good frames."""
    reach = (INK_PX + 0.5) * scale
    edges, takes, bases = [], [], []
    for good in goods:
        band = np.abs(good.edge) < reach
        cover = np.clip(good.edge[band] + 0.5, 0, 1)[:, None]
        edges.append(good.edge[band])
        takes.append(good.plate.take[band])
        bases.append(good.behind[band] * (1 - cover) + good.styled[band] * cover)
    edge, take, base = np.concatenate(edges), np.concatenate(takes), np.concatenate(bases)
    core = np.abs(edge) < 0.8 * scale
    away = np.linalg.norm(take - base, axis=1)
    strongest = core & (away >= np.percentile(away[core], 80)) if core.any() else core
    colour = np.median(take[strongest], 0) if strongest.any() else np.zeros(3, np.float32)
    span = colour - base
    amount = np.clip((span * (take - base)).sum(1) / np.maximum((span**2).sum(1), 1.0), 0, 1)
    at = np.arange(-reach, reach + 0.25, 0.5 * scale)
    bins = [amount[np.abs(edge - centre) < 0.35 * scale] for centre in at]
    mean = np.array([float(values.mean()) if len(values) else 0.0 for values in bins])
    mean = np.clip(mean - 0.5 * (mean[0] + mean[-1]), 0, 1)
    return Ink(at.astype(np.float32), mean.astype(np.float32), colour.astype(np.float32))


def _soft(mask: Mask, scale: float) -> F32:
    """0..1: ``mask`` with a soft inner edge, 0 outside."""
    soft = np.clip(2 * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2 * scale) - 1, 0, 1)
    return np.asarray(soft * mask, np.float32)


def _u8(picture: F32) -> U8:
    return np.asarray(np.rint(np.clip(picture, 0, 255)), np.uint8)
