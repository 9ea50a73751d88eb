# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a render will take and how much it will write, as far as anything was measured; and how that is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import HoldfastError
from .store import read_json, write_json

FILE = "truth.timing.json"


@dataclass(frozen=True)
class Timing:
    """What the last render took: seconds and bytes for ``frames`` frames of ``size`` pixels.

    ``made_with`` is whatever else decides the time (engine, samples): a time that was measured with other settings is
    no estimate.
    """

    seconds: float
    bytes: int
    frames: int
    size: tuple[int, int]
    made_with: str

    def save(self, shot: Path) -> None:
        """Keeps it with the shot, for the next session."""
        write_json(shot / FILE, {**vars(self), "size": list(self.size)})

    @classmethod
    def load(cls, shot: Path) -> "Timing | None":
        """What was measured last; None if nothing was, or it can't be read."""
        try:
            record: Mapping[str, Any] = read_json(shot / FILE)
            size = (int(record["size"][0]), int(record["size"][1]))
            return cls(
                float(record["seconds"]),
                int(record["bytes"]),
                int(record["frames"]),
                size,
                str(record["made_with"]),
            )
        except (HoldfastError, KeyError, TypeError, ValueError, IndexError):
            return None


@dataclass(frozen=True)
class Estimate:
    """Of a whole render: ``seconds`` is None while unknown; ``bytes`` is an upper bound unless ``weighed``."""

    frames: int
    seconds: float | None
    bytes: int
    weighed: bool
    measured_on: str = ""

    def time_words(self) -> str:
        """As "about 3 min"."""
        return "unknown" if self.seconds is None else f"about {duration(self.seconds)}"

    def disk_words(self) -> str:
        """As "about 210 MB"."""
        return f"{'about' if self.weighed else 'at most'} {amount(self.bytes)}"

    def basis(self) -> str:
        """What the time rests on, in a sentence."""
        if self.seconds is None:
            return "Unknown until a frame is rendered with these settings."
        return f"Measured on {self.measured_on}."


def estimate(
    frames: int, size: tuple[int, int], made_with: str, bytes_at_most: int, timing: Timing | None
) -> Estimate:
    """Of ``frames`` frames of ``size`` pixels; other sizes than the measured one are scaled by their pixels."""
    if timing is None or timing.made_with != made_with or timing.frames < 1:
        return Estimate(frames, None, bytes_at_most, weighed=False)
    share = frames / timing.frames * (size[0] * size[1]) / (timing.size[0] * timing.size[1])
    count = "1 frame" if timing.frames == 1 else f"{timing.frames} frames"
    if size != timing.size:
        count += f" of {timing.size[0]} x {timing.size[1]}"
    return Estimate(
        frames, timing.seconds * share, round(timing.bytes * share), weighed=True, measured_on=count
    )


def duration(seconds: float) -> str:
    """Seconds in words, no finer than anybody can foresee: "8 s", "40 s", "3 min", "1 h 20 min"."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 90:
        return f"{round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    minutes = round(minutes / 10) * 10
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 and minutes < 600 else "")


def amount(count: int) -> str:
    """Bytes in words, in powers of ten: "850 kB", "21 MB", "1.4 GB"."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if count >= 10**power:
            value = count / 10**power
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"
