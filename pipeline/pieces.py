# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts a shot that is longer than a model takes into pieces that overlap, each a clip that the model does take.

The clip of the whole shot is what is cut, so the frames of all pieces lie on one clock whatever the model's rate is.
All pieces are of one length that the model's rule allows: nothing is shown twice to fill one up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from .controls import Controls, CountRule
from .errors import InputError
from .fitting import Rate, allowed, bounds, fit_rate, fitted_count, frame_map, natural_count, natural_map

MOST_PIECES = 24
OVERLAP_S = Fraction(1, 3)
"""Seconds that pieces share if nobody says otherwise; at most a third of the longest clip."""
LEAST_OVERLAP = 2
SHORTER = "Make the shot shorter, render less of it (--frames), or choose a model that takes longer clips."


@dataclass(frozen=True)
class Window:
    """``count`` frames of the clip of the whole shot, from ``first`` (0 is its first frame)."""

    first: int
    count: int

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.first + self.count


@dataclass(frozen=True)
class Piece:
    """Piece ``number`` (from 1) of ``of``: where it lies in the clip of the whole shot, and the source frame that each of
    its frames ``shows``."""

    number: int
    of: int
    window: Window
    shows: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its folder: piece-01."""
        return f"piece-{self.number:02d}"

    @property
    def words(self) -> str:
        """As a list of jobs says it; empty where the shot is one piece."""
        return f"piece {self.number} of {self.of}" if self.of > 1 else ""


def windows(count: int, source: Rate, contract: Controls, model: str, overlap: int = 0) -> tuple[Window, ...]:
    """Where the pieces of a shot of ``count`` frames at the rate ``source`` lie; one if ``model`` takes it whole.
    ``overlap``: frames of the shot that pieces share at least; 0: a third of a second, less if the model is short.
    Costs no time for a long shot. Raises InputError with the limit if it can't be cut so."""
    clip = fit_rate(source, contract.rate)
    total, (least, most) = natural_count(count, source, clip), bounds(clip, contract.count)
    if total <= most:
        return (Window(0, fitted_count(total, clip, contract.count, model)),)
    longest = _longest(math.floor(most), max(least, 1), contract.count, model)
    shared = _shared(source, clip, longest, overlap, model)
    number = math.ceil(Fraction(total - shared, longest - shared))
    if number > MOST_PIECES:
        what = f"{model} takes at most {longest} frames at once, so the shot would be {number} pieces; {MOST_PIECES} are the most"
        raise InputError(what, todo=SHORTER)
    length = max(math.ceil(Fraction(total + (number - 1) * shared, number)), least)
    length = min(allowed(length, contract.count), longest)
    left = total - length
    return tuple(
        Window((2 * index * left + number - 1) // (2 * (number - 1)), length) for index in range(number)
    )


def pieces(
    frames: Sequence[int], source: Rate, contract: Controls, model: str, overlap: int = 0
) -> tuple[Piece, ...]:
    """The pieces of the shot's ``frames``, see ``windows``. Raises InputError."""
    clip = fit_rate(source, contract.rate)
    cut = windows(len(frames), source, contract, model, overlap)
    if len(cut) == 1:
        return (Piece(1, 1, cut[0], frame_map(frames, source, clip, contract.count, model)),)
    shown = natural_map(frames, source, clip)
    return tuple(
        Piece(number, len(cut), window, shown[window.first : window.end])
        for number, window in enumerate(cut, 1)
    )


def _longest(most: int, least: int, rule: CountRule, model: str) -> int:
    """The longest clip of the rule."""
    longest = most - (most - rule.offset) % rule.step
    if longest < least:
        raise InputError(f"No frame count of the rule {rule.name} lies within {least} to {most}", where=model)
    return longest


def _shared(source: Rate, clip: Rate, longest: int, overlap: int, model: str) -> int:
    """Frames of the clip that two pieces share at least."""
    if overlap:
        shared = max(1, math.ceil(overlap * Fraction(*clip) / Fraction(*source)))
        todo = f"Choose an overlap of at most {math.floor(longest // 2 * Fraction(*source) / Fraction(*clip))} frames."
    else:
        shared = max(LEAST_OVERLAP, min(round(OVERLAP_S * Fraction(*clip)), longest // 3))
        todo = SHORTER
    if 2 * shared > longest:
        what = f"{model} takes at most {longest} frames at once: too few for pieces that share {shared} at either end"
        raise InputError(what, todo=todo)
    return shared
