# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts what a model made of a clip back to the size and place of the shot, and writes it down as a take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from .fitting import Fit, back
from .manifest import Manifest
from .pictures import U8
from .take import SCHEMA, TakeFolder
from .truth import GroundTruth

PATTERN = "frames/{frame:04d}.png"
OTHER_RATIO = "The pictures have another ratio than what was sent, so they stay as they came."


@dataclass(frozen=True)
class Clip:
    """What a model was sent: the source frame that each of its frames ``shows``, its ``rate``, and how it was ``fitted``."""

    shows: tuple[int, ...]
    rate: Fraction
    fitted: Fit

    @classmethod
    def of(cls, controls: Mapping[str, Any]) -> "Clip":
        """From the ``data`` of a manifest of control clips."""
        return cls(tuple(controls["frame_map"]), Fraction(*controls["fps"]), Fit.of(controls["fit"]))


@dataclass(frozen=True)
class Placer:
    """Pictures that ``came`` (width, height) for a clip that was ``fitted``, put back; they stay as they are where there
    is nothing to put back, or no way to."""

    fitted: Fit
    came: tuple[int, int]

    @property
    def strange(self) -> bool:
        """Whether they have another ratio than the clip that was sent."""
        ours = self.fitted.clip[0] / self.fitted.clip[1]
        padded = self.fitted.source != self.fitted.clip
        return padded and abs(self.came[0] / self.came[1] / ours - 1) > 0.01

    def place(self, picture: U8) -> U8:
        """(H, W, 3) as it belongs to the shot."""
        if self.strange or self.fitted.source == self.fitted.clip:
            return picture
        return back(picture, self.fitted)


def picture_path(out: Path, frame: int) -> Path:
    """Where the picture of a frame of a take is."""
    return out / PATTERN.format(frame=frame)


def save_take(
    out: Path, name: str, truth: GroundTruth, *, size: tuple[int, int], rate: Fraction, numbers: Sequence[int],
    shown: Sequence[int], settings: Mapping[str, Any] | None, facts: Mapping[str, Any],
) -> TakeFolder:  # fmt: skip
    """The take whose pictures are in ``out``: frame ``numbers[i]`` shows the source frame ``shown[i]``. Raises
    StorageError."""
    data = {
        "take": name, "size": list(size), "fps": [rate.numerator, rate.denominator], "frames": list(numbers),
        "frame_map": [list(pair) for pair in zip(shown, numbers, strict=True)], "pattern": PATTERN, "provider": "import",
        "model": "", "seed": 0, "look": "", "prompt_hash": "", "parent": None, "spans": [], "notes": [], **facts,
    }  # fmt: skip
    manifest = Manifest(SCHEMA, dict(settings or {}), {"truth": truth.digest}, data)
    manifest.with_files(out, [picture_path(out, number) for number in numbers]).save(out / "take.json")
    return TakeFolder.open(out)
