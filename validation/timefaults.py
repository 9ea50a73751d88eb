# SPDX-License-Identifier: GPL-3.0-or-later
"""Says what is wrong with a take as a whole, in words, and puts the map that was found in the place of its own."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .conformed import Conformed, TakeFault
from .gates import runs
from .timemap import TimeMap

OTHER_SHAPE = 1.02
"""Ratio of width to height against the shot's from which the picture has another shape: sides rounded to 16 give 1.01."""

SURE, MOST_SPANS = 0.6, 6
"""How well a frame's time must be told to be called known; spans of frames that a remark names at most."""


def contract_faults(
    truth: GroundTruth, take: TakeFolder, pairs: Sequence[tuple[int, int]], out: Conformed
) -> None:
    """Frames that are missing, pictures of another size."""
    shown = {source for source, _ in pairs}
    missing = sorted(set(truth.frames) - shown)
    rate = len(truth.frames) / max(1, len(take.frames))
    fewer = (
        abs(rate - 1) > 0.02
        and not take.manifest.data.get("frame_map")
        and len(missing) >= len(truth.frames) // 4
    )
    if missing and not take.manifest.data.get("partial") and not fewer:
        many = len(missing)
        says = f"{many} frame{'s' * (many > 1)} of the shot missing in the take"
        out.faults.append(
            TakeFault("frames_missing", missing[0], missing[-1], "missing", many, 0, "frames", says)
        )
    (width, height), (across, down) = out.own or truth.size, truth.size
    if (width, height) == (across, down):
        return
    out.notes.append(f"The take is {width}x{height}, the shot {across}x{down}: measured at the shot's size.")
    stretch = (width / height) / (across / down)
    if max(stretch, 1 / stretch) > OTHER_SHAPE:
        says = f"the picture is {width}x{height}, another shape than the shot's {across}x{down}"
        out.faults.append(_fault(pairs, 0, -1, "frame_size", "aspect", stretch, OTHER_SHAPE, "", says))


def blank_faults(blank: Mapping[int, str], pairs: Sequence[tuple[int, int]], out: Conformed) -> None:
    """Frames that show nothing: ``blank`` says what, by take frame."""
    for what in sorted(set(blank.values())):
        for first, last in runs(np.array([blank.get(frame) == what for _, frame in pairs]), 0):
            says = f"the picture is {what}"
            out.faults.append(_fault(pairs, first, last, "black", "brightness", 1, 0, "", says))


def range_fault(out: Conformed) -> None:
    """Wrong colour range."""
    if out.levels.says:
        out.faults.append(
            _fault(out.pairs, 0, -1, "colour_range", "levels", abs(out.levels.value), 0, "", out.levels.says)
        )


def time_faults(
    found: TimeMap, pairs: Sequence[tuple[int, int]], sources: Sequence[int], out: Conformed
) -> None:
    """Takes the map found for ``pairs`` (those of them that show something); ``sources`` are the shot's frames."""
    out.decided = not found.why
    out.confidence = float(np.median(found.sure)) if len(found.sure) else 0.0
    if found.why:
        out.notes.append(f"Undecidable: {found.why}; the take's own frame map is trusted.")
    else:
        _unsure_note(found, pairs, out)
    now = {frame: sources[int(at)] for (_, frame), at in zip(pairs, found.source, strict=True)}
    out.sure = {frame: float(sure) for (_, frame), sure in zip(pairs, found.sure, strict=True)}
    out.pairs = [(now.get(frame, source), frame) for source, frame in out.pairs]
    place = {frame: index for index, frame in enumerate(sources)}
    said = np.array([place[source] for source, _ in pairs])
    lag = np.asarray(found.source) - said
    for first, last in runs(found.repeats, 0):
        many = last - first + 1
        says = f"the picture stands still for {many} frame{'s' * (many > 1)} while the shot moves"
        out.faults.append(_fault(pairs, first, last, "frozen", "repeated", many, 0, "frames", says))
    if found.why or not (lag != 0).any():
        return
    if found.line is not None and abs(found.line[0] - _rate(said)) > 0.01:
        says = f"the take plays at {found.line[0] / max(_rate(said), 1e-6):.3g} times the shot's speed"
        out.faults.append(
            _fault(pairs, 0, -1, "frame_map", "time map", float(np.abs(lag).max()), 0, "frames", says)
        )
        return
    for first, last in runs((lag != 0) & ~found.repeats, 1):
        steps = lag[first : last + 1]
        out.faults.append(
            _fault(
                pairs,
                first,
                last,
                "frame_map",
                "time map",
                float(np.abs(steps).max()),
                0,
                "frames",
                _how(steps),
            )
        )


def _unsure_note(found: TimeMap, pairs: Sequence[tuple[int, int]], out: Conformed) -> None:
    spans = list(runs(found.sure < SURE, 0))
    if spans:
        told = [f"{pairs[a][1]}-{pairs[b][1]}" if b > a else str(pairs[a][1]) for a, b in spans[:MOST_SPANS]]
        more = ", ..." if len(spans) > MOST_SPANS else ""
        out.notes.append(f"Frames whose time can't be told to a frame: {', '.join(told)}{more}.")


def _how(lag: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> str:
    """ "the take runs 3 frames late" """
    steady = int(np.median(lag))
    if np.ptp(lag) > 2 or steady == 0:
        return f"the take is timed differently from the shot, by up to {int(np.abs(lag).max())} frames"
    many = abs(steady)
    about = "" if np.ptp(lag) == 0 else "about "
    return f"the take runs {about}{many} frame{'s' * (many != 1)} {'late' if steady < 0 else 'early'}"


def _rate(said: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> float:
    return float(np.diff(said).mean()) if len(said) > 1 else 1.0


def _fault(pairs: Sequence[tuple[int, int]], first: int, last: int, kind: str, measure: str, value: float, limit: float,
           unit: str, says: str) -> TakeFault:  # fmt: skip
    return TakeFault(kind, pairs[first][1], pairs[last][1], measure, value, limit, unit, says)
