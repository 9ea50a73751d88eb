# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person agreed to send where: asked once a service and project, kept in the ledger, taken back at any time."""

import getpass
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .ledger import Ledger, read_shard

EVENT = "consent"


def agree(ledger: Ledger, service: str, hosts: Sequence[str], what: str) -> None:
    """Writes that this person agreed; ``what`` is the sentence that was shown. Raises StorageError."""
    ledger.record(
        EVENT, service=service, hosts=list(hosts), what=what, by=_person(), agreed=True, when=time.time()
    )


def take_back(ledger: Ledger, service: str) -> None:
    """Nothing more goes there. Raises StorageError."""
    ledger.record(EVENT, service=service, hosts=[], what="", by=_person(), agreed=False, when=time.time())


def agreed(project: Path) -> dict[str, tuple[str, ...]]:
    """Hosts by service of what is agreed to now."""
    entries = [
        entry for path in sorted((project / "ledger").glob("*/*.jsonl")) for entry in read_shard(path, EVENT)
    ]
    found: dict[str, tuple[str, ...]] = {}
    for entry in sorted(entries, key=order):
        found.pop(str(entry["service"]), None)
        if entry["agreed"]:
            found[str(entry["service"])] = tuple(entry["hosts"])
    return found


def order(entry: Mapping[str, Any]) -> tuple[str, float]:
    """The later counts; within a second the clock's fraction tells."""
    return str(entry["at"]), float(entry.get("when", 0.0))


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
