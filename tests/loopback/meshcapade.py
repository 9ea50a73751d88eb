# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshcapade as an unofficial OpenAPI tells it: avatars, uploads, fits, exports."""

from typing import Any

from . import media
from .server import Answer, Loopback, Received, route


def refused(status: int, title: str, detail: str) -> Answer:
    return Answer(
        status, {"errors": [{"code": title, "detail": detail, "status": str(status), "title": title}]}
    )


class MeshcapadeServer(Loopback):
    def __init__(self) -> None:
        super().__init__()
        self.avatars: dict[str, dict[str, Any]] = {}
        self.meshes: dict[str, dict[str, Any]] = {}
        self.films: dict[str, bytes] = {}
        self.script = ["AWAITING_PROCESSING", "PROCESSING", "READY"]
        self.credits, self.fits = 10, 0

    def authorised(self, received: Received) -> Answer | None:
        return (
            None
            if super().authorised(received) is None
            else refused(401, "unauthorized", "The token is not valid")
        )

    def open_to_all(self, received: Received) -> bool:
        return received.path.startswith(("/files/", "/storage/"))

    def told(self, kind: str, name: str, thing: dict[str, Any]) -> Answer:
        attributes: dict[str, Any] = {"state": thing["state"], "origin": "AFV"}
        relations = {}
        if thing["state"] == "READY" and kind == "mesh":
            url = f"{self.url}/files/{name}.glb"
            attributes["url"] = {"internal": False, "method": "GET", "path": url}
        if thing["state"] == "READY" and kind == "avatar":
            relations["motions"] = {"data": [{"type": "motion", "id": "motion-1"}]}
        return Answer(
            200, {"data": {"type": kind, "id": name, "attributes": attributes, "relationships": relations}}
        )

    @route("POST", r"/avatars/create/from-video")
    def make(self, received: Received) -> Answer:
        name = f"avatar-{len(self.avatars)}"
        self.avatars[name] = {"state": "EMPTY", "polls": -1}
        return self.told("avatar", name, self.avatars[name])

    @route("POST", r"/avatars/(?P<name>[^/]+)/video")
    def video(self, received: Received, name: str) -> Answer:
        if name not in self.avatars:
            return refused(404, "not_found", "There is no such avatar")
        self.avatars[name]["state"] = "AWAITING_UPLOAD"
        links = {"upload": {"path": f"{self.url}/storage/{name}", "method": "PUT"}}
        return Answer(
            200, {"data": {"type": "video", "id": "v", "attributes": {"state": "EMPTY"}, "links": links}}
        )

    @route("PUT", r"/storage/(?P<name>.+)")
    def store(self, received: Received, name: str) -> Answer:
        self.films[name] = received.body
        self.avatars[name]["state"] = "AWAITING_AFV_INPUT"
        return Answer(200)

    @route("POST", r"/avatars/(?P<name>[^/]+)/fit-to-video")
    def fit(self, received: Received, name: str) -> Answer:
        avatar = self.avatars.get(name)
        if avatar is None:
            return refused(404, "not_found", "There is no such avatar")
        if not self.films.get(name):
            return refused(409, "conflict", "The film is not there")
        if received.json.get("modelVersion") not in ("SMPLX", "SMPLH", "SUPR"):
            return refused(422, "invalid", "modelVersion is not known")
        if self.credits < 1:
            return refused(402, "credits", "Not enough credits")
        self.fits += 1
        avatar.update(state="AWAITING_PROCESSING", polls=0)
        return self.told("avatar", name, avatar)

    def advance(self, thing: dict[str, Any]) -> None:
        if thing["polls"] >= 0 and thing["state"] != "CANCELED":
            thing["state"] = self.script[min(thing["polls"], len(self.script) - 1)]
            thing["polls"] += 1

    @route("GET", r"/(?P<kind>avatars|meshes)/(?P<name>[^/]+)")
    def look(self, received: Received, kind: str, name: str) -> Answer:
        thing = (self.avatars if kind == "avatars" else self.meshes).get(name)
        if thing is None:
            return refused(404, "not_found", "There is no such asset")
        self.advance(thing)
        return self.told("avatar" if kind == "avatars" else "mesh", name, thing)

    @route("POST", r"/avatars/(?P<name>[^/]+)/export")
    def export(self, received: Received, name: str) -> Answer:
        if self.avatars[name]["state"] != "READY" or received.json.get("format") not in ("obj", "fbx", "glb"):
            return refused(409, "conflict", "The avatar is not ready or the format is not known")
        mesh = f"mesh-{len(self.meshes)}"
        self.meshes[mesh] = {"state": "PROCESSING", "polls": 0}
        return self.told("mesh", mesh, self.meshes[mesh])

    @route("POST", r"/avatars/(?P<name>[^/]+)/build/cancel")
    def cancel(self, received: Received, name: str) -> Answer:
        if self.avatars[name]["state"] in ("READY", "ERROR", "CANCELED"):
            return refused(409, "conflict", "The build has ended")
        self.avatars[name]["state"] = "CANCELED"
        return self.told("avatar", name, self.avatars[name])

    @route("GET", r"/files/(?P<name>.+)")
    def file(self, received: Received, name: str) -> Answer:
        return Answer(body=media.glb(), headers={"ETag": '"1"'})
