# SPDX-License-Identifier: GPL-3.0-or-later
"""Worker task of Assets: outlines in; watertight, unwrapped, textured meshes at real size out."""

import zlib
from pathlib import Path
from typing import Any

import cv2

from ...pipeline.context import Context
from ...pipeline.errors import UsageError
from ...pipeline.pictures import write_picture
from .mate import mated
from .obj import write_obj
from .outline import Outline, load_outline
from .parts import Part, build_parts
from .texture import palette


def run(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    """Builds the parts of ``{"outlines": [path of an outline.json, or {"name", "path"}], "out": folder, "detail": 96,
    "texture_px": 1024, "palette": {"base": "#rrggbb", ...}, "mate": [{"peg", "socket", "clearance_mm"}]}``.

    Writes ``<out>/<sketch>/<part>.obj``, .mtl and .png. Returns ``{"assets": [{"name", "parts": [{"name", "mesh", "texture",
    "method", "features", "quality"}]}], "notes": [sentences]}`` with paths relative to ``out``. ``palette`` may also hold
    palettes by sketch name. Raises InputError or UsageError.
    """
    cv2.setNumThreads(2)
    outlines = _outlines(request["outlines"])
    outlines, notes = mated(outlines, list(request.get("mate") or []))
    for note in notes:
        ctx.log(note)
    out = Path(request["out"])
    assets = []
    for outline in ctx.each(list(outlines.values()), "Building part"):
        colours = dict(request.get("palette") or {})
        own = colours.get(outline.name)
        parts = build_parts(
            outline, detail=int(request.get("detail") or 96), texture_px=int(request.get("texture_px") or 1024),
            colours=palette(own if isinstance(own, dict) else colours), seed=zlib.crc32(outline.name.encode()),
        )  # fmt: skip
        ctx.cancel.check()
        assets.append({"name": outline.name, "parts": [_written(part, outline, out) for part in parts]})
    return {"assets": assets, "notes": notes}


def _outlines(items: list[Any]) -> dict[str, Outline]:
    if not items:
        raise UsageError("There is no outline to build", todo="Run Ideate first.")
    loaded = [load_outline(item["path"] if isinstance(item, dict) else item) for item in items]
    by_name = {outline.name: outline for outline in loaded}
    if len(by_name) < len(loaded):
        raise UsageError("Two outlines have the same name", todo="Give every sketch its own name.")
    return by_name


def _written(part: Part, outline: Outline, out: Path) -> dict[str, Any]:
    folder = out / outline.name
    write_picture(folder / f"{part.name}.png", part.texture)
    write_obj(folder / f"{part.name}.obj", part.mesh, name=part.name, texture=f"{part.name}.png")
    return {
        "name": part.name, "mesh": f"{outline.name}/{part.name}.obj", "texture": f"{outline.name}/{part.name}.png",
        "material": f"{outline.name}/{part.name}.mtl", "method": part.method, "features": part.features,
        "quality": part.quality,
    }  # fmt: skip
