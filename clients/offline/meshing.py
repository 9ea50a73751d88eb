# SPDX-License-Identifier: GPL-3.0-or-later
"""A surface of quads and triangles with texture coordinates at its corners."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Mesh:
    """``vertices`` (V, 3) float64 metres, Z up; ``quads`` (Q, 4) and ``tris`` (T, 3) int64, anticlockwise seen from
    outside; ``quad_uv`` (Q, 4, 2) and ``tri_uv`` (T, 3, 2) in 0..1, v up."""

    vertices: F64
    quads: I64
    tris: I64
    quad_uv: F64
    tri_uv: F64

    @property
    def face_count(self) -> int:
        """Faces as they are written: quads and triangles."""
        return len(self.quads) + len(self.tris)

    def triangles(self) -> tuple[I64, F64]:
        """All faces as triangles (N, 3) with their coordinates (N, 3, 2); quads split along their first diagonal."""
        split = np.concatenate([self.quads[:, [0, 1, 2]], self.quads[:, [0, 2, 3]], self.tris])
        uv = np.concatenate([self.quad_uv[:, [0, 1, 2]], self.quad_uv[:, [0, 2, 3]], self.tri_uv])
        return split, uv

    def moved(self, offset: tuple[float, float, float]) -> "Mesh":
        """The mesh shifted by metres."""
        return replace(self, vertices=self.vertices + np.asarray(offset, float))


def mesh(vertices: F64, quads: I64, tris: I64, quad_uv: F64, tri_uv: F64) -> Mesh:
    """A Mesh with its arrays in shape, even if there are no quads or no triangles."""
    return Mesh(
        np.asarray(vertices, np.float64).reshape(-1, 3),
        np.asarray(quads, np.int64).reshape(-1, 4), np.asarray(tris, np.int64).reshape(-1, 3),
        np.asarray(quad_uv, np.float64).reshape(-1, 4, 2), np.asarray(tri_uv, np.float64).reshape(-1, 3, 2),
    )  # fmt: skip
