# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D at Tencent Cloud: one address, the action in a header, failures in answers of status 200."""

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from requests.auth import AuthBase

from ...pipeline.errors import ProviderBusy, ProviderRejected, Refused
from ..adapter import GONE_AFTER_S, Adapter
from ..calls import Call, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..credits import worth
from .tencent_sign import TC3

STATES = {"WAIT": State.QUEUED, "RUN": State.RUNNING, "DONE": State.SUCCEEDED, "FAIL": State.FAILED}
KINDS = (
    ("AuthFailure", FailureKind.AUTH, "did not accept the key"),
    ("UnauthorizedOperation", FailureKind.AUTH, "does not allow this with the key given"),
    ("RequestLimitExceeded.JobNum", FailureKind.CONCURRENCY, "has no free slot for another job"),
    ("RequestLimitExceeded", FailureKind.RATE_LIMITED, "asks to slow down"),
    ("LimitExceeded", FailureKind.CONCURRENCY, "has no free slot for another job"),
    ("ResourceInsufficient", FailureKind.QUOTA, "asks for payment or credits"),
    ("ResourceUnavailable", FailureKind.QUOTA, "asks for payment or credits"),
    ("ResourceNotFound", FailureKind.NOT_FOUND, "does not know this (any more)"),
    ("InternalError", FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
)
"""What the code of a failure begins with, and what that means."""
LINKS_LIVE_S = 86400.0
TYPES = {
    "glb": "model/gltf-binary", "obj": "model/obj", "fbx": "application/octet-stream", "stl": "model/stl",
    "usdz": "model/vnd.usdz+zip", "zip": "application/zip", "mp4": "video/mp4",
}  # fmt: skip


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """From the pair of names that the vendor uses, or from ours, which holds both as "id:key". Raises Refused."""
    pair = keys.get("TENCENTCLOUD_SECRET_ID", ""), keys.get("TENCENTCLOUD_SECRET_KEY", "")
    ours = tuple(keys.get("HOLDFAST_HUNYUAN_KEY", "").split(":", 1))
    identity, secret = ours if len(ours) == 2 else pair
    if not identity or not secret:
        raise Refused(
            "There is no key for Hunyuan3D",
            todo='Set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, or enter both as "id:key".',
        )
    return TC3(identity, secret, str(settings.get("service", "ai3d")))


class Hunyuan(Adapter):
    """Text, pictures and meshes to meshes, textures, rigs and motion."""

    def call(self, action: str, body: Mapping[str, Any]) -> Call:
        """A request for an action."""
        headers = {"X-TC-Action": action, "X-TC-Version": str(self.settings.get("version", "2025-05-13"))}
        if region := self.settings.get("region"):
            headers["X-TC-Region"] = str(region)
        return Call("POST", "/", json=dict(body), headers=headers)

    def create(self, job: JobSpec) -> Call:
        rules = self.model.payload
        body: dict[str, Any] = {
            rules["options"].get(name, name): value for name, value in job.options.items()
        } | dict(rules.get("fixed", {}))
        if job.prompt:
            body["Prompt"] = job.prompt
        if picture := job.input("picture"):
            both = job.options.get("generate_type") == "Sketch"
            if job.prompt and not both:
                raise ProviderRejected("Hunyuan3D takes a prompt or a picture, not both")
            body |= {"Image": image(picture)} if rules.get("nested") else image(picture, "Image")
        elif not job.prompt and not job.input("mesh"):
            raise ProviderRejected("Hunyuan3D needs a prompt or a picture")
        views = [ref for ref in job.inputs if ref.role.startswith("view_")]
        if views:
            body["MultiViewImages"] = [
                {"ViewType": ref.role.removeprefix("view_"), **image(ref, "ViewImage")} for ref in views
            ]
        if mesh := job.input("mesh"):
            kind = urlsplit(mesh.value).path.rpartition(".")[2].upper()
            body["File3D"] = {"Type": kind, "Url": mesh.value}
        return self.call(rules["submit"], body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        if "Error" in response(reply):
            self.reject(reply)
        return self.handle(response(reply).get("JobId"))

    def status(self, handle: Handle) -> Call:
        return self.call(self.model.payload["query"], {"JobId": handle.poll_ref})

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        body = response(reply)
        if "Error" in body:
            return self.unseen(self.why(reply), handle)
        state = STATES.get(str(body.get("Status")), State.UNKNOWN)
        failure = None
        if state is State.FAILED:
            message = str(body.get("ErrorMessage") or body.get("ErrorCode") or "")
            kind, says = FailureKind.PROVIDER_INTERNAL, "could not finish this"
            if "illegal" in str(body.get("ErrorCode")).lower():
                kind, says = FailureKind.MODERATED, "did not allow this"
            failure = self.failure(kind, says, message)
        until = handle.created_at + LINKS_LIVE_S
        return Snapshot(
            state,
            outputs=tuple(outputs_of(body.get("ResultFile3Ds"), until)) if state is State.SUCCEEDED else (),
            failure=failure,
            cost_micros=worth(body.get("ResultCreditConsumed"), self.settings),
        )

    def unseen(self, failure: Failure, handle: Handle) -> Snapshot:
        """What a refused look at a job means; a record lives a day."""
        if failure.kind is FailureKind.NOT_FOUND:
            late = time.time() - handle.created_at < GONE_AFTER_S
            return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)
        if failure.kind in (FailureKind.AUTH, FailureKind.QUOTA):
            raise ProviderRejected(failure.says)
        if time.time() - handle.created_at > LINKS_LIVE_S:
            return Snapshot(State.EXPIRED, failure=failure)
        raise ProviderBusy(failure.says)

    def why(self, reply: Reply) -> Failure:
        error = response(reply).get("Error")
        if not isinstance(error, dict):
            return super().why(reply)
        code, message = str(error.get("Code") or ""), str(error.get("Message") or "")
        if "illegal" in code.lower():
            return self.failure(FailureKind.MODERATED, "did not allow this", message)
        for start, kind, says in KINDS:
            if code.startswith(start):
                return self.failure(kind, says, message)
        return self.failure(FailureKind.INVALID_REQUEST, f"refused it ({code})", message)


def response(reply: Reply) -> dict[str, Any]:
    """What stands in the envelope."""
    found = reply.table.get("Response")
    return found if isinstance(found, dict) else {}


def image(ref: MediaRef, before: str = "") -> dict[str, str]:
    """A picture by address, or as base64 without the prefix of a data URI."""
    if ref.kind == "data_uri":
        return {f"{before}Base64": ref.value.partition("base64,")[2]}
    return {f"{before}Url": ref.value}


def outputs_of(files: Any, until: float) -> Iterator[Output]:
    """The files of a finished job, glb first."""
    found = [one for one in files if isinstance(one, dict)] if isinstance(files, list) else []
    named = [(str(one.get("Type")).lower(), one.get("Url")) for one in found]
    known = [(kind, url) for kind, url in named if kind in TYPES and isinstance(url, str) and url]
    known.sort(key=lambda each: list(TYPES).index(each[0]))
    for number, (kind, url) in enumerate(known):
        yield Output(f"{number:02d}", MediaRef("https", url, "result", until), TYPES[kind])
