# SPDX-License-Identifier: GPL-3.0-or-later
"""When every joint makes its moves, as the settings say it: cheap enough for every redraw. And how a person changes it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy

from ..physics.choreography import GENERIC, PREROLL, Step, default_steps
from ..physics.finale import KINDS as ENDINGS
from ..physics.joints import kind_named
from ..physics.joints.base import JointKind

TIMED = ("ALIGN", "INSERT", "TWIST", "CLICK", "HOLD")
"""Moves whose frames are set for all joints that have no choreography of their own."""


@dataclass(frozen=True)
class Row:
    """The moves of joint ``number``. ``begin`` is the frame at which its delay is counted from, ``start`` its first frame,
    ``ends`` the last frame of every move.
    """

    number: int
    name: str
    kind: str
    steps: tuple[Step, ...]
    begin: int
    start: int

    @property
    def ends(self) -> tuple[int, ...]:
        return tuple(itertools.accumulate((step.frames for step in self.steps), initial=self.start - 1))[1:]

    @property
    def keys(self) -> tuple[int, ...]:
        """The frames that bound the moves: the first one, and the end of each."""
        return (self.start, *self.ends)

    @property
    def labels(self) -> tuple[str, ...]:
        """The moves in words."""
        kind = kind_named(self.kind)
        return tuple(
            GENERIC[s.phase][0] if s.phase in GENERIC else kind.phase(s.phase).label for s in self.steps
        )


def steps_of(physics: Any, joint: Any, kind: JointKind) -> tuple[Step, ...]:
    """The choreography of a joint (None for the one that is there without being listed): its own, or that of its kind
    with the shot's timing. A free joint is joined from the start.
    """
    if joint is not None and joint.mode == "FREE":
        return (Step("HOLD", PREROLL + 2),)
    if joint is not None and joint.steps:
        return tuple(Step(step.phase, step.frames, step.ease) for step in joint.steps)
    frames = {name: getattr(physics.timing, f"{name.lower()}_frames") for name in TIMED}
    return default_steps(kind, frames, tugged=physics.pull_on_screen and len(physics.joints) <= 1)


def rows(scene: bpy.types.Scene) -> list[Row]:
    """The joints in the order of the list: each after the one before it, or together with it."""
    physics = scene.holdfast.physics
    found: list[Row] = []
    begin = end = scene.frame_start
    for number, joint in enumerate(physics.joints):
        if not joint.together:
            begin = end
        steps = steps_of(physics, joint, kind_named(joint.kind))
        row = Row(number, joint.name, joint.kind, steps, begin, begin + joint.delay_frames)
        found.append(row)
        end = max(end, row.keys[-1] + 1)
    return found


def finale(scene: bpy.types.Scene, joined: Sequence[Row]) -> tuple[str, int, int, int] | None:
    """What becomes of the product after its joints: in a word, the last frame before it, of its lift, and of all; or None."""
    given = scene.holdfast.physics.finale
    if given.kind == "NONE" or not joined:
        return None
    done = max(row.keys[-1] for row in joined)
    release = done + given.lift_frames
    return ENDINGS[given.kind][0], done, release, release + given.free_frames


def least(row: Row, index: int) -> int:
    """Fewest frames of a move."""
    phase = row.steps[index].phase
    own = 2 if phase in GENERIC else kind_named(row.kind).phase(phase).least
    return max(own, PREROLL + 2 if index == 0 else 2)


def moved(row: Row, key: int, frame: int) -> tuple[int, ...]:
    """All keys after one of them went to ``frame``: the moves after it keep their length, its own gets no shorter than
    it may be, and the first key no earlier than the joint can begin.
    """
    keys = row.keys
    low = row.begin if key == 0 else keys[key - 1] + least(row, key - 1) - (1 if key == 1 else 0)
    shift = max(frame, low) - keys[key]
    return tuple(at + (shift if index >= key else 0) for index, at in enumerate(keys))


def legal(row: Row, keys: Sequence[float]) -> tuple[int, ...]:
    """Keys as near to the given ones as the moves allow, in order and on whole frames."""
    wanted = sorted(round(key) for key in keys)
    found = [max(wanted[0], row.begin)]
    for index, key in enumerate(wanted[1:]):
        found.append(max(key, found[-1] + least(row, index) - (1 if index == 0 else 0)))
    return tuple(found)


def write(scene: bpy.types.Scene, row: Row, keys: Sequence[int]) -> None:
    """Sets a joint's delay and the frames of its moves from its keys; the moves of its kind become its own first.

    A free joint has no moves: only its delay is set.
    """
    joint = scene.holdfast.physics.joints[row.number]
    if joint.delay_frames != keys[0] - row.begin:
        joint.delay_frames = keys[0] - row.begin
    if joint.mode == "FREE":
        return
    own(scene.holdfast.physics, joint)
    frames = [b - a for a, b in itertools.pairwise((keys[0] - 1, *keys[1:]))]
    for step, count in zip(joint.steps, frames, strict=True):
        if step.frames != count:
            step.frames = count


def own(physics: Any, joint: Any) -> None:
    """Lists the moves that a joint makes, if they are still those of its kind."""
    if joint.steps:
        return
    for made in steps_of(physics, joint, kind_named(joint.kind)):
        step = joint.steps.add()
        step.phase, step.frames, step.ease = made.phase, made.frames, made.ease
