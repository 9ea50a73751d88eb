# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the development environments under .env/, with nothing on the machine but Python 3.11 or newer.

`environments.py pure blender-4.5 ...` installs the pinned uv into .env/uv, then makes each named environment from
requirements/NAME.txt. A stamp in each environment holds the hash of what it was made from, so that a second run
with the same requirements does nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".env"
REQUIREMENTS = ROOT / "requirements"
PYTHON_OF = {
    "pure": (3, 11),
    "inside": (3, 11),
    "bench": (3, 11),
    "sdk": (3, 11),
    "blender-4.2": (3, 11),
    "blender-4.5": (3, 11),
    "blender-5.0": (3, 11),
    "blender-5.2": (3, 13),
}


def run(*command: str | Path, timeout: float = 1800) -> None:
    subprocess.run([str(part) for part in command], check=True, timeout=timeout, stdin=subprocess.DEVNULL)


def stamp_of(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def is_current(folder: Path, stamp: str) -> bool:
    file = folder / "holdfast-stamp"
    return file.is_file() and file.read_text() == stamp


def ensure_uv() -> Path:
    """Return the pinned uv, installing it by pip where it is missing or of another version."""
    folder, wanted = ENVIRONMENTS / "uv", REQUIREMENTS / "uv.txt"
    program = folder / "bin" / "uv"
    stamp = stamp_of(wanted)
    if not (program.is_file() and is_current(folder, stamp)):
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "pip", "install", "-qq", "--target", folder, "-r", wanted)
        (folder / "holdfast-stamp").write_text(stamp)
    return program


def interpreters(version: str) -> Iterator[Path]:
    """Candidates for `version` ("3.13"): this one, what PATH and pyenv have; a candidate may be a dead shim."""
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield Path(folder) / f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)


def runs(program: Path, version: str) -> bool:
    if not program.is_file():
        return False
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([program, "-c", question], capture_output=True, text=True, timeout=30)
    except OSError:
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def python_for(name: str) -> str:
    """An interpreter on this machine for the environment, or the bare version, which uv then fetches."""
    version = "{}.{}".format(*PYTHON_OF[name])
    return next((str(found) for found in interpreters(version) if runs(found, version)), version)


def ensure(name: str) -> None:
    """Make the environment, or bring it up to date; does nothing where its stamp is current."""
    folder, wanted = ENVIRONMENTS / name, REQUIREMENTS / f"{name}.txt"
    shared = [REQUIREMENTS / f"{part}.txt" for part in ("constraints", "runtime", "tests")]
    overrides = [file for file in [REQUIREMENTS / f"{name}-overrides.txt"] if file.is_file()]
    stamp = stamp_of(wanted, *shared, *overrides)
    if is_current(folder, stamp):
        return
    started = time.monotonic()
    uv = ensure_uv()
    version = "{}.{}".format(*PYTHON_OF[name])
    if not runs(folder / "bin" / "python", version):
        shutil.rmtree(folder, ignore_errors=True)
        run(uv, "venv", "--quiet", "--no-project", "--python", python_for(name), folder)
    instead = [part for file in overrides for part in ("--override", str(file))]
    run(uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-r", wanted, *instead)
    (folder / "holdfast-stamp").write_text(stamp)
    print(f".env/{name} is ready ({time.monotonic() - started:.0f} s)", flush=True)


def main(names: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  the person may have started us with an older one
        print(
            "Holdfast's development tools need Python 3.11 or newer: run make PYTHON=python3.11",
            file=sys.stderr,
        )
        return 2
    if unknown := [name for name in names if name not in PYTHON_OF]:
        print(f"no such environment: {', '.join(unknown)} (known: {', '.join(PYTHON_OF)})", file=sys.stderr)
        return 2
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once take turns
        for name in names:
            ensure(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
