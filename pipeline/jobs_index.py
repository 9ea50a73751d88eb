# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of jobs: what the ``job`` entries of the ledger add up to, as rows of SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any


class Step(StrEnum):
    """Where a job stands. There is no way back from submitting to prepared."""

    PREPARED = "prepared"
    SUBMITTING = "submitting"
    UNCERTAIN = "uncertain"
    REMOTE = "remote"
    DOWNLOADING = "downloading"
    READY = "ready"
    APPLIED = "applied"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


NEXT: Mapping[Step, frozenset[Step]] = {
    Step.PREPARED: frozenset({Step.SUBMITTING, Step.CANCELLED, Step.FAILED}),
    Step.SUBMITTING: frozenset({Step.REMOTE, Step.UNCERTAIN, Step.FAILED}),
    Step.UNCERTAIN: frozenset({Step.REMOTE, Step.FAILED}),
    Step.REMOTE: frozenset({Step.DOWNLOADING, Step.FAILED, Step.CANCELLING, Step.CANCELLED}),
    Step.CANCELLING: frozenset({Step.CANCELLED, Step.FAILED, Step.DOWNLOADING, Step.REMOTE}),
    Step.DOWNLOADING: frozenset({Step.READY, Step.FAILED}),
    Step.READY: frozenset({Step.APPLIED}),
    Step.APPLIED: frozenset(),
    Step.FAILED: frozenset(),
    Step.CANCELLED: frozenset(),
}
WORKING = (Step.PREPARED, Step.SUBMITTING, Step.REMOTE, Step.DOWNLOADING, Step.CANCELLING)
"""What a worker goes on with by itself. An uncertain job that can't be looked up waits for a person."""
ENDED = (Step.APPLIED, Step.FAILED, Step.CANCELLED)
YOUR_TURN = "Look there, then decide here."
"""How the word on an uncertain job ends that only a person can decide."""


@dataclass(frozen=True)
class Job:
    """A row of the index. Money in integer micros of ``currency``: ``price`` expected, ``cost`` told (-1: not yet);
    ``billed`` 0 if it surely costs nothing. Times are POSIX seconds. ``handle`` and ``results`` are JSON; ``n``
    counts its steps."""

    id: str
    step: Step
    provider: str
    model: str
    shot: str = ""
    purpose: str = ""
    digest: str = ""
    price: int = 0
    cost: int = -1
    currency: str = "USD"
    billed: int = 1
    created: float = 0.0
    updated: float = 0.0
    begun: float = 0.0
    handle: str = ""
    results: str = "[]"
    says: str = ""
    owner: str = ""
    beat: float = 0.0
    due: float = 0.0
    progress: float = 0.0
    queue: int = -1
    n: int = 0

    @property
    def counts(self) -> int:
        """What it takes from a budget, micros."""
        return 0 if not self.billed else self.price if self.cost < 0 else self.cost


COLUMNS = tuple(item.name for item in fields(Job))
FROM_LEDGER = (
    "step", "provider", "model", "shot", "purpose", "digest", "price", "cost", "currency", "billed", "created", "updated",
    "begun", "handle", "results", "says", "n",
)  # fmt: skip
_TYPES: dict[Any, str] = {int: "INTEGER", float: "REAL", str: "TEXT", Step: "TEXT"}


def create(base: sqlite3.Connection) -> None:
    """Makes what is not there."""
    types = ", ".join(
        f"{item.name} {_TYPES.get(item.type, 'TEXT')}" for item in fields(Job) if item.name != "id"
    )
    base.execute(f"CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, {types})")
    base.execute("CREATE TABLE IF NOT EXISTS shards (name TEXT PRIMARY KEY, read INTEGER)")
    base.execute("CREATE INDEX IF NOT EXISTS by_step ON jobs (step, due)")
    base.execute("CREATE INDEX IF NOT EXISTS by_page ON jobs (created DESC, id, step, shot)")
    base.execute(
        "CREATE INDEX IF NOT EXISTS by_sum ON jobs (shot, step, provider, created, billed, cost, price)"
    )
    base.execute("CREATE INDEX IF NOT EXISTS by_digest ON jobs (digest)")


def rows(base: sqlite3.Connection, where: str, values: Sequence[Any]) -> list[Job]:
    """Jobs by a WHERE clause of ours; values go apart from it."""
    found = base.execute(f"SELECT {', '.join(COLUMNS)} FROM jobs {where}", tuple(values)).fetchall()
    return [Job(**{**dict(zip(COLUMNS, row, strict=True)), "step": Step(row[1])}) for row in found]


def going(base: sqlite3.Connection, digest: str) -> Job | None:
    """The newest job of a digest that has not ended."""
    steps = (*WORKING, Step.UNCERTAIN)
    marks = ", ".join("?" * len(steps))
    found = rows(base, f"WHERE digest = ? AND step IN ({marks}) ORDER BY created DESC", (digest, *steps))
    return found[0] if found else None


def update(base: sqlite3.Connection, job_id: str, facts: Mapping[str, Any]) -> None:
    """Sets columns of a job."""
    names = ", ".join(f"{name} = ?" for name in facts)
    base.execute(f"UPDATE jobs SET {names} WHERE id = ?", (*facts.values(), job_id))


def spent(base: sqlite3.Connection, shot: str, since: float) -> int:
    where, values = "created >= ?", [since]
    if shot:
        where, values = f"{where} AND shot = ?", [since, shot]  # type: ignore[list-item]
    total = f"SELECT COALESCE(SUM(billed * CASE WHEN cost < 0 THEN price ELSE cost END), 0) FROM jobs WHERE {where}"
    return int(base.execute(total, values).fetchone()[0])


def apply(base: sqlite3.Connection, entry: Mapping[str, Any]) -> None:
    """One ledger entry into the index. One that is no step forward (read again) changes nothing."""
    job_id = str(entry.get("id", ""))
    row = base.execute("SELECT step, n FROM jobs WHERE id = ?", (job_id,)).fetchone()
    facts = {name: entry[name] for name in FROM_LEDGER if name in entry}
    if row is None:
        defaults = {
            item.name: item.default
            for item in fields(Job)
            if item.name not in ("id", "step", "provider", "model")
        }
        full = {**defaults, "provider": "", "model": "", **facts, "id": job_id}
        names = ", ".join(full)
        base.execute(
            f"INSERT INTO jobs ({names}) VALUES ({', '.join('?' * len(full))})", tuple(full.values())
        )
    elif Step(facts["step"]) in NEXT[Step(row[0])] and facts.get("n", 0) > row[1]:
        update(base, job_id, facts)


def mark(base: sqlite3.Connection, path: Path) -> None:
    base.execute("INSERT OR REPLACE INTO shards VALUES (?, ?)", (path.name, path.stat().st_size))
