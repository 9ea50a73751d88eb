# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the depsgraph gave back to what the proof looks at: relative poses and real surface points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import meshes
from .assembly import Assembly, Joint, Part
from .choreography import Track
from .overlap import Overlap
from .proof import Evidence
from .rigid import Array, inverse, multiply
from .verify import pose_errors


@dataclass(frozen=True)
class Samples:
    """When the baked motion is looked at: twice for every key, ``density`` keys a frame."""

    frames: tuple[int, ...]
    density: int

    @property
    def a_frame(self) -> int:
        """Samples a frame."""
        return 2 * self.density

    @property
    def times(self) -> list[float]:
        """Scene times in frames."""
        return [self.frames[0] + k / self.a_frame for k in range((len(self.frames) - 1) * self.a_frame + 1)]

    def index(self, frame: int) -> int:
        return (frame - self.frames[0]) * self.a_frame

    def near_contact(self, track: Track) -> list[tuple[int, float]]:
        """Samples at which the meshes are held against each other: every second frame with the peg near its bore.

        With each, +1 where it is held off its seat, -1 where off the stop above it: faces that rest on each other don't count.
        """
        near = {track.start, track.locked, track.end}
        for begin, end in track.spans().values():
            step = 2 if track.height(end) < 1.5 * track.mechanism.depth else 4
            near |= set(range(begin, end + 1, step))
        giving, half = track.giving(), 0.5 * track.mechanism.lift
        return [
            (self.index(f), 1.0 if track.height(f) < half else -1.0)
            for f in sorted(near)
            if not any(a <= f <= b for a, b in giving)
        ]


def gather(assembly: Assembly, joint: Joint, track: Track, samples: Samples, authored: Array, read: Array,
           cut: Overlap) -> Evidence:  # fmt: skip
    """``authored`` (F, P, 4, 4) at whole frames, ``read`` (S, P, 4, 4) at the samples."""
    names = [part.name for part in assembly.parts]
    pegs = joint_frames(joint.peg, joint.peg_frame, read[:, names.index(joint.peg.name)])
    sockets = joint_frames(joint.socket, joint.socket_frame, read[:, names.index(joint.socket.name)])
    peg_points, socket_points = _points(joint.peg, joint.peg_frame), _points(joint.socket, joint.socket_frame)
    near = np.hypot(socket_points[:, 0], socket_points[:, 1]) < 1.3 * joint.mechanism.reach
    deep = socket_points[:, 2] > -1.2 * joint.mechanism.bore_depth
    first, last = track.held
    if last == track.end:
        last = samples.frames[-1]  # nothing moves it any more
    if track.freed is not None:
        last = min(last, track.freed.start)
    spans = {name: (samples.index(a), samples.index(b)) for name, (a, b) in track.spans().items()}
    return Evidence(
        relative=multiply(inverse(sockets), pegs),
        locked=samples.index(first),
        held=samples.index(last),
        spans=spans,
        giving=tuple((samples.index(a) - 1, samples.index(b) + 1) for a, b in track.giving()),
        broke=None if track.broke is None else samples.index(track.broke - 1),
        readback=pose_errors(authored, read[:: samples.a_frame]),
        peg_points=peg_points[peg_points[:, 2] < 0.0],
        socket_points=socket_points[near & deep],
        times=tuple(samples.times),
        wall=_wall(socket_points, joint),
        cut=(cut.triangles, samples.times[cut.sample], " and ".join(cut.parts)),
    )


def joint_frames(part: Part, frame: Array, worlds: Array) -> Array:
    """(S, 4, 4) rigid world frames of a joint frame given in the part's space, from (S, 4, 4) world matrices."""
    rigid = worlds.copy()
    lengths = np.sqrt((worlds[:, :3, :3] ** 2).sum(axis=1, keepdims=True))
    rigid[:, :3, :3] = worlds[:, :3, :3] / lengths
    return multiply(rigid, metres(part, frame)[None])


def metres(part: Part, frame: Array) -> Array:
    """A frame (4, 4) in the part's own units as one in metres."""
    local = frame.copy()
    local[:3, 3] *= part.scale
    return local


def in_frame(part: Part, frame: Array) -> tuple[Array, NDArray[np.int64]]:
    """Vertices (V, 3) in metres in a joint frame of the part, and triangles (T, 3)."""
    mesh = meshes.of(part.ob)
    back = inverse(metres(part, frame))
    corners = meshes.vertices(mesh) * part.scale
    return corners @ back[:3, :3].T + back[:3, 3], meshes.triangles(mesh)


def _points(part: Part, frame: Array) -> Array:
    """(N, 3) corners and face middles of the part's fitted mesh in its joint frame, metres."""
    corners, triangles = in_frame(part, frame)
    return np.concatenate((corners, corners[triangles].mean(axis=1)))


def _wall(points: Array, joint: Joint) -> float:
    """Radius to which the socket's material surely reaches: its outermost point beside the bore."""
    level = points[(points[:, 2] < 0.0) & (points[:, 2] > -1.5 * joint.mechanism.bore_depth)]
    return float(np.hypot(level[:, 0], level[:, 1]).max()) if len(level) else joint.mechanism.reach
