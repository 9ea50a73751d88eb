# SPDX-License-Identifier: GPL-3.0-or-later
"""The raw files that a render leaves for the worker to pack: what they are called, and when they are whole."""

from collections.abc import Iterable
from pathlib import Path

from . import exr, png

FILES = {
    "data": "data.{frame:04d}.exr",
    "ids": "ids.{frame:04d}.exr",
    "whole": "whole.{frame:04d}.exr",
    "cover": "cover.{frame:04d}.exr",
    "film": "film.{frame:04d}.exr",
    "beauty": "beauty.{frame:04d}.png",
}
PICTURE = "Picture"
"""The layer of ``film`` that holds the scene-linear picture."""


def path(folder: Path, kind: str, frame: int) -> Path:
    """Where the raw file of a frame is."""
    return folder / FILES[kind].format(frame=frame)


def is_whole(folder: Path, kinds: Iterable[str], frame: int) -> bool:
    """True if all raw files of a frame are there and have their ends."""
    return all(_has_its_end(path(folder, kind, frame)) for kind in kinds)


def _has_its_end(file: Path) -> bool:
    if not file.exists():
        return False
    if file.suffix == ".exr":
        return exr.is_whole(file)
    with file.open("rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(stream.tell() - 8, 0))
        return stream.read(4) == png.END
