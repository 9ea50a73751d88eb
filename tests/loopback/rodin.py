# SPDX-License-Identifier: GPL-3.0-or-later
"""Rodin as its document tells it: a form, a state by another key, links that live for a while."""

import time
from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

TIERS = {"Sketch", "Regular", "Detail", "Smooth", "Gen-2", "Gen-2.5-High", "Gen-2.5-Extreme-High"}


class RodinServer(Loopback):
    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.script = [["Waiting", "Waiting"], ["Done", "Generating"], ["Done", "Done"]]
        self.credits, self.now, self.links = 10.0, time.time(), 0
        self.born: dict[str, float] = {}

    @route("POST", r"/rodin")
    def create(self, received: Received) -> Answer:
        if not received.headers.get("content-type", "").startswith("multipart/form-data"):
            return Answer(400, {"error": "INVALID_REQUEST", "message": "multipart/form-data is required"})
        parts = received.parts
        fields = {name: body.decode() for name, file, _, body in parts if not file}
        images = [body for name, file, _, body in parts if name == "images" and file]
        if not images and not fields.get("prompt"):
            return Answer(201, {"error": "INVALID_REQUEST", "message": "images or prompt is required"})
        if len(images) > 5 or fields.get("tier", "Regular") not in TIERS:
            return Answer(201, {"error": "INVALID_REQUEST", "message": "too many images or an unknown tier"})
        if self.credits < 0.5:
            return Answer(201, {"error": "INSUFFICIENT_FUNDS", "message": "Not enough credits"})
        number = len(self.tasks)
        key = f"subscription-{number}"
        self.tasks[key] = {"uuid": f"uuid-{number}", "polls": 0, "fields": fields, "images": images}
        jobs = {"uuids": [f"job-{number}-a", f"job-{number}-b"], "subscription_key": key}
        return Answer(201, {"error": None, "message": "Submitted.", "uuid": f"uuid-{number}", "jobs": jobs})

    @route("POST", r"/status")
    def look(self, received: Received) -> Answer:
        task = self.tasks.get(received.json.get("subscription_key"))
        if task is None:
            return Answer(200, {"error": "NO_SUCH_TASK", "message": "unknown subscription key"})
        words = self.script[min(task["polls"], len(self.script) - 1)]
        task["polls"] += 1
        return Answer(
            200, {"jobs": [{"uuid": f"j{number}", "status": word} for number, word in enumerate(words)]}
        )

    @route("POST", r"/download")
    def download(self, received: Received) -> Answer:
        task = next((t for t in self.tasks.values() if t["uuid"] == received.json.get("task_uuid")), None)
        if task is None:
            return Answer(200, {"error": "NO_SUCH_TASK", "message": "unknown task"})
        self.links += 1
        self.born[str(self.links)] = self.now
        at = f"{self.url}/files/{self.links}"
        files = ["preview.webp", "texture_diffuse.png", "base_basic_pbr.glb", "../../evil.sh"]
        return Answer(
            200, {"error": "OK", "list": [{"url": f"{at}/{n}", "name": name} for n, name in enumerate(files)]}
        )

    @route("GET", r"/files/(?P<link>\d+)/(?P<number>\d)")
    def file(self, received: Received, link: str, number: str) -> Answer:
        if self.now - self.born[link] > 600:
            return Answer(403, body=b"expired")
        return Answer(body=media.glb() if number == "2" else media.png(), headers={"ETag": '"1"'})
