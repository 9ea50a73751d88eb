# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid-body data for the parts: hidden proxy objects with mass, centre of mass and the cheapest shape that is right.

A proxy is an ordinary object that hangs on its part, with its origin in the part's centre of mass, because Bullet
takes the origin for it. Proxies are animated (kinematic): they follow the baked motion, and nothing in the saved
file is left to simulate. Untick *Animated* on one to let it fall.
"""

from collections.abc import Generator
from dataclasses import dataclass

import bmesh
import bpy
import numpy as np
from numpy.typing import NDArray

from . import meshes
from .assembly import Part
from .mass import MATERIALS, MassProperties, density_of, mass_properties
from .rigid import Array
from .units import PI

COLLECTION = "Holdfast proxies"
PROXY_OF = "holdfast_proxy_of"
MADE = "holdfast_made"
MARGIN_LIMITS = (5e-6, 2e-4)
PIECES = 6


@dataclass(frozen=True)
class Body:
    """What a part weighs and which Bullet shape its proxy has; ``fill`` is volume over that of the shape."""

    part: str
    material: str
    mass: MassProperties
    shape: str
    margin: float
    fill: float
    pieces: int

    def to_json(self) -> dict[str, object]:
        """Rounded for the manifest: volume in cm3, mass in g, centre of mass in mm."""
        return {
            "part": self.part, "material": self.material, "shape": self.shape, "pieces": self.pieces,
            "volume_cm3": round(self.mass.volume * 1e6, 4), "mass_g": round(self.mass.mass * 1e3, 4),
            "com_mm": [round(float(x) * 1e3, 4) + 0.0 for x in self.mass.com],
            "inertia_g_mm2": [round(float(self.mass.inertia[k, k]) * 1e9, 2) for k in range(3)],
            "margin_mm": round(self.margin * 1e3, 4), "fill": round(self.fill, 3),
        }  # fmt: skip


def weigh(part: Part) -> MassProperties:
    """Volume, mass, centre of mass (part's axes, metres) of a part's present mesh. Raises InputError."""
    settings = part.ob.holdfast
    points, corners = meshes.evaluated(part.ob)
    density = density_of(settings.material, settings.density)
    return mass_properties(points * part.scale, corners, density, part.name)


def margin_for(points: Array) -> float:
    """Collision margin in metres: a thousandth of the smallest extent, between 0.005 and 0.2 mm."""
    return float(np.clip(1e-3 * np.ptp(points, axis=0).min(), *MARGIN_LIMITS))


def choose_shape(points: Array, volume: float, hull_volume: float) -> tuple[str, float]:
    """(shape, volume over that of the shape) for (V, 3) points about the part's axes: a primitive if it fits."""
    x, y, z = np.ptp(points, axis=0)
    candidates = [("BOX", x * y * z)]
    if abs(x - y) < 0.01 * x:
        candidates.append(("CYLINDER", PI / 4.0 * x * y * z))
        if abs(x - z) < 0.01 * x:
            candidates.append(("SPHERE", PI / 6.0 * x**3))
    for shape, full in candidates:
        if 0.97 < volume / full < 1.01:
            return shape, volume / full
    solidity = volume / hull_volume
    return ("CONVEX_HULL" if solidity > 0.9 else "COMPOUND"), solidity


def build(scene: bpy.types.Scene, part: Part) -> Generator[None, None, Body]:
    """Makes (or makes anew) the proxy of a part. Raises InputError for parts without volume or with holes."""
    mass = weigh(part)
    points, corners = meshes.evaluated(part.ob)
    points = points * part.scale
    hull, hull_volume = _hull(points, corners)
    shape, fill = choose_shape(points, mass.volume, hull_volume)
    margin = margin_for(points)
    collection = _collection(scene)
    remove(part.ob)
    proxy = _proxy(scene, collection, part, mass, hull, shape, margin)
    yield
    pieces = (yield from _decompose(points, corners, PIECES)) if shape == "COMPOUND" else []
    for piece in pieces:
        _proxy_child(scene, collection, proxy, part, piece, mass, margin)
    return Body(part.name, part.ob.holdfast.material, mass, shape, margin, fill, len(pieces) or 1)


def remove(ob: bpy.types.Object) -> None:
    """Removes the proxies of an object."""
    for proxy in [proxy for proxy in bpy.data.objects if proxy.get(PROXY_OF) == ob]:
        mesh = meshes.of(proxy)
        bpy.data.objects.remove(proxy)
        if mesh.users == 0:
            bpy.data.meshes.remove(mesh)


def there() -> bool:
    """Whether the file has proxies."""
    return COLLECTION in bpy.data.collections


def withdraw(scene: bpy.types.Scene) -> None:
    """Removes all proxies of the file and, where nothing else is in it, the scene's rigid-body world."""
    found = bpy.data.collections.get(COLLECTION)
    if found is None:
        return
    for ob in {proxy.get(PROXY_OF) for proxy in found.objects} - {None}:
        remove(ob)
    bpy.data.collections.remove(found)
    world = scene.rigidbody_world
    if world is not None and (world.collection is None or not world.collection.objects):
        with bpy.context.temp_override(scene=scene):
            held = world.collection
            bpy.ops.rigidbody.world_remove()
        if held is not None and held.get(MADE):
            bpy.data.collections.remove(held)


def _collection(scene: bpy.types.Scene) -> bpy.types.Collection:
    if scene.rigidbody_world is None:
        with bpy.context.temp_override(scene=scene):
            bpy.ops.rigidbody.world_add()
    world = scene.rigidbody_world
    if world.collection is None:
        world.collection = bpy.data.collections.new("RigidBodyWorld")
        world.collection[MADE] = True
    found = scene.collection.children.get(COLLECTION)
    if found is None:
        found = bpy.data.collections.new(COLLECTION)
        scene.collection.children.link(found)
        found.hide_render = True
        for layer in scene.view_layers:
            layer.layer_collection.children[found.name].hide_viewport = True
    return found


def _proxy(scene: bpy.types.Scene, collection: bpy.types.Collection, part: Part, mass: MassProperties,
           hull: bpy.types.Mesh, shape: str, margin: float) -> bpy.types.Object:  # fmt: skip
    proxy = _object(scene, collection, f"{part.name} proxy", hull, part, mass, margin)
    proxy.parent = part.ob
    proxy.matrix_parent_inverse.identity()
    proxy.location = (mass.com / part.scale).tolist()
    proxy.scale = [1.0 / part.scale] * 3
    body = proxy.rigid_body
    body.kinematic, body.mass = True, mass.mass
    body.collision_shape = shape  # type: ignore[assignment]
    return proxy


def _object(scene: bpy.types.Scene, collection: bpy.types.Collection, name: str, mesh: bpy.types.Mesh, part: Part,
            mass: MassProperties, margin: float) -> bpy.types.Object:  # fmt: skip
    mesh.transform(((1, 0, 0, -mass.com[0]), (0, 1, 0, -mass.com[1]), (0, 0, 1, -mass.com[2]), (0, 0, 0, 1)))
    ob = bpy.data.objects.new(name, mesh)
    ob[PROXY_OF] = part.ob
    collection.objects.link(ob)
    scene.rigidbody_world.collection.objects.link(ob)
    ob.display_type, ob.hide_render = "WIRE", True
    material = MATERIALS.get(part.ob.holdfast.material, MATERIALS["ABS"])
    body = ob.rigid_body
    body.type, body.collision_shape = "ACTIVE", "CONVEX_HULL"
    body.use_margin, body.collision_margin = True, margin
    body.friction, body.restitution = material.friction, material.restitution
    body.linear_damping, body.angular_damping, body.use_deactivation = 0.04, 0.1, False
    return ob


def _proxy_child(scene: bpy.types.Scene, collection: bpy.types.Collection, parent: bpy.types.Object, part: Part,
                 mesh: bpy.types.Mesh, mass: MassProperties, margin: float) -> bpy.types.Object:  # fmt: skip
    child = _object(scene, collection, f"{part.name} proxy piece", mesh, part, mass, margin)
    child.parent = parent
    child.matrix_parent_inverse.identity()
    return child


def _hull(points: Array, corners: NDArray[np.int64]) -> tuple[bpy.types.Mesh, float]:
    """The convex hull of a mesh as a new mesh, and its volume."""
    work = _bmesh(points, corners)
    try:
        return _hull_mesh(work)
    finally:
        work.free()


def _bmesh(points: Array, corners: NDArray[np.int64]) -> bmesh.types.BMesh:
    mesh = bpy.data.meshes.new("holdfast work")
    try:
        mesh.from_pydata(points.tolist(), [], corners.tolist())
        work = bmesh.new()
        work.from_mesh(mesh)
        return work
    finally:
        bpy.data.meshes.remove(mesh)


def _hulled(work: bmesh.types.BMesh) -> tuple[bmesh.types.BMesh, float]:
    """The hull of the corners of ``work`` (they stay in it, loose, if inside) and its volume."""
    hull = work.copy()
    bmesh.ops.delete(hull, geom=list(hull.edges), context="EDGES_FACES")
    bmesh.ops.convex_hull(hull, input=list(hull.verts), use_existing_faces=False)
    bmesh.ops.recalc_face_normals(hull, faces=list(hull.faces))
    return hull, abs(hull.calc_volume())


def _hull_mesh(work: bmesh.types.BMesh) -> tuple[bpy.types.Mesh, float]:
    hull, volume = _hulled(work)
    bmesh.ops.delete(hull, geom=[vertex for vertex in hull.verts if not vertex.link_faces], context="VERTS")
    mesh = bpy.data.meshes.new("holdfast hull")
    hull.to_mesh(mesh)
    hull.free()
    return mesh, volume


def _decompose(
    points: Array, corners: NDArray[np.int64], limit: int
) -> Generator[None, None, list[bpy.types.Mesh]]:
    """Convex hulls of the mesh cut in halves, the emptiest hull first, along the plane that saves most.

    Yields after every cut.
    """
    whole = _bmesh(points, corners)
    pieces = [(whole, _waste(whole))]
    enough = 0.1 * abs(whole.calc_volume())
    try:
        while len(pieces) < limit:
            worst = max(range(len(pieces)), key=lambda index: pieces[index][1])
            if pieces[worst][1] < enough / limit:
                break
            found: list[list[tuple[bmesh.types.BMesh, float]]] = []
            for axis in range(3):
                found.append([(half, _waste(half)) for half in _split(pieces[worst][0], axis)])
                yield
            best = min(found, key=lambda pair: pair[0][1] + pair[1][1])
            for half, _ in (half for pair in found if pair is not best for half in pair):
                half.free()
            pieces[worst][0].free()
            pieces[worst : worst + 1] = best
        return [_hull_mesh(piece)[0] for piece, _ in pieces if len(piece.verts) > 3]
    finally:
        for piece, _ in pieces:
            piece.free()


def _waste(piece: bmesh.types.BMesh) -> float:
    """Volume that the hull of a piece has beyond the piece's own."""
    if len(piece.verts) < 4:
        return 0.0
    hull, volume = _hulled(piece)
    hull.free()
    return volume - abs(piece.calc_volume())


def _split(piece: bmesh.types.BMesh, axis: int) -> list[bmesh.types.BMesh]:
    values = [vertex.co[axis] for vertex in piece.verts]
    centre, normal = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    centre[axis] = 0.5 * (min(values) + max(values))
    halves = []
    for sign in (1.0, -1.0):
        normal[axis] = sign
        half = piece.copy()
        everything = [*half.verts, *half.edges, *half.faces]
        cut = bmesh.ops.bisect_plane(
            half, geom=everything, plane_co=centre, plane_no=normal, clear_outer=True
        )
        edges = [item for item in cut["geom_cut"] if isinstance(item, bmesh.types.BMEdge)]
        bmesh.ops.holes_fill(half, edges=edges, sides=0)
        halves.append(half)
    return halves
