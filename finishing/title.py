# SPDX-License-Identifier: GPL-3.0-or-later
"""The title card: text over the shot's first frame, out of focus and dark, which then pulls into focus."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ..pipeline.pictures import F32, U8
from .grade import linear_to_srgb, srgb_to_linear
from .lettering import Lettering, text_mask

_MARGIN = 0.085
_DARK = 0.16
"""Linear-light gain of the background while the text stands."""
_BLUR = 0.022
"""Sigma of the background's blur, as a part of the picture's width."""


@dataclass(frozen=True)
class TitleCard:
    """``text``: first line title, further lines smaller under it; ``slate``: small facts at the foot."""

    text: str
    slate: tuple[str, ...]
    frames: int
    lettering: Lettering


def smooth(start: float, end: float, at: float) -> float:
    """0 before ``start``, 1 after ``end``, eased between (3t^2 - 2t^3)."""
    t = min(max((at - start) / max(end - start, 1e-9), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def _masks(card: TitleCard, width: int, height: int) -> tuple[F32, F32]:
    """Coverage of the title's text and of the slate."""
    left, room = _MARGIN * width, (1 - 2 * _MARGIN) * width
    words = [card.lettering.readable(line.strip()) for line in card.text.splitlines() if line.strip()] or [""]
    title = card.lettering.fitting(words[0], 0.135 * height, 700, room)
    lines = [(words[0], title, left - 0.04 * title.size, 0.5 * height)]
    baseline = 0.5 * height + 0.055 * height
    for line in words[1:]:
        font = card.lettering.fitting(line, 0.052 * height, 400, room)
        baseline += 1.5 * 0.052 * height
        lines.append((line, font, left, baseline))
    text = text_mask((width, height), lines)
    rule = round(0.5 * height + 0.058 * height)
    thick = max(round(0.006 * height), 1)
    text[rule : rule + thick, round(left) : round(left + 0.09 * width)] = 1.0
    facts = card.lettering.readable("   ".join(fact.upper() for fact in card.slate))
    small = card.lettering.fitting(facts, 0.026 * height, 500, room * 0.8)
    slate = text_mask((width, height), [(facts, small, left, height * (1 - _MARGIN))], tracking=0.12)
    return text, slate


def _vignette(width: int, height: int) -> F32:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = ((x / width - 0.62) / 0.8) ** 2 + ((y / height - 0.5) / 0.75) ** 2
    return np.asarray(1.0 / (1.0 + 0.9 * away), np.float32)


def title_frames(card: TitleCard, first: U8) -> Iterator[U8]:
    """``card.frames`` pictures like ``first`` (H, W, 3) uint8, the last almost equal to it."""
    height, width = first.shape[:2]
    text, slate = _masks(card, width, height)
    linear = srgb_to_linear(first / 255.0).astype(np.float32)
    vignette = _vignette(width, height)[..., None]
    for index in range(card.frames):
        at = (index + 1) / (card.frames + 1)
        focus = smooth(0.68, 1.0, at)
        rise = smooth(0.0, 0.22, at)
        sigma = _BLUR * width * (1.0 - focus)
        soft = cv2.GaussianBlur(linear, (0, 0), sigma) if sigma > 0.3 else linear
        shade = _DARK * vignette * rise
        back = soft * (shade + (1.0 - shade) * focus)
        ink = text * smooth(0.1, 0.34, at) * (1.0 - smooth(0.66, 0.84, at))
        ink = np.maximum(ink, 0.62 * slate * smooth(0.18, 0.42, at) * (1.0 - smooth(0.62, 0.78, at)))
        graded = linear_to_srgb(back)
        yield np.round(255 * (graded + (0.97 - graded) * ink[..., None])).clip(0, 255).astype(np.uint8)
