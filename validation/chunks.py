# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring in chunks: side by side in processes of this machine, or one by one on a farm. The same numbers either way."""

import os
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..pipeline.context import Context
from ..pipeline.errors import from_json
from ..pipeline.worker import WorkerProcess
from .keep import kept

FOLDER = "chunks"
LEAST = 12
"""Frames for which a process of its own is worth its start."""
MOST_JOBS = 8
_TICK = 0.05


def split(count: int, jobs: int) -> list[tuple[int, int]]:
    """First and last position of ``jobs`` chunks of about the same length, fewer where they would be short."""
    jobs = max(1, min(jobs, count // LEAST))
    edges = [round(i * count / jobs) for i in range(jobs + 1)]
    return [(a, b - 1) for a, b in pairwise(edges) if b > a]


def wanted_jobs(asked: int | None) -> int:
    """How many processes measure: as many as asked for, else as there are cores."""
    return max(1, min(MOST_JOBS, asked or os.cpu_count() or 1))


def name_of(first: int, last: int) -> str:
    """The file of a chunk of positions."""
    return f"{first + 1:05d}-{last + 1:05d}.npz"


def missing(count: int, folder: Path, identity: str) -> list[int]:
    """Positions that no kept file knows."""
    known = {i for rows in kept(folder, identity).values() for i in rows}
    return [i for i in range(count) if i not in known]


def side_by_side(function: str, requests: Sequence[dict[str, Any]], ctx: Context, label: str) -> None:
    """Runs worker tasks at once and waits for all. The first error ends the others and is raised; so does a cancel."""
    flags = ["-I"] if sys.flags.isolated else []
    workers = [WorkerProcess.start(function, request, flags) for request in requests]
    shares = [0.0] * len(workers)
    try:
        while not all(worker.finished for worker in workers):
            ctx.cancel.check()
            for index, worker in enumerate(workers):
                for event in worker.poll():
                    if event["event"] == "error":
                        raise from_json(event["error"])
                    if event["event"] == "progress":
                        shares[index] = float(event["fraction"])
                    elif event["event"] == "result":
                        shares[index] = 1.0
            ctx.progress(sum(shares) / len(shares), label)
            time.sleep(_TICK)
    finally:
        for worker in workers:
            worker.close()
