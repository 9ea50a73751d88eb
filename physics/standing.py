# SPDX-License-Identifier: GPL-3.0-or-later
"""What bodies fall on and run into: a floor, animated bodies, and what an artist made passive; still or led by its keys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..pipeline.errors import InputError
from . import meshes
from .bounce import Plane
from .freed import Freed, of_proxy, rigid_part
from .hull import along
from .imported import read, rigid
from .proxies import PROXY_OF, RECORD
from .rigid import Array, move_points, multiply, translation
from .simulation import Body

FLOOR = "holdfast floor"
MARGIN = 1e-5
BELOW, WIDEST = 1e-3, 50.0
"""Metres that a body may begin in the floor; the half width of the widest floor."""
STILL = 1e-7
"""Metres below which what stands does not move."""
_CORNERS = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Standing:
    """Something that does not fall: its body, and its poses (F, 4, 4) where it moves."""

    body: Body
    poses: Array | None = None


def floor(height: float, bodies: Sequence[Body], reach: float) -> Standing:
    """A level floor at ``height`` metres, ``reach`` metres around, of the same surface as most of the bodies.

    Raises InputError where a body begins below it.
    """
    ends = [np.concatenate([move_points(body.pose, piece) for piece in body.pieces]) for body in bodies]
    for body, points in zip(bodies, ends, strict=True):
        depth = height - float(points[:, 2].min()) - body.margin
        if depth > BELOW:
            todo = "Lower the floor, or remove the body, lift the part and make it Live again."
            raise InputError(f"{body.name!r} starts {1e3 * depth:.1f} mm below the floor", todo=todo)
    every = np.concatenate(ends)
    half = min(
        reach + 4.0 * max(float(np.ptp(every, axis=0).max()), float(every[:, 2].max()) - height, 0.1), WIDEST
    )
    middle = 0.5 * (every.min(axis=0) + every.max(axis=0))
    at = translation((float(middle[0]), float(middle[1]), height - 0.05 * half))
    rough, lively = (
        float(np.median([getattr(body, k) for body in bodies])) for k in ("friction", "restitution")
    )
    body = Body(
        FLOOR, "BOX", (half * np.array((1.0, 1.0, 0.05)) * _CORNERS,), at, "PASSIVE", friction=rough,
        restitution=lively, margin=MARGIN, groups=tuple(range(20)),
    )  # fmt: skip
    return Standing(body)


def obstacles(scene: bpy.types.Scene, falling: Collection[bpy.types.Object]) -> tuple[list[Freed], list[str]]:
    """What else the scene's rigid-body world holds, as it stands now, by name; and sentences on what was left out."""
    world, found, said = scene.rigidbody_world, [], []
    held = world.collection.objects if world is not None and world.collection is not None else ()
    for thing in sorted(held, key=lambda ob: ob.name):
        ob = thing.get(PROXY_OF) or thing
        if ob in falling or (thing != ob and thing.get(RECORD) is None):
            continue
        above = _carrier(ob, falling)
        if above is not None:
            said.append(f"{ob.name} hangs on {above.name}: it goes along and touches nothing by itself.")
        elif thing != ob:
            found.append(of_proxy(read(ob), thing))
        elif thing.rigid_body.type == "ACTIVE" and not thing.rigid_body.kinematic:
            said.append(f"{ob.name} is a live rigid body of your own: it was left out.")
        else:
            found.append(_own(ob))
    return found, said


def _carrier(ob: bpy.types.Object, falling: Collection[bpy.types.Object]) -> bpy.types.Object | None:
    above = ob.parent
    while above is not None and above not in falling:
        above = above.parent
    return above


def _own(ob: bpy.types.Object) -> Freed:
    """A passive or kinematic body of the artist's own. Bullet centres boxes, balls and cylinders on the origin."""
    stretch, pose = rigid(ob)
    points, triangles = meshes.evaluated(ob)
    if not len(triangles):
        raise InputError(
            f"The rigid body {ob.name!r} has no faces", todo="Take its rigid body off, or make it solid."
        )
    points = along(points, stretch)
    made = ob.rigid_body
    kind, faces = str(made.collision_shape), None
    if kind in {"BOX", "SPHERE", "CYLINDER"}:
        points = 0.5 * np.ptp(points, axis=0) * _CORNERS
    elif kind != "CONVEX_HULL":
        kind, faces = "MESH", triangles[:, ::-1] if np.linalg.det(stretch) < 0.0 else triangles
    groups = tuple(index for index, on in enumerate(made.collision_collections) if on)
    body = Body(
        ob.name, kind, (points,), rigid_part(pose), "PASSIVE", friction=made.friction, restitution=made.restitution,
        margin=MARGIN, groups=groups, faces=faces,
    )  # fmt: skip
    return Freed(ob, body, np.eye(4), stretch)


def standing(made: Freed, worlds: Array) -> tuple[Standing, str]:
    """An obstacle with its motion, from (F, 4, 4) world matrices of its object; and a sentence, or nothing."""
    inner = np.eye(4)
    inner[:3, :3] = np.linalg.inv(made.stretch)
    poses = multiply(worlds, multiply(inner, made.frame)[None])
    poses = np.stack([rigid_part(pose) for pose in poses])
    body = replace(made.body, pose=poses[0], velocity=(0.0, 0.0, 0.0), spin=(0.0, 0.0, 0.0))
    if np.abs(poses - poses[0]).max() < STILL:
        return Standing(replace(body, kind="PASSIVE")), ""
    if body.shape != "MESH":
        return Standing(replace(body, kind="KINEMATIC"), poses), ""
    said = f"{made.ob.name} moves, so that its convex hull was taken instead of its mesh."
    return Standing(replace(body, kind="KINEMATIC", shape="CONVEX_HULL", faces=None), poses), said


def under(body: Body, others: Sequence[Standing]) -> tuple[Plane, Body] | None:
    """The plane of what a body stands over and does not move, straight below its centre; None where nothing is."""
    centre = body.pose[:3, 3]
    best: tuple[float, Plane, Body] | None = None
    for other in others:
        if other.poses is not None:
            continue
        for point, normal in _faces_below(other.body, centre):
            if best is None or point[2] > best[0]:
                best = (float(point[2]), Plane(point, normal), other.body)
    return None if best is None else best[1:]


def _faces_below(body: Body, centre: Array) -> list[tuple[Array, Array]]:
    """(point, upward unit normal) where the vertical through ``centre`` leaves the faces of a body below it."""
    if body.shape == "BOX":
        points, faces = body.pieces[0], _BOX
    elif body.faces is not None:
        points, faces = body.pieces[0], body.faces
    else:
        return []
    moved = move_points(body.pose, points)
    a, b, c = (moved[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    level = np.abs(normal[:, 2]) > 1e-12
    a, b, c, normal = a[level], b[level], c[level], normal[level]
    height = a[:, 2] - ((centre[:2] - a[:, :2]) * normal[:, :2]).sum(axis=1) / normal[:, 2]
    at = np.stack((np.full(len(a), centre[0]), np.full(len(a), centre[1]), height), axis=1)
    inside = np.ones(len(a), dtype=bool)
    for p, q in ((a, b), (b, c), (c, a)):
        inside &= (np.cross(q - p, at - p) * normal).sum(axis=1) >= -1e-12 * np.square(normal).sum(axis=1)
    inside &= height < centre[2]
    unit = normal / np.sqrt(np.square(normal).sum(axis=1))[:, None]
    unit = unit * np.where(unit[:, 2:] < 0.0, -1.0, 1.0)
    return list(zip(at[inside], unit[inside], strict=True))


_BOX = np.array([face for a, b, c, d in ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
                 for face in ((a, b, c), (a, c, d))])  # fmt: skip
