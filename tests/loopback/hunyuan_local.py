# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D's own server as its source has it: 2 hides failures behind "processing", 2.1 tells them."""

import base64
from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

RANGES = {"octree_resolution": (64, 512), "num_inference_steps": (1, 20), "face_count": (1000, 100000)}


class HunyuanLocalServer(Loopback):
    def __init__(self, newer: bool = False) -> None:
        super().__init__()
        self.newer = newer
        self.jobs: dict[str, dict[str, Any]] = {}
        self.script = ["processing", "processing", "completed"]
        self.crash = False

    def authorised(self, received: Received) -> Answer | None:
        return None

    def wrong(self, body: dict[str, Any]) -> Answer | None:
        if self.newer:
            if not body.get("image"):
                return Answer(
                    422, {"detail": [{"loc": ["body", "image"], "msg": "Field required", "type": "missing"}]}
                )
            for name, (low, high) in RANGES.items():
                if not low <= body.get(name, low) <= high:
                    return Answer(
                        422, {"detail": [{"loc": ["body", name], "msg": "out of range", "type": "range"}]}
                    )
        elif not body.get("image") and not body.get("text"):
            return Answer(404, {"text": "NETWORK ERROR: no input image or text provided", "error_code": 1})
        if "image" in body and base64.b64decode(body["image"])[:4] != media.png()[:4]:
            return Answer(404, {"text": "cannot identify image", "error_code": 1})
        return None

    @route("POST", "/generate")
    def generate(self, received: Received) -> Answer:
        if refused := self.wrong(received.json):
            return refused
        if self.crash:
            return Answer(404, {"text": "CUDA out of memory", "error_code": 1})
        return Answer(body=media.glb())

    @route("POST", "/send")
    def send(self, received: Received) -> Answer:
        if self.newer and (refused := self.wrong(received.json)):
            return refused
        name = f"uid-{len(self.jobs)}"
        self.jobs[name] = {"polls": 0, "bad": self.wrong(received.json) is not None or self.crash}
        return Answer(200, {"uid": name})

    @route("GET", r"/status/(?P<name>.+)")
    def status(self, received: Received, name: str) -> Answer:
        job = self.jobs.get(name)
        if job is None or (job["bad"] and not self.newer):
            return Answer(200, {"status": "processing"})  # nobody looks whether there ever was such a job
        if job["bad"]:
            return Answer(200, {"status": "error", "message": "CUDA out of memory"})
        word = self.script[min(job["polls"], len(self.script) - 1)]
        job["polls"] += 1
        if word != "completed":
            return Answer(200, {"status": word})
        return Answer(200, {"status": word, "model_base64": base64.b64encode(media.glb()).decode()})
