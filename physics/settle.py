# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves a body: put on its firmest face a hair above a floor, in a lab, it must come to rest on it and stay so.

What is tried is the proxy as it is in the scene: its present shape, margin, mass, friction and damping, with the steps
and iterations of the scene's world. The floor is a plain box. The verdict also says whether the part stands as it is
turned now, and how far what is seen of it then stays from the floor.
"""

import json
from collections.abc import Generator
from dataclasses import asdict, dataclass
from itertools import pairwise

import bpy
import numpy as np

from ..pipeline.errors import InputError
from . import meshes
from .hull import along, firmest, stand
from .lab import lab_scene
from .proxies import PLACE, PROXY_OF, RECORD, proxies_of
from .rigid import Array, from_quaternion, inverse, move_points, to_quaternion
from .shapes import steps_for
from .simulation import Body, Simulation, World
from .units import DEG, to_mm

FRAMES = 36
SETTLED = 12
"""Frames at the end in which the body must be at rest."""
JITTER = 1e-5
"""Metres that any point may move in a frame at rest."""
VERDICT = "holdfast_settle"
"""Custom property of a proxy: the JSON of its ``Verdict``."""
KINDS = ("BOX", "CYLINDER", "SPHERE", "CONVEX_HULL", "COMPOUND")
TIPPED = 1.0
"""Degrees from which on a body does not rest on the face it was put on."""
UNEVEN = 0.01
"""Share of its size by which the corners may differ on which a part stands as it is."""
_NARROW = 0.02


@dataclass(frozen=True)
class Subject:
    """A body to be tried. ``pieces`` (V, 3) metres about its centre of mass, hulls shrunk by the margin ``made`` for them.

    ``margin`` is the one that Bullet has now; where it is another one, the part floats or sinks by the difference.
    ``seen``: (P, 3) points of the mesh that is rendered, in the same frame. ``now`` (3, 3): how it is turned at present.
    """

    name: str
    kind: str
    pieces: tuple[Array, ...]
    mass: float
    friction: float
    restitution: float
    damping: tuple[float, float]
    margin: float
    made: float
    seen: Array | None = None
    now: Array | None = None

    @property
    def extents(self) -> Array:
        """(3,) metres."""
        size: Array = np.ptp(np.concatenate(self.pieces), axis=0)
        return size

    def lowest(self, pose: Array, margin: float) -> float:
        """Height of the lowest point of the shape in a (4, 4) pose; ``margin`` is put around hulls, primitives hold it."""
        half = 0.5 * self.extents
        up = np.abs(pose[2, :3])
        if self.kind == "SPHERE":
            return float(pose[2, 3] - half.max())
        if self.kind == "CYLINDER":
            flat = float(np.sqrt(max(0.0, 1.0 - up[2] * up[2])))
            return float(pose[2, 3] - half[2] * up[2] - half[:2].max() * flat)
        around = 0.0 if self.kind == "BOX" else margin
        return min(float(move_points(pose, piece)[:, 2].min()) for piece in self.pieces) - around


@dataclass(frozen=True)
class Verdict:
    """What the floor said. Lengths in mm.

    ``gap_mm``: the largest distance from the floor, at rest, of the corners of the face it rests on; ``seen_gap_mm``: that
    of the lowest point of the rendered mesh. ``turned_deg``: how far it turned from the face it was put on; ``inside_mm``:
    how far inside that face its centre of mass stands. ``stands``: as it is turned now, a floor would hold it. ``rest``:
    the quaternion (w, x, y, z) of the proxy at rest.
    """

    body: str
    stable: bool
    says: str
    gap_mm: float
    penetration_mm: float
    jitter_mm: float
    margin_mm: float
    substeps: int
    iterations: int
    seen_gap_mm: float
    turned_deg: float
    inside_mm: float
    stands: bool
    rest: tuple[float, ...]

    def to_json(self) -> dict[str, object]:
        """As it is kept on the proxy."""
        return asdict(self)


def body_of(ob: bpy.types.Object) -> bpy.types.Object:
    """The proxy of a part. Raises InputError for a part without one."""
    for thing in proxies_of(ob):
        if thing.get(RECORD) is not None and thing.rigid_body is not None:
            return thing
    raise InputError(f"{ob.name!r} has no rigid body", todo="Make Bodies first.")


def subject_of(proxy: bpy.types.Object) -> Subject:
    """What the test takes of a proxy. Raises InputError for a shape that moving bodies must not have."""
    body = proxy.rigid_body
    kind = body.collision_shape
    if kind not in KINDS:
        todo = "Choose box, cylinder, sphere, convex hull or compound parent, or make the body again."
        raise InputError(f"The shape {kind.title()} of {proxy.name!r} is not for moving bodies", todo=todo)
    held = [proxy]
    if kind == "COMPOUND":
        held = sorted((c for c in proxy.children if c.rigid_body is not None), key=lambda child: child.name)
    pieces = tuple(_points(thing, proxy) for thing in held)
    if not pieces:
        raise InputError(f"The compound {proxy.name!r} has no pieces", todo="Make the body again.")
    margin = float(body.collision_margin if body.use_margin else 0.04)
    made = 1e-3 * float(json.loads(proxy.get(RECORD, "{}")).get("margin_mm", 1e3 * margin))
    return Subject(
        proxy.name, kind, pieces, float(body.mass), float(body.friction), float(body.restitution),
        (float(body.linear_damping), float(body.angular_damping)), margin, made, _seen(proxy), _turn(proxy),
    )  # fmt: skip


def _turn(proxy: bpy.types.Object) -> Array:
    """(3, 3): how a proxy is turned in the world, also where it was made just now and nothing was evaluated since."""
    placed = proxy.matrix_basis
    if proxy.parent is not None:
        placed = proxy.parent.matrix_world @ proxy.matrix_parent_inverse @ placed
    return np.array(placed.to_quaternion().to_matrix(), dtype=np.float64)


def _seen(proxy: bpy.types.Object) -> Array | None:
    """The points of the part's rendered mesh in the proxy's frame; None where they can't be told."""
    ob = proxy.get(PROXY_OF)
    if ob is None or ob.type != "MESH" or proxy.get(PLACE) is None:
        return None
    kept = json.loads(proxy[PLACE])
    frame, stretch = np.array(kept["frame"]).reshape(4, 4), np.array(kept["stretch"]).reshape(3, 3)
    return move_points(inverse(frame), along(meshes.evaluated(ob)[0], stretch))


def _points(thing: bpy.types.Object, proxy: bpy.types.Object) -> Array:
    points = meshes.vertices(meshes.of(thing))
    if thing == proxy:
        return points
    local = np.array(thing.matrix_parent_inverse @ thing.matrix_basis, dtype=np.float64)
    return move_points(local, points)


def test_body(subject: Subject, world: World) -> Generator[None, None, Verdict]:
    """Lets a body rest on the floor of a lab. Yields every few frames."""
    yield
    start, inside = yield from _start(subject)
    yield
    largest = float(subject.extents.max())
    ground = np.eye(4)
    ground[2, 3] = -0.5 * largest
    half = np.array((4.0, 4.0, 0.5)) * largest
    corners = half * np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    floor = Body("floor", "BOX", (corners,), ground, "PASSIVE", margin=subject.margin)
    body = Body("body", subject.kind, subject.pieces, start, mass=subject.mass, friction=subject.friction,
                restitution=subject.restitution, margin=subject.margin, damping=subject.damping)  # fmt: skip
    poses = []
    with lab_scene("settle") as lab:
        simulation = Simulation(lab, [floor, body], (), world)
        yield
        for frame in range(FRAMES):
            simulation.step()
            poses.append(simulation.pose("body").copy())
            if frame % 4 == 3:
                yield
    return _judge(subject, world, [start, *poses], inside)


def _start(subject: Subject) -> Generator[None, None, tuple[Array, float]]:
    """A pose in which the body stands on its firmest face, a hair above the floor, and how far inside that face it is."""
    half = 0.5 * subject.extents
    if subject.kind == "SPHERE":
        down, inside = np.array((0.0, 0.0, -1.0)), 0.0
    elif subject.kind == "CYLINDER":  # on its cap: on its side it may roll
        down, inside = np.array((0.0, 0.0, -1.0)), float(half[:2].max())
    else:
        found = yield from firmest(np.concatenate(subject.pieces), np.zeros(3))
        if found is None:
            raise InputError(f"The body {subject.name!r} is flat", todo="Make it again.")
        down, _, inside = found
    pose = _turned_down(down)
    pose[2, 3] = 0.5 * subject.made - subject.lowest(pose, subject.margin)
    return pose, inside


def _stands(subject: Subject) -> bool:
    """Whether a floor holds the body as it is turned now: its centre of mass is over the face that then is lowest."""
    if subject.kind == "SPHERE" or subject.now is None:
        return False
    inside = stand(np.concatenate(subject.pieces), np.zeros(3), -subject.now[2], UNEVEN)[1]
    return inside > _NARROW * float(subject.extents.min())


def _turned_down(down: Array) -> Array:
    """The (4, 4) rotation that takes the unit vector ``down`` to -z the short way."""
    x, y, z = (float(value) for value in down)
    if z > 1.0 - 1e-9:
        return from_quaternion((0.0, 1.0, 0.0, 0.0))
    return from_quaternion((1.0 - z, -y, x, 0.0))


def _judge(subject: Subject, world: World, poses: list[Array], inside: float) -> Verdict:
    half = 0.5 * subject.extents
    corners = half * np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
    last = [move_points(pose, corners) for pose in poses[-SETTLED - 1 :]]
    steps = [float(np.sqrt(((b - a) ** 2).sum(axis=1)).max()) for a, b in pairwise(last)]
    jitter = max(steps) if np.isfinite(poses[-1]).all() else float("inf")
    turned = _angle(poses[0], poses[-1])
    foot = _foot(subject, poses[0]) if turned < TIPPED else None
    gap = max(_highest(subject, foot, pose) for pose in poses[-SETTLED:])
    sunk = max(0.0, -min(subject.lowest(pose, subject.made) for pose in poses[1:]))
    fine = gap <= subject.made and jitter <= JITTER and sunk <= subject.made
    stands = _stands(subject)
    if fine:
        says = f"rests {1e3 * max(gap, 0.0):.4f} mm over the floor and moves {1e3 * jitter:.5f} mm a frame"
        says += (
            "" if foot is not None or subject.kind == "SPHERE" else f", after tipping by {turned:.0f} degrees"
        )
        says += "" if stands or subject.kind == "SPHERE" else "; set down as it is turned now it falls over"
    else:
        says = _why(subject, world, (gap, sunk, jitter), inside)
    seen = gap if subject.seen is None else float(move_points(poses[-1], subject.seen)[:, 2].min())
    return Verdict(
        subject.name, fine, says, to_mm(gap, 5), to_mm(sunk, 5), to_mm(min(jitter, 1e3), 5),
        to_mm(subject.made, 4), world.substeps, world.iterations, to_mm(seen, 5), round(turned, 3),
        to_mm(inside, 3), stands, tuple(round(float(part), 6) for part in to_quaternion(poses[-1])),
    )  # fmt: skip


def _angle(before: Array, after: Array) -> float:
    """Degrees between the directions in which two poses stand up; a turn about the vertical is none."""
    up = (before[:3, :3].T @ (0.0, 0.0, 1.0), after[:3, :3].T @ (0.0, 0.0, 1.0))
    chord = up[1] - up[0]
    half = min(0.5 * float(np.sqrt((chord * chord).sum())), 1.0)
    return 2.0 * float(np.arcsin(half)) / DEG


def _foot(subject: Subject, pose: Array) -> Array | None:
    """(K, 3) corners of the face on which the body is put, in its frame; None for a ball."""
    if subject.kind == "SPHERE":
        return None
    points = np.concatenate(subject.pieces)
    height = move_points(pose, points)[:, 2]
    return points[height < height.min() + 1e-4 * float(subject.extents.max())]


def _highest(subject: Subject, foot: Array | None, pose: Array) -> float:
    """How far the farthest corner of the foot, or else the lowest point of the body, is over the floor."""
    if foot is None:
        return subject.lowest(pose, subject.made)
    around = subject.made if subject.kind in {"CONVEX_HULL", "COMPOUND"} else 0.0
    return float(move_points(pose, foot)[:, 2].max()) - around


def _why(subject: Subject, world: World, found: tuple[float, float, float], inside: float) -> str:
    """The sentence of a body that does not rest: what it does, and what most likely makes it."""
    gap, sunk, jitter = found
    largest, thinnest = float(subject.extents.max()), float(subject.extents.min())
    if jitter > JITTER:
        does = f"unstable: rocks by {1e3 * jitter:.3f} mm a frame"
    elif sunk > subject.made:
        does = f"unstable: sinks {1e3 * sunk:.3f} mm into the floor"
    else:
        does = f"unstable: floats {1e3 * gap:.3f} mm over the floor"
    wanted = steps_for(thinnest, 0.0, world.fps)
    if abs(subject.margin - subject.made) > 0.1 * subject.made:
        now, was = 1e3 * subject.margin, 1e3 * subject.made
        return f"{does}, because its margin is {now:.3f} mm and its shape was made for {was:.3f} mm"
    if world.substeps < wanted:
        return f"{does}, because the world solves {world.substeps} steps a frame and it needs {wanted}"
    if subject.kind in {"SPHERE", "CYLINDER"} and inside == 0.0:
        return f"{does}, because it stands on a round side and rolls"
    if inside < _NARROW * largest:
        return f"{does}, because its centre of mass stands only {1e3 * inside:.2f} mm inside the face it rests on"
    return f"{does}, with {world.iterations} iterations; more of them, or a heavier part, may help"


def world_of(scene: bpy.types.Scene) -> World:
    """The steps, iterations and frame rate of a scene's own rigid-body world."""
    made = scene.rigidbody_world
    if made is None:
        raise InputError("The scene has no rigid bodies", where=scene.name, todo="Make Bodies first.")
    fps = scene.render.fps / scene.render.fps_base
    return World(fps=float(fps), substeps=made.substeps_per_frame, iterations=made.solver_iterations)


def settle(scene: bpy.types.Scene, proxy: bpy.types.Object) -> Generator[None, None, Verdict]:
    """Tests a proxy and keeps the verdict on it. Raises InputError for a shape that moving bodies must not have."""
    verdict = yield from test_body(subject_of(proxy), world_of(scene))
    proxy[VERDICT] = json.dumps(verdict.to_json())
    return verdict


__all__ = ["VERDICT", "Subject", "Verdict", "body_of", "settle", "subject_of", "test_body", "world_of"]
