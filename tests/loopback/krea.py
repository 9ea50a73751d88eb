# SPDX-License-Identifier: GPL-3.0-or-later
"""Krea as its document tells it: routes of models, jobs, uploads."""

from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

OWN = "image/krea/krea-2/large"
RATIOS = {"1:1", "4:3", "3:2", "16:9", "2.35:1", "4:5", "2:3", "9:16"}


class KreaServer(Loopback):
    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.assets: dict[str, bytes] = {}
        self.script = ["queued", "processing", "intermediate-complete", "completed"]
        self.slots, self.balance, self.error = 3, 10.0, "Generation failed"
        self.retired: set[str] = set()

    @route("POST", r"/generate/(?P<model>(?:image|video)/.+)")
    def generate(self, received: Received, model: str) -> Answer:
        body = received.json
        if model in self.retired:
            return Answer(
                410, {"error": "model_unavailable"}, headers={"Sunset": "Tue, 01 Sep 2026 00:00:00 GMT"}
            )
        if not body.get("prompt"):
            return Answer(400, {"error": "prompt is required"})
        if model == OWN and (body.get("aspect_ratio") not in RATIOS or body.get("resolution") != "1K"):
            return Answer(400, {"error": "aspect_ratio and resolution are required"})
        for one in [*body.get("image_style_references", []), *body.get("style_images", [])]:
            if one["url"].startswith(self.url) and one["url"].rpartition("/")[2] not in self.assets:
                return Answer(400, {"error": "asset not found"})
        if self.balance < 0.06:
            return Answer(402, {"error": "Insufficient balance"})
        if (
            sum(job["status"] not in ("completed", "failed", "cancelled") for job in self.jobs.values())
            >= self.slots
        ):
            return Answer(429, {"error": "Too many concurrent jobs"})
        name = f"3c90c3cc-0d44-4b50-8888-{len(self.jobs):012d}"
        self.jobs[name] = {"job_id": name, "status": "queued", "polls": 0, "body": body}
        made = {"job_id": name, "created_at": "2026-11-22T00:00:00Z", "completed_at": None, "result": None}
        return Answer(200, made)

    @route("GET", r"/jobs/(?P<name>[^/]+)")
    def look(self, received: Received, name: str) -> Answer:
        job = self.jobs.get(name)
        if job is None:
            return Answer(404, {"error": "Job not found"})
        if job["status"] != "cancelled":
            job["status"] = self.script[min(job["polls"], len(self.script) - 1)]
        job["polls"] += 1
        result = {"urls": [f"{self.url}/files/{name}.png"]} if job["status"] == "completed" else None
        if job["status"] == "failed":
            result = {"error": self.error}
        return Answer(200, {"job_id": name, "status": job["status"], "completed_at": None, "result": result})

    @route("DELETE", r"/jobs/(?P<name>[^/]+)")
    def cancel(self, received: Received, name: str) -> Answer:
        job = self.jobs.get(name)
        if job is None or job["status"] in ("completed", "failed", "cancelled"):
            return Answer(400, {"error": "The job can't be cancelled"})
        job["status"] = "cancelled"
        return Answer(200, {"job_id": name, "status": "cancelled"})

    @route("POST", r"/assets")
    def upload(self, received: Received) -> Answer:
        [file] = [part for part in received.parts if part[0] == "file"]
        name = f"{len(self.assets)}.png"
        self.assets[name] = file[3]
        url = f"{self.url}/files/{name}"
        return Answer(200, {"id": name, "image_url": url, "size_bytes": len(file[3]), "mime_type": file[2]})

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(body=media.png(), headers={"ETag": '"1"'})
