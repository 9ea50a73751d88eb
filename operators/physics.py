# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage Physics: fits the lock, bakes the motion, proves it, and gives the parts their rigid bodies."""

import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..physics import assembly as reading
from ..physics import (
    author,
    constraint,
    dropped,
    evidence,
    finale,
    fit,
    led,
    meshes,
    overlap,
    page,
    pictures,
    proof,
    proxies,
)
from ..physics.assembly import MOTION, Joint
from ..physics.finale import Carried, Finale
from ..physics.joints.record import PROPERTY, to_json
from ..physics.lab import lab_scene, sweep
from ..physics.rollback import Rollback
from ..physics.units import MM
from ..pipeline.errors import HoldfastError, InputError
from ..pipeline.manifest import Manifest, stale_reason
from ..pipeline.project import ShotFolder
from ..pipeline.store import canonical_json, write_json, writing
from .physics_plan import Plan, plan
from .steps import Progress, Stage, StageGenerator, StageOptions, StageState

MOTION_SCHEMA = "holdfast/motion"
PROOF_SCHEMA = "holdfast/proof"


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
    if any(root.get(MOTION) != digest for root in found.assembly.roots):
        return "the scene does not carry this motion"
    if any(part.ob.data.get(meshes.ORIGINAL) is None for part in found.fitted):
        return "the parts do not carry their lock"
    return None


def run(scene: bpy.types.Scene, shot: ShotFolder, options: StageOptions) -> StageGenerator:
    """Fits, bakes, proves and writes; the scene gets meshes, keys and proxies, or stays as it was."""
    yield Progress(0.0, "Reading the parts")
    sweep()
    scene.view_layers[0].update()  # a script may have moved the set just now
    found = plan(scene)
    before = Manifest.find(shot.motion / "motion.json", MOTION_SCHEMA)
    proven = Manifest.find(shot.motion / "proof.json", PROOF_SCHEMA)
    if not options.force and _stale(found, before, proven) is None and before is not None:
        return before
    touched = {*found.assembly.roots, *(part.ob for part in found.fitted)}
    back = Rollback(sorted(touched, key=lambda ob: ob.name))
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
    for entry, joint in zip(scene.holdfast.physics.joints, _listed(scene, found), strict=True):
        entry.peg = (
            entry.peg or joint.peg.ob
        )  # what was found by itself is shown in the list and the viewport
        entry.socket = entry.socket or joint.socket.ob
    scene.frame_set(scene.frame_current)
    return manifest


def _listed(scene: bpy.types.Scene, found: Plan) -> list[Joint]:
    """The joints in the order of the list in the scene, if there is one."""
    by_name = {joint.spec.name: joint for joint in found.assembly.joints}
    return [by_name[entry.name] if entry.name in by_name else found.assembly.joints[0]
            for entry in scene.holdfast.physics.joints]  # fmt: skip


def _make(scene: bpy.types.Scene, shot: ShotFolder, found: Plan) -> StageGenerator:
    started = time.monotonic()
    yield from _fit(found)
    for part in found.heroes:
        yield Progress(0.14, f"Weighing {part.name}")
        proxies.weigh(part)
    found = yield from _led(found)
    found = yield from _freed(scene, found)
    poses, digest, seen = yield from _bake(found)
    proofs, cuts, count = [], {}, len(found.assembly.joints)
    for index, (joint, one) in enumerate(zip(found.assembly.joints, seen, strict=True)):
        proving = proof.prove(joint.spec, joint.mechanism, one)
        data = yield from _relay(proving, 0.38 + 0.54 * index / count, 0.54 / count)
        yield Progress(0.38 + 0.54 * (index + 1) / count, "Cutting through the joint for its page")
        cuts[joint.spec.name] = pictures.cuts(joint, one, data)
        proofs.append(data)
    bodies = yield from _bodies(scene, found, poses[0])
    for joint in found.assembly.joints:
        record = canonical_json(to_json(joint.spec)).decode()
        joint.socket.ob[PROPERTY if count == 1 else f"{PROPERTY} {joint.spec.name}"] = record
    data = proof.together(proofs)
    events = {
        name if count == 1 else f"{joint.spec.name} {name}": list(span)
        for joint, track in zip(found.assembly.joints, found.tracks, strict=True)
        for name, span in track.spans().items()
    }
    if found.finale is not None and found.ending is not None:
        data |= _ended(found, found.finale, found.ending, data)
        events["lift"] = [found.finale.start + 1, found.finale.release]
        events["free"] = [found.finale.release + 1, found.finale.end]
    content = {
        "frames": [found.frames[0], found.frames[-1]], "fps": list(found.fps), "poses": "poses.npz",
        "parts": [part.name for part in found.assembly.parts], "motion_hash": digest,
        "joints": [to_json(joint.spec) for joint in found.assembly.joints],
        "bodies": bodies, "events": events, "verdict": data["verdict"], "says": data["says"],
    }  # fmt: skip
    yield Progress(0.98, "Writing motion and proof")
    write_json(shot.motion / page.SECTIONS, cuts)
    return _write(shot.motion, found, content, poses, data, time.monotonic() - started)


def _bake(found: Plan) -> Generator[Progress, None, tuple[np.ndarray, str, list[proof.Evidence]]]:
    """Keys the parts and reads them back. Gives the poses at whole frames, their hash and what was seen of each joint."""
    yield Progress(0.16, "Writing the keys")
    assembly, tracks = found.assembly, found.tracks
    times = author.key_times(assembly, tracks, found.frames, found.ending)
    at_keys = author.motion_at(assembly, tracks, times, found.ending)
    poses = author.world_poses(assembly, author.motion_at(assembly, tracks, found.frames, found.ending))
    digest = author.motion_hash([part.name for part in assembly.parts], found.frames, poses)
    author.apply_motion(assembly, times, at_keys, digest)
    samples = evidence.Samples(found.frames, (len(times) - 1) // max(len(found.frames) - 1, 1))
    with lab_scene("read back") as lab:
        reading_back = author.read_back(lab, assembly.parts, samples.times)
        read = yield from _relay(reading_back, 0.18, 0.12, "Reading the keys back")
    seen = []
    for joint, track in zip(assembly.joints, tracks, strict=True):
        cutting = overlap.overlaps(assembly, joint, read, samples.near_contact(track))
        cut = yield from _relay(cutting, 0.30, 0.08, "Holding the meshes against each other")
        seen.append(evidence.gather(assembly, joint, track, samples, poses, read, cut))
    return poses, digest, seen


def _led(found: Plan) -> Generator[Progress, None, Plan]:
    """The plan with the motion of its simulated joints."""
    tracks = []
    for joint, track in zip(found.assembly.joints, found.tracks, strict=True):
        if joint.spec.mode == "SIMULATED":
            leading = led.lead(track, found.rate, joint.spec.hand_mm * MM)
            track = yield from _relay(leading, 0.15, 0.0, f"Leading {joint.spec.name} by hand")
        tracks.append(track)
    return replace(found, tracks=tuple(tracks))


def _freed(scene: bpy.types.Scene, found: Plan) -> Generator[Progress, None, Plan]:
    """The plan with the free motion of its finale."""
    if found.finale is None:
        return found
    at_end = author.motion_at(found.assembly, found.tracks, [float(found.finale.start)])
    x, y, z = scene.gravity if scene.use_gravity else (0.0, 0.0, 0.0)
    worlds = author.world_poses(found.assembly, at_end)[0]
    shot = dropped.Scene(found.assembly, found.tracks, worlds, found.ground, found.rate, (x, y, z))
    words = finale.KINDS[found.finale.kind][0].lower()
    ending, tracks = yield from _relay(
        dropped.release(shot, found.finale), 0.15, 0.0, f"Free motion: {words}"
    )
    return replace(found, ending=ending, tracks=tracks)


def _ended(found: Plan, ended: Finale, ending: Carried, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the proof says of the finale."""
    broke = [
        (joint.spec, track.broke)
        for joint, track in zip(found.assembly.joints, found.tracks, strict=True)
        if track.broke
    ]
    says = finale.sentence(ended, ending, [(spec.name, frame, spec.break_n) for spec, frame in broke])
    record = {"kind": ended.kind, "release": ended.release, "end": ended.end, "says": [says, *ending.says],
              "breaks": [{"joint": spec.name, "frame": frame, "force_n": spec.break_n} for spec, frame in broke],
              "sinks_mm": round(ending.sinks / MM, 4)}  # fmt: skip
    return {"finale": record, "says": f"{data['says']} {says}"}


def _bodies(
    scene: bpy.types.Scene, found: Plan, worlds: np.ndarray
) -> Generator[Progress, None, list[dict[str, object]]]:
    """Gives the parts their rigid bodies; all of them or, where there were none before, none.

    ``worlds`` (P, 4, 4): all parts at the first frame, in which free joints are joined.
    """
    fresh = not proxies.there()
    made = []
    try:
        for part in found.heroes:
            body = yield from _relay(proxies.build(scene, part), 0.95, 0.0, f"Rigid body of {part.name}")
            made.append(body.to_json())
        constraint.part(scene)
        for joint in found.assembly.joints:
            if joint.spec.mode == "FREE":
                own = found.assembly.parts.index(joint.socket)
                constraint.join(scene, joint, dropped.rim_at(joint, worlds[own]))
    except BaseException:
        if fresh:
            constraint.part(scene)
            proxies.withdraw(scene)
        raise
    return made


def _fit(found: Plan) -> Generator[Progress, None, None]:
    """Fits every joint; a part with several of them gets them one after the other, from its untouched mesh."""
    for part in found.fitted:
        onto = None
        for joint in found.assembly.joints:
            for side, own, frame in (
                ("peg", joint.peg, joint.peg_frame),
                ("socket", joint.socket, joint.socket_frame),
            ):
                if own.ob == part.ob:
                    yield Progress(0.02, f"Fitting {joint.spec.name} to {part.name}")
                    onto = fit.fit(side, part.ob, frame, part.scale, joint.mechanism, onto)
        if onto is not None:
            fit.apply(part.ob, onto)
            yield Progress(0.1, f"Fitted {part.name}")


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
        # as the hash has them, to the nanometre: below that, versions of numpy differ by a bit
        rounded = np.round(poses, 9) + 0.0
        np.savez(part, poses=rounded, frames=np.array(found.frames, dtype=np.int32))
    manifest = Manifest(MOTION_SCHEMA, found.settings, found.inputs, content)
    manifest = manifest.with_files(folder, [folder / "poses.npz"])
    manifest = replace(
        manifest, made={**manifest.made, "seconds": round(seconds, 3), "blender": bpy.app.version_string}
    )
    proven = Manifest(PROOF_SCHEMA, found.settings, {"motion": manifest.digest}, data)
    proven.save(folder / "proof.json")
    manifest.save(folder / "motion.json")
    page.proof_page(folder)
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
        for key in [key for key in ob.keys() if key.startswith(PROPERTY)]:  # noqa: SIM118  ID properties are no dict
            del ob[key]
    constraint.part(scene)
    proxies.withdraw(scene)
    return changed


def numbers(folder: Path) -> str:
    """The proof in one sentence, or an empty string while there is none. Raises InputError for a damaged proof."""
    proven = Manifest.find(folder / "proof.json", PROOF_SCHEMA)
    return "" if proven is None else str(proven.data["says"])


STAGE = Stage("physics", "Physics", run, state, verb="Simulate and Prove", edits_scene=True)
