# SPDX-License-Identifier: GPL-3.0-or-later
"""Small real files: what a service would send and take."""

import io
import struct
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np


@cache
def png(width: int = 64, height: int = 36, shade: int = 120) -> bytes:
    """A picture with a gradient."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    picture[..., 1] = shade
    return bytes(cv2.imencode(".png", picture)[1])


@cache
def jpeg(width: int = 64, height: int = 36) -> bytes:
    """The same as JPEG."""
    return bytes(cv2.imencode(".jpg", cv2.imdecode(np.frombuffer(png(width, height), np.uint8), 1))[1])


@cache
def mp4(frames: int = 8, width: int = 64, height: int = 36, fps: int = 24) -> bytes:
    """A film in which a square moves, MPEG-4 in an MP4."""
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "film.mp4")
        film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
        for frame in range(frames):
            picture = np.full((height, width, 3), 90, np.uint8)
            picture[8:20, 4 + 4 * frame : 16 + 4 * frame] = (30, 200, 240)
            film.write(picture)
        film.release()
        return Path(path).read_bytes()


@cache
def glb() -> bytes:
    """A tetrahedron as binary glTF 2.0."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], "<f4")
    faces = np.array([0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3], "<u2")
    blob = points.tobytes() + faces.tobytes()
    text = (
        '{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"nodes":[{"mesh":0}],'
        '"meshes":[{"primitives":[{"attributes":{"POSITION":0},"indices":1}]}],'
        '"accessors":[{"bufferView":0,"componentType":5126,"count":4,"type":"VEC3","min":[0,0,0],"max":[1,1,1]},'
        '{"bufferView":1,"componentType":5123,"count":12,"type":"SCALAR"}],'
        '"bufferViews":[{"buffer":0,"byteOffset":0,"byteLength":48},{"buffer":0,"byteOffset":48,"byteLength":24}],'
        f'"buffers":[{{"byteLength":{len(blob)}}}]}}'
    ).encode()
    text += b" " * (-len(text) % 4)
    chunks = (
        struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
    )
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


@cache
def zipped(name: str = "frame0001.png") -> bytes:
    """A zip with one picture."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, png())
    return out.getvalue()
