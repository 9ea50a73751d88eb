# SPDX-License-Identifier: GPL-3.0-or-later
"""Call a real Blender executable with its user folders in a place of our own, and install the built zip there.

`real_blender.py BLENDER ZIP FOLDER` installs and enables ZIP with FOLDER as the user's resource folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = "bl_ext.user_default.holdfast"


def environment(user_folder: Path) -> dict[str, str]:
    """The environment of a Blender that keeps to `user_folder` and never asks for a screen of its own."""
    return {**os.environ, "BLENDER_USER_RESOURCES": str(user_folder), "LIBGL_ALWAYS_SOFTWARE": "1"}


def call(
    blender: Path, user_folder: Path, *arguments: str | Path, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run Blender to its end and return its exit code and output (stdout and stderr together)."""
    return subprocess.run(
        [str(blender), *map(str, arguments)],
        env=environment(user_folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )


def install(blender: Path, archive: Path, user_folder: Path) -> None:
    """Install and enable the extension's zip; raises RuntimeError with Blender's words if either fails."""
    user_folder.mkdir(parents=True, exist_ok=True)
    arguments = (
        "--command",
        "extension",
        "install-file",
        "-r",
        "user_default",
        "--enable",
        archive.resolve(),
    )
    done = call(blender, user_folder, *arguments)
    # Blender exits 0 and only prints when an extension fails to register, so the command is asked for as well.
    asked = call(blender, user_folder, "--background", "--command", "holdfast", "--help")
    if done.returncode or asked.returncode:
        raise RuntimeError(f"{archive.name} did not install into {blender}:\n{done.stdout}\n{asked.stdout}")


if __name__ == "__main__":
    install(*map(Path, sys.argv[1:4]))
    print(f"installed in {sys.argv[3]}")
