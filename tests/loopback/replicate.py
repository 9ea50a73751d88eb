# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicate as documented: predictions by model or version, files, a list to look things up in, data that goes."""

import time
from datetime import UTC, datetime
from typing import Any

from .media import mp4, png
from .server import Answer, Loopback, Received, route

VERSION = "33432afdfc06a10da6b4018932893d39b0159f838b6d11dd1236dff85cc5ec1d"
NEEDED = {
    "meta/sam-2-video": ("input_video",),
    "zsxkib/samurai": ("video",),
    "bytedance/seedance-2.0": ("prompt",),
}
ENDED = ("succeeded", "failed", "canceled", "aborted")


def now(seconds: float = 0.0) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat().replace("+00:00", "Z")


class Replicate(Loopback):
    """``script``: the states of the next prediction, one a poll; ``outcome`` overrides its last record; ``page``: how
    many entries the list shows at once; ``throttled``: the answer to creates."""

    def __init__(self) -> None:
        super().__init__()
        self.predictions: dict[str, dict[str, Any]] = {}
        self.scripts: dict[str, list[str]] = {}
        self.files: dict[str, bytes] = {}
        self.script = ["starting", "processing", "succeeded"]
        self.outcome: dict[str, Any] = {}
        self.page = 100
        self.output: Any = [f"{self.url}/files/mask_{n}.png" for n in range(3)]

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        detail = "You did not pass a valid authentication token"
        return Answer(401, {"title": "Unauthenticated", "detail": detail, "status": 401})

    def remove_data(self, number: str) -> None:
        """As an hour after the end."""
        self.predictions[number] |= {"output": None, "input": {}, "data_removed": True, "logs": ""}

    # -- files ----------------------------------------------------------------------------------------------------

    @route("POST", "/v1/files")
    def upload(self, received: Received) -> Answer:
        contents = [part for part in received.parts if part[0] == "content"]
        if not contents:
            return problem(422, "Missing content", "- content: is required")
        _, name, kind, content = contents[0]
        number = f"file{len(self.files)}"
        self.files[number] = content
        return Answer(201, {
            "id": number, "name": name, "content_type": kind, "size": len(content), "etag": "e",
            "checksums": {"sha256": "", "md5": ""}, "metadata": {}, "created_at": now(), "expires_at": now(86400),
            "urls": {"get": f"{self.base}/files/{number}"},
        })  # fmt: skip

    @route("GET", "/files/(?P<name>.+)")
    def result(self, received: Received, name: str) -> Answer:
        if name.startswith("gone"):
            return Answer(404, {"detail": "expired"})
        return Answer(body=png() if name.endswith(".png") else mp4())

    # -- predictions ----------------------------------------------------------------------------------------------

    @route("GET", "/v1/models/(?P<model>[^/]+/[^/]+)")
    def model(self, received: Received, model: str) -> Answer:
        if model not in NEEDED:
            return problem(404, "Not found", "The requested resource could not be found.")
        owner, name = model.split("/")
        return Answer(200, {"url": f"https://replicate.com/{model}", "owner": owner, "name": name,
                            "description": "", "visibility": "public", "run_count": 1,
                            "latest_version": {"id": VERSION, "created_at": now(), "cog_version": "0.9",
                                               "openapi_schema": {}}})  # fmt: skip

    @route("POST", "/v1/predictions")
    def by_version(self, received: Received) -> Answer:
        if not received.json.get("version"):
            return problem(422, "Version required", "- version is required")
        if received.json["version"] != VERSION:
            return problem(422, "Invalid version or not permitted", "The specified version does not exist")
        return self._made(received, "meta/sam-2-video", VERSION)

    @route("POST", "/v1/models/(?P<model>[^/]+/[^/]+)/predictions")
    def by_model(self, received: Received, model: str) -> Answer:
        return self._made(received, model, "hidden")

    def _made(self, received: Received, model: str, version: str) -> Answer:
        asked = received.json.get("input")
        missing = [name for name in NEEDED.get(model, ()) if not isinstance(asked, dict) or name not in asked]
        if missing:
            return problem(422, "Input validation failed", f"- input: {missing[0]} is required\n")
        number = f"p{len(self.predictions):03d}"
        urls = {
            "get": f"{self.base}/predictions/{number}",
            "cancel": f"{self.base}/predictions/{number}/cancel",
        }
        self.predictions[number] = {
            "id": number, "model": model, "version": version, "input": asked, "logs": "", "output": None,
            "error": None, "status": self.script[0], "created_at": now(), "started_at": None,
            "completed_at": None, "urls": urls, "metrics": None,
        }  # fmt: skip
        self.scripts[number] = list(self.script)
        while "prefer" in received.headers and self.predictions[number]["status"] not in ENDED:
            self._step(number)
        return Answer(201, self.predictions[number])

    def _step(self, number: str) -> dict[str, Any]:
        entry, script = self.predictions[number], self.scripts[number]
        entry["status"] = script.pop(0) if len(script) > 1 else script[0]
        if entry["status"] == "processing":
            entry |= {"started_at": now(), "logs": "loading\n 40%|####      | 8/20 [00:01<00:02]"}
        if entry["status"] in ENDED and entry["completed_at"] is None:
            output = self.output if entry["status"] == "succeeded" else None
            entry |= {
                "completed_at": now(),
                "output": output,
                "metrics": {"predict_time": 62.1},
                **self.outcome,
            }
        return entry

    @route("GET", "/v1/predictions/(?P<number>[^/]+)")
    def get(self, received: Received, number: str) -> Answer:
        if number not in self.predictions:
            return problem(404, "Not found", "The requested resource could not be found.")
        return Answer(200, self._step(number))

    @route("POST", "/v1/predictions/(?P<number>[^/]+)/cancel")
    def cancel(self, received: Received, number: str) -> Answer:
        if number not in self.predictions:
            return problem(404, "Not found", "The requested resource could not be found.")
        if self.predictions[number]["status"] not in ENDED:
            self.scripts[number] = ["canceled"]
            self._step(number)
        return Answer(200, self.predictions[number])

    @route("GET", "/v1/predictions")
    def listed(self, received: Received) -> Answer:
        newest = list(reversed(self.predictions.values()))
        start = int(received.query.get("cursor", 0))
        after = start + self.page
        onward = f"{self.base}/predictions?cursor={after}" if after < len(newest) else None
        return Answer(200, {"previous": None, "next": onward, "results": newest[start:after]})


def problem(status: int, title: str, detail: str) -> Answer:
    """RFC 7807, as they write it."""
    return Answer(status, {"title": title, "detail": detail, "status": status})
