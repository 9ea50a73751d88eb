# SPDX-License-Identifier: GPL-3.0-or-later
"""Bakes poses to plain location and quaternion keys, reads them back through the depsgraph, and names them by a hash."""

import hashlib
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..compat import ensure_fcurve
from ..pipeline.store import canonical_json
from .assembly import MOTION, REST, Assembly, Part, rest_of, root_rest
from .lab import Lab
from .rigid import Array, continuous, inverse, multiply, to_quaternion

CHANNELS = (("location", 3), ("rotation_quaternion", 4))


@dataclass(frozen=True)
class Carriers:
    """Rigid world motions (F, 4, 4) of all that hangs on the peg's root and on the socket's root, from rest."""

    peg: Array
    socket: Array


def carriers(assembly: Assembly, peg_in_socket: Array, carried: Array) -> Carriers:
    """From (F, 4, 4) peg frame in socket frame and (F, 4, 4) of the whole assembly in the socket frame at rest."""
    rim = assembly.socket.world(assembly.socket_frame)
    shoulder = assembly.peg.world(assembly.peg_frame)
    moved = multiply(rim[None], carried)
    return Carriers(
        multiply(moved, peg_in_socket, inverse(shoulder)[None]), multiply(moved, inverse(rim)[None])
    )


def world_poses(assembly: Assembly, motion: Carriers) -> Array:
    """(F, P, 4, 4) world matrices of all parts; those on neither root stay at rest."""
    result = np.empty((len(motion.peg), len(assembly.parts), 4, 4))
    for index, part in enumerate(assembly.parts):
        if part.root == assembly.peg.root:
            result[:, index] = multiply(motion.peg, part.rest[None])
        elif part.root == assembly.socket.root:
            result[:, index] = multiply(motion.socket, part.rest[None])
        else:
            result[:, index] = part.rest
    return result


def motion_hash(names: Sequence[str], frames: Sequence[int], poses: Array) -> str:
    """SHA-256 (hex) over part names, frames and (F, P, 4, 4) world matrices to the nanometre (9 decimals)."""
    state = hashlib.sha256(canonical_json({"parts": list(names), "frames": list(frames)}))
    state.update((np.round(poses, 9) + 0.0).astype("<f8").tobytes())
    return state.hexdigest()


def apply_motion(assembly: Assembly, frames: Sequence[int], motion: Carriers, digest: str) -> None:
    """Keys both roots so that their parts follow ``motion``; replaces the keys of an earlier run."""
    for root, moves, moving in (
        (assembly.socket.root, motion.socket, False),
        (assembly.peg.root, motion.peg, True),
    ):
        write_keys(root, frames, multiply(moves, root_rest(root, moving=moving)[None]), digest)


def write_keys(root: bpy.types.Object, frames: Sequence[int], poses: Array, digest: str) -> None:
    """Keys ``root`` with (F, 4, 4) world matrices (scale included): LINEAR, hemisphere-continuous, one key a frame."""
    rest = rest_of(root)
    previous = root.animation_data.action if root.animation_data else None
    scale = np.array(rest[7:])
    turns = continuous(np.stack([to_quaternion(pose[:3, :3] / scale) for pose in poses]))
    values = np.concatenate((poses[:, :3, 3], turns), axis=1)
    root.rotation_mode = "QUATERNION"
    action = bpy.data.actions.new(f"{root.name} motion")
    root.animation_data_create().action = action
    column = 0
    for path, count in CHANNELS:
        for index in range(count):
            _write_curve(ensure_fcurve(action, root, path, index), frames, values[:, column])
            column += 1
    action[MOTION] = root[MOTION] = digest
    root[REST] = rest
    if previous is not None and previous.users == 0:
        bpy.data.actions.remove(previous)


def _write_curve(curve: bpy.types.FCurve, frames: Sequence[int], values: Array) -> None:
    points = curve.keyframe_points
    points.add(len(frames))
    points.foreach_set(
        "co", np.stack((np.array(frames, dtype=np.float64), values), axis=1).astype(np.float32).ravel()
    )
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    points.foreach_set("interpolation", [linear] * len(frames))
    curve.extrapolation = "CONSTANT"
    curve.update()


def clear_keys(root: bpy.types.Object) -> None:
    """Takes the motion off a root and puts it back where it rested."""
    action = root.animation_data.action if root.animation_data else None
    if action is None or action.get(MOTION) is None:
        return
    rest = rest_of(root)
    bpy.data.actions.remove(action)
    root.location, root.rotation_quaternion, root.scale = rest[:3], rest[3:7], rest[7:]
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
