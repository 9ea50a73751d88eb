# SPDX-License-Identifier: GPL-3.0-or-later
"""The window test: a real Blender, real clicks, pictures of every panel.

    blender --enable-event-simulate --python tests/window/drive.py -- --out DIR [--through STAGE]

Uses the installed extension, or enables this checkout if there is none. Leaves with 0, or with 1 and the reason.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import checks  # noqa: E402
import robot  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="drive.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--through", default="assets", help="the last stage to run by clicks")
    parser.add_argument("--only", default="", help="only these checks, by name, with commas")
    parser.add_argument("--limit", type=float, default=1100.0, help="give up after this many seconds")
    return parser.parse_args(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])


def extension() -> Callable[[str], ModuleType]:
    """Imports modules of the enabled extension by their path in the package."""
    enabled = [each.module for each in bpy.context.preferences.addons if each.module.endswith(".holdfast")]
    if enabled:
        package = enabled[0]
    else:
        from scripts import blender_host

        package = blender_host.enable(Path(tempfile.mkdtemp(prefix="holdfast-window-"))).__name__
    print(f"extension {package} on Blender {bpy.app.version_string}", flush=True)
    return lambda name: importlib.import_module(f".{name}" if name else ".", package)


def open_every_panel(module: Callable[[str], ModuleType]) -> None:
    """Panels start closed; this must happen before the tab is drawn for the first time."""
    for cls in module("panels").CLASSES:
        if issubclass(cls, bpy.types.Panel):
            bpy.utils.unregister_class(cls)
            cls.bl_options = set(getattr(cls, "bl_options", ())) - {"DEFAULT_CLOSED"}
            bpy.utils.register_class(cls)


def main() -> None:
    try:
        options = arguments()
        options.out.mkdir(parents=True, exist_ok=True)
        module = extension()
        bpy.context.preferences.view.show_splash = False
        bpy.context.preferences.system.use_region_overlap = True
        open_every_panel(module)
        hand = robot.Robot(options.out)
        walk = checks.Walk(hand, module, Path(tempfile.mkdtemp(prefix="holdfast-window-")), options.through)
    except BaseException:
        traceback.print_exc()
        robot.leave(1)
    robot.run(lambda: everything(walk, options.only), options.limit)


def everything(walk: Any, only: str) -> robot.Steps:
    """The checks in order; each prints its line, the first that fails ends the test."""
    for check in [check for check in checks.ALL if not only or check.__name__ in only.split(",")]:
        began = time.monotonic()
        said = yield from check(walk)
        print(f"ok {check.__name__} ({time.monotonic() - began:.1f} s) {said or ''}".rstrip(), flush=True)
    shutil.rmtree(walk.folder, ignore_errors=True)


if __name__ == "__main__":
    main()
