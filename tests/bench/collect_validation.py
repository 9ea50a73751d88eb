# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures tuning takes, clean and with graded faults, and keeps the raw measures for ``tune_validation``.

python -m tests.bench.collect_validation OUT [SCENE ...] [--looks a,b]
"""

import argparse
import pickle
import time
from pathlib import Path

from holdfast.validation.agree import agree
from holdfast.validation.anchors import Rig
from holdfast.validation.measure import KEEP, Measurer
from holdfast.validation.plates import Window, load_plate

from .tuning import LOOKS, Fault, Source, Studio, library

FRAMES = 30
SIZE = (320, 180)
SPAN = (8, 15)
PROBED = (10, 13)
DOSES = {
    "vanish": (1.0,),
    "shift": (12.0,),
    "rubber": (15.0,),
    "colour": (15.0,),
    "flicker": (8.0,),
    "ghost": (1.0,),
}
HERO = {"joint": ("peg", "lid"), "plain_joint": ("lid",), "crowd": ("part3",), "occlusion": ("ball",),
        "small_thin": ("slab", "pin"), "tumble": ("knob",)}  # fmt: skip


def rig_of(studio: Studio) -> Rig:
    scene = studio.scene
    frames = range(scene.frames)
    poses = {f: {i + 1: part.pose(scene.when(f)) for i, part in enumerate(scene.parts)} for f in frames}
    return Rig(poses, {f: (scene.K, scene.camera(scene.when(f))) for f in frames})


def measurer(source: Source) -> Measurer:
    plates = {}

    def load(frame: int) -> object:
        touched = any(f.frames[0] <= frame <= f.frames[1] for f in source.faults)
        if touched:
            return load_plate(source, source, frame, frame, (0.0, 0.0))
        if frame not in plates:
            plates[frame] = load_plate(source, source, frame, frame, (0.0, 0.0))
        return plates[frame]

    scene = source.studio.scene
    parts = [(part.name, i + 1) for i, part in enumerate(scene.parts)]
    made = Measurer(Window(load, KEEP), rig_of(source.studio), parts, [(f, f) for f in range(scene.frames)])
    made.load = load
    return made


def collect(studio: Studio, look: str, hero: tuple[str, ...]) -> list[dict]:
    """Records {scene, look, fault, dose, part (faulty), frames, of}: clean whole, faults at the probed frames."""
    source = Source(studio, look)
    machine = measurer(source)
    for frame in range(studio.scene.frames):
        machine.step(frame, machine.window[frame])
    agree(machine.series, machine.readings)
    base = {"scene": studio.scene.name, "look": look}
    out = [{**base, "fault": "clean", "dose": 0.0, "part": "", "frames": None, "of": machine.series.of}]
    for kind, doses in DOSES.items():
        for dose in doses:
            for part in hero:
                source.faults = (Fault(kind, part, SPAN, dose),)
                again = measurer(source)
                again.window = Window(machine.load, KEEP)
                near = (-1, 0, 1) if kind == "flicker" else (0, 1)
                for frame in sorted({f + d for f in PROBED for d in near}):
                    again.step(frame, again.window[frame])
                agree(again.series, again.readings)
                out.append(
                    {
                        **base,
                        "fault": kind,
                        "dose": dose,
                        "part": part,
                        "frames": PROBED,
                        "of": again.series.of,
                    }
                )
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--looks", default=",".join(LOOKS))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for scene in library(SIZE, FRAMES):
        if args.scenes and scene.name not in args.scenes:
            continue
        studio = Studio(scene)
        for look in args.looks.split(","):
            start = time.time()
            records = collect(studio, look, HERO[scene.name])
            (args.out / f"{scene.name}-{look}.pkl").write_bytes(pickle.dumps(records))
            print(f"{scene.name} {look} {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
