# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a Holdfast command without a Blender executable: `python scripts/holdfast.py [FILE.blend] ARGUMENTS`.

The same as `blender -b [FILE.blend] --command holdfast ARGUMENTS`, in an environment that has bpy, with the
extension loaded from this checkout and with Blender's user folders in a temporary place.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import traceback
from pathlib import Path

import blender_host


def run(arguments: list[str], user_folder: Path) -> int:
    import bpy

    extension = blender_host.enable(user_folder)
    if arguments and arguments[0].endswith(".blend"):
        bpy.ops.wm.open_mainfile(filepath=str(Path(arguments.pop(0)).resolve()))
    command_line = importlib.import_module(f"{extension.__name__}.command_line")
    return int(command_line.main(arguments))


def main(arguments: list[str]) -> int:
    user_folder = blender_host.isolate()
    try:
        return run(arguments, user_folder)
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        shutil.rmtree(user_folder, ignore_errors=True)


if __name__ == "__main__":
    blender_host.leave(main(sys.argv[1:]))
