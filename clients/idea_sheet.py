# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task: the contact sheet of ideas for the client, as A4 pages in PNG and in one PDF."""

from collections.abc import Mapping, Sequence
from math import cos, pi, sin
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.store import writing
from .idea_pictures import upright

PAGE, DPI = (1754, 1240), 150
"""A4 across, in pixels."""
MARGIN, GAP, HEAD, FOOT = 72, 26, 118, 40
PAPER, INK, FAINT, LINE, LOCK, GROUND = (
    (250, 249, 246), (32, 31, 36), (118, 115, 112), (214, 210, 203), (208, 120, 40), (240, 238, 233),
)  # fmt: skip
PLAIN_GRIDS = ((1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (4, 3))
SQUARE_GRIDS = ((1, 1), (2, 1), (3, 1), (3, 2), (4, 2), (5, 3))
FACTS_GRIDS = ((1, 1), (1, 2), (2, 2), (2, 3))
"""Columns and rows: the first that holds all, else pages of the last."""
CAPTION, LINE_PX = 36, 23
MOST_OF_CELL = 0.6
"""Of a cell's width that the picture takes where there are words beside it."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: title, brief, out (path without suffix), facts (bool), ideas [{name, picture, prompt, line, locked,
    starred}]. Writes out.pdf and out.png, or out-1.png and so on. Returns {pdf, pages}. Raises InputError, StorageError."""
    ideas = request["ideas"]
    if not ideas:
        raise InputError("There is no picture for a contact sheet", todo="Ask for variants first.")
    out, facts = Path(request["out"]), bool(request["facts"])
    grids = FACTS_GRIDS if facts else PLAIN_GRIDS if _wide(ideas) else SQUARE_GRIDS
    columns, rows = next((grid for grid in grids if grid[0] * grid[1] >= len(ideas)), grids[-1])
    each = columns * rows
    pages = []
    starts = range(0, len(ideas), each)
    for number, first in enumerate(ctx.each(starts, "Laying out page")):
        page = _page(request, ideas[first : first + each], number + 1, len(starts), (columns, rows), facts)
        pages.append(page)
    names = [out.with_suffix(".png")] if len(pages) == 1 else [
        out.with_name(f"{out.name}-{number}.png") for number in range(1, len(pages) + 1)
    ]  # fmt: skip
    for path, page in zip(names, pages, strict=True):
        with writing(path) as part:
            page.save(part, "PNG", dpi=(DPI, DPI))
    with writing(out.with_suffix(".pdf")) as part:
        pages[0].save(
            part, "PDF", resolution=DPI, save_all=True, append_images=pages[1:], quality=93,
            title=str(request["title"]), producer="Holdfast", creator="Holdfast",
        )  # fmt: skip
    return {"pdf": str(out.with_suffix(".pdf")), "pages": [str(path) for path in names]}


def _wide(ideas: Sequence[Mapping[str, Any]]) -> bool:
    """Whether most pictures are clearly wider than high."""
    ratios = []
    for idea in ideas:
        picture = Image.open(Path(str(idea["picture"]))).size
        ratios.append(picture[0] / picture[1])
    return sorted(ratios)[len(ratios) // 2] > 1.25


def _page(
    request: Mapping[str, Any], ideas: Sequence[Mapping[str, Any]], number: int, count: int, grid: tuple[int, int],
    facts: bool,
) -> Image.Image:  # fmt: skip
    page = Image.new("RGB", PAGE, PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, MARGIN - 14), str(request["title"]), INK, font(38))
    brief = fitted(str(request.get("brief", "")), font(19), PAGE[0] - 2 * MARGIN, 1)
    draw.text((MARGIN, MARGIN + 38), brief[0] if brief else "", FAINT, font(19))
    draw.line((MARGIN, MARGIN + HEAD - 42, PAGE[0] - MARGIN, MARGIN + HEAD - 42), LINE, 2)
    if count > 1:
        draw.text((PAGE[0] - MARGIN, PAGE[1] - FOOT), f"{number} of {count}", FAINT, font(17), "rm")
    columns, rows = grid
    width = (PAGE[0] - 2 * MARGIN - GAP * (columns - 1)) // columns
    height = (PAGE[1] - MARGIN - HEAD - FOOT - 2 * GAP - GAP * (rows - 1)) // rows
    for place, idea in enumerate(ideas):
        left = MARGIN + (place % columns) * (width + GAP)
        top = MARGIN + HEAD - 16 + (place // columns) * (height + GAP)
        _cell(page, idea, (left, top, width, height), facts)
    return page


def _cell(page: Image.Image, idea: Mapping[str, Any], box: tuple[int, int, int, int], facts: bool) -> None:
    left, top, width, height = box
    draw = ImageDraw.Draw(page)
    picture = upright(Path(str(idea["picture"])))
    room = (round(width * MOST_OF_CELL), height) if facts else (width, height - CAPTION)
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    at = (left if facts else left + (width - size[0]) // 2, top)
    page.paste(picture.resize(size, Image.Resampling.LANCZOS), at)
    locked = bool(idea.get("locked"))
    frame = (at[0], at[1], at[0] + size[0] - 1, at[1] + size[1] - 1)
    draw.rectangle(frame, outline=LOCK if locked else LINE, width=6 if locked else 1)
    if not facts:
        _name(draw, idea, (at[0] + 1, frame[3] + 10))
        return
    beside, wide = frame[2] + 24, left + width - frame[2] - 24
    _name(draw, idea, (beside, top))
    line = str(idea.get("line", ""))
    rows = fitted(line, font(17), wide, 2)
    for row, text in enumerate(rows):
        draw.text((beside, top + 36 + LINE_PX * row), text, INK, font(17))
    first = top + 46 + LINE_PX * len(rows)
    most = max(1, (top + height - first) // LINE_PX)
    for row, text in enumerate(fitted(str(idea.get("prompt", "")), font(17), wide, most)):
        draw.text((beside, first + LINE_PX * row), text, FAINT, font(17))


def _name(draw: ImageDraw.ImageDraw, idea: Mapping[str, Any], at: tuple[int, int]) -> None:
    """The name, a star, and whether it is locked."""
    locked, name = bool(idea.get("locked")), str(idea["name"])
    draw.text(at, name, LOCK if locked else INK, font(21))
    along = at[0] + draw.textlength(name, font(21)) + 12
    if idea.get("starred"):
        _star(draw, along + 8, at[1] + 13, 10)
        along += 28
    if locked:
        draw.text((along, at[1] + 3), "locked", LOCK, font(17))


def _star(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    points = [
        (x + radius * (1.0 if n % 2 == 0 else 0.42) * sin(pi * n / 5), y - radius * (1.0 if n % 2 == 0 else 0.42) * cos(pi * n / 5))
        for n in range(10)
    ]  # fmt: skip
    draw.polygon(points, (228, 170, 30))


def font(size: int) -> Font:
    """The font that comes with the library, in pixels."""
    return ImageFont.load_default(size)


def fitted(text: str, face: Font, width: float, most: int) -> list[str]:
    """``text`` in at most so many lines of a width; what does not fit ends in three dots."""
    lines, line = list[str](), ""
    words = [piece for word in text.split() for piece in _pieces(word, face, width)]
    for word in words:
        longer = f"{line} {word}" if line else word
        if line and face.getlength(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines += [line] if line else []
    if len(lines) > most:
        last = lines[most - 1]
        while last and face.getlength(f"{last}...") > width:
            last = last[:-1]
        lines = [*lines[: most - 1], f"{last.rstrip()}..."]
    return lines


def _pieces(word: str, face: Font, width: float) -> list[str]:
    """A word that is longer than a line, in pieces."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and face.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
