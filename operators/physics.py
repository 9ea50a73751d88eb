# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage Physics: fits the lock, bakes the motion, proves it, and gives the parts their rigid bodies."""

import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..physics import assembly as reading
from ..physics import author, evidence, features, fit, kit, meshes, overlap, path, proof, proxies
from ..physics.assembly import MOTION, Assembly
from ..physics.lab import lab_scene, sweep
from ..physics.rollback import Rollback
from ..physics.spec import PROPERTY
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.store import canonical_json, digest_json, writing
from .steps import Progress, Stage, StageGenerator, StageOptions, StageState

MOTION_SCHEMA = "holdfast/motion"
PROOF_SCHEMA = "holdfast/proof"


@dataclass(frozen=True)
class Plan:
    """All that decides the result: the assembly, its kit, the timing and the frame rate, with their digests."""

    assembly: Assembly
    kit: kit.Kit
    timing: path.Timing
    frames: tuple[int, ...]
    fps: tuple[int, int]
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]

    @property
    def heroes(self) -> list[reading.Part]:
        """The parts that get rigid bodies: those of the product, not the set around it."""
        return [part for part in self.assembly.parts if part.ob.holdfast.role != "SET"]


def plan(scene: bpy.types.Scene) -> Plan:
    """Reads the scene. Raises InputError with what is missing or wrong; changes nothing."""
    assembly = reading.read(scene)
    lock = kit.make(assembly.spec)
    given = scene.holdfast.physics
    phases = {
        name: getattr(given.timing, f"{name}_frames")
        for name in ("align", "insert", "twist", "click", "hold")
    }
    timing = path.Timing(start=scene.frame_start, pull=given.pull_on_screen, **phases)
    last = max(timing.frames[-1], scene.frame_end)
    frames = tuple(range(scene.frame_start, last + 1))
    rate = Fraction(scene.render.fps) / Fraction(scene.render.fps_base).limit_denominator(1001)
    fps = (rate.numerator, rate.denominator)
    settings = {
        "joint": assembly.spec.to_json(), "timing": asdict(timing), "fps": list(fps),
        "frames": [frames[0], frames[-1]], "lab": asdict(proof.LabSettings()),
    }  # fmt: skip
    return Plan(assembly, lock, timing, frames, fps, settings, _inputs(assembly))


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


def state(scene: bpy.types.Scene, shot: ShotFolder) -> StageState:
    """Cheap: manifests and digests. Fresh results whose proof is against them say so in the reason."""
    try:
        manifest = Manifest.find(shot.motion / "motion.json", MOTION_SCHEMA)
        if manifest is None:
            return StageState("missing")
        found = plan(scene)
        proven = Manifest.find(shot.motion / "proof.json", PROOF_SCHEMA)
        reason = _stale(found, manifest, proven)
    except HoldfastError as error:
        return StageState("failed", str(error))
    if reason is not None or proven is None:
        return StageState("stale", reason or "")
    if proven.data["verdict"] != "engaged":
        return StageState("failed", str(proven.data["says"]))
    return StageState("fresh", str(proven.data["says"]))


def _stale(found: Plan, manifest: Manifest | None, proven: Manifest | None) -> str | None:
    reason = stale_reason(manifest, found.settings, found.inputs)
    if reason is not None or manifest is None:
        return reason
    if proven is None or proven.inputs.get("motion") != manifest.digest:
        return "the motion is not proven yet"
    digest = manifest.data["motion_hash"]
    if any(root.get(MOTION) != digest for root in (found.assembly.peg.root, found.assembly.socket.root)):
        return "the scene does not carry this motion"
    if any(part.ob.data.get(meshes.ORIGINAL) is None for part in (found.assembly.peg, found.assembly.socket)):
        return "the parts do not carry their lock"
    return None


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Fits, bakes, proves and writes; the scene gets meshes, keys and proxies, or stays as it was."""
    yield Progress(0.0, "Reading the parts")
    sweep()
    found = plan(scene)
    before = Manifest.find(shot.motion / "motion.json", MOTION_SCHEMA)
    proven = Manifest.find(shot.motion / "proof.json", PROOF_SCHEMA)
    if not options.force and _stale(found, before, proven) is None and before is not None:
        return before
    roots = {part.root for part in (found.assembly.peg, found.assembly.socket)}
    back = Rollback(sorted(roots | {found.assembly.peg.ob, found.assembly.socket.ob}, key=lambda ob: ob.name))
    try:
        manifest = yield from _make(scene, shot, found)
    except ReferenceError as error:
        back.undo()
        todo = "Run Physics again and leave the scene alone until it is done."
        raise InputError("The scene was changed while Physics ran", todo=todo) from error
    except BaseException:
        back.undo()
        raise
    back.commit()
    for (
        joint
    ) in scene.holdfast.physics.joints:  # what was found by itself is shown in the list and the viewport
        joint.peg = joint.peg or found.assembly.peg.ob
        joint.socket = joint.socket or found.assembly.socket.ob
    scene.frame_set(scene.frame_current)
    return manifest


def _make(scene: bpy.types.Scene, shot: ShotFolder, found: Plan) -> StageGenerator:
    started = time.monotonic()
    yield from _fit(found)
    for part in found.heroes:
        yield Progress(0.14, f"Weighing {part.name}")
        proxies.weigh(part)
    poses, digest, seen = yield from _bake(found)
    spec = found.assembly.spec
    data = yield from _relay(proof.prove(spec, found.kit, seen), 0.38, 0.56)
    bodies = yield from _bodies(scene, found)
    found.assembly.socket.ob[PROPERTY] = canonical_json(spec.to_json()).decode()
    content = {
        "frames": [found.frames[0], found.frames[-1]], "fps": list(found.fps), "poses": "poses.npz",
        "parts": [part.name for part in found.assembly.parts], "motion_hash": digest, "joints": [spec.to_json()],
        "bodies": bodies, "events": {name: list(span) for name, span in found.timing.events.items()},
        "verdict": data["verdict"], "says": data["says"],
    }  # fmt: skip
    yield Progress(0.98, "Writing motion and proof")
    return _write(shot.motion, found, content, poses, data, time.monotonic() - started)


def _bake(found: Plan) -> Generator[Progress, None, tuple[np.ndarray, str, proof.Evidence]]:
    """Keys the parts and reads them back. Gives the poses at whole frames, their hash and what was seen."""
    yield Progress(0.16, "Writing the keys")
    assembly, lock, timing = found.assembly, found.kit, found.timing
    times = author.key_times(assembly, lock, timing, found.frames)
    at_keys = author.carriers(assembly, *path.poses(timing, lock, times))
    at_frames = author.carriers(assembly, *path.poses(timing, lock, found.frames))
    poses = author.world_poses(assembly, at_frames)
    digest = author.motion_hash([part.name for part in assembly.parts], found.frames, poses)
    author.apply_motion(assembly, times, at_keys, digest)
    samples = evidence.Samples(found.frames, len(times) // len(found.frames[1:]))
    with lab_scene("read back") as lab:
        reading_back = author.read_back(lab, assembly.parts, samples.times)
        read = yield from _relay(reading_back, 0.18, 0.12, "Reading the keys back")
    cutting = overlap.overlaps(assembly, read, samples.near_contact(timing))
    cut = yield from _relay(cutting, 0.30, 0.08, "Holding the meshes against each other")
    return poses, digest, evidence.gather(assembly, lock, timing, samples, poses, read, cut)


def _bodies(scene: bpy.types.Scene, found: Plan) -> Generator[Progress, None, list[dict[str, object]]]:
    """Gives the parts their rigid bodies; all of them or, where there were none before, none."""
    fresh = not proxies.there()
    made = []
    try:
        for part in found.heroes:
            body = yield from _relay(proxies.build(scene, part), 0.95, 0.0, f"Rigid body of {part.name}")
            made.append(body.to_json())
    except BaseException:
        if fresh:
            proxies.withdraw(scene)
        raise
    return made


def _fit(found: Plan) -> Generator[Progress, None, None]:
    peg, socket = found.assembly.peg, found.assembly.socket
    yield Progress(0.02, f"Fitting the lugs to {peg.name}")
    fit.apply(peg.ob, fit.fit_peg(peg.ob, found.assembly.peg_frame, peg.scale, found.kit))
    yield Progress(0.07, f"Cutting the lock into {socket.name}")
    fit.apply(socket.ob, fit.fit_socket(socket.ob, found.assembly.socket_frame, socket.scale, found.kit))


def _relay(
    inner: Generator[Any, None, Any], start: float, share: float, message: str = ""
) -> Generator[Progress, None, Any]:
    """Passes on what ``inner`` yields (a fraction, a fraction and a message, or nothing) and gives its result."""
    try:
        while True:
            told = next(inner)
            fraction, said = told if isinstance(told, tuple) else (told or 0.0, message)
            yield Progress(start + share * fraction, said)
    except StopIteration as stop:
        return stop.value
    finally:
        inner.close()


def _write(folder: Path, found: Plan, content: dict[str, Any], poses: np.ndarray, data: dict[str, Any],
           seconds: float) -> Manifest:  # fmt: skip
    """The poses first, the motion's manifest last but for the proof, which names it."""
    with writing(folder / "poses.npz") as part:
        np.savez(part, poses=poses, frames=np.array(found.frames, dtype=np.int32))
    manifest = Manifest(MOTION_SCHEMA, found.settings, found.inputs, content)
    manifest = manifest.with_files(folder, [folder / "poses.npz"])
    manifest = replace(
        manifest, made={**manifest.made, "seconds": round(seconds, 3), "blender": bpy.app.version_string}
    )
    proven = Manifest(PROOF_SCHEMA, found.settings, {"motion": manifest.digest}, data)
    proven.save(folder / "proof.json")
    manifest.save(folder / "motion.json")
    return manifest


def clear(scene: bpy.types.Scene) -> int:
    """Takes motion, lock and proxies off all parts and puts their own meshes back. Returns how many parts changed."""
    changed = 0
    for ob in reading.part_objects(scene):
        root = ob
        while root.parent is not None:
            root = root.parent
        author.clear_keys(root)
        changed += meshes.restore(ob)
        ob.pop(PROPERTY, None)
    proxies.withdraw(scene)
    return changed


def numbers(folder: Path) -> str:
    """The proof in one sentence, or an empty string while there is none. Raises InputError for a damaged proof."""
    proven = Manifest.find(folder / "proof.json", PROOF_SCHEMA)
    return "" if proven is None else str(proven.data["says"])


STAGE = Stage("physics", "Physics", run, state, verb="Simulate and Prove", edits_scene=True)
