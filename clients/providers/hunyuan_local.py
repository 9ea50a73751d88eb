# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D's own server on a machine of the studio: one request that waits, or one that is asked about.

Its first version never says that a job failed, so a job that is at it for longer than the settings allow has failed.
"""

import base64
import binascii
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from requests.auth import AuthBase

from ...pipeline.errors import ProviderRejected
from ..adapter import Adapter, data_uri
from ..auth import Nobody
from ..calls import Call, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, Snapshot, State

NAMES = {
    "steps": "num_inference_steps", "guidance": "guidance_scale", "polycount": "face_count", "format": "type",
}  # fmt: skip
MOST_PICTURE = 20_000_000


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """The server asks for nothing."""
    return Nobody()


class HunyuanLocal(Adapter):
    """Pictures (or words, where the server has that model) to meshes."""

    def create(self, job: JobSpec) -> Call:
        body: dict[str, Any] = {NAMES.get(name, name): value for name, value in job.options.items()}
        for role, field in (("picture", "image"), ("mesh", "mesh")):
            if ref := job.input(role):
                body[field] = data_uri(Path(ref.value), MOST_PICTURE * 2, bare=True)
        if "image" not in body:
            if not job.prompt or not self.model.prompt_max:
                raise ProviderRejected(f"{self.model.label} needs a picture")
            body["text"] = job.prompt
        if job.seed is not None:
            body["seed"] = job.seed
        if self.settings.get("wait"):
            return Call("POST", "/generate", json=body, patience_s=float(self.settings["patience_s"]))
        return Call("POST", "/send", json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        if self.settings.get("wait"):
            if not reply.body or reply.table.get("error_code"):
                self.reject(reply)
            return self.keep(job.own_id or "generate", [("model/gltf-binary", reply.body)])
        return self.handle(reply.table.get("uid"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/status/{handle.poll_ref}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        word = str(reply.table.get("status"))
        if word == "completed":
            try:
                mesh = base64.b64decode(str(reply.table.get("model_base64") or ""), validate=True)
            except binascii.Error:
                mesh = b""
            if not mesh:
                return self.ended("finished without a mesh")
            return self.spooled(self.keep(handle.job_id, [("model/gltf-binary", mesh)]))
        if word == "error":
            return self.ended("could not finish this", str(reply.table.get("message") or ""))
        patience = float(self.settings.get("deadline_s", 3600.0))
        if time.time() - handle.created_at > patience:
            minutes = round(patience / 60)
            return self.ended(f"has been at it for more than {minutes} minutes and has most likely crashed")
        states = {"processing": State.RUNNING, "texturing": State.RUNNING}
        return Snapshot(states.get(word, State.UNKNOWN))

    def ended(self, says: str, message: str = "") -> Snapshot:
        """A failure; a server of one's own bills nothing."""
        failure = self.failure(FailureKind.PROVIDER_INTERNAL, says, message, billed=False)
        return Snapshot(State.FAILED, failure=failure)

    def why(self, reply: Reply) -> Failure:
        """The first version tells a mistake as 404 with an error code."""
        if reply.table.get("error_code"):
            message = str(reply.table.get("text") or "")
            return self.failure(FailureKind.INVALID_REQUEST, "could not do this", message, billed=False)
        return super().why(reply)
