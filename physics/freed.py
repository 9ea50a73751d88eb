# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts as bodies of a simulation: what ``dynamics`` moves, and the way back from its poses to those of the parts.

``bodies_of(parts)`` is a generator that returns one ``Freed`` a part, in the order given. A part's body is that of its
proxy, with all that an artist changed on it, or else chosen as ``proxies.planned`` chooses it. For example::

    freed = yield from bodies_of(assembly.parts)              # at rest; made.at(pose) puts one elsewhere
    whole = dynamics.weld("product", [made.body for made in freed], velocity=(1.0, 0.0, 0.0))
    motion = yield from dynamics.simulate([floor], welds=[whole], fps=24, frames=48)
    world = freed[0].matrices(motion.poses[:, motion.names.index(freed[0].body.name)])  # (F, 4, 4), scale included
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..pipeline.errors import InputError
from . import meshes
from .assembly import Part
from .imported import Imported
from .mass import MATERIALS
from .proxies import DAMPING, PLACE, Plan, planned
from .rigid import Array, from_quaternion, inverse, multiply, to_quaternion
from .settle import Subject, body_of, subject_of
from .simulation import Body

SAME = 1e-4
"""Relative change of a part's scale below which it is rounding."""


@dataclass(frozen=True, eq=False)
class Freed:
    """``body`` has its pose in the world; ``frame`` (4, 4) is its rigid place, centre of mass and axes, in the part's metres.

    ``stretch`` (3, 3) makes the object's own coordinates those metres: its scale, mirroring and shear.
    """

    ob: bpy.types.Object
    body: Body
    frame: Array
    stretch: Array

    def at(self, pose: Array) -> Body:
        """The body where the part's origin has the rigid world ``pose`` (4, 4)."""
        return replace(self.body, pose=multiply(pose, self.frame))

    def origins(self, poses: Array) -> Array:
        """(..., 4, 4) rigid world poses of the part's origin from those of the body."""
        return multiply(poses, inverse(self.frame))

    def matrices(self, poses: Array) -> Array:
        """(..., 4, 4) world matrices of the object, with its scale, from poses of the body."""
        stretch = np.eye(4)
        stretch[:3, :3] = self.stretch
        return multiply(self.origins(poses), stretch)


def bodies_of(parts: Sequence[Part]) -> Generator[None, None, list[Freed]]:
    """The bodies of an assembly's parts, at rest, named as the parts. Yields in between.

    Raises InputError for a part without volume, or whose proxy has a shape that is not for moving bodies.
    """
    found = []
    for part in parts:
        yield
        pose = from_quaternion(to_quaternion(part.rest[:3, :3] / part.scale))
        pose[:3, 3] = part.rest[:3, 3]
        points, triangles = meshes.evaluated(part.ob)
        stretch = part.scale * np.eye(3)
        read = Imported(part.name, part.ob, part.scale * points, triangles, stretch, pose)
        found.append((yield from freed(read)))
    return found


def freed(part: Imported) -> Generator[None, None, Freed]:
    """The body of one imported part where it stands, from its proxy if it has one. Raises InputError. Yields in between."""
    try:
        proxy = body_of(part.ob)
    except InputError:
        return _from_plan((yield from planned(part, live=True)))
    return of_proxy(part, proxy)


def _from_plan(plan: Plan) -> Freed:
    record = plan.record
    friction, restitution = MATERIALS.get(record.material, MATERIALS["ABS"]).share
    body = Body(
        record.part, record.shape.kind, record.shape.points, multiply(plan.pose, record.shape.frame),
        mass=record.mass.mass, friction=friction, restitution=restitution,
        margin=record.shape.margin, damping=DAMPING,
    )  # fmt: skip
    return Freed(plan.ob, body, record.shape.frame, plan.stretch)


def of_proxy(part: Imported, proxy: bpy.types.Object) -> Freed:
    """The body that a proxy is, where its part stands. Raises InputError for a shape that moving bodies must not have.

    Frame and stretch are those with which the proxy was made, whatever rounding the part's present place adds.
    """
    subject: Subject = subject_of(proxy)
    frame, stretch = place_of(proxy)
    off = np.abs(stretch - part.stretch).max()
    if off > SAME * np.abs(stretch).max():
        todo = "Make its body again."
        raise InputError(f"{part.ob.name!r} was scaled since its body was made", todo=todo)
    groups = tuple(index for index, on in enumerate(proxy.rigid_body.collision_collections) if on)
    body = Body(
        part.name, subject.kind, subject.pieces, multiply(part.pose, frame), mass=subject.mass,
        friction=subject.friction, restitution=subject.restitution, margin=subject.margin,
        damping=subject.damping, groups=groups,
    )  # fmt: skip
    return Freed(part.ob, body, frame, stretch)


def place_of(proxy: bpy.types.Object) -> tuple[Array, Array]:
    """(frame (4, 4), stretch (3, 3)) of a proxy: its rigid place in the part's metres, and the part's scale.

    Raises InputError for a proxy of an earlier version, which did not keep them.
    """
    if proxy.get(PLACE) is None:
        raise InputError(f"{proxy.name!r} was made by an earlier version", todo="Make its body again.")
    kept = json.loads(proxy[PLACE])
    return np.array(kept["frame"]).reshape(4, 4), np.array(kept["stretch"]).reshape(3, 3)


def rigid_part(place: Array) -> Array:
    """The rigid part of a nearly rigid transform, free of the rounding of single precision."""
    found = from_quaternion(to_quaternion(place))
    found[:3, 3] = place[:3, 3]
    return found
