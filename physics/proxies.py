# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid-body data for the parts: hidden proxy objects with mass, centre of mass and the cheapest shape that is right.

A proxy is an ordinary object with its origin in the part's centre of mass, because Bullet takes the origin for it.
*Animated* proxies hang on their part and follow its motion. *Live* ones are free bodies, and the part follows them: an
anchor on the proxy marks the part's place, and a constraint of ours, last in the part's stack, copies it. So neither
the part's own transform nor its parent is touched, and removing the proxy puts everything back.
"""

import json
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

import bpy
import numpy as np
from mathutils import Matrix

from . import meshes
from .assembly import Part
from .bodyworld import COLLECTION, close_world, open_world, there
from .hull import Hull
from .imported import Imported
from .mass import MATERIALS, MassProperties, Weighed, density_of, mass_properties, weigh_solid, with_mass
from .rigid import Array, inverse, multiply, to_quaternion
from .shapes import Shape, choose
from .units import PI

__all__ = [
    "COLLECTION", "CONSTRAINT", "PLACE", "PROXY_OF", "RECORD", "Plan", "Record", "build", "hang", "lead", "place", "planned",
    "proxies_of", "remove", "remove_all", "there", "weigh", "withdraw",
]  # fmt: skip

PROXY_OF = "holdfast_proxy_of"
RECORD = "holdfast_body"
"""Custom property of a proxy: the JSON of its ``Record``."""
PLACE = "holdfast_place"
"""Custom property of a proxy: JSON of its frame (16 numbers) in the part's metres, and of the part's stretch (9)."""
CONSTRAINT = "Holdfast body"
HEAVY, LIGHT = 20.0, 5e-3
DAMPING = (0.04, 0.1)
"""Of velocity and spin, for shots: Blender's usual values."""


@dataclass(frozen=True)
class Record:
    """What a part weighs and which Bullet shape its proxy has."""

    part: str
    material: str
    weighed: Weighed
    shape: Shape
    live: bool
    notes: tuple[str, ...] = ()

    @property
    def mass(self) -> MassProperties:
        """Mass, centre of mass and inertia."""
        return self.weighed.mass

    def to_json(self) -> dict[str, object]:
        """Rounded for the manifest: volume in cm3, mass in g, lengths in mm, centre of mass in the part's axes."""
        mass, shape = self.mass, self.shape
        return {
            "part": self.part, "material": self.material, "shape": shape.kind, "pieces": len(shape.pieces),
            "volume_cm3": round(mass.volume * 1e6, 4), "mass_g": round(mass.mass * 1e3, 4),
            "com_mm": [round(float(x) * 1e3, 4) + 0.0 for x in mass.com],
            "inertia_g_mm2": [round(float(mass.inertia[k, k]) * 1e9, 2) for k in range(3)],
            "margin_mm": round(shape.margin * 1e3, 4), "fill": round(1.0 / (1.0 + shape.volume_error), 3),
            "exact": self.weighed.exact, "volume_error": round(shape.volume_error, 4), "live": self.live,
            "stands_out_mm": round(shape.stands_out * 1e3, 4), "inertia_error": round(shape.inertia_error, 4),
            "thinnest_mm": round(shape.thinnest * 1e3, 4), "notes": list(self.notes),
        }  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """All that a proxy needs, read from a part: making it is then a matter of a few milliseconds."""

    ob: bpy.types.Object
    stretch: Array
    pose: Array
    record: Record


def weigh(part: Part) -> MassProperties:
    """Volume, mass, centre of mass (part's axes, metres) of a part's present mesh. Raises InputError."""
    points, corners = meshes.evaluated(part.ob)
    settings = part.ob.holdfast
    density = density_of(settings.material, settings.density)
    found = mass_properties(points * part.scale, corners, density, part.name)
    return with_mass(found, 1e-3 * settings.mass_g) if settings.mass_g > 0.0 else found


def planned(part: Imported, *, live: bool) -> Generator[None, None, Plan]:
    """Weighs an imported part and chooses its shape; changes nothing. Raises InputError. Yields in between."""
    settings = part.ob.holdfast
    density = density_of(settings.material, settings.density)
    weighed = weigh_solid(part.points, part.triangles, density, part.name)
    if settings.mass_g > 0.0:
        weighed = replace(weighed, mass=with_mass(weighed.mass, 1e-3 * settings.mass_g))
    yield
    shape = yield from choose(weighed)
    notes = [*part.notes, *weighed.notes, *_remarks(weighed.mass, shape)]
    record = Record(part.name, settings.material, weighed, shape, live, tuple(notes))
    return Plan(part.ob, part.stretch, part.pose, record)


def _remarks(mass: MassProperties, shape: Shape) -> list[str]:
    said = []
    if mass.mass < LIGHT:
        said.append(
            f"it weighs {1e3 * mass.mass:.2f} g: joints and pushes of newtons throw bodies under 5 g about"
        )
    if shape.kind in {"CONVEX_HULL", "COMPOUND"} and shape.inertia_error > 0.05:
        off = round(100.0 * shape.inertia_error)
        said.append(f"its inertia is off by up to {off} %, because Bullet takes that of the bounding box")
    if shape.stands_out > 2.0 * shape.margin:
        said.append(f"up to {1e3 * shape.stands_out:.2f} mm of it stand out of its collision shape")
    return said


def build(scene: bpy.types.Scene, part: Part) -> Generator[None, None, Record]:
    """Makes (or makes anew) the animated proxy of a part. Raises InputError for parts without volume or with holes."""
    mass = weigh(part)
    points, corners = meshes.evaluated(part.ob)
    weighed = Weighed(points * part.scale, corners, mass)
    yield
    shape = yield from choose(weighed)
    record = Record(part.name, part.ob.holdfast.material, weighed, shape, live=False)
    remove(part.ob)
    place(scene, Plan(part.ob, part.scale * np.eye(3), np.eye(4), record))
    return record


def place(scene: bpy.types.Scene, plan: Plan, group: int = 1) -> bpy.types.Object:
    """Makes the proxy of a plan, in the collision ``group`` 1..20, and returns it. Earlier ones stay."""
    collection = open_world(scene)
    record, shape = plan.record, plan.record.shape
    compound = shape.kind == "COMPOUND"
    mesh = (
        _mesh(*_drawn(shape.kind, shape.pieces[0])) if not compound else _mesh(*_drawn("BOX", _core(shape)))
    )
    proxy = _object(scene, collection, f"{record.part} proxy", mesh, plan, group)
    body = proxy.rigid_body
    body.kinematic, body.mass = not record.live, record.mass.mass
    body.collision_shape = shape.kind  # type: ignore[assignment]
    at = multiply(plan.pose, shape.frame)
    if record.live:
        proxy.location, proxy.rotation_quaternion = at[:3, 3].tolist(), to_quaternion(at).tolist()
        lead(proxy, plan.ob, record.part, shape.frame, plan.stretch)
    else:
        hang(proxy, plan.ob, shape.frame, plan.stretch)
    for piece in shape.pieces if compound else ():
        child = _object(
            scene, collection, f"{record.part} proxy piece", _mesh(*_drawn("", piece)), plan, group
        )
        child.parent = proxy
        child.matrix_parent_inverse.identity()
    proxy[RECORD] = json.dumps(record.to_json())
    proxy[PLACE] = json.dumps(
        {"frame": shape.frame.ravel().tolist(), "stretch": plan.stretch.ravel().tolist()}
    )
    return proxy


def hang(proxy: bpy.types.Object, ob: bpy.types.Object, frame: Array, stretch: Array) -> None:
    """Makes a proxy follow its part, as ``frame`` (4, 4) in the part's metres; ``stretch`` (3, 3) is the part's scale."""
    proxy.parent = ob
    inner = np.eye(4)
    inner[:3, :3] = np.linalg.inv(stretch)
    proxy.matrix_parent_inverse = Matrix(multiply(inner, frame).tolist())


def lead(proxy: bpy.types.Object, ob: bpy.types.Object, name: str, frame: Array, stretch: Array) -> None:
    """Makes the part follow a live proxy, by an anchor in its place and the constraint that copies it."""
    anchor = bpy.data.objects.new(f"{name} anchor", None)
    anchor[PROXY_OF] = ob
    bpy.data.collections[COLLECTION].objects.link(anchor)
    anchor.hide_render, anchor.empty_display_size = True, 1e-3
    anchor.parent = proxy
    inner = np.eye(4)
    inner[:3, :3] = stretch
    anchor.matrix_parent_inverse = Matrix(multiply(inverse(frame), inner).tolist())
    active = ob.constraints.active
    constraint = ob.constraints.new("COPY_TRANSFORMS")
    ob.constraints.active = active or constraint
    constraint.name, constraint.target = CONSTRAINT, anchor
    constraint.show_expanded = False


def proxies_of(ob: bpy.types.Object) -> list[bpy.types.Object]:
    """Proxies, their pieces and anchors of an object."""
    found = bpy.data.collections.get(COLLECTION)
    return [proxy for proxy in found.objects if proxy.get(PROXY_OF) == ob] if found is not None else []


def remove(ob: bpy.types.Object) -> None:
    """Removes the proxies of an object, and with them the constraint by which it followed them."""
    remove_all(proxies_of(ob))


def remove_all(objects: Iterable[bpy.types.Object]) -> None:
    """Removes these proxies, pieces and anchors with their meshes, and the constraints of ours that they lead."""
    gone = list(objects)
    anchors = {thing for thing in gone if thing.type == "EMPTY"}
    for part in {thing.get(PROXY_OF) for thing in anchors} - {None}:
        for constraint in [c for c in part.constraints if getattr(c, "target", None) in anchors]:
            part.constraints.remove(constraint)
    shapes = {meshes.of(thing) for thing in gone if thing.type == "MESH"}
    bpy.data.batch_remove(gone)
    bpy.data.batch_remove([mesh for mesh in shapes if mesh.users == 0])


def withdraw(scene: bpy.types.Scene) -> None:
    """Removes all proxies of the file and, where nothing else is in it, the scene's rigid-body world."""
    found = bpy.data.collections.get(COLLECTION)
    if found is not None:
        remove_all(found.objects)
        close_world(scene)


def _object(scene: bpy.types.Scene, collection: bpy.types.Collection, name: str, mesh: bpy.types.Mesh, plan: Plan,
            group: int) -> bpy.types.Object:  # fmt: skip
    ob = bpy.data.objects.new(name, mesh)
    ob[PROXY_OF] = plan.ob
    ob.rotation_mode = "QUATERNION"
    collection.objects.link(ob)
    scene.rigidbody_world.collection.objects.link(ob)
    ob.display_type, ob.hide_render = "WIRE", True
    material = MATERIALS.get(plan.record.material, MATERIALS["ABS"])
    body = ob.rigid_body
    body.type, body.collision_shape, body.mesh_source = "ACTIVE", "CONVEX_HULL", "BASE"
    body.use_margin, body.collision_margin = True, plan.record.shape.margin
    body.friction, body.restitution = material.share
    body.linear_damping, body.angular_damping = DAMPING
    body.use_deactivation = False
    body.collision_collections = [index == group - 1 for index in range(20)]
    return ob


Drawn = tuple[Array, list[tuple[int, int]], list[list[int]]]


def _core(shape: Shape) -> Hull:
    """A small box that stands for a compound, whose shape is that of its children."""
    return replace(shape.pieces[0], points=_unit_box(0.05 * shape.thinnest))


def _unit_box(half: float) -> Array:
    return half * np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)


_QUADS = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def _drawn(kind: str, piece: Hull) -> Drawn:
    """Points, edges and faces that show a shape; Bullet takes the bounding box of primitives and the points of hulls."""
    if kind == "BOX":
        return piece.points, [], _QUADS
    if kind not in {"CYLINDER", "SPHERE"}:
        return piece.points, [], piece.faces.tolist()
    turn = np.arange(32) * (PI / 16.0)
    circle = np.stack((np.cos(turn), np.sin(turn), np.zeros(32)), axis=1)
    half = 0.5 * np.ptp(piece.points, axis=0)
    if kind == "SPHERE":
        rings = [circle, np.roll(circle, 1, axis=1), np.roll(circle, 2, axis=1)]
    else:
        rings = [circle + np.array((0.0, 0.0, side)) for side in (-1.0, 1.0)]
    edges = [(32 * r + k, 32 * r + (k + 1) % 32) for r in range(len(rings)) for k in range(32)]
    edges += [(k, 32 + k) for k in range(0, 32, 8)] if kind == "CYLINDER" else []
    return np.concatenate(rings) * half, edges, []


def _mesh(points: Array, edges: list[tuple[int, int]], faces: list[list[int]]) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new("holdfast shape")
    mesh.from_pydata(points.tolist(), edges, faces)
    return mesh
