# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one scene gives one motion and one proof, whatever process, version of Blender, processors and load.

python -m tests.bench.bench_same [--processes 16] [--jobs 2]
Every process is fresh and runs the stage Physics on two scenes: a twist-lock and a hinge on one body, and a twist-lock
that contacts lead, 0.1 mm beside its axis, thrown afterwards as a free body onto a set. Processes are dealt out over the versions under .env; every second one may use one processor only, every third has a busy loop on
the same processors beside it. All have another hash seed. The hashes are the manifests' own, over every bit of poses,
settings, checks and traces; only when and where it was made stays out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts import blender_host

ROOT = blender_host.ROOT
LIMIT_S = 600


@dataclass(frozen=True)
class Found:
    """What one process found; ``motion`` and ``proof`` are the hashes of a scene, empty where it failed."""

    version: str
    one_cpu: bool
    loaded: bool
    motion: str
    proof: str
    said: str
    seconds: float


def versions() -> list[str]:
    """The versions of Blender that are set up."""
    return sorted(path.name.removeprefix("blender-") for path in (ROOT / ".env").glob("blender-*"))


def python_of(version: str) -> Path:
    return ROOT / ".env" / f"blender-{version}" / "bin" / "python"


def fresh(number: int, version: str) -> Found:
    """Runs one process: every second on one processor, every third beside a busy loop."""
    one_cpu, loaded = number % 2 == 1, number % 3 == 2
    allowed = sorted(os.sched_getaffinity(0))
    cpus = {allowed[number // 2 % len(allowed)]} if one_cpu else set(allowed)

    def pin() -> None:
        os.sched_setaffinity(0, cpus)

    began = time.monotonic()
    idle = subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=pin) if loaded else None
    try:
        command = [str(python_of(version)), "-m", "tests.bench.bench_same", "--child"]
        surroundings = {**os.environ, "PYTHONHASHSEED": str(number)}
        ran = subprocess.run(command, cwd=ROOT, env=surroundings, preexec_fn=pin, text=True, timeout=LIMIT_S,
                             capture_output=True, check=False)  # fmt: skip
    finally:
        if idle is not None:
            idle.kill()
            idle.wait()
    lines = [line.split() for line in ran.stdout.splitlines() if line.startswith("HASHES ")]
    motion, proof, said = lines[-1][1:4] if lines else ("", "", ran.stderr.strip()[-300:])
    return Found(version, one_cpu, loaded, motion, proof, said, time.monotonic() - began)


def child() -> None:
    """In Blender: builds the scenes, runs the stage, prints the hashes and verdicts."""
    sys.path.insert(0, str(ROOT / "tests" / "blender"))
    import bpy
    import test_physics_family as family

    motions, proofs, verdicts = [], [], []
    for build in (lambda: family.two_joints(bpy.context.scene, together=False), led_and_thrown):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        build()
        with tempfile.TemporaryDirectory() as folder:
            made, proof = family.run(bpy.context.scene, Path(folder))
        motions.append(made.data["motion_hash"][:16])
        proofs.append(proof.digest[:16])
        verdicts.append(made.data["verdict"])
    print("HASHES", "+".join(motions), "+".join(proofs), "+".join(sorted(set(verdicts))), flush=True)


def led_and_thrown() -> None:
    """Contacts lead the peg and Bullet throws the product: the motion that is hardest to keep the same."""
    import bpy
    import physics_parts as parts_of

    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 10, 24
    parts_of.lantern()
    ground = parts_of.lathe("ground", ((0.0, -0.05), (0.4, -0.05), (0.4, -0.036), (0.0, -0.036)))
    ground.holdfast.is_part, ground.holdfast.part, ground.holdfast.part_id = True, "ground", 9
    ground.holdfast.role = "SET"
    joint = scene.holdfast.physics.joints.add()
    joint.name, joint.kind, joint.mode, joint.hand_mm = "joint", "TWIST_LOCK", "SIMULATED", 0.1
    finale = scene.holdfast.physics.finale
    finale.kind, finale.free_frames = "THROW", 30


def measure(processes: int, jobs: int, wanted: Sequence[str]) -> list[Found]:
    """``processes`` fresh ones in all, dealt out over the versions ``wanted``, ``jobs`` at a time."""
    deals = [(number // len(wanted), wanted[number % len(wanted)]) for number in range(processes)]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda deal: fresh(*deal), deals))


def hashes(found: Sequence[Found]) -> str:
    """The figure: how many different hashes in how many processes."""
    motions, proofs = {one.motion for one in found}, {one.proof for one in found}
    return f"{len(motions)} motion, {len(proofs)} report in {len(found)} processes"


def table(found: Sequence[Found]) -> None:
    print(
        f"{'Blender':8} {'processes':>9} {'1 CPU':>6} {'loaded':>6} {'engaged':>7} {'motions':>7} {'reports':>7}  hashes"
    )
    for version in sorted({one.version for one in found}):
        own = [one for one in found if one.version == version]
        motions, proofs = Counter(one.motion for one in own), Counter(one.proof for one in own)
        print(
            f"{version:8} {len(own):9} {sum(one.one_cpu for one in own):6} {sum(one.loaded for one in own):6} "
            f"{sum(one.said == 'engaged' for one in own):7} {len(motions):7} {len(proofs):7}  "
            f"{' '.join(motions)} | {' '.join(proofs)}"
        )
    print(f"all: {hashes(found)}; {sum(one.seconds for one in found) / len(found):.1f} s each")
    for one in found:
        if not one.motion:
            print(f"failed: {one.version}: {one.said}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--child", action="store_true")
    args = parser.parse_args()
    if args.child:
        child()
        return 0
    found = measure(args.processes, args.jobs, versions())
    table(found)
    return int(len({one.motion for one in found}) != 1 or len({one.proof for one in found}) != 1)


if __name__ == "__main__":
    blender_host.leave(main())
