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
PLAIN_GRID, FACTS_GRID = (4, 3), (3, 2)
FACT_LINES = 4
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: title, brief, out (path without suffix), facts (bool), ideas [{name, picture, prompt, line, locked,
    starred}]. Writes out.pdf and out.png, or out-1.png and so on. Returns {pdf, pages}. Raises InputError, StorageError."""
    ideas = request["ideas"]
    if not ideas:
        raise InputError("There is no picture for a contact sheet", todo="Ask for variants first.")
    out, facts = Path(request["out"]), bool(request["facts"])
    columns, rows = FACTS_GRID if facts else PLAIN_GRID
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
    draw, below = ImageDraw.Draw(page), 34 + (FACT_LINES * 21 + 26 if facts else 0)
    frame = (left, top, left + width, top + height - below)
    draw.rectangle(frame, GROUND)
    picture = upright(Path(str(idea["picture"])))
    room = (width, height - below)
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    shown = picture.resize(size, Image.Resampling.LANCZOS)
    page.paste(shown, (left + (room[0] - size[0]) // 2, top + (room[1] - size[1]) // 2))
    locked = bool(idea.get("locked"))
    draw.rectangle(frame, outline=LOCK if locked else LINE, width=6 if locked else 1)
    under = frame[3] + 10
    draw.text((left + 2, under), str(idea["name"]), LOCK if locked else INK, font(20))
    along = left + 2 + draw.textlength(str(idea["name"]), font(20)) + 12
    if idea.get("starred"):
        _star(draw, along + 8, under + 13, 10)
        along += 28
    if locked:
        draw.text((along, under + 3), "locked", LOCK, font(17))
    line = str(idea.get("line", ""))
    if facts and line:
        draw.text((left + width, under + 3), line, FAINT, font(16), "ra")
    for row, text in enumerate(
        fitted(str(idea.get("prompt", "")), font(16), width, FACT_LINES) if facts else ()
    ):
        draw.text((left + 2, under + 32 + 21 * row), text, FAINT, font(16))


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
