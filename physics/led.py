# SPDX-License-Identifier: GPL-3.0-or-later
"""A joint that is simulated: a spring hand leads the peg along the path, and real contacts decide where it goes.

The hand aims past the joint's end and a little beside its axis, as a person's does, so that seat, stops and walls do the
work. What happened is kept eight times a frame and becomes keys; nothing of the simulation stays in the shot.
"""

from collections.abc import Generator
from dataclasses import replace
from typing import Final

import numpy as np

from .choreography import PREROLL, Recorded, Track
from .joints.base import Mechanism, Trial
from .joints.trying import smooth
from .lab import lab_scene
from .rigid import Array, between
from .trials import LabSettings, Rig
from .units import MM

PER_FRAME: Final = 8
"""Samples a frame that are kept."""
SUBSTEPS: Final = 24
"""Steps of the solver a frame."""
TOUCH, PROBE = 0.001 * MM, 0.0005 * MM
"""Depth that counts as touching, and how far around a point the way out is felt for."""
SETTLING: Final = 6
"""Frames after which what holds has come to rest."""


def lead(track: Track, fps: float, aside: float) -> Generator[float, None, Track]:
    """The same track with the motion that contacts gave. Yields the fraction done.

    ``fps`` of the scene; ``aside`` metres by which the hand enters off the axis.
    """
    last = _last(track)
    way = np.stack(
        [
            _wish(track, track.start + k / PER_FRAME, aside)
            for k in range((last - track.start) * PER_FRAME + 1)
        ]
    )
    trial = Trial("led", "Leading by hand", way[0], lambda found: [], way=way, springs=track.kind.springs,
                  hand=(track.kind.leads, 5.0 * track.kind.leads / 20000.0))  # fmt: skip
    settings = LabSettings(substeps=SUBSTEPS // PER_FRAME, fps=fps * PER_FRAME)
    found = []
    with lab_scene("led") as lab:
        rig = Rig(lab, track.mechanism, trial, settings)
        for index in range(len(way)):
            rig.step(index)
            found.append(rig.pose())
            if index % PER_FRAME == 0:
                yield index / len(way)
    still = (PREROLL - 1) * PER_FRAME
    found[:still] = [found[still]] * still
    track = replace(track, recorded=Recorded(track.start, PER_FRAME, np.stack(found)))
    points = track.mechanism.surface_points()
    poses = _settled(
        track,
        np.stack(
            [
                pose if _gives(track, index) else _outside(track.mechanism, points, pose)
                for index, pose in enumerate(found)
            ]
        ),
    )
    return replace(track, recorded=Recorded(track.start, PER_FRAME, poses))


def _last(track: Track) -> int:
    """The frame at which nothing is left to simulate: all have moved, and what holds has come to rest."""
    locked, held = track.held
    return min(locked + SETTLING, track.end) if held == track.end else track.end


def _wish(track: Track, time: float, aside: float) -> Array:
    """(4, 4) where the hand wants the peg: off the axis at the rim, not any more at the seat."""
    pose = track.pose(time)
    entered = min(max(pose.height / track.mechanism.depth, 0.0), 1.0)
    aimed = track.kind.aimed(track.mechanism, pose)
    return track.mechanism.at(replace(aimed, aside=aimed.aside + aside * smooth(entered)))


def _settled(track: Track, poses: Array) -> Array:
    """What holds rests: the last micrometres of its settling are taken out, over the frame before it holds."""
    first, last = ((frame - track.start) * PER_FRAME for frame in track.held)
    last = min(last, len(poses) - 1)
    made = poses.copy()
    made[first : last + 1] = poses[last]
    for step in range(1, PER_FRAME):
        if first >= step:
            made[first - step] = between(poses[last], poses[first - step], smooth(step / PER_FRAME))
    return made


def _gives(track: Track, index: int) -> bool:
    """Whether a spring of the joint gives way at a sample: its own material is then elsewhere."""
    frame = track.start + index / PER_FRAME
    return any(first - 1 <= frame <= last for first, last in track.giving())


def _outside(mechanism: Mechanism, points: Array, pose: Array) -> Array:
    """(4, 4) the pose moved out of material that it lies in: hulls are flat between the points of a round wall."""
    pose = pose.copy()
    for _ in range(4):
        at = points @ pose[:3, :3].T + pose[:3, 3]
        depth = mechanism.depth_in_socket(at)
        worst = int(depth.argmax())
        if depth[worst] <= TOUCH:
            break
        around = mechanism.depth_in_socket(at[worst] + PROBE * np.concatenate((np.eye(3), -np.eye(3))))
        slope = (around[:3] - around[3:]) / (2.0 * PROBE)
        length = float(np.sqrt((slope * slope).sum()))
        pose[:3, 3] -= depth[worst] * slope / max(length, 1e-6)
    return pose
