# SPDX-License-Identifier: GPL-3.0-or-later
"""DashScope's contract: asynchronous video tasks, the upload policy and the store behind it."""

from typing import Any

from .media import mp4
from .server import Answer, Loopback, Received, route

MEDIA = {
    "wan2.7-videoedit": {"video": (1, 1), "reference_image": (0, 4)},
    "wan2.7-i2v": {"first_frame": (0, 1), "last_frame": (0, 1), "first_clip": (0, 1), "driving_audio": (0, 1)},
    "wan3.0-video": {
        "first_frame": (0, 1), "last_frame": (0, 1), "reference_image": (0, 10), "reference_video": (0, 5),
        "reference_audio": (0, 5), "file": (0, 1), "link": (0, 1),
    },
}  # fmt: skip
VACE = {
    "image_reference": ("ref_images_url",), "video_repainting": ("video_url",), "video_edit": ("video_url",),
    "video_extension": (), "video_outpainting": ("video_url",),
}  # fmt: skip
POLICY = ("OSSAccessKeyId", "Signature", "policy", "key", "x-oss-object-acl", "x-oss-forbid-overwrite")


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """An error in DashScope's envelope."""
    return Answer(status, {"code": code, "message": message, "request_id": "r"})


class DashScopeServer(Loopback):
    """``script``: states of a task, one a look; ``error``: of a failed one. ``store``: what was uploaded."""

    def __init__(self) -> None:
        super().__init__()
        self.script = ["PENDING", "RUNNING", "SUCCEEDED"]
        self.error = {"code": "DataInspectionFailed", "message": "inappropriate content"}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.store: dict[str, bytes] = {}
        self.most_mb = "100"

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return refusal(401, "InvalidApiKey", "Invalid API-key provided.")

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/oss"))

    @route("GET", "/api/v1/uploads")
    def policy(self, received: Received) -> Answer:
        if received.query.get("action") != "getPolicy" or not received.query.get("model"):
            return refusal(400, "InvalidParameter", "action, model")
        data = {
            "policy": "p", "signature": "s", "upload_dir": "dashscope-instant/x", "upload_host": f"{self.url}/oss",
            "expire_in_seconds": 300, "max_file_size_mb": self.most_mb, "oss_access_key_id": "k",
            "x_oss_object_acl": "private", "x_oss_forbid_overwrite": "true",
        }  # fmt: skip
        return Answer(200, {"request_id": "r", "data": data})

    @route("POST", "/oss")
    def upload(self, received: Received) -> Answer:
        parts = {name: content for name, _, _, content in received.parts}
        names = list(parts)
        if any(name not in parts for name in POLICY) or names[-1] != "file" or parts["Signature"] != b"s":
            return Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
        self.store[parts["key"].decode()] = parts["file"]
        return Answer(200, body=b"")

    def _wrong(self, received: Received) -> Answer | None:
        body = received.json
        model, given = body.get("model", ""), body.get("input") or {}
        if received.headers.get("x-dashscope-async") != "enable":
            return refusal(403, "AccessDenied", "current user api does not support synchronous calls")
        urls = [m["url"] for m in given.get("media") or []]
        urls += [v for k, v in given.items() if k.endswith("_url") and isinstance(v, str)]
        stored = [url for url in urls if url.startswith("oss://")]
        if stored and received.headers.get("x-dashscope-ossresourceresolve") != "enable":
            return refusal(400, "InvalidParameter.OssResource", "header is missing")
        if any(url.removeprefix("oss://") not in self.store for url in stored):
            return refusal(400, "InvalidParameter.DataInspection", "Unable to download the media resource")
        if model == "wan2.1-vace-plus":
            return self._wrong_vace(given, body.get("parameters") or {})
        rules = MEDIA.get(model)
        if rules is None:
            return refusal(404, "ModelNotFound", model)
        types = [m["type"] for m in given.get("media") or []]
        for kind in {*types, *rules}:
            low, high = rules.get(kind, (0, 0))
            if not low <= types.count(kind) <= high:
                return refusal(400, "InvalidParameter", f"media {kind}")
        return None

    @staticmethod
    def _wrong_vace(given: dict[str, Any], parameters: dict[str, Any]) -> Answer | None:
        needed = VACE.get(given.get("function", ""))
        if needed is None or any(not given.get(name) for name in needed):
            return refusal(400, "InvalidParameter", "function")
        if given["function"] == "video_repainting" and not parameters.get("control_condition"):
            return refusal(400, "InvalidParameter", "control_condition")
        if given["function"] == "video_edit" and not (
            given.get("mask_video_url") or (given.get("mask_image_url") and given.get("mask_frame_id"))
        ):
            return refusal(400, "InvalidParameter", "mask")
        return None

    @route("POST", "/api/v1/services/aigc/video-generation/video-synthesis")
    def create(self, received: Received) -> Answer:
        if bad := self._wrong(received):
            return bad
        name = f"t{len(self.tasks)}"
        self.tasks[name] = {"looks": 0, "script": list(self.script), "error": dict(self.error)}
        return Answer(200, {"output": {"task_id": name, "task_status": "PENDING"}, "request_id": "r"})

    @route("GET", r"/api/v1/tasks/(?P<name>\w+)")
    def look(self, received: Received, name: str) -> Answer:
        task = self.tasks.get(name)
        if task is None:
            return Answer(200, {"request_id": "r", "output": {"task_id": name, "task_status": "UNKNOWN"}})
        status = self._status(task)
        task["looks"] += 1
        out = {"task_id": name, "task_status": status, "submit_time": "2026-11-22 06:00:00.000"}
        answer: dict[str, Any] = {"request_id": "r", "output": out}
        if status == "FAILED":
            out |= task["error"]
        if status == "SUCCEEDED":
            out |= {"video_url": f"{self.url}/files/{name}.mp4?Expires=1", "orig_prompt": "p"}
            answer["usage"] = {"duration": 10, "input_video_duration": 5, "SR": 720, "video_count": 1}
        return Answer(200, answer)

    @staticmethod
    def _status(task: dict[str, Any]) -> str:
        return str(task["script"][min(task["looks"], len(task["script"]) - 1)])

    @route("POST", r"/api/v1/tasks/(?P<name>\w+)/cancel")
    def cancel(self, received: Received, name: str) -> Answer:
        task = self.tasks.get(name)
        if task is None or self._status(task) != "PENDING":
            return refusal(400, "UnsupportedOperation", "only waiting tasks can be cancelled")
        task["script"], task["looks"] = ["CANCELED"], 0
        return Answer(200, {"request_id": "r"})

    @route("GET", r"/files/.+")
    def file(self, received: Received) -> Answer:
        return Answer(200, body=mp4())
