# SPDX-License-Identifier: GPL-3.0-or-later
"""The system's keyring, asked in a process of its own: it may want a password typed, wait for a service, or hang.

Nobody waits for it longer than told; Blender does not wait at all, and sees what came with its next look. Keys come back
through a pipe, which is no file and no argument.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from ..pipeline.turn import Turn

ASK = """
import json, sys
told = json.load(sys.stdin)
sys.path += told["path"]
import keyring
json.dump({name: keyring.get_password("holdfast", name) for name in told["names"]}, sys.stdout)
"""
AGAIN_S = 25.0
"""What was asked for so long ago is asked again: a person may have changed it."""
HANGS_S = 60.0
"""How long somebody may take to type the keyring's password; then it is none, until the program is started again."""


class Keyring:
    """What it said so far, by name."""

    def __init__(self) -> None:
        self._turn = Turn()
        self._found: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._names: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        self._slow = self._hung = False

    def get(self, names: Iterable[str], wait_s: float) -> Mapping[str, str]:
        """What it has of ``names``, after at most ``wait_s`` seconds. Once it was too slow nobody waits again."""
        wanted = tuple(names)
        with self._turn:
            if not self._hung and _folder():
                self._collect(0.0 if self._slow else wait_s)
                self._begin(wanted)
                self._collect(0.0 if self._slow else wait_s)
            return {name: self._found[name] for name in wanted if name in self._found}

    @property
    def asking(self) -> bool:
        """True while its answer is awaited."""
        return self._process is not None and not self._hung

    def _begin(self, wanted: tuple[str, ...]) -> None:
        now = time.monotonic()
        names = tuple(name for name in wanted if now - self._asked.get(name, -AGAIN_S) >= AGAIN_S)
        if self._process is not None or not names:
            return
        self._asked |= dict.fromkeys(names, now)
        self._names, self._began = names, now
        told = json.dumps({"path": [_folder()], "names": names}).encode()
        with suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", ASK],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert self._process.stdin is not None
            self._process.stdin.write(told)
            self._process.stdin.close()

    def _collect(self, wait_s: float) -> None:
        process = self._process
        if process is None:
            return
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self._slow = self._slow or wait_s > 0.0
            if time.monotonic() - self._began > HANGS_S:
                process.kill()
                self._hung = True
            return
        assert process.stdout is not None
        with process.stdout as stream:
            said = stream.read()
        self._process, self._slow = None, False
        with suppress(ValueError):  # one that is locked, headless or broken says nothing
            answer = json.loads(said)
            self._found |= {name: str(answer[name]) for name in self._names if answer.get(name)}
            for name in self._names:
                if not answer.get(name):
                    self._found.pop(name, None)


def _folder() -> str:
    """Where the person installed the module, and what it needs; "" if nobody did."""
    try:
        spec = find_spec("keyring")
    except (ImportError, ValueError):
        return ""
    if spec is None or not spec.origin:
        return ""
    return str(Path(spec.origin).parents[1 if spec.submodule_search_locations else 0])
