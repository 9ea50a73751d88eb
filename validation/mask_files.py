# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of a tracker as they come: numbers in PNGs, a folder of black-and-white PNGs per part, or flat colours.

Every form gives the same: for each frame, the mask of every part as a `jf.Spot` at the truth's size. What stands for
a part is the truth's own number, or the colour that the extension gives its parts; ``parts.json`` beside the masks
may say otherwise ({"lid": 3} or {"lid": "#e69f00"}); colours that nobody told are given to the parts they overlap.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ..pipeline.errors import InputError
from ..pipeline.store import read_json
from ..pipeline.truth import GroundTruth
from .jf import Spot, spots
from .mask_colours import Colour, Picture, by_overlap, flat_colours, known, look_up, table

Pairs = Sequence[tuple[int, int]]
NAMES = "parts.json"
PICTURES = (".png", ".tif", ".tiff", ".bmp")
VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm")
LOOKED_AT = 8
OTHER_SHAPE = 0.02


@dataclass(frozen=True)
class Masks:
    """``at``: take frame -> where its masks are; ``read`` gives {part id: mask} of such a place; ``given``: ids of
    the parts that the masks are of."""

    at: Mapping[int, Any]
    read: Callable[[Any], Mapping[int, Spot]]
    given: frozenset[int]
    notes: tuple[str, ...] = ()


def open_masks(path: Path, truth: GroundTruth, pairs: Pairs) -> Masks:
    """The masks in a folder or video; ``pairs`` (source frame, take frame) in the order of the take.

    Raises InputError for what holds no masks of these frames and parts.
    """
    if path.is_file() and path.suffix.lower() in VIDEOS:
        video = _Video(path)
        return _colours(video.frame, _by_order(list(range(video.count)), pairs, path), path, truth, pairs)
    if not path.is_dir():
        raise InputError("There is no folder or video of masks", where=str(path))
    files = _pictures(path)
    if not files:
        return _folders(path, truth, pairs)
    at = _by_number(files, pairs, path)
    colours = _load(files[0]).ndim == 3
    return _colours(_load, at, path, truth, pairs) if colours else _numbers(at, path, truth)


def _numbers(at: Mapping[int, Path], path: Path, truth: GroundTruth) -> Masks:
    given = _given(path, truth)
    part_of = {int(key): part for part, key in given.items() if isinstance(key, int)}
    part_of = part_of or {part.id: part.id for part in truth.parts}

    def read(place: Path) -> Mapping[int, Spot]:
        found = spots(_sized(_load(place), truth, place))
        if found and not part_of.keys() & found.keys():
            holds, wanted = (", ".join(map(str, sorted(numbers)[:8])) for numbers in (found, part_of))
            todo = f'Number them like the parts, or add {NAMES} with {{"part": number}}.'
            raise InputError(
                f"The masks hold the numbers {holds}, the parts have {wanted}", where=place.name, todo=todo
            )
        return {part_of[number]: spot for number, spot in found.items() if number in part_of}

    return Masks(at, read, frozenset(part_of.values()))


def _folders(path: Path, truth: GroundTruth, pairs: Pairs) -> Masks:
    folders = {
        part.id: path / name
        for part in truth.parts
        for name in (part.folder, part.name)
        if (path / name).is_dir()
    }
    if not folders:
        todo = f"Give PNGs, or a folder of PNGs for each part: {', '.join(truth.names)}."
        raise InputError("There are no masks in the folder", where=str(path), todo=todo)
    places = {number: _by_number(_pictures(folder), pairs, folder) for number, folder in folders.items()}

    def read(frame: int) -> Mapping[int, Spot]:
        found = {}
        for number, at in places.items():
            if frame in at:
                picture = _sized(_load(at[frame]), truth, at[frame])
                mask = picture if picture.ndim == 2 else picture.max(2)
                found[number] = Spot.of(mask > (127 if mask.max(initial=0) > 1 else 0))
        return found

    return Masks({frame: frame for at in places.values() for frame in at}, read, frozenset(folders))


def _colours(
    load: Callable[[Any], Picture], at: Mapping[int, Any], path: Path, truth: GroundTruth, pairs: Pairs
) -> Masks:
    notes: tuple[str, ...] = ()
    given = frozenset(_given(path, truth)) or frozenset(part.id for part in truth.parts)
    part_of = {key: part for part, key in _given(path, truth).items() if isinstance(key, tuple)}
    if not part_of:
        picked = [(source, frame) for source, frame in pairs if frame in at]
        picked = picked[:: -(-len(picked) // LOOKED_AT)]
        pictures = [_sized(load(at[frame]), truth, at[frame]) for _, frame in picked]
        maps = [truth.ids(source) for source, _ in picked]
        found = flat_colours(pictures)
        part_of = known(found, maps)
        if not part_of:
            part_of = by_overlap(pictures, found, maps)
            notes = ("The colours were given to the parts that they overlap most.",)
        if not part_of:
            todo = f'Add {NAMES} with {{"part": "#rrggbb"}} beside the masks.'
            raise InputError("No colour of the masks overlaps a part", where=str(path), todo=todo)
    colours = table(part_of)

    def read(place: Any) -> Mapping[int, Spot]:
        return spots(_sized(look_up(load(place), colours), truth, place))

    return Masks(at, read, given, notes)


def _given(path: Path, truth: GroundTruth) -> dict[int, int | Colour]:
    """What ``parts.json`` in the folder, or beside the video, says: {part id: number or colour}."""
    file = (path if path.is_dir() else path.parent) / NAMES
    if not file.exists():
        return {}
    said = read_json(file)
    todo = 'Write {"part": number} or {"part": "#rrggbb"}.'
    if not isinstance(said, dict) or not said:
        raise InputError(f"{NAMES} says nothing", where=str(file), todo=todo)
    given: dict[int, int | Colour] = {}
    for name, key in said.items():
        if isinstance(key, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", key):
            given[truth.part(name).id] = (int(key[1:3], 16), int(key[3:5], 16), int(key[5:7], 16))
        elif isinstance(key, int) and not isinstance(key, bool) and key > 0:
            given[truth.part(name).id] = key
        else:
            raise InputError(f"{NAMES} has {key!r} for {name}", where=str(file), todo=todo)
    return given


class _Video:
    """Frames of a video by position; going on from the last one asked for is cheap."""

    def __init__(self, path: Path) -> None:
        self._path, self._next = path, 0
        self._stream = cv2.VideoCapture(str(path))
        self.count = 0
        while self._stream.grab():
            self.count += 1
        if not self.count:
            raise InputError(f"{path.name} is not a video that can be read", where=str(path))
        self._next = self.count

    def frame(self, position: int) -> Picture:
        """(H, W, 3) uint8 RGB. Raises InputError."""
        if position < self._next:
            self._stream = cv2.VideoCapture(str(self._path))
            self._next = 0
        while self._next < position and self._stream.grab():
            self._next += 1
        read, picture = self._stream.read()
        self._next += 1
        if not read:
            raise InputError(
                f"Frame {position + 1} of {self._path.name} can't be read", where=str(self._path)
            )
        return np.ascontiguousarray(picture[..., ::-1])


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def _load(path: Path) -> Picture:
    """(H, W) numbers, those of a palette too, or (H, W, 3) uint8 colours. Raises InputError."""
    try:
        with Image.open(path) as image:
            if image.mode in ("RGBA", "CMYK", "YCbCr"):
                return np.array(image.convert("RGB"))
            return np.array(image.convert("L") if image.mode in ("LA", "1") else image)
    except (OSError, ValueError, SyntaxError) as error:
        todo = "Make the masks again."
        raise InputError(
            f"{path.name} is not a picture that can be read", where=str(path), todo=todo
        ) from error


def _by_number(files: Sequence[Path], pairs: Pairs, path: Path) -> dict[int, Path]:
    """Take frame -> file, by the last number in the names; where those are no frames of the take, by order."""
    digits = [re.findall(r"\d+", file.stem) for file in files]
    numbers = [int(each[-1]) if each else -1 for each in digits]
    wanted = {frame for _, frame in pairs}
    if len(set(numbers)) == len(files) and (wanted <= set(numbers) or set(numbers) <= wanted):
        return {number: file for number, file in zip(numbers, files, strict=True) if number in wanted}
    return _by_order(list(files), pairs, path)


def _by_order(places: Sequence[Any], pairs: Pairs, path: Path) -> dict[int, Any]:
    if len(places) != len(pairs):
        first, last = pairs[0][1], pairs[-1][1]
        todo = f"Name each PNG by its frame ({first:04d}.png to {last:04d}.png), or give one for each frame."
        raise InputError(f"There are {len(places)} masks for {len(pairs)} frames", where=str(path), todo=todo)
    return {frame: place for (_, frame), place in zip(pairs, places, strict=True)}


def _sized(picture: Picture, truth: GroundTruth, where: Any) -> Picture:
    """At the truth's size, nearest pixel. Raises InputError for another shape of picture."""
    height, width = picture.shape[:2]
    if (width, height) == truth.size:
        return picture
    if abs(width * truth.size[1] / (height * truth.size[0]) - 1) > OTHER_SHAPE:
        says = f"Masks of {width}x{height} have another shape than the shot's {truth.size[0]}x{truth.size[1]}"
        raise InputError(says, where=str(where))
    kept = picture.astype(np.uint16) if picture.dtype.kind in "iu" and picture.ndim == 2 else picture
    return np.asarray(cv2.resize(kept, truth.size, interpolation=cv2.INTER_NEAREST_EXACT))
