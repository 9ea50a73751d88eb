# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures for the panels: the concept variants and the colours of parts, through Blender's own preview images."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import bpy
import bpy.utils.previews
import cv2
import numpy as np

from ..pipeline.errors import HoldfastError
from ..pipeline.manifest import Manifest
from ..pipeline.part_colours import colour_of, index_of
from ..pipeline.pictures import F32, U8, read_picture
from ..pipeline.project import ShotFolder

_previews: list[bpy.utils.previews.ImagePreviewCollection] = []
_stamps: dict[str, int] = {}
_SWATCH = 16
_PAIR = 256


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


def show_files(paths: Iterable[Path]) -> Iterator[None]:
    """Loads small pictures, one a step; only new or changed ones."""
    for path in paths:
        if _stamps.get(str(path)) is None or not icon(str(path)):
            _load(str(path))
            icon(str(path))  # Blender reads the file when the icon is first asked for: here, not in draw()
            yield


def show_pairs(paths: Iterable[Path]) -> Iterator[None]:
    """Loads the pairs of pictures (render | take) of findings, one a step, each as a square with the take below: a
    sidebar is narrow. Only new or changed ones."""
    for path in paths:
        key = str(path)
        try:
            stamp = path.stat().st_mtime_ns
            if _stamps.get(key) == stamp:
                continue
            pixels = square_of(read_picture(path))
        except (OSError, HoldfastError):
            continue
        previews = _previews[0]
        if key in previews:
            del previews[key]
        preview = previews.new(key)
        preview.image_size = preview.icon_size = (pixels.shape[1], pixels.shape[0])
        preview.image_pixels_float.foreach_set(pixels.ravel())
        preview.icon_pixels_float.foreach_set(pixels.ravel())
        _stamps[key] = stamp
        yield


def square_of(pair: U8) -> F32:
    """(N, N, 4) float32 RGBA 0..1, N up to 256, bottom row first, of a picture (H, W, 3) whose halves show the same place: the left
    one on top of the right one."""
    half = pair.shape[1] // 2
    stacked = np.concatenate([pair[:, :half], pair[:, -half:]])
    smaller = _PAIR / max(stacked.shape[:2])
    if smaller < 1.0:
        stacked = cv2.resize(stacked, None, fx=smaller, fy=smaller, interpolation=cv2.INTER_AREA)
    stacked = stacked.astype(np.float32) / 255.0
    side = max(stacked.shape[:2])
    square = np.zeros((side, side, 4), np.float32)
    top, left = (side - stacked.shape[0]) // 2, (side - stacked.shape[1]) // 2
    square[top : top + stacked.shape[0], left : left + stacked.shape[1], :3] = stacked
    square[top : top + stacked.shape[0], left : left + stacked.shape[1], 3] = 1.0
    return np.ascontiguousarray(square[::-1])


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
