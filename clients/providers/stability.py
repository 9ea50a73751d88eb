# SPDX-License-Identifier: GPL-3.0-or-later
"""Stability's meshes from one picture: a form in, the file out, in one request."""

import base64
import binascii
from pathlib import Path

from ...pipeline.errors import ProviderRejected
from ..adapter import Adapter, media_type
from ..calls import Call, Part, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec
from ..credits import worth

MODERATION = ("content_moderation", "moderation")
PATIENCE_S = 180.0


class Stability(Adapter):
    """Fast 3D and Point Aware 3D."""

    def create(self, job: JobSpec) -> Call:
        names = self.model.payload["options"]
        path = Path(job.all("picture")[0].value)
        form = {names.get(name, name): str(value) for name, value in job.options.items()}
        if job.seed is not None and self.model.seed.strength != "none":
            form["seed"] = str(job.seed)
        part = Part("image", f"picture{path.suffix.lower()}", path, media_type(path))
        return Call("POST", self.model.payload["route"], form=form, parts=(part,), patience_s=PATIENCE_S)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        """The body is the mesh; some answers hold it in JSON, with a reason for having ended."""
        mesh = reply.body
        if not mesh.startswith(b"glTF"):
            if str(reply.table.get("finish_reason", "SUCCESS")) == "CONTENT_FILTERED":
                raise ProviderRejected(
                    f"{self.wire.name} filtered the result", todo="Change the picture. Failures cost nothing."
                )
            try:
                mesh = base64.b64decode(str(reply.table.get("model") or ""), validate=True)
            except binascii.Error:
                mesh = b""
        if not mesh:
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "answered without a mesh")
            return self.keep(job.own_id or "job", [], None, failure)
        cost = worth(self.model.payload.get("credits"), self.settings)
        return self.keep(job.own_id or "job", [("model/gltf-binary", mesh)], cost)

    def why(self, reply: Reply) -> Failure:
        """403 is moderation as often as a key that may not."""
        name, errors = str(reply.table.get("name") or ""), reply.table.get("errors")
        message = " ".join(map(str, errors)) if isinstance(errors, list) else name
        if name in MODERATION or (reply.status == 403 and "moderat" in message.lower()):
            return self.failure(FailureKind.MODERATED, "did not allow this", message, billed=False)
        if reply.status == 422:
            return self.failure(FailureKind.MEDIA_REJECTED, "can't work with what was sent", message)
        if name == "payment_required" or "credit" in message.lower():
            return self.failure(FailureKind.QUOTA, "asks for payment or credits", message)
        return super().why(reply)
