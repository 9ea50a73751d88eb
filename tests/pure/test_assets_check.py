# SPDX-License-Identifier: GPL-3.0-or-later
"""Valid files pass with their facts; every kind of hostile file is refused with a sentence."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from holdfast.assets.check import check_file, run
from holdfast.assets.facts import Limits, MeshFile
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError

from .assets_samples import MTL, OBJ, POINTS, USDA, fbx, glb, gltf_parts, ply, png, stl, usdc, usdz, write_all


def refused(path: Path, data: bytes | str, **limits: int) -> str:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(InputError) as caught:
        check_file(path, Limits(**limits))
    return str(caught.value)


def test_the_facts_of_valid_files(tmp_path: Path) -> None:
    facts = {path.name: check_file(path) for path in write_all(tmp_path)}
    assert {n: f.triangles for n, f in facts.items() if not n.startswith(("uneven", "tetra.usd"))} == dict.fromkeys(
        ("tetra.glb", "tetra.gltf", "tetra.obj", "tetra.stl", "text.stl", "tetra.ply", "big.ply", "text.ply", "tetra.fbx"), 4
    )  # fmt: skip
    assert facts["uneven.ply"].triangles == 6 and facts["tetra.usdz"].triangles == -1
    model = facts["tetra.glb"]
    assert (model.format, model.meshes, model.vertices, model.materials, model.instances) == (
        "GLB",
        1,
        4,
        1,
        1,
    )
    assert [(t.kind, t.width, t.embedded) for t in model.textures] == [("png", 4, True)]
    assert facts["tetra.gltf"].side_files == ("tetra.bin",)
    assert facts["tetra.obj"].side_files == ("decor.png", "tetra.mtl")
    assert [(t.name, t.embedded, t.missing) for t in facts["tetra.obj"].textures] == [
        ("decor.png", False, False)
    ]
    assert facts["tetra.fbx"].outside == ("C:\\work\\decor.png",)
    assert [t.width for t in facts["tetra.usdc"].textures] == [4]
    assert MeshFile.from_json(json.loads(json.dumps(model.to_json()))) == model


def test_it_runs_as_a_worker_task(tmp_path: Path) -> None:
    (tmp_path / "a.stl").write_bytes(stl())
    assert run({"path": str(tmp_path / "a.stl")}, Context())["facts"]["triangles"] == 4
    with pytest.raises(InputError, match="missing"):
        run({"path": str(tmp_path / "b.stl")}, Context())


def test_missing_pictures_and_materials_are_facts(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_bytes(OBJ)
    assert "tetra.mtl is missing" in check_file(tmp_path / "a.obj").notes[0]
    (tmp_path / "tetra.mtl").write_bytes(MTL)
    assert [t.missing for t in check_file(tmp_path / "a.obj").textures] == [True]


def change(doc: dict[str, Any], where: str, value: Any) -> dict[str, Any]:
    """The document with the value at "nodes.0.children" put in."""
    *above, last = where.split(".")
    target: Any = doc
    for part in above:
        target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return doc


@pytest.mark.parametrize(("where", "value", "says"), [
    ("nodes.1.children", [0], "own ancestors"), ("nodes.0.children", [0], "own parent"),
    ("nodes.0.children", [1, 1], "two parents"), ("nodes.0.children", [9], "'children' out of range"),
    ("nodes.1.mesh", 7, "'mesh' out of range"), ("nodes.1.translation", [0, 0, 1e999], "Infinity"),
    ("nodes.1.matrix", [1, 2], "16 finite numbers"), ("accessors.0.count", 5, "beyond its buffer view"),
    ("accessors.0.count", 10**12, "'count' out of range"), ("accessors.0.count", -4, "'count' out of range"),
    ("accessors.0.count", True, "'count' out of range"), ("accessors.0.byteOffset", 2**40, "out of range"),
    ("accessors.0.type", "VEC9", "unknown type"), ("accessors.0.componentType", 5127, "out of range|unknown"),
    ("accessors.1.count", 13, "beyond its buffer view"), ("accessors.2.count", 3, "3 values of TEXCOORD_0"),
    ("bufferViews.0.byteLength", 10**6, "beyond its buffer"), ("bufferViews.0.byteOffset", -1, "out of range"),
    ("bufferViews.0.byteStride", 4, "stride"), ("bufferViews.0.buffer", 3, "out of range"),
    ("buffers.0.byteLength", 10**8, "claims 100,000,000"), ("materials.0.normalTexture", {"index": 4}, "'index'"),
    ("accessors.0.sparse", {"count": 10**9, "indices": {}, "values": {}}, "'count' out of range"),
    ("accessors.0.sparse", {"count": 2, "indices": {"bufferView": 1, "componentType": 5123, "byteOffset": 2},
                            "values": {"bufferView": 9}}, "out of range"),
    ("accessors.0.sparse", {"count": 4, "indices": {"bufferView": 2, "componentType": 5125, "byteOffset": 0},
                            "values": {"bufferView": 0}}, "beyond its end"),
    ("meshes.0.primitives", [], "without any primitive"), ("images.0.bufferView", 77, "out of range"),
    ("textures.0.source", 5, "out of range"), ("scenes.0.nodes", [5], "out of range"), ("nodes", 5, "damaged"),
    ("skins", [{"joints": [5]}], "out of range"), ("asset.version", "1.0", "only 2.0"),
    ("animations", [{"samplers": [{"input": 0, "output": 99}], "channels": []}], "out of range"),
    ("extensionsRequired", ["KHR_texture_basisu"], "KTX2"), ("extensionsRequired", ["EVIL_thing"], "no Blender"),
    ("extensionsRequired", [{}], "damaged"),
])  # fmt: skip
def test_a_spoiled_document_is_refused(tmp_path: Path, where: str, value: Any, says: str) -> None:
    doc, binary = gltf_parts()
    text = refused(tmp_path / "a.glb", glb(change(doc, where, value), binary))
    assert re.search(says, text), text


@pytest.mark.parametrize("uri", [
    "../x.bin", "a/../../x.bin", "%2e%2e/x.bin", "%252e%252e/x.bin", "..%5cx.bin", "..\\x.bin", "/etc/passwd",
    "file:///etc/passwd", "http://127.0.0.1/x", "\\\\server\\share\\x.bin", "//server/x", "C:\\x.bin", "c:x.bin",
    "%2fetc/passwd", "~/x.bin", "NUL", "x\u0000.bin", "smb:x", "a" * 2000, "x.bin:stream",
])  # fmt: skip
def test_path_tricks_are_refused_and_nothing_is_opened(tmp_path: Path, uri: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "x.bin").write_bytes(bytes(1000))
    doc, binary = gltf_parts()
    doc["buffers"] = [{"byteLength": len(binary), "uri": uri}]
    assert "names a buffer by" in refused(inner / "a.gltf", json.dumps(doc))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.png").write_bytes(png())
    (inner / "decor.png").symlink_to(tmp_path / "secret.png")
    (inner / "tetra.mtl").write_bytes(MTL)
    assert "link out of its folder" in refused(inner / "a.obj", OBJ)


def test_required_compression_says_which_blender_reads_it(tmp_path: Path) -> None:
    doc, binary = gltf_parts()
    (tmp_path / "a.glb").write_bytes(glb(doc | {"extensionsRequired": ["EXT_meshopt_compression"]}, binary))
    assert "from version 5.2 on" in check_file(tmp_path / "a.glb").notes[0]


@pytest.mark.parametrize(("data", "says"), [
    (b"[" * 100_000, "nested"), (b'{"a":' * 100 + b"1" + b"}" * 100, "nested"), (b'{"a": NaN}', "NaN"),
    (b"{", "can't be read"), (b"[1]", "no object"), (b'{"a": ' + b"9" * 5000 + b"}", "can't be read"),
    (b'{"a": "' + b'\\"' * 200_000, "can't be read"), (b'{"\xff": 1}', "can't be read"),
])  # fmt: skip
def test_json_that_would_choke_a_parser(tmp_path: Path, data: bytes, says: str) -> None:
    assert says in refused(tmp_path / "a.glb", glb(data))


def test_brackets_in_text_are_not_depth(tmp_path: Path) -> None:
    doc, binary = gltf_parts()
    doc["nodes"][0]["name"] = '[{"\\' * 200
    (tmp_path / "a.glb").write_bytes(glb(doc, binary))
    assert check_file(tmp_path / "a.glb").triangles == 4


def test_numbers_in_the_binary_are_looked_at(tmp_path: Path) -> None:
    doc, binary = gltf_parts()
    nan = np.float32(np.nan).tobytes() + binary[4:]
    assert "POSITION that are not finite" in refused(tmp_path / "a.glb", glb(doc, nan))
    far = binary[:48] + np.uint16(4).tobytes() + binary[50:]
    assert "vertices that it does not have" in refused(tmp_path / "a.glb", glb(doc, far))
    assert "cut off" in refused(tmp_path / "a.glb", glb(doc, binary)[:-8])


@pytest.mark.parametrize(("picture", "says"), [
    (png(100_000, 4), "100,000 x 4"), (png(16_000, 16_000), "claims 16000 x 16000"),
    (b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<5I", 0, 1, 99_999, 1, 0), "99,999"),
    (b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + b"\xff" * 6, "16,777,216"),
    (b"\xff\xd8\xff\xe0\0\4\0\0\xff\xc0\0\x11\x08\xff\xff\xff\xff\3" + bytes(40), "65,535"),
])  # fmt: skip
def test_absurd_pictures(tmp_path: Path, picture: bytes, says: str) -> None:
    doc, binary = gltf_parts(picture)
    assert says in refused(tmp_path / "a.glb", glb(doc, binary))


def test_bombs_are_measured_before_they_burst(tmp_path: Path) -> None:
    doc, _binary = gltf_parts()
    doc["buffers"] = [{"byteLength": 10, "uri": "data:application/octet-stream;base64," + "A" * 5000}]
    assert "where 14 are expected" in refused(tmp_path / "a.gltf", json.dumps(doc))
    zeros = np.zeros(3_000_000, "<f8")
    assert "bytes in its arrays" in refused(tmp_path / "a.fbx", fbx(points=zeros), memory_bytes=10_000_000)
    whole = fbx()
    at = whole.index(b"Vertices") + 9
    assert "another size" in refused(tmp_path / "a.fbx", whole[:at] + struct.pack("<I", 3) + whole[at + 4 :])


def test_limits_and_the_estimate_of_memory(tmp_path: Path) -> None:
    doc, binary = gltf_parts()
    whole = glb(doc, binary)
    assert "4 triangles; more than 3" in refused(tmp_path / "a.glb", whole, triangles=3)
    assert "more than 3" in refused(tmp_path / "a.ply", ply(), vertices=3)
    assert "GB of memory" in refused(tmp_path / "a.glb", whole, memory_bytes=500)
    chain = [{"children": [n + 1]} for n in range(300)] + [{"mesh": 0}]
    assert "more than 200 deep" in refused(tmp_path / "a.glb", glb(doc | {"nodes": chain}, binary))


@pytest.mark.parametrize(("old", "new", "says"), [
    (b"f 1/1/1", b"f 9/1/1", "does not have"), (b"f -3", b"f -9", "does not have"), (b"f 1/1/1", b"f 0/1/1", "does not"),
    (b"f 1/1/1", b"f 1/9/1", "does not have"), (b"v 1 0 0", b"v nan 0 0", "not finite"), (b"v 1 0 0", b"v 1 0", "fewer"),
    (b"v 1 0 0", b"v x 0 0", "a number"), (b"f -3 -2 -1", b"f 1/2/3/4 2 3", "can't be read|whole number"),
    (b"tetra.mtl", b"../tetra.mtl", "out of its folder"), (b"o tetra", b"o " + b"x" * 2_000_000, "never ends"),
    (b"tetra.mtl", b"\\\\host\\tetra.mtl", "another computer"),
])  # fmt: skip
def test_spoiled_obj(tmp_path: Path, old: bytes, new: bytes, says: str) -> None:
    assert old in OBJ
    assert re.search(says, refused(tmp_path / "a.obj", OBJ.replace(old, new)))


def test_spoiled_mtl(tmp_path: Path) -> None:
    (tmp_path / "tetra.mtl").write_bytes(MTL.replace(b"decor.png", b"C:\\Users\\me\\decor.png"))
    assert "absolute path" in refused(tmp_path / "a.obj", OBJ)


def test_spoiled_stl_and_ply(tmp_path: Path) -> None:
    assert "another number" in refused(tmp_path / "a.stl", stl() + b"x")
    assert "three corners" in refused(tmp_path / "b.stl", stl(text=True).rpartition(b"endloop")[0])
    assert "cut off" in refused(tmp_path / "a.ply", ply()[:-3])
    assert "does not have" in refused(tmp_path / "a.ply", ply().replace(b"\3\0\0\0\0\2", b"\3\0\0\0\0\7"))
    assert "claims 99" in refused(tmp_path / "a.ply", ply().replace(b"vertex 4", b"vertex 99999999"))
    assert "claims" in refused(tmp_path / "a.ply", ply("ascii").replace(b"face 4", b"face 4000000"))
    assert "never ends" in refused(tmp_path / "a.ply", ply().replace(b"end_header", b"end_footer"))
    nan = ply().replace(POINTS.tobytes(), np.full((4, 3), np.inf, np.float32).tobytes())
    assert "not finite" in refused(tmp_path / "a.ply", nan)


def test_spoiled_fbx(tmp_path: Path) -> None:
    assert "own ancestors" in refused(tmp_path / "a.fbx", fbx(links=[(2, 3), (3, 2)]))
    assert "another computer" in refused(tmp_path / "a.fbx", fbx(name="\\\\host\\share\\x.png"))
    assert "another computer" in refused(tmp_path / "a.fbx", fbx(name="http://host/x.png"))
    assert "does not have" in refused(tmp_path / "a.fbx", fbx(corners=np.array([0, 1, ~4], "<i4")))
    assert "not finite" in refused(tmp_path / "a.fbx", fbx(points=np.full((4, 3), np.nan)))
    assert "beyond" in refused(tmp_path / "a.fbx", fbx()[:27] + b"\xff\xff\xff\0" + fbx()[31:])
    assert "text FBX" in refused(tmp_path / "a.fbx", b"; FBX 7.4.0 project file\n")
    assert "version 6100" in refused(
        tmp_path / "a.fbx", fbx().replace(struct.pack("<I", 7400), struct.pack("<I", 6100), 1)
    )


def test_spoiled_usd(tmp_path: Path) -> None:
    tokens = b"World\0Mesh\0xxxxxxx\0/xxxx/me/decor.png\0"
    assert "absolute path" in refused(tmp_path / "a.usdc", usdc(tokens))
    assert "contents outside" in refused(tmp_path / "a.usdc", usdc()[:100])
    whole = usdc()
    assert "of names" in refused(tmp_path / "a.usdc", whole[:96] + struct.pack("<Q", 2**40) + whole[104:])
    assert "out of its folder" in refused(tmp_path / "a.usda", USDA.replace(b"./decor", b"../decor"))
    assert "nested" in refused(tmp_path / "a.usda", USDA + b"def X {\n" * 200)
    assert "packed or locked" in refused(tmp_path / "a.usdz", usdz(method=zipfile.ZIP_DEFLATED))
    assert "out of its folder" in refused(tmp_path / "a.usdz", usdz({"a.usda": USDA, "../b.png": png()}))
    assert "does not begin" in refused(tmp_path / "a.usdz", usdz({"b.png": png()}))
    assert "absolute" in refused(
        tmp_path / "a.usdz", usdz({"a.usda": USDA.replace(b"./decor.png", b"/etc/x.png")})
    )
    assert "damaged zip" in refused(tmp_path / "a.usdz", usdz()[:-30])


def test_a_name_that_lies_is_refused(tmp_path: Path) -> None:
    assert "not what its name says" in refused(tmp_path / "a.fbx", stl())
    assert "no mesh file" in refused(tmp_path / "a.blend", b"BLENDER")
