# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads every picture once: ahead of who looks at it, and kept at working size on disk for who measures it.

Decoding is most of what a frame of 1920x1080 costs, and OpenCV decodes outside of the interpreter's lock: while one
frame is looked at, the next ones are read.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from ..pipeline.pictures import U8
from ..pipeline.store import storage
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth, Ids
from .conformed import Conformed
from .plates import Plate, Truth, plate_of, take_side, truth_side

Item = TypeVar("Item")
READERS = 2
AHEAD = 3
"""Frames that are read or waiting to be looked at: full pictures, so few."""


class Ahead(Generic[Item]):
    """What ``load`` gives for a position, the next positions being loaded meanwhile. Close it at the end."""

    def __init__(self, load: Callable[[int], Item], count: int, readers: int = READERS) -> None:
        """Positions are 0..count - 1, asked for about in order; each only once, else it is loaded again."""
        self._load, self._count, self._next = load, count, 0
        self._pool = ThreadPoolExecutor(readers)
        self._coming: dict[int, Future[Item]] = {}

    def __call__(self, index: int) -> Item:
        """Raises what ``load`` raises."""
        self._next = max(self._next, index)
        while self._next < min(self._count, index + 1 + AHEAD):
            self._coming[self._next] = self._pool.submit(self._load, self._next)
            self._next += 1
        coming = self._coming.pop(index, None)
        return coming.result() if coming else self._load(index)

    def close(self) -> None:
        """Waits for what is being loaded and forgets it."""
        self._pool.shutdown(cancel_futures=True)
        self._coming.clear()


def readers(take: TakeFolder) -> int:
    """How many may read a take at once: the frames of a video come one after the other."""
    return 1 if "video" in take.manifest.data else READERS


class Shelf:
    """Frames at working size, a few files each in ``folder`` (None: nothing is kept), until all is measured."""

    def __init__(self, truth: GroundTruth, take: TakeFolder, folder: Path | None) -> None:
        self._truth, self._take, self._folder = truth, take, folder

    def read(self, source: int, frame: int) -> tuple[U8, U8, Ids]:
        """Take, render (H, W, 3) and ids (H, W) of a pair, which is kept. Raises InputError, StorageError."""
        truth = self._truth
        picture, render, ids = self._take.frame(frame), truth.beauty(source), truth.ids(source)
        if self._folder is not None:
            with storage(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                beauty, small, depth = truth_side(truth, source, render, ids)
                np.savez(self._folder / f"truth{source:05d}.npz", beauty=beauty, ids=small, depth=depth)
                np.save(self._folder / f"take{frame:05d}.npy", take_side(picture, None, truth.size))
        return picture, render, ids

    def plate(self, source: int, frame: int, conformed: Conformed) -> Plate:
        """What ``plates.load_plate`` gives, through the fit and at the levels found. Raises InputError."""
        return plate_of(source, self._truth_of(source), self._take_of(frame, conformed))

    def _truth_of(self, source: int) -> Truth:
        if self._folder is not None and (path := self._folder / f"truth{source:05d}.npz").exists():
            with np.load(path) as kept:
                return kept["beauty"], kept["ids"], kept["depth"]
        return truth_side(self._truth, source)

    def _take_of(self, frame: int, conformed: Conformed) -> U8:
        plain = conformed.fit.plain and not conformed.levels.says and not any(conformed.shake.get(frame, ()))
        if plain and self._folder is not None and (path := self._folder / f"take{frame:05d}.npy").exists():
            return np.asarray(np.load(path), np.uint8)
        picture = conformed.levels.apply(self._take.frame(frame))
        return take_side(picture, conformed.matrix(frame), self._truth.size)

    def clear(self) -> None:
        """Removes what is kept."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
