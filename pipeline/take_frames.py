# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a take as they lie on disk: pictures of 8 or 16 bits, with or without alpha, or one video file."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .errors import InputError
from .pictures import U8

MOST_PIXELS = 36_000_000
"""Of one picture: a little more than 8K. What claims to be larger is not decoded."""
NOT_THIS = "Choose a take of at most 8K."
ALPHA = "Its transparent parts lie over black."
DEEP = "Its 16 bits a channel are read as 8."


def read_frame(path: Path) -> tuple[U8, str]:
    """(H, W, 3) uint8 RGB of a PNG, JPEG or TIFF, and a note on what was done to it. Raises InputError for a picture
    that is missing, damaged or larger than MOST_PIXELS."""
    try:
        with Image.open(path) as header:
            width, height = header.size
    except FileNotFoundError as error:
        todo = "Run the stage that makes it again."
        raise InputError(f"{path.name} is missing or can't be read", where=str(path), todo=todo) from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path.name} is larger than any take", where=str(path), todo=NOT_THIS) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(path) from error
    if width * height > MOST_PIXELS:
        what = f"{path.name} claims to be {width}x{height}, larger than any take"
        raise InputError(what, where=str(path), todo=NOT_THIS)
    try:
        array = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error) as error:
        raise _damaged(path) from error
    if array is None:
        raise _damaged(path)
    notes = []
    if array.dtype != np.uint8:
        deep = array.astype(np.float32) / (257 if array.dtype == np.uint16 else 1 / 255)
        array = np.clip(deep + 0.5, 0, 255).astype(np.uint8)
        notes.append(DEEP)
    if array.ndim == 2:
        array = np.repeat(array[..., None], 3, 2)
    if array.shape[2] == 4:
        share = array[..., 3:].astype(np.uint16)
        if int(share.min()) < 255:
            array = ((array[..., :3] * share + 127) // 255).astype(np.uint8)
            notes.append(ALPHA)
    order = cv2.COLOR_BGRA2RGB if array.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(array, order), np.uint8), " ".join(notes)


def _damaged(path: Path) -> InputError:
    todo = "Remove it and run the stage that makes it again."
    return InputError(f"{path.name} is not a picture that can be read", where=str(path), todo=todo)


class VideoFrames:
    """Frames of a video by position, decoded in order; going back opens it again. Two are kept."""

    def __init__(self, path: Path) -> None:
        self._path, self._next = path, 0
        self._clip: cv2.VideoCapture | None = None
        self._kept: dict[int, U8] = {}

    def __getitem__(self, position: int) -> U8:
        if position not in self._kept:
            if self._clip is None or position < self._next:
                self._clip, self._next = cv2.VideoCapture(str(self._path)), 0
            while self._next < position and self._clip.grab():
                self._next += 1
            good, picture = self._clip.read()
            if not good or self._next != position:
                what = f"{self._path.name} has no frame number {position + 1} that can be read"
                raise InputError(what, where=str(self._path), todo="Get the video again.")
            self._next += 1
            self._kept = dict(list(self._kept.items())[-1:])
            self._kept[position] = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        return self._kept[position]
