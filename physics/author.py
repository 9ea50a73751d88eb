# SPDX-License-Identifier: GPL-3.0-or-later
"""Bakes poses to plain location and quaternion keys, reads them back through the depsgraph, and names them by a hash."""

import hashlib
import itertools
import random
from collections.abc import Generator, Sequence

import bpy
import numpy as np

from ..pipeline.store import canonical_json
from .assembly import MOTION, REST, Assembly, Joint, Part, rest_of, root_rest
from .choreography import Track
from .finale import Carried
from .keys import new_action
from .lab import Lab
from .rigid import Array, inverse, move_points, multiply, with_midpoints
from .units import MM

STRAY = 0.0005 * MM
"""Distance by which linear keys may let two joined parts stray between them."""
DENSITIES = (1, 2, 4, 8, 16)
"""Keys a frame, as few as will do."""
MODE = "holdfast_mode"
"""Custom property of an action: the rotation mode that its object had before."""


Motion = dict[str, Array]
"""(T, 4, 4) rigid world motion of all that hangs on a root, from rest, by the root's name."""


def motion_at(
    assembly: Assembly, tracks: Sequence[Track], times: Sequence[float], ending: Carried | None = None
) -> Motion:
    """How every root moves at scene times in frames: the base as the product is carried, pegs as their joints lead them.

    ``ending``: how the product is carried once all joints are done.
    """
    made = [track.poses(times) for track in tracks]
    carried = made[0][1]
    for _, also in made[1:]:
        carried = multiply(carried, also)
    rim = _rim(assembly.joints[0])
    base = multiply(rim[None], carried, inverse(rim)[None])
    motion = {assembly.base.name: base if ending is None else multiply(ending.at(times), base)}
    for joint, (relative, _) in zip(assembly.joints, made, strict=True):
        moved = multiply(motion[joint.socket.root.name], _rim(joint)[None])
        motion[joint.peg.root.name] = multiply(moved, relative, inverse(_shoulder(joint))[None])
    return motion


def _rim(joint: Joint) -> Array:
    return joint.socket.world(joint.socket_frame)


def _shoulder(joint: Joint) -> Array:
    return joint.peg.world(joint.peg_frame)


def is_moved(assembly: Assembly, root: bpy.types.Object) -> bool:
    """Whether a joint moves a root; the base rests where it stands."""
    return root != assembly.base


def key_times(
    assembly: Assembly, tracks: Sequence[Track], frames: Sequence[int], ending: Carried | None = None
) -> tuple[float, ...]:
    """Scene times of the keys: one a frame, or 2, 4, 8 or 16 where parts would stray from each other between frames.

    Keys are linear, so that an origin far from the joint's axis cuts the corner of its arc.
    """
    for density in DENSITIES:
        times = tuple(frames[0] + k / density for k in range((len(frames) - 1) * density + 1))
        motion = motion_at(assembly, tracks, times, ending)
        pairs = zip(assembly.joints, tracks, strict=True)
        if max(_stray(assembly, joint, track, motion, times) for joint, track in pairs) <= STRAY:
            break
    return times


def _stray(assembly: Assembly, joint: Joint, track: Track, motion: Motion, times: Sequence[float]) -> float:
    """Largest distance in metres, half-way between keys, of the joint's two frames from where it may have them.

    Aside wherever the peg is in the bore, along the axis where it keeps its height; measured at the pivot of a tilt.
    After a joint has broken its parts may go where they like.
    """
    found = []
    for part, local in ((joint.socket, _rim(joint)), (joint.peg, _shoulder(joint))):
        rest = root_rest(part.root, moving=is_moved(assembly, part.root))
        rest[:3, :3] /= np.sqrt((rest[:3, :3] ** 2).sum(axis=0))
        between = with_midpoints(multiply(motion[part.root.name], rest[None]))[1::2]
        found.append(multiply(between, multiply(inverse(rest), local)[None]))
    relative = multiply(inverse(found[0]), found[1])
    middles = [0.5 * (before + after) for before, after in itertools.pairwise(times)]
    exact, at_keys = track.poses(middles)[0], track.poses(times)[0][:, 2, 3]
    worst = 0.0
    for index, middle in enumerate(middles):
        pose = track.pose(middle)
        height = float(exact[index, 2, 3]) - joint.mechanism.seat
        if height > joint.mechanism.depth or (track.broke is not None and middle > track.broke - 1):
            continue
        level = abs(at_keys[index] - at_keys[index + 1]) < 1e-12
        ends = np.array(((0.0, 0.0, 0.0), (0.0, 0.0, -joint.mechanism.length)))
        if pose.about is not None:  # it turns about a point and may go astray beside that
            ends = np.array(((0.0, 0.0, pose.about - joint.mechanism.seat - pose.height),))
        off = move_points(relative[index] - exact[index], ends)
        aside = float(np.sqrt((off[:, :2] ** 2).sum(axis=1)).max())
        worst = max(worst, aside, float(np.abs(off[:, 2]).max()) if level else 0.0)
        if worst > STRAY:
            break  # too far already: the keys must be denser
    return worst


def world_poses(assembly: Assembly, motion: Motion) -> Array:
    """(F, P, 4, 4) world matrices of all parts; those on no moving root stay at rest."""
    count = len(motion[assembly.base.name])
    result = np.empty((count, len(assembly.parts), 4, 4))
    for index, part in enumerate(assembly.parts):
        moves = motion.get(part.root.name)
        result[:, index] = part.rest if moves is None else multiply(moves, part.rest[None])
    return result


def motion_hash(names: Sequence[str], frames: Sequence[int], matrices: Array) -> str:
    """SHA-256 (hex) over part names, frames and (F, P, 4, 4) world matrices to the nanometre (9 decimals)."""
    state = hashlib.sha256(canonical_json({"parts": list(names), "frames": list(frames)}))
    state.update((np.round(matrices, 9) + 0.0).astype("<f8").tobytes())
    return state.hexdigest()


def apply_motion(assembly: Assembly, times: Sequence[float], motion: Motion, digest: str) -> None:
    """Keys all roots so that their parts follow ``motion``; replaces the keys of an earlier run."""
    for root in assembly.roots:
        rest = root_rest(root, moving=is_moved(assembly, root))
        write_keys(root, times, multiply(motion[root.name], rest[None]), digest)


def write_keys(root: bpy.types.Object, times: Sequence[float], matrices: Array, digest: str) -> None:
    """Keys ``root`` with (T, 4, 4) world matrices (scale included): LINEAR, hemisphere-continuous."""
    rest = rest_of(root)
    previous = root.animation_data.action if root.animation_data else None
    mode = root.rotation_mode if previous is None or previous.get(MODE) is None else previous[MODE]
    poses = matrices.copy()
    poses[:, :3, :3] /= np.array(rest[7:])
    action = new_action(root, f"{root.name} motion", times, poses)
    action[MODE] = mode
    action[MOTION] = root[MOTION] = digest
    root[REST] = rest
    if previous is not None and previous.users == 0:
        bpy.data.actions.remove(previous)


def clear_keys(root: bpy.types.Object) -> None:
    """Takes the motion off a root and puts it back where it rested."""
    action = root.animation_data.action if root.animation_data else None
    if action is None or action.get(MOTION) is None:
        return
    rest, mode = rest_of(root), action.get(MODE, "QUATERNION")
    bpy.data.actions.remove(action)
    root.animation_data_clear()
    root.location, root.rotation_quaternion, root.scale = rest[:3], rest[3:7], rest[7:]
    root.rotation_mode = mode
    root.pop(REST, None)
    root.pop(MOTION, None)


def read_back(lab: Lab, parts: Sequence[Part], times: Sequence[float]) -> Generator[float, None, Array]:
    """(T, P, 4, 4) world matrices that the depsgraph gives at ``times``, visited in scrambled order.

    The parts and their parents are evaluated in the lab's scene, so that the artist's playhead stays where it is.
    Yields the fraction done.
    """
    linked = []
    for part in parts:
        ob: bpy.types.Object | None = part.ob
        while ob is not None:
            if ob.name not in lab.scene.collection.objects:
                lab.scene.collection.objects.link(ob)
                linked.append(ob)
            ob = ob.parent
    order = list(range(len(times)))
    random.Random(7).shuffle(order)
    result = np.empty((len(times), len(parts), 4, 4))
    graph = lab.graph()
    for done, index in enumerate(order):
        whole = int(np.floor(times[index]))
        lab.scene.frame_set(whole, subframe=float(times[index]) - whole)
        for column, part in enumerate(parts):
            result[index, column] = np.array(part.ob.evaluated_get(graph).matrix_world, dtype=np.float64)
        if done % 8 == 0:
            yield done / len(order)
    return result
