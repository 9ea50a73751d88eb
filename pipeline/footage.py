# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what others return as a take: a video file, or a folder of pictures. Frames are (H, W, 3) uint8 RGB.

What is counted is what can be decoded, never what a container says of itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .fitting import Fit
from .pictures import U8, write_picture
from .placing import OTHER_RATIO, Clip, Placer, picture_path, save_take
from .take import TakeFolder
from .take_frames import MOST_PIXELS, NOT_THIS, read_frame
from .truth import GroundTruth

VIDEOS = frozenset({".mp4", ".mov", ".webm", ".mkv", ".m4v"})
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
MOST_FRAMES = 20_000
UNEVEN = 0.25
"""Share by which an interval between frames may differ from the usual one at an even rate."""
COMB = 18.0
"""Levels by which a line differs from both its neighbours where two fields are woven into a picture."""
COMBED, COMB_MOVES = 0.05, 6.0
"""Share of moving pixels that are combed, and how many times that of the still ones, from which fields are woven."""
ASK_AGAIN = "Export it again from where it was made, or ask the provider for another file."


@dataclass(frozen=True)
class Footage:
    """``size`` (width, height) and ``times`` in seconds of each frame that can be decoded; ``rate`` frames a second;
    ``notes`` sentences on what was odd and what was done about it."""

    path: Path
    size: tuple[int, int]
    times: tuple[float, ...]
    rate: Fraction
    notes: tuple[str, ...] = ()

    @property
    def uneven(self) -> bool:
        """Whether the frames do not follow one another at one rate."""
        steps = np.diff(self.times)
        return len(steps) > 2 and bool((np.abs(steps / np.median(steps) - 1) > UNEVEN).any())


def probe(path: Path | str) -> Footage:
    """Decodes the whole take once. Raises InputError for what is no footage, damaged, interlaced or too large."""
    path = Path(path)
    size = (0, 0)
    times: list[float] = []
    notes: dict[str, None] = {}
    weave = _Weave()
    for picture, seconds, note in _decoded(path):
        own = (picture.shape[1], picture.shape[0])
        size = own if not times else size
        times.append(seconds)
        notes.update({note: None} if note else {})
        weave.add(picture)
        if own != size:
            named = _files(path)[len(times) - 1].name if path.is_dir() else f"Frame {len(times)}"
            what = f"{named} is {own[0]}x{own[1]}, the frames before are {size[0]}x{size[1]}"
            raise InputError(what, where=str(path), todo=ASK_AGAIN)
    if not times:
        raise InputError("There is no frame in it that can be read", where=str(path), todo=ASK_AGAIN)
    if weave.found:
        todo = "Deinterlace it first, or ask for progressive video."
        raise InputError(
            "The take is interlaced: two moments are woven into each frame", where=str(path), todo=todo
        )
    rate = _rate(path, times)
    found = Footage(path, size, tuple(times), rate, tuple(notes))
    if found.uneven:
        note = "Its frames do not follow at one rate: they are matched by their times."
        found = replace(found, notes=(*found.notes, note))
    stated = 0 if found.uneven else _stated(path)  # told by length and rate, which says nothing then
    if stated and abs(stated - len(times)) > 1:
        note = f"The file speaks of {stated} frames; {len(times)} can be decoded."
        found = replace(found, notes=(*found.notes, note))
    return found


def frames_of(path: Path | str) -> Iterator[U8]:
    """Each frame in turn, one in memory. Raises InputError."""
    for picture, _, _ in _decoded(Path(path)):
        yield picture


def take_from_footage(
    path: Path | str, truth: GroundTruth, out: Path, name: str, *, clip: Clip | None = None,
    settings: Mapping[str, Any] | None = None, **facts: Any,
) -> TakeFolder:  # fmt: skip
    """Decodes footage into the take folder ``out`` of a shot: pictures and take.json with the map of its frames to
    the shot's by rate and times (Validate finds the true one). Made from a ``clip``, the pictures are put back to the
    size and place of the shot. ``facts``: provider, model, seed, look, prompt_hash. Raises InputError, StorageError."""
    footage = probe(path)
    sent = clip or Clip(tuple(truth.frames), Fraction(*truth.fps), Fit(truth.size, truth.size))
    placer = Placer(sent.fitted, footage.size)
    notes = [*footage.notes, *([OTHER_RATIO] if placer.strange else [])]
    numbers, size = [], footage.size
    for index, picture in enumerate(frames_of(path)):
        placed = placer.place(picture)
        size = (placed.shape[1], placed.shape[0])
        numbers.append(truth.frames[0] + index)
        write_picture(picture_path(out, numbers[-1]), placed)
    last = len(sent.shows) - 1
    one_to_one = len(numbers) == len(sent.shows) and clip is not None
    places = (
        range(len(numbers)) if one_to_one else [int(s * sent.rate + Fraction(1, 2)) for s in moments(footage)]
    )
    shown = [sent.shows[min(last, max(0, place))] for place in places]
    return save_take(
        out, name, truth, size=size, rate=footage.rate, numbers=numbers, shown=shown, settings=settings,
        facts={"model": footage.path.name, "notes": notes, **facts},
    )  # fmt: skip


def moments(footage: Footage) -> list[Fraction]:
    """Seconds at which each frame is shown, from the first."""
    if footage.uneven:
        return [Fraction(time - footage.times[0]).limit_denominator(100_000) for time in footage.times]
    return [index / footage.rate for index in range(len(footage.times))]


def _decoded(path: Path) -> Iterator[tuple[U8, float, str]]:
    """(picture, seconds, note) of each frame."""
    if path.is_dir():
        for index, file in enumerate(_files(path)):
            picture, note = read_frame(file)
            yield picture, index / 24, note
    elif path.suffix.lower() in VIDEOS and path.exists():
        yield from _video(path)
    else:
        known = ", ".join(sorted(suffix[1:] for suffix in VIDEOS))
        todo = f"Choose a video ({known}) or a folder of PNG, JPEG or TIFF pictures."
        what = "There is no such take" if not path.exists() else "This is no footage that can be read"
        raise InputError(what, where=str(path), todo=todo)


def _files(folder: Path) -> list[Path]:
    files = sorted((file for file in folder.iterdir() if file.suffix.lower() in PICTURES), key=_counted)
    if len(files) > MOST_FRAMES:
        raise InputError(f"There are more than {MOST_FRAMES} pictures in the folder", where=str(folder))
    numbers = [int(found[-1]) for file in files if (found := re.findall(r"\d+", file.stem))]
    missing = (
        sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
        if len(numbers) == len(files) > 0
        else []
    )
    if missing:
        named = ", ".join(str(number) for number in missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise InputError(f"Pictures are missing: number {named}", where=str(folder), todo=ASK_AGAIN)
    return files


def _counted(file: Path) -> list[Any]:
    return [
        (int(piece), "") if piece.isdigit() else (-1, piece)
        for piece in re.split(r"(\d+)", file.name)
        if piece
    ]


def _video(path: Path) -> Iterator[tuple[U8, float, str]]:
    clip = cv2.VideoCapture(str(path))
    try:
        if not clip.isOpened():
            raise InputError("The video can't be opened", where=str(path), todo=ASK_AGAIN)
        width, height = int(clip.get(cv2.CAP_PROP_FRAME_WIDTH)), int(clip.get(cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > MOST_PIXELS:
            raise InputError(
                f"A picture of {width}x{height} is larger than any take", where=str(path), todo=NOT_THIS
            )
        bits = _bits(int(clip.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)))
        note = f"Its {bits} bits a channel are read as 8." if bits > 8 else ""
        count, before = 0, -1.0
        while count < MOST_FRAMES:
            good, picture = clip.read()
            if not good:
                return
            seconds = clip.get(cv2.CAP_PROP_POS_MSEC) / 1000
            seconds = seconds if seconds > before else before + 1e-3
            yield np.ascontiguousarray(picture[..., ::-1]), seconds, note
            count, before = count + 1, seconds
    finally:
        clip.release()


def _bits(tag: int) -> int:
    """Bits a channel from a pixel format's tag: planar ones of more than 8 bits end in their depth."""
    last = (tag >> 24) & 0xFF
    return last if last in (9, 10, 12, 14, 16) else 8


def _rate(path: Path, times: list[float]) -> Fraction:
    if path.is_dir() or len(times) < 2:
        return Fraction(24)
    clip = cv2.VideoCapture(str(path))
    stated = float(clip.get(cv2.CAP_PROP_FPS))
    clip.release()
    steps = np.diff(times)
    shown = 1 / float(np.median(steps)) if float(np.median(steps)) > 2e-3 else stated
    rate = stated if stated > 0 and abs(stated / shown - 1) < 0.1 else shown
    near = Fraction(round(rate))
    ntsc = near * Fraction(1000, 1001)
    for each in (near, ntsc):
        if abs(float(each) - rate) < 0.004:
            return each
    return Fraction(rate).limit_denominator(1001) if rate > 0 else Fraction(24)


def _stated(path: Path) -> int:
    if path.is_dir():
        return 0
    clip = cv2.VideoCapture(str(path))
    count = int(clip.get(cv2.CAP_PROP_FRAME_COUNT))
    clip.release()
    return max(0, count)


class _Weave:
    """Watches for fields that are woven: lines that differ from both neighbours, where the picture moves only."""

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None
        self._sums = np.zeros(4)

    def add(self, picture: U8) -> None:
        """One frame."""
        if picture.shape[0] < 64:
            return
        gray = picture[:, ::4, 1].astype(np.int16)
        if self._before is not None and self._before.shape == gray.shape:
            up, down = gray[1:-1] - gray[:-2], gray[1:-1] - gray[2:]
            comb = (np.sign(up) * np.sign(down) > 0) & (np.minimum(np.abs(up), np.abs(down)) > COMB)
            comb &= np.abs(gray[:-2] - gray[2:]) < COMB / 2
            moves = np.abs(gray - self._before)[1:-1] > COMB
            self._sums += (moves.sum(), (comb & moves).sum(), (~moves).sum(), (comb & ~moves).sum())
        self._before = gray

    @property
    def found(self) -> bool:
        """Whether that is sure."""
        moving, combed, still, resting = self._sums
        share, usual = combed / max(moving, 1), resting / max(still, 1)
        return bool(moving > 500 and share > COMBED and share > COMB_MOVES * usual)
