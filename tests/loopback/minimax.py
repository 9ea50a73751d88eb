# SPDX-License-Identifier: GPL-3.0-or-later
"""MiniMax's contract: version 2 (H3) with statuses that mean what they say, version 1 (Hailuo) with base_resp."""

from typing import Any

from .media import mp4
from .server import Answer, Loopback, Received, route

ROLES = {
    "image_url": ("first_frame", "last_frame", "reference_image"), "video_url": ("reference_video", "base_video"),
    "audio_url": ("reference_audio",),
}  # fmt: skip


def refusal(status: int, kind: str, number: int, message: str = "no") -> Answer:
    """An error of version 2."""
    error = {"type": kind, "message": f"{message} ({number})", "http_code": str(status)}
    return Answer(status, {"type": "error", "error": error, "request_id": "r"})


def base(number: int = 0, message: str = "success", **rest: Any) -> Answer:
    """An answer of version 1: always 200."""
    return Answer(200, {**rest, "base_resp": {"status_code": number, "status_msg": message}})


class MiniMaxServer(Loopback):
    """``script``: states of a task, one a look (in the words of its version); ``error``: of a failed one of version 2;
    ``fail``: number of version 1."""

    def __init__(self) -> None:
        super().__init__()
        self.script = ["queued", "running", "succeeded"]
        self.error = {"code": "1027", "message": "output is sensitive (1027)"}
        self.fail = 1027
        self.tasks: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        if received.path.startswith("/v1/"):
            return base(1004, "login fail")
        return refusal(401, "authorized_error", 1004, "login fail")

    def _new(self, **rest: Any) -> str:
        name = f"4240{len(self.tasks)}"
        self.tasks[name] = {"looks": 0, "script": list(self.script), "error": dict(self.error), **rest}
        return name

    def _status(self, task: dict[str, Any]) -> str:
        return str(task["script"][min(task["looks"], len(task["script"]) - 1)])

    @route("POST", "/v2/video_generation")
    def create(self, received: Received) -> Answer:
        body = received.json
        content = body.get("content") or []
        texts = [one for one in content if one["type"] == "text" and one.get("text")]
        roles = [one.get("role") for one in content if one["type"] != "text"]
        wrong = body.get("model") != "MiniMax-H3" or len(texts) != 1
        wrong |= any(one["type"] in ROLES and one.get("role") not in ROLES[one["type"]] for one in content)
        framed = any(role in ("first_frame", "last_frame") for role in roles)
        wrong |= framed and any(str(role).startswith("reference") for role in roles)
        wrong |= not 4 <= body.get("duration", 5) <= 15 or roles == ["reference_audio"]
        wrong |= not roles and body.get("ratio", "adaptive") == "adaptive"
        if wrong:
            return refusal(400, "bad_request_error", 2013, "invalid params")
        if "forbidden" in texts[0]["text"]:
            return refusal(422, "unprocessable_entity_error", 1026, "description contains sensitive content")
        for one in content:
            url = (one.get(one["type"]) or {}).get("url", "") if one["type"] != "text" else ""
            if url.startswith("mm_file://") and url.removeprefix("mm_file://") not in self.files:
                return refusal(400, "bad_request_error", 2013, "file not found")
        return Answer(200, {"task_id": self._new(model=body["model"])})

    @route("POST", "/v2/video_regeneration")
    def again(self, received: Received) -> Answer:
        body = received.json
        if body.get("source_task_id") not in self.tasks or body.get("resolution") != "2K":
            return refusal(400, "bad_request_error", 2013, "invalid params")
        return Answer(200, {"task_id": self._new(model=body["model"])})

    @route("GET", r"/v2/query/video_generation/(?P<name>\w+)")
    def look(self, received: Received, name: str) -> Answer:
        task = self.tasks.get(name)
        if task is None:
            return Answer(404, {"type": "error", "error": {"type": "not_found_error", "message": "no task"}})
        status = self._status(task)
        task["looks"] += 1
        shown: dict[str, Any] = {"id": name, "model": task["model"], "status": status, "modality": "video"}
        if status == "failed":
            shown["error"] = task["error"]
        if status == "succeeded":
            shown |= {"content": {"url": f"{self.url}/files/{name}.mp4"}, "usage": {"output_seconds": 5}}
        return Answer(200, {"task": shown})

    @route("DELETE", r"/v2/video_generation/(?P<name>\w+)")
    def delete(self, received: Received, name: str) -> Answer:
        task = self.tasks.get(name)
        status = self._status(task) if task else "cancelled"
        if task is None or status in ("running", "cancelled"):
            return refusal(400, "bad_request_error", 2013, f"task is {status}")
        action = "cancel" if status == "queued" else "delete"
        if action == "cancel":
            task["script"], task["looks"] = ["cancelled"], 0
        else:
            del self.tasks[name]
        return Answer(200, {"task_id": name, "action": action, "status": "cancelled"})

    @route("POST", "/v1/files/upload")
    def upload(self, received: Received) -> Answer:
        parts = {name: content for name, _, _, content in received.parts}
        if not parts.get("purpose") or not parts.get("file"):
            return base(2013, "invalid params")
        name = f"99{len(self.files)}"
        self.files[name] = parts["file"]
        return base(file={"file_id": int(name), "bytes": len(parts["file"])})

    @route("POST", "/v1/video_generation")
    def create_v1(self, received: Received) -> Answer:
        body = received.json
        if not body.get("model") or not (body.get("prompt") or body.get("first_frame_image")):
            return base(2013, "invalid params", task_id="")
        if "forbidden" in body["prompt"]:
            return base(1026, "input sensitive", task_id="")
        return base(task_id=self._new(model=body["model"]))

    @route("GET", "/v1/query/video_generation")
    def look_v1(self, received: Received) -> Answer:
        name = received.query.get("task_id", "")
        task = self.tasks.get(name)
        if task is None:
            return base(2013, "invalid params, task not found")
        status = self._status(task)
        task["looks"] += 1
        if status == "Fail":
            return base(self.fail, "output sensitive", task_id=name, status=status, file_id="")
        if status == "Success":
            self.files[f"1{name}"] = mp4()
            return base(task_id=name, status=status, file_id=f"1{name}")
        return base(task_id=name, status=status, file_id="")

    @route("GET", "/v1/files/retrieve")
    def retrieve(self, received: Received) -> Answer:
        name = received.query.get("file_id", "")
        if name not in self.files:
            return base(2013, "file not found")
        return base(file={"file_id": int(name), "download_url": f"{self.url}/files/{name}.mp4"})

    @route("GET", r"/files/.+")
    def file(self, received: Received) -> Answer:
        return Answer(200, body=mp4())
