# SPDX-License-Identifier: GPL-3.0-or-later
"""A take: restyled frames of a shot with the map to its source frames."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .errors import InputError
from .manifest import Manifest
from .pictures import U8
from .take_frames import VideoFrames, read_frame

SCHEMA = "holdfast/take"


@dataclass(frozen=True)
class TakeFolder:
    """A finished take on disk; frames are read when asked for: pictures by ``pattern``, or one ``video``, best in order."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "TakeFolder":
        """Raises InputError if the folder holds no finished take."""
        return cls(Path(folder), Manifest.load(Path(folder) / "take.json", SCHEMA))

    @property
    def name(self) -> str:
        """The take's name, e.g. t001."""
        return str(self.manifest.data["take"])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        width, height = self.manifest.data["size"]
        return int(width), int(height)

    @property
    def frames(self) -> tuple[int, ...]:
        """Scene frames that the take holds."""
        return tuple(self.manifest.data["frames"])

    def path(self, frame: int) -> Path:
        """Where the picture of a frame is."""
        return self.folder / str(self.manifest.data["pattern"]).format(frame=frame)

    def frame(self, frame: int) -> U8:
        """(H, W, 3) uint8 RGB. Raises InputError for a frame that the take does not hold, that is damaged, or that is of
        another size than the take: nothing may be told from it, nor be graded or cut with the others."""
        if frame not in self.frames:
            raise InputError(f"Take {self.name} has no frame {frame}", where=str(self.folder))
        if "video" in self.manifest.data:
            path = self.folder / str(self.manifest.data["video"])
            picture = self._video[self.frames.index(frame)]
        else:
            path = self.path(frame)
            picture = read_frame(path)[0]
        own, whole = (picture.shape[1], picture.shape[0]), self.size
        if own != whole:
            what = f"Frame {frame} of take {self.name} ({path.name}) is {own[0]}x{own[1]}, the take is {whole[0]}x{whole[1]}"
            todo = f"Get frame {frame} again at {whole[0]}x{whole[1]}, then run this again."
            raise InputError(what, where=str(path), todo=todo)
        return picture

    @cached_property
    def _video(self) -> VideoFrames:
        return VideoFrames(self.folder / str(self.manifest.data["video"]))
