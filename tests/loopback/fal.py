# SPDX-License-Identifier: GPL-3.0-or-later
"""fal as documented: a queue whose COMPLETED may be a failure, storage with its own token, addresses without sub-path."""

from dataclasses import dataclass, field
from typing import Any

from .media import glb, mp4, png
from .server import Answer, Loopback, Received, route

REQUIRED = {
    "fal-ai/wan-22-vace-fun-a14b/depth": {"prompt": str, "video_url": str},
    "fal-ai/wan-vace-14b/depth": {"prompt": str, "video_url": str},
    "fal-ai/wan-fun-control": {"prompt": str, "control_video_url": str},
    "fal-ai/pika/v2.2/pikaframes": {"image_urls": list},
    "fal-ai/depth-anything-video": {"video_url": str},
    "fal-ai/sam-3/video-rle": {"video_url": str},
    "fal-ai/trellis-2": {"image_url": str},
    "fal-ai/nano-banana": {"prompt": str},
    "fal-ai/nano-banana/edit": {"prompt": str, "image_urls": list},
    "fal-ai/nano-banana-2": {"prompt": str},
    "fal-ai/nano-banana-2/edit": {"prompt": str, "image_urls": list},
}
RANGES = {
    "resolution": {
        *("auto", "240p", "360p", "480p", "580p", "720p", "1080p", "512", "1024", "1536"),
        *("0.5K", "1K", "2K", "4K"),
    },
    "num_images": {1, 2, 3, 4},
    "output_format": {"jpeg", "png", "webp", "mp4"},
}


@dataclass
class Request:
    """One request in the queue. ``script``: what is answered to each poll, the last for ever."""

    model: str
    input: dict[str, Any]
    script: list[dict[str, Any]] = field(default_factory=list)
    answer: Answer | None = None
    ended: bool = False


class Fal(Loopback):
    """``script`` and ``result`` are taken by the next request; ``forget`` makes a record vanish."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[str, Request] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.parts: dict[tuple[str, int], bytes] = {}
        self.script: list[dict[str, Any]] = [
            {"status": "IN_QUEUE", "queue_position": 2},
            {"status": "IN_PROGRESS", "logs": []},
            {"status": "COMPLETED", "metrics": {"inference_time": 41.2}},
        ]
        self.result: Answer | None = None
        self.media = {"out.mp4": mp4(), "mesh.glb": glb(), "frame.png": png()}

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("authorization") == f"Key {self.key}":
            return None
        return Answer(401, {"detail": "Cannot access application. Authentication is required."})

    def forget(self, request_id: str) -> None:
        """As when fal deletes it."""
        del self.requests[request_id]

    # -- storage --------------------------------------------------------------------------------------------------

    @route("POST", "/storage/auth/token")
    def token(self, received: Received) -> Answer:
        if received.query.get("storage_type") != "fal-cdn-v3":
            return Answer(
                422, {"detail": [{"loc": ["query", "storage_type"], "msg": "wrong", "type": "enum"}]}
            )
        return Answer(200, {"token": "short-lived", "token_type": "Bearer", "base_url": self.url,
                            "expires_at": "2036-01-01T00:00:00+00:00"})  # fmt: skip

    @route("POST", "/files/upload")
    def upload(self, received: Received) -> Answer:
        if received.headers.get("authorization") != "Bearer short-lived":
            return Answer(401, {"detail": "bad token"})
        name = f"b/{len(self.uploads)}_{received.headers['x-fal-file-name']}"
        self.uploads[name] = (received.headers["content-type"], received.body)
        return Answer(200, {"access_url": f"{self.url}/files/{name}"})

    @route("POST", "/files/upload/multipart")
    def begin_parts(self, received: Received) -> Answer:
        if received.headers.get("authorization") != "Bearer short-lived":
            return Answer(401, {"detail": "bad token"})
        name = f"b/{len(self.uploads)}_{received.headers['x-fal-file-name']}"
        self.uploads[name] = (received.headers["content-type"], b"")
        return Answer(200, {"access_url": f"{self.url}/files/{name}", "uploadId": "u1"})

    @route("PUT", "/files/(?P<name>.+)/multipart/u1/(?P<number>[0-9]+)")
    def part(self, received: Received, name: str, number: str) -> Answer:
        if received.headers.get("authorization") != "Bearer short-lived":
            return Answer(401, {"detail": "bad token"})
        self.parts[name, int(number)] = received.body
        return Answer(200, headers={"ETag": f'"{number}"'})

    @route("POST", "/files/(?P<name>.+)/multipart/u1/complete")
    def end_parts(self, received: Received, name: str) -> Answer:
        wanted = {n: f'"{n}"' for each, n in self.parts if each == name}
        if {each["partNumber"]: each["etag"] for each in received.json["parts"]} != wanted:
            return Answer(400, {"detail": "parts do not fit"})
        content = b"".join(self.parts[name, n] for n in sorted(wanted))
        self.uploads[name] = (self.uploads[name][0], content)
        return Answer(200, {"access_url": f"{self.url}/files/{name}"})

    @route("GET", "/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        if name in self.media:
            return Answer(body=self.media[name])
        if name in self.uploads:
            return Answer(body=self.uploads[name][1])
        return Answer(404, {"detail": "Not Found"})

    # -- queue ----------------------------------------------------------------------------------------------------

    @route("POST", "/(?P<model>(?!files/|storage/)[a-z0-9-]+/.+)")
    def submit(self, received: Received, model: str) -> Answer:
        if not isinstance(received.json, dict):
            return Answer(422, {"detail": [{"loc": ["body"], "msg": "not an object", "type": "dict_type"}]})
        number = f"{len(self.requests):08d}-1111-4111-8111-111111111111"
        self.requests[number] = Request(
            model, received.json, [dict(each) for each in self.script], self.result
        )
        base = f"{self.url}/{'/'.join(model.split('/')[:2])}/requests/{number}"
        return Answer(200, {"request_id": number, "status": "IN_QUEUE", "queue_position": 2, "response_url": base,
                            "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"})  # fmt: skip

    @route("GET", "/(?P<app>[^/]+/[^/]+)/requests/(?P<number>[^/]+)/status")
    def status(self, received: Received, app: str, number: str) -> Answer:
        request = self.requests.get(number)
        if request is None or not request.model.startswith(app):
            return Answer(404, {"detail": "Request not found"})
        now = request.script.pop(0) if len(request.script) > 1 else request.script[0]
        request.ended = now["status"] == "COMPLETED"
        return Answer(200 if request.ended else 202, {"request_id": number, "logs": [], **now})

    @route("GET", "/(?P<app>[^/]+/[^/]+)/requests/(?P<number>[^/]+)")
    def response(self, received: Received, app: str, number: str) -> Answer:
        request = self.requests.get(number)
        if request is None:
            return Answer(404, {"detail": "Request not found"})
        if not request.ended:
            return Answer(400, {"detail": "Request is still in progress"})
        return request.answer or self._work(request)

    @route("PUT", "/(?P<app>[^/]+/[^/]+)/requests/(?P<number>[^/]+)/cancel")
    def cancel(self, received: Received, app: str, number: str) -> Answer:
        request = self.requests.get(number)
        if request is None:
            return Answer(404, {"status": "NOT_FOUND"})
        if request.ended:
            return Answer(400, {"status": "ALREADY_COMPLETED"})
        request.script = [
            {"status": "COMPLETED", "error": "Request was cancelled", "error_type": "request_cancelled"}
        ]
        request.answer = Answer(499, {"detail": "Request was cancelled"})
        return Answer(202, {"status": "CANCELLATION_REQUESTED"})

    def _work(self, request: Request) -> Answer:
        for name, kind in REQUIRED.get(request.model, {}).items():
            if not isinstance(request.input.get(name), kind):
                return refused(name, "Field required", "missing")
        for name, allowed in RANGES.items():
            if name in request.input and request.input[name] not in allowed:
                return refused(name, f"Input should be one of {sorted(allowed)}", "literal_error")
        for name, value in request.input.items():
            if name.endswith("_url") and not str(value).startswith(("http", "data:")):
                return refused(name, "Failed to download the file", "file_download_error")
        seed = request.input.get("seed", 12345)
        if "trellis" in request.model:
            return Answer(200, {"model_glb": self._file("mesh.glb", "model/gltf-binary")})
        if request.model.endswith("-rle"):
            return Answer(
                200, {"rle": ["0 12 64 8", "3 4"], "boxes": [[0.5, 0.5, 0.2, 0.2]], "scores": [0.98]}
            )
        if "banana" in request.model:
            count = request.input.get("num_images", 1)
            pictures = [self._file("frame.png", "image/png")] * count
            return Answer(200, {"images": pictures, "description": "Here it is."})
        return Answer(200, {"video": self._file("out.mp4", "video/mp4"), "seed": seed})

    def _file(self, name: str, kind: str) -> dict[str, Any]:
        return {"url": f"{self.url}/files/{name}", "content_type": kind, "file_name": name,
                "file_size": len(self.media[name])}  # fmt: skip


def refused(name: str, msg: str, kind: str) -> Answer:
    """What a model answers to an input that it does not take."""
    detail = [{"loc": ["body", name], "msg": msg, "type": kind, "input": None}]
    return Answer(422, {"detail": detail}, headers={"x-fal-error-type": kind})
