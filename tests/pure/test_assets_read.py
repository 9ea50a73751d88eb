# SPDX-License-Identifier: GPL-3.0-or-later
"""The readers against what was written, and against trimesh's readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from holdfast.assets.gltf_check import DRACO
from holdfast.assets.inspect import inspect_mesh
from holdfast.assets.mesh import fan
from holdfast.assets.read import read_mesh
from holdfast.pipeline.errors import InputError

from .assets_samples import FACES, UV, glb, gltf_parts, write_all
from .assets_shapes import gear


def test_all_samples_give_the_tetrahedron(tmp_path: Path) -> None:
    for path in write_all(tmp_path):
        if path.suffix not in (".glb", ".gltf", ".obj", ".stl", ".ply") or path.name == "uneven.ply":
            continue
        mesh, facts = read_mesh(path)
        card = inspect_mesh(mesh)
        assert card.value("volume") == pytest.approx(1e6 / 6), path.name
        assert (card.value("watertight"), card.value("flipped"), facts.triangles) == ("yes", 0, 4), path.name


def test_formats_that_blender_alone_reads(tmp_path: Path) -> None:
    for path in write_all(tmp_path):
        if path.suffix in (".fbx", ".usda"):
            with pytest.raises(InputError, match="Blender alone"):
                read_mesh(path)
    doc, binary = gltf_parts()
    doc["meshes"][0]["primitives"][0]["extensions"] = {DRACO: {"bufferView": 0, "attributes": {}}}
    (tmp_path / "packed.glb").write_bytes(glb(doc, binary))
    with pytest.raises(InputError, match="Draco"):
        read_mesh(tmp_path / "packed.glb")


def test_gltf_places_turns_and_unwraps(tmp_path: Path) -> None:
    doc, binary = gltf_parts()
    half = 0.5**0.5
    doc["nodes"] = [{"children": [1], "rotation": [0, 0, half, half]}, {"mesh": 0, "scale": [-2, 2, 2]},
                    {"mesh": 0, "translation": [9, 0, 0], "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 0}}}}]  # fmt: skip
    doc["scenes"] = [{"nodes": [0, 2]}]
    (tmp_path / "a.glb").write_bytes(glb(doc, binary))
    mesh, facts = read_mesh(tmp_path / "a.glb")
    assert facts.instances == 5 and len(mesh.triangles) == 20 and mesh.materials == ("0",)
    volumes = [inspect_mesh(mesh.part(np.arange(n, n + 4)), crossing=False).value("volume") for n in (16, 0)]
    assert sorted(volumes) == pytest.approx([1e6 / 6, 8e6 / 6])
    scaled = mesh.part(np.arange(16, 20)) if volumes[0] > volumes[1] else mesh.part(np.arange(4))
    used = np.unique(mesh.points[scaled.triangles].reshape(-1, 3).round(9) + 0.0, axis=0)
    # x -> -2x, a quarter turn about z, then y up becomes z up: (1, 0, 0) -> (-2, 0, 0) -> (0, -2, 0) -> (0, 0, -2)
    assert used.tolist() == [[-2, 0, 0], [0, -2, 0], [0, 0, -2], [0, 0, 0]]
    assert mesh.uv is not None and np.isfinite(mesh.uv).all()


def test_uvs_and_normalised_integers(tmp_path: Path) -> None:
    doc, binary = gltf_parts()
    packed = (UV * 65535).astype("<u2").tobytes()
    doc["buffers"][0]["byteLength"] += len(packed)
    doc["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(packed)})
    doc["accessors"][2] = {
        "bufferView": 4,
        "componentType": 5123,
        "type": "VEC2",
        "count": 4,
        "normalized": True,
    }
    (tmp_path / "a.glb").write_bytes(glb(doc, binary + packed))
    mesh, _facts = read_mesh(tmp_path / "a.glb")
    assert mesh.uv is not None
    assert np.allclose(mesh.uv, UV[FACES] * [1, -1] + [0, 1])


@pytest.mark.parametrize("suffix", ["glb", "obj", "stl", "ply"])
def test_beside_another_reader(tmp_path: Path, suffix: str) -> None:
    mesh = gear()
    path = tmp_path / f"gear.{suffix}"
    trimesh.Trimesh(mesh.points, mesh.triangles, process=False).export(path)
    ours = read_mesh(path)[0]
    assert len(ours.triangles) == len(mesh.triangles)
    turned = ours.points[:, [0, 2, 1]] * [1, 1, -1] if suffix in ("glb", "obj") else ours.points
    away = np.abs(turned[ours.triangles] - mesh.points[mesh.triangles]).max()
    assert away < 1e-6 and inspect_mesh(ours, crossing=False).value("watertight") == "yes"


def test_polygons_become_fans() -> None:
    assert fan(np.array([3, 4, 2, 5])).tolist() == [
        [0, 1, 2],
        [3, 4, 5],
        [3, 5, 6],
        [9, 10, 11],
        [9, 11, 12],
        [9, 12, 13],
    ]
