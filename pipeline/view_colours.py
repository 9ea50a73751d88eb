# SPDX-License-Identifier: GPL-3.0-or-later
"""Every pass as a picture for the eye: display-referred colours, and the sentence that says what they mean.

What has a range (depth, motion, position) is shown with one range for the whole shot, so that nothing flickers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .part_colours import colour_of, coloured
from .pictures import F32
from .truth import GroundTruth

DIRECT = {"beauty", "linear"}
"""Shown from the package's own files, which Blender can read as they are."""
OF_PART = {"matte", "whole"}
RANGE_FRAMES = 24
"""A range is measured on at most so many frames, spread over the shot."""
_HIDDEN = 0.55
_STILL_PX = 0.05


@dataclass(frozen=True)
class Range:
    """Least and greatest value in the shot, for each channel."""

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class View:
    """``says`` what the colours mean, with {low} and {high}; ``draw`` gives (H, W, 3) float32 in 0..1."""

    label: str
    says: str
    draw: Callable[[GroundTruth, int, str, Range], F32]
    values: Callable[[GroundTruth, int], F32] | None = None
    """(N, C) values that the range is of."""


def _grey(plane: F32) -> F32:
    return np.repeat(plane[..., None], 3, axis=2)


def _ids(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return coloured(truth.ids(frame))


def _parts(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    """Flat colours over the darkened beauty, and an outline where the id changes."""
    ids = truth.ids(frame)
    beauty = truth.beauty(frame).astype(np.float32) / 255.0
    colours = coloured(ids)
    shown = np.where((ids > 0)[..., None], 0.45 * beauty + 0.55 * colours, 0.55 * beauty)
    wide = ids.astype(np.float32)
    edge = cv2.dilate(wide, np.ones((3, 3))) != cv2.erode(wide, np.ones((3, 3)))
    shown[edge] = np.where((ids > 0)[..., None], colours, 0.0)[edge]
    return shown.astype(np.float32)


def _matte(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _grey(truth.matte(part, frame))


def _whole(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    """White what is seen of the part, in its colour what is hidden."""
    seen = truth.matte(part, frame)[..., None]
    hidden = np.maximum(truth.whole(part, frame)[..., None] - seen, 0.0)
    return (seen + hidden * (1 - _HIDDEN + _HIDDEN * np.array(colour_of(truth.part(part).id), np.float32))).clip(0, 1)  # fmt: skip


def _sure(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _grey(truth.sure(frame))


def _near_is_bright(plane: F32, span: Range) -> F32:
    low, high = span.low[0], span.high[0]
    near = 1.0 - 0.88 * np.clip((plane - low) / max(high - low, 1e-9), 0.0, 1.0)
    return _grey(np.where(plane > 0, near, 0.0).astype(np.float32))


def _depth(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _near_is_bright(truth.depth(frame), span)


def _distance(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _near_is_bright(truth.distance(frame), span)


def _directions(normals: F32) -> F32:
    seen = np.any(normals != 0, axis=2, keepdims=True)
    return np.where(seen, normals * 0.5 + 0.5, 0.0).astype(np.float32)


def _normal(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _directions(truth.normal(frame))


def _normal_world(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _directions(truth.normal_world(frame))


def _wheel(motion: F32, span: Range) -> F32:
    """Hue is the way, brightness how far: the greatest of the shot is full."""
    x, y = motion[..., 0], motion[..., 1]
    hue = np.degrees(np.arctan2(y, x)) % 360.0
    speed = np.hypot(x, y)
    bright = np.clip(speed / max(span.high[0], 1e-6), 0.0, 1.0)
    coloured_from = np.clip(speed / _STILL_PX, 0.0, 1.0)  # the way of what stands still is noise
    hsv = np.stack([hue, 0.9 * coloured_from, 0.06 + 0.94 * bright], axis=-1).astype(np.float32)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def _vector(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _wheel(truth.vector(frame)[..., :2], span)


def _vector_back(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    return _wheel(truth.vector(frame)[..., 2:], span)


def _uv(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    uv = truth.uv(frame)
    there = np.any(uv != 0, axis=2)
    return np.stack([uv[..., 0] % 1.0, uv[..., 1] % 1.0, 0.25 * there], axis=2).astype(np.float32)


def _position(truth: GroundTruth, frame: int, part: str, span: Range) -> F32:
    place, low, high = truth.position(frame), np.array(span.low), np.array(span.high)
    seen = np.any(place != 0, axis=2, keepdims=True)
    return np.where(seen, np.clip((place - low) / np.maximum(high - low, 1e-9), 0, 1), 0).astype(np.float32)


def _depths(plane: F32) -> F32:
    return plane[plane > 0][:, None]


def _speeds(motion: F32) -> F32:
    return np.hypot(motion[..., 0], motion[..., 1]).reshape(-1, 1)


def _places(place: F32) -> F32:
    return place[np.any(place != 0, axis=2)]


_NEAR = "White is near ({low[0]:.3g} m), dark is far ({high[0]:.3g} m), black is nothing"
_WAYS = "Red goes right, lime down, cyan left, violet up; full colour is {high[0]:.3g} px a frame, dark stands still"
VIEWS: dict[str, View] = {
    "beauty": View("Beauty", "The picture as the artist sees it, the one that goes to Style", _ids),
    "linear": View("Beauty, scene-linear", "The same picture before the view transform", _ids),
    "parts": View("Parts over beauty", "Each part in its colour; a line where one ends", _parts),
    "ids": View("Part ids", "One flat colour a part, as in the list; black is no part", _ids),
    "sure": View("Certainty", "White: the id is certain. Dark: an edge or blur, where parts share a pixel", _sure),
    "matte": View("Matte", "White is what is seen of the part, with soft edges", _matte),
    "whole": View("Whole matte", "White is seen; coloured is there too, hidden behind something", _whole),
    "depth": View("Depth", _NEAR, _depth, lambda truth, frame: _depths(truth.depth(frame))),
    "distance": View("Ray distance", _NEAR, _distance, lambda truth, frame: _depths(truth.distance(frame))),
    "normal": View("Normals, camera", "Red faces right, green up, blue the camera; black is nothing", _normal),
    "normal_world": View("Normals, world", "Red faces X, green Y, blue Z of the world; black is nothing", _normal_world),
    "vector": View("Motion to next frame", _WAYS, _vector, lambda truth, frame: _speeds(truth.vector(frame)[..., :2])),
    "vector_back": View(
        "Motion to previous frame", _WAYS, _vector_back, lambda truth, frame: _speeds(truth.vector(frame)[..., 2:])
    ),
    "uv": View("UV", "Red is U, green is V; black has no UV map", _uv),
    "position": View(
        "Position", "Red, green and blue are X, Y and Z of the world, from {low_m} to {high_m} m", _position,
        lambda truth, frame: _places(truth.position(frame)),
    ),
}  # fmt: skip
"""In the order in which they are offered."""
NEEDS = {
    "parts": "ids",
    "distance": "depth",
    "normal_world": "normal",
    "vector_back": "vector",
    "position": "depth",
}
"""Views that are computed from another pass."""


def measured(truth: GroundTruth, view: View, frames: list[int]) -> Range:
    """The range of a view over the shot: from the least value to that which one in two hundred exceeds."""
    if view.values is None:
        return Range((0.0,), (1.0,))
    lows, highs = [], []
    for frame in frames:
        values = view.values(truth, frame)
        if len(values):
            lows.append(values.min(axis=0))
            highs.append(np.percentile(values, 99.5, axis=0))
    if not lows:
        return Range((0.0,) * 3, (1.0,) * 3)
    low, high = np.min(lows, axis=0).tolist(), np.max(highs, axis=0).tolist()
    return Range(tuple(low), tuple(high))


def spread(frames: tuple[int, ...]) -> list[int]:
    """At most `RANGE_FRAMES` frames, evenly over the shot, its first and last among them."""
    picked = np.linspace(0, len(frames) - 1, min(len(frames), RANGE_FRAMES)).round().astype(int)
    return [frames[index] for index in dict.fromkeys(picked.tolist())]


def sentence(kind: str, record: dict[str, Any] | None) -> str:
    """What the colours of view ``kind`` mean; ``record`` holds its range, None while that is being measured."""
    says = VIEWS[kind].says
    if "{" not in says:
        return f"{says}."
    if record is None:
        return f"{says.partition('{')[0].rpartition(' ')[0].rstrip(' (,;')}."
    low, high = record["low"], record["high"]
    words = {"low_m": _triple(low), "high_m": _triple(high)}
    return f"{says.format(low=low, high=high, **words)}."


def _triple(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in values) + ")"
