# SPDX-License-Identifier: GPL-3.0-or-later
"""A wire to a server that misbehaves, with limits that a test can wait for; the memory that something takes at most."""

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast.clients import line
from holdfast.clients import wire as wire_module
from holdfast.clients.auth import Bearer
from holdfast.clients.wire import Hosts, Wire
from holdfast.pipeline.context import CancelToken, Context

KEY = "key-of-the-loopback"


def quick(monkeypatch: Any, whole_s: float = 0.7, silent_s: float = 0.3) -> None:
    """Limits of the product in small; the rules are the same."""
    monkeypatch.setattr(wire_module, "REPLY_S", whole_s)
    monkeypatch.setattr(wire_module, "SILENT_S", silent_s)
    monkeypatch.setattr("holdfast.clients.download.SILENT_S", silent_s)
    monkeypatch.setattr(wire_module, "FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(line, "STEP_S", 0.02)
    monkeypatch.setattr(line, "PATIENCE_S", 0.3)


def wire_to(url: str, cancel: CancelToken | None = None, waits: list[float] | None = None) -> Wire:
    """Its waits take no time, and are listed in ``waits``."""
    context = Context(cancel=cancel or CancelToken())
    made = Wire("Studio", url, Hosts(), context, Bearer(KEY), (KEY,), sleep=lambda seconds: None)
    made.wait = (waits if waits is not None else []).append  # type: ignore[method-assign,assignment]
    return made


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def peak_mb(action: Callable[[], object]) -> tuple[float, str]:
    """MB that ``action`` took at most beyond what was there, in a process of its own, and what it raised in words."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            before, said = _memory("VmRSS"), ""
            Path("/proc/self/clear_refs").write_text("5")
            try:
                action()
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            os.write(write, f"{(_memory('VmHWM') - before) / 1024} {said}".encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    size, _, said = text.partition(" ")
    return float(size), said
