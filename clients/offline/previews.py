# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker tasks of look development: small textured meshes of every variant, and the sheet of all pictures."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...pipeline.context import Context
from ...pipeline.pictures import U8, read_picture, write_picture
from ...pipeline.store import storage
from . import meshes

DETAIL, TEXTURE_PX = 64, 320
PAPER, INK, FAINT = (246, 243, 236), (38, 34, 36), (128, 122, 118)
ROW_PX, MARGIN_PX, TITLE_PX = 300, 28, 34


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Preview meshes of ``{"outlines", "out", "mate", "variants": [{"id", "palettes": {sketch: palette}}]}``.

    Returns ``{"variants": {id: assets as clients.offline.meshes returns them}}``, paths relative to ``out``.
    """
    out = Path(request["out"])
    if out.exists():
        with storage(out):
            shutil.rmtree(out)
    made: dict[str, Any] = {}
    for index, variant in enumerate(request["variants"]):
        share = ctx.part(index / len(request["variants"]), (index + 1) / len(request["variants"]))
        task = {
            "outlines": request["outlines"],
            "out": str(out / variant["id"]),
            "detail": DETAIL,
            "texture_px": TEXTURE_PX,
            "palette": variant["palettes"],
            "mate": request.get("mate", []),
        }
        made[variant["id"]] = meshes.run(task, share)["assets"]
    return {"variants": made}


def sheet(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """The contact sheet of ``{"out": picture, "title", "rows": [[{"picture", "label", "locked"}]]}``."""
    rows = []
    for row in request["rows"]:
        ctx.cancel.check()
        rows.append(
            [_cell(read_picture(cell["picture"]), cell["label"], bool(cell.get("locked"))) for cell in row]
        )
    width = max(sum(cell.shape[1] for cell in row) + MARGIN_PX * (len(row) + 1) for row in rows)
    height = sum(row[0].shape[0] + MARGIN_PX for row in rows) + 2 * MARGIN_PX + TITLE_PX
    page = np.full((height, width, 3), PAPER, np.uint8)
    top = 2 * MARGIN_PX + TITLE_PX
    for row in rows:
        left = (width - sum(cell.shape[1] for cell in row) - MARGIN_PX * (len(row) - 1)) // 2
        for cell in row:
            page[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
            left += cell.shape[1] + MARGIN_PX
        top += row[0].shape[0] + MARGIN_PX
    canvas = Image.fromarray(page)
    ImageDraw.Draw(canvas).text((MARGIN_PX, MARGIN_PX), request["title"], INK, ImageFont.load_default(26))
    write_picture(Path(request["out"]), np.asarray(canvas, np.uint8))
    return {"out": request["out"]}


def _cell(picture: U8, label: str, locked: bool) -> U8:
    """A picture scaled to the row's height with its caption below; the locked one is framed."""
    scale = ROW_PX / picture.shape[0]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(picture, (max(round(picture.shape[1] * scale), 1), ROW_PX), interpolation=how)
    cell = np.full((ROW_PX + 30, scaled.shape[1], 3), PAPER, np.uint8)
    cell[:ROW_PX] = scaled
    canvas = Image.fromarray(cell)
    draw = ImageDraw.Draw(canvas)
    if locked:
        draw.rectangle((0, 0, scaled.shape[1] - 1, ROW_PX - 1), outline=(208, 120, 40), width=5)
    words = f"{label}  (locked)" if locked else label
    draw.text((2, ROW_PX + 7), words, INK if locked else FAINT, ImageFont.load_default(16))
    return np.asarray(canvas, np.uint8)
