# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for the tuning takes: from the beauty itself to ink, cel, clay, relight, compression and soft model noise."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .scenes import F32, F64, Passes, Scene, cast, grid

OVERSAMPLE = 2


def noise(points: F32, seed: int, scale: float) -> F32:
    """Band-limited 3D noise in about -1..1 at ``points`` (..., 3); ``scale`` in metres a period."""
    rng = np.random.default_rng(seed)
    total = np.zeros(points.shape[:-1], np.float32)
    for octave in range(9):
        k = rng.normal(size=3)
        k *= 2 * np.pi / (scale * (0.5 + octave / 5)) / np.linalg.norm(k)
        total += np.sin(points @ k.astype(np.float32) + np.float32(rng.uniform(0, 6.28)))
    return total / 4.0


def _albedo(scene: Scene, passes: Passes, seed: int, strength: float = 1.0) -> F32:
    out = np.empty((*passes.ids.shape, 3), np.float32)
    out[:] = (0.55, 0.57, 0.6)
    wall = passes.ids == 0
    out[wall] *= 1 + 0.12 * noise(passes.local[wall], seed + 99, 0.09)[:, None]
    for i, part in enumerate(scene.parts):
        m = passes.ids == i + 1
        if m.any():
            out[m] = (
                np.asarray(part.colour)
                * (1 + strength * part.texture * noise(passes.local[m], seed + i, 0.012))[:, None]
            )
    return out


def _lambert(passes: Passes, light: tuple[float, float, float], ambient: float) -> F32:
    direction = np.asarray(light) / np.linalg.norm(light)
    lit = np.clip(-(passes.normal @ direction.astype(np.float32)), 0, 1)
    return (ambient + (1 - ambient) * lit)[..., None].astype(np.float32)


def _edges(passes: Passes, wide: int) -> F32:
    """1 on ink lines: id changes, depth steps and creases; ``wide`` in oversampled pixels."""
    ids = passes.ids.astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    change = cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)
    crease = np.zeros_like(change)
    for axis in (0, 1):
        dot = (passes.normal * np.roll(passes.normal, 1, axis)).sum(-1)
        crease |= (dot < 0.8) & (passes.ids > 0)
    return cv2.dilate((change | crease).astype(np.uint8), np.ones((wide, wide), np.uint8)).astype(np.float32)


def beauty(scene: Scene, passes: Passes, index: int) -> F32:
    """The render: textured, one light."""
    return _albedo(scene, passes, scene.seed) * _lambert(passes, (0.5, 0.8, 0.9), 0.35)


def ink_wash(scene: Scene, passes: Passes, index: int) -> F32:
    """Wash by normals, ink lines, grain anchored to the surfaces."""
    shade = 0.55 + 0.4 * _lambert(passes, (-0.4, 0.7, 0.8), 0.0)
    tint = 0.35 + 0.65 * _albedo(scene, passes, scene.seed, 0.0)
    out = tint * shade
    out[passes.ids == 0] = (0.93, 0.9, 0.84)
    out *= (1 + 0.05 * noise(passes.local, scene.seed + 7, 0.006))[..., None]
    return out * (1 - 0.8 * _edges(passes, 3))[..., None]


def cel(scene: Scene, passes: Passes, index: int) -> F32:
    """Three flat tones and lines, no texture at all."""
    tone = np.floor(_lambert(passes, (0.3, 0.8, 0.7), 0.1) * 3) / 3
    out = (0.3 + 0.7 * _albedo(scene, passes, scene.seed, 0.0)) * (0.5 + 0.5 * tone)
    out[passes.ids == 0] = (0.62, 0.72, 0.78)
    return out * (1 - 0.9 * _edges(passes, 2))[..., None]


def clay(scene: Scene, passes: Passes, index: int) -> F32:
    """One clay for everything, soft light, anchored thumb marks."""
    lit = _lambert(passes, (0.2, 0.9, 0.6), 0.3)
    grain = 1 + 0.06 * noise(passes.local, scene.seed + 17, 0.01)[..., None]
    out = np.float32((0.72, 0.6, 0.52)) * lit * grain
    out[passes.ids == 0] *= np.float32((0.8, 0.85, 0.9))
    return out


def relight(scene: Scene, passes: Passes, index: int) -> F32:
    """Recoloured, lit from the other side, lamp drifting, more contrast."""
    colour = _albedo(scene, passes, scene.seed)[..., [2, 0, 1]]
    return (colour * _lambert(passes, (-0.8, 0.5 + 0.004 * index, 0.5), 0.2)) ** 1.3 * 1.2


def night(scene: Scene, passes: Passes, index: int) -> F32:
    """Dark, blue, low contrast, with sensor noise."""
    rng = np.random.default_rng(index)
    out = beauty(scene, passes, index) * np.float32((0.25, 0.3, 0.45))
    return out + rng.normal(0, 0.008, out.shape).astype(np.float32)


def natural(scene: Scene, passes: Passes, index: int) -> F32:
    """What a good model does: an invented wall, slight constant offsets, soft boil, a little exposure drift."""
    out = relight(scene, passes, index) * np.float32((1.0, 1.05, 0.9)) * (1 + 0.01 * np.sin(index * 0.7))
    wall = passes.ids == 0
    out[wall] = (0.45 + 0.15 * np.sign(noise(passes.local[wall], scene.seed + 31, 0.25)))[
        :, None
    ] * np.float32((1, 0.9, 0.8))
    h, w = wall.shape
    rng = np.random.default_rng(scene.seed + 5)
    fixed = cv2.resize(rng.normal(0, 1, (4, 6, 2)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
    moving = np.random.default_rng(1000 + index).normal(0, 0.35, (5, 8, 2)).astype(np.float32)
    moving = cv2.resize(moving, (w, h), interpolation=cv2.INTER_CUBIC)
    px = w / 640.0
    where = (grid((w, h)) - 0.5).astype(np.float32) + (0.8 * fixed + 0.5 * moving) * px
    return cv2.remap(out, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def squeezed(scene: Scene, passes: Passes, index: int) -> F32:
    """The ink wash through a hard video codec (see ``after``)."""
    return ink_wash(scene, passes, index)


def shaken(scene: Scene, passes: Passes, index: int) -> F32:
    """Cel, with the whole picture shaking by about a pixel at 640."""
    out = cel(scene, passes, index)
    dx, dy = np.random.default_rng(300 + index).normal(0, 0.4 * out.shape[1] / 640, 2)
    move = np.float32([[1, 0, dx], [0, 1, dy]])
    return cv2.warpAffine(out, move, out.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


LOOKS: dict[str, Callable[[Scene, Passes, int], F32]] = {
    look.__name__: look for look in (beauty, ink_wash, cel, clay, relight, night, natural, squeezed, shaken)
}


@dataclass(frozen=True)
class Cast:
    """Cached casts of one frame: ``fine`` oversampled for pictures, ``exact`` at pixel centres for the truth."""

    fine: Passes
    exact: Passes


def casts(scene: Scene, index: int, without: tuple[str, ...] = ()) -> Cast:
    t = scene.when(index)
    return Cast(
        cast(scene, t, grid(scene.size, OVERSAMPLE), without), cast(scene, t, grid(scene.size), without)
    )


def finish(picture: F32, size: tuple[int, int], look: str) -> np.ndarray:
    """Oversampled linear-ish floats -> (H, W, 3) uint8 at ``size``; the codec of ``squeezed``."""
    small = cv2.resize(np.ascontiguousarray(picture, np.float32), size, interpolation=cv2.INTER_AREA)
    out = (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)
    if look == "squeezed":
        ok, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, 40])
        assert ok
        out = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return out


def bulge(size: tuple[int, int], centre: F64, radius: float, amount_px: float, phase: float) -> F32:
    """(H, W, 2) smooth non-rigid displacement in px around ``centre``: a bend of up to ``amount_px``."""
    xy = grid(size) - centre
    fall = np.exp(-((np.linalg.norm(xy, axis=-1) / radius) ** 4))
    wave_x = np.sin(2.6 * xy[..., 1] / radius + phase)
    wave_y = np.cos(2.6 * xy[..., 0] / radius + 1.3 * phase)
    return (amount_px * fall[..., None] * np.stack([wave_x, 0.7 * wave_y], -1)).astype(np.float32)
