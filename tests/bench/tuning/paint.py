# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks are made of: skins of parts, anchored texture, lines, light. All depend on the passes alone.

Lengths in px are of a picture 1920 wide.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from .scenes import Passes, Scene
from .solids import F32

TEXTURE_M = 0.012
"""Metres a period of the parts' texture."""


@dataclass(frozen=True)
class Skin:
    """How a part's surface is drawn.

    ``offset`` metres by which the texture is moved in the part, ``boil`` (strength 0..1, salt) another texture mixed
    in, ``scrambled`` (share, seed) of the text's patches, ``kind`` noise or stripes.
    """

    colour: tuple[float, float, float]
    texture: float
    seed: int
    gloss: float = 0.1
    logo: bool = False
    glass: float = 0.0
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    boil: tuple[float, int] = (0.0, 0)
    scrambled: tuple[float, int] = (0.0, 0)
    kind: str = "noise"


@dataclass
class Canvas:
    """One cast to paint: ``unit`` samples in one px of a picture 1920 wide, ``skins[id - 1]``, frame ``index``."""

    scene: Scene
    passes: Passes
    skins: list[Skin]
    index: int

    @property
    def unit(self) -> float:
        return self.scene.size[0] / 1920 * self.passes.scale

    @cached_property
    def wall(self) -> NDArray[np.bool_]:
        return self.passes.ids == 0

    @cached_property
    def parts(self) -> list["Spot"]:
        """The parts that are there, by id."""
        ids, out = self.passes.ids, []
        for number in range(1, len(self.skins) + 1):
            mask = ids == number
            rows = np.flatnonzero(mask.any(1))
            if len(rows):
                columns = np.flatnonzero(mask.any(0))
                window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                inside = mask[window]
                out.append(
                    Spot(number, self.skins[number - 1], window, inside, self.passes.local[window][inside])
                )
        return out

    def rough(self, seed: int, scale: float) -> F32:
        """(h, w) noise of wall and floor, soft enough to be made at picture size."""
        return self.spread(noise(self.passes.room, seed, scale))

    def spread(self, field: F32) -> F32:
        """From picture size to that of the canvas."""
        h, w = self.passes.ids.shape
        return field if field.shape == (h, w) else cv2.resize(field, (w, h), interpolation=cv2.INTER_LINEAR)

    def tint(self, out: F32, factor: F32) -> None:
        """Multiplies the wall, in place, by ``factor`` (h, w)."""
        out *= np.where(self.wall, factor, np.float32(1))[..., None]


@dataclass(frozen=True)
class Spot:
    """One part in a canvas: its box, where in the box it is, and the (N, 3) points there."""

    number: int
    skin: Skin
    window: tuple[slice, slice]
    mask: NDArray[np.bool_]
    local: F32


def skins_of(scene: Scene) -> list[Skin]:
    return [
        Skin(p.colour, p.texture, scene.seed + 13 * i, p.gloss, p.logo, p.glass)
        for i, p in enumerate(scene.parts)
    ]


def noise(points: F32, seed: int, scale: float, stretch: tuple[float, float, float] = (1, 1, 1)) -> F32:
    """Band-limited 3D noise in about -1..1 at ``points`` (..., 3); ``scale`` in metres a period."""
    rng = np.random.default_rng(seed)
    total = np.zeros(points.shape[:-1], np.float32)
    for octave in range(9):
        k = rng.normal(size=3)
        k *= 1 / (scale * (0.5 + octave / 5)) / np.linalg.norm(k) * np.array(stretch)
        turns = points @ k.astype(np.float32) + np.float32(rng.uniform(0, 1))
        turns -= np.rint(turns)  # the sine of small angles is ten times as fast
        turns *= np.float32(2 * np.pi)
        total += np.sin(turns, out=turns)
    return total / 4.0


def grain(
    skin: Skin, local: F32, salt: int, scale: float, stretch: tuple[float, float, float] = (1, 1, 1)
) -> F32:
    """A part's own noise: moved and boiling as its skin says."""
    points = local + np.float32(skin.offset) if any(skin.offset) else local
    if skin.kind == "stripes":
        return np.sin(
            points[..., 0] * np.float32(2 * np.pi / 0.009) + 2 * noise(points, skin.seed, 0.03)
        ).astype(np.float32)
    strength, other = skin.boil
    out = noise(points, skin.seed + salt, scale, stretch)
    if strength:
        again = noise(points, skin.seed + salt + 7919 * (other + 1), scale, stretch)
        out = np.float32(np.sqrt(1 - strength**2)) * out + np.float32(strength) * again
    return out


@cache
def _sheet(share: float, seed: int) -> F32:
    """(128, 256) the text in 0..1, a share of its patches scrambled."""
    out = np.zeros((128, 256), np.float32)
    cv2.rectangle(out, (6, 6), (249, 121), 1.0, 3, cv2.LINE_AA)
    cv2.putText(out, "HOLDFAST", (17, 58), cv2.FONT_HERSHEY_DUPLEX, 1.4, 1.0, 4, cv2.LINE_AA)
    cv2.putText(out, "No. 24 - 19", (24, 102), cv2.FONT_HERSHEY_SIMPLEX, 0.95, 1.0, 2, cv2.LINE_AA)
    cv2.circle(out, (224, 94), 13, 1.0, -1, cv2.LINE_AA)
    if share:
        rng = np.random.default_rng(seed)
        spots = [(y, x) for y in range(16, 112, 32) for x in range(16, 240, 16)]
        chosen = [spots[i] for i in rng.permutation(len(spots))[: max(2, round(share * len(spots)))]]
        patches = [out[y : y + 32, x : x + 16].copy() for y, x in chosen]
        for (y, x), i in zip(chosen, np.roll(np.arange(len(chosen)), 1), strict=True):
            out[y : y + 32, x : x + 16] = patches[i][:: 1 if i % 3 else -1, :: -1 if i % 2 else 1]
    return cv2.GaussianBlur(out, (0, 0), 0.7)


def text(scene: Scene, spot: Spot) -> F32:
    """(N,) share of ink of the text on the part's -z face."""
    half = scene.parts[min(spot.number, len(scene.parts)) - 1].solids[0].size
    points = spot.local + np.float32(spot.skin.offset)
    x = (points[:, 0] / half[0] * 0.5 + 0.5) * 256 - 0.5
    y = (points[:, 1] / half[1] * 0.5 + 0.5) * 128 - 0.5
    ink = _remap(_sheet(*spot.skin.scrambled), x, y)
    return np.where(spot.local[:, 2] < -half[2] * 0.98, ink, 0).astype(np.float32)


def _remap(sheet: F32, x: F32, y: F32) -> F32:
    """cv2.remap of any number of points (it takes at most 32767 a side)."""
    n, wide = len(x), 1024
    rows = -(-n // wide) or 1
    maps = [np.zeros(rows * wide, np.float32) for _ in range(2)]
    maps[0][:n], maps[1][:n] = x, y
    found = cv2.remap(sheet, maps[0].reshape(rows, wide), maps[1].reshape(rows, wide), cv2.INTER_LINEAR)
    return found.ravel()[:n]


def albedo(canvas: Canvas, strength: float = 1.0, recolour=None, wall: bool = True) -> F32:
    """(h, w, 3) colours of everything; ``recolour`` maps a colour to another one."""
    scene, passes = canvas.scene, canvas.passes
    tone = recolour or (lambda colour: colour)
    out = np.empty((*passes.ids.shape, 3), np.float32)
    out[:] = tone(scene.wall)
    if wall and scene.wall_texture:
        rough = passes.once("wall", lambda: canvas.rough(scene.seed + 99, 0.09))
        canvas.tint(out, 1 + scene.wall_texture * rough)
    for spot in canvas.parts:
        skin, colour = spot.skin, np.float32(tone(spot.skin.colour))
        if skin.texture * strength:
            rough = passes.once((spot.number, skin), lambda s=spot: grain(s.skin, s.local, 0, TEXTURE_M))
            colour = colour * (1 + strength * skin.texture * rough)[:, None]
        if skin.logo:
            ink = text(scene, spot)[:, None]
            colour = colour * (1 - ink) + np.float32(tone((0.12, 0.14, 0.3))) * ink
        out[spot.window][spot.mask] = colour
    return out


def lambert(canvas: Canvas, light: tuple[float, float, float], ambient: float) -> F32:
    """(h, w, 1) light in ambient..1."""
    direction = np.asarray(light) / np.linalg.norm(light)
    lit = np.clip(-(canvas.passes.normal @ direction.astype(np.float32)), 0, 1)
    return (ambient + (1 - ambient) * lit)[..., None].astype(np.float32)


def shine(canvas: Canvas, light: tuple[float, float, float]) -> F32:
    """(h, w, 1) highlights of the parts by their gloss."""
    half = -(np.asarray(light) / np.linalg.norm(light) + np.array([0, 0, 1.0]))
    half /= np.linalg.norm(half)
    gloss = np.array([0.0] + [skin.gloss for skin in canvas.skins], np.float32)[canvas.passes.ids]
    near = np.clip(canvas.passes.normal @ half.astype(np.float32), 0, 1)
    near = near * near * near
    near *= near
    near *= near
    return (gloss * near * near)[..., None].astype(np.float32)


def edges(canvas: Canvas, px: float, creases: bool = True, number: int = 0) -> F32:
    """(h, w) 1 on lines ``px`` wide at id changes and creases; ``number`` names one part (0: all)."""
    passes = canvas.passes
    ids = passes.ids if not number else (passes.ids == number).astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    lines = cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)
    if creases:
        n = passes.normal
        for a, b, spot in ((n[1:], n[:-1], np.s_[1:]), (n[:, 1:], n[:, :-1], np.s_[:, 1:])):
            bent = a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2] < 0.8
            lines[spot] |= bent & (passes.ids[spot] > 0) & ((passes.ids[spot] == number) | (not number))
    side = max(1, round(px * canvas.unit) - 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(lines.astype(np.uint8), disk).astype(np.float32)
