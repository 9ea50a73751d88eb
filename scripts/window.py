# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive the installed extension in a real Blender window: `window.py BLENDER ZIP SCREENSHOTS [DRIVER ARGUMENTS]`.

Starts a virtual X server, installs ZIP into a temporary user folder, and runs tests/window/drive.py in Blender's
window. The exit code is that of the driver.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import real_blender

ROOT = Path(__file__).resolve().parent.parent
DRIVER = ROOT / "tests" / "window" / "drive.py"
SIZE = (1600, 1000)
TIMEOUT_S = 1200


def server_command(blender: Path) -> list[str]:
    """Xvfb of this machine, or the one in the tree of the Debian Blender wrapper (its `--exec`)."""
    if found := shutil.which("Xvfb"):
        return [found]
    if b"debian-blender" in blender.read_bytes()[:4096]:
        return [str(blender), "--exec", "Xvfb"]
    raise SystemExit("Xvfb is missing: install the package xvfb, or pass a Blender that brings it along")


@contextmanager
def virtual_screen(blender: Path) -> Iterator[str]:
    """A virtual X server with OpenGL; gives its display name."""
    read_end, write_end = os.pipe()
    screen = ["-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "+extension", "GLX", "-nolisten", "tcp"]
    command = [*server_command(blender), "-displayfd", str(write_end), *screen]
    server = subprocess.Popen(
        command, pass_fds=[write_end], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        if not number:
            raise SystemExit("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def drive(blender: Path, user_folder: Path, display: str, log: Path, arguments: list[str]) -> int:
    """Run the driver in a window on `display` and return its exit code; 124 if it did not end in time."""
    command = [str(blender), "--enable-event-simulate", "--gpu-backend", "opengl"]
    command += ["--window-geometry", "0", "0", str(SIZE[0]), str(SIZE[1])]
    command += ["--python-exit-code", "1", "--python", str(DRIVER), "--", *arguments]
    environment = {**real_blender.environment(user_folder), "DISPLAY": display}
    with log.open("w") as out:
        try:
            code = subprocess.run(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=TIMEOUT_S
            ).returncode
        except subprocess.TimeoutExpired:
            out.write(f"the window driver did not end within {TIMEOUT_S} s\n")
            code = 124
    chatter = ("Fra:", "Warning: 1 ", "Saved:", "Time:", "\n")  # what Blender says of every frame and redraw
    sys.stdout.writelines(line for line in log.open(errors="replace") if not line.startswith(chatter))
    return code


def main(blender: Path, archive: Path, screenshots: Path, arguments: list[str]) -> int:
    if not DRIVER.is_file():
        print(f"{DRIVER.relative_to(ROOT)} is missing: there is no window test to run", file=sys.stderr)
        return 1
    shutil.rmtree(screenshots, ignore_errors=True)
    screenshots.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-window-") as folder:
        real_blender.install(blender, archive, Path(folder))
        with virtual_screen(blender) as display:
            driver_arguments = ["--out", str(screenshots.resolve()), *arguments]
            code = drive(blender, Path(folder), display, screenshots / "window.log", driver_arguments)
    taken = sorted(path.name for path in screenshots.glob("*.png"))
    print(f"window: exit {code}, {len(taken)} screenshots in {screenshots}: {', '.join(taken)}")
    return code if code or taken else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4]), sys.argv[4:]))
