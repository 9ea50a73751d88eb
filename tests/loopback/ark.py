# SPDX-License-Identifier: GPL-3.0-or-later
"""ByteDance Ark's contract for content generation tasks, at ``url``/api/v3."""

import time
from typing import Any

from .media import mp4, png
from .server import Answer, Loopback, Received, route

TASKS = "/api/v3/contents/generations/tasks"
KINDS = {
    "text": (), "image_url": ("first_frame", "last_frame", "reference_image"), "video_url": ("reference_video",),
    "audio_url": ("reference_audio",), "draft_task": (),
}  # fmt: skip


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """An error in Ark's envelope."""
    return Answer(status, {"error": {"code": code, "message": message, "type": "BadRequest", "param": ""}})


class ArkServer(Loopback):
    """``script`` are the states of a task, one a poll; the last one stays. ``error`` belongs to a failed one."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {}
        self.script = ["queued", "running", "succeeded"]
        self.error = {"code": "OutputVideoSensitiveContentDetected.PolicyViolation", "message": "policy"}
        self.base = f"{self.url}/api/v3"

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return refusal(401, "AuthenticationError", "the API key is missing or invalid")

    @route("POST", TASKS)
    def create(self, received: Received) -> Answer:
        body = received.json
        if bad := self._wrong(body):
            return bad
        task_id = f"cgt-20261122-{len(self.tasks):05d}"
        self.tasks[task_id] = {
            "id": task_id, "model": body["model"], "polls": 0, "body": body, "created_at": int(time.time()),
            "script": list(self.script), "safety_identifier": body.get("safety_identifier"), "error": dict(self.error),
        }  # fmt: skip
        return Answer(200, {"id": task_id})

    def _wrong(self, body: dict[str, Any]) -> Answer | None:
        for name in ("model", "content"):
            if not body.get(name):
                return refusal(400, "MissingParameter", name)
        roles = []
        for item in body["content"]:
            kind, role = item.get("type"), item.get("role")
            if kind not in KINDS or (role and role not in KINDS[kind]):
                return refusal(400, "InvalidParameter", f"content {kind} {role}")
            url = (item.get(kind) or {}).get("url", "") if kind != "text" else ""
            if kind == "video_url" and not url.startswith(("http", "asset://")):
                return refusal(400, "InvalidParameter.VideoUrl", "url or asset only")
            if "real-person" in url:
                return refusal(400, "InputImageSensitiveContentDetected.PrivacyInformation", "real person")
            roles.append(role)
        frames = {"first_frame", "last_frame"} & set(roles)
        if frames and any(str(role).startswith("reference") for role in roles):
            return refusal(400, "InvalidParameter", "frames and references are exclusive")
        if body.get("omni_reference_task_type") == "video_editing" and (
            body.get("duration") != -1 or body.get("ratio") != "adaptive" or "reference_video" not in roles
        ):
            return refusal(400, "InvalidParameter.TaskTypeConstraint", "duration -1 and ratio adaptive")
        return None

    def _shown(self, task: dict[str, Any]) -> dict[str, Any]:
        status = task["script"][min(task["polls"], len(task["script"]) - 1)]
        shown = {key: task[key] for key in ("id", "model", "created_at")} | {"status": status}
        shown |= {"updated_at": task["created_at"] + 1}
        if task["safety_identifier"]:
            shown["safety_identifier"] = task["safety_identifier"]
        if status == "failed":
            shown["error"] = task["error"]
        if status == "succeeded":
            shown["content"] = {"video_url": f"{self.url}/files/{task['id']}.mp4"}
            if task["body"].get("return_last_frame"):
                shown["content"]["last_frame_url"] = f"{self.url}/files/{task['id']}.png"
            shown |= {"usage": {"completion_tokens": 108900, "total_tokens": 108900}, "seed": 58944}
            shown |= {"resolution": "720p", "ratio": "16:9", "duration": 5, "framespersecond": 24}
        return shown

    @route("GET", TASKS + r"/(?P<id>[^/]+)")
    def get(self, received: Received, id: str) -> Answer:  # noqa: A002
        task = self.tasks.get(id)
        if task is None:
            return refusal(404, "ResourceNotFound", "no such task")
        shown = self._shown(task)
        task["polls"] += 1
        return Answer(200, shown)

    @route("GET", TASKS)
    def list(self, received: Received) -> Answer:
        model = received.query.get("filter.model")
        items = [self._shown(t) for t in reversed(self.tasks.values()) if model in (None, t["model"])]
        size = int(received.query.get("page_size", 10))
        first = (int(received.query.get("page_num", 1)) - 1) * size
        return Answer(200, {"items": items[first : first + size], "total": len(items)})

    @route("DELETE", TASKS + r"/(?P<id>[^/]+)")
    def delete(self, received: Received, id: str) -> Answer:  # noqa: A002
        task = self.tasks.get(id)
        if task is None:
            return refusal(404, "ResourceNotFound", "no such task")
        status = self._shown(task)["status"]
        if status in ("running", "cancelled"):
            return refusal(400, "InvalidAction", f"task is {status}")
        if status == "queued":
            task["script"], task["polls"] = ["cancelled"], 0
        else:
            del self.tasks[id]
        return Answer(200, {})

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(200, body=png() if name.endswith(".png") else mp4())
