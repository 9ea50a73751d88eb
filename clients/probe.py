# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a downloaded file what it says? A little of it is decoded, in the worker, before it counts."""

import json
import struct
import zipfile
from pathlib import Path

import cv2

from ..pipeline.errors import InputError
from ..pipeline.sniff import PICTURES, VIDEOS, kind_of_file

MOST_PIXELS = 16384 * 8192
"""Larger than any frame that is asked for: a picture made to fill the memory."""
MOST_UNPACKED, MOST_TIMES, MOST_FILES = 8 << 30, 200, 20000


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
    from PIL import Image

    try:
        with Image.open(path) as picture:  # reads the header alone
            width, height = picture.size
    except Image.DecompressionBombError as error:
        raise _bad(path, "is a picture too large to be honest") from error
    except (OSError, ValueError, SyntaxError) as error:
        if kind_of_file(path) != "exr":
            raise _bad(path, "is a damaged picture") from error
        return
    if width * height > MOST_PIXELS:
        raise _bad(path, f"is a picture of {width} x {height}, too large to be honest")
    if cv2.imread(str(path), cv2.IMREAD_UNCHANGED) is None:
        raise _bad(path, "is a damaged picture")


def _video(path: Path) -> None:
    film = cv2.VideoCapture(str(path))
    try:
        width, height = film.get(cv2.CAP_PROP_FRAME_WIDTH), film.get(cv2.CAP_PROP_FRAME_HEIGHT)
        if width * height > MOST_PIXELS:
            raise _bad(path, "is a film too large to be honest")
        if not film.read()[0]:
            raise _bad(path, "is a film without a picture that can be read")
    finally:
        film.release()


def _glb(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as stream:
        _, version, length = struct.unpack("<III", stream.read(12).ljust(12, b"\0"))
        chunk, _ = struct.unpack("<II", stream.read(8).ljust(8, b"\0"))
        text = stream.read(min(chunk, 64 << 20))
    if version != 2 or length > size or chunk > size:
        raise _bad(path, "is a mesh that is cut off")
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(path, "is a damaged mesh") from error


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
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _bad(path, "is a damaged archive") from error
    if bad:
        raise _bad(path, "is an archive made to fill the disk")


def _json(path: Path) -> None:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _bad(path, "is damaged") from error
