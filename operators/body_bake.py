# SPDX-License-Identifier: GPL-3.0-or-later
"""Live bodies to plain keys: they fall in a lab, on the scene's floor and on what its keys move, and their parts are keyed.

Bodies whose parts say *Exact path* fly, bounce and spin by closed forms, because Bullet can't; the others meet them as
bodies that are led. All or nothing: whatever goes wrong, the scene is as it was.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import bpy
import numpy as np

from ..physics import author, handover, imported
from ..physics.freed import of_proxy
from ..physics.handover import bake_of
from ..physics.lab import sweep
from ..physics.proxies import PROXY_OF
from ..physics.rigid import Array
from ..physics.settle import body_of
from ..pipeline.errors import HoldfastError, InputError
from .body_fall import Fall, Faller, simulated, worlds_of
from .steps import Progress

MOVING = 0.02
"""Metres a second at the last frame above which a body is said to move still."""


@dataclass
class Baked:
    """What was keyed, by object name, over which frames; the hash of the motion; refusals; what a person should know."""

    frames: range
    names: list[str] = field(default_factory=list)
    digest: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    unstable: tuple[str, ...] = ()

    def summary(self) -> str:
        """One sentence."""
        count = len(self.names)
        what = f"{count} {'body' if count == 1 else 'bodies'} keyed"
        return f"{what} over frames {self.frames[0]} to {self.frames[-1]}; motion {self.digest[:12]}."


def bake(
    scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], fall: Fall
) -> Generator[Progress, None, Baked]:
    """Keys the live bodies of the objects. Raises InputError where there is none, or the scene changes meanwhile."""
    imported.check_units(scene)
    sweep()
    outcome = Baked(range(scene.frame_start, scene.frame_end + 1))
    if len(outcome.frames) < 2:
        raise InputError(
            "The scene has one frame only", where=scene.name, todo="Give it an end after its start."
        )
    try:
        fallers = yield from _fallers(objects, fall, outcome)
        motion = yield from simulated(scene, fallers, fall, outcome.frames, outcome.told)
        yield from _keyed(scene, fallers, motion, outcome)
    except ReferenceError as error:
        todo = "Bake them again and leave the scene alone until it is done."
        raise InputError("The scene was changed while bodies were baked", todo=todo) from error
    return outcome


def clear(objects: Sequence[bpy.types.Object]) -> int:
    """Takes baked motion off the objects and makes their bodies live again. Returns of how many."""
    count = 0
    for ob in sorted(set(objects), key=lambda ob: ob.name):
        count += int(_released(ob))
    return count


def _released(ob: bpy.types.Object) -> bool:
    found = handover.unkey(ob)
    for proxy in _proxies(ob) if found else ():
        handover.lead_again(proxy)
    return found


def _proxies(ob: bpy.types.Object) -> list[bpy.types.Object]:
    try:
        return [body_of(ob)]
    except InputError:
        return []


def _fallers(
    objects: Sequence[bpy.types.Object], fall: Fall, outcome: Baked
) -> Generator[Progress, None, list[Faller]]:
    """The live bodies, by name, with their start; the sentences on the others go into the outcome."""
    found: list[Faller] = []
    for ob in sorted({ob for ob in objects if ob.get(PROXY_OF) is None}, key=lambda ob: ob.name):
        yield Progress(0.0, f"Reading {ob.name}")
        try:
            found.append(_faller(ob, fall))
        except HoldfastError as error:
            outcome.refused[ob.name] = str(error)
    names = [faller.made.body.name for faller in found]
    found = [
        replace(f, made=replace(f.made, body=replace(f.made.body, name=f.ob.name)))
        if names.count(n) > 1
        else f
        for f, n in zip(found, names, strict=True)
    ]
    if not found:
        raise InputError(" ".join(outcome.refused.values()) or "No object is selected")
    return found


def _faller(ob: bpy.types.Object, fall: Fall) -> Faller:
    proxy = body_of(ob)
    start = handover.start_of(proxy)
    if start is None:
        raise InputError(
            f"The body of {ob.name!r} follows its part", todo="Make it Live, so that it can fall."
        )
    _check(ob)
    part = imported.read(ob)
    made = of_proxy(part, proxy)
    body = replace(made.body, pose=start, velocity=fall.velocity, spin=fall.spin)
    return Faller(part, proxy, replace(made, body=body))


def _check(ob: bpy.types.Object) -> None:
    """Raises InputError for what would pull against the keys."""
    if ob.parent is not None and ob.parent_type != "OBJECT":
        todo = "Clear the parent (Object > Parent > Clear and Keep Transformation)."
        raise InputError(f"{ob.name!r} hangs on a {ob.parent_type.lower()}", todo=todo)
    anchors = [
        c.target for c in ob.constraints if getattr(c, "target", None) and c.target.get(PROXY_OF) == ob
    ]
    if any(not c.mute and getattr(c, "target", None) not in anchors for c in ob.constraints):
        raise InputError(
            f"{ob.name!r} has constraints that pull against its keys", todo="Apply or mute them first."
        )
    moved = ob.animation_data
    if moved is not None and bake_of(ob) is None:
        strips = any(len(track.strips) for track in moved.nla_tracks)
        if moved.action is not None or strips or len(moved.drivers):
            name = moved.action.name if moved.action is not None else "drivers or NLA strips"
            raise InputError(
                f"{ob.name!r} is animated already, by {name}", todo="Unlink that animation first."
            )
    deltas = (*ob.delta_location, *ob.delta_rotation_euler, *(value - 1.0 for value in ob.delta_scale))
    if any(deltas) or ob.delta_rotation_quaternion[:] != (1.0, 0.0, 0.0, 0.0):
        todo = "Set its delta transforms to zero (Object properties > Transform > Delta)."
        raise InputError(f"{ob.name!r} is moved by delta transforms", todo=todo)


def _keyed(
    scene: bpy.types.Scene, fallers: Sequence[Faller], poses: dict[str, Array], outcome: Baked
) -> Generator[Progress, None, None]:
    """Writes the keys, parents before children; puts everything back if it is stopped on the way."""
    matrices = {}
    for f in fallers:
        matrices[f.ob] = f.made.matrices(poses[f.made.body.name])
        yield Progress(0.8, f"Where {f.ob.name} goes")
    held = sorted(
        {ob.parent for ob in matrices if ob.parent is not None and ob.parent not in matrices},
        key=lambda ob: ob.name,
    )
    found = yield from worlds_of(held, outcome.frames, "How their parents move", 0.8)
    worlds = matrices | {ob: found[:, index] for index, ob in enumerate(held)}
    names = [faller.ob.name for faller in fallers]
    every = np.stack([matrices[faller.ob] for faller in fallers], axis=1)
    outcome.digest = author.motion_hash(names, outcome.frames, every)
    places = {}
    for f in fallers:
        yield Progress(0.85, f"Where {f.ob.name} goes")
        places[f.ob] = handover.own_places(f.ob, matrices[f.ob], worlds.get(f.ob.parent))
    written: list[tuple[Faller, bool, bpy.types.Action | None]] = []
    try:
        for index, faller in enumerate(fallers):
            yield Progress(0.9 + 0.1 * index / len(fallers), f"Keys of {faller.ob.name}")
            was_live = faller.proxy.get(handover.BAKED) is None
            handover.follow(faller.proxy)
            previous = handover.key(faller.ob, outcome.frames, places[faller.ob], outcome.digest)
            written.append((faller, was_live, previous))
    except BaseException:
        for faller, was_live, previous in written:
            handover.put_back(faller.ob, previous)
            if was_live:
                handover.lead_again(faller.proxy)
        raise
    for faller, _, previous in written:
        handover.settle_for(faller.ob, previous)
    outcome.names = names
    outcome.told += _restless(scene, fallers, poses, outcome.frames[-1])


def _restless(
    scene: bpy.types.Scene, fallers: Sequence[Faller], poses: dict[str, Array], last: int
) -> list[str]:
    """A sentence on the bodies that move still at the last frame, or none."""
    found = []
    for faller in fallers:
        before, after = poses[faller.made.body.name][-2:, :3, 3]
        speed = float(np.sqrt(np.square(after - before).sum())) * scene.render.fps / scene.render.fps_base
        found += [(speed, faller.ob.name)] if speed > MOVING else []
    if not found:
        return []
    speed, name = max(found)
    others = f"; {len(found) - 1} others move too" if len(found) > 1 else ""
    return [f"{name} still moves at {speed:.2f} m/s at frame {last}{others}."]


__all__ = ["Baked", "bake", "bake_of", "clear"]
