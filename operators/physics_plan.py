# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stage Physics reads of a scene before it changes anything: the joints, their moves, and the finale."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import bpy

from ..physics import assembly as reading
from ..physics import features, meshes, proof, proxies
from ..physics.assembly import Assembly, Joint
from ..physics.choreography import Track
from ..physics.finale import Carried, Finale
from ..physics.joints.record import to_json
from ..physics.units import DEG, MM, PI
from ..pipeline.store import digest_json
from . import timeline


@dataclass(frozen=True)
class Plan:
    """All that decides the result: the assembly, its choreography and the frame rate, with their digests.

    ``ending`` is how the product is carried after its joints, if the shot has a finale.
    """

    assembly: Assembly
    tracks: tuple[Track, ...]
    finale: Finale | None
    ground: tuple[bpy.types.Object, ...]
    frames: tuple[int, ...]
    fps: tuple[int, int]
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    ending: Carried | None = None

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.fps[0] / self.fps[1]

    @property
    def heroes(self) -> list[reading.Part]:
        """The parts that get rigid bodies: those of the product, not the set around it."""
        return [part for part in self.assembly.parts if part.ob.holdfast.role != "SET"]

    @property
    def fitted(self) -> list[reading.Part]:
        """The parts that a joint is fitted to."""
        found = {part.name: part for joint in self.assembly.joints for part in (joint.peg, joint.socket)}
        return [found[name] for name in sorted(found)]


def plan(scene: bpy.types.Scene) -> Plan:
    """Reads the scene. Raises InputError with what is missing or wrong; changes nothing."""
    assembly = reading.read(scene)
    tracks = _tracks(scene, assembly)
    ending = _finale(scene, max(track.end for track in tracks))
    ground = _ground(scene) if ending else ()
    last = max(scene.frame_end, *(track.end for track in tracks), ending.end if ending else 0)
    frames = tuple(range(scene.frame_start, last + 1))
    rate = Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(1001)
    fps = (rate.numerator, rate.denominator)
    settings = {
        "joints": [to_json(joint.spec) for joint in assembly.joints], "tracks": [track.to_json() for track in tracks],
        "fps": list(fps), "frames": [frames[0], frames[-1]], "lab": asdict(proof.LabSettings()),
        "finale": ending.to_json() if ending else None, "gravity": [round(float(g), 6) for g in scene.gravity],
    }  # fmt: skip
    inputs = _inputs(assembly) | {f"ground {ob.name}": _ground_digest(ob) for ob in ground}
    return Plan(assembly, tracks, ending, ground, frames, fps, settings, inputs)


def _finale(scene: bpy.types.Scene, done: int) -> Finale | None:
    """What becomes of the product after the frame ``done``, if anything."""
    given = scene.holdfast.physics.finale
    if given.kind == "NONE":
        return None
    release = done + given.lift_frames
    thrown = {}
    if given.kind == "THROW":
        thrown = {"velocity": _three(given.speed_mps, 1.0), "spin": _three(given.spin_rps, 2.0 * PI)}
    string = round(given.string_mm * MM, 9) if given.kind == "HANG" else 0.0
    return Finale(given.kind, done, release, release + given.free_frames, round(given.height_mm * MM, 9),
                  round(given.tilt_deg * DEG, 9), string=string, **thrown)  # fmt: skip


def _three(values: Sequence[float], unit: float) -> tuple[float, float, float]:
    x, y, z = (round(unit * float(value), 6) for value in values)
    return x, y, z


def _ground(scene: bpy.types.Scene) -> tuple[bpy.types.Object, ...]:
    """What the product can fall on: the shot's set, and what an artist made a passive rigid body."""
    found = [
        ob for ob in scene.objects
        if ob.type == "MESH" and ob.get(proxies.PROXY_OF) is None and not (ob.holdfast.is_part and ob.holdfast.role != "SET")
        and (ob.holdfast.role == "SET" or (ob.rigid_body is not None and ob.rigid_body.type == "PASSIVE"))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda ob: ob.name))


def _ground_digest(ob: bpy.types.Object) -> str:
    world = [round(float(value), 7) + 0.0 for row in ob.matrix_world for value in row]
    return digest_json({"mesh": meshes.digest(meshes.original(ob)), "world": world})


def _tracks(scene: bpy.types.Scene, assembly: Assembly) -> tuple[Track, ...]:
    """The choreography in the order of the list: each joint after the one before it, or together with it."""
    given = scene.holdfast.physics
    by_name = {joint.name: joint for joint in given.joints}
    tracks: dict[str, Track] = {}
    begin = end = scene.frame_start
    for joint in sorted(assembly.joints, key=lambda joint: _place(given, joint)):
        settings = by_name.get(joint.spec.name)
        steps = timeline.steps_of(given, settings, joint.kind)
        if settings is None or not settings.together:
            begin = end
        track = Track(joint.kind, joint.mechanism, steps, begin + (settings.delay_frames if settings else 0))
        tracks[joint.spec.name] = track
        end = max(end, track.end + 1)
    return tuple(tracks[joint.spec.name] for joint in assembly.joints)


def _place(given: bpy.types.PropertyGroup, joint: Joint) -> int:
    names = [entry.name for entry in given.joints]
    return names.index(joint.spec.name) if joint.spec.name in names else 0


def _inputs(assembly: Assembly) -> dict[str, str]:
    result = {}
    for part in assembly.parts:
        settings = part.ob.holdfast
        own = {
            "mesh": meshes.digest(meshes.original(part.ob)),
            "feature": part.ob.get(features.PROPERTY, ""),
            "rest": [round(float(value), 7) + 0.0 for value in part.rest.ravel()],
            "root": part.root.name,
            "material": settings.material,
            "density": round(float(settings.density), 3),
        }
        result[f"part {part.name}"] = digest_json(own)
    return result
