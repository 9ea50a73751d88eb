# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures for the panels: the concept variants and the colours of parts, through Blender's own preview images."""

from collections.abc import Iterable
from pathlib import Path

import bpy
import bpy.utils.previews
import numpy as np

from ..pipeline.manifest import Manifest
from ..pipeline.part_colours import colour_of, index_of
from ..pipeline.project import ShotFolder

_previews: list[bpy.utils.previews.ImagePreviewCollection] = []
_stamps: dict[str, int] = {}
_SWATCH = 16


def open_previews() -> None:
    """Makes the collection of previews."""
    _previews.append(bpy.utils.previews.new())


def close_previews() -> None:
    """Frees all previews."""
    _stamps.clear()
    bpy.utils.previews.remove(_previews.pop())


def refresh(shot: ShotFolder, concepts: Manifest | None) -> None:
    """Points the previews at the variants of the concepts; only new or changed pictures are loaded."""
    assets = concepts.data["assets"] if concepts is not None else []
    for asset in assets:
        _load(str(shot.concepts / asset.get("found", asset["cleaned"])))
        for variant in asset["variants"]:
            _load(str(shot.concepts / variant["picture"]))


def show_crops(folder: Path, crops: Iterable[str]) -> None:
    """Loads the pictures of a report's findings; only new or changed ones."""
    for crop in crops:
        _load(str(folder / crop))


def _load(path: str) -> None:
    try:
        stamp = Path(path).stat().st_mtime_ns
    except OSError:
        return
    if _stamps.get(path) == stamp:
        return
    previews = _previews[0]
    if path in previews:
        del previews[path]
    previews.load(path, path, "IMAGE")
    _stamps[path] = stamp


def icon(path: str) -> int:
    """The icon of the picture at ``path``, or 0 if it isn't loaded."""
    return int(_previews[0][path].icon_id) if _previews and path in _previews[0] else 0


def make_swatches(numbers: Iterable[int]) -> None:
    """Makes the icons of parts' colours that are not there yet."""
    previews = _previews[0]
    for index in sorted({index_of(number) for number in numbers}):
        if f"part {index}" not in previews:
            swatch = previews.new(f"part {index}")
            swatch.icon_size = (_SWATCH, _SWATCH)
            swatch.icon_pixels_float.foreach_set(_round(colour_of(index)))


def swatch(number: int) -> int:
    """The icon of a part's colour."""
    return icon(f"part {index_of(number)}")


def _round(colour: tuple[float, float, float]) -> list[float]:
    """RGBA of a filled square with cut corners."""
    pixels = np.empty((_SWATCH, _SWATCH, 4), np.float32)
    pixels[:] = (*colour, 1.0)
    away = np.abs(np.arange(_SWATCH) - (_SWATCH - 1) / 2)
    pixels[away[:, None] + away[None, :] > _SWATCH - 3, 3] = 0.0
    pixels[(np.maximum(away[:, None], away[None, :]) > _SWATCH / 2 - 1), 3] = 0.0
    found: list[float] = pixels.ravel().tolist()
    return found
