# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a downloaded file what it says? A little of it is decoded, in the worker, before it counts."""

import io
import struct
import zipfile
from pathlib import Path

import cv2

from ..pipeline.errors import InputError
from ..pipeline.sniff import PICTURES, VIDEOS, kind_of_file
from ..pipeline.turn import Turn
from . import probe_mesh
from .calls import parsed

MOST_PIXELS, MOST_PIXELS_OF_A_FILM = 16384 * 8192, 8192 * 4608
"""Larger than any frame that is asked for: a picture made to fill the memory."""
MOST_BYTES = 640 << 20
"""What a picture may take in memory."""
MOST_UNPACKED, MOST_TIMES, MOST_FILES = 8 << 30, 200, 20000
MOST_JSON = 32 << 20
_decoding = Turn()
"""One is decoded at a time: several large ones at once would fill the memory too."""


def probe(path: Path) -> None:
    """Raises InputError for what can't be read or is made to do harm."""
    kind = kind_of_file(path)
    if kind in PICTURES:
        _picture(path)
    elif kind in VIDEOS:
        _video(path)
    elif kind == "glb":
        _glb(path)
    elif kind in ("zip", "npz"):
        _zip(path)
    elif kind == "json":
        _json(path)


def _bad(path: Path, why: str) -> InputError:
    return InputError(
        f"The result {why}", where=path.name, todo="Ask for it again, or report it to the service."
    )


def _picture(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if says := _size_says(head, path):
        raise _bad(path, says)
    if kind_of_file(path) == "exr":
        return  # not every reader has it
    with _decoding:
        if cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is None:
            raise _bad(path, "is a damaged picture")


def _size_says(head: bytes, path: Path | None = None) -> str:
    """What is wrong with the size of a picture that begins so, or lies at ``path``; its header alone is read."""
    from PIL import Image

    if head[:4] == b"\x76\x2f\x31\x01":
        return _exr_says(head)
    try:
        with Image.open(path or io.BytesIO(head)) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        return "is a picture too large to be honest"
    except (OSError, ValueError, SyntaxError, struct.error):
        return "is a damaged picture"
    deep = head[:4] == b"\x89PNG" and head[24:25] == b"\x10"
    if width * height > MOST_PIXELS or width * height * (8 if deep else 4) > MOST_BYTES:
        return f"is a picture of {width} x {height}, too large to be honest"
    return ""


def _exr_says(head: bytes) -> str:
    mark = b"dataWindow\0box2i\0\x10\0\0\0"
    at = head.find(mark)
    if at < 0 or len(head) < at + len(mark) + 16:
        return "is a damaged picture"
    left, top, right, bottom = struct.unpack_from("<4i", head, at + len(mark))
    width, height = right - left + 1, bottom - top + 1
    if width < 1 or height < 1:
        return "is a damaged picture"
    return (
        ""
        if width * height * 16 <= MOST_BYTES * 4
        else f"is a picture of {width} x {height}, too large to be honest"
    )


def _video(path: Path) -> None:
    with _decoding:
        film = cv2.VideoCapture(str(path))
        try:
            width, height = film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)
            if width * height > MOST_PIXELS_OF_A_FILM:
                raise _bad(path, f"is a film of {width:.0f} x {height:.0f}, too large to be honest")
            if not film.read()[0]:
                raise _bad(path, "is a film without a picture that can be read")
        finally:
            film.release()


def _glb(path: Path) -> None:
    if says := probe_mesh.problem(path, _size_says):
        raise _bad(path, says)


def _zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            files = archive.infolist()
            whole = sum(file.file_size for file in files)
            bad = (
                len(files) > MOST_FILES
                or whole > MOST_UNPACKED
                or whole > MOST_TIMES * max(path.stat().st_size, 1 << 20)
            )
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _bad(path, "is a damaged archive") from error
    if bad:
        raise _bad(path, "is an archive made to fill the disk")


def _json(path: Path) -> None:
    if path.stat().st_size > MOST_JSON:
        raise _bad(path, "is too large to be honest")
    try:
        parsed(path.read_bytes())
    except ValueError as error:
        raise _bad(path, "is damaged") from error
