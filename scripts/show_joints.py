# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of every kind of joint for the documentation: a strip a kind, from the real stage, the socket cut open.

show_joints.py [KIND ...] [--clip] [--samples 48]   (with a Python that has bpy and Pillow)
Parts are lathe-made; lugs, slots, grooves and threads are what the fit cuts, motion is what the stage keys. Only the
socket's quarter is taken away, for the picture. Writes docs/images/joints/KIND.jpg, or KIND.webp with --clip.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import blender_host

OUT = blender_host.ROOT / "docs" / "images" / "joints"
FRAMES = 6


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("kinds", nargs="*")
    options.add_argument("--clip", action="store_true", help="looping clips in place of the strips")
    options.add_argument("--samples", type=int, default=48)
    options.add_argument("--out", type=Path, default=OUT)
    chosen = options.parse_args(arguments)
    package = blender_host.enable(blender_host.isolate()).__name__
    sys.path.insert(0, str(blender_host.ROOT / "tests" / "blender"))
    import show_joints_studio as studio

    def module(name: str) -> Any:
        return importlib.import_module(f"{package}.{name}")

    chosen.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for kind in module("physics.joints").KINDS:
        if chosen.kinds and kind.name not in chosen.kinds:
            continue
        with tempfile.TemporaryDirectory() as folder:
            shot = studio.Shot(module, kind, Path(folder), chosen.samples)
            try:
                shot.make()
            except module("pipeline.errors").HoldfastError as error:
                print(f"{kind.name}: {error}", flush=True)
                failed += 1
                continue
            name = kind.name.lower()
            if chosen.clip:
                target = shot.clip(chosen.out / f"{name}.webp")
            else:
                target = shot.strip(chosen.out / f"{name}.jpg", FRAMES)
            print(f"{kind.name}: {shot.verdict}; {target}, {target.stat().st_size // 1024} KB", flush=True)
    return failed


if __name__ == "__main__":
    blender_host.leave(main(sys.argv[1:]))
