# SPDX-License-Identifier: GPL-3.0-or-later
"""Before any part is measured: does the take have the right frames, in the right order, in the right place?

(Notes M0 contract, M1 time map, M2 global registration.) What is found here is a fault of the take as a whole, and
everything else is measured through the map and the offset found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..pipeline.context import Context
from ..pipeline.errors import InputError
from ..pipeline.pictures import F32, U8
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth
from .contours import Edges, peak, shift_votes, trace
from .gates import runs
from .limits import Limits
from .plates import load_plate
from .timemap import GRID, TimeMap, change, find_map, fingerprint, likeness

F64 = NDArray[np.float64]
Show = Callable[[int, int, U8, U8, U8], None]
DARK = 3.0
LOOKED_AT = 10
LEAST_CONFIDENCE = 0.05
LEAST_GAIN = 0.08
LEAST_MOVE = 0.4
LEAST_RUN = 10
"""Frames over which another map must hold: for less, a part that is off its place looks the same."""
FROZEN = 0.08
BLUNT_PX = 2.0


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
    """``pairs`` (source frame, take frame) to measure; ``offset_px`` of the take at full size; faults; notes."""

    pairs: list[tuple[int, int]]
    offset_px: tuple[float, float] = (0.0, 0.0)
    confidence: float = 0.0
    faults: list[TakeFault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def matrix(self, frame: int) -> tuple[float, float]:
        """How a frame of the take lies off the shot: see ``plates.load_plate``."""
        return self.offset_px

    def fit_json(self) -> dict[str, Any]:
        """The fit as the report holds it."""
        return {"scale": [1.0, 1.0], "offset_px": list(self.offset_px), "shake_px": 0.0, "levels": [1.0, 0.0]}


def claimed(truth: GroundTruth, take: TakeFolder) -> list[tuple[int, int]]:
    """(source, take) frames as the take's own map says, those that both have. Raises InputError if there are none."""
    shown = take.manifest.data.get("frame_map") or [[frame, frame] for frame in take.frames]
    have, know = set(take.frames), set(truth.frames)
    pairs = [(int(s), int(o)) for s, o in shown if int(o) in have and int(s) in know]
    if not pairs:
        todo = "Choose a take of this shot, or run Style again."
        raise InputError(
            "The take and the ground truth have no frame in common", where=str(take.folder), todo=todo
        )
    return sorted(pairs, key=lambda pair: pair[1])


def conform(
    truth: GroundTruth, take: TakeFolder, limits: Limits, ctx: Context, show: Show | None = None
) -> Conformed:
    """Checks frames, size and time, and finds the map and offset to measure through. ``show`` (position, source
    frame, render, take, ids) is given every frame that is read."""
    pairs = claimed(truth, take)
    out = Conformed(pairs)
    _contract(truth, take, out)
    takes, sources, blacks, steps, moves = [], [], [], [], []
    area = _part_area(truth, pairs)
    before: tuple[F32, U8] | None = None
    for index, (source, frame) in enumerate(ctx.each(pairs, "Checking frame")):
        styled, plate, ids = take.frame(frame), truth.beauty(source), truth.ids(source)
        if show:
            show(index, source, plate, styled, ids)
        takes.append(fingerprint(styled, area))
        sources.append(fingerprint(plate, area))
        small = cv2.resize(styled, (96, 54), interpolation=cv2.INTER_AREA).astype(np.float32)
        blacks.append(bool(small.mean() < DARK and plate.mean() > 3 * DARK))
        steps.append(0.0 if before is None else float(np.abs(small - before[0]).mean()))
        moves.append(
            0.0 if before is None else float((ids != before[1]).sum()) / (1 + np.sqrt((ids > 0).sum()))
        )
        before = (small, ids)
    for first, last in runs(np.array(blacks), 0):
        out.faults.append(_fault(pairs, first, last, "black", "brightness", 1, 0, "", "black"))
    if len(pairs) >= 8:
        still = change(sources)
        found = find_map(likeness(takes, sources), likeness(sources, sources), still)
        _time(found, pairs, out, limits)
        _frozen(np.array(steps), np.array(moves), pairs, out)
    out.offset_px = _offset(truth, take, out, limits)
    return out


def _fault(pairs: Sequence[tuple[int, int]], first: int, last: int, kind: str, measure: str, value: float, limit: float,
           unit: str, says: str) -> TakeFault:  # fmt: skip
    return TakeFault(kind, pairs[first][1], pairs[last][1], measure, value, limit, unit, says)


def _part_area(truth: GroundTruth, pairs: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """(90, 160) where parts show in any of some frames over the whole take, with air around."""
    shown = np.zeros(GRID[::-1], np.uint8)
    for source, _ in pairs[:: max(1, len(pairs) // (2 * LOOKED_AT))]:
        shown |= cv2.resize((truth.ids(source) > 0).astype(np.uint8), GRID, interpolation=cv2.INTER_NEAREST)
    return cv2.dilate(shown, np.ones((9, 9), np.uint8)) > 0


def _contract(truth: GroundTruth, take: TakeFolder, out: Conformed) -> None:
    missing = sorted(set(truth.frames) - {source for source, _ in out.pairs})
    if missing and not take.manifest.data.get("partial"):
        first, last = missing[0], missing[-1]
        says = f"{len(missing)} frame{'s' * (len(missing) > 1)} of the shot missing in the take"
        out.faults.append(TakeFault("frame_map", first, last, "missing", len(missing), 0, "frames", says))
    width, height = take.frame(out.pairs[0][1]).shape[1::-1]
    if (width, height) != truth.size:
        out.notes.append(
            f"The take is {width}x{height}, the shot {truth.size[0]}x{truth.size[1]}: measured at the shot's size."
        )
        stretch = (width / height) / (truth.size[0] / truth.size[1])
        if abs(stretch - 1) > 0.02:
            says = f"the picture is {width}x{height}, another shape than the shot's {truth.size[0]}x{truth.size[1]}"
            out.faults.append(_fault(out.pairs, 0, -1, "frame_size", "aspect", stretch, 1.02, "", says))


def _time(found: TimeMap, pairs: list[tuple[int, int]], out: Conformed, limits: Limits) -> None:
    """Takes the found map where it clearly beats the claimed one; says how it differs."""
    out.confidence = found.confidence
    if found.confidence < LEAST_CONFIDENCE:
        out.notes.append(
            "The picture moves too little to tell its timing; the take's own frame map is trusted."
        )
        return
    lag = found.source - np.arange(len(pairs))
    limit = limits.of["frame_map"].value
    for first, last in runs((lag != 0) & found.certain, 2):
        lead = float(found.score[first : last + 1].mean())
        if last - first + 1 < LEAST_RUN or lead < limit:
            continue
        steps = lag[first : last + 1]
        steady = int(np.median(steps))
        how = f"{abs(steady)} frame{'s' * (abs(steady) != 1)} {'late' if steady < 0 else 'early'}"
        about = "" if np.ptp(steps) <= 1 else "about "
        says = f"the take runs {about}{how}" if steady else "the take is timed differently from the shot"
        out.faults.append(_fault(pairs, first, last, "frame_map", "time map", lead, limit, "", says))
        for index in range(first, last + 1):
            out.pairs[index] = (pairs[int(found.source[index])][0], pairs[index][1])


def _frozen(steps: F64, moves: F64, pairs: Sequence[tuple[int, int]], out: Conformed) -> None:
    """Repeated pictures: ``steps`` (N,) how much the take changes, ``moves`` how much the truth's parts move."""
    moving = moves > LEAST_MOVE
    if moving.sum() < 4:
        return
    expected = float(np.median(steps[moving] / moves[moving])) * moves
    same = moving & (steps < FROZEN * expected) & (steps < 0.25)
    for first, last in runs(same, 0):
        frames = {pairs[index][1] for index in range(first, last + 1)}
        if any(f.kind == "frame_map" and frames & set(range(f.first, f.last + 1)) for f in out.faults):
            continue
        says = "the picture stands still while the shot moves"
        out.faults.append(
            _fault(pairs, first, last, "frozen", "repeated", last - first + 1, 0, "frames", says)
        )


def _offset(truth: GroundTruth, take: TakeFolder, out: Conformed, limits: Limits) -> tuple[float, float]:
    """Shift of the whole picture at full size: the one place where the contours of all parts agree."""
    picked = out.pairs[:: max(1, len(out.pairs) // LOOKED_AT)]
    votes, own, unit, scale = [], [], 1.0, 1.0
    for source, frame in picked:
        plate = load_plate(truth, take, source, frame)
        edges, unit, scale = Edges.of(plate), plate.unit, truth.size[0] / plate.ids.shape[1]
        search = max(4, round(10 * unit))
        for part in truth.parts:
            contour = trace(plate, part.id)
            if len(contour.points) >= 40:
                votes.append(shift_votes(edges.take, contour.points[::2], contour.normals[::2], search))
                own.append(shift_votes(edges.render, contour.points[::2], contour.normals[::2], search))
    if len(votes) < 3:
        return 0.0, 0.0
    (x, y), gain = peak(_blunt(votes, unit))
    (x0, y0), _ = peak(_blunt(own, unit))
    dx, dy = x - x0, y - y0
    length = float(np.hypot(dx, dy)) / unit
    limit = limits.of["frame_shift"]
    if gain < LEAST_GAIN or length <= limit.value:
        return 0.0, 0.0
    says = f"the whole picture lies {length * truth.size[0] / 640:.1f} px off ({dx * scale:+.1f}, {dy * scale:+.1f})"
    out.faults.append(_fault(out.pairs, 0, -1, "frame_fit", "registration", length, limit.value, "px", says))
    return dx * scale, dy * scale


def _blunt(votes: list[F32], unit: float) -> F32:
    """The mean vote, blurred: an ink line has an edge on either side of the contour, and the contour between them."""
    return np.asarray(cv2.GaussianBlur(np.mean(votes, axis=0), (0, 0), BLUNT_PX * unit), np.float32)
