# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a take as a whole: its map to the shot's frames, its fit, its levels, its faults."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import InputError
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .levels import Levels
from .register import Fit

F64 = NDArray[np.float64]
LEAST_FIT_PX = 2.0
"""Corner displacement, px of a picture 1920 wide, below which reading through a fit blurs more than it mends: half a
pixel of the pictures that are registered."""


@dataclass(frozen=True)
class TakeFault:
    """A fault of the whole picture: frames first..last (take frames), what it says, its value against its limit."""

    kind: str
    first: int
    last: int
    measure: str
    value: float
    limit: float
    unit: str
    says: str


@dataclass
class Conformed:
    """``pairs`` (source frame, take frame) to measure through; ``fit`` of the whole picture and ``shake`` of single
    take frames (shares of width and height); ``levels`` to read by; ``sure`` 0..1 by take frame how well its time can
    be told; ``size`` of the shot and ``own`` of the take, (width, height)."""

    pairs: list[tuple[int, int]]
    confidence: float = 0.0
    faults: list[TakeFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fit: Fit = field(default_factory=Fit)
    shake: dict[int, tuple[float, float]] = field(default_factory=dict)
    levels: Levels = field(default_factory=Levels)
    sure: dict[int, float] = field(default_factory=dict)
    decided: bool = False
    size: tuple[int, int] = (1, 1)
    own: tuple[int, int] | None = None

    def matrix(self, frame: int) -> F64 | None:
        """(2, 3) from pixels of the shot at full size to those of take frame ``frame`` at its own size. The origin of
        both is the top left corner of the picture (``register.from_centres`` for OpenCV). None before the take was
        looked at: its picture is the shot's, at whatever size."""
        if not self.own:
            return None
        dx, dy = self.shake.get(frame, (0.0, 0.0))
        shift = self.fit.shift[0] + dx, self.fit.shift[1] + dy
        return Fit(self.fit.scale, shift).matrix(self.size, self.own)

    @property
    def offset_px(self) -> tuple[float, float]:
        """Shift of the whole picture in pixels of the shot at full size, at its centre."""
        return self.fit.shift[0] * self.size[0], self.fit.shift[1] * self.size[1]

    @property
    def shake_px(self) -> float:
        """The largest shake, px of a picture 1920 wide."""
        tall = self.size[1] / self.size[0]
        return max((1920 * float(np.hypot(x, y * tall)) for x, y in self.shake.values()), default=0.0)

    def fit_json(self) -> dict[str, Any]:
        """The fit as the report keeps it; px of a picture 1920 wide."""
        px = 1920, 1920 * self.size[1] / self.size[0]
        shift = [round(px[axis] * self.fit.shift[axis], 2) for axis in (0, 1)]
        shake = [
            [frame, round(px[0] * x, 2), round(px[1] * y, 2)] for frame, (x, y) in sorted(self.shake.items())
        ]
        return {
            "scale": [round(v, 5) for v in self.fit.scale], "offset_px": shift, "shake_px": round(self.shake_px, 2),
            "levels": [round(self.levels.gain, 4), round(self.levels.offset, 2)], **({"shake": shake} if shake else {}),
        }  # fmt: skip


def claimed(truth: GroundTruth, take: TakeFolder) -> list[tuple[int, int]]:
    """(source, take) frames as the take's own map says, those that both have; without a map, by the frame rates of
    both. Raises InputError if there are none."""
    shown = take.manifest.data.get("frame_map") or _by_rate(truth, take)
    have, know = set(take.frames), set(truth.frames)
    pairs = [(int(s), int(o)) for s, o in shown if int(o) in have and int(s) in know]
    if not pairs:
        todo = "Choose a take of this shot, or run Style again."
        raise InputError(
            "The take and the ground truth have no frame in common", where=str(take.folder), todo=todo
        )
    return sorted(pairs, key=lambda pair: pair[1])


def _by_rate(truth: GroundTruth, take: TakeFolder) -> list[tuple[int, int]]:
    rate = take_rate(truth, take)
    if abs(rate - 1) < 1e-3 or not take.frames:
        return [(frame, frame) for frame in take.frames]
    first, origin = take.frames[0], truth.frames[0]
    return [(int(np.floor(origin + (frame - first) * rate + 0.5)), frame) for frame in take.frames]


def take_rate(truth: GroundTruth, take: TakeFolder) -> float:
    """Frames of the shot that pass in one of the take's, by the rates that both state."""
    stated = take.manifest.data.get("fps")
    if not stated or not stated[0] or not stated[1]:
        return 1.0
    return (truth.fps[0] / truth.fps[1]) / (stated[0] / stated[1])


def through(conformed: Conformed) -> dict[str, Any]:
    """What measuring needs of it, as JSON, for the processes that measure."""
    return {
        "pairs": [list(pair) for pair in conformed.pairs], "fit": [conformed.fit.scale, conformed.fit.shift],
        "shake": [[frame, *shift] for frame, shift in conformed.shake.items()], "size": conformed.size,
        "levels": [conformed.levels.gain, conformed.levels.offset, conformed.levels.says, conformed.levels.value],
        "own": conformed.own,
    }  # fmt: skip


def found(data: dict[str, Any]) -> Conformed:
    """The same back from ``through``."""
    (sx, sy), (dx, dy) = data["fit"]
    width, height = data["size"]
    return Conformed(
        [(source, frame) for source, frame in data["pairs"]],
        fit=Fit((sx, sy), (dx, dy)),
        shake={frame: (x, y) for frame, x, y in data["shake"]},
        levels=Levels(*data["levels"]),
        size=(width, height),
        own=(data["own"][0], data["own"][1]) if data["own"] else None,
    )
