# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes into the pool: whole, with what they name, checked before anything is there; archives that lie leave nothing."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from holdfast.assets import bring
from holdfast.assets.portrait import GROUND, portrait
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError

from tests.loopback import media

OBJ = "mtllib skin.mtl\no box\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl skin\nf 1/1 2/1 3/1\n"
MTL = "newmtl skin\nmap_Kd tex/skin.png\n"


def brought(out: Path, *files: Path, **data: object) -> dict[str, object]:
    told = bring.run(
        {"files": [str(path) for path in files], "out": str(out), "data": data, "inputs": {"picture": "a"}},
        Context(),
    )
    found = bring.pool(out.parent)[out.name]
    assert told == {"id": out.name, "digest": found.digest} and dict(found.inputs) == {"picture": "a"}
    return dict(found.data)


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def obj_files(folder: Path) -> Path:
    (folder / "tex").mkdir(parents=True)
    (folder / "My Box (1).obj").write_text(OBJ)
    (folder / "skin.mtl").write_text(MTL)
    (folder / "tex/skin.png").write_bytes(media.png())
    (folder / "secret.txt").write_text("nobody names me")
    return folder / "My Box (1).obj"


def test_one_file_with_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    data = brought(tmp_path / "pool/box", obj_files(tmp_path / "in"), name="box")
    home = tmp_path / "pool/box"
    assert data["mesh"] == "mesh/My_Box_1.obj" and data["kind"] == "obj" and data["name"] == "box"
    assert sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()) == [
        "asset.json", "mesh/My_Box_1.obj", "mesh/skin.mtl", "mesh/tex/skin.png", "portrait.png"
    ]  # fmt: skip
    assert data["facts"]["triangles"] == 1 and "path" not in data["facts"]


def test_a_portrait_shows_what_is_in_front_and_is_the_same_again() -> None:
    x, y, z = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float).T
    square, faces = np.stack([x, y, z], 1), np.array([[0, 1, 2], [0, 2, 3]])
    both = np.concatenate([square, square * 0.5 + (0, 0, 1.0)])
    shown = portrait(both, np.concatenate([faces, faces + 4]))
    assert (
        shown.shape == (256, 256, 3) and (shown == portrait(both, np.concatenate([faces, faces + 4]))).all()
    )
    inside = (shown != GROUND).any(axis=2)
    assert 0.1 < inside.mean() < 0.8 and not inside[:8].any() and not inside[:, :8].any()
    assert (portrait(square * 0, faces) == GROUND).all(), "without area there is nothing to see"


def test_the_best_mesh_of_a_result_is_taken_out_of_its_archive(tmp_path: Path) -> None:
    files = {"out/a.obj": b"v 0 0 0\n", "out/model.glb": media.glb(), "readme.txt": b"hello"}
    data = brought(tmp_path / "pool/x", archive(tmp_path / "00.zip", files))
    assert (data["mesh"], data["kind"]) == ("mesh/model.glb", "glb")
    assert not (tmp_path / "pool/x/unpacked").exists()
    folder = obj_files(tmp_path / "in").parent
    zipped = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    data = brought(tmp_path / "pool/y", archive(tmp_path / "01.zip", zipped))
    assert data["kind"] == "obj" and (tmp_path / "pool/y/mesh/tex/skin.png").exists()


def test_a_package_of_usd_stays_whole(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        made.writestr("model.usda", "#usda 1.0\n")
    (tmp_path / "02.zip").write_bytes(out.getvalue())
    data = brought(tmp_path / "pool/u", tmp_path / "02.zip")
    assert (data["mesh"], data["kind"]) == ("mesh/model.usdz", "usd")


def test_again_it_is_left_as_it_is(tmp_path: Path) -> None:
    mesh = tmp_path / "a.glb"
    mesh.write_bytes(media.glb())
    first = brought(tmp_path / "pool/a", mesh, name="first")
    assert brought(tmp_path / "pool/a", mesh, name="second") == first


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"../../evil.glb": media.glb()}, "outside itself"),
        ({"/etc/evil.glb": media.glb()}, "outside itself"),
        ({"C:\\evil.glb": media.glb()}, "outside itself"),
        ({"a.txt": b"x"}, "no mesh"),
        ({"a.glb": b"glTF" + bytes(40)}, r"a\.glb"),
        ({f"{n}.txt": b"" for n in range(3000)}, "fill the disk"),
    ],
    ids=["up", "root", "drive", "none", "broken", "many"],
)
def test_what_lies_is_refused_and_leaves_nothing(tmp_path: Path, files: dict[str, bytes], says: str) -> None:
    path = archive(tmp_path / "bad.zip", files)
    with pytest.raises(InputError, match=says):
        bring.run({"files": [str(path)], "out": str(tmp_path / "pool/bad")}, Context())
    assert list((tmp_path / "pool").iterdir()) == [] and not (tmp_path / "evil.glb").exists()


def test_a_scene_of_very_many_objects_is_refused_before_an_importer_climbs_through_it(tmp_path: Path) -> None:
    whole = media.glb()
    length = int.from_bytes(whole[12:16], "little")
    doc, blob = json.loads(whole[20 : 20 + length]), whole[20 + length + 8 :]
    (tmp_path / "blob.bin").write_bytes(blob)
    doc["buffers"][0]["uri"] = "blob.bin"
    doc["nodes"], doc["scenes"] = [{"mesh": 0}] * 2500, [{"nodes": list(range(2500))}]
    (tmp_path / "many.gltf").write_text(json.dumps(doc))
    with pytest.raises(InputError, match="more than 2,000"):
        bring.run({"files": [str(tmp_path / "many.gltf")], "out": str(tmp_path / "pool/many")}, Context())


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as made:
        entry = zipfile.ZipInfo("a.glb")
        entry.external_attr = 0o120777 << 16
        made.writestr(entry, "/etc/passwd")
    with pytest.raises(InputError, match="outside itself"):
        bring.run({"files": [str(tmp_path / "l.zip")], "out": str(tmp_path / "pool/l")}, Context())


def test_a_damaged_record_is_not_in_the_pool(tmp_path: Path) -> None:
    mesh = tmp_path / "a.glb"
    mesh.write_bytes(media.glb())
    brought(tmp_path / "pool/a", mesh)
    record = tmp_path / "pool/a/asset.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "data": {}}))
    assert bring.pool(tmp_path / "pool") == {}
