# SPDX-License-Identifier: GPL-3.0-or-later
"""Luma's two APIs as luma-agents 0.5.0, lumaai 1.21.0 and their documents have them."""

import itertools
import time
from typing import Any

from .media import mp4, png
from .server import Answer, Loopback, Received, route

FIELDS = {"prompt", "model", "type", "aspect_ratio", "image_ref", "source", "output_format", "style", "web_search",
          "user_id", "layering", "video"}  # fmt: skip
VIDEO = {"duration", "resolution", "start_frame", "end_frame", "loop", "hdr", "exr_export", "source_position",
         "keyframes", "keyframe_indexes", "edit"}  # fmt: skip
CONTROLS = {"depth": {"enabled", "blur"}, "normals": {"enabled", "augmentation"}, "pose": {"enabled", "strength"},
            "trajectory": {"enabled", "sparsity"}, "face": {"enabled"}}  # fmt: skip


def stamp() -> str:
    """Now, as both say it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class LumaServer(Loopback):
    """Luma Agents; its base ends in /v1. ``script`` are the states of a generation, ``ready`` those of a file."""

    def __init__(self) -> None:
        super().__init__()
        self.script, self.ready = ["queued", "processing", "completed"], ["pending", "ready"]
        self.ending = {"failure_code": "generation_failed", "failure_reason": "It did not work."}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.bytes: dict[str, bytes] = {}
        self.at_once, self.budget, self.expired = 10, 100, 0
        self._numbers = itertools.count(1)

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/storage/"))

    def authorised(self, received: Received) -> Answer | None:
        return Answer(401, {"detail": "Invalid API key"}) if super().authorised(received) else None

    # -- files --------------------------------------------------------------------------------------------------

    @route("POST", "/v1/files")
    def begin(self, received: Received) -> Answer:
        body = received.json
        if set(body) - {"mime_type", "size_bytes", "purpose", "filename", "expires_at", "user_id"}:
            return Answer(422, {"detail": [{"loc": ["body"], "msg": "Extra inputs are not permitted"}]})
        if not body.get("mime_type") or not 0 < body.get("size_bytes", 0) <= 5 << 30:
            return Answer(422, {"detail": [{"loc": ["body", "mime_type"], "msg": "Field required"}]})
        name = f"f{next(self._numbers)}"
        self.files[name] = {
            "id": name, "created_at": stamp(), "mime_type": body["mime_type"], "size_bytes": body["size_bytes"],
            "purpose": body.get("purpose", "input"), "state": "pending", "filename": body.get("filename"), "asked": 0,
        }  # fmt: skip
        upload = {"url": f"{self.url}/storage/{name}?sig=1", "method": "PUT", "expires_at": stamp(),
                  "headers": {"Content-Type": body["mime_type"]}}  # fmt: skip
        return Answer(200, {"id": name, "state": "pending", "file": self.file(name), "upload": upload})

    def file(self, name: str) -> dict[str, Any]:
        """What is said of a file."""
        return {key: value for key, value in self.files[name].items() if key != "asked"}

    @route("PUT", "/storage/(?P<name>.+)")
    def store(self, received: Received, name: str) -> Answer:
        file = self.files.get(name)
        if file is None or "authorization" in received.headers or received.query.get("sig") != "1":
            return Answer(403)
        if (
            received.headers.get("content-type") != file["mime_type"]
            or len(received.body) != file["size_bytes"]
        ):
            return Answer(400, body=b"<Error/>")
        self.bytes[name] = received.body
        return Answer(200)

    @route("POST", "/v1/files/(?P<name>[^/]+)/complete")
    def complete(self, received: Received, name: str) -> Answer:
        if name not in self.bytes:
            return Answer(400, {"detail": "No bytes were received"})
        return Answer(200, self.file(name))

    @route("GET", "/v1/files/(?P<name>[^/]+)")
    def look(self, received: Received, name: str) -> Answer:
        if name not in self.files:
            return Answer(404, {"detail": "File not found"})
        file = self.files[name]
        if name in self.bytes:
            file["state"] = self.ready[min(file["asked"], len(self.ready) - 1)]
            file["asked"] += 1
        if file["state"] == "failed":
            file["failure_reason"] = "moderation refused it"
        return Answer(200, self.file(name))

    # -- generations --------------------------------------------------------------------------------------------

    @route("POST", "/v1/generations")
    def make(self, received: Received) -> Answer:
        body = received.json
        if problem := self.problem(body):
            return Answer(422, {"detail": [{"loc": ["body"], "msg": problem, "type": "value_error"}]})
        if self.budget <= 0:
            return Answer(402, {"detail": "Insufficient credits"})
        if sum(job["state"] not in ("completed", "failed") for job in self.jobs.values()) >= self.at_once:
            return Answer(429, {"detail": "Too many concurrent jobs"}, headers={"Retry-After": "60"})
        name = f"11111111-0000-4000-8000-{next(self._numbers):012d}"
        self.jobs[name] = {"state": "queued", "polls": 0, "body": body}
        return Answer(200, self.said(name), headers={"X-Request-Id": "req-1", "X-API-Version": "2026-04-01"})

    def problem(self, body: dict[str, Any]) -> str:
        """What the validation finds, if anything."""
        video, kind = body.get("video") or {}, body.get("type", "image")
        edit = video.get("edit") or {}
        controls = edit.get("controls") or {}
        if set(body) - FIELDS or set(video) - VIDEO:
            return "Extra inputs are not permitted"
        if not 0 < len(body.get("prompt", "")) <= 6000:
            return "prompt must have 1 to 6000 characters"
        if any(set(fields) - CONTROLS.get(name, set()) for name, fields in controls.items()):
            return "Unknown control"
        if kind == "video_edit" and "source" not in body:
            return "source is required"
        frames = [*video.get("keyframes", []), *edit.get("keyframes", [])]
        indexes = [*video.get("keyframe_indexes", []), *edit.get("keyframe_indexes", [])]
        if len(frames) != len(indexes) or len(set(indexes)) != len(indexes) or len(frames) > 64:
            return "keyframe_indexes must match keyframes"
        if video.get("keyframes") and {"start_frame", "end_frame", "loop"} & set(video):
            return "keyframes exclude start_frame, end_frame and loop"
        refs = [*frames, *body.get("image_ref", [])]
        refs += [one for one in (body.get("source"), video.get("start_frame"), video.get("end_frame")) if one]
        for ref in refs:
            if len({"url", "data", "generation_id", "file_id"} & set(ref)) != 1:
                return "exactly one of url, data, generation_id, file_id"
            if "file_id" in ref and self.files.get(ref["file_id"], {}).get("state") != "ready":
                return "file is not ready"
        return ""

    def said(self, name: str) -> dict[str, Any]:
        """A generation as it is told."""
        job = self.jobs[name]
        kind = job["body"].get("type", "image")
        told = {"id": name, "type": kind, "model": job["body"].get("model", "uni-1"), "state": job["state"],
                "created_at": stamp(), "output": None}  # fmt: skip
        if job["state"] == "failed":
            told |= self.ending
        if job["state"] == "completed":
            media, suffix = ("image", "png") if kind.startswith("image") else ("video", "mp4")
            told["output"] = [{"type": media, "url": f"{self.url}/files/{name}.{job['polls']}.{suffix}?X=1"}]
        return told

    @route("GET", "/v1/generations/(?P<name>[^/]+)")
    def state(self, received: Received, name: str) -> Answer:
        if name not in self.jobs:
            return Answer(404, {"detail": "Generation not found"})
        job = self.jobs[name]
        job["state"] = self.script[min(job["polls"], len(self.script) - 1)]
        job["polls"] += 1
        return Answer(200, self.said(name))

    @route("GET", r"/files/(?P<name>[^.]+)\.(?P<polls>\d+)\.(?P<kind>\w+)")
    def result(self, received: Received, name: str, polls: str, kind: str) -> Answer:
        if name not in self.jobs or int(polls) <= self.expired:
            return Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
        return Answer(body=png() if kind == "png" else mp4())


class LumaLegacyServer(Loopback):
    """Dream Machine; its base ends in /dream-machine/v1."""

    def __init__(self) -> None:
        super().__init__()
        self.script = ["queued", "dreaming", "completed"]
        self.reason = "Generation failed"
        self.jobs: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    @route("POST", "/dream-machine/v1/generations/video/modify")
    def modify(self, received: Received) -> Answer:
        body = received.json
        if set(body) - {"generation_type", "media", "mode", "model", "prompt", "first_frame", "callback_url"}:
            return Answer(400, {"detail": "Unknown field"})
        links = [body.get("media", {}).get("url", ""), body.get("first_frame", {}).get("url", "https://")]
        if body.get("generation_type") != "modify_video" or not body.get("mode") or not body.get("model"):
            return Answer(400, {"detail": "generation_type, mode and model are required"})
        if not all(link.startswith("https://") for link in links):
            return Answer(400, {"detail": "media.url must be an address"})
        name = f"22222222-0000-4000-8000-{next(self._numbers):012d}"
        self.jobs[name] = {"state": "queued", "polls": 0, "body": body, "created_at": stamp()}
        return Answer(201, self.said(name))

    def said(self, name: str) -> dict[str, Any]:
        """A generation as it is told."""
        job = self.jobs[name]
        done = job["state"] == "completed"
        return {
            "id": name, "state": job["state"], "created_at": job["created_at"], "generation_type": "video",
            "model": job["body"]["model"], "request": {**job["body"], "callback_url": None},
            "failure_reason": self.reason if job["state"] == "failed" else None,
            "assets": {"video": f"{self.url}/files/{name}.mp4"} if done else None,
        }  # fmt: skip

    @route("GET", "/dream-machine/v1/generations/(?P<name>[^/]+)")
    def state(self, received: Received, name: str) -> Answer:
        if name not in self.jobs:
            return Answer(404, {"detail": "Generation not found"})
        job = self.jobs[name]
        job["state"] = self.script[min(job["polls"], len(self.script) - 1)]
        job["polls"] += 1
        return Answer(200, self.said(name))

    @route("GET", "/dream-machine/v1/generations")
    def list(self, received: Received) -> Answer:
        limit, offset = (
            int(received.query.get(key, default)) for key, default in (("limit", 10), ("offset", 0))
        )
        names = list(reversed(self.jobs))
        return Answer(200, {
            "generations": [self.said(name) for name in names[offset : offset + limit]],
            "count": len(names), "limit": limit, "offset": offset, "has_more": offset + limit < len(names),
        })  # fmt: skip

    @route("DELETE", "/dream-machine/v1/generations/(?P<name>[^/]+)")
    def delete(self, received: Received, name: str) -> Answer:
        return Answer(204 if self.jobs.pop(name, None) else 404)

    @route("GET", "/files/(?P<name>.+).mp4")
    def result(self, received: Received, name: str) -> Answer:
        return Answer(body=mp4()) if name in self.jobs else Answer(404)
