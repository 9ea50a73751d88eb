# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a photographed drawing: sheet, strokes, outline, axis, features, and which way to make it solid."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import InputError, UsageError
from . import outline_features as features
from .outline import METHODS, Outline
from .outline_features import Feature, Upright
from .outline_trace import Axis, Silhouette, find_axis, find_silhouette, level_lines
from .polygon import area, simplified
from .sketch_ink import F32, Ink, clean_picture, find_ink
from .sketch_method import Evidence, suggest
from .sketch_photo import FlatSheet, flatten_sheet, read_photo

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
WANTED_PX = 1100  # height of the upright drawing, so that textures stay sharp
LEANS_FROM = 0.9  # likeness of the halves from which a tilt is believed
SYMMETRIC = {
    "REVOLVE": 0.0,
    "EXTRUDE": 0.93,
    "INFLATE": 0.93,
}  # from which likeness the two halves are averaged


@dataclass(frozen=True)
class Drawing:
    """A read drawing with its pictures: ``clean`` (H, W, 3) uint8, ``decor`` (H, W) uint8 (255 = line)."""

    outline: Outline
    view: Upright
    clean: U8
    decor: U8


def read_drawing(path: Path | str, *, name: str, height_mm: float, kind: str = "AUTO") -> Drawing:
    """Reads the drawing in a picture file.

    ``height_mm`` is the real height of the drawn part, ``kind`` AUTO, REVOLVE, EXTRUDE or INFLATE.
    Raises InputError or UsageError with a sentence that names the file.
    """
    if kind not in ("AUTO", *METHODS):
        raise UsageError(
            f"Unknown kind of sketch {kind!r}", where=name, todo="Use AUTO, REVOLVE, EXTRUDE or INFLATE."
        )
    if not 0.5 <= height_mm <= 10_000:
        raise UsageError(
            f"The real height {height_mm:g} mm is out of range", where=name, todo="Give 0.5 to 10000 mm."
        )
    sheet = flatten_sheet(read_photo(path))
    try:
        ink, shape = _ink_and_shape(sheet)
    except InputError as error:
        raise InputError(f"{Path(path).name}: {error.what}", where=str(path), todo=error.todo) from error
    axis = find_axis(shape.field > 0)
    if axis.symmetry < LEANS_FROM:
        axis = Axis(axis.x, axis.y, 0.0, axis.symmetry)
    view = _upright(sheet, ink, shape, axis, height_mm)
    return _interpret(
        view, axis, name, kind, (sheet.says, *_gap_note(shape, view, view.stroke_px / ink.stroke_px))
    )


def _ink_and_shape(sheet: FlatSheet) -> tuple[Ink, Silhouette]:
    """Grey strokes first; if they close nothing, strokes of any colour."""
    try:
        ink = find_ink(sheet.rgb)
        return ink, find_silhouette(ink.mask, ink.stroke_px)
    except InputError as first:
        try:
            ink = find_ink(sheet.rgb, coloured=True)
            return ink, find_silhouette(ink.mask, ink.stroke_px)
        except InputError as second:
            raise second if "blank" in first.what else first from second


def _gap_note(shape: Silhouette, view: Upright, zoom: float) -> tuple[str, ...]:
    gap = shape.gap_px * zoom / view.px_per_mm
    return (f"gaps of up to {gap:.1f} mm in the outline were bridged",) if gap > 0.4 else ()


def _upright(sheet: FlatSheet, ink: Ink, shape: Silhouette, axis: Axis, height_mm: float) -> Upright:
    """Turns and crops everything so that the axis is vertical; scaled towards a useful size."""
    ys, xs = np.nonzero(shape.field > 0)
    turn = np.radians(axis.tilt_deg)
    across = (xs - axis.x) * np.cos(turn) + (ys - axis.y) * np.sin(turn)
    down = -(xs - axis.x) * np.sin(turn) + (ys - axis.y) * np.cos(turn)
    reach, top, low = float(np.abs(across).max()), float(down.min()), float(down.max())
    zoom = float(np.clip(WANTED_PX / (low - top + 1), 0.4, 2.0))
    margin = 0.14 * max(low - top, 2 * reach)
    half = int((reach + margin) * zoom) + 1
    size = (2 * half + 1, int((low - top + 2 * margin) * zoom) + 1)
    matrix = cv2.getRotationMatrix2D((axis.x, axis.y), axis.tilt_deg, zoom)
    matrix[:, 2] += (half - axis.x, (margin - top) * zoom - axis.y)

    def turned(picture: NDArray[np.generic], fill: float | None) -> NDArray[np.generic]:
        border = cv2.BORDER_REPLICATE if fill is None else cv2.BORDER_CONSTANT
        return np.asarray(
            cv2.warpAffine(picture, matrix, size, None, cv2.INTER_CUBIC, border, (fill or 0.0,) * 3)
        )

    field = np.asarray(turned(shape.field, -float(max(size))), np.float32) * zoom
    soft = np.asarray(turned(ink.mask.astype(np.float32), 0), np.float32)
    rows = np.flatnonzero((field > 0).any(axis=1))
    top_px, bottom_px = _level_ends(field, int(rows[0]), int(rows[-1]))
    return Upright(
        rgb=np.asarray(turned(sheet.rgb, None), np.uint8), tone=np.clip(np.asarray(turned(ink.tone, 0), np.float32), 0, 1),
        ink=soft > 0.5, inside=np.asarray(turned(shape.inside.astype(np.float32), 0), np.float32) > 0.5, field=field,
        axis_px=float(half), top_px=top_px, bottom_px=bottom_px, px_per_mm=(bottom_px - top_px) / height_mm,
        stroke_px=ink.stroke_px * zoom,
    )  # fmt: skip


def _level_ends(field: F32, first: int, last: int) -> tuple[float, float]:
    """Rows (fractional) of the outline's top and bottom: where a twentieth of its greatest width is reached."""
    wide = (field > 0).sum(axis=1)
    enough = np.flatnonzero(wide >= max(3, 0.05 * int(wide.max())))
    first, last = max(first, int(enough[0])), min(last, int(enough[-1]))
    top = first - float(np.clip(np.percentile(field[first][field[first] > 0], 75), 0, 1))
    bottom = last + float(np.clip(np.percentile(field[last][field[last] > 0], 75), 0, 1))
    return top, bottom


def _interpret(view: Upright, axis: Axis, name: str, kind: str, notes: tuple[str, ...]) -> Drawing:
    mirrored = np.asarray(0.5 * (view.field + view.field[:, ::-1]), np.float32)
    even = Upright(**{**vars(view), "field": mirrored})
    drawn = features.centre_line(view)
    peg, socket = features.find_peg(even), features.find_socket(even)
    decor = features.decor_tone(view, drop_centre=drawn, socket=socket)
    holes, panes = features.inner_cells(view, decor > 0.4)
    found = tuple(f for f in (peg, socket) if f is not None)
    contour = _contour(view)
    evidence = Evidence(view.field > 0, axis.symmetry, drawn, found, [int(h.sum()) for h in holes], contour)
    method, confidence, reasons = suggest(evidence)
    if kind != "AUTO":
        method, confidence, reasons = kind, 1.0, (f"{kind.lower()} was asked for", *reasons)
    if method == "REVOLVE":
        panes = features.inner_cells(even, (decor > 0.4) | (decor > 0.4)[:, ::-1])[1]
    use = even if axis.symmetry >= SYMMETRIC[method] else view
    outline = Outline(
        name=name, height_mm=view.height_mm, method=method, confidence=confidence, reasons=reasons,
        contour=_contour(use), half=_half(even), holes=_lines(view, holes if method == "EXTRUDE" else []),
        panes=_lines(view, panes + ([] if method == "EXTRUDE" else holes)),
        features=found if method == "REVOLVE" else (), symmetry=axis.symmetry, tilt_deg=axis.tilt_deg,
        deviation_mm=_deviation(view), centre_line=drawn, stroke_mm=view.stroke_px / view.px_per_mm,
        picture={"clean": "clean.png", "decor": "decor.png", "px_per_mm": view.px_per_mm,
                 "axis_px": view.axis_px, "bottom_px": view.bottom_px}, notes=notes,
    )  # fmt: skip
    return Drawing(outline, view, clean_picture(view.tone), np.asarray(decor * 255 + 0.5, np.uint8))


def _contour(view: Upright) -> F64:
    lines = level_lines(view.field)
    if not lines:
        raise InputError(
            "No closed shape was found in the drawing", todo="Draw the outline as one closed line."
        )
    points = simplified(view.to_mm(lines[0]), view.height_mm / 15_000)
    return points if area(points) > 0 else points[::-1]


def _half(even: Upright) -> F64:
    """Right half of the symmetrised contour from its lowest to its highest crossing of the axis."""
    points = _contour(even)
    right = points[:, 0] >= 0
    if right.all() or not right.any():
        return np.empty((0, 2))
    start = int(np.flatnonzero(right & ~np.roll(right, 1))[np.argmin(points[right & ~np.roll(right, 1), 1])])
    rolled = np.roll(points, -start, axis=0)
    stop = int(np.argmin(rolled[:, 0] >= 0))
    part = rolled[:stop] if stop > 2 else rolled
    return np.vstack([[0.0, part[0, 1]], part, [0.0, part[-1, 1]]])


def _deviation(view: Upright) -> float:
    """Mean distance (mm) between the drawn outline and its own mirror: |field| of the mirror along the outline."""
    edge = np.abs(view.field) < 1.0
    other = np.abs(view.field[:, ::-1])[edge]
    return float(other.mean() / view.px_per_mm) if other.size else 0.0


def _lines(view: Upright, masks: list[NDArray[np.bool_]]) -> tuple[F64, ...]:
    out = []
    for mask in masks:
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(1.0, 0.35 * view.stroke_px)) - 0.5
        lines = level_lines(np.asarray(soft, np.float32) * 4, shortest_px=8)
        if lines:
            points = simplified(view.to_mm(lines[0]), view.height_mm / 5_000)
            out.append(points if area(points) > 0 else points[::-1])
    return tuple(out)


__all__ = ["Drawing", "Feature", "read_drawing"]
