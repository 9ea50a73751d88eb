# SPDX-License-Identifier: GPL-3.0-or-later
"""From what the depsgraph gave back to what the proof looks at: relative poses and real surface points."""

from dataclasses import dataclass

import numpy as np

from . import meshes
from .assembly import Assembly, Part
from .kit import Kit
from .overlap import Overlap
from .path import Timing
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

    def near_contact(self, timing: Timing) -> list[int]:
        """Samples at which the meshes are held against each other: every second frame near the socket."""
        aligned, _, _, clicked, end = timing.knots
        frames = [*range(timing.start, aligned, 4), *range(aligned, clicked, 2), clicked, end]
        return [self.index(frame) for frame in frames]


def gather(
    assembly: Assembly, kit: Kit, timing: Timing, samples: Samples, authored: Array, read: Array, cut: Overlap
) -> Evidence:
    """``authored`` (F, P, 4, 4) at whole frames, ``read`` (S, P, 4, 4) at the samples."""
    names = [part.name for part in assembly.parts]
    peg_index, socket_index = names.index(assembly.peg.name), names.index(assembly.socket.name)
    pegs = _joint_frames(assembly.peg, assembly.peg_frame, read[:, peg_index])
    sockets = _joint_frames(assembly.socket, assembly.socket_frame, read[:, socket_index])
    relative = multiply(inverse(sockets), pegs)
    peg_points = _points(assembly.peg, assembly.peg_frame)
    socket_points = _points(assembly.socket, assembly.socket_frame)
    wall = _wall(socket_points, kit)
    near = np.hypot(socket_points[:, 0], socket_points[:, 1]) < 1.3 * kit.groove_radius
    deep = socket_points[:, 2] > -1.2 * kit.bore_depth
    return Evidence(
        relative=relative,
        locked=samples.index(timing.knots[3]),
        readback=pose_errors(authored, read[:: samples.a_frame]),
        peg_points=peg_points[peg_points[:, 2] < 0.0],
        socket_points=socket_points[near & deep],
        times=tuple(samples.times),
        wall=wall,
        cut=(cut.triangles, samples.times[cut.sample], " and ".join(cut.parts)),
    )


def _joint_frames(part: Part, frame: Array, worlds: Array) -> Array:
    """(S, 4, 4) rigid world frames of a joint frame given in the part's space, from (S, 4, 4) world matrices."""
    rigid = worlds.copy()
    lengths = np.sqrt((worlds[:, :3, :3] ** 2).sum(axis=1, keepdims=True))
    rigid[:, :3, :3] = worlds[:, :3, :3] / lengths
    local = frame.copy()
    local[:3, 3] *= part.scale
    return multiply(rigid, local[None])


def _points(part: Part, frame: Array) -> Array:
    """(N, 3) corners and face middles of the part's fitted mesh in its joint frame, metres."""
    mesh = meshes.of(part.ob)
    corners = meshes.vertices(mesh) * part.scale
    middles = corners[meshes.triangles(mesh)].mean(axis=1)
    local = frame.copy()
    local[:3, 3] *= part.scale
    back = inverse(local)
    return np.concatenate((corners, middles)) @ back[:3, :3].T + back[:3, 3]


def _wall(points: Array, kit: Kit) -> float:
    """Radius to which the socket's material surely reaches: its outermost point at the height of the groove."""
    level = points[(points[:, 2] < 0.0) & (points[:, 2] > 2.0 * kit.groove_z[0])]
    return float(np.hypot(level[:, 0], level[:, 1]).max()) if len(level) else kit.groove_radius
