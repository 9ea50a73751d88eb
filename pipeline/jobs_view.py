# SPDX-License-Identifier: GPL-3.0-or-later
"""What a panel shows of the jobs of a project: one page of rows and the sums, read without ever waiting for a writer."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .jobs_index import WORKING, YOUR_TURN, Job, Step, rows

FILE = "jobs.sqlite"
PAGE = 50


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


def read(
    project: Path,
    shot: str,
    day: float,
    *,
    steps: Sequence[Step] = (),
    only_shot: bool = False,
    first: int = 0,
) -> View | None:
    """The page of jobs from ``first``, the newest first; all ``steps`` if none is named. None if a writer is at it or the
    index can't be read now: ask again later."""
    if not (project / FILE).exists():
        return View()
    try:
        base = sqlite3.connect(f"{(project / FILE).absolute().as_uri()}?mode=ro", uri=True, timeout=0.0)
    except sqlite3.Error:
        return None
    try:
        return _read(base, shot, day, (json.dumps(list(steps)), shot if only_shot else ""), first)
    except sqlite3.Error:
        return None
    finally:
        base.close()


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


def _read(base: sqlite3.Connection, shot: str, day: float, filters: tuple[str, str], first: int) -> View:
    steps: dict[Step, int] = {}
    going: dict[str, int] = {}
    services, money = set(), [0, 0, 0]
    found, wanted, only = 0, json.loads(filters[0]), filters[1]
    for of_shot, step, provider, count, micros, late in base.execute(SUMS, (day,)):
        for number, part in enumerate((late, micros if of_shot == shot else 0, micros)):
            money[number] += part
        steps[Step(step)] = steps.get(Step(step), 0) + count
        services.add(provider)
        if step in WORKING:
            going[provider] = going.get(provider, 0) + count
        if (not wanted or step in wanted) and only in ("", of_shot):
            found += count
    for provider, count in base.execute(UNDECIDED, (f"%{YOUR_TURN}",)):
        going[provider] = going.get(provider, 0) + count
    page = rows(base, ROWS, (*filters, PAGE, first))
    return View(tuple(page), found, steps, *money, going, tuple(sorted(services)))
