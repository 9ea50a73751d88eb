# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a peg and a bore where a model has none, sized to the walls that are there, and states them on the parts.

The Physics stage then fits the lock to them as to any other. A part cut in two by a plane gets both on the cut.
"""

import json
from dataclasses import dataclass

import bpy
import numpy as np

from ..pipeline.errors import InputError
from . import features, mending, meshes, wall
from .booleans import Change
from .rigid import Array, frame, inverse, multiply
from .turned import circle_volume, loft, shaft
from .units import MM, to_mm
from .wall import Need, Slices
from .workpiece import Workpiece

GAP = 0.2 * MM
"""Between peg and bore, in radius."""
LOOSE = 0.3 * MM
"""Between the tip and the bottom of the bore, and between the lugs and their groove."""
FLOOR = 1.0 * MM
"""Material left under the bore."""
LEAST = 1.5 * MM
"""Thinnest peg."""
MOST = 9.0 * MM
"""Thickest peg."""


@dataclass(frozen=True)
class Planted:
    """What was put in: ``radius`` and ``length`` of the peg, metres; ``origin`` (3,) and ``axis`` (3,) in the world;
    ``boss`` and ``root`` say whether a hollow was filled under the bore, and behind the peg."""

    radius: float
    length: float
    origin: tuple[float, float, float]
    axis: tuple[float, float, float]
    boss: bool
    root: bool

    @property
    def says(self) -> str:
        """In one sentence."""
        boss = ", in a boss that fills the hollow" if self.boss else ""
        return f"A peg of {to_mm(2.0 * self.radius, 2)} mm across and {to_mm(self.length, 2)} mm long{boss}"


@dataclass(frozen=True)
class Divided:
    """A part cut in two: the half ``above`` has the peg, the one ``below`` the bore; ``done`` is what mending took."""

    above: bpy.types.Object
    below: bpy.types.Object
    planted: Planted
    done: tuple[str, ...]


class NoRoom(InputError):
    """No lock of any size fits there."""


def plant(peg: bpy.types.Object, socket: bpy.types.Object, plane: Array,
          at: tuple[float, float] | None = None, most: float = MOST) -> Planted:  # fmt: skip
    """Puts a peg on ``peg`` and a bore into ``socket``, which stand assembled, meeting at the xy plane of ``plane``
    (4, 4) in the world, +z out of the bore.

    ``at`` (x, y) in the plane, metres, is where; without it, where most wall is. Both get new meshes and state their
    feature; their former meshes stay in the file while something uses them. Raises NoRoom where no lock fits and
    InputError where a mesh is not sound; both parts are then as they were.
    """
    pieces = [_piece(ob, plane) for ob in (peg, socket)]
    above, below = (_sliced(piece, sign) for piece, sign in zip(pieces, (1.0, -1.0), strict=True))
    below = _like(pieces[1], above, -1.0) if below.pixel < above.pixel else below
    above = _like(pieces[0], below, 1.0)
    try:
        need, place, boss, root = _choose(peg.name, socket.name, above, below, at, most)
        local = plane @ _shift(place)
        for piece in pieces:
            piece.frame = _own(piece.ob, local)
        spec = measures(need.radius)
        _grow(pieces[0], above if root else None, place, need)
        _bore(pieces[1], below if boss else None, place, need, spec)
    except BaseException:
        for piece in pieces:
            piece.drop()
        raise
    for piece in pieces:
        piece.ob.data = piece.mesh
    length = spec.length
    _state(peg, "peg", local, pieces[0], need.radius, length)
    _state(socket, "socket", local, pieces[1], spec.bore_radius, spec.bore_depth)
    origin, axis = (tuple(float(x) for x in local[:3, k]) for k in (3, 2))
    return Planted(need.radius, length, origin, axis, boss, root)  # type: ignore[arg-type]


def divide(
    ob: bpy.types.Object, plane: Array, at: tuple[float, float] | None = None, most: float = MOST
) -> Divided:
    """Cuts a part in two at the xy plane of ``plane`` (4, 4) in the world and locks the halves together: the part keeps
    what is below, with the bore; a new object takes what is above, with the peg.

    The mesh is mended first as far as needed, in a copy; the artist's stays in the file. Raises InputError where it
    can't be done, with the part as it was.
    """
    before = meshes.of(ob)
    mesh = before.copy()
    try:
        done = mending.mend(mesh, ob.name)
        try:
            top, planted = _divide(ob, mesh, plane, at, most)
        except NoRoom:
            raise
        except InputError:
            done.append(mending.remake(mesh, ob.name))
            top, planted = _divide(ob, mesh, plane, at, most)
    except BaseException:
        ob.data = before
        raise
    finally:
        bpy.data.meshes.remove(mesh)
    before.use_fake_user = True
    return Divided(top, ob, planted, tuple(done))


def _divide(
    ob: bpy.types.Object, mesh: bpy.types.Mesh, plane: Array, at: tuple[float, float] | None, most: float
) -> tuple[bpy.types.Object, Planted]:
    upper, lower = mending.cut_in_two(mesh, _own(ob, plane), ob.name)
    top = ob.copy()
    top.name, top.data, ob.data = f"{ob.name} top", upper, lower
    for home in ob.users_collection:
        home.objects.link(top)
    top.matrix_world = ob.matrix_world
    try:
        return top, plant(top, ob, plane, at, most)
    except BaseException:
        bpy.data.objects.remove(top)
        raise
    finally:
        ob.data = ob.data if ob.data != lower else mesh
        for half in (upper, lower):
            bpy.data.meshes.remove(half)


@dataclass(frozen=True)
class Measures:
    """Peg and bore, metres. ``reach`` is the radius out to which the lock may cut into the wall around the bore."""

    radius: float
    length: float
    bore_radius: float
    bore_depth: float
    reach: float


def measures(radius: float) -> Measures:
    """What a peg of ``radius`` metres gets: a fifth longer than its radius, lugs a fifth of the radius out."""
    length = max(1.2 * radius, 3.6 * MM)
    reach = radius + GAP + max(0.2 * radius, 0.8 * MM) + LOOSE
    return Measures(radius, length, radius + GAP, length + LOOSE, reach)


def needs(most: float) -> list[Need]:
    """What pegs from the thickest to the thinnest ask for."""
    found = []
    radius = most
    while radius >= LEAST:
        peg = measures(round(radius, 6))
        around = peg.reach + max(0.8 * MM, 0.15 * radius)
        height = max(0.5 * radius, 1.0 * MM)
        found.append(Need(peg.radius, around, peg.bore_depth + FLOOR, radius + 0.5 * MM, height))
        radius *= 0.95
    return found


def _choose(
    peg: str, socket: str, above: Slices, below: Slices, at: tuple[float, float] | None, most: float
) -> tuple[Need, tuple[float, float], bool, bool]:
    """The largest peg with enough wall; hollows are filled only where that gives one half as thick again."""
    sizes = needs(most)
    solid = wall.largest(below, above, sizes, at)
    rooted = wall.largest(below, above.filled(), sizes, at)
    bossed = wall.largest(below.filled(), above.filled(), sizes, at)
    best = max((found[0].radius for found in (solid, rooted, bossed) if found), default=0.0)
    if best == 0.0:
        todo = "Choose another place or a plane through a thicker part, or make the parts larger."
        thinnest = to_mm(2.0 * sizes[-1].wall, 1)
        what = f"There is no room for a lock between {peg!r} and {socket!r}: the thinnest needs {thinnest} mm of wall across"
        raise NoRoom(what, todo=todo)
    for found, boss, root in ((solid, False, False), (rooted, False, True), (bossed, True, True)):
        if found and 1.5 * found[0].radius >= best:
            need, place = found
            return need, place, boss and not _all_solid(below, place, need.wall, need.depth), \
                root and not _all_solid(above, place, need.root, need.height)  # fmt: skip
    raise AssertionError("the best is one of them")


def _all_solid(picture: Slices, place: tuple[float, float], radius: float, depth: float) -> bool:
    room = picture.room()[picture.level(depth)]
    column, row = (round((place[k] - picture.corner[k]) / picture.pixel) for k in (0, 1))
    return bool(room[row, column] >= radius)


def _grow(piece: Workpiece, hollow: Slices | None, place: tuple[float, float], need: Need) -> None:
    """Unites the peg with its part, rooted in it; a hollow behind it is filled first."""
    length = measures(need.radius).length
    if hollow is not None:
        _fill(piece, hollow, place, need.root, need.height)
    tool = shaft(need.radius, -length, 0.8 * need.height)
    stands = circle_volume(need.radius, length)
    piece.cut(tool, "UNION", Change(0.98 * stands, 1.02 * stands))


def _bore(
    piece: Workpiece, hollow: Slices | None, place: tuple[float, float], need: Need, spec: Measures
) -> None:
    """Cuts the bore, into a boss where there is a hollow."""
    if hollow is not None:
        _fill(piece, hollow, place, need.wall, need.depth)
    radius, depth = spec.bore_radius, spec.bore_depth
    taken = circle_volume(radius, depth, inside=True)
    tool = shaft(radius, -depth, 1.0 * MM, inside=True)
    piece.cut(tool, "DIFFERENCE", Change(-1.02 * taken, -0.98 * taken))


def _fill(piece: Workpiece, hollow: Slices, place: tuple[float, float], radius: float, depth: float) -> None:
    solid = loft(wall.plug(hollow, place, radius, depth))
    piece.cut(solid, "UNION", Change(0.0, abs(_loft_volume(solid.vertices))))


def _loft_volume(points: Array) -> float:
    """No plug is larger than its box, metres cubed."""
    return float(np.prod(np.ptp(points, axis=0)))


def _piece(ob: bpy.types.Object, plane: Array) -> Workpiece:
    mesh = meshes.of(ob)
    if mesh.shape_keys is not None or mesh.get(meshes.ORIGINAL) is not None:
        why = "has shape keys" if mesh.shape_keys is not None else "carries a lock already"
        raise InputError(f"The part {ob.name!r} {why}", todo="Apply or remove them first, or clear Physics.")
    world = np.array(ob.matrix_world, dtype=np.float64)
    return Workpiece(ob, mesh, mesh, _own(ob, plane), float(np.sqrt((world[:3, 0] ** 2).sum())))


def _own(ob: bpy.types.Object, plane: Array) -> Array:
    """A world frame in the object's space: rigid, its place in the object's units."""
    world = np.array(ob.matrix_world, dtype=np.float64)
    scale = np.sqrt((world[:3, :3] ** 2).sum(axis=0))
    if float(np.ptp(scale)) > 1e-4 * float(scale.max()) or float(np.linalg.det(world[:3, :3])) <= 0.0:
        raise InputError(
            f"{ob.name!r} is scaled unevenly or mirrored", todo="Apply its scale (Ctrl A > Scale)."
        )
    rigid = world.copy()
    rigid[:3, :3] /= scale
    local = multiply(inverse(rigid), plane)
    local[:3, 3] /= scale[0]
    return local


def _heights(sign: float, deepest: float) -> list[float]:
    return [sign * (0.02 * MM + deepest * k / 23.0) for k in range(24)]


def _sliced(piece: Workpiece, sign: float) -> Slices:
    """The part in slices from the plane into it, only around where it meets the plane."""
    points, corners = piece.points(), meshes.triangles(piece.mesh)
    thin = wall.slices(points, corners, [sign * 0.02 * MM])
    rows, columns = np.nonzero(thin.filled().solid[0])
    if len(rows) == 0:
        raise InputError(
            f"{piece.ob.name!r} does not reach the plane of the joint", todo="Move the plane, or the part."
        )
    box = tuple(
        np.array([*thin.place(int(pick(rows)), int(pick(columns))), 0.0]) for pick in (np.min, np.max)
    )
    deepest = sign * float((sign * points[:, 2]).max())
    return wall.slices(points, corners, _heights(sign, min(abs(deepest), 1.5 * MOST)), box)  # type: ignore[arg-type]


def _like(piece: Workpiece, other: Slices, sign: float) -> Slices:
    """The part in slices whose picture lies over another's."""
    low = np.array([*other.place(2, 2), 0.0])
    high = low + other.pixel * (wall.PIXELS - 5)
    heights = [sign * abs(height) for height in other.heights]
    return wall.slices(piece.points(), meshes.triangles(piece.mesh), heights, (low, high))


def _shift(place: tuple[float, float]) -> Array:
    shift = np.eye(4)
    shift[:2, 3] = place
    return shift


def _state(
    ob: bpy.types.Object, kind: str, plane: Array, piece: Workpiece, radius: float, length: float
) -> None:
    """Adds the feature to what the part states, in the part's own units."""
    local = _own(ob, plane)
    axis = local[:3, 2] if kind == "socket" else -local[:3, 2]
    record = {
        "kind": kind, "radius": radius / piece.scale, "depth" if kind == "socket" else "length": length / piece.scale,
        "axis": [float(x) for x in axis], "origin": [float(x) for x in local[:3, 3]],
    }  # fmt: skip
    features.parse(json.dumps(record), ob.name)
    stated = json.loads(ob.get(features.PROPERTY, "[]"))
    ob[features.PROPERTY] = json.dumps([*(stated if isinstance(stated, list) else [stated]), record])


def plane_at(origin: tuple[float, float, float], axis: tuple[float, float, float]) -> Array:
    """The (4, 4) world frame of a cut: +z along ``axis``, out of the bore that it will get."""
    return frame(origin, axis)
