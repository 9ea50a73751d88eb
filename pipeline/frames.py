# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame specs as farms write them: ``1-4  3-3  1..4  1,5,7-12:2  -5--2  1-20x5``."""

import re
from collections.abc import Iterable

from .errors import UsageError

_RANGE = re.compile(r"(-?\d+)(?:(?:-|\.\.)(-?\d+)(?:[:x](\d+))?)?")
MOST_FRAMES = 1_000_000


def parse_frames(spec: str) -> tuple[int, ...]:
    """Sorted distinct scene frames that ``spec`` names. Raises UsageError for anything else than a spec."""
    frames: set[int] = set()
    example = "Write frames as 1-72, 1,5,9 or 1-72:2."
    for piece in spec.replace(" ", "").split(","):
        match = _RANGE.fullmatch(piece)
        if not match:
            raise UsageError(f"{spec!r} is not a frame range", todo=example)
        first, last = int(match[1]), int(match[2] if match[2] is not None else match[1])
        step = int(match[3] or 1)
        if last < first:
            raise UsageError(f"The frame range {piece} runs backwards", todo=f"Write it as {last}-{first}.")
        if step == 0 or (last - first) // max(step, 1) >= MOST_FRAMES:
            raise UsageError(f"The frame range {piece} is not usable", todo=example)
        frames.update(range(first, last + 1, step))
    return tuple(sorted(frames))


def spans(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Contiguous (first, last) spans of the given frames, in order."""
    result: list[tuple[int, int]] = []
    for frame in sorted(set(frames)):
        if result and frame == result[-1][1] + 1:
            result[-1] = (result[-1][0], frame)
        else:
            result.append((frame, frame))
    return result


def format_frames(frames: Iterable[int]) -> str:
    """The shortest plain spec of the frames, e.g. ``1-8,20``; ``parse_frames`` reads it back."""
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans(frames))
