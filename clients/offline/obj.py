# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a mesh as Wavefront OBJ with its material: metres, Z up, exact topology, smooth shaded."""

from pathlib import Path

import numpy as np

from ...pipeline.store import write_bytes
from .meshing import I64, Mesh


def write_obj(path: Path, mesh: Mesh, *, name: str, texture: str = "", roughness: float = 0.45) -> None:
    """Writes ``path`` (.obj) and the .mtl beside it; ``texture`` is a file name in the same folder."""
    corners = np.concatenate([mesh.quad_uv.reshape(-1, 2), mesh.tri_uv.reshape(-1, 2)])
    keys = np.round(corners * 2**20).astype(np.int64)
    _, first, index = np.unique(keys[:, 0] * 2**22 + keys[:, 1], return_index=True, return_inverse=True)
    index = index.reshape(-1) + 1
    quads, tris = mesh.quads + 1, mesh.tris + 1
    quad_t = index[: quads.size].reshape(-1, 4)
    tri_t = index[quads.size :].reshape(-1, 3)
    lines = [f"# {name}: metres, Z up", f"mtllib {path.stem}.mtl", f"o {name}"]
    lines += ["v {:.9g} {:.9g} {:.9g}".format(*v) for v in mesh.vertices.tolist()]
    lines += ["vt {:.7g} {:.7g}".format(*t) for t in corners[first].tolist()]
    lines += ["s 1", f"usemtl {name}"]
    lines += ["f {}/{} {}/{} {}/{} {}/{}".format(*row) for row in _paired(quads, quad_t)]
    lines += ["f {}/{} {}/{} {}/{}".format(*row) for row in _paired(tris, tri_t)]
    write_bytes(path, ("\n".join(lines) + "\n").encode())
    write_bytes(path.with_suffix(".mtl"), _material(name, texture, roughness).encode())


def _paired(faces: I64, uvs: I64) -> list[list[int]]:
    rows: list[list[int]] = (
        np.stack([faces, uvs], axis=2).reshape(len(faces), -1).tolist() if len(faces) else []
    )
    return rows


def _material(name: str, texture: str, roughness: float) -> str:
    lines = [f"newmtl {name}", "Ka 0 0 0", "Kd 0.8 0.8 0.8", "Ks 0.5 0.5 0.5", f"Ns {(1 - roughness) ** 2 * 1000:.1f}",
             "Ni 1.45", "illum 2"]  # fmt: skip
    return "\n".join([*lines, *([f"map_Kd {texture}"] if texture else [])]) + "\n"
