# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal's drawing styles: ink and wash, cel, clay, pencil."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .ink import smoothstep
from .layers import Layer
from .painting import Look, Shot, Surface
from .surface import BLOTCH, BRUSH, CLOUD, GRAIN

F32 = NDArray[np.float32]
PAPER = np.array([0.957, 0.932, 0.878], np.float32)
INDIGO = np.array([0.36, 0.42, 0.56], np.float32)


def _saturate(colour: F32, amount: float, lightness: float) -> F32:
    """A display colour with its distance from grey scaled and its mean moved to ``lightness``."""
    mean = float(colour.mean())
    return np.clip((colour - mean) * amount * lightness / max(mean, 0.15) + lightness, 0.03, 0.97).astype(
        np.float32
    )


def _local(base: F32, layer: Layer, saturation: float) -> F32:
    """(h, w, 3) the part's colour led towards the hue that its own texture has at each pixel."""
    hue = np.clip(1 + (layer.tint - 1) * saturation, 0.08, 3)
    return np.clip(0.3 * base + 0.7 * float(base.mean()) * hue, 0.03, 0.97).astype(np.float32)


def _mix(a: F32, b: F32, t: F32) -> F32:
    return np.asarray(a + (b - a) * t[..., None], np.float32)


def _steps(value: F32, edges: tuple[float, ...], soft: float) -> F32:
    """0..1 in equal steps at ``edges``, each ``soft`` wide."""
    total = sum((smoothstep(edge - soft, edge + soft, value) for edge in edges), np.zeros_like(value))
    return np.asarray(total / len(edges), np.float32)


def _pool(coverage: F32, sigma: float) -> F32:
    """How much pigment gathers just inside a wash's edge, 0..1."""
    return np.asarray(np.clip(2 * (coverage - cv2.GaussianBlur(coverage, (0, 0), sigma)), 0, 1), np.float32)


# Ink wash: transparent layers of pigment on cream paper, dry highlights, brush-pen lines.


def _wash_sphere(x: F32, y: F32, z: F32) -> F32:
    key = (-0.5 * x + 0.62 * y + 0.6 * z + 0.4) / 1.4
    gloss = smoothstep(0.86, 0.97, -0.42 * x + 0.52 * y + 0.74 * z)
    rim = smoothstep(0.35, 0.05, z) * smoothstep(-0.2, 0.6, x)
    return np.dstack([np.clip(key, 0, 1), gloss, rim])


def _wash(shot: Shot, layer: Layer, s: Surface) -> F32:
    grain = s.texture[..., GRAIN] - 0.5
    blotch, cloud = s.texture[..., BLOTCH] - 0.5, s.texture[..., CLOUD] - 0.5
    tone = 0.62 * s.tone + 0.38 * s.light + 0.12 * blotch + 0.08 * cloud
    shadow = 1 - tone
    density = 0.3 + 0.35 * shadow + 0.5 * _steps(shadow, (0.34, 0.56, 0.74), 0.035)
    density += 0.55 * _pool(layer.coverage, 3.5) - 0.5 * np.minimum(layer.detail, 0)
    density *= 1 + shot.grain * (0.55 * grain + 0.35 * blotch)
    dry = smoothstep(0.1, 0.45, s.gloss * (0.55 + 0.9 * (s.texture[..., BRUSH] - 0.35)) + 0.5 * s.rim)
    density *= 1 - 0.8 * dry
    pigment = _saturate(shot.palette[layer.name], 1.9, 0.47)
    colour = _local(pigment, layer, 1.9)
    cool = 0.5 * smoothstep(0.45, 0.85, shadow)
    absorb = -np.log(colour) * density[..., None] - np.log(INDIGO) * cool[..., None]
    return np.asarray(PAPER * np.exp(-absorb), np.float32)


def _wash_background(shot: Shot, layer: Layer, s: Surface) -> F32:
    height, width = layer.coverage.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    grain, blotch = s.texture[..., GRAIN] - 0.5, s.texture[..., BLOTCH] - 0.5
    cloud = s.texture[..., CLOUD] - 0.5
    light = cv2.GaussianBlur(s.light, (0, 0), 2.0 * width / 640)
    shadow = 0.72 * np.clip(1.02 - light, 0, 1) + 0.05 * blotch
    edge = cv2.GaussianBlur(s.texture[..., CLOUD], (0, 0), 3.0 * width / 640) - 0.5
    reach = np.hypot(x * 0.86, y * 0.93) + 0.22 * edge + 0.03 * blotch
    area = smoothstep(1.03, 0.97, reach)
    density = area * (0.10 + 0.08 * cloud + 0.10 * _pool(area, 4.0 * width / 640))
    density = density + area * (0.55 * shadow + 0.4 * _steps(shadow, (0.16, 0.34, 0.55), 0.03))
    density = np.clip(density, 0, None) * (1 + shot.grain * (0.5 * grain + 0.3 * blotch))
    pigment = 0.55 * _saturate(shot.palette[layer.name], 1.2, 0.55) + 0.45 * INDIGO
    paper = PAPER * (1 + 0.05 * shot.grain * grain[..., None])
    return np.asarray(paper * np.exp(np.log(pigment) * density[..., None]), np.float32)


# Cel: flat colours in three tones, a hard highlight, one even line.


def _cel_sphere(x: F32, y: F32, z: F32) -> F32:
    key = -0.52 * x + 0.6 * y + 0.6 * z
    gloss = smoothstep(0.93, 0.945, -0.40 * x + 0.55 * y + 0.73 * z)
    rim = smoothstep(0.42, 0.36, z) * smoothstep(0.25, 0.35, 0.9 * x + 0.1 * y)
    return np.dstack([np.clip(0.5 + 0.5 * key, 0, 1), gloss, rim])


def _cel(shot: Shot, layer: Layer, s: Surface) -> F32:
    base = _saturate(shot.palette[layer.name], 1.9, 0.6)
    base = _local(base, layer, 1.9)
    tone = 0.7 * s.tone + 0.3 * s.light + 0.015 * (s.texture[..., CLOUD] - 0.5)
    lit, deep = smoothstep(0.575, 0.6, tone), smoothstep(0.375, 0.4, tone)
    shade = base * np.array([0.66, 0.62, 0.76], np.float32)
    core = base * np.array([0.42, 0.38, 0.56], np.float32)
    colour = _mix(_mix(core, shade, deep), base, lit)
    colour = colour * (1 + 0.55 * np.minimum(layer.detail + 0.05, 0))[..., None]
    white = np.array([1.0, 0.98, 0.92], np.float32)
    colour = _mix(colour, colour * 0.35 + white * 0.65, s.rim * 0.55)
    return _mix(colour, np.broadcast_to(white, colour.shape), s.gloss * 0.92)


def _cel_background(shot: Shot, layer: Layer, s: Surface) -> F32:
    height, width = layer.coverage.shape
    base = _saturate(shot.palette[layer.name], 1.6, 0.74)
    glow = np.clip(base * [1.12, 1.08, 0.98], 0, 1).astype(np.float32)
    dusk = base * np.array([0.70, 0.72, 0.88], np.float32)
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None] + np.zeros((1, width), np.float32)
    colour = _mix(
        np.broadcast_to(dusk, (height, width, 3)), np.broadcast_to(glow, (height, width, 3)), 0.15 + 0.75 * y
    )
    light = cv2.GaussianBlur(s.light, (0, 0), 1.6 * width / 640)
    shadow = smoothstep(0.8, 0.76, light) * 0.5 + smoothstep(0.56, 0.52, light) * 0.5
    colour = _mix(colour, colour * np.array([0.55, 0.52, 0.70], np.float32), shadow)
    return np.asarray(colour * (1 + 0.03 * shot.grain * (s.texture[..., GRAIN, None] - 0.5)), np.float32)


# Clay: a soft stop-motion model with thumb marks under a big lamp; no ink.


def _clay_sphere(x: F32, y: F32, z: F32) -> F32:
    key = np.clip((-0.55 * x + 0.62 * y + 0.56 * z + 0.55) / 1.55, 0, 1)
    gloss = np.power(np.clip(-0.38 * x + 0.5 * y + 0.78 * z, 0, 1), 14)
    rim = np.power(np.clip(1 - z, 0, 1), 3) * smoothstep(-0.3, 0.8, x + 0.3 * y)
    return np.dstack([key, gloss, rim])


def _relief(amount: float, height: F32) -> F32:
    """Light and dark of thumb marks: the slope of the texture towards the light."""
    dx, dy = cv2.Sobel(height, -1, 1, 0, scale=0.125), cv2.Sobel(height, -1, 0, 1, scale=0.125)
    return np.asarray(np.clip(amount * (0.6 * dx + 0.75 * dy), -0.16, 0.16), np.float32)


def _clay(shot: Shot, layer: Layer, s: Surface) -> F32:
    height = 0.85 * s.texture[..., BLOTCH] + 0.15 * s.texture[..., GRAIN]
    marks = _relief(0.9 + 1.2 * shot.grain, cv2.GaussianBlur(height, (0, 0), 0.8))
    tone = np.clip(0.55 * s.tone + 0.45 * s.light + marks, 0, 1.2)
    base = _saturate(shot.palette[layer.name], 1.35, 0.62)
    base = _local(base, layer, 1.35)
    dark = base * np.array([0.30, 0.24, 0.27], np.float32)
    warm = np.clip(base * np.array([1.08, 0.86, 0.74], np.float32), 0, 1)
    bright = np.clip(base * 1.14 + 0.05, 0, 1)
    colour = _mix(_mix(dark, warm, smoothstep(0.02, 0.55, tone)), bright, smoothstep(0.4, 1.0, tone))
    contact = _pool(layer.coverage, 5.0)
    colour = colour * (1 - 0.22 * contact)[..., None]
    shine = 0.20 * s.gloss * (0.6 + 0.8 * (s.texture[..., BLOTCH] - 0.3)) + 0.16 * s.rim
    return np.asarray(
        colour + shine[..., None] + 0.05 * shot.grain * (s.texture[..., GRAIN, None] - 0.5), np.float32
    )


def _clay_background(shot: Shot, layer: Layer, s: Surface) -> F32:
    height, width = layer.coverage.shape
    base = _saturate(shot.palette[layer.name], 1.1, 0.68)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    lamp = np.exp(-(np.square(x + 0.25) + np.square((y + 0.15) * 0.9)) * 0.75)
    light = cv2.GaussianBlur(s.light, (0, 0), 2.5 * width / 640)
    warm, cool = base * np.array([1.16, 1.06, 0.94]), base * np.array([0.52, 0.50, 0.58])
    flat = np.broadcast_to(cool.astype(np.float32), (height, width, 3))
    colour = _mix(flat, np.broadcast_to(warm.astype(np.float32), (height, width, 3)), lamp)
    colour = colour * np.power(np.clip(light, 0.12, 1.1), 1.15)[..., None]
    fibre = 0.05 * (s.texture[..., GRAIN] - 0.5) + 0.035 * (s.texture[..., BLOTCH] - 0.5)
    return np.asarray(np.clip(colour, 0, 1) + shot.grain * fibre[..., None], np.float32)


# Pencil: graphite and a little coloured pencil, rubbed over the tooth of rough paper.


def _pencil_sphere(x: F32, y: F32, z: F32) -> F32:
    key = np.clip((-0.5 * x + 0.6 * y + 0.62 * z + 0.3) / 1.3, 0, 1)
    gloss = smoothstep(0.9, 0.98, -0.4 * x + 0.52 * y + 0.75 * z)
    return np.dstack([key, gloss, np.power(np.clip(1 - z, 0, 1), 2)])


def _rub(density: F32, s: Surface, grain: float, mix: float = 0.35) -> F32:
    """0..1 graphite that a stroke of ``density`` leaves on the paper's tooth, in streaks along the stroke
    as far as ``mix`` (0..1, the share of round grain) lets them."""
    tooth = mix * s.texture[..., GRAIN] + (1 - mix) * s.texture[..., BRUSH]
    soft = 0.5 - 0.3 * grain
    return np.asarray(
        smoothstep(tooth - soft, tooth + soft, density) * np.clip(density * 1.3, 0, 1), np.float32
    )


def _pencil(shot: Shot, layer: Layer, s: Surface) -> F32:
    shadow = 1 - (0.6 * s.tone + 0.4 * s.light) + 0.08 * (s.texture[..., CLOUD] - 0.5)
    shadow = shadow - 0.5 * np.minimum(layer.detail, 0) - 0.35 * s.gloss
    graphite = _rub(0.1 + 1.05 * np.clip(shadow, 0, 1), s, shot.grain)
    colour = _rub(0.62 + 0.3 * shadow, s, shot.grain) * (1 - 0.8 * s.gloss)
    own = 0.25 * PAPER + 0.75 * _local(_saturate(shot.palette[layer.name], 1.7, 0.6), layer, 1.7)
    picture = PAPER * (1 - colour[..., None]) + PAPER * own * colour[..., None]
    lead = np.array([0.20, 0.20, 0.23], np.float32)
    return np.asarray(
        picture * (1 - 0.88 * graphite[..., None]) + lead * 0.88 * graphite[..., None], np.float32
    )


def _pencil_background(shot: Shot, layer: Layer, s: Surface) -> F32:
    light = cv2.GaussianBlur(s.light, (0, 0), 1.5 * layer.coverage.shape[1] / 640)
    graphite = _rub(0.7 * np.clip(1.0 - light, 0, 1) + 0.06, s, 0.2 * shot.grain, 0.8)
    paper = PAPER * (1 + 0.10 * shot.grain * (s.texture[..., GRAIN, None] - 0.5))
    lead = np.array([0.25, 0.25, 0.28], np.float32)
    return np.asarray(paper + (lead - paper) * 0.72 * graphite[..., None], np.float32)


LOOKS = {
    look.name: look
    for look in (
        Look("INK_WASH", "Ink and wash", _wash, _wash_background, (0.13, 0.10, 0.12), 2.0, 0.85, 0.8, 0.7, _wash_sphere),
        Look("CEL", "Cel", _cel, _cel_background, (0.09, 0.06, 0.13), 2.0, 0.95, 0.25, 0.0, _cel_sphere),
        Look("CLAY", "Clay", _clay, _clay_background, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0, _clay_sphere),
        Look("PENCIL", "Pencil", _pencil, _pencil_background, (0.16, 0.16, 0.19), 1.5, 0.9, 0.6, 0.9, _pencil_sphere),
    )
}  # fmt: skip
