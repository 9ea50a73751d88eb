# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drawing says, as data: outline.json in millimetres, x from the axis and z above the bottom."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pipeline.errors import InputError
from ...pipeline.store import read_json, write_json
from .outline_features import Feature

F64 = NDArray[np.float64]
SCHEMA, VERSION = "holdfast/outline", 1
METHODS = ("REVOLVE", "EXTRUDE", "INFLATE")


@dataclass(frozen=True)
class Outline:
    """A read drawing.

    ``contour`` (N, 2) closed, anticlockwise seen from the front; ``holes`` and ``panes`` lists of (N, 2);
    ``half`` (N, 2) the symmetrised right half from the lowest to the highest point of the axis, empty if none;
    ``picture`` names clean.png, decor.png and their scale; ``deviation_mm`` between the drawn halves (mean).
    """

    name: str
    height_mm: float
    method: str
    confidence: float
    reasons: tuple[str, ...]
    contour: F64
    half: F64
    holes: tuple[F64, ...] = ()
    panes: tuple[F64, ...] = ()
    features: tuple[Feature, ...] = ()
    symmetry: float = 0.0
    tilt_deg: float = 0.0
    deviation_mm: float = 0.0
    centre_line: bool = False
    stroke_mm: float = 0.5
    picture: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folder: Path = Path()

    def feature(self, kind: str) -> Feature | None:
        """The peg or the socket, if drawn."""
        return next((f for f in self.features if f.kind == kind), None)

    def save(self, path: Path) -> None:
        """Writes outline.json."""
        write_json(path, self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values, lengths rounded to a micrometre."""
        return {
            "schema": SCHEMA, "version": VERSION, "name": self.name, "height_mm": self.height_mm,
            "method": {"name": self.method, "confidence": round(self.confidence, 3), "reasons": list(self.reasons)},
            "contour": _rounded(self.contour), "half": _rounded(self.half),
            "holes": [_rounded(line) for line in self.holes], "panes": [_rounded(line) for line in self.panes],
            "features": [{k: round(v, 4) if isinstance(v, float) else v for k, v in vars(f).items()} for f in self.features],
            "axis": {"symmetry": round(self.symmetry, 4), "tilt_deg": round(self.tilt_deg, 3),
                     "deviation_mm": round(self.deviation_mm, 4), "drawn": self.centre_line},
            "stroke_mm": round(self.stroke_mm, 4), "picture": self.picture, "notes": list(self.notes),
        }  # fmt: skip


def _rounded(points: F64) -> list[list[float]]:
    return [[round(float(x), 3), round(float(y), 3)] for x, y in points]


def load_outline(path: Path | str) -> Outline:
    """Reads outline.json. Raises InputError if it is missing, damaged, of another kind or newer."""
    path = Path(path)
    data = read_json(path)
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError(f"{path.name} is not an outline", where=str(path), todo="Run Ideate again.")
    if int(data.get("version", 0)) > VERSION:
        raise InputError(
            f"{path.name} was written by a newer Holdfast", where=str(path), todo="Update the extension."
        )
    try:
        return _from_json(data, path.parent)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is damaged", where=str(path), todo="Run Ideate again.") from error


def _from_json(data: dict[str, Any], folder: Path) -> Outline:
    method, axis = data["method"], data["axis"]
    if method["name"] not in METHODS:
        raise ValueError(method["name"])
    return Outline(
        name=str(data["name"]), height_mm=float(data["height_mm"]), method=method["name"],
        confidence=float(method["confidence"]), reasons=tuple(method["reasons"]),
        contour=_points(data["contour"]), half=_points(data["half"]),
        holes=tuple(_points(line) for line in data["holes"]), panes=tuple(_points(line) for line in data["panes"]),
        features=tuple(Feature(**f) for f in data["features"]), symmetry=float(axis["symmetry"]),
        tilt_deg=float(axis["tilt_deg"]), deviation_mm=float(axis["deviation_mm"]), centre_line=bool(axis["drawn"]),
        stroke_mm=float(data["stroke_mm"]), picture=dict(data["picture"]), notes=tuple(data["notes"]), folder=folder,
    )  # fmt: skip


def _points(value: list[list[float]]) -> F64:
    points = np.asarray(value, np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise ValueError("not finite")
    return points
