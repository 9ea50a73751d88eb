# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits the lock to the parts: unites the lugs with the peg's mesh and cuts slots and groove out of the socket's.

Always from the untouched mesh, which stays in the file; refuses rather than leave a mesh that is open or wrong.
A bumpy peg is turned true and a bumpy bore is sleeved and reamed first; whatever stands over a rim is faced off.
"""

import math
from collections.abc import Sequence

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from ..pipeline.errors import InputError
from . import meshes
from .booleans import Change
from .joints.base import Mechanism
from .joints.twist_lock import TwistLock
from .rigid import Array
from .solids import Solid
from .turned import circle_volume, ring, shaft
from .units import MM, PI
from .workpiece import Workpiece

WALL = 0.6 * MM
"""Least wall in metres that must stay around the groove."""
ROUGH = 0.15
"""How far, in radii, a surface may stray from its stated radius and still be turned or reamed true."""
PROUD = 0.03 * MM
"""What stands less than this over a rim is left there."""


def fit_peg(ob: bpy.types.Object, frame: Array, scale: float, kit: TwistLock) -> bpy.types.Mesh:
    """The peg's mesh with its lugs. ``frame`` (4, 4) is the peg frame in the object's space, in metres over ``scale``.

    Raises InputError where the mesh is not the peg that was stated.
    """
    work = _start(ob, frame, scale)
    reach = 1.3 * kit.lug_radius
    probe = work.near(reach)
    heights = (0.5 * (kit.lug_z[0] + kit.lug_z[1]), 0.25 * -kit.length)
    found = [r for z in heights for r in _radii(probe, z, inwards_from=reach)]
    if not _true(found, kit.peg_radius):
        _bounds(ob, found, kit.peg_radius, "peg")
        _turn(work, kit)
    lugs = kit.tools()[0]
    return _end(work, lugs.solid, lugs.operation, lugs.volume)


def fit_socket(ob: bpy.types.Object, frame: Array, scale: float, kit: TwistLock) -> bpy.types.Mesh:
    """The socket's mesh with slots and groove. Raises InputError where bore or wall are not as stated or too thin."""
    work = _start(ob, frame, scale)
    probe = work.near(2.0 * kit.groove_radius)
    low, high = kit.groove_z
    heights = (0.5 * (low + high), 0.5 * high)
    found = [r for z in heights for r in _radii(probe, z)]
    rough = not _true(found, kit.bore_radius)
    if rough:
        _bounds(ob, found, kit.bore_radius, "bore")
    start = kit.bore_radius * (1.0 + ROUGH if rough else 1.05)
    walls = [r - kit.groove_radius for z in heights for r in _radii(probe, z, start=start)]
    _check_wall(ob, walls, kit)
    _check_rim(ob, probe, kit)
    proud = _proud(work, kit)
    if proud > 0.0:
        face = shaft(_face_radius(kit), 0.0, proud + 1.0 * MM)
        work.cut(face, "DIFFERENCE", Change(-circle_volume(_face_radius(kit), proud), 0.0))
    if rough:
        _ream(work, kit)
    channels = kit.tools()[1]
    return _end(work, channels.solid, channels.operation, -channels.volume)


def fit(side: str, ob: bpy.types.Object, frame: Array, scale: float, mechanism: Mechanism,
        onto: bpy.types.Mesh | None = None) -> bpy.types.Mesh:  # fmt: skip
    """The part's mesh with what a joint needs on its ``side`` (peg or socket), on top of ``onto`` if that is given.

    ``onto`` is freed. Raises InputError where the mesh is not what was stated, or too thin.
    """
    if onto is None and isinstance(mechanism, TwistLock):
        return (fit_peg if side == "peg" else fit_socket)(ob, frame, scale, mechanism)
    work = _start(ob, frame, scale, onto)
    tools = [tool for tool in mechanism.tools() if tool.side == side]
    if not tools:
        return _marked(work, work.mesh.copy() if work.mesh == work.source else work.mesh)
    probe = work.near(2.0 * mechanism.reach)
    middle = -0.5 * mechanism.depth
    if side == "socket":
        walls = [r - mechanism.reach for r in _radii(probe, middle, start=1.05 * mechanism.bore_radius)]
        if min(walls) < WALL:
            least = (mechanism.reach + WALL) / MM
            _refuse(ob, f"would keep a wall of {max(min(walls), 0.0) / MM:.2f} mm around the joint",
                    f"Make it at least {least:.1f} mm in radius there, or the bore and peg thinner.")  # fmt: skip
    for tool in tools[:-1]:
        work.cut(
            tool.solid,
            tool.operation,
            Change.about(tool.volume if tool.operation == "UNION" else -tool.volume),
        )
    last = tools[-1]
    return _end(work, last.solid, last.operation, last.volume if last.operation == "UNION" else -last.volume)


def apply(ob: bpy.types.Object, fitted: bpy.types.Mesh) -> None:
    """Gives the part its fitted mesh; the untouched one is kept with a fake user."""
    before = meshes.of(ob)
    kept = fitted[meshes.ORIGINAL]
    kept.use_fake_user = True
    ob.data = fitted
    if before != kept and before.users == 0:
        bpy.data.meshes.remove(before)


def _start(ob: bpy.types.Object, frame: Array, scale: float, onto: bpy.types.Mesh | None = None) -> Workpiece:
    if meshes.of(ob).shape_keys is not None:
        _refuse(ob, "has shape keys, which a boolean can't keep", "Apply or remove them first.")
    source = meshes.original(ob)
    return Workpiece(ob, source, onto or source, frame, scale)


def _end(work: Workpiece, tool: Solid, operation: str, volume: float) -> bpy.types.Mesh:
    """The last cut, with the volume known exactly; the result carries the marks of a fitted mesh."""
    try:
        work.cut(tool, operation, Change.about(volume))
    except BaseException:
        work.drop()
        raise
    return _marked(work, work.mesh)


def _marked(work: Workpiece, result: bpy.types.Mesh) -> bpy.types.Mesh:
    result.name = f"{work.source.name.removesuffix('.lock')}.lock"
    result[meshes.ORIGINAL] = work.source
    result[meshes.FITTED] = meshes.digest(result)
    return result


def _turn(work: Workpiece, kit: TwistLock) -> None:
    """Makes a bumpy peg true: takes it off at its shoulder and puts a round one there, rooted in the head.

    Turning it down leaves faces that lie in those of the round one, which the exact boolean does not always close.
    """
    outer, low = _face_radius(kit), -1.2 * kit.length
    over = circle_volume(outer, 1.2 * kit.length)
    work.cut(shaft(outer, low, 0.0), "DIFFERENCE", Change(-over, 0.0))
    root = 0.2 * kit.peg_radius
    filled = circle_volume(kit.peg_radius, kit.length + root)
    work.cut(shaft(kit.peg_radius, -kit.length, root), "UNION", Change(0.0, filled))


def _ream(work: Workpiece, kit: TwistLock) -> None:
    """Makes a bumpy bore round: a sleeve where it is too wide, then a cut of its stated radius."""
    sleeve = (1.0 + ROUGH) * kit.bore_radius
    filled = circle_volume(sleeve, kit.bore_depth)
    work.cut(ring(0.95 * kit.bore_radius, sleeve, -kit.bore_depth, 0.0), "UNION", Change(0.0, filled))
    bored = circle_volume(kit.bore_radius, kit.bore_depth, inside=True)
    tool = shaft(kit.bore_radius, -kit.bore_depth, 1.0 * MM, inside=True)
    work.cut(tool, "DIFFERENCE", Change(-bored, 0.0))


def _refuse(ob: bpy.types.Object, what: str, todo: str = "Correct the joint's measures or the part.") -> None:
    raise InputError(f"The part {ob.name!r} {what}", todo=todo)


def _true(found: Sequence[float], radius: float) -> bool:
    return all(abs(r - radius) <= 0.03 * radius + 0.02 * MM for r in found)


def _bounds(ob: bpy.types.Object, found: Sequence[float], radius: float, feature: str) -> None:
    worst = max(found, key=lambda r: abs(r - radius))
    if abs(worst - radius) > ROUGH * radius:
        there = f"{worst / MM:.2f} mm in radius" if math.isfinite(worst) and worst > 0.0 else "open"
        _refuse(ob, f"is {there} where its {feature} should have {radius / MM:.2f} mm")


def _check_wall(ob: bpy.types.Object, walls: Sequence[float], kit: TwistLock) -> None:
    wall = min(walls)
    if wall < WALL:
        least = (kit.groove_radius + WALL) / MM
        at = 360.0 * ((walls.index(wall) % 16) + 0.37) / 16.0
        _refuse(ob, f"would keep a wall of {max(wall, 0.0) / MM:.2f} mm around the groove, at {at:.0f} degrees",
                f"Make it at least {least:.1f} mm in radius there, or the bore and peg thinner.")  # fmt: skip


def _check_rim(ob: bpy.types.Object, probe: BVHTree, kit: TwistLock) -> None:
    """The rim must carry a lip over the groove all around."""
    middle = 0.5 * (1.04 * kit.bore_radius + kit.groove_radius)
    heights = []
    for x, y in _directions():
        start = Vector((middle * x, middle * y, 4.0 * kit.length))
        hit = probe.ray_cast(start, Vector((0.0, 0.0, -1.0)))[0]
        heights.append(-math.inf if hit is None else hit.z)
    lip = min(heights) - kit.groove_z[1]
    if lip < 0.5 * -kit.groove_z[1] and lip < 2.0 * WALL:
        _refuse(ob, f"has a rim too low to hold the lugs: it keeps {max(lip, 0.0) / MM:.2f} mm above the groove",
                "Set the bore's rim lower, or make the peg longer.")  # fmt: skip


def _proud(work: Workpiece, kit: TwistLock) -> float:
    """How far the socket stands over its rim around the bore, where a shoulder must seat; 0 where it is flat."""
    local = work.points()
    outer = np.hypot(local[:, 0], local[:, 1]) < _face_radius(kit)
    over = local[outer & (local[:, 2] < kit.length), 2]
    height = float(over.max()) if len(over) else 0.0
    return height if height > PROUD else 0.0


def _face_radius(kit: TwistLock) -> float:
    """Radius of the ring on which shoulder and rim meet."""
    return kit.groove_radius + WALL


def _directions() -> list[tuple[float, float]]:
    turns = [2.0 * PI * (k + 0.37) / 16.0 for k in range(16)]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


def _radii(probe: BVHTree, z: float, start: float = 0.0, inwards_from: float = 0.0) -> list[float]:
    """Radius in metres at which the surface lies around the axis at height ``z``, in 16 directions; inf for none
    outwards, 0 for none inwards."""
    found = []
    centre = Vector((0.0, 0.0, z))
    for x, y in _directions():
        out = Vector((x, y, 0.0))
        begin, way = (centre + out * inwards_from, -out) if inwards_from else (centre + out * start, out)
        distance = probe.ray_cast(begin, way)[3]
        reach = math.inf if distance is None else distance
        found.append(max(inwards_from - reach, 0.0) if inwards_from else start + reach)
    return found
