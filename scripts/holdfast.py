# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a Holdfast command without a Blender executable: `python scripts/holdfast.py [FILE.blend] ARGUMENTS`.

The same as `blender -b [FILE.blend] --command holdfast ARGUMENTS`, in an environment that has bpy, with the
extension loaded from this checkout and with Blender's user folders in a temporary place. What Blender itself
prints while it renders goes to build/blender.log.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import traceback
from pathlib import Path

import blender_host


def quiet_blender() -> None:
    """Send what Blender's C code prints to a log; what Python prints still reaches the terminal."""
    log = blender_host.ROOT / "build" / "blender.log"
    log.parent.mkdir(exist_ok=True)
    terminal = os.dup(1)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
    sys.stdout = os.fdopen(terminal, "w", buffering=1)


def run(arguments: list[str], user_folder: Path) -> int:
    import bpy

    extension = blender_host.enable(user_folder)
    if arguments and arguments[0].endswith(".blend"):
        bpy.ops.wm.open_mainfile(filepath=str(Path(arguments.pop(0)).resolve()))
    command_line = importlib.import_module(f"{extension.__name__}.command_line")
    return int(command_line.main(arguments))


def main(arguments: list[str]) -> int:
    user_folder = blender_host.isolate()
    quiet_blender()
    try:
        return run(arguments, user_folder)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        shutil.rmtree(user_folder, ignore_errors=True)


if __name__ == "__main__":
    blender_host.leave(main(sys.argv[1:]))
