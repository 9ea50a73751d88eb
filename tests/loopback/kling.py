# SPDX-License-Identifier: GPL-3.0-or-later
"""Kling's two designs as their documents have them: envelopes, codes, our own id to find a task by."""

import base64
import hashlib
import hmac
import itertools
import json
import time
from typing import Any

from .media import mp4
from .server import Answer, Loopback, Received, route

STATUS = {1000: 401, 1001: 401, 1002: 401, 1003: 401, 1004: 401, 1100: 429, 1101: 429, 1102: 429, 1103: 403, 1200: 400,
          1201: 400, 1202: 404, 1203: 404, 1300: 400, 1301: 400, 1302: 429, 1303: 429, 1304: 429, 5000: 500, 5001: 503,
          5002: 504}  # fmt: skip
TYPES = {"prompt", "first_frame", "last_frame", "refer_image", "element", "feature_video", "base_video", "image",
         "video", "middle_frame", "voice"}  # fmt: skip
SETTINGS = {"resolution", "aspect_ratio", "duration", "audio", "multi_shot", "character_orientation"}


def envelope(data: Any) -> Answer:
    """A good answer."""
    return Answer(200, {"code": 0, "message": "SUCCEED", "request_id": "r1", "data": data})


class KlingServer(Loopback):
    """``refuse`` is a code that the next create is answered with, ``in_200`` whether its status is 200 all the same;
    ``as_list`` how the state is told; ``ending`` what a failed task says."""

    def __init__(self) -> None:
        super().__init__()
        self.script = ["submitted", "processing", "succeeded"]
        self.tasks: dict[str, dict[str, Any]] = {}
        self.refuse, self.in_200, self.as_list, self.ending = 0, False, True, "internal failure"
        self.billing = [{"charge_type": "unit", "amount": "5.6", "package_type": "video"}]
        self.parallel = 5
        self._numbers = itertools.count(866100001)

    def no(self, code: int, words: str = "no") -> Answer:
        """An envelope that refuses."""
        body = {"code": code, "message": words, "request_id": "r1"}
        return Answer(200 if self.in_200 else STATUS[code], body)

    def authorised(self, received: Received) -> Answer | None:
        return self.no(1002, "Authorization is not valid") if super().authorised(received) else None

    def gate(self, own_id: str) -> Answer | None:
        """What stands against another task."""
        if self.refuse:
            code, self.refuse = self.refuse, 0
            return self.no(code)
        if sum(task["state"] in ("submitted", "processing") for task in self.tasks.values()) >= self.parallel:
            return self.no(1303, "parallel task over resource pack limit")
        if own_id and any(task["own_id"] == own_id for task in self.tasks.values()):
            return self.no(1201, "external_task_id must be unique")
        return None

    def add(self, body: Any, own_id: str) -> str:
        """A new task's id."""
        name = str(next(self._numbers))
        self.tasks[name] = {"state": "submitted", "polls": 0, "own_id": own_id, "body": body}
        return name

    def step(self, name: str) -> str:
        """The state at another poll."""
        task = self.tasks[name]
        task["state"] = self.script[min(task["polls"], len(self.script) - 1)]
        task["polls"] += 1
        return str(task["state"])

    @route("POST", "/(?P<kind>text-to-video|image-to-video|omni-video)/(?P<model>[^/]+)")
    def make(self, received: Received, kind: str, model: str) -> Answer:
        body = received.json
        contents, settings, options = body.get("contents"), body.get("settings", {}), body.get("options", {})
        if (
            not isinstance(contents, list)
            or set(body) - {"contents", "settings", "options"}
            or set(settings) - SETTINGS
        ):
            return self.no(1201, "invalid fields")
        given = [one.get("type") for one in contents]
        if (
            set(given) - TYPES
            or given.count("prompt") > 1
            or (kind == "text-to-video") != (given == ["prompt"])
        ):
            return self.no(1201, "invalid contents")
        for one in contents:
            link = one.get("url", "")
            if one["type"].endswith("_video") and not link.startswith("https://"):
                return self.no(1201, "a video must be an address")
            if link.startswith("data:"):
                return self.no(1201, "base64 without a prefix")
        own_id = options.get("external_task_id", "")
        if refused := self.gate(own_id):
            return refused
        name = self.add(body, own_id)
        return envelope({"id": name, "status": "submitted", "create_time": 1722769557708})

    @route("GET", "/tasks")
    def state(self, received: Received) -> Answer:
        names = received.query.get("task_ids", "").split(",")
        own = received.query.get("external_task_ids", "").split(",")
        found = [name for name, task in self.tasks.items() if name in names or task["own_id"] in own]
        if not found:
            return self.no(1203, "task not found")
        said = []
        for name in found:
            state = self.step(name)
            one: dict[str, Any] = {
                "id": name,
                "status": state,
                "external_task_id": self.tasks[name]["own_id"],
            }
            if state == "failed":
                one["message"] = self.ending
            if state == "succeeded":
                one["outputs"] = [
                    {"type": "video", "id": "o1", "url": f"{self.url}/files/{name}.mp4", "duration": "5"}
                ]
                one["billing"] = self.billing
            said.append(one)
        return envelope(said if self.as_list else said[0])

    @route("GET", r"/files/(?P<name>.+)\.mp4")
    def result(self, received: Received, name: str) -> Answer:
        return Answer(body=mp4()) if name in self.tasks else Answer(403)


class KlingJwtServer(KlingServer):
    """The older design. ``clock`` is its own; tokens are checked."""

    access, secret = "access-key", "secret-key"

    def __init__(self) -> None:
        super().__init__()
        self.script = ["submitted", "processing", "succeed"]
        self.late = 0.0

    def authorised(self, received: Received) -> Answer | None:
        scheme, _, token = received.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return self.no(1001, "Authorization is empty")
        try:
            head, payload, signature = token.split(".")
            want = hmac.new(self.secret.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
            if (
                not hmac.compare_digest(unpacked(signature), want)
                or json.loads(unpacked(head))["alg"] != "HS256"
            ):
                return self.no(1002, "signature is invalid")
            claims = json.loads(unpacked(payload))
        except ValueError:
            return self.no(1002, "Authorization is not valid")
        now = time.time() + self.late
        if claims["iss"] != self.access:
            return self.no(1002, "access key not found")
        if now < claims["nbf"]:
            return self.no(1003, "Authorization is not yet valid")
        return self.no(1004, "Authorization has expired") if now > claims["exp"] else None

    @route("POST", "/v1/videos/omni-video")
    def omni(self, received: Received) -> Answer:
        body = received.json
        films = body.get("video_list", [])
        if body.get("model_name") not in ("kling-video-o1", "kling-v3-omni") or not body.get("prompt"):
            return self.no(1201, "model_name and prompt are required")
        if body.get("mode") not in ("std", "pro") or not isinstance(body.get("duration", "5"), str):
            return self.no(1201, "mode or duration")
        if len(films) > 1 or any(one.get("refer_type") not in ("base", "feature") for one in films):
            return self.no(1201, "video_list")
        if not all(one.get("video_url", "").startswith("https://") for one in films):
            return self.no(1201, "a video must be an address")
        frames = [one for one in body.get("image_list", []) if one.get("type") == "first_frame"]
        if not frames and not films and "aspect_ratio" not in body:
            return self.no(1201, "aspect_ratio is required")
        if refused := self.gate(body.get("external_task_id", "")):
            return refused
        name = self.add(body, body.get("external_task_id", ""))
        return envelope(self.said(name))

    def said(self, name: str) -> dict[str, Any]:
        """A task as it is told."""
        task = self.tasks[name]
        told: dict[str, Any] = {
            "task_id": name, "task_status": task["state"], "task_info": {"external_task_id": task["own_id"]},
            "created_at": 1722769557708, "updated_at": 1722769557708,
        }  # fmt: skip
        if task["state"] == "failed":
            told["task_status_msg"] = self.ending
        if task["state"] == "succeed":
            told["task_result"] = {
                "videos": [{"id": "v", "url": f"{self.url}/files/{name}.mp4", "duration": "5"}]
            }
            told["final_unit_deduction"] = "5.6"
        return told

    @route("GET", "/v1/videos/omni-video/(?P<name>[^/]+)")
    def ask(self, received: Received, name: str) -> Answer:
        found = next((key for key, task in self.tasks.items() if name in (key, task["own_id"])), None)
        if found is None:
            return self.no(1203, "task not found")
        self.step(found)
        return envelope(self.said(found))


def unpacked(text: str) -> bytes:
    """base64url without its padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
