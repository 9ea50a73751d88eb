# SPDX-License-Identifier: GPL-3.0-or-later
"""Stability's 3D as its document tells it: forms, and meshes as answers."""

import base64

from . import media
from .server import Answer, Loopback, Received, route

RATIO = {"stable-fast-3d": (0.1, 1.0), "stable-point-aware-3d": (1.0, 2.0)}


def refused(status: int, name: str, *errors: str) -> Answer:
    return Answer(status, {"id": "e1", "name": name, "errors": list(errors)})


class StabilityServer(Loopback):
    def __init__(self) -> None:
        super().__init__()
        self.credits, self.as_json, self.made = 100, False, 0

    def authorised(self, received: Received) -> Answer | None:
        return None if super().authorised(received) is None else refused(401, "unauthorized", "invalid key")

    @route("POST", r"/v2beta/3d/(?P<kind>stable-fast-3d|stable-point-aware-3d)")
    def make(self, received: Received, kind: str) -> Answer:
        parts = received.parts
        fields = {name: body.decode() for name, file, _, body in parts if not file}
        images = [(media_type, body) for name, file, media_type, body in parts if name == "image" and file]
        if len(images) != 1:
            return refused(400, "bad_request", "image: is required")
        if images[0][0] not in ("image/png", "image/jpeg", "image/webp"):
            return refused(422, "unprocessable_entity", "image: is not a picture")
        low, high = RATIO[kind]
        if not low <= float(fields.get("foreground_ratio", 1)) <= high:
            return refused(400, "bad_request", "foreground_ratio: is out of range")
        if kind == "stable-fast-3d" and "seed" in fields:
            return refused(400, "bad_request", "seed: is not known")
        if b"forbidden" in images[0][1]:
            return refused(
                403, "content_moderation", "Your request was flagged by our content moderation system"
            )
        if self.credits < 10:
            return refused(402, "payment_required", "You lack sufficient credits")
        self.credits -= 10
        self.made += 1
        if self.as_json:
            return Answer(200, {"model": base64.b64encode(media.glb()).decode(), "finish_reason": "SUCCESS"})
        return Answer(body=media.glb(), headers={"Content-Type": "model/gltf-binary"})
