# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gemini API: pictures at once, interactions for films, and files that are uploaded and become ACTIVE."""

import base64
from typing import Any

from .media import mp4, png
from .server import Answer, Loopback, Received, route

V = r"/(?:v1|v1beta)"
MODES = ("text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale")


def refusal(code: int, status: str, message: str = "no", details: list[Any] | None = None) -> Answer:
    """An error in Google's envelope."""
    return Answer(
        code, {"error": {"code": code, "message": message, "status": status, "details": details or []}}
    )


class GeminiServer(Loopback):
    """``script``: states of an interaction, one a look; ``file_script``: those of a file. ``finish`` is the reason that
    image models give (without a picture unless STOP). ``inline``: films come inside the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.script, self.file_script = ["in_progress", "completed"], ["PROCESSING", "ACTIVE"]
        self.finish, self.block, self.inline = "STOP", "", False
        self.interactions: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.error: dict[str, Any] = {"code": "internal", "message": "it broke"}

    def authorised(self, received: Received) -> Answer | None:
        if received.path.startswith("/up/") or received.headers.get("x-goog-api-key") == self.key:
            return None
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        return refusal(400, "INVALID_ARGUMENT", "API key not valid", details)

    def open_to_all(self, received: Received) -> bool:
        return False

    @route("POST", V + r"/models/(?P<model>[^/:]+):generateContent")
    def generate(self, received: Received, model: str) -> Answer:
        body = received.json
        parts = [part for content in body.get("contents") or [] for part in content.get("parts") or []]
        inline = [part.get("inlineData") or part.get("inline_data") for part in parts]
        if not parts or any(d and not (d.get("mimeType") or d.get("mime_type")) for d in inline):
            return refusal(400, "INVALID_ARGUMENT", "contents are required")
        if self.block:
            return Answer(200, {"promptFeedback": {"blockReason": self.block}, "usageMetadata": {}})
        content: dict[str, Any] = {"role": "model", "parts": []}
        if self.finish == "STOP":
            data = base64.b64encode(png()).decode()
            content["parts"] = [{"text": "here"}, {"inlineData": {"mimeType": "image/png", "data": data}}]
        made = {"content": content, "finishReason": self.finish, "index": 0}
        return Answer(
            200, {"candidates": [made], "usageMetadata": {"totalTokenCount": 1290}, "responseId": "r1"}
        )

    @route("POST", r"/upload/(?:v1|v1beta)/files")
    def upload(self, received: Received) -> Answer:
        heads = received.headers
        if heads.get("x-goog-upload-command") != "start" or "file" not in received.json:
            return refusal(400, "INVALID_ARGUMENT", "start a resumable upload")
        name = f"f{len(self.files)}"
        self.files[name] = {
            "name": f"files/{name}", "uri": f"{self.url}/v1beta/files/{name}", "size": heads["x-goog-upload-header-content-length"],
            "mimeType": heads["x-goog-upload-header-content-type"], "looks": 0, "script": list(self.file_script),
        }  # fmt: skip
        return Answer(
            200,
            {},
            headers={"X-Goog-Upload-URL": f"{self.url}/up/{name}", "X-Goog-Upload-Status": "active"},
        )

    @route("POST", r"/up/(?P<name>\w+)")
    def bytes(self, received: Received, name: str) -> Answer:
        file = self.files[name]
        if (
            str(len(received.body)) != file["size"]
            or "finalize" not in received.headers["x-goog-upload-command"]
        ):
            return refusal(400, "INVALID_ARGUMENT", "size")
        file["body"] = received.body
        return Answer(200, {"file": self._shown(file)}, headers={"X-Goog-Upload-Status": "final"})

    def _shown(self, file: dict[str, Any]) -> dict[str, Any]:
        state = file["script"][min(file["looks"], len(file["script"]) - 1)]
        file["looks"] += 1
        return {"name": file["name"], "uri": file["uri"], "mimeType": file["mimeType"], "state": state}

    @route("GET", V + r"/files/(?P<name>\w+)")
    def file(self, received: Received, name: str) -> Answer:
        if name not in self.files:
            return refusal(404, "NOT_FOUND", "no such file")
        return Answer(200, self._shown(self.files[name]))

    @route("GET", V + r"/files/(?P<name>\w+):download")
    def download(self, received: Received, name: str) -> Answer:
        if received.query.get("alt") != "media" or name not in self.files:
            return refusal(404, "NOT_FOUND", "no such file")
        return Answer(200, body=self.files[name]["body"])

    @route("POST", V + r"/interactions")
    def interact(self, received: Received) -> Answer:
        body = received.json
        task = ((body.get("generation_config") or {}).get("video_config") or {}).get("task", "edit")
        shape = body.get("response_format") or {}
        if (
            not body.get("model")
            or not body.get("input")
            or task not in MODES
            or shape.get("type") != "video"
        ):
            return refusal(400, "INVALID_ARGUMENT", "model, input, task and format")
        steps = body["input"] if isinstance(body["input"], list) else []
        for content in [each for step in steps for each in step.get("content") or []]:
            uri = content.get("uri", "")
            if "/files/" in uri and uri.rpartition("/")[2] not in self.files:
                return refusal(403, "PERMISSION_DENIED", "no such file, or not yours")
        name = f"int-{len(self.interactions)}"
        self.interactions[name] = {"id": name, "looks": 0, "script": list(self.script), "body": body}
        return Answer(200, {"id": name, "status": "in_progress", "model": body["model"]})

    @route("GET", V + r"/interactions/(?P<name>[\w-]+)")
    def look(self, received: Received, name: str) -> Answer:
        item = self.interactions.get(name)
        if item is None:
            return refusal(404, "NOT_FOUND", "no such interaction")
        status = item["script"][min(item["looks"], len(item["script"]) - 1)]
        item["looks"] += 1
        shown: dict[str, Any] = {"id": name, "status": status, "model": item["body"]["model"]}
        if status == "failed":
            shown["errors"] = [self.error]
        if status == "completed":
            film: dict[str, Any] = {"type": "video", "mime_type": "video/mp4"}
            if self.inline or item.get("told"):
                film["data"] = base64.b64encode(mp4()).decode()
            else:
                item["told"], made = True, f"out{len(self.files)}"
                self.files[made] = {
                    "name": f"files/{made}", "uri": f"{self.url}/v1beta/files/{made}", "mimeType": "video/mp4",
                    "looks": 0, "script": list(self.file_script), "body": mp4(),
                }  # fmt: skip
                film["uri"] = self.files[made]["uri"]
            shown["steps"] = [{"type": "model_output", "content": [film]}]
            shown["usage"] = {"total_tokens": 5}
        return Answer(200, shown)

    @route("POST", V + r"/interactions/(?P<name>[\w-]+)/cancel")
    def stop(self, received: Received, name: str) -> Answer:
        item = self.interactions.get(name)
        if item is None or item["script"][min(item["looks"], len(item["script"]) - 1)] != "in_progress":
            return refusal(400, "FAILED_PRECONDITION", "not running")
        item["script"], item["looks"] = ["cancelled"], 0
        return Answer(200, {"id": name, "status": "cancelled", "model": item["body"]["model"]})
