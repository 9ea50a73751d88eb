# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker tasks: the reference sheet of a product (views, palette, materials), and how near ideas are to it."""

import shutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8, read_picture
from ..pipeline.store import read_json, storage, write_json, writing
from .idea_board import read_board
from .idea_look import (
    Shade,
    edges_likeness,
    edges_of,
    from_json,
    palette,
    palette_distance,
    shape_likeness,
    shape_of,
    small,
    subject,
    verdict,
)
from .idea_pictures import upright
from .idea_sheet import DPI, FAINT, GROUND, INK, LINE, MARGIN, PAGE, PAPER, fitted, font

SCHEMA = "holdfast/reference"
NAME, PICTURE, MATCH = "reference.json", "reference.png", "match.json"
MOST_VIEWS = 5


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """``request``: product, out (folder), locked {name, picture, words}, views [{view, picture}], materials [{name, colour,
    says}]. Writes the pictures and reference.png; returns what reference.json says: {product, idea, views, palette,
    materials, picture}. Raises InputError for a picture that can't be read, StorageError."""
    out = Path(request["out"])
    views = []
    for each in [{"view": "locked", "picture": request["locked"]["picture"]}, *request["views"]]:
        source = Path(each["picture"])
        target = out / f"{each['view']}{source.suffix.lower()}"
        if source != target:
            with writing(target) as part:
                shutil.copyfile(source, part)
        views.append({"view": str(each["view"]), "picture": target.name})
    ctx.progress(0.3, "Finding the palette")
    main = small(np.asarray(upright(out / views[0]["picture"]), np.uint8))
    mask = subject(main)
    shades = palette(main, mask)
    ctx.progress(0.6, "Drawing the sheet")
    page = drawn(request, out, views, shades)
    with writing(out / PICTURE) as part:
        page.save(part, "PNG", dpi=(DPI, DPI))
    return {
        "product": request["product"], "idea": request["locked"]["name"], "words": request["locked"].get("words", ""),
        "views": views, "palette": [shade.to_json() for shade in shades], "materials": list(request["materials"]),
        "picture": PICTURE, "subject_share": round(float(mask.mean()), 4),
    }  # fmt: skip


def drawn(
    request: Mapping[str, Any], folder: Path, views: Sequence[Mapping[str, str]], shades: Sequence[Shade]
) -> Image.Image:
    """The sheet as an A4 page: the locked picture, the views around it, palette with shares, materials."""
    page = Image.new("RGB", PAGE, PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, MARGIN - 14), f"{request['product']}: reference sheet", INK, font(38))
    words = fitted(str(request["locked"].get("words", "")), font(19), PAGE[0] - 2 * MARGIN, 1)
    draw.text((MARGIN, MARGIN + 38), words[0] if words else "", FAINT, font(19))
    draw.line((MARGIN, MARGIN + 76, PAGE[0] - MARGIN, MARGIN + 76), LINE, 2)
    top, tall = MARGIN + 104, 560
    _put(
        page, folder / views[0]["picture"], (MARGIN, top, tall, tall), f"Locked: {request['locked']['name']}"
    )
    left, room = MARGIN + tall + 30, PAGE[0] - 2 * MARGIN - tall - 30
    shown = views[1:MOST_VIEWS]
    cell = min((room - 30) // 2, (tall - 40) // 2)
    for number, each in enumerate(shown):
        at = (left + (number % 2) * (cell + 30), top + (number // 2) * (tall - cell))
        _put(page, folder / each["picture"], (*at, cell, cell), each["view"])
    if not shown:
        says = "No other views yet: build the parts in Assets, or ask for views of the locked idea."
        for row, text in enumerate(fitted(says, font(19), room - 20, 4)):
            draw.text((left, top + 8 + 26 * row), text, FAINT, font(19))
    _palette(draw, shades, top + tall + 74)
    _materials(draw, request["materials"], top + tall + 262)
    return page


def _put(page: Image.Image, path: Path, box: tuple[int, int, int, int], label: str) -> None:
    left, top, width, height = box
    draw = ImageDraw.Draw(page)
    draw.rectangle((left, top, left + width, top + height), GROUND)
    picture = upright(path)
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    page.paste(
        picture.resize(size, Image.Resampling.LANCZOS),
        (left + (width - size[0]) // 2, top + (height - size[1]) // 2),
    )
    draw.rectangle((left, top, left + width, top + height), outline=LINE)
    draw.text((left + 2, top + height + 8), label, INK, font(18))


def _palette(draw: ImageDraw.ImageDraw, shades: Sequence[Shade], top: int) -> None:
    """Bars as wide as their share, each with its code; none narrower than its code."""
    draw.text((MARGIN, top - 32), "Palette", INK, font(22))
    room, least = PAGE[0] - 2 * MARGIN, 110
    total = sum(shade.share for shade in shades)
    spare = room - least * len(shades)
    left = float(MARGIN)
    for shade in shades:
        width = least + spare * shade.share / total
        draw.rectangle((left, top, left + width - 6, top + 84), shade.rgb)
        draw.text((left + 1, top + 92), shade.hex, INK, font(17))
        draw.text((left + 1, top + 114), f"{shade.share / total:.0%}", FAINT, font(16))
        left += width


def _materials(draw: ImageDraw.ImageDraw, materials: Sequence[Mapping[str, Any]], top: int) -> None:
    draw.text((MARGIN, top - 32), "Materials", INK, font(22))
    if not materials:
        draw.text(
            (MARGIN, top), "Not known: a remote picture does not say what it is made of.", FAINT, font(18)
        )
    for number, each in enumerate(materials[:6]):
        left, line = MARGIN + (number % 3) * 540, top + (number // 3) * 58
        draw.rectangle((left, line, left + 44, line + 44), str(each["colour"]), outline=LINE)
        draw.text((left + 58, line), str(each["name"]), INK, font(18))
        says = fitted(str(each.get("says", "")), font(16), 460, 1)
        draw.text((left + 58, line + 23), says[0] if says else "", FAINT, font(16))


# -- how near a picture is ------------------------------------------------------------------------------------------


def measured(picture: U8) -> dict[str, Any]:
    """What of a picture is compared: palette, and shape and edges if a subject stands out."""
    less = small(picture)
    mask = subject(less)
    found: dict[str, Any] = {"palette": palette(less, mask), "shape": None, "edges": None}
    if mask.any():
        found |= {"shape": shape_of(mask), "edges": edges_of(less, mask)}
    return found


@lru_cache(maxsize=4)
def _reference(path: Path, stamp: int) -> tuple[str, tuple[Shade, ...], tuple[dict[str, Any], ...]]:
    made = Manifest.load(path, SCHEMA)
    shades = tuple(from_json(each) for each in made.data["palette"])
    views = tuple(measured(read_picture(path.parent / each["picture"])) for each in made.data["views"])
    return made.digest, shades, views


def near(picture: U8, path: Path) -> dict[str, Any]:
    """How near a picture is to the reference at ``path``: mean CIEDE2000 of the palettes (``de``), overlap of the outline
    and common edges with the view that fits best (0..1, None where no subject stands out), and ``says``. Raises InputError."""
    _digest, shades, views = _reference(path, path.stat().st_mtime_ns)
    own = measured(picture)
    apart = palette_distance(own["palette"], shades)
    shape = edges = None
    for view in views:
        if own["shape"] is None or view["shape"] is None:
            continue
        likeness = shape_likeness(own["shape"], view["shape"])
        if shape is None or likeness > shape:
            shape, edges = likeness, edges_likeness(own["edges"], view["edges"])
    return {
        "de": round(apart, 2), "shape": None if shape is None else round(shape, 3),
        "edges": None if edges is None else round(edges, 3), "says": verdict(apart, shape),
    }  # fmt: skip


def match_all(concepts: Path, reference: Path, ctx: Context) -> dict[str, Any]:
    """Measures every idea of a board against a reference, those that are not measured yet; writes match.json and returns
    it: {reference: digest, ideas: {name: as ``near``}}. Raises InputError, StorageError."""
    digest = Manifest.load(reference, SCHEMA).digest
    known = read_match(concepts)
    done: dict[str, Any] = dict(known["ideas"]) if known["reference"] == digest else {}
    ideas = read_board(concepts).ideas
    todo = [name for name in ideas if done.get(name, {}).get("sha256") != ideas[name].sha256]
    for name in ctx.each(todo, "Comparing with the reference sheet"):
        try:
            done[name] = {
                **near(read_picture(concepts / ideas[name].picture), reference),
                "sha256": ideas[name].sha256,
            }
        except HoldfastError as error:
            ctx.log(f"{name}: {error}")
    found = {"reference": digest, "ideas": {name: done[name] for name in ideas if name in done}}
    with storage(concepts):
        write_json(concepts / MATCH, found)
    return found


def read_match(concepts: Path) -> dict[str, Any]:
    """What was measured last; nothing if that can't be read."""
    try:
        found = read_json(concepts / MATCH)
        return {"reference": str(found["reference"]), "ideas": dict(found["ideas"])}
    except (InputError, KeyError, TypeError, ValueError):
        return {"reference": "", "ideas": {}}


def match(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Worker task of ``match_all``: concepts (folder) and reference (reference.json)."""
    return match_all(Path(request["concepts"]), Path(request["reference"]), ctx)
