# SPDX-License-Identifier: GPL-3.0-or-later
"""Print how long Blender takes to enable and to disable the extension (median of several runs)."""

from __future__ import annotations

import shutil
import statistics
import time

import blender_host

RUNS = 9


def milliseconds_since(start: float) -> float:
    return 1000.0 * (time.perf_counter() - start)


def main() -> int:
    user_folder = blender_host.isolate()
    import bpy

    start = time.perf_counter()
    extension = blender_host.enable(user_folder)
    first = milliseconds_since(start)
    enabling, disabling = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        extension.unregister()
        disabling.append(milliseconds_since(start))
        start = time.perf_counter()
        extension.register()
        enabling.append(milliseconds_since(start))
    print(
        f"Blender {bpy.app.version_string}: first enable, imports included {first:.0f} ms; "
        f"register {statistics.median(enabling):.1f} ms; unregister {statistics.median(disabling):.1f} ms"
    )
    shutil.rmtree(user_folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    blender_host.leave(main())
