# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the finale of a shot: the joined product is let go, and what real dynamics do with it becomes poses.

Joints that neither move of themselves nor break make one body of what they join; a hinge swings, and a joint that is to
break does so at its force.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import bpy
import numpy as np

from . import dynamics, meshes
from .assembly import Assembly, Joint, Part
from .bounce import Plane
from .choreography import Recorded, Track
from .finale import Carried, Finale, calmed
from .freed import bodies_of
from .links import Link
from .rigid import Array, inverse, move_points, multiply, translation
from .simulation import Body

INEXACT: Final = "Bullet moves it, which is not exact in bounces and long spins; over a bare floor one body would be exact."
PER_FRAME: Final = 4
"""Samples a frame of free motion that are kept."""
FLOOR: Final = 4.0
"""Metres that the floor is wide where the shot has none."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What the finale reads of a shot: world poses (P, 4, 4) of all parts at its start, what never moves (``ground``),
    frames a second and gravity in m/s2.
    """

    assembly: Assembly
    tracks: tuple[Track, ...]
    worlds: Array
    ground: tuple[bpy.types.Object, ...]
    fps: float
    gravity: tuple[float, float, float]

    @property
    def product(self) -> list[Part]:
        """The parts that fly."""
        roots = set(self.assembly.roots)
        return [part for part in self.assembly.parts if part.root in roots and part.ob not in self.ground]


def release(shot: Scene, finale: Finale) -> Generator[float, None, tuple[Carried, tuple[Track, ...]]]:
    """Lets the product go. Gives how it is carried, and the tracks with what their joints did. Yields the fraction done.

    Raises InputError for a part that has no volume.
    """
    lifted = Carried(finale, _middle(shot))
    away = lifted.at([float(finale.release)])[0]
    product = shot.product
    names = [part.name for part in shot.assembly.parts]
    found = yield from _quietly(bodies_of(product))
    bodies = {}
    for part, made in zip(product, found, strict=True):
        pose = made.at(_rigid(multiply(away, shot.worlds[names.index(part.name)]), part.scale))
        bodies[part.name] = replace(pose, groups=(0,))
    welds, owner = _welds(shot, product, bodies, finale)
    links = [
        held_by(joint, owner[joint.socket.root.name], owner[joint.peg.root.name], multiply(away, _rim(shot, joint)))
        for joint in shot.assembly.joints if _loose(joint)
    ]  # fmt: skip
    ground, floor = _ground(shot, list(bodies.values()))
    if finale.kind == "HANG":
        ground, links = _hang(shot, product, away, finale, ground, links, owner)
    moving = _exact if floor is not None and len(welds) == 1 and finale.kind != "HANG" else _simulated
    motion = yield from moving(shot, finale, ground, welds, links)
    return _told(shot, lifted, motion, floor)


def _simulated(shot: Scene, finale: Finale, ground: Sequence[Body], welds: Sequence[dynamics.Weld],
               links: Sequence[Link]) -> dynamics.MotionGenerator:  # fmt: skip
    frames = (finale.end - finale.release) * PER_FRAME + 1
    return dynamics.simulate(
        ground, links, fps=shot.fps * PER_FRAME, frames=frames, gravity=shot.gravity, welds=welds
    )


def _exact(shot: Scene, finale: Finale, ground: Sequence[Body], welds: Sequence[dynamics.Weld],
           links: Sequence[Link]) -> dynamics.MotionGenerator:  # fmt: skip
    """One body over a floor: its exact path with true bounces, and Bullet only for how it comes to rest."""
    (whole,), (floor,) = welds, ground
    top = np.array((0.0, 0.0, float(floor.pose[2, 3] + floor.pieces[0][:, 2].max())))
    solid = dynamics.solid_of(whole.body, floor.friction, floor.restitution)
    frames = (finale.end - finale.release) * PER_FRAME + 1
    motion = yield from dynamics.exact(
        whole.body, solid, Plane(top, np.array((0.0, 0.0, 1.0))), fps=shot.fps * PER_FRAME, frames=frames,
        gravity=shot.gravity, ground=ground)  # fmt: skip
    poses = [multiply(motion.poses[:, 0], place[None]) for place in whole.places.values()]
    return replace(motion, names=tuple(whole.places), poses=np.stack(poses, axis=1), says=())


def _quietly(inner: Generator[Any, None, Any]) -> Generator[float, None, Any]:
    while True:
        try:
            next(inner)
        except StopIteration as stop:
            return stop.value
        yield 0.0


def _rigid(world: Array, scale: float) -> Array:
    made = world.copy()
    made[:3, :3] /= scale
    return made


def _middle(shot: Scene) -> Array:
    """The middle of the box around the product at the start of the finale, world metres."""
    points = np.concatenate(list(_corners(shot, shot.product)))
    middle: Array = 0.5 * (points.min(axis=0) + points.max(axis=0))
    return middle


def _corners(shot: Scene, parts: Sequence[Part]) -> Generator[Array, None, None]:
    """(V, 3) world points of each part at the start of the finale."""
    names = [part.name for part in shot.assembly.parts]
    for part in parts:
        yield move_points(shot.worlds[names.index(part.name)], meshes.evaluated(part.ob)[0])


def _loose(joint: Joint) -> bool:
    """Whether a joint moves of itself or may break; others make one body."""
    free = joint.spec.mode == "FREE" and bool(joint.kind.limits(joint.mechanism))
    return free or joint.spec.break_n > 0.0


def _welds(shot: Scene, product: Sequence[Part], bodies: Mapping[str, Body],
           finale: Finale) -> tuple[list[dynamics.Weld], dict[str, str]]:  # fmt: skip
    """One body for all that holds together, thrown as one; and the name of its body by that of each root."""
    group = {root.name: root.name for root in shot.assembly.roots}
    for joint in shot.assembly.joints:
        if not _loose(joint):
            old, new = group[joint.peg.root.name], group[joint.socket.root.name]
            group = {name: new if held == old else held for name, held in group.items()}
    masses = np.array([bodies[part.name].mass for part in product])
    centres = np.stack([bodies[part.name].pose[:3, 3] for part in product])
    centre = (masses[:, None] * centres).sum(axis=0) / masses.sum()
    welds = []
    for name in sorted(set(group.values())):
        members = [bodies[part.name] for part in product if group[part.root.name] == name]
        made = dynamics.weld(f"{name} (joined)", members)
        moved: dict[str, Any] = {}
        if finale.kind == "THROW":
            arm = made.body.pose[:3, 3] - centre
            x, y, z = np.array(finale.velocity) + np.cross(np.array(finale.spin), arm)
            moved = {"velocity": (float(x), float(y), float(z)), "spin": finale.spin}
        welds.append(replace(made, body=dynamics.for_shot(replace(made.body, **moved))))
    return welds, {root: f"{name} (joined)" for root, name in group.items()}


def held_by(joint: Joint, socket: str, peg: str, rim: Array) -> Link:
    """The constraint that stands for a joint in free motion, between two bodies, its rim at ``rim`` (4, 4) in the world."""
    at = multiply(rim, translation((0.0, 0.0, joint.kind.pivot(joint.mechanism))))
    force = joint.spec.break_n or None
    free = joint.kind.limits(joint.mechanism) if joint.spec.mode == "FREE" else {}
    if not free:
        return Link(joint.spec.name, "FIXED", socket, peg, at, break_n=force)
    held = dict.fromkeys(("x", "y", "z", "ang_x", "ang_y", "ang_z"), (0.0, 0.0))
    # Bullet counts these angles the other way round
    free = {
        axis: (-high, -low) if axis.startswith("ang") else (low, high) for axis, (low, high) in free.items()
    }
    return Link(joint.spec.name, "GENERIC", socket, peg, at, break_n=force, limits={**held, **free})


def rim_at(joint: Joint, world: Array) -> Array:
    """(4, 4) the joint's frame on its socket, in the world, where the socket has the world matrix ``world``."""
    local = joint.socket_frame.copy()
    local[:3, 3] *= joint.socket.scale
    return multiply(_rigid(world, joint.socket.scale), local)


def _rim(shot: Scene, joint: Joint) -> Array:
    """The joint's frame on the socket, in the world, at the start of the finale."""
    return rim_at(joint, shot.worlds[shot.assembly.parts.index(joint.socket)])


def _ground(shot: Scene, like: Sequence[Body]) -> tuple[list[Body], float | None]:
    """What the product falls on: the shot's set, else a floor at its lowest point, and the height of that floor.

    It has the surface of most of the parts, with whose friction and restitution its own multiply.
    """
    rough, lively = (
        float(np.median([getattr(body, k) for body in like])) for k in ("friction", "restitution")
    )
    surface: dict[str, Any] = {"friction": rough, "restitution": lively}
    made = []
    for number, ob in enumerate(shot.ground):
        points, faces = meshes.evaluated(ob)
        world = move_points(np.array(ob.matrix_world, dtype=np.float64), points)
        made.append(
            Body(f"ground {number:03d}", "MESH", (world,), np.eye(4), "PASSIVE", faces=faces, **surface)
        )
    if made:
        return made, None
    level = min(float(points[:, 2].min()) for points in _corners(shot, shot.product))
    half: Array = np.array((0.5 * FLOOR, 0.5 * FLOOR, 0.1))
    corners = half * np.array(
        [(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64
    )
    x, y, _ = _middle(shot)
    return [Body("floor", "BOX", (corners,), translation((x, y, level - 0.1)), "PASSIVE", **surface)], level


def _hang(shot: Scene, product: Sequence[Part], away: Array, finale: Finale, ground: list[Body], links: list[Link],
          owner: Mapping[str, str]) -> tuple[list[Body], list[Link]]:  # fmt: skip
    """An anchor over the highest point, a string's length away, and what hangs on it."""
    tops = [
        (float(points[:, 2].max()), part)
        for part, points in zip(product, _corners(shot, product), strict=True)
    ]
    top, part = max(tops, key=lambda pair: pair[0])
    x, y, _ = _middle(shot)
    at = move_points(away, np.array(((x, y, top + finale.string),)))[0]
    anchor, link = dynamics.hung("string", "anchor", owner[part.root.name], at)
    return [*ground, anchor], [*links, link]


def _told(shot: Scene, lifted: Carried, motion: dynamics.Motion,
          floor: float | None) -> tuple[Carried, tuple[Track, ...]]:  # fmt: skip
    """From the poses of bodies to the motion of the base and of every joint, exact where a joint has no slack."""
    finale, names = lifted.finale, list(motion.names)
    moved = {}
    for root in shot.assembly.roots:
        part = next(part for part in shot.product if part.root == root)
        poses = motion.poses[:, names.index(part.name)]
        moved[root.name] = multiply(calmed(poses), inverse(poses[0])[None])
    away = lifted.at([float(finale.release)])[0]
    carried = multiply(moved[shot.assembly.base.name], away[None])
    let_go = {event.link: finale.release + event.frame // PER_FRAME for event in motion.breaks}
    tracks = []
    for joint, track in zip(shot.assembly.joints, shot.tracks, strict=True):
        broke = let_go.get(joint.spec.name)
        if not _loose(joint):
            tracks.append(track)
            continue
        relative = _relative(shot, joint, track, moved, away)
        keep = len(relative) if broke is None else (broke - finale.release) * PER_FRAME
        for index in range(keep):
            relative[index] = joint.kind.kept(joint.mechanism, relative[index])
        freed = Recorded(finale.release, PER_FRAME, relative)
        tracks.append(replace(track, freed=freed, broke=broke))
    whole = replace(
        lifted, freed=Recorded(finale.release, PER_FRAME, carried), says=(INEXACT,) if motion.says else ()
    )
    return replace(whole, sinks=_sinks(shot, away, moved, floor)), tuple(tracks)


def _relative(shot: Scene, joint: Joint, track: Track, moved: Mapping[str, Array], away: Array) -> Array:
    """(F, 4, 4) the peg in its socket: both frames moved as their bodies did."""
    rim = multiply(away, _rim(shot, joint))
    sockets, pegs = (multiply(moved[side.root.name], rim[None]) for side in (joint.socket, joint.peg))
    return multiply(inverse(sockets), pegs, track.poses([float(track.end)])[0])


def _sinks(shot: Scene, away: Array, moved: Mapping[str, Array], floor: float | None) -> float:
    """Metres by which the parts themselves, not their collision shapes, go through the floor at most."""
    if floor is None:
        return 0.0
    lowest = []
    for part, points in zip(shot.product, _corners(shot, shot.product), strict=True):
        poses = multiply(moved[part.root.name], away[None])
        lowest.append(float((poses[:, 2, :3] @ points.T + poses[:, 2, 3, None]).min()))
    return max(floor - min(lowest), 0.0)
