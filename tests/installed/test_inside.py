# SPDX-License-Identifier: GPL-3.0-or-later
"""The Blender suite inside the real executable, against the installed zip, through pytest-blender.

pytest-blender starts the executable and runs the pytest of Blender's own Python there; see docs/developers.md for
what it cannot do. The extension is the one that is installed and enabled in the user folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import dist, real_blender

SECONDS = 1200
MARKED = os.environ.get("HOLDFAST_INSIDE", "not checkout")
"""Which tests; the check of a submission leaves out the long sweeps, which it runs on the newest Blender."""

HALVES = 2
"""The suite runs in so many executables side by side, every second file in each."""


def test_blender_suite_passes_inside_the_executable(blender: Path, user_folder: Path, tmp_path: Path) -> None:
    asked = real_blender.call(
        blender, user_folder, "-b", "--python-exit-code", "1", "--python-expr", "import pytest"
    )
    if asked.returncode:
        pytest.fail(f"{blender} has no pytest in its Python: install one there (docs/developers.md)")
    files = sorted(path.relative_to(dist.ROOT) for path in (dist.ROOT / "tests/blender").glob("test_*.py"))
    logs = dist.ROOT / "build" / "installed"
    logs.mkdir(parents=True, exist_ok=True)
    running = []
    for number in range(HALVES):
        own = tmp_path / f"user{number}"
        shutil.copytree(user_folder, own, symlinks=True)
        log = logs / f"inside-{blender.name}-{number + 1}.log"
        running.append((log, _started(blender, own, files[number::HALVES], log)))
    codes = []
    for log, suite in running:
        try:
            codes.append(suite.wait(SECONDS))
        except subprocess.TimeoutExpired:
            suite.kill()
            codes.append(suite.wait())
        print(f"\n{log.read_text()[-3000:]}", flush=True)
    assert codes == [0] * HALVES, f"see {[str(log) for log, _ in running]}"
    for log, _ in running:
        assert re.search(r"\d+ passed", log.read_text()), f"no test ran inside Blender: {log}"


def _started(blender: Path, user_folder: Path, files: list[Path], log: Path) -> subprocess.Popen[bytes]:
    """pytest-blender with some files of the suite; what it says goes to ``log``."""
    python = dist.ROOT / ".env" / "inside" / "bin" / "python"
    command = [str(python), "-m", "pytest", "--blender-executable", str(blender)]
    command += ["-m", MARKED, *map(str, files)]
    environment = {
        **real_blender.environment(user_folder),
        "HOLDFAST_INSTALLED": real_blender.PACKAGE,
        "PYTHONWARNINGS": "ignore:config.inicfg",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    with log.open("w") as out:
        return subprocess.Popen(
            command, cwd=dist.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
