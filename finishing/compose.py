# SPDX-License-Identifier: GPL-3.0-or-later
"""The finished frames: the approved take graded, the title card before it, numbered from 0001 for the encoder."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..pipeline.context import Context
from ..pipeline.pictures import U8, write_picture
from ..pipeline.store import storage
from ..pipeline.take import TakeFolder
from .grade import Grade
from .lettering import Lettering
from .title import TitleCard, title_frames

PATTERN = "comp/{number:04d}.png"


def grade_of(settings: Mapping[str, Any]) -> Grade:
    """The grade that a request's settings describe."""
    return Grade(*(float(settings[name]) for name in ("exposure", "contrast", "saturation", "temperature")))


def title_count(settings: Mapping[str, Any], fps: tuple[int, int]) -> int:
    """Frames that the title card stands; 0 without a title."""
    seconds = Fraction(settings["title_seconds"]).limit_denominator(1000)
    return round(seconds * Fraction(*fps)) if settings["title"].strip() else 0


def even(rgb: U8) -> U8:
    """The picture with its last row and column repeated where the size is odd, as 4:2:0 video needs."""
    return np.pad(rgb, ((0, rgb.shape[0] % 2), (0, rgb.shape[1] % 2), (0, 0)), mode="edge")


def slate(shot: str, take: TakeFolder, verdict: str, fps: tuple[int, int]) -> tuple[str, ...]:
    """The small facts on the title card."""
    rate = f"{fps[0] / fps[1]:.3f}".rstrip("0").rstrip(".")
    width, height = take.size
    checked = {"pass": "verified", "fail": "not verified", "review": "in review"}.get(verdict, "not verified")
    return (shot, take.name, f"{width} × {height}", f"{rate} fps", checked)


def compose(
    take: TakeFolder, out: Path, grade: Grade, card: TitleCard | None, ctx: Context
) -> tuple[list[Path], tuple[int, int]]:
    """Writes every finished frame under ``out``; returns their paths in order and their (width, height)."""
    paths: list[Path] = []
    size = (0, 0)
    total = len(take.frames) + (card.frames if card else 0)
    for number, picture in enumerate(_pictures(take, grade, card), 1):
        ctx.cancel.check()
        ctx.progress(number / total, f"Finishing frame {number} of {total}")
        paths.append(out / PATTERN.format(number=number))
        write_picture(paths[-1], picture)
        size = (picture.shape[1], picture.shape[0])
    _remove_others(out / "comp", {path.name for path in paths})
    return paths, size


def _pictures(take: TakeFolder, grade: Grade, card: TitleCard | None) -> Iterator[U8]:
    if card is not None:
        yield from title_frames(card, even(grade.apply(take.frame(take.frames[0]))))
    for frame in take.frames:
        yield even(grade.apply(take.frame(frame)))


def _remove_others(folder: Path, keep: set[str]) -> None:
    with storage(folder):
        for path in folder.glob("*.png"):
            if path.name not in keep:
                path.unlink()


def card_of(
    settings: Mapping[str, Any], facts: tuple[str, ...], fps: tuple[int, int], lettering: Lettering
) -> TitleCard | None:
    """The title card that the settings ask for, or None."""
    count = title_count(settings, fps)
    return TitleCard(settings["title"], facts, count, lettering) if count else None
