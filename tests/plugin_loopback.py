# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in a test may speak to another computer, nor may a worker, a Python or a Blender that it starts.

Each of those gets the same audit hook before its own first line; the product knows nothing of it. What was refused is
written down, and fails the test in whose time it happened.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from tests.loopback_hook import RECORD, SpokeToTheWorld, is_ours, watch

__all__ = ["SpokeToTheWorld", "expected", "is_ours", "watched"]
HOOK = Path(__file__).with_name("loopback_hook.py")
WATCH = f"import runpy; runpy.run_path({str(HOOK)!r}, run_name='__watch__')\n"
SCRIPT = "import sys; sys.argv[:1] = []\nrunpy.run_path(sys.argv[0], run_name='__main__')\n"
MODULE = "import sys; runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)\n"
WITH_VALUE = ("-X", "-W")
EXECNET = "exec(eval(sys.stdin.readline()))"


def watched(command: Any) -> Any:
    """The same command, under the hook, if it is a Python or a Blender."""
    if not isinstance(command, list | tuple) or not command:
        return command
    parts = [os.fspath(part) for part in command]
    name = Path(parts[0]).name.lower()
    if name.startswith("blender"):
        return [parts[0], "--python-expr", WATCH, *parts[1:]]
    if "python" not in name:
        return command
    at = 1
    while at < len(parts) and parts[at].startswith("-") and parts[at] not in ("-c", "-m", "-"):
        at += 2 if parts[at] in WITH_VALUE else 1
    if at >= len(parts) or parts[at] == "-":
        return command
    flags, rest = parts[:at], parts[at:]
    if rest[0] == "-c" and EXECNET in rest[1]:  # a worker of this run of tests, which has the plugin itself
        return command
    if rest[0] == "-c":
        return [*flags, "-c", f"{WATCH}exec({rest[1]!r})", *rest[2:]]
    if rest[0] == "-m":
        return [*flags, "-c", WATCH + MODULE, *rest[1:]]
    return [*flags, "-c", WATCH + SCRIPT, *rest]


def _lines() -> list[str]:
    path = Path(os.environ[RECORD])
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@contextlib.contextmanager
def expected() -> Iterator[list[str]]:
    """Inside, it is what the test wants to see; the list has it afterwards."""
    before, found = _lines(), []
    yield found
    found += _lines()[len(before) :]
    Path(os.environ[RECORD]).write_text("".join(f"{line}\n" for line in before), encoding="utf-8")


@pytest.fixture(autouse=True)
def nobody_spoke_to_the_world() -> Iterator[None]:
    """Fails the test in whose time somebody did, in whatever process."""
    before = len(_lines())
    yield
    assert _lines()[before:] == [], "this was not caught by the test"


def pytest_configure(config: pytest.Config) -> None:
    mine = f"holdfast-world-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-"
    if mine not in os.environ.get(RECORD, ""):  # workers of one run must not read what others saw
        os.environ[RECORD] = tempfile.mkstemp(prefix=mine, suffix=".txt")[1]
        config.add_cleanup(Path(os.environ[RECORD]).unlink)
    sys.addaudithook(watch)
    made = subprocess.Popen.__init__

    @wraps(made)
    def started(self: Any, args: Any, *more: Any, **named: Any) -> None:
        made(self, watched(args), *more, **named)

    subprocess.Popen.__init__ = started  # type: ignore[method-assign]
