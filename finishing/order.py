# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame of a take shows which frame of the shot, and which frames of the shot nobody shows."""

from collections.abc import Mapping, Sequence
from typing import Any

UNUSABLE = ("black", "frozen", "frames_missing")
"""Faults whose frames show nothing of the shot."""


def time_map(report: Mapping[str, Any], frames: Sequence[int]) -> dict[int, int | None]:
    """For every frame of the shot, the frame of the take that shows it, by the report's map, or None.

    Where several do, the one nearest to its own place. Frames that the report found black, frozen or missing show
    nothing.
    """
    pairs = [(int(source), int(shown)) for source, shown in report.get("frame_map") or []]
    dead = {
        frame
        for finding in report.get("findings", ())
        if finding["kind"] in UNUSABLE
        for frame in range(finding["frames"][0], finding["frames"][1] + 1)
    }
    found: dict[int, int | None] = dict.fromkeys(sorted({*frames, *dead, *(source for source, _ in pairs)}))
    for source, shown in pairs:
        if source in found and shown not in dead:
            before = found[source]
            if before is None or abs(shown - source) < abs(before - source):
                found[source] = shown
    return found if pairs else {frame: None if frame in dead else frame for frame in found}


def gaps(order: Mapping[int, int | None]) -> list[list[int]]:
    """Runs of frames that nothing shows, in order."""
    runs: list[list[int]] = []
    for frame in sorted(order):
        if order[frame] is not None:
            continue
        if runs and runs[-1][-1] == frame - 1:
            runs[-1].append(frame)
        else:
            runs.append([frame])
    return runs


def longest_gap(order: Mapping[int, int | None]) -> int:
    """Frames in the longest run that nothing shows."""
    return max((len(run) for run in gaps(order)), default=0)
