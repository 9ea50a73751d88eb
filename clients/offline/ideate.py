# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task of Ideate: photographed sketches in; clean lines, what was found, and outlines in millimetres out."""

from pathlib import Path
from typing import Any

import cv2

from ...pipeline.context import Context
from ...pipeline.errors import UsageError
from ...pipeline.pictures import write_gray, write_picture
from .sketch import read_drawing
from .sketch_found import found_picture


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Reads every sketch of ``{"sketches": [{"name", "path", "kind", "height_mm"}], "out": folder}``.

    Writes ``<out>/<name>/`` clean.png, decor.png, found.png and outline.json. Returns ``{"assets": [{name, sketch, cleaned,
    found, outline, method, confidence, reasons, features, symmetric, notes}]}`` with paths relative to ``out``.
    Raises InputError or UsageError with one sentence naming the sketch.
    """
    cv2.setNumThreads(2)
    sketches = request["sketches"]
    if not sketches:
        raise UsageError(
            "There is no sketch to read", todo="Add a photo of a drawing to the list of sketches."
        )
    names = [str(sketch["name"]) for sketch in sketches]
    for name in names:
        if not name or Path(name).name != name or names.count(name) > 1:
            raise UsageError(
                f"The sketch name {name!r} can't be used", todo="Give every sketch its own plain name."
            )
    out = Path(request["out"])
    return {"assets": [_one(sketch, out, ctx) for sketch in ctx.each(sketches, "Reading sketch")]}


def _one(sketch: dict[str, Any], out: Path, ctx: Context) -> dict[str, Any]:
    name = str(sketch["name"])
    kind, height_mm = str(sketch.get("kind") or "AUTO"), float(sketch.get("height_mm") or 60.0)
    drawing = read_drawing(sketch["path"], name=name, height_mm=height_mm, kind=kind)
    ctx.cancel.check()
    outline, folder = drawing.outline, out / name
    write_picture(folder / "clean.png", drawing.clean)
    write_gray(folder / "decor.png", drawing.decor)
    write_picture(folder / "found.png", found_picture(outline, drawing.view))
    outline.save(folder / "outline.json")
    ctx.log(
        f"{name}: {outline.method.lower()}, {100 * outline.confidence:.0f} % sure: {'; '.join(outline.reasons)}"
    )
    return {
        "name": name, "sketch": str(sketch["path"]), "cleaned": f"{name}/clean.png", "found": f"{name}/found.png",
        "outline": f"{name}/outline.json", "method": outline.method, "confidence": round(outline.confidence, 3),
        "reasons": list(outline.reasons), "features": outline.to_json()["features"],
        "symmetry": round(outline.symmetry, 4), "notes": list(outline.notes),
    }  # fmt: skip
