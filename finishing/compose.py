# SPDX-License-Identifier: GPL-3.0-or-later
"""The finished frames: the approved take graded, the title card before it, numbered from 0001 for the encoder."""

from collections.abc import Mapping
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
from .share import share_file
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
    first = even(grade.apply(take.frame(take.frames[0])))
    lead = card.frames if card else 0
    total = lead + len(take.frames)
    paths = [out / PATTERN.format(number=number) for number in range(1, total + 1)]
    untouched = grade.neutral and first.shape[:2] == take.frame(take.frames[0]).shape[:2]
    cards = title_frames(card, first) if card else iter(())
    for number, path in enumerate(paths):
        ctx.cancel.check()
        ctx.progress(number / total, f"Finishing frame {number + 1} of {total}")
        if number < lead:
            write_picture(path, next(cards))
            continue
        frame = take.frames[number - lead]
        picture = take.frame(frame)  # read even where it is only linked: a damaged one must be named
        if untouched:
            share_file(take.path(frame), path)
        else:
            write_picture(path, even(grade.apply(picture)))
    _remove_others(out / "comp", {path.name for path in paths})
    return paths, (first.shape[1], first.shape[0])


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
