# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz' video API as its documents have it: quote, accept, parts, complete, and a cancel that pays back in part."""

import hashlib
import itertools
from typing import Any

from .media import mp4
from .server import Answer, Loopback, Received, route

WORK = ["initializing", "preprocessing", "processing", "postprocessing", "complete"]
SOURCE = {"container", "size", "duration", "frameCount", "frameRate", "resolution"}
PART = 500 << 20


def error(status: int, code: str, words: str, *fields: str) -> Answer:
    """An error as it is documented."""
    listed = [{"type": "body", "path": field, "location": "body"} for field in fields]
    return Answer(status, {"message": words, "errorCode": code, **({"errors": listed} if listed else {})})


class TopazServer(Loopback):
    """``balance`` in credits; ``part`` bytes of a part; ``script`` the states once the film is there."""

    def __init__(self) -> None:
        super().__init__()
        self.script, self.balance, self.part = list(WORK), 100.0, PART
        self.cost = [4, 5]
        self.jobs: dict[str, dict[str, Any]] = {}
        self.expired = False
        self._numbers = itertools.count(1)

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/storage/"))

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("x-api-key") == self.key:
            return None
        return error(401, "UNAUTHORIZED", "Invalid API key")

    @route("POST", "/video/")
    def quote(self, received: Received) -> Answer:
        body = received.json
        source, output = body.get("source") or {}, body.get("output") or {}
        missing = [f"source.{name}" for name in sorted(SOURCE - set(source))]
        missing += [f"output.{name}" for name in ("resolution", "frameRate") if name not in output]
        missing += (
            ["filters"]
            if not body.get("filters") or any("model" not in one for one in body["filters"])
            else []
        )
        missing += ["source.frameRate"] if source.get("frameRate", 1) <= 0 else []
        if missing:
            return error(400, "INVALID_INPUT", "Validation failed", *missing)
        name = f"req-{next(self._numbers)}"
        self.jobs[name] = {"status": "requested", "body": body, "parts": {}, "polls": 0, "held": 0.0}
        return Answer(200, {"requestId": name, "estimates": {"cost": self.cost, "time": [60, 90]}})

    @route("PATCH", "/video/(?P<name>[^/]+)/accept")
    def accept(self, received: Received, name: str) -> Answer:
        job = self.jobs.get(name)
        if job is None or job["status"] != "requested":
            return error(400, "INVALID_INPUT", "Request can't be accepted")
        if self.balance < self.cost[1]:
            return error(402, "INSUFFICIENT_CREDITS", "Not enough credits")
        self.balance -= self.cost[1]
        count = -(-job["body"]["source"]["size"] // self.part)
        job |= {"status": "accepted", "held": float(self.cost[1]), "count": count}
        links = [f"{self.url}/storage/{name}/{number + 1}?sig=1" for number in range(count)]
        return Answer(200, {"uploadId": f"up-{name}", "urls": links})

    @route("PUT", r"/storage/(?P<name>[^/]+)/(?P<number>\d+)")
    def store(self, received: Received, name: str, number: str) -> Answer:
        if (
            "x-api-key" in received.headers
            or received.query.get("sig") != "1"
            or len(received.body) > self.part
        ):
            return Answer(403)
        self.jobs[name]["parts"][int(number)] = received.body
        return Answer(200, headers={"ETag": f'"{hashlib.md5(received.body).hexdigest()}"'})

    @route("PATCH", "/video/(?P<name>[^/]+)/complete-upload")
    def complete(self, received: Received, name: str) -> Answer:
        job, told = self.jobs[name], received.json.get("uploadResults") or []
        want = [(n, hashlib.md5(job["parts"].get(n, b"")).hexdigest()) for n in range(1, job["count"] + 1)]
        if [(one.get("partNum"), str(one.get("eTag")).strip('"')) for one in told] != want:
            return error(400, "INVALID_INPUT", "Parts do not match", "uploadResults")
        job["status"] = "uploaded"
        return Answer(200, {"message": "Processing will begin"})

    @route("GET", "/video/(?P<name>[^/]+)/status")
    def state(self, received: Received, name: str) -> Answer:
        job = self.jobs.get(name)
        if job is None:
            return Answer(404, {"message": "Not found"})
        if job["status"] not in ("requested", "accepted", "canceled", "failed", "complete"):
            job["status"] = self.script[min(job["polls"], len(self.script) - 1)]
            job["polls"] += 1
        said: dict[str, Any] = {"status": job["status"], "progress": 0}
        if job["status"] == "processing":
            said["progress"] = 40
        if job["status"] == "failed":
            said |= {"errorCode": "SERVER_ERROR", "message": "The film could not be decoded"}
        if job["status"] == "complete":
            link = {
                "url": f"{self.url}/files/{name}.mp4",
                "expiresIn": 604800,
                "expiresAt": "2026-11-28T08:00:00Z",
            }
            said |= {"progress": 100, "download": link}
        return Answer(200, said)

    @route("DELETE", "/video/(?P<name>[^/]+)")
    def cancel(self, received: Received, name: str) -> Answer:
        """All is paid back before work begins, afterwards what is left of it."""
        job = self.jobs.get(name)
        if job is None:
            return Answer(404, {"message": "Not found"})
        if job["status"] in ("complete", "failed", "canceled"):
            return error(400, "INVALID_INPUT", "Request can't be canceled")
        done = 0.4 if job["status"] in ("processing", "postprocessing") else 0.0
        self.balance += job["held"] * (1 - done)
        job["status"] = "canceled"
        return Answer(200, {"requestId": name, "status": "canceled"})

    @route("GET", r"/files/(?P<name>.+)\.mp4")
    def result(self, received: Received, name: str) -> Answer:
        return Answer(403) if self.expired or name not in self.jobs else Answer(body=mp4())
