# SPDX-License-Identifier: GPL-3.0-or-later
"""The fourteen looks. ``paint`` draws a canvas (any region alike), ``after`` works on whole finished pictures.

A look draws the same surface point alike over time, except where its docstring says otherwise.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .paint import Canvas, albedo, edges, grain, lambert, noise, shine
from .scenes import grid
from .solids import F32

U8 = NDArray[np.uint8]
LAMP = (0.5, 0.8, 0.9)
GOP = 12


def beauty(canvas: Canvas) -> F32:
    """The render: textured, one lamp."""
    return albedo(canvas) * lambert(canvas, LAMP, 0.35) + 0.6 * shine(canvas, LAMP)


def cel(canvas: Canvas) -> F32:
    """Three flat tones and lines, no texture at all."""
    tone = np.floor(lambert(canvas, (0.3, 0.8, 0.7), 0.1) * 3) / 3
    out = (0.3 + 0.7 * albedo(canvas, 0.0, wall=False)) * (0.5 + 0.5 * tone)
    out[canvas.wall] = (0.62, 0.72, 0.78)
    return out * (1 - 0.9 * edges(canvas, 3))[..., None]


def ink_wash(canvas: Canvas) -> F32:
    """Wash by normals, ink lines, grain anchored to the surfaces."""
    shade = 0.55 + 0.4 * lambert(canvas, (-0.4, 0.7, 0.8), 0.0)
    out = (0.35 + 0.65 * albedo(canvas, 0.0)) * shade
    out[canvas.wall] = (0.93, 0.9, 0.84)
    _grains(canvas, out, 7, 0.006, 0.05)
    return out * (1 - 0.8 * edges(canvas, 4.5))[..., None]


def clay(canvas: Canvas) -> F32:
    """One clay for everything, soft light, anchored thumb marks; text is pressed in."""
    hint = 0.75 + 0.25 * albedo(canvas, 0.0, wall=False).mean(-1, keepdims=True) / 0.55
    out = np.float32((0.72, 0.6, 0.52)) * lambert(canvas, (0.2, 0.9, 0.6), 0.3) * hint
    out[canvas.wall] *= np.float32((0.8, 0.85, 0.9))
    return _grains(canvas, out, 17, 0.01, 0.06)


def relight(canvas: Canvas) -> F32:
    """Another lamp that drifts over the shot, more contrast, warm to cold."""
    u = canvas.index / max(1, canvas.scene.frames - 1)
    out = albedo(canvas) * lambert(canvas, (-0.9 + 0.7 * u, 0.6, 0.6), 0.18) + shine(
        canvas, (-0.9 + 0.7 * u, 0.6, 0.6)
    )
    return out**1.2 * 1.35 * np.float32((1.08 - 0.1 * u, 1.0, 0.92 + 0.12 * u))


def recolour(canvas: Canvas) -> F32:
    """The palette swapped, the light as it was."""
    out = albedo(canvas, 1.0, lambda c: (0.9 * c[2] + 0.05, 0.85 * c[0] + 0.05, 0.9 * c[1] + 0.1))
    return out * lambert(canvas, LAMP, 0.35) + 0.6 * shine(canvas, LAMP)


def night(canvas: Canvas) -> F32:
    """Dark, blue, low contrast; ``after`` adds sensor noise."""
    return beauty(canvas) * np.float32((0.33, 0.38, 0.52))


def brush(canvas: Canvas) -> F32:
    """Heavy brush strokes anchored to the surfaces."""
    out = albedo(canvas, 0.6) * (0.35 + 0.65 * np.floor(lambert(canvas, LAMP, 0.2) * 5 + 0.5) / 5)
    _grains(canvas, out, 41, 0.02, 0.28, (0.5, 2.2, 0.8))
    return _grains(canvas, out, 43, 0.006, 0.1, (0.4, 3.0, 1.0))


def watercolour(canvas: Canvas) -> F32:
    """Pale washes with dark rims, pigment anchored; ``after`` lays paper fixed to the screen over it."""
    out = 0.45 + 0.55 * albedo(canvas, 0.5) * (0.55 + 0.45 * lambert(canvas, (0.1, 0.8, 0.8), 0.2))
    out[canvas.wall] = (0.95, 0.94, 0.9)
    _grains(canvas, out, 53, 0.03, 0.06)
    rim = cv2.GaussianBlur(edges(canvas, 3, creases=False), (0, 0), 2.0 * canvas.unit + 0.3)
    return out * (1 - 0.45 * np.minimum(1, 1.5 * rim) * (canvas.passes.ids > 0))[..., None]


def neon(canvas: Canvas) -> F32:
    """Dark, thick outlines that glow; they stand out 2 px over the part's own outline."""
    out = 0.16 * albedo(canvas, 0.6, wall=False) * lambert(canvas, LAMP, 0.3) + np.float32((0.02, 0.02, 0.05))
    for spot in canvas.parts:
        colour = np.float32(spot.skin.colour)
        colour = 0.25 + 0.85 * (colour - 0.6 * colour.min()) / (colour.max() - 0.6 * colour.min() + 1e-3)
        line = edges(canvas, 6, True, spot.number)
        glow = cv2.GaussianBlur(line, (0, 0), 5 * canvas.unit + 0.3)
        out += colour * np.maximum(line, 0.7 * glow)[..., None]
    return out


def natural(canvas: Canvas) -> F32:
    """What a good model does: invented wall, slightly boiling texture; ``after`` warps, blurs and drifts a little."""
    out = recolour(canvas) * np.float32((1.05, 1.0, 0.88))
    _invent(canvas, out, canvas.scene.seed + 31, 0.0)
    for spot in canvas.parts:
        out[spot.window][spot.mask] *= (1 + 0.02 * noise(spot.local, 900 + canvas.index, 0.01))[:, None]
    return out


def backdrop(canvas: Canvas) -> F32:
    """The parts as rendered before an invented background that also boils a little."""
    out = albedo(canvas) * lambert(canvas, (-0.5, 0.8, 0.9), 0.35)
    return _invent(canvas, out, canvas.scene.seed + 61, 0.35)


def _grains(canvas: Canvas, out: F32, salt: int, scale: float, depth: float, stretch=(1, 1, 1)) -> F32:
    """Multiplies anchored noise onto everything, in place; a plain part gets the look's grain too."""
    seed = canvas.scene.seed + salt
    canvas.tint(out, 1 + depth * canvas.rough(seed, 4 * scale))
    for spot in canvas.parts:
        out[spot.window][spot.mask] *= (1 + depth * grain(spot.skin, spot.local, salt, scale, stretch))[
            :, None
        ]
    return out


def _invent(canvas: Canvas, out: F32, seed: int, boil: float) -> F32:
    """Panels and blotches on the wall instead of what the render has there, in place."""
    room = canvas.passes.room
    field = noise(room, seed, 0.35)
    if boil:
        field = field + boil * noise(room, seed + 1000 + canvas.index, 0.2)
    panels = canvas.spread(0.42 + 0.14 * np.tanh(4 * field) + 0.05 * noise(room, seed + 1, 0.05))
    np.copyto(out, panels[..., None] * np.float32((0.9, 1.0, 1.1)), where=canvas.wall[..., None])
    return out


def _noise(look: str, picture: U8, index: int, seed: int) -> U8:
    """Sensor noise of 2 codes."""
    rng = np.random.default_rng([seed, index])
    return np.clip(picture + rng.normal(0, 2.0, picture.shape).astype(np.float32) + 0.5, 0, 255).astype(
        np.uint8
    )


def _paper(look: str, picture: U8, index: int, seed: int) -> U8:
    h, w = picture.shape[:2]
    rough = np.random.default_rng(seed).normal(0, 1, (h, w)).astype(np.float32)
    rough = cv2.GaussianBlur(rough, (0, 0), 0.5 + w / 1280) * (2 + w / 320)
    return np.clip(picture * (1 + 0.02 * rough[..., None]) + 0.5, 0, 255).astype(np.uint8)


def _soften(look: str, picture: U8, index: int, seed: int) -> U8:
    """Static warps of 1-3 px, a boil of half a px, exposure drift of 1.5 %, details lost."""
    h, w = picture.shape[:2]
    px = w / 1920
    fixed = np.random.default_rng(seed + 5).normal(0, 1, (4, 6, 2)).astype(np.float32)
    moving = np.random.default_rng([seed, 1000, index]).normal(0, 1, (5, 8, 2)).astype(np.float32)
    bend = 1.4 * np.clip(_wide(fixed, w, h), -2, 2) + 0.35 * _wide(moving, w, h)
    soft = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.3 + 0.9 * px)
    where = (grid((w, h)) - 0.5).astype(np.float32) + bend * px
    out = cv2.remap(soft, where, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.clip(out * (1 + 0.015 * np.sin(0.4 * index)) + 0.5, 0, 255).astype(np.uint8)


def _wide(field: F32, w: int, h: int) -> F32:
    return cv2.resize(field, (w, h), interpolation=cv2.INTER_CUBIC)


def _shake(look: str, picture: U8, index: int, seed: int) -> U8:
    """The whole picture moves by 1-2 px, another way every frame."""
    rng = np.random.default_rng([seed, 300, index])
    far, way = rng.uniform(1.0, 2.0) * picture.shape[1] / 1920, rng.uniform(0, 2 * np.pi)
    move = np.float32([[1, 0, far * np.cos(way)], [0, 1, far * np.sin(way)]])
    return cv2.warpAffine(
        picture, move, picture.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


@dataclass(frozen=True)
class Look:
    """``textured``: the parts' own texture shows (or anchored grain stands for it); ``gop``: frames coded together."""

    name: str
    paint: Callable[[Canvas], F32]
    after: Callable[[str, U8, int, int], U8] | None = None
    textured: bool = True
    coloured: bool = True
    gop: int = 0


LOOKS: dict[str, Look] = {
    look.name: look
    for look in (
        Look("beauty", beauty), Look("cel", cel, textured=False), Look("ink_wash", ink_wash), Look("clay", clay, coloured=False),
        Look("relight", relight), Look("recolour", recolour), Look("night", night, _noise), Look("brush", brush),
        Look("watercolour", watercolour, _paper), Look("neon", neon), Look("natural", natural, _soften),
        Look("squeezed", beauty, gop=GOP), Look("shaken", ink_wash, _shake), Look("backdrop", backdrop),
    )
}  # fmt: skip


def squeeze(pictures: list[U8]) -> list[U8]:
    """Through a real video codec (MPEG-4 part 2, low rate) and back; RGB. Falls back on JPEG where there is no codec."""
    h, w = pictures[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "clip.mp4")
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"mp4v"), 24, (w, h))
        for picture in pictures:
            writer.write(np.ascontiguousarray(picture[..., ::-1]))
        writer.release()
        reader, out = cv2.VideoCapture(path), []
        while (got := reader.read())[0]:
            out.append(np.ascontiguousarray(got[1][..., ::-1]))
        reader.release()
    if len(out) == len(pictures):
        return out
    coded = [cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 40])[1] for p in pictures]
    return [cv2.imdecode(c, cv2.IMREAD_COLOR) for c in coded]


def draw(look: Look, canvas: Canvas) -> F32:
    """(h / scale, w / scale, 3) float of a canvas at picture size; what is behind glass shows through it."""
    out = look.paint(canvas)
    behind = canvas.passes.behind
    if behind is not None:
        through = np.array([0.0] + [skin.glass for skin in canvas.skins], np.float32)[canvas.passes.ids][
            ..., None
        ]
        back = look.paint(Canvas(canvas.scene, behind, canvas.skins, canvas.index))
        tint = np.array([(1, 1, 1)] + [skin.colour for skin in canvas.skins], np.float32)[canvas.passes.ids]
        out = out * (1 - through) + back * through * (0.5 + 0.5 * tint)
    s = canvas.passes.scale
    size = (out.shape[1] // s, out.shape[0] // s)
    return out if s == 1 else cv2.resize(out, size, interpolation=cv2.INTER_AREA)
