# SPDX-License-Identifier: GPL-3.0-or-later
"""The reduced pictures and outlines that the report page shows, kept while frames are read for measuring anyway.

JPEG, because every browser draws it alike, frame by frame, and it costs 1 ms a picture to write (measured at 640 wide:
JPEG 19 kB and 1 ms, WebP 9 kB and 25 ms, H.264 3 kB but no encoder is at hand inside Blender).
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import U8
from ..pipeline.store import storage, write_bytes
from ..pipeline.truth import GroundTruth

MOST_INSIDE = 160
"""Takes of more frames get a folder of pictures beside the page."""
INSIDE_BYTES = 8_400_000
"""What all pictures inside the page may take, so that the page stays under 12 MB with base64 and the rest."""
OUTLINE_CHARACTERS = 3_000_000
FOLDER = "frames"
POSTER = "poster.jpg"
POSTER_WIDTH = 320
QUALITY = 76
WORST_WIDTH = 1280
LEAST_WIDTH = 384
SIMPLER = 0.6
"""An outline may be drawn this many pixels of its reduced picture beside itself."""
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def width_for(count: int) -> int:
    """How wide the pictures of a take of ``count`` frames are."""
    return 960 if count <= 80 else 640 if count <= 600 else 512


def jpeg(picture: U8, width: int, quality: int = QUALITY) -> bytes:
    """JPEG of an RGB picture, reduced to ``width`` where it is wider."""
    if picture.shape[1] > width:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        while picture.shape[1] >= 2 * width and picture.shape[0] > 1:  # halving first is three times as fast
            half = (picture.shape[1] // 2, picture.shape[0] // 2)
            picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
        picture = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


def data_uri(data: bytes) -> str:
    """The bytes of a JPEG as an address."""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def boxes(ids: NDArray[Any]) -> dict[int, tuple[int, int, int, int]]:
    """Per id that shows: x0, y0, x1, y1 of its pixels, ends excluded. One pass, however many parts there are."""
    ys, xs = np.nonzero(ids)
    values = ids[ys, xs]
    order = np.argsort(values, kind="stable")  # by radix, as long as ids have 8 or 16 bits
    ys, xs, values = ys[order], xs[order], values[order].astype(np.int64)
    starts = np.flatnonzero(np.diff(values, prepend=-1))
    if not len(starts):
        return {}
    left, right = np.minimum.reduceat(xs, starts), np.maximum.reduceat(xs, starts) + 1
    top, bottom = np.minimum.reduceat(ys, starts), np.maximum.reduceat(ys, starts) + 1
    return {int(values[s]): (int(a), int(b), int(c), int(d))
            for s, a, b, c, d in zip(starts, left, top, right, bottom, strict=True)}  # fmt: skip


def pack(points: NDArray[np.float64]) -> str:
    """(N, 2) of 0..1 as text: four characters a point, 12 bits a coordinate."""
    whole = np.clip(np.rint(points * 4095), 0, 4095).astype(int).ravel()
    return "".join(DIGITS[v >> 6] + DIGITS[v & 63] for v in whole)


def outlines(truth: GroundTruth, ids: NDArray[Any], width: int, simpler: float = SIMPLER) -> dict[str, str]:
    """Per part that shows: its visible outline as packed polygons, separated by spaces."""
    height = max(1, round(ids.shape[0] * width / ids.shape[1]))
    if ids.shape[1] > width:
        ids = np.asarray(cv2.resize(ids, (width, height), interpolation=cv2.INTER_NEAREST))
    size, named = np.array(ids.shape[1::-1]), {part.id: part.name for part in truth.parts}
    found = {}
    for number, (x0, y0, x1, y1) in boxes(ids).items():
        if number not in named:
            continue
        mask = np.pad((ids[y0:y1, x0:x1] == number).astype(np.uint8), 1)
        lines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        kept = [line for line in lines if len(line) > 8] or [max(lines, key=len)]
        polygons = [_polygon(line, simpler) + np.array([x0 - 0.5, y0 - 0.5]) for line in kept]
        found[named[number]] = " ".join(pack(polygon / size) for polygon in polygons)
    return found


def _polygon(line: NDArray[np.int32], simpler: float) -> NDArray[np.float64]:
    """A contour with fewer points; what is a point or a line gets the box around it, so that it can be seen."""
    points = cv2.approxPolyDP(line, simpler, True)[:, 0].astype(float)
    if len(points) > 2:
        return np.asarray(points, np.float64)
    (x0, y0), (x1, y1) = points.min(0) - 1, points.max(0) + 1
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


@dataclass(frozen=True)
class Pair:
    """Render and take of one frame: JPEGs, or where they are in the report's folder."""

    render: bytes | str
    take: bytes | str
    width: int
    worst: bool = False


class Gallery:
    """What the page shows of each frame pair, by its position in the frame map.

    Up to ``MOST_INSIDE`` frames are kept in memory and go into the page; of longer takes every picture is written to
    ``folder``/frames at once, so that memory stays flat.
    """

    def __init__(self, truth: GroundTruth, count: int, folder: Path) -> None:
        self._truth, self._folder, self.inside = truth, folder, count <= MOST_INSIDE
        self.width = min(width_for(count), truth.size[0])
        self.pictures: dict[int, Pair] = {}
        self.outlines: dict[int, dict[str, str]] = {}

    def add(self, index: int, source: int, render: U8, styled: U8, ids: U8, *, wanted: bool = False) -> None:
        """Keeps the pair at position ``index``; ``wanted`` larger, since a person looks at it closely."""
        width = max(self.width, min(WORST_WIDTH, self._truth.size[0])) if wanted else self.width
        pair = [jpeg(render, width), jpeg(styled, width)]
        self.outlines[index] = outlines(self._truth, ids, self.width, SIMPLER if self.inside else 1.0)
        if self.inside:
            self.pictures[index] = Pair(pair[0], pair[1], width, wanted)
            return
        names = [f"{FOLDER}/{index:05d}{side}.jpg" for side in ("r", "t")]
        for name, data in zip(names, pair, strict=True):
            with storage(self._folder / name):  # thousands of proxies: not worth a wait for the disk each
                (self._folder / FOLDER).mkdir(parents=True, exist_ok=True)
                (self._folder / name).write_bytes(data)
        self.pictures[index] = Pair(names[0], names[1], width, wanted)

    def write_poster(self, index: int) -> None:
        """Writes the take at position ``index`` as a small picture that stands for it beside others."""
        if index in self.pictures:
            take = self.pictures[index].take
            data = take if isinstance(take, bytes) else (self._folder / take).read_bytes()
            write_bytes(self._folder / POSTER, _again(data, POSTER_WIDTH))

    def addresses(self) -> dict[int, tuple[str, str]]:
        """Per position the addresses of render and take for the page. Pictures of an earlier page are removed."""
        if self.inside:
            _fit(self.pictures, INSIDE_BYTES)
        named = {name for pair in self.pictures.values() for name in (pair.render, pair.take)}
        with storage(self._folder / FOLDER):
            for path in (self._folder / FOLDER).glob("*.jpg"):
                if f"{FOLDER}/{path.name}" not in named:
                    path.unlink()
        return {
            index: (_address(pair.render), _address(pair.take))
            for index, pair in sorted(self.pictures.items())
        }


def _address(picture: bytes | str) -> str:
    return data_uri(picture) if isinstance(picture, bytes) else picture


def _fit(pictures: dict[int, Pair], budget: int) -> None:
    """Reduces the pictures until all together take at most ``budget`` bytes, those of findings last; what must be
    smaller than ``LEAST_WIDTH`` to fit gets coarser instead."""
    for including_worst, quality in (
        (False, QUALITY),
        (False, QUALITY),
        (True, QUALITY),
        (True, 50),
        (True, 20),
    ):
        total = sum(len(data) for pair in pictures.values() for data in (pair.render, pair.take))
        if total <= budget:
            return
        shrink = 0.95 * float(np.sqrt(budget / total))
        for index, pair in pictures.items():
            if not pair.worst or including_worst:
                width = max(LEAST_WIDTH, int(pair.width * shrink))
                smaller = _again(pair.render, width, quality), _again(pair.take, width, quality)
                pictures[index] = Pair(*smaller, width, pair.worst)


def _again(data: bytes | str, width: int, quality: int = QUALITY) -> bytes:
    """The picture again, smaller."""
    assert isinstance(data, bytes)
    return jpeg(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], width, quality)


def fewer_outlines(
    outlines: Mapping[int, dict[str, str]], first: Sequence[int], most: int = OUTLINE_CHARACTERS
) -> dict[int, dict[str, str]]:
    """Those outlines that fit: all, else of the positions ``first`` and of every second, third ... frame."""
    size = {index: sum(len(text) + 8 for text in by_part.values()) for index, by_part in outlines.items()}
    wanted, ordered = set(first), sorted(outlines)
    for step in range(1, len(ordered) + 2):
        kept = [index for index in ordered if index in wanted or index % step == 0]
        if sum(size[index] for index in kept) <= most:
            break
        if step > 50:
            wanted = set(list(wanted)[: len(wanted) // 2])
    return {index: outlines[index] for index in kept}
