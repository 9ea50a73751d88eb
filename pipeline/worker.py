# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts worker processes and listens to them without ever waiting.

A job is a folder: ``job.json`` (what to do), ``events.jsonl`` (what the worker says, tailed by ``poll``),
``cancel`` (its existence asks the worker to stop) and ``log.txt``. Files, unlike pipes, can be read without
blocking on every system and still tell what happened after a crash. Secrets alone are in none of them: they go
through the worker's standard input, which is closed behind them.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .context import Context
from .errors import Cancelled, HoldfastError, from_json
from .store import write_json

Event = dict[str, Any]
ALONE = "alone"
"""In the folder of a worker that is no longer looked after: it clears it itself."""
GRACE_SECONDS, LONGEST_HOLD_S = 5.0, 900.0
"""How long a cancelled worker may take to finish its current step before it is ended, and how long if it said that this
step must not be broken off (a request that may bill is on its way)."""
LAST_WORDS_S = 3.0
_TICK = 0.02


class WorkerProcess:
    """One running worker task. ``poll`` returns its new events; the last one is ``result`` or ``error``."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._offset = 0
        self._cancelled_at: float | None = None
        self.finished = False
        self.holding = False
        """True while it does what must not be broken off."""

    @classmethod
    def start(
        cls,
        function: str,
        request: dict[str, Any],
        python_args: Sequence[str] = (),
        secrets: Mapping[str, str] | None = None,
    ) -> "WorkerProcess":
        """Starts ``function`` ("room.module:function") with ``request`` in a new process.

        ``python_args`` are the flags that the host's interpreter asks for (``bpy.app.python_args``); ``secrets`` are
        keys by name, for ``secret.held`` there.
        """
        folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
        job = {"function": function, "request": request, "path": sys.path, "secrets": bool(secrets)}
        write_json(folder / "job.json", job)
        boot = Path(__file__).with_name("worker_boot.py")
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *python_args, str(boot), str(folder)],
                stdin=subprocess.PIPE if secrets else subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if secrets:
            _tell(process, secrets)
        return cls(process, folder)

    def cancel(self) -> None:
        """Asks the worker to stop; ``poll`` ends it if it has not within the grace period."""
        if self._cancelled_at is None and not self.finished:
            self._cancelled_at = time.monotonic()
            (self._folder / "cancel").touch()

    def poll(self) -> list[Event]:
        """New events since the last call, at once. A worker that died without a word gives an ``error``."""
        if self.finished:
            return []
        gone = self._process.poll() is not None  # asked before reading, so that its last words are read
        events = self._read()
        if events and events[-1]["event"] in ("result", "error"):
            self._finish(keep=False)
        elif gone:
            events.append({"event": "error", "error": self._obituary().to_json()})
            self._finish(keep=self._cancelled_at is None)
        elif self._cancelled_at is not None:
            grace = LONGEST_HOLD_S if self.holding else GRACE_SECONDS
            if time.monotonic() - self._cancelled_at > grace:
                self._process.kill()
        return events

    def close(self) -> None:
        """Ends the process at once, for a host that is quitting. One that holds is left alone: it stops by itself when it
        may, and clears its folder."""
        if self.finished:
            return
        self.cancel()  # first: either it sees this before it holds, or its hold is seen here
        self.poll()
        if self.holding and not self.finished:
            with suppress(OSError):
                (self._folder / ALONE).touch()
            self.finished = True
        elif not self.finished:
            self._process.kill()
            self._finish(keep=False)

    def _read(self) -> list[Event]:
        try:
            with (self._folder / "events.jsonl").open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        events: list[Event] = [json.loads(line) for line in whole.splitlines()]
        for event in events:
            if event["event"] == "hold":
                self.holding = bool(event["on"])
        return [event for event in events if event["event"] != "hold"]

    def _obituary(self) -> HoldfastError:
        if self._cancelled_at is not None:
            return Cancelled()
        todo = f"Run the stage again: finished files are kept. Its log is {self._folder / 'log.txt'}."
        return HoldfastError(f"The worker process stopped with code {self._process.returncode}", todo=todo)

    def _finish(self, *, keep: bool) -> None:
        self.finished = True
        self._process.wait()
        if not keep:
            shutil.rmtree(self._folder, ignore_errors=True)


def _tell(process: "subprocess.Popen[bytes]", secrets: Mapping[str, str]) -> None:
    """Writes the secrets as one line and closes the pipe. A line is far smaller than what a pipe holds: no wait."""
    assert process.stdin is not None
    with suppress(OSError):  # a worker that is gone already says so itself
        process.stdin.write(json.dumps(dict(secrets)).encode() + b"\n")
    with suppress(OSError):
        process.stdin.close()


def run_in_foreground(
    function: str,
    request: dict[str, Any],
    context: Context,
    python_args: Sequence[str] = (),
    secrets: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Runs a worker task and waits for it, passing progress on. Raises what the task raised, or Cancelled."""
    worker = WorkerProcess.start(function, request, python_args, secrets)
    handlers: dict[str, Callable[[Event], None]] = {
        "progress": lambda event: context.progress(event["fraction"], event["message"]),
        "log": lambda event: context.log(event["line"]),
    }
    try:
        while True:
            if context.cancel.cancelled:
                worker.cancel()
            for event in worker.poll():
                if event["event"] == "result":
                    value: dict[str, Any] = event["value"]
                    return value
                if event["event"] == "error":
                    raise from_json(event["error"])
                handlers[event["event"]](event)
            time.sleep(_TICK)
    finally:
        worker.cancel()
        end = time.monotonic() + LAST_WORDS_S
        while worker.holding and not worker.finished and time.monotonic() < end:
            worker.poll()
            time.sleep(_TICK)
        worker.close()
