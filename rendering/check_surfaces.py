# SPDX-License-Identifier: GPL-3.0-or-later
"""points.npz as the checks read it: points on the parts whose surface is known at every frame."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..pipeline.errors import InputError
from ..pipeline.truth import AGAIN, F64

FILE = "points.npz"


@dataclass(frozen=True)
class Surface:
    """``points`` and flat ``normals`` (N, 3) in the axes of the part's pose, ``area`` of the whole surface in m2."""

    points: F64
    normals: F64
    area: float

    def placed(self, pose: F64) -> tuple[F64, F64, float]:
        """World points, unit normals, and the area of the surface under ``pose`` (4, 4), which may be scaled."""
        turn = pose[:3, :3]
        across = self.normals @ np.linalg.inv(turn) * abs(np.linalg.det(turn))
        length = np.linalg.norm(across, axis=1, keepdims=True)
        return self.points @ turn.T + pose[:3, 3], across / length, float(self.area * length.mean())


class Surfaces:
    """The surfaces by part; a package without points.npz has none, and its parts are taken as rigid and opaque."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._exact: set[str] = set(names)
        self._found: dict[str, Surface] = {}
        path = folder / FILE
        if not path.exists():
            return
        try:
            with np.load(path) as stored:
                points, normals = (np.asarray(stored[key], np.float64) for key in ("points", "normals"))
                areas, exact = np.asarray(stored["areas"], np.float64), np.asarray(stored["exact"], bool)
        except (OSError, EOFError, KeyError, ValueError, BadZipFile) as error:
            raise InputError("The points of the parts can't be read", where=str(path), todo=AGAIN) from error
        count = len(names)
        right = points.shape == normals.shape and points.shape[::2] == (count, 3)
        if not (right and areas.shape == exact.shape == (count,)):
            raise InputError("The points don't belong to these parts", where=str(path), todo=AGAIN)
        if not all(np.isfinite(each).all() for each in (points, normals, areas)):
            raise InputError("The points of the parts hold NaN or infinity", where=str(path), todo=AGAIN)
        self._exact = {name for name, sure in zip(names, exact, strict=True) if sure}
        for row, name in enumerate(names):
            if name in self._exact:
                self._found[name] = Surface(points[row], normals[row], float(areas[row]))

    def exact(self, name: str) -> bool:
        """Whether pixels of the part can be held against its pose: it is rigid, opaque, and drawn as it is."""
        return name in self._exact

    def get(self, name: str) -> Surface | None:
        """The surface of an exact part, if the package has it."""
        return self._found.get(name)
