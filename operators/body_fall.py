# SPDX-License-Identifier: GPL-3.0-or-later
"""How live bodies fall in a lab: on the scene's floor, on what its keys move, and some on an exact path of their own."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import bpy
import numpy as np

from ..physics import author, dynamics
from ..physics.ballistic import SOFT, advise
from ..physics.bounce import Plane, Solid
from ..physics.freed import Freed
from ..physics.imported import Imported
from ..physics.joined import links_of
from ..physics.lab import lab_scene
from ..physics.mass import weigh_solid
from ..physics.rigid import Array
from ..physics.settle import body_of
from ..physics.simulation import Body
from ..physics.standing import Standing, floor, obstacles, standing, under
from .steps import Progress

Vector = tuple[float, float, float]
ZERO = (0.0, 0.0, 0.0)
NAMED = 3
"""Bodies that a sentence names before it counts the others."""


@dataclass(frozen=True)
class Fall:
    """How the bodies start: ``velocity`` m/s and ``spin`` rad/s, world axes, of all; ``floor``: height in metres or None."""

    floor: float | None = 0.0
    velocity: Vector = ZERO
    spin: Vector = ZERO


@dataclass(frozen=True, eq=False)
class Faller:
    """A part that falls: what was read of it, its proxy, and its body where it starts."""

    part: Imported
    proxy: bpy.types.Object
    made: Freed

    @property
    def ob(self) -> bpy.types.Object:
        return self.part.ob

    @property
    def exact(self) -> bool:
        return bool(self.ob.holdfast.exact_path)


def simulated(
    scene: bpy.types.Scene, fallers: Sequence[Faller], fall: Fall, frames: range, told: list[str]
) -> Generator[Progress, None, dict[str, Array]]:
    """(F, 4, 4) poses of the bodies by name: exact ones first, then Bullet's, which meet them."""
    x, y, z = scene.gravity if scene.use_gravity else ZERO
    times: dict[str, Any] = {"fps": scene.render.fps / scene.render.fps_base, "frames": len(frames)}
    times["gravity"] = (float(x), float(y), float(z))
    names = {faller.proxy: faller.made.body.name for faller in fallers}
    around = yield from _around(scene, fallers, fall, frames, told, names)
    links, said = links_of(scene, names)
    told += said
    still = [other.body for other in around if other.poses is None]
    poses: dict[str, Array] = {}
    for faller in (each for each in fallers if each.exact):
        solid, plane, said = _exact(faller, around)
        told += said
        body = replace(_at_ease(faller.made.body, 1), restitution=faller.made.body.restitution)
        told += [
            f"{link.name} does not hold {body.name} on its exact path."
            for link in links
            if body.name in (link.a, link.b)
        ]
        steps = dynamics.exact(body, solid, plane, ground=still, **times)
        found = yield from _told(steps, f"The exact path of {faller.ob.name}", 0.2, 0.1)
        poses[body.name] = found.poses[:, 0]
        around.append(Standing(replace(body, kind="KINEMATIC", velocity=ZERO, spin=ZERO), found.poses[:, 0]))
    loose = [each.made.body for each in fallers if not each.exact]
    if not loose:
        return poses
    told += _doubts(loose, times["frames"] / times["fps"])
    bodies = [_at_ease(body, len(loose)) for body in loose]
    others = [replace(other.body, restitution=0.0) for other in around]
    led = {other.body.name: other.poses for other in around if other.poses is not None}
    steps = dynamics.simulate([*others, *bodies], links, targets=led, **times)
    found = yield from _told(steps, "The bodies fall", 0.3, 0.5)
    told += [said for said in found.says if "exact path" not in said]
    told += [
        f"{gone.link} let go at frame {frames[gone.frame]}, at {gone.force_n:.3g} N." for gone in found.breaks
    ]
    for index, body in enumerate(loose, start=len(others)):
        poses[body.name] = found.poses[:, index]
    return poses


def _at_ease(body: Body, among: int) -> Body:
    """Without the bounce that Bullet can't do, with its own damping, and asleep once it is still."""
    return replace(dynamics.for_shot(body, among), restitution=0.0, damping=body.damping)


def _doubts(bodies: Sequence[Body], seconds: float) -> list[str]:
    """What Bullet can't do for the bodies, and what can."""
    lively = [body.name for body in bodies if body.restitution > SOFT]
    said = [said for body in bodies if (said := advise(replace(body, restitution=0.0), seconds))]
    if lively:
        names = ", ".join(lively[:NAMED]) + (
            f" and {len(lively) - NAMED} others" if len(lively) > NAMED else ""
        )
        what = "was baked without its bounce" if len(lively) == 1 else "were baked without their bounces"
        said.append(f"{names} {what}, which Bullet can't: tick Exact Path where it is seen.")
    return said


def _told(
    steps: dynamics.MotionGenerator, message: str, start: float, share: float
) -> Generator[Progress, None, dynamics.Motion]:
    """Runs a simulation, one frame a breath."""
    try:
        while True:
            yield Progress(start + share * next(steps), message)
    except StopIteration as stop:
        motion: dynamics.Motion = stop.value
        return motion
    finally:
        steps.close()


def _around(
    scene: bpy.types.Scene, fallers: Sequence[Faller], fall: Fall, frames: range, told: list[str],
    names: dict[bpy.types.Object, str],
) -> Generator[Progress, None, list[Standing]]:  # fmt: skip
    """The floor and all obstacles, with the motion that their keys give them in this shot; adds their ``names``."""
    yield Progress(0.0, "What there is to fall on")
    found, said = obstacles(scene, {faller.ob for faller in fallers})
    told += said
    worlds = yield from worlds_of([made.ob for made in found], frames, "How the others move", 0.0)
    around = []
    for index, made in enumerate(found):
        other, note = standing(made, worlds[:, index])
        told += [note] if note else []
        name = (
            f"{other.body.name} (standing)"
            if made.body.name in {f.made.body.name for f in fallers}
            else made.body.name
        )
        around.append(replace(other, body=replace(other.body, name=name)))
        names[made.ob if made.ob.rigid_body is not None else body_of(made.ob)] = name
    if fall.floor is not None:
        seconds = len(frames) * scene.render.fps_base / scene.render.fps
        reach = seconds * float(np.sqrt(np.square(fall.velocity).sum()))
        around.append(floor(fall.floor, [faller.made.body for faller in fallers], reach))
    if not around:
        told.append("There is nothing to fall on: no passive body, no animated one, and no floor.")
    return around


def worlds_of(
    objects: Sequence[bpy.types.Object], frames: range, message: str, start: float
) -> Generator[Progress, None, Array]:
    """(F, N, 4, 4) world matrices of objects at the frames, in a lab: the artist's playhead stays where it is."""
    if not objects:
        return np.empty((len(frames), 0, 4, 4))
    with lab_scene("bake") as lab:
        steps = author.read_back(lab, [_Seen(ob) for ob in objects], [float(f) for f in frames])  # type: ignore[misc]
        try:
            while True:
                yield Progress(start + 0.1 * next(steps), message)
        except StopIteration as stop:
            worlds: Array = stop.value
            return worlds


@dataclass(frozen=True)
class _Seen:
    """What ``author.read_back`` looks at."""

    ob: bpy.types.Object


def _exact(faller: Faller, around: Sequence[Standing]) -> tuple[Solid, Plane | None, list[str]]:
    """The solid and the plane under it, and what the exact path leaves out."""
    body, part = faller.made.body, faller.part
    below = under(body, around)
    said = [
        f"{faller.ob.name} is on its exact path: it bounces on the plane below it, and nothing else turns it aside."
    ]
    rough, lively = (1.0, 1.0) if below is None else (below[1].friction, below[1].restitution)
    solid = dynamics.solid_of(body, rough, lively)
    if solid.points is not None:
        weighed = weigh_solid(part.points, part.triangles, 1.0, part.name).mass
        axes = faller.made.frame[:3, :3]
        inertia = axes.T @ weighed.inertia @ axes * (body.mass / weighed.mass)
        solid = replace(solid, inertia=inertia)
    if below is None:
        said.append(f"There is nothing below {faller.ob.name}: it flies on.")
    return solid, None if below is None else below[0], said
