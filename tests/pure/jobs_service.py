# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up service for tests of jobs: it counts what it bills, and can be asked for a lost job if it is told to."""

import threading
from pathlib import Path
from typing import Any

from holdfast.clients.adapter import Adapter
from holdfast.clients.auth import Bearer
from holdfast.clients.calls import Call, Reply
from holdfast.clients.contract import FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from holdfast.clients.descriptor import Catalogue, Descriptor, InputLimit, JobRule, Price, Service
from holdfast.clients.descriptor import Output as OutputRule
from holdfast.clients.jobs import Runner
from holdfast.clients.wire import Hosts, Wire
from holdfast.pipeline.jobs import Job

from ..loopback import media
from ..loopback.server import Answer, Loopback, Received, route

MODEL = Descriptor(
    "studio", "film-1", "video_restyle", "Studio Film", True,
    {"source_video": InputLimit(("data_uri",), (0, 1))}, prompt_max=200,
    options={"seconds": {"min": 1, "max": 10}}, job=JobRule(poll_min_s=0.0, cancel="best_effort"),
    price=Price(per_second_micros=100_000, as_of="2026-11-22"), output=OutputRule(("mp4",), most_bytes=1 << 24),
)  # fmt: skip
SERVICE = Service("studio", "Studio", "", keys=("HOLDFAST_STUDIO_KEY",))


class Studio(Loopback):
    """Jobs of ``polls`` polls each, by id; ``bills`` the own ids it was asked for, in order."""

    def __init__(self, polls: int = 1) -> None:
        super().__init__()
        self.polls, self.bills = polls, []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.film = media.mp4()

    @route("POST", "/jobs")
    def create(self, received: Received) -> Answer:
        own = received.json["own_id"]
        self.bills.append(own)
        job_id = f"j{len(self.bills)}"
        self.jobs[job_id] = {"id": job_id, "own_id": own, "left": self.polls, "state": "running"}
        return Answer(200, {"id": job_id})

    @route("GET", "/jobs")
    def find(self, received: Received) -> Answer:
        found = [job for job in self.jobs.values() if job["own_id"] == received.query["own_id"]]
        return Answer(200, {"jobs": found})

    @route("GET", "/jobs/(?P<job_id>[^/]+)")
    def state(self, received: Received, job_id: str) -> Answer:
        job = self.jobs.get(job_id)
        if job is None:
            return Answer(404, {"error": "no such job"})
        if job["state"] == "running":
            job["left"] -= 1
            job["state"] = "done" if job["left"] < 0 else "running"
        urls = [f"{self.url}/files/{job_id}.mp4"] if job["state"] == "done" else []
        return Answer(200, {**job, "urls": urls, "micros": 450_000})

    @route("DELETE", "/jobs/(?P<job_id>[^/]+)")
    def stop(self, received: Received, job_id: str) -> Answer:
        self.jobs[job_id]["state"] = "cancelled"
        return Answer(204)

    @route("GET", "/files/.+")
    def file(self, received: Received) -> Answer:
        return Answer(200, body=self.film, headers={"ETag": '"film"', "Accept-Ranges": "bytes"})


class StudioAdapter(Adapter):
    """Its adapter; ``lookups`` says whether it may be asked for a lost job, ``patience`` how long it wants to be left alone."""

    lookups = True
    patience = 0.0

    def create(self, job: JobSpec) -> Call:
        return Call("POST", "/jobs", json={"own_id": job.own_id, "prompt": job.prompt})

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(reply.table.get("id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/jobs/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        body = reply.table
        if body.get("state") == "done":
            outputs = tuple(
                Output(f"{i:02d}", MediaRef("https", url, "result"), "video/mp4")
                for i, url in enumerate(body["urls"])
            )
            return Snapshot(
                State.SUCCEEDED, 1.0, retry_after_s=self.patience, outputs=outputs, cost_micros=body["micros"]
            )
        if body.get("state") == "cancelled":
            return Snapshot(
                State.CANCELLED, failure=self.failure(FailureKind.UNSUPPORTED, "has stopped it", billed=False)
            )
        return Snapshot(State.RUNNING if body.get("state") == "running" else State.UNKNOWN, 0.5)

    def stop(self, handle: Handle) -> Call:
        return Call("DELETE", f"/jobs/{handle.job_id}")

    def lookup(self, job: JobSpec, since: float) -> Call | None:
        return Call("GET", "/jobs", params={"own_id": job.own_id}) if self.lookups else None

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        known = reply.table["jobs"]
        return self.handle(known[0]["id"]) if known else None


class StudioRunner(Runner):
    """Runs jobs against the service at ``url``."""

    url = ""
    kind: type[Adapter] = StudioAdapter

    def adapter(self, job: Job) -> Adapter:
        key = Loopback.key
        wire = Wire("Studio", self.url, Hosts((), self.online), self.context, Bearer(key), (key,))
        return self.kind(wire, MODEL, self.store.folder(job.id) / "spool")


CATALOGUE = Catalogue({MODEL.id: MODEL}, {"studio": SERVICE})
FACTS = {"provider": "studio", "model": "film-1", "shot": "sh010", "purpose": "take"}
lock = threading.Lock()


def request(prompt: str = "ink", source: Path | None = None, sha256: str = "") -> dict[str, Any]:
    """A request as an operator writes it down."""
    inputs = [{"path": str(source), "role": "source_video", "sha256": sha256}] if source else []
    return {"inputs": inputs, "prompt": prompt, "seed": None, "options": {"seconds": 4}}
