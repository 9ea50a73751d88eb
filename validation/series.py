# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures by part and frame, as they are collected, judged and written to measures.json."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

PER_PART = (
    "visible_px", "share", "lost", "null", "ratio", "gain", "offset_x", "offset_y", "wobble", "scale", "turn_deg",
    "decidable", "textured", "unlike", "behind", "shift", "bend", "slip", "flex", "jump", "boil", "ghost", "ghost_x", "ghost_y",
    "take_L", "take_a", "take_b", "render_L", "render_a", "render_b",
)  # fmt: skip
"""What is measured of each part in each frame; units in docs/validate.md. NaN where it can't be told."""


@dataclass
class Series:
    """``frames`` source frames; ``of[part][measure]`` (F,) float64; ``touching[part][i]`` names of parts that meet
    it at frame i."""

    frames: tuple[int, ...]
    parts: tuple[str, ...]
    of: dict[str, dict[str, F64]] = field(default_factory=dict)
    touching: dict[str, list[frozenset[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in self.parts:
            self.of[part] = {name: np.full(len(self.frames), np.nan) for name in PER_PART}
            self.touching[part] = [frozenset() for _ in self.frames]

    def put(self, part: str, index: int, **values: float) -> None:
        """Stores measures of a part at frame index ``index``."""
        for name, value in values.items():
            self.of[part][name][index] = value


def to_json(values: F64) -> list[float | None]:
    """Rounded to 4 digits; NaN as null."""
    return [None if not np.isfinite(v) else round(float(v), 4) for v in values]
