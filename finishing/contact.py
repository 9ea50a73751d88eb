# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet: rows of pictures with captions, one sheet that shows a shot from sketch to master."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from ..pipeline.pictures import U8
from .lettering import Lettering

_PAPER, _CARD = (22, 23, 26), (34, 36, 40)
_WHITE, _GREY, _ACCENT = (240, 240, 238), (142, 145, 150), (242, 169, 59)
_MARGIN, _GAP, _LABEL = 56, 12, 236
_HEAD, _CAPTION, _BETWEEN, _TALLEST = 150, 30, 34, 384


@dataclass(frozen=True)
class Row:
    """``label`` names the stage, ``note`` says what it did; ``pictures`` are (H, W, 3) uint8 with a caption."""

    label: str
    note: str
    pictures: Sequence[tuple[U8, str]]


def contact_sheet(
    title: str, subtitle: str, rows: Sequence[Row], lettering: Lettering, width: int = 1920
) -> U8:
    """(H, width, 3) uint8: the rows one under another, each justified to the full width, rows without pictures
    left out."""
    rows = [row for row in rows if row.pictures]
    room = width - 2 * _MARGIN - _LABEL
    heights = [_row_height(row, room) for row in rows]
    total = _HEAD + sum(height + _CAPTION + _BETWEEN for height in heights) + _MARGIN - _BETWEEN
    sheet = Image.new("RGB", (width, total), _PAPER)
    draw = ImageDraw.Draw(sheet)
    _write(draw, (_MARGIN, 78), title, lettering, 46, 700, _WHITE)
    _write(draw, (_MARGIN, 112), subtitle, lettering, 20, 400, _GREY)
    top = _HEAD
    for index, (row, height) in enumerate(zip(rows, heights, strict=True), 1):
        _label(draw, row, index, top, lettering)
        _lay_row(sheet, draw, row, (top, height), lettering)
        top += height + _CAPTION + _BETWEEN
    return np.asarray(sheet)


def _row_height(row: Row, room: int) -> int:
    shapes = [picture.shape[1] / picture.shape[0] for picture, _ in row.pictures]
    free = room - _GAP * (len(shapes) - 1)
    return round(min(free / sum(shapes), _TALLEST))


def _label(draw: ImageDraw.ImageDraw, row: Row, number: int, top: int, lettering: Lettering) -> None:
    draw.rectangle((_MARGIN, top, _MARGIN + 26, top + 3), fill=_ACCENT)
    _write(draw, (_MARGIN, top + 34), f"{number}", lettering, 17, 500, _ACCENT)
    label = lettering.fitting(row.label, 21, 650, _LABEL - 40)
    draw.text((_MARGIN + 22, top + 34), row.label, font=label, fill=_WHITE, anchor="ls")
    font = lettering.font(row.note, 15)
    line, y = "", top + 60
    for word in [*row.note.split(), ""]:
        longer = f"{line} {word}".strip()
        if word and font.getlength(longer) <= _LABEL - 28:
            line = longer
            continue
        draw.text((_MARGIN, y), line, font=font, fill=_GREY, anchor="ls")
        line, y = word, y + 21


def _lay_row(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    row: Row,
    place: tuple[int, int],
    lettering: Lettering,
) -> None:
    top, height = place
    left = float(_MARGIN + _LABEL)
    for picture, caption in row.pictures:
        wide = picture.shape[1] / picture.shape[0] * height
        x, across = round(left), round(left + wide) - round(left)
        smaller = across < picture.shape[1]
        scaled = cv2.resize(
            picture, (across, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
        )
        sheet.paste(Image.fromarray(scaled), (x, top))
        font = lettering.fitting(caption, 15, 400, max(across - 4, 20))
        draw.text((x + 1, top + height + 20), lettering.readable(caption), font=font, fill=_GREY, anchor="ls")
        left += wide + _GAP


def _write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    lettering: Lettering,
    size: int,
    weight: int,
    colour: tuple[int, int, int],
) -> None:
    text = lettering.readable(text)
    draw.text(at, text, font=lettering.font(text, size, weight), fill=colour, anchor="ls")
