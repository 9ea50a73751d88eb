# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger stays true when writers are many and die at any moment."""

import multiprocessing
from pathlib import Path

from holdfast.pipeline.ledger import Ledger, read_ledger


def _write(folder: str, count: int) -> None:
    ledger = Ledger(Path(folder))
    for number in range(count):
        ledger.record("stage", number=number)


def test_entries_are_chained_and_a_torn_line_is_dropped(tmp_path: Path) -> None:
    _write(str(tmp_path), 3)
    shard = next(tmp_path.glob("*/*.jsonl"))
    with shard.open("ab") as stream:
        stream.write(b'{"event": "sta')
    entries = list(read_ledger(tmp_path))
    assert [entry["number"] for entry in entries] == [0, 1, 2]
    assert all(entry["chained"] for entry in entries)
    assert shard.stat().st_mode & 0o077 == 0


def test_a_changed_entry_breaks_the_chain(tmp_path: Path) -> None:
    _write(str(tmp_path), 3)
    shard = next(tmp_path.glob("*/*.jsonl"))
    shard.write_bytes(shard.read_bytes().replace(b'"number":1', b'"number":7'))
    assert [entry["chained"] for entry in read_ledger(tmp_path)] == [True, True, False]


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(str(tmp_path), 50)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(list(read_ledger(tmp_path))) == 200
    assert len(list(tmp_path.glob("*/*.jsonl"))) == 4
