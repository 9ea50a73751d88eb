# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from the scene which objects are parts, which move together and where peg and socket sit. Changes nothing."""

from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from ..pipeline.errors import InputError
from . import features, meshes
from .clearing import Profile, underside
from .features import Feature
from .joints import kind_named
from .joints.base import JointKind, Mechanism
from .joints.record import checked
from .joints.spec import JointFrame, JointSpec
from .rigid import Array, from_quaternion, inverse, move_points, multiply, to_quaternion, translation
from .units import MM

REST = "holdfast_rest"
"""Custom property of a keyed root: its location, quaternion and scale before it was keyed (10 numbers)."""
MOTION = "holdfast_motion"
"""Custom property of a keyed root and of its action: the hash of the motion that it carries."""


@dataclass(frozen=True)
class Part:
    """``rest`` (4, 4) is its world matrix with its root at rest; ``scale`` its uniform scale; ``root`` carries it."""

    name: str
    ob: bpy.types.Object
    root: bpy.types.Object
    rest: Array
    scale: float

    def world(self, frame: Array) -> Array:
        """The rigid world frame, at rest, of a frame (4, 4) in the part's own space."""
        placed = from_quaternion(to_quaternion(self.rest[:3, :3] / self.scale))
        placed[:3, 3] = self.rest[:3, 3]
        local = frame.copy()
        local[:3, 3] *= self.scale
        return multiply(placed, local)


@dataclass(frozen=True)
class Joint:
    """A joint with its two parts, its mechanism, and its frames (4, 4) in the parts' own spaces."""

    spec: JointSpec
    kind: JointKind
    mechanism: Mechanism
    peg: Part
    socket: Part
    peg_frame: Array
    socket_frame: Array


@dataclass(frozen=True)
class Assembly:
    """All parts in a fixed order, and the joints in the order in which each one's socket is carried before its peg."""

    parts: tuple[Part, ...]
    joints: tuple[Joint, ...]

    @property
    def base(self) -> bpy.types.Object:
        """The root that no joint moves."""
        return self.joints[0].socket.root

    @property
    def roots(self) -> list[bpy.types.Object]:
        """All roots that are keyed: the base, and one for every joint."""
        return [self.base, *(joint.peg.root for joint in self.joints)]


def part_name(ob: bpy.types.Object) -> str:
    """The stable name of a part."""
    return str(ob.holdfast.part or ob.name)


def part_objects(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The scene's parts in a fixed order. Raises InputError if there are none or two share a name."""
    found = [ob for ob in scene.objects if ob.holdfast.is_part]
    found.sort(key=lambda ob: (ob.holdfast.part_id or 999, part_name(ob)))
    if not found:
        todo = "Run Assets, or select your objects and mark them as parts."
        raise InputError("The scene has no parts", where=scene.name, todo=todo)
    names = [part_name(ob) for ob in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"Two parts are called {name!r}", todo="Give every part a name of its own.")
    return found


def read(scene: bpy.types.Scene) -> Assembly:
    """The assembly of the scene's joints. Raises InputError with the sentence for whatever is not as it must be."""
    objects = part_objects(scene)
    listed: list[Any] = list(scene.holdfast.physics.joints) or [None]
    taken: dict[tuple[str, str], int] = {}
    found = []
    for settings in listed:
        peg = _resolve(objects, "peg", settings.peg if settings else None, taken)
        socket = _resolve(objects, "socket", settings.socket if settings else None, taken)
        found.append((settings, peg, socket))
    moved = {_root(peg[0]) for _, peg, _ in found}
    parts = {ob: _part(ob, moving=_root(ob) in moved) for ob in objects}
    joints = [_joint(settings, parts, peg, socket) for settings, peg, socket in found]
    return Assembly(tuple(parts.values()), _in_order(joints))


def _joint(settings: Any, parts: dict[bpy.types.Object, Part], peg: tuple[bpy.types.Object, Feature],
           socket: tuple[bpy.types.Object, Feature]) -> Joint:  # fmt: skip
    plug, bore = parts[peg[0]], parts[socket[0]]
    if plug.root == bore.root:
        todo = "Clear the parent of one of them, so that they can move against each other."
        raise InputError(f"{peg[0].name!r} and {socket[0].name!r} hang on the same parent", todo=todo)
    spec = spec_of(settings, plug, peg[1], bore, socket[1])
    kind = kind_named(spec.kind)
    if kind.tilts:
        spec = replace(spec, over_mm=_underside(parts, plug, peg[1], bore, socket[1]))
    return Joint(spec, kind, kind.make(spec), plug, bore, peg[1].frame, socket[1].frame)


def _underside(
    parts: dict[bpy.types.Object, Part], plug: Part, peg: Feature, bore: Part, socket: Feature
) -> Profile:
    """What of the peg's side hangs lowest over the joint's plane, out to where the socket's side ends."""
    sides = []
    for own, frame in ((plug, peg.frame), (bore, socket.frame)):
        back, points = inverse(own.world(frame)), []
        for part in parts.values():
            if part.root == own.root:
                placed = move_points(part.rest, meshes.vertices(meshes.original(part.ob)))
                points.append(move_points(back, placed))
        sides.append(np.concatenate(points))
    over, under = sides[0][sides[0][:, 2] > -1e-6], sides[1][sides[1][:, 2] < 1e-6]
    return underside(over, float(np.hypot(under[:, 0], under[:, 1]).max(initial=0.0)))


def _in_order(joints: list[Joint]) -> tuple[Joint, ...]:
    """Joints so that what carries a socket comes first. Raises InputError where they make no tree."""
    pegs = [joint.peg.root for joint in joints]
    for root in pegs:
        if pegs.count(root) > 1:
            todo = "Let one of the joints hold it, and put its other parts on objects of their own."
            raise InputError(f"Two joints move {root.name!r}", todo=todo)
    bases = {joint.socket.root for joint in joints if joint.socket.root not in pegs}
    if len(bases) > 1:
        names = ", ".join(sorted(root.name for root in bases))
        todo = "Join them to one product, or give each a shot of its own."
        raise InputError(f"The joints belong to more than one product: {names}", todo=todo)
    carried, ordered = set(bases), []
    while len(ordered) < len(joints):
        ready = [joint for joint in joints if joint not in ordered and joint.socket.root in carried]
        if not ready:
            raise InputError("The joints go round in a circle", todo="Take one of them off the list.")
        ordered += ready
        carried |= {joint.peg.root for joint in ready}
    return tuple(ordered)


def _resolve(objects: list[bpy.types.Object], kind: str, chosen: bpy.types.Object | None,
             taken: dict[tuple[str, str], int]) -> tuple[bpy.types.Object, Feature]:  # fmt: skip
    """The object that has the peg or socket, and the feature: stated, or else found in its shape.

    Joints that name the same object take its pegs or sockets in their order; ``taken`` counts them.
    """
    if chosen is not None and chosen not in objects:
        todo = "Choose another object in the joint, or mark this one as a part again."
        raise InputError(f"The {kind} of the joint, {chosen.name!r}, is no part of this scene", todo=todo)
    candidates = [chosen] if chosen is not None else objects
    stated = [
        (ob, feature)
        for ob in candidates
        for feature in features.parse(ob.get(features.PROPERTY, "[]"), ob.name)
        if feature.kind == kind
    ]
    if chosen is not None and len(stated) > 1:
        number = taken.get((kind, chosen.name), 0)
        taken[kind, chosen.name] = number + 1
        if number < len(stated):
            return stated[number]
    if len(stated) == 1:
        return stated[0]
    if len(stated) > 1:
        names = ", ".join(sorted(ob.name for ob, _ in stated))
        raise InputError(
            f"There is more than one {kind}: {names}", todo=f"Choose the {kind} in the joint's settings."
        )
    if chosen is None:
        todo = f"Add a joint and choose its peg and its socket; parts made by Assets state their {kind} themselves."
        raise InputError(f"No part has a {kind}", todo=todo)
    return chosen, _detect(chosen, kind)


def _detect(ob: bpy.types.Object, kind: str) -> Feature:
    from .axis import find_cylinder

    mesh = meshes.original(ob)
    return find_cylinder(meshes.vertices(mesh), meshes.triangles(mesh), kind, ob.name, shoulder_hint(ob))


def shoulder_hint(ob: bpy.types.Object) -> features.Vector3 | None:
    """A point on the shoulder's side of a peg, in its own space: the middle of the part that it hangs on, if it does."""
    if ob.parent is None or ob.parent.type != "MESH":
        return None
    middle = np.array(ob.parent.bound_box, dtype=np.float64).mean(axis=0)
    local = ob.matrix_local.inverted() @ Vector(middle)
    return local.x, local.y, local.z


def _root(ob: bpy.types.Object) -> bpy.types.Object:
    while ob.parent is not None:
        ob = ob.parent
    return ob


def _part(ob: bpy.types.Object, *, moving: bool) -> Part:
    """Checks one part and finds where it is at rest; the moving parts' root rests at the origin."""
    if ob.type != "MESH":
        raise InputError(f"The part {ob.name!r} is no mesh", todo="Convert it to a mesh (Object > Convert).")
    chain = [ob]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    for link in chain:
        _check_link(link, is_root=link is chain[-1])
    rest = root_rest(chain[-1], moving=moving)
    for link in reversed(chain[:-1]):
        held = np.array(link.matrix_parent_inverse, dtype=np.float64)
        rest = multiply(rest, held, np.array(link.matrix_basis, dtype=np.float64))
    return Part(part_name(ob), ob, chain[-1], rest, _uniform_scale(ob, rest))


def _check_link(link: bpy.types.Object, *, is_root: bool) -> None:
    if link.library is not None or link.override_library is not None:
        raise InputError(
            f"{link.name!r} is linked from another file", todo="Make it local (Object > Relations)."
        )
    if link.parent is not None and link.parent_type != "OBJECT":
        raise InputError(f"{link.name!r} hangs on a bone or vertex", todo="Parent it to an object instead.")
    if any(not constraint.mute for constraint in link.constraints):
        raise InputError(f"{link.name!r} has constraints that move it", todo="Apply or mute them first.")
    moved = link.animation_data
    if moved is None:
        return
    foreign = moved.action is not None and moved.action.get(MOTION) is None
    if foreign or len(moved.drivers) or any(len(track.strips) for track in moved.nla_tracks):
        name = moved.action.name if foreign else "drivers or NLA strips"
        todo = "Unlink that animation: Physics writes the motion of the parts."
        raise InputError(f"{link.name!r} is animated already, by {name}", todo=todo)
    if moved.action is not None and not is_root:
        raise InputError(f"{link.name!r} carries keys of an earlier motion", todo="Unlink its action.")


def rest_of(root: bpy.types.Object) -> list[float]:
    """Location (3), quaternion (4) and scale (3) of a root before it was keyed, as far as the file knows."""
    action = root.animation_data.action if root.animation_data else None
    if action is not None and root.get(REST) is not None:
        return [float(value) for value in root[REST]]
    location, turn, scale = root.matrix_basis.decompose()
    values = (*location, *turn, *scale)
    return [round(float(value), 7) + 0.0 for value in values]


def root_rest(root: bpy.types.Object, *, moving: bool) -> Array:
    """(4, 4) where a root rests. The peg's side rests at the origin: where it comes from is the joint's business."""
    values = rest_of(root)
    scale = np.diag((*values[7:], 1.0))
    if moving:
        return scale
    return multiply(translation(values[:3]), from_quaternion(values[3:7]), scale)


def _uniform_scale(ob: bpy.types.Object, rest: Array) -> float:
    """The scale of a part. Raises InputError for one that is not rigid; the set stands still and may be scaled anyhow."""
    if ob.holdfast.role == "SET":
        return 1.0
    lengths = np.sqrt((rest[:3, :3] ** 2).sum(axis=0))
    todo = "Apply its scale (Ctrl A > Scale)."
    if float(np.linalg.det(rest[:3, :3])) <= 0.0:
        raise InputError(f"{ob.name!r} is mirrored or flat: its scale is negative or zero", todo=todo)
    if float(np.ptp(lengths)) > 1e-4 * float(lengths.max()):
        values = " x ".join(f"{value:.3f}" for value in lengths)
        raise InputError(f"{ob.name!r} is scaled unevenly ({values}), so its shape is not rigid", todo=todo)
    return float(np.round(lengths.mean(), 6))


def spec_of(settings: Any, peg: Part, plug: Feature, socket: Part, bore: Feature) -> JointSpec:
    """What a person set of a joint, with the measures of its peg and bore. Raises InputError beyond a limit."""
    kind = kind_named(settings.kind if settings else "TWIST_LOCK")
    length = round(plug.length * peg.scale / MM, 6)
    values = {}
    for parameter in kind.parameters if settings else ():
        value = getattr(settings, parameter.key)
        values[parameter.key] = round(value, 4) if isinstance(value, float) else value
    if 0.0 < float(values.get("depth_mm", 0.0)) - length < 0.01:
        values["depth_mm"] = length
    spec = JointSpec(
        kind=kind.name,
        name=(settings.name if settings else "") or kind.label.lower(),
        peg=peg.name,
        socket=socket.name,
        peg_radius_mm=round(plug.radius * peg.scale / MM, 6),
        peg_length_mm=length,
        bore_radius_mm=round(bore.radius * socket.scale / MM, 6),
        bore_depth_mm=round(bore.length * socket.scale / MM, 6),
        values=values,
        mode=settings.mode if settings else "AUTHORED",
        hand_mm=round(settings.hand_mm, 4) if settings else 0.1,
        break_n=round(settings.break_n, 4) if settings else 0.0,
        frame=JointFrame(
            origin_mm=tuple(round(x * socket.scale / MM, 6) for x in bore.origin),  # type: ignore[arg-type]
            axis=bore.axis,
            ref=tuple(float(x) for x in bore.frame[:3, 0]),  # type: ignore[arg-type]
            source=bore.source,
        ),
    )
    return checked(spec)
