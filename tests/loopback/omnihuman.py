# SPDX-License-Identifier: GPL-3.0-or-later
"""Volcengine's visual API: signed requests, actions in the query, 200 with a code of its own."""

import hashlib
import hmac
import re
from typing import Any
from urllib.parse import quote

from .media import mp4
from .server import Answer, Loopback, Received, route

FORM = re.compile(
    r"HMAC-SHA256 Credential=([^/]+)/(\d{8})/([\w-]+)/(\w+)/request, SignedHeaders=([\w;-]+), Signature=(\w{64})"
)
NEEDED = {
    "jimeng_realman_avatar_picture_omni_v15": ("image_url", "audio_url"),
    "jimeng_dreamactor_m20_gen_video": ("image_url", "video_url"),
}


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def said(code: int, message: str = "no", **data: Any) -> Answer:
    """An answer; 10000 is the good code."""
    return Answer(200, {"code": code, "message": message, "data": data or None, "request_id": "r"})


class VisualServer(Loopback):
    """``script``: states of a task, one a look. ``key`` is "id:key"."""

    key = "AKexample:secret-of-the-loopback"

    def __init__(self) -> None:
        super().__init__()
        self.script = ["in_queue", "generating", "done"]
        self.tasks: dict[str, dict[str, Any]] = {}

    def authorised(self, received: Received) -> Answer | None:
        match = FORM.fullmatch(received.headers.get("authorization", ""))
        if match and self.signature(received, match) == match[6]:
            return None
        error = {"Error": {"Code": "SignatureDoesNotMatch", "Message": "signature"}}
        return Answer(401, {"ResponseMetadata": error})

    def signature(self, received: Received, match: re.Match[str]) -> str:
        """What the documented recipe gives for a request."""
        access, secret = self.key.split(":")
        names, heads = match[5].split(";"), received.headers
        body = hashlib.sha256(received.body).hexdigest()
        if match[1] != access or heads.get("x-content-sha256") != body or "host" not in names:
            return ""
        pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in received.query.items())
        query = "&".join(f"{key}={value}" for key, value in pairs)
        canonical = "".join(f"{name}:{heads[name]}\n" for name in names)
        request = f"{received.method}\n{received.path}\n{query}\n{canonical}\n{match[5]}\n{body}"
        scope = f"{match[2]}/{match[3]}/{match[4]}/request"
        text = f"HMAC-SHA256\n{heads['x-date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = _mac(_mac(_mac(_mac(secret.encode(), match[2]), match[3]), match[4]), "request")
        return _mac(key, text).hex()

    @route("POST", "/")
    def act(self, received: Received) -> Answer:
        body, action = received.json, received.query.get("Action")
        if received.query.get("Version") != "2022-08-31":
            return said(50400, "version")
        if action == "CVSubmitTask":
            return self._submit(body)
        return self._result(body) if action == "CVGetResult" else said(50400, "action")

    def _submit(self, body: dict[str, Any]) -> Answer:
        if any(not body.get(name) for name in NEEDED.get(body["req_key"], ("req_key_known",))):
            return said(50215, "Input invalid for this service.")
        if "forbidden" in body.get("prompt", ""):
            return said(50413, "Post Text Risk Not Pass")
        name = f"7{len(self.tasks)}"
        self.tasks[name] = {"looks": 0, "script": list(self.script), "req_key": body["req_key"]}
        return said(10000, "Success", task_id=name)

    def _result(self, body: dict[str, Any]) -> Answer:
        task = self.tasks.get(body["task_id"])
        if task is None or task["req_key"] != body["req_key"]:
            return said(10000, "Success", status="not_found")
        status = task["script"][min(task["looks"], len(task["script"]) - 1)]
        task["looks"] += 1
        if status == "risk":
            return said(50411, "Pre Img Risk Not Pass")
        if status == "done":
            return said(10000, "Success", status=status, video_url=f"{self.url}/files/{body['task_id']}.mp4")
        return said(10000, "Success", status=status)

    @route("GET", r"/files/.+")
    def file(self, received: Received) -> Answer:
        return Answer(200, body=mp4())
