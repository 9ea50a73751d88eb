# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the OBJ meshes of the asset stage exactly as they are: vertices, faces and UVs, no axis change. No bpy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError

MOST_BYTES = 512 * 2**20


@dataclass(frozen=True)
class ObjMesh:
    """``vertices`` (N, 3) float64 metres, Z up; ``faces`` lists of vertex indices; ``uvs`` (loops, 2) float32 in
    0..1, one a face corner in order, or None if the file has none."""

    vertices: NDArray[np.float64]
    faces: list[list[int]]
    uvs: NDArray[np.float32] | None


def read_obj(path: Path) -> ObjMesh:
    """Parses v, vt and f lines; everything else is skipped. Raises InputError for a file that makes no mesh."""
    again = "Run Assets again."
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is too large to be a part", where=str(path), todo=again)
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(f"{path.name} is missing or can't be read", where=str(path), todo=again) from error
    try:
        return _parse(text)
    except (ValueError, IndexError) as error:
        raise InputError(f"{path.name} is damaged", where=str(path), todo=again) from error


def _parse(text: str) -> ObjMesh:
    vertices: list[tuple[float, ...]] = []
    points: list[tuple[float, ...]] = []
    faces: list[list[int]] = []
    corners: list[int] = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append(tuple(float(value) for value in rest.split()[:3]))
        elif word == "vt":
            points.append(tuple(float(value) for value in rest.split()[:2]))
        elif word == "f":
            pairs = [(corner + "//").split("/")[:2] for corner in rest.split()]
            faces.append([_index(vertex, len(vertices)) for vertex, _ in pairs])
            corners += [_index(point, len(points)) if point else -1 for _, point in pairs]
    array = np.array(vertices, np.float64).reshape(-1, 3)
    if not faces or not np.isfinite(array).all() or any(len(set(face)) < 3 for face in faces):
        raise ValueError("no faces")
    with_uvs = bool(points) and min(corners) >= 0
    return ObjMesh(array, faces, np.array(points, np.float32)[corners] if with_uvs else None)


def _index(word: str, count: int) -> int:
    """OBJ's 1-based or negative index as 0-based. Raises IndexError outside the file."""
    number = int(word)
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise IndexError(word)
    return index
