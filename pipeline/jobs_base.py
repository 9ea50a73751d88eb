# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the index of jobs: one connection for each thread that uses it, and who is still there to hold a job."""

import ctypes
import os
import platform
import sqlite3
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from .errors import StorageError

_thread: ContextVar[object] = ContextVar("thread")
"""Something of each thread's own: a thread begins with an empty context."""
_of_another_process: list[sqlite3.Connection] = []
"""Connections that were open when this process was forked; to close one here would harm the other process."""


@dataclass
class _Open:
    """One thread's connection, of which process it is and which file it was opened on."""

    base: sqlite3.Connection
    process: int
    file: tuple[int, int]


@dataclass
class _All:
    """All of one store, so that any thread can close them."""

    of: dict[object, _Open] = field(default_factory=dict)

    def close(self) -> None:
        for thread in list(self.of):
            self.drop(thread)

    def drop(self, thread: object) -> None:
        found = self.of.pop(thread, None)
        if found is None:
            return
        if found.process != os.getpid():
            _of_another_process.append(found.base)
            return
        with suppress(sqlite3.Error):
            found.base.close()


class IndexFile:
    """``jobs.sqlite`` of a project. Opening it takes longer than most of what it is asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._all = _All()
        weakref.finalize(self, self._all.close)

    def close(self) -> None:
        """Closes what no thread uses any more; the next use opens it again."""
        self._all.close()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection. Raises StorageError."""
        me = _thread.get(None)
        if me is None:
            _thread.set(me := object())
        try:
            try:
                yield self._mine(me)
            except BaseException:
                self._all.drop(me)  # in whatever state it is
                raise
        except sqlite3.DatabaseError as error:
            todo = "If it is damaged, delete it: it is made again from the ledger."
            raise StorageError(
                f"The index of jobs can't be used: {error}", where=str(self.path), todo=todo
            ) from error

    def _mine(self, me: object) -> sqlite3.Connection:
        found = self._all.of.get(me)
        if found is not None and found.process == os.getpid() and found.file == self._file():
            return found.base
        self._all.drop(
            me
        )  # of another process, or of a file that somebody deleted: what is written there is lost
        base = sqlite3.connect(self.path, timeout=30.0, isolation_level=None, check_same_thread=False)
        base.execute("PRAGMA synchronous = NORMAL")  # the ledger is flushed; this can be made again
        self._all.of[me] = _Open(base, os.getpid(), self._file())
        return base

    def _file(self) -> tuple[int, int]:
        try:
            status = self.path.stat()
        except OSError:
            return 0, 0
        return status.st_dev, status.st_ino


def gone(owner: str) -> bool:
    """True if a process ("node:pid:id") of this machine is no longer there."""
    node, pid, _ = owner.rsplit(":", 2)
    if node != platform.node():
        return False
    if sys.platform == "win32":  # there, kill(pid, 0) is a Ctrl-C
        return _gone_on_windows(int(pid))
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _gone_on_windows(pid: int) -> bool:
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009  only there
    handle = kernel.OpenProcess(0x0010_0000, False, pid)  # SYNCHRONIZE
    if not handle:
        return int(kernel.GetLastError()) == 87  # no such process; else it is there but not ours
    ended = int(kernel.WaitForSingleObject(handle, 0)) == 0
    kernel.CloseHandle(handle)
    return ended
