# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA NIM: Cosmos and TRELLIS in a container of one's own, or hosted. It answers with the result itself, after minutes."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from requests.auth import AuthBase

from ...pipeline.errors import ProviderBusy, ProviderRejected, Uncertain
from ..adapter import TODO, Adapter, message_of
from ..auth import Bearer, Nobody
from ..calls import Call, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec
from ..payload import body_of

INFER, READY = "v1/infer", "v1/health/ready"
PATIENCE_S = 3600.0
"""As long as the vendor's own examples wait."""
CHUNK = 121
"""Frames that Cosmos makes at once in the vendor's examples."""
FIELDS = (("b64_video", "video/mp4"), ("b64_image", "image/png"))


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """A container asks for nothing; the hosted service for a Bearer key."""
    key = next((key for key in keys.values() if key), "")
    return Bearer(key) if key else Nobody()


class NIM(Adapter):
    """Synchronous inference. Nothing can be cancelled, and an answer that was lost is lost."""

    @property
    def path(self) -> str:
        """Where the model listens: /v1/infer in a container, a path of its own where NVIDIA hosts it."""
        hosted = str(self.settings.get("path") or self.model.payload.get("hosted") or "")
        ours = (urlsplit(self.wire.base).hostname or "").endswith("api.nvidia.com")
        return hosted if ours and hosted else INFER

    def create(self, job: JobSpec) -> Call:
        body = body_of(job, self.model)
        for key, value in self.model.payload.get("modes", {}).items():
            if not key or job.input(key) is not None:  # the last that fits: the catalogue lists them so
                body[self.model.payload.get("mode_field", "model_mode")] = value
        if self.model.payload.get("transfer"):
            body["transfer"] = self._transfer(job, body)
        patience = float(self.settings.get("patience_s") or PATIENCE_S)
        return Call("POST", self.path, json=body, headers={"Accept": "application/json"}, patience_s=patience)

    def _transfer(self, job: JobSpec, body: dict[str, Any]) -> dict[str, Any]:
        """Every control clip under what it is; edges and blur may be found by the server in the source."""
        made: dict[str, Any] = {
            "num_conditional_frames": 1,
            "num_first_chunk_conditional_frames": 0,
            "num_video_frames_per_chunk": min(CHUNK, int(body.get("num_frames") or CHUNK)),
        }
        if (guidance := body.pop("control_guidance", None)) is not None:
            made["control_guidance"] = guidance
        body.pop("control_video", None)
        kinds = body.pop("control", "depth")
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        clips = job.all("control_video")
        if len(clips) > len(kinds):
            raise ProviderRejected(
                f"{self.model.label} must be told what each of {len(clips)} control clips is",
                todo="Name them in the option control: depth, edge, seg, blur or wsm.",
            )
        for kind, clip in zip(kinds, clips, strict=False):
            made[str(kind)] = {"video": clip.value}
        for kind in kinds[len(clips) :]:
            if kind not in ("edge", "blur") or job.input("source_video") is None:
                raise ProviderRejected(f"{self.model.label} needs a control clip of {kind}")
            preset = "preset_edge_threshold" if kind == "edge" else "preset_blur_strength"
            made[str(kind)] = {preset: "medium"}
        return made

    def submit(self, job: JobSpec) -> Handle:
        """Asks first whether a container is ready: one that still loads its model would answer with an error."""
        if self.path == INFER:
            ready = self.wire.ask(Call("GET", READY))
            if ready.status in (401, 403):
                self.reject(ready)
            if not ready.ok and ready.status != 404:
                raise ProviderBusy(
                    f"{self.wire.name} is still loading its model", todo="Try again in some minutes."
                )
        return super().submit(job)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        if reply.status == 202:
            raise Uncertain(
                f"{self.wire.name} took the job but has not answered it yet",
                todo="It may be at work all the same: look in your account before you send it again.",
            )
        table = reply.table
        found = [(kind, table[name]) for name, kind in FIELDS if isinstance(table.get(name), str)]
        artifacts = table.get("artifacts")
        for each in artifacts if isinstance(artifacts, list) else []:
            self._check(each)
            found.append(("model/gltf-binary", each["base64"]))
        if not found:
            raise ProviderRejected(
                f"{self.wire.name} answered without a result", todo=self.wire.clean(message_of(reply))
            )
        try:
            results = [
                (kind, base64.b64decode(text.partition(",")[2] or text, validate=True))
                for kind, text in found
            ]
        except (binascii.Error, ValueError) as error:
            raise ProviderRejected(f"{self.wire.name} sent a result that can't be read") from error
        return self.keep(job.own_id or "nim", results)

    def _check(self, artifact: Any) -> None:
        """SUCCESS, CONTENT_FILTERED or ERROR stand in an answer of 200."""
        reason = artifact.get("finishReason") if isinstance(artifact, Mapping) else None
        if reason == "CONTENT_FILTERED":
            failure = self.failure(FailureKind.MODERATED, "refused the content")
            raise ProviderRejected(failure.says, todo=TODO[FailureKind.MODERATED])
        if reason != "SUCCESS" or not isinstance(artifact.get("base64"), str):
            raise ProviderRejected(
                self.wire.clean(f"{self.wire.name} could not finish: {reason or 'no reason given'}")
            )

    def why(self, reply: Reply) -> Failure:
        said = message_of(reply)
        if any(word in said.lower() for word in ("guardrail", "unsafe", "content filter")):
            return self.failure(FailureKind.MODERATED, "refused the content", said)
        detail = reply.table.get("detail")
        first = detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], dict) else {}
        if reply.status == 422 and first:
            field = ".".join(str(each) for each in first.get("loc") or [] if each != "body")
            return self.failure(
                FailureKind.INVALID_REQUEST, f"refused {field or 'it'}", str(first.get("msg") or "")
            )
        return super().why(reply)
