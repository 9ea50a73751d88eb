# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside the worker process: runs one task and writes events, one JSON object a line."""

import importlib
import io
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from . import secret
from .context import CancelToken, Context
from .errors import ExitCode, HoldfastError
from .turn import Turn
from .worker import ALONE

Task = Callable[[dict[str, Any], Context], dict[str, Any]]
_QUIET = 0.05
"""Least seconds between two progress lines; more would only be noise."""


def load_task(name: str, package: str) -> Task:
    """The function that ``name`` ("room.module:function") means, in the same package as this module."""
    module, function = name.split(":")
    task: Task = getattr(importlib.import_module(f"{package}.{module}"), function)
    return task


class _Events:
    def __init__(self, path: Path) -> None:
        self._stream = path.open("a", encoding="utf-8")
        self._last = 0.0
        self._said = (-1.0, "")
        self._turn, self._held = Turn(), 0

    def send(self, event: str, **fields: object) -> None:
        line = secret.clean(json.dumps({"event": event, **fields})) + "\n"
        with self._turn:
            self._stream.write(line)
            self._stream.flush()

    def hold(self, on: bool) -> None:
        """Of threads that hold, the first and the last are told."""
        with self._turn:
            self._held += 1 if on else -1
            changed = self._held == (1 if on else 0)
        if changed:
            self.send("hold", on=on)

    def progress(self, fraction: float, message: str) -> None:
        now, said = time.monotonic(), (round(min(max(fraction, 0.0), 1.0), 4), message)
        if said != self._said and (now - self._last >= _QUIET or fraction >= 1.0):
            self._last, self._said = now, said
            self.send("progress", fraction=said[0], message=message)


class _Cleaned(io.TextIOBase):
    """Lines without the keys; also what Python says by itself of a thread or an object that failed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._rest = stream, ""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        whole, _, self._rest = (self._rest + text).rpartition("\n")
        if whole or text.endswith("\n"):
            self._stream.write(secret.clean(whole) + "\n")
            self._stream.flush()
        return len(text)

    def flush(self) -> None:
        if self._rest:
            self._stream.write(secret.clean(self._rest))
            self._rest = ""
        self._stream.flush()


def run_job(folder: Path, job: dict[str, Any]) -> int:
    """Runs ``job["function"]`` on ``job["request"]``; the outcome is the last event. Returns the exit code.

    The task is cancelled when the file ``cancel`` appears in the job's folder, the parent process is gone, or the system
    asks this one to end. Left alone by its parent it clears its folder itself.
    """
    events = _Events(folder / "events.jsonl")
    parent = os.getppid()

    def stop() -> bool:
        return (folder / "cancel").exists() or os.getppid() != parent

    sys.stdout, sys.stderr = _Cleaned(sys.stdout), _Cleaned(sys.stderr)
    token = CancelToken(stop)
    context = Context(events.progress, lambda line: events.send("log", line=line), token, events.hold)

    def hurry(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # asked twice it ends at once
        token.hurry()

    for name in (signal.SIGTERM, signal.SIGINT):  # a Ctrl-C in a terminal reaches this process too
        signal.signal(name, hurry)
    try:
        return _outcome(job, context, events)
    finally:
        if os.getppid() != parent or (folder / ALONE).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _outcome(job: dict[str, Any], context: Context, events: _Events) -> int:
    try:
        package = __name__.rsplit(".", 2)[0]
        value = load_task(job["function"], package)(job["request"], context)
        events.send("result", value=value)
        return ExitCode.OK
    except HoldfastError as error:
        events.send("error", error=error.to_json())
        return int(error.exit_code)
    except Exception as error:
        sys.stderr.write(traceback.format_exc())
        internal = HoldfastError(
            f"Internal error in {job['function']}: {type(error).__name__}: {error}",
            todo="This is a fault of Holdfast: please report it with the log.",
        )
        events.send("error", error=internal.to_json())
        return ExitCode.INTERNAL
