# SPDX-License-Identifier: GPL-3.0-or-later
"""What is common wherever two runs of a model meet: the weights of a cross-fade, and colours brought to the other's."""

from dataclasses import dataclass

import numpy as np

from .pictures import F32, U8

LEAST_GAIN, MOST_GAIN, MOST_OFFSET = 0.75, 1.33, 48.0


def weight(frame: int, first: int, last: int, handles: int) -> float:
    """Share of the new picture: 1 from ``first`` to ``last``, falling evenly over the handles, 0 beyond."""
    outside = max(first - frame, frame - last, 0)
    return max(0.0, 1.0 - outside / (handles + 1))


@dataclass(frozen=True)
class Tone:
    """How colours of one run become another's: ``colour * gain + offset`` for each channel, in levels."""

    gain: F32
    offset: F32

    @classmethod
    def between(cls, wanted: F32, given: F32) -> "Tone":
        """Makes the colours ``given`` (N, 3) those that are ``wanted`` (N, 3): equal mean and spread, within reason."""
        gain = np.clip(wanted.std(0) / np.maximum(given.std(0), 1.0), LEAST_GAIN, MOST_GAIN)
        offset = np.clip(wanted.mean(0) - given.mean(0) * gain, -MOST_OFFSET, MOST_OFFSET)
        return cls(gain.astype(np.float32), offset.astype(np.float32))

    def on(self, colours: U8 | F32) -> F32:
        """``colours`` (..., 3) toned."""
        return np.asarray(colours * self.gain + self.offset, np.float32)

    def mixed(self, other: "Tone", share: float) -> "Tone":
        """``share`` of the way to ``other``."""
        part = np.float32(share)
        return Tone(
            self.gain + (other.gain - self.gain) * part, self.offset + (other.offset - self.offset) * part
        )

    @property
    def most(self) -> float:
        """Levels by which it changes any colour at most."""
        ends = [np.abs(level * (self.gain - 1) + self.offset).max() for level in (0.0, 255.0)]
        return float(max(ends))


AS_IT_IS = Tone(np.ones(3, np.float32), np.zeros(3, np.float32))
