# SPDX-License-Identifier: GPL-3.0-or-later
"""Small valid mesh files of every format, made byte by byte, for tests to read and to spoil."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

POINTS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.uint16)
UV = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)


def png(width: int = 4, height: int = 4, filler: int = 64) -> bytes:
    """The head of a PNG of that size, and some bytes behind it."""
    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + body
    return head + struct.pack(">I", zlib.crc32(b"IHDR" + body)) + bytes(filler)


def gltf_parts(picture: bytes = b"") -> tuple[dict[str, Any], bytes]:
    """(document, binary) of a textured tetrahedron under two nodes."""
    picture = picture or png()
    binary = POINTS.tobytes() + FACES.tobytes() + UV.tobytes() + picture
    spans = [(0, 48), (48, 24), (72, 32), (104, len(picture))]
    doc: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [{"buffer": 0, "byteOffset": at, "byteLength": size} for at, size in spans],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": 4},
            {"bufferView": 1, "componentType": 5123, "type": "SCALAR", "count": 12},
            {"bufferView": 2, "componentType": 5126, "type": "VEC2", "count": 4},
        ],
        "images": [{"bufferView": 3, "mimeType": "image/png", "name": "decor"}],
        "textures": [{"source": 0}],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        "meshes": [
            {"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 2}, "indices": 1, "material": 0}]}
        ],
        "nodes": [{"children": [1]}, {"mesh": 0, "translation": [0, 0, 2]}],
        "scenes": [{"nodes": [0]}],
    }
    return doc, binary


def glb(doc: dict[str, Any] | bytes, binary: bytes = b"") -> bytes:
    """A GLB of a document, or of the bytes of one, and its buffer."""
    text = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = (
        struct.pack("<I", len(text)) + b"JSON" + text + struct.pack("<I", len(binary)) + b"BIN\0" + binary
    )
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


OBJ = (
    b"mtllib tetra.mtl\n# made by hand\no tetra\n"
    + b"".join(b"v %g %g %g\nvn 0 0 1\n" % tuple(map(float, point)) for point in POINTS)
    + b"vt 0 0\nvt 1 0\nvt 0 1\nusemtl red\ns 1\nf 1/1/1 3/2/1 2/3/1\nf 1//1 2//1 4//1\nf -3 -2 -1\nf 3/1 1/2 4/3\n"
)
MTL = b"newmtl red\nKd 1 0 0\nmap_Kd -s 1 1 1 decor.png\n"


def stl(text: bool = False) -> bytes:
    corners = POINTS[FACES]
    if not text:
        facets = b"".join(bytes(12) + corner.tobytes() + bytes(2) for corner in corners)
        return bytes(80) + struct.pack("<I", len(corners)) + facets
    lines = ["solid tetra"]
    for corner in corners:
        lines += ["facet normal 0 0 0", "outer loop", *(f"vertex {x:g} {y:g} {z:g}" for x, y, z in corner)]
        lines += ["endloop", "endfacet"]
    return "\n".join([*lines, "endsolid tetra", ""]).encode()


def ply(form: str = "binary_little_endian", quad: bool = False) -> bytes:
    """A tetrahedron; with ``quad`` its faces are of different lengths."""
    faces = [list(map(int, face)) for face in FACES] + ([[0, 1, 2, 3]] if quad else [])
    head = f"ply\nformat {form} 1.0\ncomment by hand\nelement vertex 4\nproperty float x\nproperty float y\n"
    head += (
        f"property float z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    if form == "ascii":
        rows = [f"{x:g} {y:g} {z:g}" for x, y, z in POINTS] + [
            f"{len(f)} {' '.join(map(str, f))}" for f in faces
        ]
        return (head + "\n".join(rows) + "\n").encode()
    order = "<" if form.endswith("little_endian") else ">"
    body = POINTS.astype(f"{order}f4").tobytes()
    return head.encode() + body + b"".join(struct.pack(f"{order}B{len(f)}i", len(f), *f) for f in faces)


def fbx_node(name: str, values: list[Any], children: bytes = b"", at: int = 0) -> bytes:
    """One node of a binary FBX 7.4 that begins at byte ``at`` of its file. Arrays are packed."""
    properties = b""
    for value in values:
        if isinstance(value, str | bytes):
            data = value.encode() if isinstance(value, str) else value
            properties += (b"S" if isinstance(value, str) else b"R") + struct.pack("<I", len(data)) + data
        elif isinstance(value, np.ndarray):
            packed = zlib.compress(value.tobytes())
            code = {"<f8": b"d", "<i4": b"i"}[value.dtype.str]
            properties += code + struct.pack("<III", value.size, 1, len(packed)) + packed
        else:
            properties += b"L" + struct.pack("<q", value)
    head = 13 + len(name) + len(properties)
    tail = bytes(13) if children else b""
    end = at + head + len(children) + len(tail)
    return (
        struct.pack("<IIIB", end, len(values), len(properties), len(name))
        + name.encode()
        + properties
        + children
        + tail
    )


def fbx_tree(tree: list[Any], at: int) -> bytes:
    """Nodes (name, values, children) as bytes; offsets in FBX are from the start of the file."""
    out = b""
    for name, values, children in tree:
        head = len(fbx_node(name, values))
        below = fbx_tree(children, at + len(out) + head) if children else b""
        out += fbx_node(name, values, below, at + len(out))
    return out


def fbx(
    links: list[tuple[int, int]] | None = None, name: str = "C:\\work\\decor.png", **arrays: Any
) -> bytes:
    points = arrays.get("points", POINTS.astype("<f8"))
    corners = arrays.get("corners", np.array([0, 2, ~1, 0, 1, ~3, 1, 2, ~3, 2, 0, ~3], "<i4"))
    objects = [
        (
            "Geometry",
            [1, "tetra", "Mesh"],
            [("Vertices", [points.ravel()], []), ("PolygonVertexIndex", [corners], [])],
        ),
        ("Model", [2, "tetra", "Mesh"], []),
        ("Model", [3, "empty", "Null"], []),
        ("Material", [4, "red", ""], []),
        ("Texture", [5, "decor", ""], [("FileName", [name], []), ("RelativeFilename", ["decor.png"], [])]),
    ]
    linked = [("C", ["OO", below, above], []) for below, above in (links or [(1, 2), (2, 3), (3, 0), (4, 2)])]
    head = b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400)
    return (
        head + fbx_tree([("Objects", [], objects), ("Connections", [], linked)], 27) + bytes(13) + bytes(160)
    )


def lz4(data: bytes) -> bytes:
    """One block of literals, behind the byte that says that there is only one."""
    rest = len(data) - 15
    return b"\0\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + data


def usdc(tokens: bytes = b"World\0Mesh\0./decor.png\0xform\0") -> bytes:
    packed = lz4(tokens)
    section = struct.pack("<QQQ", tokens.count(b"\0"), len(tokens), len(packed)) + packed
    head = b"PXR-USDC" + bytes([0, 8, 0, 0, 0, 0, 0, 0]) + struct.pack("<q", 88 + len(section)) + bytes(64)
    return head + section + struct.pack("<Q16sqq", 1, b"TOKENS", 88, len(section))


USDA = b"""#usda 1.0
def Mesh "tetra"
{
    point3f[] points = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    asset file = @./decor.png@
}
"""


def usdz(entries: dict[str, bytes] | None = None, method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in (entries or {"tetra.usda": USDA, "decor.png": png()}).items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return stream.getvalue()


def write_all(folder: Path) -> list[Path]:
    """One valid file of every kind, with what they name beside them."""
    doc, binary = gltf_parts()
    apart = {**doc, "buffers": [{"byteLength": len(binary), "uri": "tetra.bin"}]}
    files = {
        "tetra.glb": glb(doc, binary), "tetra.gltf": json.dumps(apart).encode(), "tetra.obj": OBJ,
        "tetra.stl": stl(), "text.stl": stl(text=True), "tetra.ply": ply(), "big.ply": ply("binary_big_endian"),
        "text.ply": ply("ascii"), "uneven.ply": ply(quad=True), "tetra.fbx": fbx(), "tetra.usdc": usdc(),
        "tetra.usda": USDA, "tetra.usdz": usdz(),
    }  # fmt: skip
    beside = {"tetra.bin": binary, "tetra.mtl": MTL, "decor.png": png()}
    for name, data in (files | beside).items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]
