# SPDX-License-Identifier: GPL-3.0-or-later
"""One take of the films that came back for the pieces of a long shot. Frames stream: few are in memory at a time."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .context import Context
from .errors import InputError
from .footage import frames_of, moments, probe
from .joining import AS_IT_IS, Tone, weight
from .pictures import F32, U8, read_picture, write_picture
from .placing import OTHER_RATIO, Clip, Placer, picture_path, save_take
from .seams import Meeting, choose, late, level, matched, meeting, small
from .take import TakeFolder
from .truth import GroundTruth

STRONG = 6.0
"""Levels by which matching light and colour brought pieces together from which it is said."""


@dataclass(frozen=True)
class Film:
    """What came back for one piece: the ``clip`` that was sent, whose first frame is frame ``first`` of the whole shot's."""

    path: Path
    clip: Clip
    first: int

    @property
    def end(self) -> int:
        """The place after its last frame."""
        return self.first + len(self.clip.shows)


@dataclass(frozen=True)
class Seam:
    """Where piece ``number`` goes over to the next: ``best`` frame, cross-fade over the places ``fade`` (none: the next
    from ``best`` on), how each was matched, and the difference of the best frame in levels ``before`` that."""

    number: int
    best: Meeting
    fade: range
    tones: tuple[Tone, Tone]
    before: float
    shared: range
    late: int = 0

    @property
    def last(self) -> int:
        """The last place at which the earlier piece is seen."""
        return self.fade.stop - 1 if self.fade else self.best.place - 1

    @property
    def start(self) -> int:
        """The first place at which the next piece is seen."""
        return self.fade.start if self.fade else self.best.place


class _Reader:
    """The frames of one film by their places in the whole shot."""

    def __init__(self, film: Film) -> None:
        self.film, self.footage = film, probe(film.path)
        self.placer = Placer(film.clip.fitted, self.footage.size)
        times = moments(self.footage)
        count, rate = len(film.clip.shows), film.clip.rate
        self.notes = [*self.footage.notes, *([OTHER_RATIO] if self.placer.strange else [])]
        if len(times) == count:
            self._order, there = list(range(count)), count
        else:
            self._order = [_nearest(times, index / rate) for index in range(count)]
            after = times[-1] + Fraction(3, 4) * max(1 / rate, 1 / self.footage.rate)
            there = sum(index / rate <= after for index in range(count))
            self.notes.append(f"It has {len(times)} frames instead of {count}: matched by their times.")
        self.there = range(film.first, film.first + there)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) of its frames when they are back in their place."""
        first = self.placer.place(next(iter(frames_of(self.film.path))))
        return first.shape[1], first.shape[0]

    def frames(self, places: range) -> Iterator[tuple[int, U8]]:
        """(place, picture) of each of ``places`` in turn; one that is missing at the end shows the last again."""
        wanted = iter(places)
        place = next(wanted, None)
        for index, picture in enumerate(frames_of(self.film.path)):
            placed = None
            while place is not None and self._order[place - self.film.first] == index:
                placed = self.placer.place(picture) if placed is None else placed
                yield place, placed
                place = next(wanted, None)
            if place is None:
                return


def _nearest(times: Sequence[Fraction], moment: Fraction) -> int:
    after = min(bisect_left(times, moment), len(times) - 1)
    return after - (after > 0 and moment - times[after - 1] <= times[after] - moment)


def take_from_pieces(
    films: Sequence[Film], truth: GroundTruth, out: Path, name: str, ctx: Context | None = None, *,
    settings: Mapping[str, Any] | None = None, **facts: Any,
) -> TakeFolder:  # fmt: skip
    """The take folder ``out`` of a shot from the films of its pieces, in order. Light and colour are matched where two
    meet, and the match fades over each piece; ``seams`` in take.json say what was measured, ``notes`` what a person
    should look at. Raises InputError, StorageError, Cancelled."""
    ctx = ctx or Context()
    readers = [_Reader(film) for film in ctx.part(0.0, 0.2).each(films, "Reading piece")]
    size, shows = readers[0].size, _shows(films)
    seams: list[Seam] = []
    for number, (a, b) in enumerate(pairwise(readers), 1):
        ctx.cancel.check()
        ctx.progress(0.2 + 0.2 * number / len(films), f"Measuring seam {number}/{len(films) - 1}")
        after = seams[-1].shared.stop if seams else 0
        seams.append(_measured(number, a, b, truth, shows, after))
    steps = ctx.part(0.4, 1.0)
    for index, reader in enumerate(readers):
        before, after_it = (
            (seams[index - 1] if index else None),
            (seams[index] if index < len(seams) else None),
        )
        share = steps.part(index / len(readers), (index + 1) / len(readers))
        _write(reader, before, after_it, truth.frames[0], out, size, share)
    notes = [*_said(readers, size), *(each for seam in seams for each in _words(seam, shows, size))]
    numbers = [truth.frames[0] + place for place in range(len(shows))]
    rate = films[0].clip.rate
    told = {"notes": notes, "seams": [_record(seam, shows) for seam in seams], **facts}
    return save_take(
        out, name, truth, size=size, rate=rate, numbers=numbers, shown=shows, settings=settings, facts=told
    )


def _shows(films: Sequence[Film]) -> list[int]:
    """The source frame of each place. Raises InputError if pieces leave a gap or have no frame in common."""
    shown = list(films[0].clip.shows)
    for film in films[1:]:
        if not 0 < film.first < len(shown) or film.clip.rate != films[0].clip.rate:
            raise InputError("The pieces don't follow one another", todo="Run Style again.")
        shown += film.clip.shows[len(shown) - film.first :]
    return shown


def _measured(
    number: int, a: _Reader, b: _Reader, truth: GroundTruth, shows: Sequence[int], after: int
) -> Seam:
    """The seam of two pieces from the frames that both have; if they have none, a cut where the earlier one ends."""
    shared = range(max(b.film.first, after), min(a.there.stop, b.there.stop))
    if not shared:
        at = min(max(a.there.stop, b.film.first, after), a.film.end - 1)
        shared = range(at, at + 1)
    earlier = [_fitting(picture, a.size) for _, picture in a.frames(shared)]
    later = [_fitting(picture, a.size) for _, picture in b.frames(shared)]
    tones = matched(earlier, later)
    names = {part.id: part.name for part in truth.parts}
    ours, theirs, met = [], [], []
    for place, old, new in zip(shared, earlier, later, strict=True):
        ours.append(tones[0].on(old))
        theirs.append(tones[1].on(new))
        ids = cv2.resize(truth.ids(shows[place]), old.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        met.append(meeting(place, ours[-1], theirs[-1], np.asarray(ids), names, a.size[0]))
    best, fade = choose(met)
    index = best.place - shared.start
    return Seam(number, best, fade, tones, level(earlier[index], later[index]), shared, late(ours, theirs))


def _fitting(picture: U8, size: tuple[int, int]) -> U8:
    """A picture of whatever size as measured beside those of ``size``."""
    if picture.shape[1::-1] != size:
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small(picture)


def _write(
    reader: _Reader, before: Seam | None, after: Seam | None, number: int, out: Path, size: tuple[int, int], ctx: Context
) -> None:  # fmt: skip
    """Writes the places of a piece; where it fades in, onto what the piece before has written there."""
    places = range(
        before.start if before else reader.film.first, after.last + 1 if after else reader.film.end
    )
    for place, picture in reader.frames(places):
        ctx.cancel.check()
        ctx.progress((place - places.start) / len(places), f"Joining frame {place + 1}")
        if picture.shape[1::-1] != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        tone = _tone_at(place, reader.film, before, after)
        path = picture_path(out, number + place)
        mixed: F32 | None = None if tone is AS_IT_IS else tone.on(picture)
        if before is not None and place in before.fade:
            new = picture.astype(np.float32) if mixed is None else mixed
            old = read_picture(path).astype(np.float32)
            share = weight(place, before.fade.stop, before.fade.stop, len(before.fade))
            mixed = old + (new - old) * np.float32(share)
        write_picture(path, picture if mixed is None else _levels(mixed))


def _levels(picture: F32) -> U8:
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def _tone_at(place: int, film: Film, before: Seam | None, after: Seam | None) -> Tone:
    """How a frame is toned: as at the seams where it meets its neighbours, evenly from the one to the other between."""
    start = (before.shared.stop - 1, before.tones[1]) if before else (film.first, AS_IT_IS)
    end = (after.shared.start, after.tones[0]) if after else (film.end - 1, AS_IT_IS)
    if start[1] is end[1]:
        return start[1]
    length = end[0] - start[0]
    share = min(1.0, max(0.0, (place - start[0]) / length)) if length > 0 else float(place >= end[0])
    return start[1].mixed(end[1], share)


def _said(readers: Sequence[_Reader], size: tuple[int, int]) -> list[str]:
    notes = [f"Piece {number}: {note}" for number, reader in enumerate(readers, 1) for note in reader.notes]
    for number, reader in enumerate(readers, 1):
        if reader.size != size:
            other = f"{reader.size[0]}x{reader.size[1]}"
            notes.append(
                f"Piece {number} came back at {other}; it was made {size[0]}x{size[1]} as the first."
            )
    for number, (a, b) in enumerate(pairwise([*readers, None]), 1):
        held = (b.film.first if b else a.film.end) - a.there.stop  # type: ignore[union-attr]
        if held > 0:
            notes.append(f"Piece {number} ended {held} frames early: its last frame stands still there.")
    return notes


def _words(seam: Seam, shows: Sequence[int], size: tuple[int, int]) -> list[str]:
    """What a person should know of a seam."""
    pieces, best = f"piece {seam.number} meets piece {seam.number + 1}", seam.best
    notes = []
    if seam.before - best.whole > STRONG:
        notes.append(
            f"Where {pieces} their light differed by {seam.before:.0f} of 255 levels: it was matched, and that fades over both."
        )
    if seam.late:
        way = "late" if seam.late > 0 else "early"
        notes.append(
            f"Piece {seam.number + 1} seems to run {abs(seam.late)} frames {way}: look at its movement."
        )
    if best.visible:
        parts = [f"{best.part} differs by {best.worst:.0f} levels"] if best.part else []
        if best.shift_px:
            parts.append(f"{best.shifted or 'the picture'} lies {best.shift_px:.1f} px off")
        told = " and ".join(parts) or f"the picture differs by {best.whole:.0f} levels"
        notes.append(f"The seam at frame {shows[best.place]}, where {pieces}, can be seen: {told}.")
    return notes


def _record(seam: Seam, shows: Sequence[int]) -> dict[str, Any]:
    """As take.json keeps a seam; frames are those of the shot."""
    best = seam.best
    return {
        "pieces": [seam.number, seam.number + 1],
        "frames": [shows[seam.shared.start], shows[seam.shared.stop - 1]],
        "at": shows[best.place], "fade": len(seam.fade), "before": round(seam.before, 2), "after": round(best.whole, 2),
        "gain": [[round(float(value), 4) for value in tone.gain] for tone in seam.tones],
        "offset": [[round(float(value), 2) for value in tone.offset] for tone in seam.tones],
        "worst": {"part": best.part, "levels": round(best.worst, 2)},
        "shift": {"part": best.shifted, "px": best.shift_px}, "late": seam.late, "visible": best.visible,
    }  # fmt: skip
