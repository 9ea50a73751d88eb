# SPDX-License-Identifier: GPL-3.0-or-later
"""Remote jobs of a project: every step is in the ledger before it is taken, and an index says where all of them stand.

The ledger is the truth; ``jobs.sqlite`` is what its ``job`` entries add up to and can be made again from them at any time.
What only matters while a process works on a job (who holds it, when to ask next, progress) is in the index alone.
"""

import json
import os
import platform
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .errors import InputError, Refused
from .jobs_base import IndexFile, gone
from .jobs_index import ENDED, NEXT, WORKING, Job, Step, apply, create, going, mark, rows, spent, update
from .ledger import Ledger, read_tail
from .money import CURRENCY, Caps, check_caps
from .store import read_json, storage, write_json

__all__ = ["ENDED", "WORKING", "Asked", "Job", "JobStore", "Step"]
EVENT = "job"
LEASE_S = 30.0
"""A process that has not been heard of for so long, or is gone, no longer holds its jobs."""


@dataclass(frozen=True)
class Asked:
    """One of several requests that belong together, with its price in micros of ``currency`` and its facts: provider,
    model, shot, purpose, digest."""

    request: Mapping[str, Any]
    price: int
    facts: Mapping[str, str]
    currency: str = CURRENCY


class JobStore:
    """The jobs of one project folder. May be used by several threads and processes at once."""

    def __init__(self, project: Path, ledger: Ledger | None = None) -> None:
        """Opens or makes the index. Raises StorageError."""
        self.project = project
        self._ledger = ledger or Ledger(project / "ledger")
        self.me = f"{platform.node()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self._heard: dict[str, tuple[str, float, float]] = {}
        self._beaten = time.monotonic()
        self._file = IndexFile(project / "jobs.sqlite")
        with storage(project):
            project.mkdir(parents=True, exist_ok=True)
        with self._changing() as base:
            create(base)
        self.catch_up()

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job:
        """Raises InputError for an unknown id."""
        found = self._rows("WHERE id = ?", (job_id,))
        if not found:
            raise InputError("There is no such job", where=job_id)
        return found[0]

    def jobs(self, steps: Sequence[Step] = (), first: int = 0, most: int = 1000) -> list[Job]:
        """The newest first, of all steps or some."""
        marks = ", ".join("?" * len(steps))
        where = f"WHERE step IN ({marks}) " if steps else ""
        return self._rows(f"{where}ORDER BY created DESC, id LIMIT ? OFFSET ?", (*steps, most, first))

    def count(self) -> dict[Step, int]:
        """How many stand at each step."""
        with self._base() as base:
            return {
                Step(step): n for step, n in base.execute("SELECT step, COUNT(*) FROM jobs GROUP BY step")
            }

    def same(self, digest: str) -> Job | None:
        """A job of the same inputs, model and seed whose results are here."""
        with self._base() as base:
            return self._same(base, digest)

    def _same(self, base: sqlite3.Connection, digest: str) -> Job | None:
        where = "WHERE digest = ? AND step IN (?, ?) ORDER BY created DESC"
        found = rows(base, where, (digest, Step.READY, Step.APPLIED))
        return next((job for job in found if all(path.exists() for path in self.results(job))), None)

    def going(self, digest: str) -> Job | None:
        """A job of the same request that has not ended: to be waited for, not sent again."""
        with self._base() as base:
            return going(base, digest)

    def spent(self, shot: str = "", since: float = 0.0) -> int:
        """Micros that jobs count for, of all or one shot, made after ``since``."""
        with self._base() as base:
            return spent(base, shot, since)

    def folder(self, job_id: str) -> Path:
        """Where a job's request, spool and results lie."""
        return self.project / "jobs" / job_id

    def request(self, job_id: str) -> dict[str, Any]:
        """What was asked for, as it was prepared. Raises InputError."""
        found: dict[str, Any] = read_json(self.folder(job_id) / "request.json")
        return found

    def results(self, job: Job) -> list[Path]:
        """The files of a finished job."""
        return [self.folder(job.id) / "results" / name for name, _ in json.loads(job.results)]

    # -- changing -----------------------------------------------------------------------------------------------

    def prepare(
        self, request: Mapping[str, Any], caps: Caps, *, price: int, currency: str = "USD", **facts: str
    ) -> Job:
        """Writes a job down and reserves its price. ``facts``: provider, model, shot, purpose, digest.

        Raises Refused over a cap, before anything is written; in any number of processes at once.
        """
        return self.prepare_all([Asked(request, price, facts, currency)], caps, anew=True)[0]

    def prepare_all(self, asked: Sequence[Asked], caps: Caps, *, anew: bool = False) -> list[Job]:
        """A job for each of ``asked``, which are of one shot: the one of the same digest that has its result or is on
        its way (not if ``anew``), else a new one. The new ones are one sum to the caps of shot, day and project, and are
        all written or none.

        Raises Refused over a cap, before anything is written; in any number of processes at once nothing is twice.
        """
        ids: list[str] = []
        new: dict[str, Asked] = {}
        made: dict[str, str] = {}
        now = time.time()
        with self._changing() as base:
            self._catch_up(base)  # of a process that died between the ledger and the index
            for one in asked:
                digest = one.facts.get("digest", "")
                there = None if anew or not digest else self._same(base, digest) or going(base, digest)
                job_id = there.id if there else made.get(digest) or str(uuid.uuid4())
                if there is None and job_id not in new:
                    new[job_id] = one
                    made |= {digest: job_id} if digest else {}
                ids.append(job_id)
            if new:
                self._check_sum(base, list(new.values()), caps, now)
            for job_id, one in new.items():
                write_json(self.folder(job_id) / "request.json", dict(one.request))
            for place, (job_id, one) in enumerate(new.items()):
                entry = {
                    "id": job_id,
                    "step": Step.PREPARED,
                    "price": one.price,
                    "currency": one.currency,
                    "created": now - place * 1e-6,  # the newest are listed first, and these in their order
                }
                self._write(base, {**entry, **one.facts}, now)
        return [self.get(job_id) for job_id in ids]

    def _check_sum(self, base: sqlite3.Connection, new: Sequence[Asked], caps: Caps, now: float) -> None:
        shot, day = new[0].facts.get("shot", ""), now - now % 86400
        before = spent(base, shot, 0.0), spent(base, "", day), spent(base, "", 0.0)
        for one in new:
            check_caps(caps, one.price, one.currency, *before)
        total = sum(one.price for one in new)
        check_caps(replace(caps, request=None), total, CURRENCY, *before)

    def move(self, job_id: str, step: Step, **facts: Any) -> Job:
        """Takes a step: in the ledger first, then in the index. Raises Refused for one that can't follow."""
        with self._changing() as base:
            row = base.execute("SELECT step, n FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None:
                raise InputError("There is no such job", where=job_id)
            if step not in NEXT[Step(row[0])]:
                raise Refused(f"A job that is {row[0]} can't become {step}", where=job_id)
            self._write(base, {"id": job_id, "step": step, "n": row[1] + 1, **facts}, time.time())
        return self.get(job_id)

    def note(self, job_id: str, **facts: Any) -> None:
        """What only matters while it runs: progress, queue, due, beat. Not in the ledger."""
        with self._changing() as base:
            update(base, job_id, facts)

    def claim(self, job_id: str) -> bool:
        """Takes hold of a job that nobody alive holds: whose process is gone, or was not heard of while this one
        listened for LEASE_S. By this process's own clock, since those of machines differ and may be set."""
        now = time.time()
        with self._changing() as base:
            owner, beat = base.execute("SELECT owner, beat FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if owner not in ("", self.me):
                if not gone(owner) and not self._silent(job_id, owner, beat):
                    return False
                self._catch_up(base)  # it may have died between the ledger and the index
            base.execute("UPDATE jobs SET owner = ?, beat = ? WHERE id = ?", (self.me, now, job_id))
            return True

    def _silent(self, job_id: str, owner: str, beat: float) -> bool:
        now = time.monotonic()
        seen = self._heard.get(job_id)
        if seen is None or seen[:2] != (owner, beat):
            self._heard[job_id] = (owner, beat, now)
            return False
        return now - seen[2] >= LEASE_S

    def beat(self) -> None:
        """Lets the others hear that this process still holds its jobs. To be called often."""
        now = time.monotonic()
        if now - self._beaten >= LEASE_S / 6.0:
            self._beaten = now
            with self._changing() as base:
                base.execute("UPDATE jobs SET beat = ? WHERE owner = ?", (time.time(), self.me))

    def release(self) -> None:
        """Lets go of all that this process holds, and of the file."""
        with self._changing() as base:
            base.execute("UPDATE jobs SET owner = '' WHERE owner = ?", (self.me,))
        self._file.close()

    def close(self) -> None:
        """Lets go of the file alone."""
        self._file.close()

    def catch_up(self) -> None:
        """Adds what ledger shards hold that the index has not read: of a lost index, of a process killed in between."""
        with self._changing() as base:
            self._catch_up(base)

    def _catch_up(self, base: sqlite3.Connection) -> None:
        known, new = dict(base.execute("SELECT name, read FROM shards")), []
        for path in sorted((self.project / "ledger").glob("*/*.jsonl")):
            read = int(known.get(path.name, 0))
            if path.stat().st_size > read:
                new += list(read_tail(path, read, EVENT))
                mark(base, path)
        for entry in sorted(
            new, key=lambda e: (str(e.get("id")), int(e.get("n", 0)), float(e.get("updated", 0)))
        ):
            apply(base, entry)

    def _write(self, base: sqlite3.Connection, entry: Mapping[str, Any], now: float) -> None:
        written = self._ledger.record(EVENT, **{**entry, "updated": now})
        apply(base, written)
        assert self._ledger.path is not None
        mark(base, self._ledger.path)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; other processes and threads wait for it, so the ledger has one writer at a time."""
        with self._base() as base:
            base.execute("BEGIN IMMEDIATE")
            try:
                yield base
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")

    def _base(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._file.open()

    def _rows(self, where: str, values: Sequence[Any]) -> list[Job]:
        with self._base() as base:
            return rows(base, where, values)
