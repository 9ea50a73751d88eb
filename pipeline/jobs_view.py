# SPDX-License-Identifier: GPL-3.0-or-later
"""What a panel shows of the jobs of a project: one page of rows and the sums, read without ever waiting for a writer."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from .jobs_index import WORKING, YOUR_TURN, Job, Step, rows

FILE = "jobs.sqlite"
PAGE = 50
Found = TypeVar("Found")


@dataclass(frozen=True)
class View:
    """``rows`` of the page, ``found`` how many the filters leave, ``steps`` how many stand where. Micros that count
    ``today`` (UTC), for the ``shot`` and for the ``project``. ``going``: by service, what a worker can go on with;
    ``services``: all that have jobs. ``sending``: a request is on its way now."""

    rows: tuple[Job, ...] = ()
    found: int = 0
    steps: dict[Step, int] = field(default_factory=dict)
    today: int = 0
    shot: int = 0
    project: int = 0
    going: dict[str, int] = field(default_factory=dict)
    services: tuple[str, ...] = ()

    @property
    def sending(self) -> bool:
        return Step.SUBMITTING in self.steps


def stamp(project: Path) -> tuple[int, int]:
    """Another one whenever something changed; (0, 0) without an index."""
    try:
        status = (project / FILE).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


ROWS = """
WHERE rowid IN (
    SELECT rowid FROM jobs
    WHERE (?1 = '[]' OR +step IN (SELECT value FROM json_each(?1))) AND (?2 = '' OR +shot = ?2)
    ORDER BY created DESC, id LIMIT ?3 OFFSET ?4
) ORDER BY created DESC, id
"""
SUMS = """
SELECT shot, step, provider, COUNT(*), SUM(billed * CASE WHEN cost < 0 THEN price ELSE cost END),
SUM((created >= ?) * billed * CASE WHEN cost < 0 THEN price ELSE cost END)
FROM jobs GROUP BY shot, step, provider
"""
UNDECIDED = "SELECT provider, COUNT(*) FROM jobs WHERE step = 'uncertain' AND says NOT LIKE ? GROUP BY 1"


@dataclass(frozen=True)
class Sums:
    """``groups``: (shot, step, service, jobs, micros that count, micros of today); ``undecided``: by service, jobs in doubt
    that can still be looked up."""

    groups: tuple[tuple[str, str, str, int, int, int], ...] = ()
    undecided: tuple[tuple[str, int], ...] = ()


def read_sums(project: Path, day: float) -> Sums | None:
    """All sums; ``day`` is when today began. None if a writer is at it or the index can't be read now: ask again later."""

    def sums(base: sqlite3.Connection) -> Sums:
        undecided = base.execute(UNDECIDED, (f"%{YOUR_TURN}",)).fetchall()
        return Sums(tuple(base.execute(SUMS, (day,)).fetchall()), tuple(undecided))

    return _reading(project, sums, Sums())


def read_page(project: Path, steps: Sequence[Step], shot: str, first: int) -> tuple[Job, ...] | None:
    """Fifty jobs from ``first``, the newest first: of all ``steps`` if none is named, of all shots if ``shot`` is empty.
    None as above."""
    values, nothing = (json.dumps(list(steps)), shot, PAGE, first), tuple[Job, ...]()
    return _reading(project, lambda base: tuple(rows(base, ROWS, values)), nothing)


def view_of(page: tuple[Job, ...], sums: Sums, steps: Sequence[Step], shot: str, only_shot: bool) -> View:
    """Page and sums together, for the ``shot`` that is open."""
    counts: dict[Step, int] = {}
    going: dict[str, int] = dict(sums.undecided)
    found = today = of_the_shot = project = 0
    for of_shot, step, service, count, micros, late in sums.groups:
        counts[Step(step)] = counts.get(Step(step), 0) + count
        if step in WORKING:
            going[service] = going.get(service, 0) + count
        if (not steps or step in steps) and (of_shot == shot or not only_shot):
            found += count
        today, project = today + late, project + micros
        of_the_shot += micros if of_shot == shot else 0
    services = tuple(sorted({group[2] for group in sums.groups}))
    return View(page, found, counts, today, of_the_shot, project, going, services)


def _reading(project: Path, ask: Callable[[sqlite3.Connection], Found], nothing: Found) -> Found | None:
    if not (project / FILE).exists():
        return nothing
    try:
        base = sqlite3.connect(f"{(project / FILE).absolute().as_uri()}?mode=ro", uri=True, timeout=0.0)
    except sqlite3.Error:
        return None
    try:
        return ask(base)
    except sqlite3.Error:
        return None
    finally:
        base.close()
