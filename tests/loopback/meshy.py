# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy as its documents tell it: a route per operation, tasks that advance with every look at them."""

import time
from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

ROUTES = r"/openapi/(?P<at>v2/text-to-3d|v1/(?:image-to-3d|multi-image-to-3d|retexture|remesh|rigging))"
MODELS = {
    "v2/text-to-3d": {"meshy-5", "meshy-6", "latest"},
    "v1/image-to-3d": {"meshy-5", "meshy-6", "meshy-7", "latest", "meshy-t1", "meshy-t2"},
}
NEEDS = {
    "v1/image-to-3d": ("image_url", "input_task_id"),
    "v1/multi-image-to-3d": ("image_urls", "input_task_id"),
    "v1/retexture": ("model_url", "input_task_id"),
    "v1/remesh": ("model_url", "input_task_id"),
    "v1/rigging": ("model_url", "input_task_id"),
}
PRICES = {"v2/text-to-3d": 20, "v1/image-to-3d": 30, "v1/multi-image-to-3d": 30, "v1/retexture": 10}


def refused(status: int, message: str) -> Answer:
    return Answer(status, {"message": message})


class MeshyServer(Loopback):
    key = "msy_loopback-key"

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.script = ["PENDING", "IN_PROGRESS", "SUCCEEDED"]
        self.slots, self.credits, self.error, self.gone = 10, 1000, "", False

    def authorised(self, received: Received) -> Answer | None:
        return None if super().authorised(received) is None else refused(401, "Invalid API key")

    def wrong(self, at: str, body: dict[str, Any]) -> str:
        """What the document calls a bad request; "" for none."""
        if body.get("ai_model", "latest") not in MODELS.get(at, {body.get("ai_model", "latest")}):
            return f"Invalid ai_model {body['ai_model']}"
        if at in NEEDS and len([key for key in NEEDS[at] if body.get(key)]) != 1:
            return f"One of {NEEDS[at]} is required"
        if at == "v2/text-to-3d" and body.get("mode") not in ("preview", "refine"):
            return "mode must be preview or refine"
        if at == "v2/text-to-3d" and not body.get(
            "prompt" if body["mode"] == "preview" else "preview_task_id"
        ):
            return "prompt or preview_task_id is required"
        if len(body.get("image_urls", [])) > 4 or len(str(body.get("prompt", ""))) > 600:
            return "too many images or too long a prompt"
        return ""

    @route("POST", ROUTES)
    def create(self, received: Received, at: str) -> Answer:
        body = received.json
        if says := self.wrong(at, body):
            return refused(400, says)
        busy = [task for task in self.tasks.values() if task["status"] in ("PENDING", "IN_PROGRESS")]
        if len(busy) >= self.slots:
            return refused(429, "NoMoreConcurrentTasks")
        if self.credits < PRICES.get(at, 5):
            return refused(402, "Insufficient credits")
        if at == "v2/text-to-3d" and body["mode"] == "refine":
            before = self.tasks.get(body["preview_task_id"])
            if before is None or before["status"] != "SUCCEEDED":
                return refused(400, "The preview task is not there or not done")
        name = f"018a210d-8ba4-705c-b111-{len(self.tasks):012d}"
        self.tasks[name] = {
            "id": name, "type": at.partition("/")[2], "status": "PENDING", "progress": 0, "preceding_tasks": 2,
            "created_at": round(time.time() * 1000), "prompt": body.get("prompt", ""), "polls": 0, "at": at,
            "formats": body.get("target_formats", ["glb"]), "task_error": {"message": ""},
        }  # fmt: skip
        return Answer(202, {"result": name})

    @route("GET", ROUTES + r"/(?P<name>[^/]+)")
    def look(self, received: Received, at: str, name: str) -> Answer:
        task = self.tasks.get(name)
        if task is None or task["at"] != at or self.gone:
            return refused(404, "Task not found")
        if task["status"] not in ("SUCCEEDED", "FAILED", "CANCELED"):
            task["status"] = self.script[min(task["polls"], len(self.script) - 1)]
        task["polls"] += 1
        task["progress"] = {"SUCCEEDED": 100, "IN_PROGRESS": 40}.get(task["status"], 0)
        if task["status"] == "SUCCEEDED":
            self.finish(task)
        if task["status"] == "FAILED":
            task.update(
                task_error={"message": self.error or "The model could not be made"}, consumed_credits=0
            )
        return Answer(
            200, {key: value for key, value in task.items() if key not in ("polls", "at", "formats")}
        )

    def finish(self, task: dict[str, Any]) -> None:
        task.update(
            consumed_credits=PRICES.get(task["at"], 5), expires_at=round((time.time() + 259200) * 1000)
        )
        if task["at"] == "v1/rigging":
            url = f"{self.url}/files/rig.glb"
            task["result"] = {
                "rigged_character_glb_url": url,
                "rigged_character_fbx_url": "",
                "basic_animations": {},
            }
        else:
            asked = {kind: f"{self.url}/files/model.{kind}" for kind in task["formats"]}
            task["model_urls"] = {"glb": "", "fbx": "", **asked}

    @route("GET", ROUTES)
    def every(self, received: Received, at: str) -> Answer:
        newest = sorted(self.tasks.values(), key=lambda task: -task["created_at"])
        return Answer(200, [task for task in newest if task["at"] == at][: int(received.query["page_size"])])

    @route("DELETE", ROUTES + r"/(?P<name>[^/]+)")
    def delete(self, received: Received, at: str, name: str) -> Answer:
        if self.tasks.pop(name, None) is None:
            return refused(404, "Task not found")
        return Answer(200)

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(body=media.glb(), headers={"ETag": '"1"'})
