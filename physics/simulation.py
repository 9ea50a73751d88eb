# SPDX-License-Identifier: GPL-3.0-or-later
"""Bullet in a lab scene, in the grammar in which Blender's rigid bodies give the same bits every time.

Bodies are linked in the order of their names with explicit margins and nobody else in the world. Through the pre-roll
every body is held still; then keys let go of it, in one action with keys of its transform, because only those make
the dependency graph finish the animation before it simulates. Initial velocity is a last keyed move before that.
Links, their removal, gravity and the places of led bodies change from Python between frames, and only there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..pipeline.errors import UsageError
from .lab import MARK, Lab, lab_collection
from .links import Link, opening
from .release import PREROLL, key_release
from .rigid import Array, inverse, multiply, to_quaternion

SWING = 0.3
"""Radians that the fastest spin covers in that one frame: Bullet's arc cosine of less is too coarse."""
FRAMES = 100_000
"""Last frame of the cache, further than any shot goes."""
_TINY = np.array(((0.0, 0.0, 0.0), (1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4)))


@dataclass(frozen=True, eq=False)
class Body:
    """One rigid body of a simulation.

    ``shape`` is BOX, SPHERE, CYLINDER, CONE, CONVEX_HULL, COMPOUND (one hull a piece) or, for what never moves, MESH
    with ``faces`` (T, 3). ``pieces`` are (V, 3) points in metres in the body's frame, whose origin is the centre of
    mass: the true size for BOX, SPHERE and CYLINDER, which hold their ``margin`` inside, else shrunk by ``margin``.
    ``pose`` (4, 4) is rigid, in the world, at release. ``kind``: ACTIVE, PASSIVE, or KINEMATIC (led by targets).
    ``mass`` kg; ``friction`` and ``restitution`` multiply with those of the other body; ``damping`` of velocity and
    spin; ``groups`` of collision 0..19. ``velocity`` m/s and ``spin`` rad/s, world axes, at release. ``sleep``: below
    these m/s and rad/s, for two seconds, it rests for good.
    """

    name: str
    shape: str
    pieces: tuple[Array, ...]
    pose: Array
    kind: str = "ACTIVE"
    mass: float = 1.0
    friction: float = 0.5
    restitution: float = 0.0
    margin: float = 1e-5
    damping: tuple[float, float] = (0.0, 0.0)
    groups: tuple[int, ...] = (0,)
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    spin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    faces: NDArray[np.int64] | None = None
    sleep: tuple[float, float] | None = None


@dataclass(frozen=True)
class World:
    """Steps of the solver: ``substeps`` a frame, ``iterations`` a substep; ``gravity`` m/s2.

    ``scale``: Bullet's units a metre. Bullet looks for contacts 0.02 units around each body, so that many small
    bodies cost many times less where they are about a unit large; a power of two changes no other bit.
    """

    fps: float = 24.0
    substeps: int = 20
    iterations: int = 50
    gravity: tuple[float, float, float] = (0.0, 0.0, -9.81)
    scale: float = 1.0

    @property
    def dt(self) -> float:
        """Seconds of one substep."""
        return 1.0 / (self.fps * self.substeps)


@dataclass
class _Made:
    link: Link
    ob: bpy.types.Object
    in_a: Array
    in_b: Array


@dataclass
class _State:
    """What a simulation keeps beside its scene: object by body name, links by name, the last poses read."""

    bodies: dict[str, bpy.types.Object] = field(default_factory=dict)
    links: dict[str, _Made] = field(default_factory=dict)
    meshes: dict[int, bpy.types.Mesh] = field(default_factory=dict)
    poses: Array | None = None


class Simulation:
    """One rigid-body world in a lab: ``step`` it frame by frame and read the poses. It goes with the lab."""

    def __init__(
        self, lab: Lab, bodies: Sequence[Body], links: Sequence[Link] = (), world: World | None = None
    ) -> None:
        """Builds everything and runs the pre-roll. Raises UsageError for a doubled or unknown name."""
        self.bodies, self.world = tuple(bodies), world or World()
        self.scene = lab.scene
        self.frame = 1
        self._order = {body.name: index for index, body in enumerate(self.bodies)}
        if len(self._order) != len(self.bodies):
            raise UsageError("Two bodies of a simulation have one name", todo="Name them apart.")
        self._state = _State()
        self._collection = _open_world(lab.scene, self.world)
        for body in sorted(self.bodies, key=lambda body: body.name):
            self._build(body)
        self._tracked = lab_collection("tracked")
        for body in self.bodies:
            self._tracked.objects.link(self._state.bodies[body.name])
        self._hold(self._swing_time())
        if links:
            self.add_link(*links)

    def step(
        self, gravity: Sequence[float] | None = None, targets: Mapping[str, Array] | None = None
    ) -> None:
        """One frame on. ``gravity`` (3,) m/s2 from now on; ``targets``: (4, 4) poses that led bodies move to."""
        if gravity is not None:
            self.scene.gravity = [self.world.scale * part for part in gravity]
        for name, pose in sorted((targets or {}).items()):
            _place(self._state.bodies[name], pose, self.world.scale)
        self._advance()

    def poses(self) -> Array:
        """(B, 4, 4) float64 rigid world poses in the order of ``bodies``."""
        if self._state.poses is None:
            flat = np.empty(16 * len(self.bodies), dtype=np.float32)
            self._tracked.objects.foreach_get("matrix_world", flat)
            columns = flat.reshape(-1, 4, 4).astype(np.float64)
            columns[:, 3, :3] /= self.world.scale
            self._state.poses = np.ascontiguousarray(columns.transpose(0, 2, 1))
        return self._state.poses

    def pose(self, name: str) -> Array:
        """(4, 4) world pose of one body."""
        found: Array = self.poses()[self._order[name]]
        return found

    def add_link(self, *links: Link) -> None:
        """Joins bodies as they are now. Raises UsageError for an unknown body or a name in use.

        The frames are evaluated before they become links, because the simulation doesn't wait for them.
        """
        frames = []
        for link in sorted(links, key=lambda link: link.name):
            unknown = [name for name in (link.a, link.b) if name not in self._order]
            if unknown or link.name in self._state.links:
                what = f"joins no body {unknown[0]!r}" if unknown else "is there already"
                raise UsageError(f"The link {link.name!r} {what}", todo="Name links and their bodies apart.")
            ob = _object(f"link {link.name}", None)
            _place(ob, link.frame, self.world.scale)
            self.scene.collection.objects.link(ob)
            ends = [multiply(inverse(self.pose(name)), link.frame) for name in (link.a, link.b)]
            self._state.links[link.name] = _Made(link, ob, *ends)
            frames.append((link, ob))
        self.scene.view_layers[0].update()
        for link, ob in frames:
            self.scene.rigidbody_world.constraints.objects.link(ob)
            a, b = self._state.bodies[link.a], self._state.bodies[link.b]
            link.apply(ob.rigid_body_constraint, a, b, self.world.dt, self.world.scale)

    def remove_link(self, name: str) -> None:
        """Lets go of a link, for good: switched on again it would snap back to where it was made."""
        self._state.links.pop(name).ob.rigid_body_constraint.enabled = False

    def gap(self, name: str) -> float:
        """Metres by which a link is open in the directions in which it should hold."""
        made = self._state.links[name]
        a, b = multiply(self.pose(made.link.a), made.in_a), multiply(self.pose(made.link.b), made.in_b)
        return opening(made.link, multiply(inverse(a), b))

    def broken(self, name: str, slack: float = 5e-4) -> bool:
        """Whether a breakable link has let go, seen from a gap of more than ``slack`` metres: Blender doesn't tell."""
        made = self._state.links[name]
        return made.link.break_n is not None and self.gap(name) > slack

    def pace(self, substeps: int) -> None:
        """Substeps a frame from now on; not for links that may break, whose threshold is for one length of step."""
        if self.scene.rigidbody_world.substeps_per_frame != substeps:
            self.scene.rigidbody_world.substeps_per_frame = substeps

    def _advance(self) -> None:
        self.scene.frame_set(self.frame)
        self.frame += 1
        self._state.poses = None

    def _build(self, body: Body) -> None:
        compound = body.shape == "COMPOUND"
        ob = _object(body.name, self._mesh(_TINY if compound else body.pieces[0], body.faces))
        self._state.bodies[body.name] = ob
        self._collection.objects.link(ob)
        _set_up(ob.rigid_body, body, body.shape, self.world.scale)
        for index, piece in enumerate(body.pieces if compound else ()):
            child = _object(f"{body.name} {index:03d}", self._mesh(piece, None))
            child.parent = ob
            self._collection.objects.link(child)
            _set_up(child.rigid_body, body, "CONVEX_HULL", self.world.scale)
        _place(ob, body.pose, self.world.scale)

    def _mesh(self, points: Array, faces: NDArray[np.int64] | None) -> bpy.types.Mesh:
        """A mesh of the points; bodies that share one array share the mesh."""
        if id(points) not in self._state.meshes:
            mesh = bpy.data.meshes.new("holdfast lab shape")
            mesh[MARK] = True
            if faces is None:
                mesh.vertices.add(len(points))
                mesh.vertices.foreach_set("co", (self.world.scale * points).astype(np.float32).ravel())
            else:
                mesh.from_pydata((self.world.scale * points).tolist(), [], faces.tolist())
            self._state.meshes[id(points)] = mesh
        return self._state.meshes[id(points)]

    def _swing_time(self) -> float:
        """Seconds of the move before release: long enough for Bullet to read the spins from two quaternions."""
        fastest = max((float(np.sqrt(np.square(body.spin).sum())) for body in self.bodies), default=0.0)
        return min(max(SWING / fastest if fastest > 0.0 else 0.02, 1e-4), 1.0)

    def _hold(self, seconds: float) -> None:
        """Keys the active bodies to rest, to move once up to their poses, and to be free; runs all but the last."""
        for body in self.bodies:
            if body.kind == "ACTIVE":
                motion = (body.pose, body.velocity, body.spin)
                key_release(self._state.bodies[body.name], *motion, seconds, self.world.scale)
        for _ in range(PREROLL):
            self._advance()
        world = self.scene.rigidbody_world
        world.time_scale, world.substeps_per_frame = seconds * self.world.fps, 1
        self._advance()
        world.time_scale, world.substeps_per_frame = 1.0, self.world.substeps


def _open_world(scene: bpy.types.Scene, world: World) -> bpy.types.Collection:
    """Gives the scene a rigid-body world; returns the collection of its bodies."""
    whole = max(1, round(world.fps))
    scene.render.fps, scene.render.fps_base = whole, whole / world.fps
    scene.gravity = [world.scale * part for part in world.gravity]
    with bpy.context.temp_override(scene=scene):
        bpy.ops.rigidbody.world_add()
    made = scene.rigidbody_world
    made.collection, made.constraints = lab_collection("bodies"), lab_collection("links")
    scene.collection.children.link(made.collection)
    made.substeps_per_frame, made.solver_iterations, made.time_scale = world.substeps, world.iterations, 1.0
    made.point_cache.frame_start, made.point_cache.frame_end = 1, FRAMES
    return made.collection


def _object(name: str, data: Any) -> bpy.types.Object:
    ob = bpy.data.objects.new(f"holdfast lab {name}", data)
    ob[MARK] = True
    ob.rotation_mode = "QUATERNION"
    return ob


def _place(ob: bpy.types.Object, pose: Array, scale: float) -> None:
    ob.location, ob.rotation_quaternion = (scale * pose[:3, 3]).tolist(), to_quaternion(pose).tolist()


def _set_up(made: Any, body: Body, shape: str, scale: float) -> None:
    made.type = "PASSIVE" if body.kind == "PASSIVE" else "ACTIVE"
    made.kinematic = body.kind != "PASSIVE"
    made.collision_shape = shape
    made.mesh_source = "BASE"
    made.mass = body.mass
    made.use_margin, made.collision_margin = True, scale * body.margin
    made.friction, made.restitution = body.friction, body.restitution
    made.linear_damping, made.angular_damping = body.damping
    made.use_deactivation = body.sleep is not None
    if body.sleep is not None:
        made.deactivate_linear_velocity = scale * body.sleep[0]
        made.deactivate_angular_velocity = body.sleep[1]
    made.collision_collections = [index in body.groups for index in range(20)]
