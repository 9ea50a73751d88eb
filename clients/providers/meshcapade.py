# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshcapade: a body in motion from a film. The film is uploaded into an avatar, fitted, and exported as a mesh.

The avatar is ours before anything is billed, so a fit whose answer was lost is found again by asking for the avatar.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...pipeline.errors import HoldfastError, ProviderBusy, ProviderRejected, Refused, Uncertain
from ...pipeline.store import read_json, write_json
from ..adapter import Adapter
from ..calls import Call, Reply
from ..contract import FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State

STATES = {
    "EMPTY": State.QUEUED, "AWAITING_UPLOAD": State.QUEUED, "AWAITING_PROCESSING": State.QUEUED, "PENDING": State.QUEUED,
    "PREPARING": State.QUEUED, "PROCESSING": State.RUNNING, "READY": State.SUCCEEDED, "COMPLETED": State.SUCCEEDED,
    "ERROR": State.FAILED, "CANCELED": State.CANCELLED, "CANCELLED": State.CANCELLED,
}  # fmt: skip
BEFORE = ("EMPTY", "AWAITING_UPLOAD", "AWAITING_AFI_INPUT", "AWAITING_AFS_INPUT", "AWAITING_AFV_INPUT")
"""States of an avatar whose fit was not begun."""
AVATAR, EXPORT = "avatar.json", "export.json"
TYPES = {"fbx": "application/octet-stream", "glb": "model/gltf-binary", "obj": "model/obj"}


class Meshcapade(Adapter):
    """Motion capture of one person."""

    def put(self, path: Path, role: str) -> MediaRef:
        limit = self.model.inputs.get(role)
        if limit is None:
            raise Refused(f"{self.model.label} can't be given a file for {role}", where=path.name)
        self.as_path(path, role, limit.max_bytes)
        avatar = str(self.data(Call("POST", "/avatars/create/from-video")).get("id") or "")
        if not avatar:
            raise ProviderRejected(f"{self.wire.name} made no avatar for the film")
        place = next(places(self.data(Call("POST", f"/avatars/{avatar}/video"))), None)
        if place is None:
            raise ProviderRejected(f"{self.wire.name} gave no address for the film")
        method, url = place
        if not self.wire.ask(Call(method, url, body=path, signed=False)).ok:
            raise ProviderBusy(f"{self.wire.name}'s storage did not take {path.name}")
        write_json(self.spool / AVATAR, {"avatar": avatar})
        return MediaRef("asset_id", avatar, role)

    def data(self, call: Call) -> Mapping[str, Any]:
        """What an answer holds. Raises ProviderRejected or ProviderBusy."""
        reply = self.wire.ask(call)
        if not reply.ok:
            self.reject(reply)
        return data_of(reply)

    def create(self, job: JobSpec) -> Call:
        film = job.all("source_video")[0]
        version = job.options.get("model_version", "SMPLX")
        body = {"lockFeet": bool(job.options.get("lock_feet", True)), "modelVersion": version}
        return Call("POST", f"/avatars/{film.value}/fit-to-video", json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        if reply.table.get("errors"):
            self.reject(reply)
        return self.made(job, job.all("source_video")[0].value)

    def made(self, job: JobSpec, avatar: str) -> Handle:
        """The handle of a fit; what is exported later stands in it."""
        wish = {"format": job.options.get("format", "fbx"), "pose": job.options.get("pose", "t")}
        wish["compatibilityMode"] = job.options.get("compatibility", "DEFAULT")
        return self.handle(avatar, export=wish)

    def named(self, handle: Handle, job: JobSpec) -> Handle:
        """With what is to be exported."""
        return replace(handle, poll_ref=handle.job_id, raw=self.made(job, handle.job_id).raw)

    def noted(self, file: str, key: str) -> str:
        """What was noted in the job's own folder; empty if it was not."""
        try:
            return str(read_json(self.spool / file)[key]) if (self.spool / file).exists() else ""
        except (HoldfastError, KeyError):
            return ""

    def exported(self) -> str:
        """The mesh that was asked for after the fit; empty before."""
        return self.noted(EXPORT, "mesh")

    def status(self, handle: Handle) -> Call:
        mesh = self.exported()
        return Call("GET", f"/meshes/{mesh}" if mesh else f"/avatars/{handle.poll_ref}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        data = data_of(reply)
        attributes = data.get("attributes")
        found = attributes if isinstance(attributes, dict) else {}
        state = STATES.get(str(found.get("state")).upper(), State.UNKNOWN)
        if state is State.FAILED:
            return Snapshot(
                state, failure=self.failure(FailureKind.PROVIDER_INTERNAL, "could not finish this")
            )
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        if not self.exported():
            self.export(data, handle)
            return Snapshot(State.RUNNING, 0.9)
        place = next(places(found.get("url")), None)
        if place is None:
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "exported a mesh without an address")
            return Snapshot(State.FAILED, failure=failure)
        kind = TYPES.get(str(handle.raw.get("export", {}).get("format")), TYPES["fbx"])
        return Snapshot(state, 1.0, outputs=(Output("00", MediaRef("https", place[1], "result"), kind),))

    def export(self, avatar: Mapping[str, Any], handle: Handle) -> None:
        """Asks for the mesh. If its answer is lost it is asked for again with the next look; only the last one counts."""
        body = {**handle.raw.get("export", {}), "filename": "holdfast"}
        if motion := motion_of(avatar):
            body["animation"] = motion
        try:
            reply = self.wire.send(Call("POST", f"/avatars/{handle.poll_ref}/export", json=body))
        except Uncertain as error:
            raise ProviderBusy(error.what) from error
        mesh = data_of(reply).get("id")
        if not reply.ok or not mesh:
            raise ProviderBusy(self.why(reply).says)
        write_json(self.spool / EXPORT, {"mesh": mesh})

    def stop(self, handle: Handle) -> Call:
        return Call("POST", f"/avatars/{handle.poll_ref}/build/cancel")

    def lookup(self, job: JobSpec, since: float) -> Call | None:
        avatar = self.noted(AVATAR, "avatar")
        return Call("GET", f"/avatars/{avatar}") if avatar else None

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        attributes = data_of(reply).get("attributes")
        state = str(attributes.get("state")) if isinstance(attributes, dict) else ""
        return None if state in BEFORE else self.made(job, self.noted(AVATAR, "avatar"))


def data_of(reply: Reply) -> dict[str, Any]:
    """What stands in the envelope."""
    found = reply.table.get("data")
    return found if isinstance(found, dict) else {}


def places(value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """(method, address) of everything in an answer that is {path, method}."""
    if isinstance(value, Mapping) and depth < 6:
        path = value.get("path")
        if isinstance(path, str) and "://" in path:
            yield str(value.get("method") or "GET").upper(), path
        for name in sorted(value, key=lambda key: "upload" not in str(key)):
            yield from places(value[name], depth + 1)


def motion_of(avatar: Mapping[str, Any]) -> str:
    """The motion that belongs to a fitted avatar, if its record names one."""
    relations = avatar.get("relationships")
    for name, one in relations.items() if isinstance(relations, dict) else ():
        data = one.get("data") if isinstance(one, dict) else None
        first = data[0] if isinstance(data, list) and data else data
        if "motion" in str(name).lower() and isinstance(first, dict) and first.get("id"):
            return str(first["id"])
    return ""
