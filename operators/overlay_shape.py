# SPDX-License-Identifier: GPL-3.0-or-later
"""What the viewport shows of a joint, as lines and words: from its mechanism and moves alone, so for every kind. No Blender.

How a joint travels is read off its moves: each is sampled, and the path of one point of the peg is drawn. A twist gives
an arc so, a slider a line, a screw a helix, a ball the rim of its cone.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ..physics.choreography import GENERIC
from ..physics.joints.base import JointKind, Mechanism, Phase, Pose
from ..physics.rigid import Array, move_points
from ..physics.units import MM, to_deg

SLIDE, TURN, HELIX, TILT, COME, REST = "slide", "turn", "helix", "tilt", "come", "rest"
"""What a move does: along the axis, about it, both at once, across it; comes from beside the bore; or nothing."""
AXIS, DEPTH, MARKS, FLEX = "axis", "depth", "marks", "flex"
"""The other things that have a colour."""
NO_SLIDE: Final = 0.05 * MM
NO_TURN: Final = math.radians(0.2)
STEP: Final = math.radians(6.0)
"""Turn or tilt between two samples of a path."""
RIM: Final = 1.3
"""How far from the axis paths of turning stand, in reaches of the mechanism."""


@dataclass(frozen=True)
class Line:
    """(N, 3) polyline in metres and the name of its colour."""

    colour: str
    points: Array


@dataclass(frozen=True)
class Label:
    """Words at a place in metres, in the colour of what they tell; to the right of it, or ``before`` it."""

    text: str
    colour: str
    at: tuple[float, float, float]
    before: bool = False


@dataclass(frozen=True, eq=False)
class Drawing:
    """A joint in its socket's frame; ``on_peg`` in the frame of its peg, which moves. ``motions``: what each move does."""

    lines: tuple[Line, ...]
    on_peg: tuple[Line, ...]
    labels: tuple[Label, ...]
    travels: tuple["Travel", ...]
    motions: Mapping[str, str]


@dataclass(frozen=True)
class Travel:
    """One move, or several alike in a row: what it does and how far: metres, radians about and across the axis."""

    motion: str
    name: str
    poses: tuple[Pose, ...] = field(repr=False)

    @property
    def slid(self) -> float:
        return _spread([pose.height for pose in self.poses])

    @property
    def turned(self) -> float:
        return _spread([pose.angle for pose in self.poses])

    @property
    def tilted(self) -> float:
        return max(abs(pose.tilt) for pose in self.poses)


def _spread(values: list[float]) -> float:
    return max(values) - min(values)


def draw(kind: JointKind, mechanism: Mechanism) -> Drawing:
    """Everything that is shown of a joint of this kind."""
    made = travels(kind, mechanism)
    paths = [path(mechanism, travel) for travel in made]
    lines = _socket_lines(mechanism)
    labels = [_depth_label(mechanism)]
    for travel, points in zip(made, paths, strict=True):
        lines += [Line(travel.motion, points), *_head(points, travel.motion, 0.2 * mechanism.peg_radius)]
        middle = points[_farthest(points) // 2]
        labels.append(Label(words(travel, mechanism), travel.motion, _tuple(middle)))
    flexing = _flexing(mechanism)
    lines += flexing
    if flexing:
        labels.append(Label("flexes", FLEX, _tuple(flexing[0].points[-1])))
    tip = _ring(mechanism.peg_radius, -mechanism.length)
    marks = [Line(MARKS, points) for points in mechanism.marks()]
    motions = {phase.name: motion_of(phase, mechanism) for phase in kind.phases}
    return Drawing(tuple(lines), (Line(AXIS, tip), *marks), tuple(labels), tuple(made), motions)


def travels(kind: JointKind, mechanism: Mechanism) -> list[Travel]:
    """The moves of the kind's own choreography while the peg is over its bore; alike ones in a row are one."""
    found: list[Travel] = []
    for name in dict.fromkeys(kind.default):
        if name in GENERIC:
            continue
        phase = kind.phase(name)
        poses = _sampled(phase, mechanism)
        motion = _motion(poses)
        if motion in (REST, COME):
            continue
        if found and found[-1].motion == motion:
            before = found.pop()
            found.append(Travel(motion, before.name, before.poses + poses))
        else:
            found.append(Travel(motion, phase.label, poses))
    return found


def _sampled(phase: Phase, mechanism: Mechanism) -> tuple[Pose, ...]:
    """Poses of a move, close enough for a smooth path."""
    coarse = [phase.pose(mechanism, u / 16) for u in range(17)]
    swept = sum(
        abs(b.angle - a.angle) + abs(b.towards - a.towards) + abs(b.tilt - a.tilt)
        for a, b in itertools.pairwise(coarse)
    )
    count = max(4, math.ceil(swept / STEP))
    return tuple(phase.pose(mechanism, index / count) for index in range(count + 1))


def motion_of(phase: Phase, mechanism: Mechanism) -> str:
    """What a move does, by its name above."""
    return _motion(tuple(phase.pose(mechanism, u / 8) for u in range(9)))


def _motion(poses: tuple[Pose, ...]) -> str:
    whole = Travel("", "", poses)
    if any(abs(pose.aside) > NO_SLIDE for pose in poses):
        return COME
    if whole.tilted > NO_TURN:
        return TILT
    slides, turns = whole.slid > NO_SLIDE, whole.turned > NO_TURN
    if slides and turns:
        return HELIX
    return SLIDE if slides else TURN if turns else REST


def path(mechanism: Mechanism, travel: Travel) -> Array:
    """(N, 3) where one point of the peg goes in the socket's frame: beside the shoulder, or above it for what tilts."""
    reach = RIM * mechanism.reach
    seen = (0.0, 0.0, 2.0 * reach) if travel.motion == TILT else (reach, 0.0, 0.0)
    return carried(travel.poses, mechanism.seat, seen)


def carried(poses: Sequence[Pose], seat: float, point: tuple[float, float, float]) -> Array:
    """(N, 3) where a point of the peg is in every pose: what `Pose.peg_in_socket` does to it, for all at once."""
    rows = [(pose.height, pose.angle, pose.aside, pose.tilt, pose.towards) for pose in poses]
    height, angle, aside, tilt, towards = np.array(rows).T
    at = seat + height
    pivot = np.array([z if pose.about is None else pose.about for pose, z in zip(poses, at, strict=True)])
    x, y, z = point
    turn = angle - towards
    x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    above = z + at - pivot
    x, z = x * np.cos(tilt) + above * np.sin(tilt), above * np.cos(tilt) - x * np.sin(tilt)
    x, y = x * np.cos(towards) - y * np.sin(towards), x * np.sin(towards) + y * np.cos(towards)
    result: Array = np.stack((x + aside, y, z + pivot), axis=1)
    return result


def words(travel: Travel, mechanism: Mechanism) -> str:
    """A move and how far it goes, as "Twist 60°". What ends outside the bore is only named: it hovers somewhere."""
    far = []
    if travel.motion in (SLIDE, HELIX) and max(p.height for p in travel.poses) <= mechanism.depth + NO_SLIDE:
        far.append(millimetres(travel.slid))
    if travel.motion in (TURN, HELIX):
        far.append(degrees(travel.turned))
    if travel.motion == TILT:
        far.append(f"±{degrees(travel.tilted)}")
    return f"{travel.name} {', '.join(far)}".rstrip()


def millimetres(length: float) -> str:
    """Metres in words, as "12.5 mm"."""
    return f"{round(length / MM, 2):g} mm"


def degrees(angle: float) -> str:
    """Radians in words, as "60°", or "2 turns"."""
    turns = angle / (2.0 * math.pi)
    return f"{round(turns, 2):g} turns" if turns > 1.05 else f"{round(to_deg(angle), 1):g}°"


def _depth_label(mechanism: Mechanism) -> Label:
    side = -1.12 * RIM * mechanism.reach
    return Label(
        f"Depth {millimetres(mechanism.depth)}", DEPTH, (side, 0.0, -0.5 * mechanism.depth), before=True
    )


def _socket_lines(mechanism: Mechanism) -> list[Line]:
    """The axis, the bore, and how deep the peg goes."""
    radius, depth = mechanism.bore_radius, mechanism.depth
    side, tick = -RIM * mechanism.reach, 0.1 * mechanism.reach
    measure = [((side, 0.0, 0.0), (side, 0.0, -depth))]
    measure += [((side - tick, 0.0, z), (-radius, 0.0, z)) for z in (0.0, -depth)]
    return [
        Line(AXIS, np.array(((0.0, 0.0, -depth - radius), (0.0, 0.0, 2.2 * radius)))),
        Line(AXIS, _ring(radius, 0.0)),
        Line(AXIS, _ring(radius, -depth)),
        *(Line(DEPTH, np.array(ends)) for ends in measure),
    ]


def _ring(radius: float, z: float) -> Array:
    turn = np.linspace(0.0, 2.0 * math.pi, 73)
    return np.stack((radius * np.cos(turn), radius * np.sin(turn), np.full(73, z)), axis=1)


def _farthest(points: Array) -> int:
    """Index of the point where a path has got farthest: its last, or where it turns back."""
    away = np.linalg.norm(points - points[0], axis=1)
    return len(points) - 1 if away[-1] > 0.3 * away.max() else int(np.argmax(away))


def _head(points: Array, colour: str, size: float) -> list[Line]:
    """An arrow's head where the path has got farthest."""
    last = max(_farthest(points), 1)
    way = _unit(points[last] - points[last - 1])
    out = points[last] * (1.0, 1.0, 0.0)
    across = out - way * float(out @ way)
    if float(np.linalg.norm(across)) < 1e-3 * size:
        across = np.cross(way, (0.0, 1.0, 0.0))
    across = _unit(across)
    ends = [points[last] - size * way + side * 0.6 * size * across for side in (-1.0, 1.0)]
    return [Line(colour, np.array((ends[0], points[last], ends[1])))]


def _flexing(mechanism: Mechanism) -> list[Line]:
    """For every springy piece an arrow from its middle the way that it gives, long enough to be seen."""
    found: list[Line] = []
    size = 0.45 * mechanism.bore_radius
    for spring in mechanism.flexures():
        middle, way = spring.points.mean(axis=0), _unit(np.array(spring.way))
        shaft = np.array((middle, middle + size * way))
        found += [Line(FLEX, shaft), *_head(shaft, FLEX, 0.3 * size)]
    return found


def _unit(vector: Array) -> Array:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _tuple(point: Array) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])


def segments(lines: tuple[Line, ...], colour: str, matrix: Array | None = None) -> Array:
    """(2 S, 3) ends of all straight pieces of one colour."""
    pieces = [np.repeat(line.points, 2, axis=0)[1:-1] for line in lines if line.colour == colour]
    if not pieces:
        return np.zeros((0, 3))
    found = np.concatenate(pieces)
    return found if matrix is None else move_points(matrix, found)


def feature_lines(radius: float, length: float) -> tuple[Line, ...]:
    """A peg or bore that no joint is made of yet, in its frame: its axis and both its ends."""
    axis = np.array(((0.0, 0.0, -length - radius), (0.0, 0.0, radius)))
    return (
        Line(AXIS, axis),
        *_head(axis, AXIS, 0.3 * radius),
        Line(MARKS, _ring(radius, 0.0)),
        Line(MARKS, _ring(radius, -length)),
    )
