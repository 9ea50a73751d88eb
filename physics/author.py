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
from .kit import Kit
from .lab import Lab
from .path import Timing, poses
from .rigid import Array, continuous, inverse, multiply, to_quaternion, with_midpoints
from .units import MM

STRAY = 0.0005 * MM
"""Distance by which linear keys may let two joined parts stray between them."""
MODE = "holdfast_mode"
"""Custom property of an action: the rotation mode that its object had before."""
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


def key_times(assembly: Assembly, kit: Kit, timing: Timing, frames: Sequence[int]) -> tuple[float, ...]:
    """Scene times of the keys: one a frame, or 2, 4 or 8 where parts would stray from each other between frames.

    Keys are linear, so that an origin far from the joint's axis cuts the corner of its arc.
    """
    for density in (1, 2, 4, 8):
        times = tuple(frames[0] + k / density for k in range((len(frames) - 1) * density + 1))
        if _stray(assembly, kit, timing, times) <= STRAY:
            break
    return times


def _stray(assembly: Assembly, kit: Kit, timing: Timing, times: Sequence[float]) -> float:
    """Largest distance in metres, half-way between keys, of the joint's two frames from where the path has them."""
    motion = carriers(assembly, *poses(timing, kit, times))
    rim, shoulder = assembly.socket.world(assembly.socket_frame), assembly.peg.world(assembly.peg_frame)
    found = []
    for part, moves, local in ((assembly.socket, motion.socket, rim), (assembly.peg, motion.peg, shoulder)):
        rest = root_rest(part.root, moving=part is assembly.peg)
        rest[:3, :3] /= np.sqrt((rest[:3, :3] ** 2).sum(axis=0))
        between = with_midpoints(multiply(moves, rest[None]))[1::2]
        found.append(multiply(between, multiply(inverse(rest), local)[None]))
    relative = multiply(inverse(found[0]), found[1])
    middles = 0.5 * (np.array(times[1:]) + np.array(times[:-1]))
    aligned, inserted = timing.knots[:2]
    aside = np.hypot(relative[:, 0, 3], relative[:, 1, 3])[middles > aligned]
    height = np.abs(relative[:, 2, 3] - kit.seat)[middles > inserted]
    return float(max(aside.max(initial=0.0), height.max(initial=0.0)))


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


def motion_hash(names: Sequence[str], frames: Sequence[int], matrices: Array) -> str:
    """SHA-256 (hex) over part names, frames and (F, P, 4, 4) world matrices to the nanometre (9 decimals)."""
    state = hashlib.sha256(canonical_json({"parts": list(names), "frames": list(frames)}))
    state.update((np.round(matrices, 9) + 0.0).astype("<f8").tobytes())
    return state.hexdigest()


def apply_motion(assembly: Assembly, times: Sequence[float], motion: Carriers, digest: str) -> None:
    """Keys both roots so that their parts follow ``motion``; replaces the keys of an earlier run."""
    for root, moves, moving in (
        (assembly.socket.root, motion.socket, False),
        (assembly.peg.root, motion.peg, True),
    ):
        write_keys(root, times, multiply(moves, root_rest(root, moving=moving)[None]), digest)


def write_keys(root: bpy.types.Object, times: Sequence[float], matrices: Array, digest: str) -> None:
    """Keys ``root`` with (T, 4, 4) world matrices (scale included): LINEAR, hemisphere-continuous."""
    rest = rest_of(root)
    previous = root.animation_data.action if root.animation_data else None
    scale = np.array(rest[7:])
    turns = continuous(np.stack([to_quaternion(pose[:3, :3] / scale) for pose in matrices]))
    values = np.concatenate((matrices[:, :3, 3], turns), axis=1)
    mode = root.rotation_mode if previous is None or previous.get(MODE) is None else previous[MODE]
    root.rotation_mode = "QUATERNION"
    action = bpy.data.actions.new(f"{root.name} motion")
    root.animation_data_create().action = action
    column = 0
    for path, count in CHANNELS:
        for index in range(count):
            _write_curve(ensure_fcurve(action, root, path, index), times, values[:, column])
            column += 1
    action[MODE] = mode
    action[MOTION] = root[MOTION] = digest
    root[REST] = rest
    if previous is not None and previous.users == 0:
        bpy.data.actions.remove(previous)


def _write_curve(curve: bpy.types.FCurve, times: Sequence[float], values: Array) -> None:
    points = curve.keyframe_points
    points.add(len(times))
    points.foreach_set(
        "co", np.stack((np.array(times, dtype=np.float64), values), axis=1).astype(np.float32).ravel()
    )
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    points.foreach_set("interpolation", [linear] * len(times))
    curve.extrapolation = "CONSTANT"
    curve.update()


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
