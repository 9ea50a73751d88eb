# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits a shot to a model's size, rate and frame count, and keeps how, so that a result can be put back exactly.

Positions are in pixels with the origin at the top left corner; the centre of the first pixel is (0.5, 0.5).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .controls import CountRule, RateRule, SizeRule
from .errors import InputError

Size = tuple[int, int]
Rate = tuple[int, int]


@dataclass(frozen=True)
class Fit:
    """The part of the source that ``crop`` leaves (left, top, right, bottom, in pixels) is scaled to fill what ``pad``
    leaves of the clip. ``source`` and ``clip`` are (width, height)."""

    source: Size
    clip: Size
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def inside(self) -> Size:
        """(width, height) of the picture within the clip's padding."""
        left, top, right, bottom = self.pad
        return self.clip[0] - left - right, self.clip[1] - top - bottom

    @property
    def scale(self) -> tuple[float, float]:
        """Clip pixels per source pixel, x and y; they differ by less than one pixel over the whole picture."""
        left, top, right, bottom = self.crop
        width, height = self.inside
        return width / (self.source[0] - left - right), height / (self.source[1] - top - bottom)

    @property
    def offset(self) -> tuple[float, float]:
        """Where the source's origin is in the clip: clip = source * scale + offset."""
        return self.pad[0] - self.crop[0] * self.scale[0], self.pad[1] - self.crop[1] * self.scale[1]

    def to_clip(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Source positions (..., 2) in pixels -> clip positions."""
        return np.asarray(points * np.array(self.scale) + np.array(self.offset))

    def to_source(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Clip positions (..., 2) in pixels -> source positions."""
        return np.asarray((points - np.array(self.offset)) / np.array(self.scale))

    def record(self) -> dict[str, Any]:
        """As a manifest keeps it."""
        kept = {"source": self.source, "clip": self.clip, "crop": self.crop, "pad": self.pad}
        return {**{name: list(value) for name, value in kept.items()},
                "scale": list(self.scale), "offset": list(self.offset)}  # fmt: skip

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Fit":
        """The fit that a manifest keeps."""
        return cls(*(tuple(record[name]) for name in ("source", "clip", "crop", "pad")))


def back(picture: NDArray[Any], fit: Fit) -> NDArray[Any]:
    """What a model made of a clip, at the size and place of the source: ``picture`` (H, W) or (H, W, C) of the clip's
    size, or of another size of the same ratio. What was cropped away is black. Raises InputError for another ratio."""
    wide, high = picture.shape[1], picture.shape[0]
    grown = (wide / fit.clip[0], high / fit.clip[1])
    if abs(grown[0] / grown[1] - 1) > 0.01:
        said = f"{wide}x{high} instead of {fit.clip[0]}x{fit.clip[1]}"
        raise InputError("The result has another ratio than the clip", where=said)
    (across, down), (right, lower) = fit.scale, fit.offset
    a, b = (
        across * grown[0],
        down * grown[1],
    )  # result = source * a + offset; OpenCV counts from pixel centres
    way = np.array([[a, 0, right * grown[0] + a / 2 - 0.5], [0, b, lower * grown[1] + b / 2 - 0.5]])
    kind = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found = np.asarray(cv2.warpAffine(picture, way, fit.source, flags=kind, borderMode=cv2.BORDER_REPLICATE))
    left, top, end, bottom = fit.crop
    seen = np.zeros(found.shape[:2], bool)
    seen[top : found.shape[0] - bottom, left : found.shape[1] - end] = True
    found[~seen] = 0
    return found


def fit_size(source: Size, rule: SizeRule) -> Fit:
    """How a picture of ``source`` goes into a clip by ``rule``. Never enlarged unless the rule leaves no choice.
    Raises InputError if no size satisfies the rule."""
    clip = _nearest(source, rule.exact) if rule.exact else _free_size(source, rule)
    forced = bool(rule.exact) or rule.min > 0
    (width, height), (wide, high) = source, clip
    if rule.fill == "crop":
        factor = max(wide / width, high / height)
        across = min(width, max(1, round(wide / factor)))
        down = min(height, max(1, round(high / factor)))
        left, top = (width - across) // 2, (height - down) // 2
        return Fit(source, clip, crop=(left, top, width - across - left, height - down - top))
    factor = min(wide / width, high / height)
    factor = factor if forced else min(factor, 1.0)
    across, down = min(wide, max(1, round(width * factor))), min(high, max(1, round(height * factor)))
    left, top = (wide - across) // 2, (high - down) // 2
    return Fit(source, clip, pad=(left, top, wide - across - left, high - down - top))


def _nearest(source: Size, sizes: Sequence[Size]) -> Size:
    def far(size: Size) -> tuple[float, float]:
        return (
            round(abs(math.log(size[0] / size[1]) - math.log(source[0] / source[1])), 9),
            abs(math.log(size[0] * size[1]) - math.log(source[0] * source[1])),
        )

    return min(sizes, key=far)


def _free_size(source: Size, rule: SizeRule) -> Size:
    width, height = (float(side) for side in source)
    if rule.ratios:
        shapes = [(int(a), int(b)) for a, b in (text.split(":") for text in rule.ratios)]
        wide, high = _nearest(source, shapes)
        grown = max(width * high, height * wide) if rule.fill == "pad" else min(width * high, height * wide)
        width, height = grown / high, grown / wide
    long, short = (side or math.inf for side in rule.max)
    factor = min(1.0, long / max(width, height), short / min(width, height))
    factor = max(factor, rule.min / min(width, height))
    limits = (long, short) if width >= height else (short, long)
    sides = [
        _rounded(side * factor, rule.multiple, limit)
        for side, limit in zip((width, height), limits, strict=True)
    ]
    if min(sides) < max(rule.min, 1):
        raise InputError(
            f"No size between {rule.min} and {rule.max[0]}x{rule.max[1]} pixels fits this picture",
            where=f"{source[0]}x{source[1]}", todo="Render the shot at a ratio nearer to 16:9.",
        )  # fmt: skip
    return sides[0], sides[1]


def _rounded(side: float, multiple: int, limit: float) -> int:
    """The next multiple up, or down where the limit is."""
    up = math.ceil(round(side, 6) / multiple) * multiple
    return up if up <= limit else math.floor(min(side, limit) / multiple) * multiple


def fit_rate(source: Rate, rule: RateRule) -> Rate:
    """The clip's rate: the shot's own where allowed, else the nearest listed one; out of bounds, a multiple or a
    fraction of the shot's rate where one is within them (frames are then shown twice or left out evenly)."""
    own = Fraction(*source)
    if rule.rates:
        allowed = sorted(Fraction(rate) for rate in rule.rates)
        best = min(allowed, key=lambda rate: (max(rate / own, own / rate), rate))
        return best.numerator, best.denominator
    low = Fraction(rule.min) if rule.min else Fraction(0)
    high = Fraction(rule.max) if rule.max else max(own, low)
    best = own
    if own < low:
        best = own * math.ceil(low / own)
        best = best if best <= high else low
    elif own > high:
        best = own / math.ceil(own / high)
        best = best if best >= low else high
    return best.numerator, best.denominator


def frame_map(
    frames: Sequence[int], source: Rate, clip: Rate, rule: CountRule, model: str
) -> tuple[int, ...]:
    """For each frame of the clip the source frame that it shows.

    A clip frame shows the source frame nearest in time (half-way: the earlier). The count then goes up to the next
    one that the rule allows, by showing the last frame again, or down by leaving frames off at the end if the rule has
    none above. Raises InputError with the limit if the shot is longer than the model takes.
    """
    shown = list(natural_map(frames, source, clip))
    natural, most = len(shown), bounds(clip, rule)[1]
    if natural > most:
        step = Fraction(*source) / Fraction(*clip)
        todo = (
            f"Give at most {math.floor(most * step)} frames of the shot (--frames), or make the shot shorter. "
            "Style cuts a long shot into pieces by itself."
        )
        raise InputError(
            f"{model} takes at most {most} frames at {Fraction(*clip)} fps, not {natural}", todo=todo
        )
    count = fitted_count(natural, clip, rule, model)
    return tuple((shown + shown[-1:] * (count - natural))[:count])


def fitted_count(natural: int, clip: Rate, rule: CountRule, model: str) -> int:
    """The count that the rule allows for a clip of ``natural`` frames, no more than it takes: the next one up, or down
    if there is none above. Raises InputError if there is none at all."""
    least, most = bounds(clip, rule)
    up = allowed(max(natural, least), rule)
    if up > most and up - rule.step < max(least, 1):
        raise InputError(f"No frame count of the rule {rule.name} lies within {least} to {most}", where=model)
    return up if up <= most else up - rule.step


def natural_count(count: int, source: Rate, clip: Rate) -> int:
    """Frames of a clip at the rate ``clip`` of ``count`` frames of a shot at the rate ``source``."""
    step = Fraction(*source) / Fraction(*clip)  # source frames per clip frame
    return math.floor((count - Fraction(1, 2)) / step) + 1


def natural_map(frames: Sequence[int], source: Rate, clip: Rate) -> tuple[int, ...]:
    """For each frame of a clip of any length the source frame nearest in time (half-way: the earlier)."""
    step = Fraction(*source) / Fraction(*clip)
    up, down = 2 * step.numerator, 2 * step.denominator  # ceil(index * step - 1/2) in whole numbers
    count = natural_count(len(frames), source, clip)
    return tuple(frames[-((step.denominator - index * up) // down)] for index in range(count))


def bounds(clip: Rate, rule: CountRule) -> tuple[int, float]:
    """The least and most frames of a clip at a rate."""
    rate = Fraction(*clip)
    least = max(rule.frames[0], math.ceil(Fraction(rule.seconds[0]) * rate), 1)
    ends = [rule.frames[1] or math.inf]
    if rule.seconds[1]:
        ends.append(math.floor(Fraction(rule.seconds[1]) * rate))
    return least, min(ends)


def allowed(count: int, rule: CountRule) -> int:
    """The next count up that the rule allows."""
    return count + (rule.offset - count) % rule.step
