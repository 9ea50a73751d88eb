# SPDX-License-Identifier: GPL-3.0-or-later
"""Which joint makes which move when: the timeline of a shot, and where every peg is at any (fractional) frame.

Each joint has a track of steps that follow each other; joints follow each other or go at once. Before its first step a
peg waits where that step begins, and after its last one it stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

import numpy as np

from ..pipeline.errors import InputError
from .joints.base import JointKind, Mechanism, Phase, Pose
from .joints.moves import EASES, tug
from .rigid import Array, between

PREROLL: Final = 3
"""Frames at the start in which nothing moves: what rebuilds a simulation from these poses then finds them at rest."""
GENERIC: Final = {
    "HOLD": ("Hold", 20, "Rests as it is"),
    "TUG": ("Tug", 24, "The whole product is lifted by its peg and shaken"),
}
"""Moves that every kind of joint can make: label, frames and the sentence."""


@dataclass(frozen=True)
class Step:
    """One move: the name of a phase, how many frames it takes, and how it is eased."""

    phase: str
    frames: int
    ease: str = "SMOOTH"


def default_steps(
    kind: JointKind, frames: Mapping[str, int] | None = None, *, tugged: bool = False
) -> tuple[Step, ...]:
    """The choreography that a kind of joint starts from, with the ``frames`` of moves by name where they are given.

    ``tugged`` makes a tug of its last hold.
    """
    given, steps = frames or {}, []
    for name in kind.default:
        if name in GENERIC:
            steps.append(Step(name, given.get(name, GENERIC[name][1])))
        else:
            phase = kind.phase(name)
            steps.append(Step(name, given.get(name, phase.frames), phase.ease))
    if tugged:
        last = steps.pop().frames if steps[-1].phase == "HOLD" else GENERIC["TUG"][1]
        steps.append(Step("TUG", last))
    return tuple(steps)


@dataclass(frozen=True, eq=False)
class Recorded:
    """Where a peg really went: (N, 4, 4) poses in its socket, ``per_frame`` of them a frame from the scene frame ``start`` on.

    Before and after them it rests.
    """

    start: int
    per_frame: int
    poses: Array

    def at(self, times: Sequence[float]) -> Array:
        """(T, 4, 4) at scene times in frames; between samples as linear keys have it."""
        made = [np.empty((0, 4, 4))]
        for time in times:
            place = min(max((time - self.start) * self.per_frame, 0.0), len(self.poses) - 1.0)
            index = min(int(place), len(self.poses) - 2)
            made.append(between(self.poses[index], self.poses[index + 1], place - index)[None])
        return np.concatenate(made)


@dataclass(frozen=True)
class Track:
    """The steps of one joint from the scene frame ``start`` on.

    ``recorded`` where contacts led it off its exact path; ``freed`` what it did in free motion, from then on, and
    ``broke`` the scene frame at which it let go.
    """

    kind: JointKind
    mechanism: Mechanism
    steps: tuple[Step, ...]
    start: int
    recorded: Recorded | None = None
    freed: Recorded | None = None
    broke: int | None = None
    _known: dict[float, tuple[Pose, Array, Array]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        for index, step in enumerate(self.steps):
            phase = None if step.phase in GENERIC else self.kind.phase(step.phase)
            least = max(2 if phase is None else phase.least, PREROLL + 2 if index == 0 else 2)
            if step.frames < least:
                what = f"The move {step.phase.lower()!r} has {step.frames} frames"
                raise InputError(what, todo=f"Give it {least} or more.")
            if step.ease not in EASES:
                raise InputError(
                    f"There is no easing {step.ease!r}", todo=f"Choose one of {', '.join(EASES)}."
                )
        if not self.steps:
            raise InputError("The joint makes no move", todo="Add a move to its choreography.")

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Last frame of every step."""
        return tuple(self.start - 1 + n for n in accumulate(step.frames for step in self.steps))

    @property
    def end(self) -> int:
        return self.ends[-1]

    @property
    def locked(self) -> int:
        """The frame from which on the joint holds: the end of the phase that joins it, else its last frame.

        A joint that makes no move of its own holds all along.
        """
        if all(step.phase in GENERIC for step in self.steps):
            return self.start
        for end, step in zip(self.ends, self.steps, strict=True):
            if step.phase not in GENERIC and self.kind.phase(step.phase).joined:
                return end
        return self.end

    @property
    def held(self) -> tuple[int, int]:
        """First and last frame in which the locked joint only rests or is carried."""
        last = self.locked
        after = [(end, step) for end, step in zip(self.ends, self.steps, strict=True) if end > last]
        for end, step in after:
            if step.phase not in GENERIC:
                break
            last = end
        return self.locked, last

    def spans(self) -> dict[str, tuple[int, int]]:
        """First and last scene frame of every step; a repeated one is numbered."""
        found: dict[str, tuple[int, int]] = {}
        begin = self.start
        for end, step in zip(self.ends, self.steps, strict=True):
            name = step.phase.lower()
            number = 1 + sum(key.rstrip("0123456789_") == name for key in found)
            found[name if number == 1 else f"{name}_{number}"] = (begin, end)
            begin = end + 1
        return found

    def giving(self) -> list[tuple[int, int]]:
        """Spans (first, last) in which a spring of the joint gives way; where contacts lead it, from the move before on."""
        spans, found = list(self.spans().values()), []
        for index, step in enumerate(self.steps):
            if step.phase not in GENERIC and self.kind.phase(step.phase).gives:
                first = spans[max(index - 1, 0)][0] if self.recorded is not None else spans[index][0]
                found.append((first, spans[index][1]))
        return found

    def pose(self, time: float) -> Pose:
        """Where the peg is at a scene time in frames."""
        return self._placed(time)[0]

    def _placed(self, time: float) -> tuple[Pose, Array, Array]:
        """The pose, the peg in the socket and the assembly at a scene time; kept, as the same times are asked for often."""
        at = min(max(time, float(self.start)), float(self.end))
        if at not in self._known:
            pose = self._made(at)
            self._known[at] = (pose, self.mechanism.at(pose), pose.assembly())
        return self._known[at]

    def _made(self, time: float) -> Pose:
        begin = float(self.start + PREROLL - 1)
        held = self._first()
        for index, (step, end) in enumerate(zip(self.steps, self.ends, strict=True)):
            u = min(max((time - begin) / (float(end) - begin), 0.0), 1.0)
            made = self._step(step, u, held)
            if time <= end or index == len(self.steps) - 1:
                return made
            held, begin = made, float(end)
        return held

    def _first(self) -> Pose:
        for step in self.steps:
            if step.phase not in GENERIC:
                return self.kind.phase(step.phase).pose(self.mechanism, 0.0)
        return Pose()

    def _step(self, step: Step, u: float, held: Pose) -> Pose:
        if step.phase == "HOLD":
            return held
        if step.phase == "TUG":
            return tug(self.mechanism, held, u)
        phase: Phase = self.kind.phase(step.phase)
        made = phase.pose(self.mechanism, EASES[step.ease][1](u))
        return replace(made, lift=held.lift, sway=held.sway, yaw=held.yaw)

    def poses(self, times: Sequence[float]) -> tuple[Array, Array]:
        """(T, 4, 4) peg in socket and (T, 4, 4) assembly at scene times in frames."""
        made = [self._placed(float(time)) for time in times]
        carried = np.stack([assembly for _, _, assembly in made])
        if self.recorded is not None:
            relative = self.recorded.at(times)
        else:
            relative = np.stack([peg for _, peg, _ in made])
        if self.freed is not None:
            late = np.array(times) > self.freed.start
            relative[late] = self.freed.at([time for time in times if time > self.freed.start])
        return relative, carried

    def height(self, time: float) -> float:
        """Metres of the shoulder above its seat at a scene time in frames."""
        return float(self.poses([time])[0][0, 2, 3]) - self.mechanism.seat

    def to_json(self) -> dict[str, Any]:
        """What decides the motion, for the manifest."""
        steps = [[step.phase, step.frames, step.ease] for step in self.steps]
        return {"start": self.start, "steps": steps}
