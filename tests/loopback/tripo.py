# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's third version as its SDK speaks it: envelopes, a route per operation, uploads by form or to storage."""

from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

NEEDS = {
    "generation/text-to-model": "prompt", "generation/image-to-model": "input", "generation/multiview-to-model": "inputs",
    "generation/image-to-depth": "input", "models/texture": "input", "models/convert": "format", "animations/rig": "input",
}  # fmt: skip
ENDED = ("success", "failed", "cancelled", "banned", "expired")


def said_no(code: int, message: str, status: int = 200) -> Answer:
    return Answer(
        status, {"code": code, "message": message, "suggestion": "Look at the document", "request_id": "r1"}
    )


def well(data: dict[str, Any]) -> Answer:
    return Answer(200, {"code": 0, "data": data})


class TripoServer(Loopback):
    key = "tsk_loopback-key"

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.script = ["queued", "running", "success"]
        self.credits = 1000

    def authorised(self, received: Received) -> Answer | None:
        return None if super().authorised(received) is None else said_no(1000, "Authentication failed", 401)

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/storage/"))

    @route("POST", r"/v3/(?P<kind>(?:generation|models|animations)/[a-z-]+)")
    def create(self, received: Received, kind: str) -> Answer:
        body = received.json
        if kind not in NEEDS or not body.get(NEEDS[kind]):
            return said_no(1004, f"{NEEDS.get(kind)} is required", 400)
        if kind == "generation/multiview-to-model" and (len(body["inputs"]) != 4 or not body["inputs"][0]):
            return said_no(1004, "inputs are front, left, back, right", 400)
        for value in [body.get("input"), *body.get("inputs", [])]:
            if isinstance(value, str) and value.startswith("file_") and value not in self.files:
                return said_no(1005, "file_token not found")
        if self.credits < 30:
            return said_no(2010, "You need more credits")
        name = f"11111111-2222-4333-8444-{len(self.tasks):012d}"
        self.tasks[name] = {"task_id": name, "type": kind.rpartition("/")[2].replace("-", "_"), "polls": 0}
        return well({"task_id": name})

    @route("GET", r"/v3/tasks/(?P<name>[^/]+)")
    def look(self, received: Received, name: str) -> Answer:
        task = self.tasks.get(name)
        if task is None:
            return said_no(2001, "Task not found", 404)
        if task.get("status") not in ENDED:
            task["status"] = self.script[min(task["polls"], len(self.script) - 1)]
        task["polls"] += 1
        task["progress"] = {"success": 100, "running": 50}.get(task["status"], 0)
        if task["status"] == "queued":
            task["queuing_num"] = 3
        if task["status"] == "success":
            task.pop("queuing_num", None)
            key, end = ("depth_image_url", "png") if "depth" in task["type"] else ("model_url", "glb")
            task.update(output={key: f"{self.url}/files/r.{end}?sign=1"}, credits_consumed=30, progress=100)
        if task["status"] in ("failed", "banned"):
            task.update(error_code=2099, error_msg="nothing came of it", credits_consumed=0)
        return well({key: value for key, value in task.items() if key != "polls"})

    @route("POST", r"/v3/files")
    def upload(self, received: Received) -> Answer:
        parts = [part for part in received.parts if part[0] == "file"]
        if len(parts) != 1:
            return said_no(1004, "file is required", 400)
        token = f"file_{len(self.files)}"
        self.files[token] = parts[0][3]
        return well({"file_token": token})

    @route("POST", r"/v3/files/presign")
    def presign(self, received: Received) -> Answer:
        if not received.json.get("format"):
            return said_no(1004, "format is required", 400)
        token = f"file_{len(self.files)}"
        self.files[token] = b""
        return well({"file_token": token, "presigned_url": f"{self.url}/storage/{token}", "expires_in": 900})

    @route("PUT", r"/storage/(?P<token>.+)")
    def store(self, received: Received, token: str) -> Answer:
        self.files[token] = received.body
        return Answer(200)

    @route("GET", r"/v3/account/balance")
    def balance(self, received: Received) -> Answer:
        return well({"balance": self.credits, "frozen": 0})

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(body=media.png() if name.endswith("png") else media.glb(), headers={"ETag": '"1"'})
