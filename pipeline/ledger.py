# SPDX-License-Identifier: GPL-3.0-or-later
"""The append-only record of what was decided: by a stage, by a rule, by a person.

One shard per process (``ledger/2026-11/<host>-<pid>-<id>.jsonl``), so that no two writers ever share a file,
not even on a network share. Each line carries the hash of the line before it. A torn last line, left by a
process that was killed while writing, is dropped by the reader.
"""

import json
import os
import platform
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .store import canonical_json, digest_json, storage

GENESIS = "0" * 64
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Ledger:
    """Writes to this process's shard under ``folder``; the shard appears with the first entry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._last = GENESIS

    @property
    def path(self) -> Path | None:
        """This process's shard, once there is one."""
        return self._path

    def record(self, event: str, **fields: Any) -> dict[str, Any]:
        """Appends one entry, flushed to the disk before this returns. Raises StorageError."""
        entry = {
            "event": event,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **fields,
            "after": self._last,
        }
        path = self._path or self._new_shard()
        with storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, canonical_json(entry) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        self._path, self._last = path, digest_json(entry)
        return entry

    def _new_shard(self) -> Path:
        host = _UNSAFE.sub("-", platform.node()) or "host"
        return self._folder / time.strftime("%Y-%m") / f"{host}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"


def read_ledger(folder: Path) -> Iterator[dict[str, Any]]:
    """Entries of all shards, each with ``shard`` and ``chained`` (its ``after`` matches the line before)."""
    for path in sorted(folder.glob("*/*.jsonl")):
        last = GENESIS
        for entry in read_shard(path):
            yield {**entry, "shard": path.name, "chained": entry.get("after") == last}
            last = digest_json(entry)


def read_shard(path: Path, having: str = "") -> Iterator[dict[str, Any]]:
    """Entries of one shard as they were written; with ``having`` only those of that event, found without reading all."""
    yield from read_tail(path, 0, having)


def read_tail(path: Path, start: int, having: str = "") -> Iterator[dict[str, Any]]:
    """The same of what stands after byte ``start``, the end of a line."""
    wanted = f'"event":"{having}"'.encode() if having else b""
    with path.open("rb") as stream:
        stream.seek(start)
        lines = stream.read().split(b"\n")
    for line in lines:
        if wanted not in line:
            continue
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # the empty end of the file, or a torn last line
        if isinstance(entry, dict):
            yield entry
