# SPDX-License-Identifier: GPL-3.0-or-later
"""Anthropic's messages in the version of 2026-10-21."""

import json
from typing import Any

from .server import Answer, Loopback, Received, route

REMOVED = ("temperature", "top_p", "top_k")
BARRED = ("minimum", "maximum", "minLength", "maxLength", "maxItems", "pattern")


def refused(status: int, kind: str, message: str) -> Answer:
    return Answer(
        status, {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    )


def barred(schema: Any) -> str:
    """What of a schema a grammar can't hold; "" for nothing."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            return "additionalProperties must be false"
        names = [name for name in BARRED if name in schema and isinstance(schema.get("type"), str)]
        return (
            f"{names[0]} is not supported" if names else next(filter(None, map(barred, schema.values())), "")
        )
    return ""


class AnthropicServer(Loopback):
    def __init__(self) -> None:
        super().__init__()
        self.plan: Any = {"shots": [{"id": "a", "duration_s": 2.5, "camera": "orbit"}]}
        self.text: str | None = None
        self.reason, self.made = "end_turn", 0

    def authorised(self, received: Received) -> Answer | None:
        if received.headers.get("x-api-key", self.key) != self.key or super().authorised(received):
            return refused(401, "authentication_error", "invalid bearer token")
        return None

    @route("POST", "/v1/messages")
    def message(self, received: Received) -> Answer:
        body = received.json
        if received.headers.get("anthropic-version") != "2026-10-21":
            return refused(400, "invalid_request_error", "anthropic-version: is not valid")
        for name in REMOVED:
            if name in body:
                return refused(400, "invalid_request_error", f"{name}: Extra inputs are not permitted")
        for name in ("model", "max_tokens", "messages"):
            if name not in body:
                return refused(400, "invalid_request_error", f"{name}: Field required")
        if body["messages"][-1]["role"] == "assistant":
            return refused(
                400, "invalid_request_error", "This model does not support assistant message prefill"
            )
        shape = body.get("output_config", {}).get("format", {}).get("schema", {})
        if says := barred(shape):
            return refused(400, "invalid_request_error", f"output_config.format.schema: {says}")
        self.made += 1
        text = json.dumps(self.plan) if self.text is None else self.text
        return Answer(200, {
            "id": f"msg_{self.made:02d}", "type": "message", "role": "assistant", "model": body["model"],
            "content": [{"type": "text", "text": text}], "stop_reason": self.reason, "stop_sequence": None,
            "usage": {"input_tokens": 1000, "output_tokens": 200},
        })  # fmt: skip
