# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures tuning takes, clean and with faults, and keeps the measures for ``tune_validation``.

python -m tests.bench.collect_validation OUT [--scenes a,b] [--looks a,b] [--faults 9] [--doses] [--cache FOLDER]

A record a take: {scene, look, fault, dose, part, other, frames, series}; "clean" ones have no part. Combinations that
are there are left alone, so that it can be stopped and several can run side by side.
"""

import argparse
import pickle
import random
import time
import zlib
from pathlib import Path
from typing import Any

from holdfast.validation.anchors import Rig
from holdfast.validation.measure import Measurer
from holdfast.validation.plates import Window, load_plate
from holdfast.validation.series import Series

from .tuning import DOSES, LOOKS, VISIBLE, Fault, Source, Studio, library, targets

FIRST = ("joint", "swap", "slip", "text", "not_back", "not_hidden")
"""Faults that few scenes and looks can show: planted wherever they can be."""


def rig_of(source: Source) -> Rig:
    frames = range(source.studio.scene.frames)
    return Rig({f: source.poses(f) for f in frames}, {f: source.camera(f) for f in frames})


def measured(source: Source) -> Series:
    """The measures of a take, as the stage would find them with a right frame map."""
    scene = source.studio.scene
    window = Window(lambda i: load_plate(source, source, i, i), scene.frames)
    parts = [(name, i + 1) for i, name in enumerate(scene.names)]
    machine = Measurer(window, rig_of(source), parts, [(f, f) for f in range(scene.frames)])
    for index in range(scene.frames):
        machine.step(index)
    return machine.series


def planted(source: Source, faults: int, graded: bool) -> list[Fault]:
    """The faults to plant into one scene and look: the rare ones first, the rest drawn by the names' own seed."""
    scene, look = source.studio.scene, source.look
    known = targets(scene, look)
    rng = random.Random(zlib.crc32(f"{scene.name}{look}".encode()))
    kinds = [kind for kind in DOSES if known.get(kind) and kind != "sham"]
    rng.shuffle(kinds)
    kinds.sort(key=lambda kind: FIRST.index(kind) if kind in FIRST else len(FIRST))
    out = []
    for kind in kinds[:faults]:
        target = rng.choice(known[kind][:3])
        doses = DOSES[kind][0] if graded else (VISIBLE[kind],)
        out += [Fault(kind, target.part, target.frames, float(dose), target.other) for dose in doses]
    return out


def collect(scene: Any, look: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    source = Source(Studio(scene, cache=args.cache), look)
    base = {"scene": scene.name, "look": look}
    clean = {
        "fault": "clean",
        "dose": 0.0,
        "part": "",
        "other": "",
        "frames": None,
        "series": measured(source),
    }
    out = [base | clean]
    for fault in planted(source, args.faults, args.doses):
        source.faults = (fault,)
        what = {
            "fault": fault.kind,
            "dose": fault.dose,
            "part": fault.part,
            "other": fault.other,
            "frames": fault.frames,
        }
        out.append(base | what | {"series": measured(source)})
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", default="")
    parser.add_argument("--looks", default=",".join(LOOKS))
    parser.add_argument("--faults", type=int, default=9)
    parser.add_argument(
        "--doses", action="store_true", help="every dose of a fault, not only the visible one"
    )
    parser.add_argument("--cache", type=Path, default=None)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    scenes = [s for s in library() if not args.scenes or s.name in args.scenes.split(",")]
    looks = args.looks.split(",")
    for turn in range(len(looks)):  # diagonally: an early stop has seen all scenes and looks
        for number, scene in enumerate(scenes):
            look = looks[(number + turn) % len(looks)]
            path = args.out / f"{scene.name}-{look}.pkl"
            if not path.exists():
                start = time.time()
                records = collect(scene, look, args)
                path.with_suffix(".tmp").write_bytes(pickle.dumps(records))
                path.with_suffix(".tmp").replace(path)
                print(f"{scene.name} {look}: {len(records)} takes, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
