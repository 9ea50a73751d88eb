# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process: its result, its errors, cancel, and its death."""

import os
import signal
import time
from typing import Any

import pytest
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled, HoldfastError, InputError
from holdfast.pipeline.worker import WorkerProcess, run_in_foreground

TASKS = "tests.pure.worker_tasks"


def wait(worker: WorkerProcess, seconds: float = 10.0) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    end = time.monotonic() + seconds
    while not worker.finished and time.monotonic() < end:
        events += worker.poll()
        time.sleep(0.01)
    return events


def test_result_progress_and_log() -> None:
    seen: list[tuple[float, str]] = []
    lines: list[str] = []
    context = Context(lambda fraction, message: seen.append((fraction, message)), lines.append)
    assert run_in_foreground(f"{TASKS}:add", {"a": 2, "b": 3}, context.part(0.5, 1.0)) == {"sum": 5}
    assert seen[-1] == (1.0, "Adding")
    assert lines == ["adding 2 and 3"]


def test_errors_come_back_as_themselves() -> None:
    with pytest.raises(InputError, match=r"No sketch \(a\.png\)\. Add one\."):
        run_in_foreground(f"{TASKS}:refuse", {}, Context())


def test_a_fault_is_a_sentence_without_traceback() -> None:
    with pytest.raises(HoldfastError, match=r"Internal error in .*ZeroDivisionError") as caught:
        run_in_foreground(f"{TASKS}:divide", {}, Context())
    assert "Traceback" not in str(caught.value)


def test_cancel_stops_it_in_order() -> None:
    token = CancelToken()
    context = Context(progress=lambda fraction, message: token.cancel(), cancel=token)
    with pytest.raises(Cancelled):
        run_in_foreground(f"{TASKS}:forever", {}, context)


def test_a_killed_worker_is_noticed() -> None:
    worker = WorkerProcess.start(f"{TASKS}:forever", {})
    while not worker.poll():
        time.sleep(0.01)
    os.kill(worker._process.pid, signal.SIGKILL)
    last = wait(worker)[-1]
    assert last["event"] == "error"
    assert "stopped with code -9" in last["error"]["what"]


def test_a_deaf_worker_is_ended_after_the_grace_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.pipeline.worker.GRACE_SECONDS", 0.2)
    worker = WorkerProcess.start(f"{TASKS}:deaf", {})
    while not worker.poll():
        time.sleep(0.01)
    worker.cancel()
    assert wait(worker)[-1]["error"]["type"] == "Cancelled"


def test_polling_never_waits() -> None:
    worker = WorkerProcess.start(f"{TASKS}:forever", {})
    slowest = 0.0
    for _ in range(50):
        started = time.perf_counter()
        worker.poll()
        slowest = max(slowest, time.perf_counter() - started)
        time.sleep(0.002)
    worker.close()
    print(f"slowest of 50 polls {1000 * slowest:.2f} ms")
    assert worker.finished
