# SPDX-License-Identifier: GPL-3.0-or-later
"""LTX's contract, version 2: an address for each kind of job, uploads with required headers, two jobs at once."""

from typing import Any

from .media import mp4, zipped
from .server import Answer, Loopback, Received, route

NEEDED = {
    "text-to-video": ("prompt", "model", "duration", "resolution"),
    "image-to-video": ("prompt", "model", "duration", "resolution", "image_uri"),
    "audio-to-video": ("audio_uri",), "retake": ("video_uri", "start_time", "duration", "mode"),
    "extend": ("video_uri", "duration", "mode"), "video-to-video-hdr": ("video_uri",),
}  # fmt: skip


def refusal(status: int, kind: str, message: str = "no", wait: int | None = None) -> Answer:
    """An error in LTX's envelope."""
    heads = {"x-request-id": "r", **({"Retry-After": str(wait)} if wait is not None else {})}
    return Answer(status, {"type": "error", "error": {"type": kind, "message": message}}, headers=heads)


class LtxServer(Loopback):
    """``script``: states of a job, one a look; ``error``: of a failed one; ``most``: jobs that may run at once."""

    def __init__(self) -> None:
        super().__init__()
        self.script, self.most = ["pending", "processing", "completed"], 2
        self.error = {"type": "api_error", "message": "it broke"}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.store: dict[str, bytes] = {}

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return refusal(401, "authentication_error", "Invalid API key")

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/bucket/"))

    @route("POST", "/v1/upload")
    def upload(self, received: Received) -> Answer:
        name = f"u{len(self.store)}"
        told = {
            "upload_url": f"{self.url}/bucket/{name}", "storage_uri": f"ltx://{name}",
            "expires_at": "2026-11-22T08:00:00+00:00", "required_headers": {"x-goog-content-length-range": "0,104857600"},
        }  # fmt: skip
        return Answer(200, told)

    @route("PUT", r"/bucket/(?P<name>\w+)")
    def bucket(self, received: Received, name: str) -> Answer:
        if "x-goog-content-length-range" not in received.headers or "authorization" in received.headers:
            return Answer(403, body=b"signature")
        self.store[f"ltx://{name}"] = received.body
        return Answer(200, body=b"")

    def _status(self, job: dict[str, Any]) -> str:
        return str(job["script"][min(job["looks"], len(job["script"]) - 1)])

    @route("POST", r"/v2/(?P<end>[\w-]+)")
    def create(self, received: Received, end: str) -> Answer:
        body = received.json
        missing = [name for name in NEEDED.get(end, ("endpoint",)) if body.get(name) is None]
        if missing or (end in ("retake", "extend") and body["duration"] < 2):
            return refusal(400, "invalid_request_error", f"missing {missing}")
        if "forbidden" in body.get("prompt", ""):
            return refusal(422, "content_filtered_error", "content policy")
        for key, value in body.items():
            if key.endswith("_uri") and value.startswith("ltx://") and value not in self.store:
                return refusal(400, "invalid_request_error", "unknown storage_uri")
        if sum(self._status(job) in ("pending", "processing") for job in self.jobs.values()) >= self.most:
            return refusal(429, "concurrency_limit_error", "Too many jobs", wait=12)
        name = f"job_{len(self.jobs)}"
        self.jobs[name] = {"looks": 0, "script": list(self.script), "end": end, "error": dict(self.error)}
        return Answer(202, {"id": name, "created_at": "2026-11-22T06:00:00Z"})

    @route("GET", r"/v2/(?P<end>[\w-]+)/(?P<name>\w+)")
    def look(self, received: Received, end: str, name: str) -> Answer:
        job = self.jobs.get(name)
        if job is None or job["end"] != end:
            return refusal(404, "not_found_error", "no such job")
        status = self._status(job)
        job["looks"] += 1
        shown: dict[str, Any] = {"id": name, "status": status, "created_at": "2026-11-22T06:00:00Z"}
        if status == "failed":
            shown["error"] = job["error"]
        if status == "completed":
            key, kind = ("exr_frames_url", "zip") if end.endswith("hdr") else ("video_url", "mp4")
            shown["result"] = {key: f"{self.url}/files/{name}.{kind}"}
        return Answer(200, shown)

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(200, body=zipped() if name.endswith("zip") else mp4())
