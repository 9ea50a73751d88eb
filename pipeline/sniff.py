# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is, by its first bytes: names and Content-Type of a server prove nothing."""

from pathlib import Path

HEAD = 512
SUFFIX = {
    "png": ".png", "jpeg": ".jpg", "webp": ".webp", "gif": ".gif", "tiff": ".tif", "exr": ".exr",
    "mp4": ".mp4", "mov": ".mov", "webm": ".webm", "avi": ".avi",
    "glb": ".glb", "gltf": ".gltf", "fbx": ".fbx", "obj": ".obj", "stl": ".stl", "ply": ".ply", "usd": ".usd",
    "zip": ".zip", "npz": ".npz", "json": ".json", "wav": ".wav", "mp3": ".mp3",
}  # fmt: skip
"""The suffix that a file of each kind gets here."""
PICTURES = ("png", "jpeg", "webp", "tiff", "exr", "gif")
VIDEOS = ("mp4", "mov", "webm", "avi")
MESHES = ("glb", "gltf", "fbx", "obj", "stl", "ply", "usd", "zip")
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"II*\0", "tiff"), (b"MM\0*", "tiff"),
    (b"\x76\x2f\x31\x01", "exr"), (b"\x1a\x45\xdf\xa3", "webm"), (b"glTF", "glb"), (b"Kaydara FBX Binary", "fbx"),
    (b"; FBX", "fbx"), (b"ply\n", "ply"), (b"ply\r", "ply"), (b"PXR-USDC", "usd"), (b"#usda", "usd"), (b"ID3", "mp3"),
    (b"solid ", "stl"), (b"\xff\xfb", "mp3"),
)  # fmt: skip


def kind_of(head: bytes, size: int = 0) -> str:
    """The kind of a file that begins with ``head`` and is ``size`` bytes long (0: unknown); "" if it is none of ours."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[4:8] == b"ftyp":
        return "mov" if head[8:12] == b"qt  " else "mp4"
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}.get(head[8:12], "")
    if head[:2] == b"PK":
        return "npz" if b".npy" in head[:HEAD] else "zip"
    if size >= 84 and len(head) >= 84 and size == 84 + 50 * int.from_bytes(head[80:84], "little"):
        return "stl"
    return _text(head)


def _text(head: bytes) -> str:
    words = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if words[:1] in (b"{", b"["):
        return "gltf" if b'"asset"' in words and b"version" in words else "json"
    lines = [line.split() for line in words.splitlines() if line.strip() and not line.startswith(b"#")]
    if lines and lines[0] and lines[0][0] in (b"v", b"mtllib", b"o", b"g", b"vn", b"vt", b"usemtl"):
        return "obj"
    return ""


def kind_of_file(path: Path) -> str:
    """The same of a file. Raises OSError."""
    with path.open("rb") as stream:
        return kind_of(stream.read(HEAD), path.stat().st_size)
