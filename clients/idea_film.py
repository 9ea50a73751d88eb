# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task: a picture into a few seconds of film, a push-in with parallax that is made on this computer.

The subject is cut from its ground, the ground is filled in behind it, and both are seen by a pinhole camera that goes
forward and a little aside, eased at both ends. How far things are is guessed: the ground is a floor that ends in a wall, the
subject stands on it and bulges a little. What is seen anew at the subject's edge is the filled ground, so that no frame
has a hole. It is an honest move over a still picture: nothing turns, nothing behind the subject is real.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.context import Context
from ..pipeline.encode import Clip, Encoders, encode
from ..pipeline.pictures import F32, U8, write_picture
from ..pipeline.store import storage
from .idea_look import subject
from .idea_pictures import upright

LEAST_PX, MOST_PX = 720, 1280
"""Longest edge of the film: a small picture is enlarged no further than the least."""
MASK_PX = 480
FPS = (24, 1)
GROWS, LEAST_GROWS, ASIDE = 1.16, 1.05, 0.018
"""How much larger the subject is at the end, and how far the camera goes aside, in widths of the picture."""
SUBJECT, FAR, NEAR, BULGE = 1.0, 2.6, 0.72, 0.10
"""Distances from the camera at the start, the subject's being 1."""
MARGIN = 1.03
"""The film begins cropped by so much, so that the move aside stays inside the picture."""
EDGE, MOST_OF_PICTURE = 0.035, 0.9
"""What the subject keeps from the border at the end, where it can."""
COARSE = 4
"""Depth is smooth: where a pixel looks is reckoned for every fourth."""
CRF = 17


@dataclass(frozen=True)
class Layer:
    """``rgb`` (H, W, 3) uint8, ``alpha`` (H, W) 0..1, ``far`` (H, W) distance."""

    rgb: U8
    alpha: F32
    far: F32


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: picture, out (an .mp4), seconds, encoders. Returns {film, frames, size, fps, method, says, encoder}.

    Raises InputError for a picture that can't be read, HoldfastError if nothing can encode, StorageError, Cancelled.
    """
    cv2.setNumThreads(2)
    out = Path(request["out"])
    picture = sized(np.asarray(upright(Path(request["picture"])), np.uint8))
    count = max(2, round(float(request["seconds"]) * FPS[0] / FPS[1]))
    layers, says = layers_of(picture)
    folder = out.parent / f".{out.stem}-frames"
    try:
        for number, frame in enumerate(frames(layers, count), 1):
            ctx.cancel.check()
            write_picture(folder / f"{number:04d}.png", frame)
            ctx.progress(0.75 * number / count, f"Moving the camera, frame {number}/{count}")
        clip = Clip(str(folder), count, (picture.shape[1], picture.shape[0]), FPS, CRF)
        _track, encoder = encode(clip, out, Encoders(**request["encoders"]), ctx.part(0.75, 1.0))
    finally:
        with storage(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return {
        "film": str(out), "frames": count, "size": [picture.shape[1], picture.shape[0]], "fps": list(FPS),
        "method": "two layers" if len(layers) > 1 else "plain", "says": says, "encoder": encoder,
    }  # fmt: skip


def sized(picture: U8) -> U8:
    """The picture at the size of the film, both edges even."""
    longest = max(picture.shape[:2])
    scale = min(max(longest, LEAST_PX), MOST_PX) / longest
    width, height = (2 * round(edge * scale / 2) for edge in (picture.shape[1], picture.shape[0]))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def layers_of(picture: U8) -> tuple[list[Layer], str]:
    """The ground, and the subject before it if one stands out; and what was done, in a sentence."""
    height, width = picture.shape[:2]
    scale = min(1.0, MASK_PX / max(height, width))
    less = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = subject(np.asarray(less, np.uint8))
    opaque = np.ones((height, width), np.float32)
    if not mask.any():
        far = np.full((height, width), SUBJECT, np.float32)
        return [
            Layer(picture, opaque, far)
        ], "No subject stands out from its ground: a plain push-in without parallax."
    soft = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(soft, (0, 0), max(0.6, 0.5 / scale))
    filled = _filled(np.asarray(less, np.uint8), mask, (width, height), picture, soft)
    base = float(np.nonzero(mask.any(axis=1))[0][-1] + 1) / mask.shape[0]
    top = float(np.nonzero(mask.any(axis=1))[0][0]) / mask.shape[0]
    ground = Layer(filled, opaque, _ground(height, width, base, base - top))
    front = Layer(picture, soft, _bulging(mask, (width, height)))
    return [
        ground,
        front,
    ], f"The subject ({mask.mean():.0%} of the picture) moves before its ground; depth is guessed."


def _filled(less: U8, mask: NDArray[np.bool_], size: tuple[int, int], whole: U8, soft: F32) -> U8:
    """The ground with the subject painted out."""
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8), iterations=2)
    fill = cv2.inpaint(less, grown, 5, cv2.INPAINT_TELEA)
    smooth = cv2.GaussianBlur(fill, (0, 0), 5)
    fill = np.where(grown[..., None] > 0, smooth, fill)
    large = cv2.resize(fill, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    edge = cv2.resize(grown.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    weight = np.maximum(cv2.GaussianBlur(edge, (0, 0), 2.0), soft)[..., None]
    return np.asarray(np.clip(whole * (1 - weight) + large * weight + 0.5, 0, 255), np.uint8)


def _ground(height: int, width: int, base: float, tall: float) -> F32:
    """Distances of a floor that holds the subject at its foot and ends in a wall behind it."""
    rows = (np.arange(height, dtype=np.float32) + 0.5) / height
    horizon = base - 0.9 * max(tall, 0.2)
    floor = SUBJECT * (base - horizon) / np.maximum(rows - horizon, 1e-3)
    far = np.clip(np.where(rows > horizon, floor, FAR), NEAR, FAR)
    far = cv2.GaussianBlur(
        far[:, None].astype(np.float32), (0, 0), max(1.0, 0.03 * height), borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.repeat(far.reshape(-1, 1), width, axis=1), np.float32)


def _bulging(mask: NDArray[np.bool_], size: tuple[int, int]) -> F32:
    """Distances of the subject: nearer where it is further from its edge, as a round body is; smooth beyond it."""
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    dome = np.sqrt(inside / max(float(inside.max()), 1.0))
    dome = cv2.GaussianBlur(dome.astype(np.float32), (0, 0), 0.02 * max(mask.shape) + 1)
    return np.asarray(SUBJECT - BULGE * cv2.resize(dome, size, interpolation=cv2.INTER_CUBIC), np.float32)


def eased(share: float) -> float:
    """0..1 to 0..1, at rest and without a jerk at both ends (Perlin's fifth-order curve)."""
    return share**3 * (share * (6 * share - 15) + 10)


def frames(layers: list[Layer], count: int) -> Iterator[U8]:
    """The frames of the move, (H, W, 3) uint8; the first is the picture as it is, cropped a little."""
    height, width = layers[0].alpha.shape
    y, x = np.mgrid[0:height:COARSE, 0:width:COARSE].astype(np.float32) + (COARSE - 1) / 2
    far = [cv2.resize(layer.far, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_AREA) for layer in layers]
    centre = _centre(layers[-1])
    forward = 1.0 - 1.0 / grows(layers[-1], centre)
    for number in range(count):
        along = eased(number / (count - 1))
        seen = np.zeros((height, width, 3), np.uint8)
        for layer, away in zip(layers, far, strict=True):
            maps = _looked(
                np.asarray(away, np.float32),
                (x, y),
                (width, height),
                centre,
                forward * along,
                ASIDE * width * along,
            )
            at_x, at_y = (cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in maps)
            rgb = cv2.remap(layer.rgb, at_x, at_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            if layer is layers[0]:
                seen = np.asarray(rgb, np.uint8)
                continue
            alpha = cv2.remap(layer.alpha, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            seen = np.asarray(cv2.blendLinear(rgb, seen, alpha, 1.0 - alpha), np.uint8)
        yield seen


def grows(layer: Layer, centre: tuple[float, float]) -> float:
    """How much larger the subject becomes: less where it would leave the picture."""
    height, width = layer.alpha.shape
    inside = layer.alpha > 0.5
    columns, rows = np.nonzero(inside.any(axis=0))[0], np.nonzero(inside.any(axis=1))[0]
    if inside.mean() > MOST_OF_PICTURE:
        return GROWS
    room = [
        (centre[0] - EDGE * width) / max(centre[0] - columns[0], 1.0), (centre[1] - EDGE * height) / max(centre[1] - rows[0], 1.0),
        (width * (1 - EDGE) - centre[0]) / max(columns[-1] - centre[0], 1.0),
        (height * (1 - EDGE) - centre[1]) / max(rows[-1] - centre[1], 1.0),
    ]  # fmt: skip
    return float(np.clip(min(each for each in room if each > 0) / MARGIN, LEAST_GROWS, GROWS))


def _centre(layer: Layer) -> tuple[float, float]:
    """Where the camera goes to: half way from the middle of the picture to that of the subject."""
    height, width = layer.alpha.shape
    weight = float(layer.alpha.sum())
    columns, rows = layer.alpha.sum(axis=0), layer.alpha.sum(axis=1)
    mid_x, mid_y = float(columns @ np.arange(width)) / weight, float(rows @ np.arange(height)) / weight
    return (mid_x + width / 2) / 2, (mid_y + height / 2) / 2


def _looked(
    far: F32, place: tuple[F32, F32], size: tuple[int, int], centre: tuple[float, float], forward: float, aside: float
) -> tuple[F32, F32]:  # fmt: skip
    """Where in the still picture the pixels at ``place`` (every few of them) look: a camera that went ``forward`` sees a point
    at distance z enlarged by z / (z - forward) and moved by ``aside`` / z. The distance is that of the point itself, found by
    going there and looking again; the map is smooth, so it has no holes."""
    x, y = place
    wide = ((size[0] - 1) / 2, (size[1] - 1) / 2)
    still_x = wide[0] + (x - wide[0]) / MARGIN
    still_y = wide[1] + (y - wide[1]) / MARGIN
    at_x, at_y = still_x, still_y
    for _ in range(3 if forward else 1):
        rough_x, rough_y = ((each - (COARSE - 1) / 2) / COARSE for each in (at_x, at_y))
        z = cv2.remap(far, rough_x, rough_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        less = (z - forward) / z
        at_x = (centre[0] + (still_x - centre[0]) * less + aside * (1.0 / z - 1.0)).astype(np.float32)
        at_y = (centre[1] + (still_y - centre[1]) * less).astype(np.float32)
    return np.asarray(at_x, np.float32), np.asarray(at_y, np.float32)
