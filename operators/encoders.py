# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine can encode films with, as the worker is told."""

import shutil
import sys
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..pipeline import encode


def encoders() -> dict[str, Any]:
    """What can encode a film: the ffmpeg of the preferences or the search path, and this very Blender."""
    addon = bpy.context.preferences.addons.get(__package__.rpartition(".")[0])
    chosen = bpy.path.abspath(getattr(addon.preferences, "ffmpeg", "")) if addon else ""
    ffmpeg = chosen or shutil.which("ffmpeg") or ""
    script = str(Path(encode.__file__).with_name("encode_in_blender.py"))
    if bpy.app.binary_path:
        flags = ["-b", "--factory-startup", "--python-exit-code", "1"]
        start = [bpy.app.binary_path, *flags, "--python", script, "--"]
    else:  # Blender as a Python module
        start = [sys.executable, script]
    return {
        "ffmpeg": [ffmpeg] if ffmpeg else [],
        "blender": start,
        "blender_bt601": compat.encodes_by_bt601(),
    }
