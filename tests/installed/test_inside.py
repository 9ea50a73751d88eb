# SPDX-License-Identifier: GPL-3.0-or-later
"""The Blender suite inside the real executable, against the installed zip, through pytest-blender.

pytest-blender starts the executable and runs the pytest of Blender's own Python there; see docs/developers.md for
what it cannot do. The extension is the one that is installed and enabled in the user folder.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from scripts import dist, real_blender

SECONDS = 1200


def test_blender_suite_passes_inside_the_executable(blender: Path, user_folder: Path) -> None:
    asked = real_blender.call(
        blender, user_folder, "-b", "--python-exit-code", "1", "--python-expr", "import pytest"
    )
    if asked.returncode:
        pytest.fail(f"{blender} has no pytest in its Python: install one there (docs/developers.md)")
    python = dist.ROOT / ".env" / "inside" / "bin" / "python"
    command = [str(python), "-m", "pytest", "--blender-executable", str(blender)]
    command += ["-m", "not checkout", "tests/blender"]
    environment = {
        **real_blender.environment(user_folder),
        "HOLDFAST_INSTALLED": real_blender.PACKAGE,
        "PYTHONWARNINGS": "ignore:config.inicfg",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    log = dist.ROOT / "build" / "installed" / f"inside-{blender.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        done = subprocess.run(
            command,
            cwd=dist.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            timeout=SECONDS,
        )
    said = log.read_text()
    print(f"\n{said[-3000:]}", flush=True)
    assert done.returncode == 0, f"see {log}"
    assert re.search(r"\d+ passed", said), "no test ran inside Blender"
