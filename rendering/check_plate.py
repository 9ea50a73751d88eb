# SPDX-License-Identifier: GPL-3.0-or-later
"""One frame of a package as the checks read it: every file once, every part cut down to where it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from ..pipeline.pictures import F32, read_gray
from ..pipeline.truth import F64, Camera, GroundTruth, PartInfo
from .check_surfaces import Surfaces

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
Window = tuple[slice, slice]
LEVEL = 1 / 255
"""Step of a share that is stored in 8 bits."""
MOST_DEEP = 16
"""Objects behind one another that a whole matte is sure to tell apart."""
_AROUND = np.ones((3, 3), np.uint8)
_PAD = 3


@dataclass(frozen=True)
class Failure:
    """``check`` failed in ``frame`` for ``part`` (empty: the whole picture); ``says`` gives the figures.

    ``stops``: the package is surely wrong and must not be used. Otherwise a look is worth it, since there are right
    scenes that give the same (see docs/truth-checks.md).
    """

    check: str
    frame: int
    part: str
    says: str
    stops: bool = True

    def __str__(self) -> str:
        where = f"frame {self.frame}" + (f", {self.part}" if self.part else "")
        return f"{self.check} ({where}): {self.says}"


@dataclass(frozen=True)
class Piece:
    """A part in one frame, inside ``window`` (rows, columns): it has no pixel outside.

    ``own`` where the id map names it, ``matte`` and ``whole`` its coverages in 0..1 (``whole`` None if not in the
    package), all (h, w).
    """

    part: PartInfo
    window: Window
    own: Mask
    matte: F32
    whole: F32 | None

    @property
    def covered(self) -> Mask:
        """Where something of the part is seen."""
        return np.asarray(self.matte > 0)

    @cached_property
    def sampled(self) -> bool:
        """Whether the matte has shares between none and all: with a single sample a fine part may slip through it."""
        return bool(((self.matte > 0.02) & (self.matte < 0.98)).any())

    @cached_property
    def present(self) -> Mask:
        """Where the part is seen, or one pixel beside it."""
        return near(self.own | (self.matte > 0))

    @cached_property
    def anywhere(self) -> Mask:
        """Where the part is, seen or hidden, or one pixel beside it."""
        return self.present if self.whole is None else self.present | near(self.whole > 0)

    @cached_property
    def inner(self) -> Mask:
        """Pixels of the part with nothing but the part around them; beyond the picture counts as the part."""
        return inside(self.own)

    @cached_property
    def solid(self) -> Mask:
        """Where the part alone would fill the pixel and all around it, so that no ray can slip past."""
        shape = self.whole if self.whole is not None else self.own.astype(np.float32)
        return np.asarray(cv2.erode(shape, _AROUND) >= 0.98)

    def at(self, what: str, rows: Places, columns: Places) -> Mask:
        """The mask ``what`` of this class at pixels (N,) of the picture; False outside of the window."""
        mask: Mask = getattr(self, what)
        down, across = rows - self.window[0].start, columns - self.window[1].start
        found = (down >= 0) & (across >= 0) & (down < mask.shape[0]) & (across < mask.shape[1])
        found[found] = mask[down[found], across[found]]
        return found


class Plate:
    """The arrays of one frame, read when they are first asked for. Raises InputError for a file that can't be read."""

    def __init__(self, truth: GroundTruth, frame: int, surfaces: Surfaces) -> None:
        self.truth, self.frame, self.surfaces = truth, frame, surfaces
        self.camera: Camera = truth.camera(frame)
        records: list[dict[str, Any]] = truth.manifest.data["camera"]
        self.lens: Mapping[str, Any] = next(each for each in records if int(each["frame"]) == frame)
        self.blurred = bool(truth.manifest.data.get("blurred"))

    @property
    def deep(self) -> bool:
        """So many objects that one far behind may be left out of its whole matte."""
        records = self.truth.manifest.data["parts"]
        return sum(len(record.get("cover", "1")) for record in records) > MOST_DEEP

    @property
    def cut_out(self) -> bool:
        """Whether the scene has holdouts: nothing is seen where they are, whatever is behind them."""
        return bool(self.truth.manifest.settings.get("holdouts"))

    @property
    def near(self) -> float:
        """Metres from the camera, along its axis, before which nothing is drawn."""
        return float(self.lens.get("clip", (0.0,))[0])

    @property
    def far(self) -> float:
        """Metres from the camera beyond which nothing is drawn."""
        return float(self.lens.get("clip", (0.0, np.inf))[-1])

    @property
    def footprint(self) -> float:
        """Metres that a pixel is wide at a depth of 1 m; for an orthographic camera at every depth."""
        return float(1 / min(abs(self.camera.K[0, 0]), abs(self.camera.K[1, 1])))

    def footprints(self, depth: F64) -> F64:
        """Metres that a pixel is wide at each depth."""
        return np.full_like(depth, self.footprint) if self.camera.orthographic else self.footprint * depth

    @cached_property
    def ids(self) -> NDArray[Any]:
        return self.truth.ids(self.frame)

    @cached_property
    def depth(self) -> F32:
        return self.truth.depth(self.frame)

    @cached_property
    def normal(self) -> F32:
        return self.truth.normal(self.frame)

    @cached_property
    def vector(self) -> F32:
        return self.truth.vector(self.frame)

    @cached_property
    def nearest(self) -> F32:
        """(H, W) the least depth of each pixel and those around it, infinite where nothing is."""
        return np.asarray(cv2.erode(np.where(self.depth > 0, self.depth, np.float32(np.inf)), _AROUND))

    @cached_property
    def pieces(self) -> dict[str, Piece]:
        """Every part that has a pixel in any of its passes."""
        found = ((part.name, self._piece(part)) for part in self.truth.parts)
        return {name: piece for name, piece in found if piece is not None}

    def pose(self, part: str) -> F64:
        """(4, 4) world matrix of a part."""
        return self.truth.pose(part, self.frame)

    def _piece(self, part: PartInfo) -> Piece | None:
        own = self.ids == part.id
        matte, whole = self._share("matte", part), self._share("whole", part)
        boxes = [_box(each) for each in (own, matte, whole) if each is not None]
        boxes = [box for box in boxes if box[2]]
        if not boxes:
            return None
        left, top = (max(min(box[axis] for box in boxes) - _PAD, 0) for axis in (0, 1))
        right, bottom = (max(box[axis] + box[axis + 2] for box in boxes) + _PAD for axis in (0, 1))
        window = slice(top, min(bottom, own.shape[0])), slice(left, min(right, own.shape[1]))
        cut = own[window]
        blank = np.zeros(cut.shape, np.float32)
        mine = blank if matte is None else _as_share(matte[window])
        alone = None if not self.truth.has("whole") else blank if whole is None else _as_share(whole[window])
        return Piece(part, window, cut, mine, alone)

    def _share(self, kind: str, part: PartInfo) -> NDArray[Any] | None:
        """The stored levels of a matte or whole; None where it is empty or not in the package."""
        if not self.truth.has(kind) or self.truth.is_empty(kind, part.name, self.frame):
            return None
        path = self.truth.path(kind, self.frame, part.name)
        stored = read_gray(path)
        if stored.shape != self.truth.size[::-1]:
            raise InputError(
                f"The {kind} has the size {stored.shape}", where=f"{part.name}, frame {self.frame}"
            )
        if stored.dtype not in (np.uint8, np.uint16):
            raise InputError(f"The {kind} holds {stored.dtype}", where=f"{part.name}, frame {self.frame}")
        return stored


def near(mask: Mask) -> Mask:
    """The mask and one pixel around it."""
    return np.asarray(cv2.dilate(mask.view(np.uint8), _AROUND) > 0)


def inside(mask: Mask) -> Mask:
    """The mask without its outermost pixels; beyond the array counts as the mask."""
    return np.asarray(cv2.erode(mask.view(np.uint8), _AROUND) > 0)


def _box(values: NDArray[Any]) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is not zero."""
    some = values if values.dtype == np.uint8 else (values != 0).view(np.uint8)
    return tuple(cv2.boundingRect(some))


def _as_share(stored: NDArray[Any]) -> F32:
    return (stored / np.float32(65535 if stored.dtype == np.uint16 else 255)).astype(np.float32)
