# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person agreed to send where: asked once a service and project, kept in the ledger, taken back at any time."""

import getpass
from collections.abc import Sequence
from pathlib import Path

from .ledger import Ledger, read_shard

EVENT = "consent"


def agree(ledger: Ledger, service: str, hosts: Sequence[str], what: str) -> None:
    """Writes that this person agreed; ``what`` is the sentence that was shown. Raises StorageError."""
    ledger.record(EVENT, service=service, hosts=list(hosts), what=what, by=_person(), agreed=True)


def take_back(ledger: Ledger, service: str) -> None:
    """Nothing more goes there. Raises StorageError."""
    ledger.record(EVENT, service=service, hosts=[], what="", by=_person(), agreed=False)


def agreed(project: Path) -> dict[str, tuple[str, ...]]:
    """Hosts by service of what is agreed to now."""
    entries = [
        entry for path in sorted((project / "ledger").glob("*/*.jsonl")) for entry in read_shard(path, EVENT)
    ]
    found: dict[str, tuple[str, ...]] = {}
    for entry in sorted(entries, key=lambda entry: str(entry["at"])):
        found.pop(str(entry["service"]), None)
        if entry["agreed"]:
            found[str(entry["service"])] = tuple(entry["hosts"])
    return found


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
