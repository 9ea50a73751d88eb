# SPDX-License-Identifier: GPL-3.0-or-later
"""The reduced pictures and outlines that the report page shows, kept while frames are read for measuring anyway.

JPEG, because every browser draws it alike, frame by frame, and it costs 1 ms a picture to write (measured at 640 wide:
JPEG 19 kB and 1 ms, WebP 9 kB and 25 ms, H.264 3 kB but no encoder is at hand inside Blender).
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.pictures import U8
from ..pipeline.store import storage, write_bytes
from ..pipeline.truth import GroundTruth, Ids

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


def boxes(ids: Ids) -> dict[int, tuple[int, int, int, int]]:
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


def outlines(truth: GroundTruth, ids: Ids, width: int, simpler: float = SIMPLER) -> dict[str, str]:
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
class Shown:
    """One picture: a JPEG, or where it is in the report's folder."""

    data: bytes | str
    width: int
    worst: bool = False

    @property
    def address(self) -> str:
        """What stands in the page."""
        return data_uri(self.data) if isinstance(self.data, bytes) else self.data


class Gallery:
    """Pictures of the render by its frames, of the take by its frames, and outlines by the render's frames: whatever
    frame map is found in the end, each frame of the take is shown beside the frame that it shows.

    ``pairs`` (source frame, take frame) are those that ``add`` counts. Up to ``MOST_INSIDE`` of them are kept in memory
    and go into the page; of longer takes every picture is written to ``folder``/frames at once, so that memory stays flat.
    """

    def __init__(self, truth: GroundTruth, pairs: Sequence[tuple[int, int]], folder: Path) -> None:
        self._truth, self._folder, self.inside = truth, folder, len(pairs) <= MOST_INSIDE
        self._frames = [frame for _, frame in pairs]
        self.width = min(width_for(len(pairs)), truth.size[0])
        self.renders: dict[int, Shown] = {}
        self.takes: dict[int, Shown] = {}
        self.outlines: dict[int, dict[str, str]] = {}

    def add(self, index: int, source: int, render: U8, styled: U8, ids: Ids) -> None:
        """Keeps the pair at position ``index`` of the pairs."""
        self.put(source, self._frames[index], render, styled, ids)

    def put(self, source: int, frame: int, render: U8, styled: U8, ids: Ids, *, worst: bool = False) -> None:
        """Keeps a frame of the render and one of the take; ``worst`` larger, since a person looks at it closely."""
        width = max(self.width, min(WORST_WIDTH, self._truth.size[0])) if worst else self.width
        self.renders[source] = self._shown(f"{FOLDER}/r{source:04d}.jpg", render, width, worst)
        self.takes[frame] = self._shown(f"{FOLDER}/t{frame:04d}.jpg", styled, width, worst)
        self.outlines[source] = outlines(self._truth, ids, self.width, SIMPLER if self.inside else 1.0)

    def _shown(self, name: str, picture: U8, width: int, worst: bool) -> Shown:
        data = jpeg(picture, width)
        if self.inside:
            return Shown(data, width, worst)
        with storage(self._folder / name):  # thousands of proxies: not worth a wait for the disk each
            (self._folder / FOLDER).mkdir(parents=True, exist_ok=True)
            (self._folder / name).write_bytes(data)
        return Shown(name, width, worst)

    def has(self, source: int, frame: int) -> bool:
        """Whether both are kept."""
        return source in self.renders and frame in self.takes

    def write_poster(self, frame: int) -> None:
        """Writes a frame of the take as a small picture that stands for it beside others."""
        if frame in self.takes:
            data = self.takes[frame].data
            data = data if isinstance(data, bytes) else (self._folder / data).read_bytes()
            write_bytes(self._folder / POSTER, _again(data, POSTER_WIDTH))

    def addresses(self, pairs: Sequence[tuple[int, int]]) -> dict[int, tuple[str, str]]:
        """Per position of ``pairs`` the addresses of render and take. Pictures of an earlier page are removed."""
        if self.inside:
            _fit((self.renders, self.takes), INSIDE_BYTES)
        named = {shown.data for kept in (self.renders, self.takes) for shown in kept.values()}
        with storage(self._folder / FOLDER):
            for path in (self._folder / FOLDER).glob("*.jpg"):
                if f"{FOLDER}/{path.name}" not in named:
                    path.unlink()
        return {
            index: (self.renders[source].address, self.takes[frame].address)
            for index, (source, frame) in enumerate(pairs)
            if self.has(source, frame)
        }


def _fit(kept: Sequence[dict[int, Shown]], budget: int) -> None:
    """Reduces the pictures until all together take at most ``budget`` bytes, those of findings last; what must be
    smaller than ``LEAST_WIDTH`` to fit gets coarser instead."""
    for including_worst, quality in (
        (False, QUALITY),
        (False, QUALITY),
        (True, QUALITY),
        (True, 50),
        (True, 20),
    ):
        total = sum(len(shown.data) for pictures in kept for shown in pictures.values())
        if total <= budget:
            return
        shrink = 0.95 * float(np.sqrt(budget / total))
        for pictures in kept:
            for frame, shown in pictures.items():
                if not shown.worst or including_worst:
                    width = max(LEAST_WIDTH, int(shown.width * shrink))
                    pictures[frame] = Shown(_again(shown.data, width, quality), width, shown.worst)


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
