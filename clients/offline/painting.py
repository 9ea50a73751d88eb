# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a frame's layers together in a look: surface, paint and ink for each, composited by coverage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import creases, decor, outline, smoothstep
from .layers import BACKGROUND, FrameLayers, FrameTruth, Layer
from .surface import BLOTCH, CLOUD, GRAIN, View, texture_tile, triplanar

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Surface:
    """What a look paints with, (h, w) each in 0..1: the lit sphere's ``tone``, ``gloss`` and ``rim`` at the
    pixel's normal, ``light`` of the beauty relative to the part's usual, and the clinging ``texture`` (h, w, 4)."""

    tone: F32
    gloss: F32
    rim: F32
    light: F32
    texture: F32


@dataclass(frozen=True)
class Shot:
    """What is the same in every frame of a take, so that any frame can be painted alone: per part its colour
    (display RGB 0..1), usual brightness and size in metres; the texture's scale; the artist's two amounts."""

    palette: Mapping[str, F32]
    bright: Mapping[str, float]
    extent_m: Mapping[str, float]
    metres_per_texel: float
    seed: int
    grain: float
    ink: float


@dataclass(frozen=True)
class Look:
    """A drawing style: how a part and the background are painted, and with which lines."""

    name: str
    label: str
    part: Callable[[Shot, Layer, Surface], F32]
    background: Callable[[Shot, Layer, Surface], F32]
    line_colour: tuple[float, float, float]
    outline_px: float
    inner_px: float
    shade_side: float
    pressure: float
    sphere: Callable[[F32, F32, F32], F32]


@lru_cache(maxsize=4)
def _tile(seed: int) -> F32:
    return texture_tile(seed)


@lru_cache(maxsize=8)
def _sphere(look: Look) -> F32:
    """(256, 256, 3) the lit sphere of a look: tone, gloss, rim for the normal (x, y) at each texel."""
    y, x = np.mgrid[1:-1:256j, -1:1:256j].astype(np.float32)
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, 1)).astype(np.float32)
    length = np.maximum(np.sqrt(x * x + y * y + z * z), 1e-6)
    return np.ascontiguousarray(look.sphere(x / length, y / length, z), np.float32)


def shot_of(samples: Sequence[FrameTruth], *, seed: int, grain: float, ink: float) -> Shot:
    """The shot's constants from a few of its frames, always the same few, whichever frames are painted."""
    first = samples[0]
    names = sorted(first.part_ids)
    palette: dict[str, F32] = {}
    bright: dict[str, float] = {}
    extent: dict[str, float] = {}
    for name in [BACKGROUND, *names]:
        colours = np.concatenate([s.beauty[s.ids == (s.part_ids[name] if name else 0)] for s in samples])
        if not len(colours):
            colours = np.full((1, 3), 0.5, np.float32)
        light = colours.mean(-1)
        upper = colours[light >= np.median(light)]
        palette[name] = np.asarray(np.median(upper, 0), np.float32)
        bright[name] = float(np.clip(np.percentile(light, 85), 0.1, 1))
        extent[name] = max((_extent(s, s.part_ids[name]) for s in samples), default=0.05) if name else 1.0
    depths = np.concatenate([s.depth[(s.ids > 0) & (s.depth > 0)] for s in samples])
    distance = float(np.median(depths)) if depths.size else 1.0
    texel = distance / float(first.K[0, 0]) * first.size[1] / 640
    return Shot(palette, bright, extent, texel, seed, grain, ink)


def _extent(truth: FrameTruth, part: int) -> float:
    rows, columns = np.nonzero(truth.ids == part)
    if not rows.size:
        return 0.005
    span = max(int(np.ptp(rows)), int(np.ptp(columns)), 8) * float(np.median(truth.depth[rows, columns]))
    return max(span / float(truth.K[0, 0]), 0.002)


def surface_of(shot: Shot, look: Look, layer: Layer, truth: FrameTruth) -> Surface:
    """Looks up sphere and texture for every pixel of a layer, in the part's own space."""
    pose = truth.poses.get(layer.name, np.eye(4)) if layer.name else np.eye(4)
    to_local = np.linalg.inv(pose)
    view = View(truth.K, truth.world_to_camera, truth.orthographic)
    points = view.points(layer.depth, layer.box, to_local)
    directions = view.directions(layer.normal, to_local)
    offset = np.float32((sum(layer.name.encode()) * 37) % 512) * np.float32(shot.metres_per_texel)
    texture = triplanar(_tile(shot.seed), points + offset, directions, shot.metres_per_texel)
    smooth = cv2.GaussianBlur(
        layer.normal[..., :2], (0, 0), 0.7
    )  # one sample a pixel is too crisp for hard tones
    x = np.ascontiguousarray(127.5 + 124 * smooth[..., 0])
    y = np.ascontiguousarray(127.5 - 124 * smooth[..., 1])
    lit = cv2.remap(_sphere(look), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = np.clip(layer.light / shot.bright[layer.name], 0, 1.4).astype(np.float32)
    return Surface(lit[..., 0], lit[..., 1], lit[..., 2], light, texture)


def _room(coverage: F32, scale: float) -> F32:
    """0.35..1: how much room a line has on a part, so that the last sliver of a part does not drown in ink."""
    reach = max(1, round(4 * scale))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    body = cv2.dilate(cv2.GaussianBlur(coverage, (0, 0), 2.5 * max(scale, 0.4)), kernel)
    return 0.35 + 0.65 * smoothstep(0.3, 0.75, body)


def _lines(shot: Shot, look: Look, layer: Layer, surface: Surface, scale: float) -> F32:
    """(h, w) 0..1 ink of one layer: its outline and, weaker, its inner lines."""
    pressure = 1 + look.pressure * (
        1.3 * surface.texture[..., CLOUD] + 0.7 * surface.texture[..., BLOTCH] - 1.0
    )
    width = (look.outline_px * shot.ink * 2 * scale * pressure * _room(layer.coverage, scale)).astype(
        np.float32
    )
    edge = outline(layer.coverage, width, scale, look.shade_side)
    inner = np.maximum(creases(layer, shot.extent_m[layer.name], scale), 0.55 * decor(layer, scale))
    inner = inner * np.clip(look.inner_px * shot.ink * 2, 0, 1) * np.clip(pressure, 0.4, 1)
    ink = np.maximum(edge, inner)
    bite = look.pressure * shot.grain * smoothstep(0.62, 0.95, surface.texture[..., GRAIN])
    return np.asarray(ink * (1 - 0.55 * bite) * min(1.0, shot.ink * 8), np.float32)


def paint(shot: Shot, look: Look, frame: FrameLayers) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 the finished drawing of a frame."""
    height, width = frame.truth.size
    scale = width / 640
    canvas = np.zeros((height, width, 3), np.float32)
    ink = np.zeros((height, width), np.float32)
    for layer in sorted(frame.layers, key=lambda item: item.over):
        rows, columns = slice(layer.box[0], layer.box[1]), slice(layer.box[2], layer.box[3])
        surface = surface_of(shot, look, layer, frame.truth)
        colour = look.part if layer.name != BACKGROUND else look.background
        picture = colour(shot, layer, surface) * np.float32(layer.gain) * np.array(layer.hue, np.float32)
        alpha = layer.coverage[..., None]
        if layer.over:
            canvas[rows, columns] = canvas[rows, columns] * (1 - alpha) + picture * alpha
            ink[rows, columns] *= 1 - layer.coverage
        else:
            canvas[rows, columns] += picture * alpha
        if layer.name != BACKGROUND and look.outline_px > 0:
            line = _lines(shot, look, layer, surface, scale)
            ink[rows, columns] = np.maximum(ink[rows, columns], line)
    colour_of_line = np.array(look.line_colour, np.float32)
    canvas += (colour_of_line - canvas) * ink[..., None]
    return np.asarray(np.rint(np.clip(canvas, 0, 1) * 255), np.uint8)
