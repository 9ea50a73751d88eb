# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a repaired take while it is made: every action lays its pictures over those of the one before.

Each step's pictures are files under ``steps/``, whole or not there, so a killed attempt goes on where it was.
"""

import shutil
from pathlib import Path

from ..pipeline.pictures import U8, read_picture, write_picture
from ..pipeline.store import storage
from ..pipeline.take import TakeFolder
from .share import share_file

PATTERN = "frames/{frame:04d}.png"


class Stack:
    """The parent's frames with the steps' pictures over them; ``step`` counts from 0."""

    def __init__(self, parent: TakeFolder, out: Path) -> None:
        self.parent, self.out = parent, out

    def below(self, step: int, frame: int) -> U8:
        """(H, W, 3) uint8 the frame as it was before ``step``. Raises InputError."""
        path = self._path(step, frame)
        return self.parent.frame(frame) if path is None else read_picture(path)

    def has(self, step: int, frame: int) -> bool:
        """Whether the step has made the frame, perhaps before the attempt was killed."""
        return self._at(step, frame).exists()

    def put(self, step: int, frame: int, picture: U8) -> None:
        """Lays a picture down. Raises StorageError."""
        write_picture(self._at(step, frame), picture)

    def drop(self, step: int) -> None:
        """Takes a step's pictures away again."""
        with storage(self.out):
            shutil.rmtree(self._at(step, 0).parent, ignore_errors=True)

    def frames(self, steps: int) -> tuple[int, ...]:
        """The parent's frames and those that the steps before ``steps`` made anew."""
        made = (
            int(path.stem) for step in range(steps) for path in self._at(step, 0).parent.glob("[0-9]*.png")
        )
        return tuple(sorted({*self.parent.frames, *made}))

    def finish(self, steps: int, frames: tuple[int, ...]) -> list[Path]:
        """Makes ``frames`` of what lies on top: untouched ones are the parent's files. Returns their paths."""
        for frame in frames:
            share_file(self._path(steps, frame) or self.parent.path(frame), self.target(frame))
        with storage(self.out):
            shutil.rmtree(self.out / "steps", ignore_errors=True)
        return [self.target(frame) for frame in frames]

    def target(self, frame: int) -> Path:
        """Where the finished frame goes."""
        return self.out / PATTERN.format(frame=frame)

    def _at(self, step: int, frame: int) -> Path:
        return self.out / "steps" / f"{step:02d}" / f"{frame:04d}.png"

    def _path(self, steps: int, frame: int) -> Path | None:
        """The newest picture of the steps before ``steps``."""
        made = (self._at(step, frame) for step in reversed(range(steps)))
        return next((path for path in made if path.exists()), None)
