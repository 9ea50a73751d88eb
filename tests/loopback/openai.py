# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's pictures as its SDK speaks them."""

import base64
from typing import Any

from . import media
from .server import Answer, Loopback, Received, route

MODELS = {"gpt-image-1-mini", "gpt-image-2", "gpt-image-2.6-sunburst", "gpt-image-2.6-flare"}


def refused(status: int, code: str, message: str, kind: str = "invalid_request_error") -> Answer:
    return Answer(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


class OpenAIServer(Loopback):
    def __init__(self) -> None:
        super().__init__()
        self.paid, self.made = True, 0

    def authorised(self, received: Received) -> Answer | None:
        if super().authorised(received) is None:
            return None
        return refused(
            401, "invalid_api_key", f"Incorrect API key provided: {received.headers.get('authorization')}"
        )

    def pictures(self, fields: dict[str, Any]) -> Answer:
        if fields.get("model") not in MODELS:
            return refused(400, "model_not_found", "The model does not exist")
        if not fields.get("prompt"):
            return refused(400, "missing_required_parameter", "prompt is required")
        if "forbidden" in fields["prompt"]:
            return refused(400, "moderation_blocked", "Your request was rejected by the safety system")
        if not self.paid:
            return refused(429, "insufficient_quota", "You exceeded your current quota", "insufficient_quota")
        kind, count = fields.get("output_format", "png"), int(fields.get("n", 1))
        self.made += count
        picture = media.jpeg() if kind == "jpeg" else media.png()
        return Answer(200, {
            "created": 1795248000, "data": [{"b64_json": base64.b64encode(picture).decode()}] * count,
            "output_format": kind, "size": fields.get("size", "1024x1024"),
            "usage": {"input_tokens": 100, "output_tokens": 1000, "total_tokens": 1100,
                      "input_tokens_details": {"image_tokens": 60, "text_tokens": 40}},
        })  # fmt: skip

    @route("POST", r"/v1/images/generations")
    def generate(self, received: Received) -> Answer:
        return self.pictures(received.json)

    @route("POST", r"/v1/images/edits")
    def edit(self, received: Received) -> Answer:
        parts = received.parts
        images = [body for name, _, _, body in parts if name in ("image", "image[]")]
        masks = [body for name, _, _, body in parts if name == "mask"]
        if not 1 <= len(images) <= 16:
            return refused(400, "invalid_value", "1 to 16 images are required")
        if masks and not masks[0].startswith(b"\x89PNG"):
            return refused(400, "invalid_image_file", "The mask is no PNG")
        return self.pictures({n: body.decode() for n, file, _, body in parts if not file})
