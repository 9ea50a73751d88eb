# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist asked of the whole look, as far as it can be measured: palette, background, readable parts.

Some frames over the take are looked at; where one fails, the frames between it and the next good one are searched, so
that a finding names its first and last frame.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ..pipeline.context import Context
from ..pipeline.intent import STAYS, Intent
from ..pipeline.pictures import F32
from ..pipeline.take import TakeFolder
from ..pipeline.truth import GroundTruth, PartInfo
from .anchors import Rig
from .conform import Conformed, TakeFault
from .criteria_background import LIMIT_SHARE, Backdrop, changed, compare_all
from .criteria_palette import LIMIT_DE, Palette, spread
from .criteria_readable import LIMIT_LIKE, read
from .plates import Plate, load_plate
from .surface import solid

FRAMES = 24
LEAST_FRAMES = 3
KEPT_PLATES = 4
BORDER_LAB = 9.0
LEAST_FLAT = 0.2
Measure = Callable[[int], float]


@dataclass(frozen=True)
class Criterion(TakeFault):
    """A criterion that is not met: of ``part``, or of the picture without the parts ("")."""

    part: str = ""
    worst: int = 0


@dataclass(frozen=True)
class Subject:
    """What is judged: ``load(i)`` the plate of position i, ``frames`` the take frame of every position."""

    load: Callable[[int], Plate]
    rig: Rig
    parts: Sequence[PartInfo]
    frames: Sequence[int]


@dataclass(frozen=True)
class Span:
    """Positions first..last that fail, the worst of them and its value."""

    first: int
    last: int
    worst: int
    value: float


def criteria(
    truth: GroundTruth, take: TakeFolder, conformed: Conformed, intent: Intent, ctx: Context, every: int = 0
) -> list[Criterion]:
    """What is not met, by criterion and part; what can't be told goes to ``conformed.notes``.

    ``every``: look at each so manieth frame (0: at most `FRAMES` of them). Raises InputError for a readable part that
    the truth does not know and for pictures that can't be read; Cancelled.
    """
    if not intent.palette and intent.background != STAYS and not intent.readable:
        return []

    @lru_cache(KEPT_PLATES)
    def load(index: int) -> Plate:
        source, frame = conformed.pairs[index]
        return load_plate(truth, take, source, frame, conformed.matrix(frame))

    readable = [truth.part(name) for name in intent.readable]
    subject = Subject(load, Rig.of(truth), truth.parts, [frame for _, frame in conformed.pairs])
    found, notes = judge(subject, intent, readable, ctx, every)
    conformed.notes.extend(notes)
    return found


def judge(
    subject: Subject, intent: Intent, readable: Sequence[PartInfo], ctx: Context, every: int = 0
) -> tuple[list[Criterion], list[str]]:
    """(what is not met, notes of what can't be told)."""
    count = len(subject.frames)
    picked = list(range(0, count, every or max(1, -(-count // FRAMES))))
    if count and picked[-1] != count - 1:
        picked.append(count - 1)
    palette = Palette(intent.palette) if intent.palette else None
    backdrops: list[Backdrop] = []
    tables: dict[tuple[str, str], dict[int, float]] = {}
    for index in ctx.each(picked, "Looking at the criteria in frame"):
        plate = subject.load(index)
        if palette is not None:
            for part, number in _areas(subject.parts):
                tables.setdefault(("palette", part), {})[index] = _outside(plate, number, palette)
        if intent.background == STAYS:
            backdrops.append(Backdrop.of(plate))
        for info in readable:
            tables.setdefault(("readable", info.name), {})[index] = read(plate, info.id).share
    found = [*_palette(subject, palette, tables), *_readable(subject, readable, tables)]
    notes = [
        f"Nothing is drawn on {info.name} that is large enough to read."
        for info in readable if not np.isfinite(list(tables["readable", info.name].values())).any()
    ]  # fmt: skip
    if len(backdrops) > 1:
        found += _background(subject, backdrops, picked, intent.relight, notes)
    return found, notes


def _areas(parts: Sequence[PartInfo]) -> Iterator[tuple[str, int]]:
    """Every part, and what is no part."""
    yield "", 0
    for part in parts:
        yield part.name, part.id


def _colours(plate: Plate, number: int) -> F32:
    """(n, 3) Lab of what shows of an area, without its rim and without the blends at borders of colours in it."""
    mask = (plate.ids == number).astype(np.uint8)
    x, y, w, h = cv2.boundingRect(mask)
    box = slice(y, y + h), slice(x, x + w)
    if w * h == 0:
        return np.zeros((0, 3), np.float32)
    lab, inner = plate.take_lab[box], solid(mask[box], plate.unit)
    kernel = np.ones((3, 3), np.uint8)
    flat = inner & (cv2.dilate(lab, kernel) - cv2.erode(lab, kernel) < BORDER_LAB).all(2)
    return np.asarray(lab[flat if flat.sum() > LEAST_FLAT * inner.sum() else inner])


def _outside(plate: Plate, number: int, palette: Palette) -> float:
    return spread(palette.outside(_colours(plate, number)))


def _palette(
    subject: Subject, palette: Palette | None, tables: dict[tuple[str, str], dict[int, float]]
) -> Iterator[Criterion]:
    if palette is None:
        return
    chosen = palette
    for part, number in _areas(subject.parts):

        def measure(index: int, number: int = number) -> float:
            return _outside(subject.load(index), number, chosen)

        for span in spans(tables["palette", part], LIMIT_DE, measure, len(subject.frames)):
            colours = _colours(subject.load(span.worst), number)
            far = colours[chosen.outside(colours) > LIMIT_DE]
            says = (
                f"{part or 'The background'} leaves the palette: a tenth of it is {span.value:.0f} dE or more "
                f"from every colour given, most of that {hexed(np.median(far, axis=0))}."
            )
            yield _made(subject, "palette", span, "palette", LIMIT_DE, "dE", says, part)


def _readable(
    subject: Subject, readable: Sequence[PartInfo], tables: dict[tuple[str, str], dict[int, float]]
) -> Iterator[Criterion]:
    for info in readable:

        def measure(index: int, number: int = info.id) -> float:
            return -read(subject.load(index), number).share

        negative = {index: -value for index, value in tables["readable", info.name].items()}
        for span in spans(negative, -LIMIT_LIKE, measure, len(subject.frames)):
            kept = Span(span.first, span.last, span.worst, -span.value)
            says = (
                f"{info.name} can't be read: {1 - kept.value:.0%} of what is drawn on it is something else."
            )
            yield _made(subject, "readable", kept, "likeness", LIMIT_LIKE, "share", says, info.name)


def _background(
    subject: Subject, backdrops: list[Backdrop], picked: list[int], relight: bool, notes: list[str]
) -> Iterator[Criterion]:
    place = compare_all(subject.rig, backdrops, LIMIT_SHARE, relight)
    if np.isfinite(place.change).sum() < 2:
        notes.append("Too little of the background shows to tell whether it stays.")
        return

    def measure(index: int) -> float:
        return changed(subject.rig, backdrops[place.first], Backdrop.of(subject.load(index)), relight)

    found = list(
        spans(dict(zip(picked, place.change, strict=True)), LIMIT_SHARE, measure, len(subject.frames))
    )
    jumps = place.step > LIMIT_SHARE
    for span in found:
        inside = [i for i, index in enumerate(picked) if span.first <= index <= span.last]
        if jumps[inside].mean() > 0.6 and len(inside) > 2:
            how = f"boils: from frame to frame {span.value:.0%} of it becomes something else"
        elif not jumps.any():
            how = f"drifts: {span.value:.0%} of it is no longer where it was"
        else:
            how = f"changes: {span.value:.0%} of it is not what it is in the rest of the take"
        says = f"The background {how}."
        yield _made(subject, "background", span, "background", LIMIT_SHARE, "share", says, "")


def _made(
    subject: Subject, kind: str, span: Span, measure: str, limit: float, unit: str, says: str, part: str
) -> Criterion:
    first, last, worst = (subject.frames[index] for index in (span.first, span.last, span.worst))
    return Criterion(
        kind, first, last, measure, round(span.value, 4), limit, unit, says, part=part, worst=worst
    )


def spans(values: dict[int, float], limit: float, measure: Measure, count: int) -> Iterator[Span]:
    """Where ``values`` (of some positions of 0..count-1) lie above ``limit``; ``measure`` is asked for those between.

    A NaN neither begins nor ends a span. Shorter ones than `LEAST_FRAMES` are none, unless the take is shorter.
    """
    known = sorted(index for index in values if np.isfinite(values[index]))
    at = 0
    while at < len(known):
        if values[known[at]] <= limit:
            at += 1
            continue
        end = at
        while end + 1 < len(known) and values[known[end + 1]] > limit:
            end += 1
        first = _edge(known[at], known[at - 1] if at else -1, limit, measure)
        last = _edge(known[end], known[end + 1] if end + 1 < len(known) else count, limit, measure)
        worst = max(known[at : end + 1], key=lambda index: values[index])
        if last - first + 1 >= min(LEAST_FRAMES, count):
            yield Span(first, last, worst, float(values[worst]))
        at = end + 1


def _edge(bad: int, good: int, limit: float, measure: Measure) -> int:
    """The last position from ``bad`` towards ``good`` (which is good, or outside) that fails, by halving."""
    while abs(good - bad) > 1:
        middle = (bad + good) // 2
        if measure(middle) > limit:
            bad = middle
        else:
            good = middle
    return bad


def hexed(lab: F32) -> str:
    """ "#rrggbb" of a Lab colour (3,)."""
    rgb = cv2.cvtColor(np.asarray(lab, np.float32).reshape(1, 1, 3), cv2.COLOR_LAB2RGB)[0, 0]
    return "#" + "".join(f"{round(255 * float(np.clip(channel, 0, 1))):02x}" for channel in rgb)
