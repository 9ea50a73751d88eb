# SPDX-License-Identifier: GPL-3.0-or-later
"""Runway's API as runwayml 5.24.0 and its documents have it: uploads, tasks, DELETE with its two meanings."""

import itertools
from typing import Any

from .media import mp4, png, zipped
from .server import Answer, Loopback, Received, route

VERSION = "2024-11-06"
MODELS: dict[str, dict[str, tuple[set[str], set[str]]]] = {
    "video_to_video": {
        "aleph2": (
            {"videoUri"},
            {"promptText", "keyframes", "seed", "targetAspectRatio", "outputFormat", "proresProfile"},
        )
    },
    "image_to_video": {"gen4.5": ({"promptText", "promptImage", "duration", "ratio"}, {"outputFormat", "seed"})},
    "text_to_video": {"gen4.5": ({"promptText", "duration", "ratio"}, {"outputFormat", "seed"})},
    "text_to_image": {"gen4_image": ({"promptText", "ratio"}, {"referenceImages", "seed"})},
    "character_performance": {
        "act_two": ({"character", "reference"}, {"bodyControl", "expressionIntensity", "ratio", "seed"})
    },
    "video_upscale": {
        "magnific_video_upscaler_creative": (
            {"videoUri"},
            {"creativity", "flavor", "fpsBoost", "resolution", "sharpen", "smartGrain"},
        ),
        "enhance_frame_rate": ({"videoUri", "targetFramerate"}, set()),
    },
}  # fmt: skip
"""By path and model: the fields that must and that may be there."""
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


def invalid(*issues: str) -> Answer:
    """400, with what is wrong."""
    return Answer(400, {"error": "Validation of body failed", "issues": [{"message": one} for one in issues]})


class RunwayServer(Loopback):
    """``script`` are the states that a task goes through, one a poll; ``ending`` what a failed one says more."""

    def __init__(self) -> None:
        super().__init__()
        self.script = ["PENDING", "THROTTLED", "RUNNING", "SUCCEEDED"]
        self.ending: dict[str, Any] = {"failure": "An unexpected error occurred.", "failureCode": "INTERNAL"}
        self.credits, self.daily, self.balance = 140, 50, 100000
        self.tasks: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, bytes] = {}
        self.keeps_cancelled = True
        self.expired = 0
        self._numbers = itertools.count(1)

    def answer(self, received: Received) -> Answer:
        if (
            not self.open_to_all(received)
            and self.authorised(received) is None
            and received.headers.get("x-runway-version") != VERSION
        ):
            return Answer(400, {"error": "The X-Runway-Version header is missing or not known."})
        return super().answer(received)

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/storage"))

    # -- uploads ------------------------------------------------------------------------------------------------

    @route("POST", "/v1/uploads")
    def begin(self, received: Received) -> Answer:
        body = received.json
        if body.get("type") != "ephemeral" or not body.get("filename"):
            return invalid("filename and type are needed")
        key = f"up{next(self._numbers)}/{body['filename']}"
        fields = {"key": key, "policy": "cG9saWN5", "x-amz-signature": "abc"}
        return Answer(
            200, {"uploadUrl": f"{self.url}/storage", "fields": fields, "runwayUri": f"runway://{key}"}
        )

    @route("POST", "/storage")
    def store(self, received: Received) -> Answer:
        """A presigned form: the fields as they were given, then the file, no credentials."""
        if "authorization" in received.headers:
            return Answer(400, body=b"<Error><Code>InvalidArgument</Code></Error>")
        parts = {name: content for name, _, _, content in received.parts}
        names = [name for name, _, _, _ in received.parts]
        if names[-1:] != ["file"] or parts.get("x-amz-signature") != b"abc" or "policy" not in parts:
            return Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
        if not 512 <= len(parts["file"]) <= 200 << 20:
            return Answer(400, body=b"<Error><Code>EntityTooSmall</Code></Error>")
        self.uploads[f"runway://{parts['key'].decode()}"] = parts["file"]
        return Answer(204)

    # -- tasks --------------------------------------------------------------------------------------------------

    @route("POST", "/v1/(?P<kind>[a-z_]+)")
    def make(self, received: Received, kind: str) -> Answer:
        body = received.json
        models = MODELS.get(kind, {})
        if not isinstance(body, dict) or body.get("model") not in models:
            return invalid("model is not known here")
        if problems := list(self.problems(kind, body, *models[body["model"]])):
            return invalid(*problems)
        if self.balance < self.credits:
            return Answer(400, {"error": "You do not have enough credits to run this task."})
        if self.daily <= 0:
            return Answer(429, {"error": "You have reached your daily task limit."})
        self.daily -= 1
        name = f"17f20503-6c24-4c16-946b-{next(self._numbers):012d}"
        self.balance -= self.credits
        self.tasks[name] = {"polls": 0, "body": body, "kind": kind, "state": self.script[0]}
        return Answer(200, {"id": name, "estimatedCost": {"credits": self.credits}})

    def problems(self, kind: str, body: dict[str, Any], need: set[str], may: set[str]) -> Any:
        """What the validation finds."""
        given = set(body) - {"model"}
        yield from (f"{name} is required" for name in sorted(need - given))
        yield from (f"{name} is not known" for name in sorted(given - need - may))
        if body.get("promptText") == "" or len(body.get("promptText", "")) > 1000:
            yield "promptText must have 1 to 1000 characters"
        if kind == "text_to_video" and body.get("ratio") not in ("1280:720", "720:1280"):
            yield "ratio is not one of those allowed"
        if "duration" in body and body["duration"] not in range(2, 11):
            yield "duration must be 2 to 10"
        frames = body.get("keyframes", [])
        if len(frames) > 5 or len({"range" in frame for frame in frames}) > 1:
            yield "keyframes: at most 5, all with a range or none"
        yield from (f"{link} was not uploaded" for link in links_in(body) if link not in self.uploads)

    @route("GET", "/v1/tasks/(?P<name>[^/]+)")
    def state(self, received: Received, name: str) -> Answer:
        task = self.tasks.get(name)
        if task is None:
            return Answer(404, {"error": "Task not found"})
        if task["state"] not in ENDED:
            task["state"] = self.script[min(task["polls"], len(self.script) - 1)]
            task["polls"] += 1
        say: dict[str, Any] = {
            "id": name,
            "status": task["state"],
            "createdAt": "2026-11-21T08:07:12.000Z",
        }
        if task["state"] in ENDED:
            say["cost"] = {"credits": task.get("cost", self.credits)}
        else:
            say["estimatedCost"] = {"credits": self.credits}
        if task["state"] == "RUNNING":
            say["progress"] = 0.42
        if task["state"] == "FAILED":
            say |= self.ending
        if task["state"] == "SUCCEEDED":
            say["output"] = [f"{self.url}/files/{name}.{task['polls']}.{kind_of(task)}?_jwt=t"]
        return Answer(200, say)

    @route("DELETE", "/v1/tasks/(?P<name>[^/]+)")
    def delete(self, received: Received, name: str) -> Answer:
        """Cancels a task at work (refunded unless it runs); deletes one that has ended, with its result."""
        task = self.tasks.get(name)
        if task is None:
            return Answer(404, {"error": "Task not found"})
        if task["state"] in ENDED or not self.keeps_cancelled:
            del self.tasks[name]
        else:
            task["cost"] = self.credits if task["state"] == "RUNNING" else 0
            self.balance += self.credits - task["cost"]
            task["state"] = "CANCELLED"
        return Answer(204)

    @route("GET", r"/files/(?P<name>[^.]+)\.(?P<polls>\d+)\.(?P<kind>\w+)")
    def file(self, received: Received, name: str, polls: str, kind: str) -> Answer:
        if name not in self.tasks or int(polls) <= self.expired:
            return Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
        return Answer(body={"png": png(), "zip": zipped()}.get(kind, mp4()))

    def forget(self, name: str) -> None:
        """A record that vanishes."""
        del self.tasks[name]


def links_in(value: Any) -> list[str]:
    """Every runway:// address of a body."""
    if isinstance(value, str):
        return [value] if value.startswith("runway://") else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [link for item in items for link in links_in(item)]


def kind_of(task: dict[str, Any]) -> str:
    """The suffix of a task's result."""
    if task["kind"] == "text_to_image":
        return "png"
    return "zip" if task["body"].get("outputFormat") == "png_sequence" else "mp4"
