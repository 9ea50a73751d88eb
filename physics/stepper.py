# SPDX-License-Identifier: GPL-3.0-or-later
"""Bullet as a witness: a peg of convex prisms in a fixed socket of convex prisms, stepped frame by frame.

The safe grammar of Blender's rigid bodies is kept: nothing moves in the first frames, bodies are linked in one fixed
order with no bystanders, margins are millimetre fractions that the shapes are shrunk by, and forces are set between
frames. The only moving body is the peg with a proof mass, so that gravity is the force per kilogram on it.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from .kit import Kit
from .lab import Lab, lab_collection
from .rigid import Array, to_quaternion
from .solids import hull_points, peg_hulls, socket_sectors
from .units import MM

PREROLL = 3


@dataclass(frozen=True)
class LabSettings:
    """``mass`` kg of the proof body, ``margin`` metres of collision shapes, solver steps, ``friction`` of each body."""

    mass: float = 1.0
    margin: float = 0.01 * MM
    substeps: int = 20
    iterations: int = 50
    fps: int = 24
    friction: float = 0.5


_TINY = np.array(((0.0, 0.0, 0.0), (1e-4, 0.0, 0.0), (0.0, 1e-4, 0.0), (0.0, 0.0, 1e-4)))
_BOX = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))


class Trial:
    """One simulation in a lab: ``step`` it, read where the peg is."""

    def __init__(self, lab: Lab, kit: Kit, settings: LabSettings, pose: Array, *, with_lugs: bool = True,
                 hand: bool = False) -> None:  # fmt: skip
        self.settings = settings
        self.scene = lab.scene
        self.frame = 1
        self._offset = np.eye(4)
        self._offset[2, 3] = -0.5 * kit.length
        self._world()
        margin = settings.margin
        for index, sector in enumerate(socket_sectors(kit)):
            self._body(lab, f"socket {index:03d}", hull_points(sector, margin, kit.contact), active=False)
        self.peg = self._compound(lab, kit, pose, with_lugs)
        self.hand = self._spring(lab, pose) if hand else None
        for _ in range(PREROLL):
            self.step()

    def step(
        self, acceleration: tuple[float, float, float] = (0.0, 0.0, 0.0), hand: Array | None = None
    ) -> Array:
        """One frame on. ``acceleration`` m/s2 acts on the peg; ``hand`` (4, 4) is where the hand wants the peg frame.

        Returns the (4, 4) peg frame in the socket frame.
        """
        self.scene.gravity = acceleration
        if hand is not None and self.hand is not None:
            self._place(self.hand, hand)
        self.scene.frame_set(self.frame)
        self.frame += 1
        return self.pose()

    def pose(self) -> Array:
        """The (4, 4) peg frame in the socket frame, rigid."""
        graph = self.scene.view_layers[0].depsgraph
        found = np.array(self.peg.evaluated_get(graph).matrix_world, dtype=np.float64)
        offset = self._offset.copy()
        offset[2, 3] = -offset[2, 3]
        pose: Array = found @ offset
        return pose

    def _world(self) -> None:
        scene, settings = self.scene, self.settings
        scene.render.fps, scene.render.fps_base = settings.fps, 1.0
        with bpy.context.temp_override(scene=scene):
            bpy.ops.rigidbody.world_add()
        world = scene.rigidbody_world
        world.collection = lab_collection("bodies")
        world.constraints = lab_collection("joints")
        world.substeps_per_frame, world.solver_iterations = settings.substeps, settings.iterations
        world.time_scale = 1.0
        world.point_cache.frame_start, world.point_cache.frame_end = 1, 2000
        scene.frame_set(1)

    def _place(self, ob: bpy.types.Object, peg_frame: Array) -> None:
        at = peg_frame @ self._offset
        ob.location = at[:3, 3].tolist()
        ob.rotation_quaternion = to_quaternion(at).tolist()

    def _body(self, lab: Lab, name: str, points: Array, *, active: bool) -> bpy.types.Object:
        ob = lab.object(name, _hull_mesh(points))
        self.scene.rigidbody_world.collection.objects.link(ob)
        body = ob.rigid_body
        body.type = "ACTIVE" if active else "PASSIVE"
        body.collision_shape = "CONVEX_HULL"
        body.use_margin, body.collision_margin = True, self.settings.margin
        body.friction, body.restitution = self.settings.friction, 0.0
        body.linear_damping = body.angular_damping = 0.0
        body.use_deactivation = False
        return ob

    def _compound(self, lab: Lab, kit: Kit, pose: Array, with_lugs: bool) -> bpy.types.Object:

        parent = self._body(lab, "peg", _TINY, active=True)
        parent.rigid_body.collision_shape = "COMPOUND"
        parent.rigid_body.mass = self.settings.mass
        for index, points in enumerate(peg_hulls(kit, self.settings.margin, with_lugs)):
            child = self._body(lab, f"peg {index:03d}", points - self._offset[:3, 3], active=True)
            child.parent = parent
        self._place(parent, pose)
        return parent

    def _spring(self, lab: Lab, pose: Array) -> bpy.types.Object:
        hand = self._body(lab, "hand", _TINY, active=True)
        hand.rigid_body.kinematic = True
        hand.rigid_body.collision_collections = [index == 19 for index in range(20)]
        self._place(hand, pose)
        joint = lab.object("spring")
        self._place(joint, pose)
        self.scene.rigidbody_world.constraints.objects.link(joint)
        spring = joint.rigid_body_constraint
        spring.type, spring.object1, spring.object2 = "GENERIC_SPRING", hand, self.peg
        spring.spring_type = "SPRING2"
        spring.disable_collisions = True
        for axis in "xyz":
            for kind, stiffness, damping in (("", 20000.0, 120.0), ("ang_", 5.0, 0.03)):
                setattr(spring, f"use_spring_{kind}{axis}", True)
                setattr(spring, f"spring_stiffness_{kind}{axis}", stiffness)
                setattr(spring, f"spring_damping_{kind}{axis}", damping)
        return hand


def _hull_mesh(points: Array) -> bpy.types.Mesh:
    """A mesh of the points; boxes get faces, because an empty face list is no hull to every version."""
    mesh = bpy.data.meshes.new("holdfast lab hull")
    faces = list(_BOX) if len(points) == 8 else []
    mesh.from_pydata(points.tolist(), [], faces)
    mesh.update()
    return mesh
