# SPDX-License-Identifier: GPL-3.0-or-later
"""What our side of a remote job costs: to the wire, from done to disk, and while many jobs are polled.

python -m tests.bench.bench_wire [--megabytes 100] [--jobs 50] [--seconds 20]
"""

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from pathlib import Path

import requests
from holdfast.clients import jobs as jobs_module
from holdfast.clients.download import download
from holdfast.clients.wire import Hosts, Wire
from holdfast.pipeline.context import CancelToken, Context
from holdfast.pipeline.errors import Cancelled
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from ..loopback.server import Answer, Loopback
from ..pure.jobs_service import CATALOGUE, FACTS, Studio, StudioAdapter, StudioRunner, request


def to_the_wire(folder: Path, studio: Studio, count: int = 20) -> None:
    """From ``prepare`` to the create's arrival, in a worker that runs already; beside a plain POST."""
    ours = []
    for number in range(count):
        project = folder / f"wire{number}"
        start = time.monotonic()
        store = JobStore(project)
        store.prepare(request(), Caps(), price=1, **FACTS)
        runner = StudioRunner(store, CATALOGUE, True, Context())
        runner.url, before = studio.url, len(studio.log)
        runner.go(set())
        ours.append(next(r.at for r in studio.log[before:] if r.method == "POST") - start)
    plain = []
    for _ in range(count):
        start, before = time.monotonic(), len(studio.log)
        requests.post(
            f"{studio.url}/jobs",
            json={"own_id": "x"},
            headers={"Authorization": f"Bearer {studio.key}"},
            timeout=5,
        )
        plain.append(studio.log[before].at - start)
    print(
        f"  submit to wire        {1000 * statistics.median(ours):8.1f} ms, plain requests {1000 * statistics.median(plain):.1f} ms"
    )


class Film(Loopback):
    """One large file."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body

    def answer(self, received: object) -> Answer:
        return Answer(200, body=self.body)


def to_the_disk(folder: Path, megabytes: int) -> None:
    """A film from the wire to a flushed, hashed, checked file; beside requests writing it and hashing it."""
    body = b"\0\0\0\x18ftypisom" + os.urandom(megabytes << 20)
    with Film(body) as server:
        ours, plain = [], []
        for number in range(3):
            wire = Wire("bench", server.url, Hosts(), Context())
            start = time.perf_counter()
            download(wire, f"{server.url}/x", folder / f"d{number}", "00", ("mp4",), 1 << 30)
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            digest = hashlib.sha256()
            with (
                requests.get(f"{server.url}/x", stream=True, timeout=30) as answer,
                (folder / "plain").open("wb") as stream,
            ):
                for chunk in answer.iter_content(1 << 20):
                    stream.write(chunk)
                    digest.update(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            plain.append(time.perf_counter() - start)
    print(
        f"  {megabytes} MB to the disk    {min(ours):8.2f} s, plain requests {min(plain):.2f} s: {min(ours) / min(plain):.2f} times"
    )


def polled(folder: Path, count: int, seconds: float) -> None:
    """Processor time while ``count`` jobs are polled, at the pace that the descriptor asks for (5 s)."""

    class Slow(StudioAdapter):
        patience = 5.0

        def snapshot(self, reply, handle):
            from dataclasses import replace

            return replace(super().snapshot(reply, handle), retry_after_s=5.0)

    with Studio(polls=10**6) as studio:
        store = JobStore(folder / "polled")
        for _ in range(count):
            store.prepare(request(), Caps(), price=1, **FACTS)
        ends: list[float] = []
        token = CancelToken(lambda: bool(ends) and time.monotonic() > ends[0])
        runner = StudioRunner(store, CATALOGUE, True, Context(cancel=token))
        runner.url, runner.kind = studio.url, Slow
        pid = os.fork()
        if not pid:
            used = 0.0

            def begun() -> bool:
                nonlocal used
                if not ends and store.count().get(Step.REMOTE, 0) == count:
                    ends.append(time.monotonic() + seconds)
                    used = time.process_time()
                return bool(ends) and time.monotonic() > ends[0]

            runner.context = Context(cancel=CancelToken(begun))
            try:
                runner.go(set())
            except Cancelled:
                share = (time.process_time() - used) / seconds
                print(f"  {count} jobs polled      {share:8.1%} of one core", flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        print(f"                        {len(studio.of('GET', '/jobs/'))} polls came")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Studio(polls=0) as studio:
        to_the_wire(Path(folder), studio)
        to_the_disk(Path(folder), given.megabytes)
        print(f"  (the worker looks for what is due every {1000 * jobs_module.TICK_S:.0f} ms)")
        polled(Path(folder), given.jobs, given.seconds)


if __name__ == "__main__":
    main()
