# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid bodies for any parts: sizes asked for, shapes chosen, proxies made, each put on a floor. All or nothing.

The work is one generator, as the stages' are: the window draws in between, and stopping it anywhere puts the scene
back as it was.
"""

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bpy

from ..physics import constraint, imported, proxies, settle
from ..physics.bodyworld import COLLECTION, RAISED, close_world, refine
from ..physics.imported import Imported
from ..physics.lab import sweep
from ..physics.proxies import PROXY_OF, Plan, Record
from ..physics.settle import Verdict
from ..physics.units import MM
from ..pipeline.errors import InputError
from .steps import Progress

Shown = Mapping[str, Any]
"""A record or verdict as JSON."""
SPEED = 1.0
"""Metres a second that parts are expected to reach: a fall of 5 cm."""


@dataclass(frozen=True)
class Request:
    """``live`` bodies are free, others follow their parts; ``sizes``: real largest extents in metres by object name;
    ``trust``: take the sizes as they are; ``speed`` m/s; collision ``group`` 1..20; ``test``: settle each."""

    live: bool = False
    sizes: Mapping[str, float] = field(default_factory=dict)
    trust: bool = False
    speed: float = SPEED
    group: int = 1
    test: bool = True


@dataclass
class Outcome:
    """What was made, by object name; what the floor said; who was refused and why; what else was done."""

    records: dict[str, Record] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @property
    def unstable(self) -> list[str]:
        """Sentences on bodies that did not come to rest."""
        return [f"{name}: {found.says}" for name, found in self.verdicts.items() if not found.stable]

    def summary(self) -> str:
        """One sentence."""
        count, grams = len(self.records), sum(1e3 * record.mass.mass for record in self.records.values())
        said = [f"{count} {'body' if count == 1 else 'bodies'}, {grams:.1f} g"] if count else []
        if self.verdicts:
            said.append(f"{len(self.verdicts) - len(self.unstable)} of {len(self.verdicts)} come to rest")
        said += [f"{len(self.refused)} refused"] if self.refused else []
        return "; ".join(said) + "."


def candidates(objects: Sequence[bpy.types.Object]) -> list[bpy.types.Object]:
    """The objects that may get bodies, each once, by name: no proxies of ours."""
    return sorted({ob for ob in objects if ob.get(PROXY_OF) is None}, key=lambda ob: ob.name)


def read_all(objects: Sequence[bpy.types.Object]) -> tuple[list[Imported], dict[str, str]]:
    """What can be a body, and the sentences on what can't, by object name."""
    refused: dict[str, str] = {}
    return [part for ob in candidates(objects) for part in _read(ob, refused)], refused


def _read(ob: bpy.types.Object, refused: dict[str, str]) -> list[Imported]:
    """The part in a list, or none and why."""
    try:
        return [imported.read(ob)]
    except InputError as error:
        refused[ob.name] = str(error)
        return []


def make(
    scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], request: Request
) -> Generator[Progress, None, Outcome]:
    """Gives the objects their bodies. Raises InputError where no size is known, or where nothing can be a body."""
    imported.check_units(scene)
    sweep()
    back = _Back(scene, objects)
    try:
        outcome = yield from _make(scene, objects, request, back)
    except ReferenceError as error:
        back.undo()
        todo = "Make the bodies again and leave the scene alone until it is done."
        raise InputError("The scene was changed while bodies were made", todo=todo) from error
    except BaseException:
        back.undo()
        raise
    back.commit()
    constraint.retarget(scene)
    return outcome


def _make(
    scene: bpy.types.Scene, objects: Sequence[bpy.types.Object], request: Request, back: "_Back"
) -> Generator[Progress, None, Outcome]:
    outcome = Outcome()
    parts: list[Imported] = []
    for ob in candidates(objects):
        yield Progress(0.0, f"Reading {ob.name}")
        parts += _read(ob, outcome.refused)
    parts = _sized(parts, request)
    plans: list[Plan] = []
    known: dict[str, Record] = {}
    for index, part in enumerate(parts):
        yield Progress(0.6 * index / len(parts), f"Weighing {part.name}")
        try:
            plans.append((yield from _planned(part, request, known, 0.6 * index / len(parts))))
        except InputError as error:
            outcome.refused[part.ob.name] = str(error)
    if not plans:
        raise InputError(" ".join(outcome.refused.values()) or "No object is selected")
    for plan in plans:
        yield Progress(0.6, f"Rigid body of {plan.record.part}")
        back.made[plan.ob] = proxies.place(scene, plan, request.group)
        outcome.records[plan.ob.name] = plan.record
    outcome.told += refine(scene, min(plan.record.shape.thinnest for plan in plans), request.speed)
    outcome.told += _proportions(plans, scene, request)
    if request.test:
        outcome.verdicts = yield from _settled(scene, back.made, 0.65, 0.35)
    return outcome


def _sized(parts: list[Imported], request: Request) -> list[Imported]:
    """The parts at their real size, which is scaled to where it was given and kept on the object."""
    given = request.sizes
    unknown = [
        p for p in parts if not (request.trust or p.size_known or p.ob.name in given or p.name in given)
    ]
    if unknown:
        sizes = ", ".join(f"{part.ob.name} (now {1e3 * part.extent:.4g} mm)" for part in unknown)
        todo = "Confirm it in the dialog, or say --size NAME=30mm for the largest extent, or --trust-size."
        raise InputError(f"The real size of these parts is not known: {sizes}", todo=todo)
    result = []
    for part in sorted(parts, key=lambda part: (_depth(part.ob), part.ob.name)):
        wanted = given.get(part.ob.name, given.get(part.name, 0.0))
        now = imported.read(part.ob) if given else part  # its parent may have been scaled by now
        if wanted > 0.0 and abs(wanted - now.extent) > 1e-6 * wanted:
            imported.resize(part.ob, wanted / now.extent)
            bpy.context.view_layer.update()
            now = imported.read(part.ob)
        if not now.made_by_assets or wanted > 0.0:
            part.ob.holdfast.size_mm = now.extent / MM
        result.append(now)
    return sorted(result, key=lambda part: part.ob.name)


def _depth(ob: bpy.types.Object) -> int:
    return 0 if ob.parent is None else 1 + _depth(ob.parent)


def _planned(
    part: Imported, request: Request, known: dict[str, Record], share: float
) -> Generator[Progress, None, Plan]:
    """The plan of a part; one of the same shape and matter as an earlier one is not thought through again."""
    settings = part.ob.holdfast
    matter = f"{settings.material} {settings.density} {settings.mass_g} {part.notes}"
    state = hashlib.sha256(
        part.points.round(9).tobytes() + part.triangles.tobytes() + matter.encode()
    ).hexdigest()
    if state in known:
        return Plan(part.ob, part.stretch, part.pose, replace(known[state], part=part.name))
    steps = proxies.planned(part, live=request.live)
    try:
        while True:
            next(steps)
            yield Progress(share, f"Shape of {part.name}")
    except StopIteration as stop:
        plan: Plan = stop.value
    known[state] = plan.record
    return plan


def _proportions(plans: list[Plan], scene: bpy.types.Scene, request: Request) -> list[str]:
    """Sentences on what is true of the bodies together."""
    said = []
    light, heavy = (pick(plans, key=lambda plan: plan.record.mass.mass).record for pick in (min, max))
    if request.live and heavy.mass.mass > proxies.HEAVY * light.mass.mass:
        ratio = heavy.mass.mass / light.mass.mass
        said.append(
            f"{heavy.part} weighs {ratio:.0f} times as much as {light.part}: over 20, stacks and joints give way."
        )
    if request.live and scene.frame_current != scene.rigidbody_world.point_cache.frame_start:
        first = scene.rigidbody_world.point_cache.frame_start
        said.append(
            f"The bodies start at frame {first} from where the parts stand now, at frame {scene.frame_current}."
        )
    return said


def _settled(
    scene: bpy.types.Scene, bodies: Mapping[bpy.types.Object, bpy.types.Object], start: float, share: float
) -> Generator[Progress, None, dict[str, Verdict]]:
    verdicts = {}
    for index, (ob, proxy) in enumerate(bodies.items()):
        done = start + share * index / len(bodies)
        steps = settle.settle(scene, proxy)
        try:
            while True:
                yield Progress(done, f"Putting {ob.name} on a floor")
                next(steps)
        except StopIteration as stop:
            verdicts[ob.name] = stop.value
        finally:
            steps.close()
    return verdicts


def test(scene: bpy.types.Scene, objects: Sequence[bpy.types.Object]) -> Generator[Progress, None, Outcome]:
    """Puts the bodies of the objects on a floor again, as they now are. Raises InputError if none has a body."""
    sweep()
    outcome, bodies = Outcome(), {}
    for ob in candidates(objects):
        try:
            bodies[ob] = settle.body_of(ob)
        except InputError as error:
            outcome.refused[ob.name] = str(error)
    if not bodies:
        raise InputError(" ".join(outcome.refused.values()) or "No object is selected", todo="")
    outcome.verdicts = yield from _settled(scene, bodies, 0.0, 1.0)
    return outcome


def remove(scene: bpy.types.Scene, objects: Sequence[bpy.types.Object]) -> int:
    """Takes the bodies off the objects, and off objects that are gone. Returns how many parts had one."""
    found = bpy.data.collections.get(COLLECTION)
    if found is None:
        return 0
    wanted = set(objects)
    gone = [ob for ob in found.objects if ob[PROXY_OF] in wanted or _orphan(ob)]
    count = len({ob[PROXY_OF] for ob in gone})
    proxies.remove_all(gone)
    if not found.objects:
        close_world(scene)
    return count


def shown(ob: bpy.types.Object) -> tuple[Shown, Shown | None] | None:
    """The record of an object's body and the verdict of its test, as they are kept on its proxy; None without a body."""
    try:
        proxy = settle.body_of(ob)
        verdict = proxy.get(settle.VERDICT)
        return json.loads(proxy[proxies.RECORD]), None if verdict is None else json.loads(verdict)
    except (InputError, ValueError):
        return None


def _orphan(proxy: bpy.types.Object) -> bool:
    part = proxy.get(PROXY_OF)
    return part is None or not part.users_scene


def _scale(ob: bpy.types.Object) -> tuple[float, ...]:
    return tuple(float(value) for value in ob.scale)


class _Back:
    """The way back from half-made bodies: sizes, the world's settings, and the proxies that were there before."""

    def __init__(self, scene: bpy.types.Scene, objects: Sequence[bpy.types.Object]) -> None:
        self.scene = scene
        self.made: dict[bpy.types.Object, bpy.types.Object] = {}
        found = bpy.data.collections.get(COLLECTION)
        self._before = set(found.objects) if found is not None else set()
        self._fresh = found is None
        self._sizes = [(ob, _scale(ob), float(ob.holdfast.size_mm)) for ob in candidates(objects)]
        world = scene.rigidbody_world
        self._pace = (world.substeps_per_frame, world.solver_iterations) if world is not None else None
        self._raised = list(found[RAISED]) if found is not None and found.get(RAISED) is not None else None

    def undo(self) -> None:
        """Puts everything back. Does nothing to what an undo of Blender's has replaced meanwhile."""
        try:
            self._take_back()
        except ReferenceError:
            return

    def _take_back(self) -> None:
        for ob, scale, size in self._sizes:
            if _scale(ob) != scale:
                ob.scale = scale
            if float(ob.holdfast.size_mm) != size:
                ob.holdfast.size_mm = size
        found = bpy.data.collections.get(COLLECTION)
        if found is None:
            return
        proxies.remove_all([ob for ob in found.objects if ob not in self._before])
        if self._fresh:
            close_world(self.scene)
        elif self._pace is not None:
            world = self.scene.rigidbody_world
            world.substeps_per_frame, world.solver_iterations = self._pace
            found.pop(RAISED, None)
            if self._raised is not None:
                found[RAISED] = self._raised

    def commit(self) -> None:
        """Lets the bodies that the parts had before go, and gives the new ones their names."""
        proxies.remove_all([ob for ob in self._before if ob.get(PROXY_OF) in self.made])
        for proxy in self.made.values():
            proxy.name = proxy.name.partition(" proxy")[0] + " proxy"
            for piece in sorted(proxy.children, key=lambda child: child.name):
                kind = " anchor" if piece.type == "EMPTY" else " proxy piece"
                piece.name = piece.name.partition(kind)[0] + kind
