# SPDX-License-Identifier: GPL-3.0-or-later
"""Alibaba DashScope (Model Studio): Wan video models and VACE."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from ...pipeline.errors import ProviderBusy, ProviderRejected
from ..adapter import DATA_URI_MAX, GONE_AFTER_S, Adapter, data_uri, media_type
from ..calls import Call, Part, Reply, table_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..descriptor import Descriptor
from ..wire import Wire

API = "api/v1"
SYNTHESIS = f"{API}/services/aigc/video-generation/video-synthesis"
KEPT_S = 48 * 3600.0
STATES = {
    "PENDING": State.QUEUED, "RUNNING": State.RUNNING, "SUSPENDED": State.RUNNING, "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED, "CANCELED": State.CANCELLED, "CANCELLED": State.CANCELLED,
}  # fmt: skip
CODES = (
    ("DataInspectionFailed", FailureKind.MODERATED, "refused the content"),
    ("InvalidApiKey", FailureKind.AUTH, "did not accept the key"),
    ("AccessDenied", FailureKind.AUTH, "does not allow this with the key given"),
    ("Arrearage", FailureKind.QUOTA, "asks for payment"),
    ("AllocationQuota", FailureKind.QUOTA, "says that the quota is used up"),
    ("Throttling", FailureKind.RATE_LIMITED, "asks to slow down"),
    ("InternalError", FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
    ("ModelNotFound", FailureKind.UNSUPPORTED, "does not have this model in this region"),
    ("InvalidParameter", FailureKind.INVALID_REQUEST, "refused a setting"),
    ("UnsupportedOperation", FailureKind.UNSUPPORTED, "can't do that now"),
)
MEDIA = {
    "wan2.7-videoedit": {"source_video": "video", "reference": "reference_image"},
    "wan2.7-i2v": {"first": "first_frame", "last": "last_frame", "source_video": "first_clip", "audio": "driving_audio"},
    "wan3.0-video": {
        "first": "first_frame", "last": "last_frame", "reference": "reference_image",
        "source_video": "reference_video", "control_video": "reference_video", "reference_video": "reference_video",
        "audio": "reference_audio",
    },
}  # fmt: skip
"""By the beginning of a model's name: our roles and the service's types of media."""
PARAMETERS = {
    "resolution": "resolution", "ratio": "ratio", "seconds": "duration", "sound": "audio_setting", "size": "size",
    "strength": "strength", "mask_type": "mask_type", "expand": "expand_ratio", "expand_mode": "expand_mode",
}  # fmt: skip
CONTROLS = {"depth": "depth", "edge": "scribble", "pose": "posebodyface", "body": "posebody"}


class Wan(Adapter):
    """Models that take a list of media."""

    def __init__(
        self, wire: Wire, model: Descriptor, spool: Path, settings: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(wire, model, spool, settings)
        if workspace := self.settings.get("workspace"):
            wire.base = f"https://{workspace}.{self.settings['region']}.maas.aliyuncs.com"

    def put(self, path: Path, role: str) -> MediaRef:
        """A small picture inside the request; all else to the service's own temporary store."""
        limit = self.model.inputs.get(role)
        small = limit is not None and "data_uri" in limit.kinds and path.stat().st_size < DATA_URI_MAX // 2
        if small:
            return MediaRef("data_uri", data_uri(path), role)
        wanted = {"action": "getPolicy", "model": self.model.model}
        reply = self.wire.ask(Call("GET", f"{API}/uploads", params=wanted))
        if not reply.ok:
            self.reject(reply)
        policy = table_of(reply.table.get("data"))
        try:
            most, call = float(policy.get("max_file_size_mb") or 0), _upload(policy, path)
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderBusy(f"{self.wire.name} gave no place to upload to") from error
        if path.stat().st_size > most * 1e6 > 0:
            raise ProviderRejected(f"{self.wire.name} takes files up to {most:g} MB", where=path.name)
        sent = self.wire.ask(call)
        if not sent.ok:
            self.reject(sent)
        assert call.form is not None
        return MediaRef("vendor_uri", f"oss://{call.form['key']}", role, time.time() + KEPT_S)

    def create(self, job: JobSpec) -> Call:
        heads = {"X-DashScope-Async": "enable"}
        if any(ref.value.startswith("oss://") for ref in job.inputs):
            heads["X-DashScope-OssResourceResolve"] = "enable"
        body = {"model": self.model.model, "input": self.input(job), "parameters": self.parameters(job)}
        return Call("POST", SYNTHESIS, json=body, headers=heads)

    def input(self, job: JobSpec) -> dict[str, Any]:
        """Prompt and media. Raises ProviderRejected where frames and references are mixed."""
        types = next(t for name, t in MEDIA.items() if self.model.model.startswith(name))
        made: dict[str, Any] = {"prompt": job.prompt}
        if self.model.negative_max and job.options.get("negative"):
            made["negative_prompt"] = job.options["negative"]
        media = [{"type": kind, "url": ref.value} for role, kind in types.items() for ref in job.all(role)]
        kinds = {one["type"] for one in media}
        if any(k.startswith("reference") for k in kinds) and kinds & {"first_frame", "last_frame"}:
            raise ProviderRejected(
                f"{self.model.label} takes a first or last frame, or references, but not both"
            )
        if "last_frame" in kinds and not kinds & {"first_frame", "first_clip"}:
            raise ProviderRejected(f"{self.model.label} takes a last frame only with a first frame")
        return {**made, "media": media} if media else made

    def parameters(self, job: JobSpec) -> dict[str, Any]:
        """The settings; the prompt is sent as it is, and nothing is drawn over the picture."""
        made = {theirs: job.options[ours] for ours, theirs in PARAMETERS.items() if ours in job.options}
        made |= {"prompt_extend": False, "watermark": False}
        return made if job.seed is None else {**made, "seed": job.seed}

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(table_of(reply.table.get("output")).get("task_id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"{API}/tasks/{handle.job_id}")

    def stop(self, handle: Handle) -> Call:
        return Call("POST", f"{API}/tasks/{handle.job_id}/cancel")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        out = table_of(reply.table.get("output"))
        word = out.get("task_status")
        state = STATES.get(str(word), State.UNKNOWN)
        raw = {"usage": reply.table["usage"]} if reply.table.get("usage") else {}
        if word == "UNKNOWN" and time.time() - handle.created_at > GONE_AFTER_S:
            failure = self.failure(FailureKind.NOT_FOUND, "does not know the job any more")
            return Snapshot(State.EXPIRED, failure=failure)
        if state is State.FAILED:
            return Snapshot(state, failure=self._coded(out, billed=False), raw=raw)
        if state is not State.SUCCEEDED:
            return Snapshot(state, raw=raw)
        if not out.get("video_url"):
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done but gives no film")
            return Snapshot(State.FAILED, failure=failure, raw=raw)
        film = Output("00", MediaRef("https", str(out["video_url"]), "result"), "video/mp4")
        return Snapshot(state, 1.0, outputs=(film,), raw=raw)

    def why(self, reply: Reply) -> Failure:
        code = str(reply.table.get("code") or "")
        known = any(part in code for part, _, _ in CODES)
        return self._coded(reply.table) if known else super().why(reply)

    def _coded(self, body: Mapping[str, Any], billed: bool | None = None) -> Failure:
        code, message = str(body.get("code") or ""), str(body.get("message") or "")
        other = ("", FailureKind.INVALID_REQUEST, "refused it")
        _, kind, says = next((one for one in CODES if one[0] in code), other)
        return self.failure(kind, says, f"{message} ({code})" if code else message, billed)


class Vace(Wan):
    """VACE: repaint by a control that is computed from the clip, edit below a mask, extend."""

    def input(self, job: JobSpec) -> dict[str, Any]:
        made: dict[str, Any] = {"function": self.function(job), "prompt": job.prompt}
        fields = {
            "source_video": "video_url", "mask_video": "mask_video_url", "mask": "mask_image_url",
            "first": "first_frame_url", "last": "last_frame_url",
        }  # fmt: skip
        made |= {field: ref.value for role, field in fields.items() if (ref := job.input(role)) is not None}
        if "mask_image_url" in made:
            made["mask_frame_id"] = 1
        if references := job.all("reference"):
            if made["function"] != "image_reference" and len(references) > 1:
                raise ProviderRejected(f"{self.model.label} takes one reference with a clip")
            made["ref_images_url"] = [ref.value for ref in references]
        return made

    @staticmethod
    def function(job: JobSpec) -> str:
        """What VACE calls the job. Raises ProviderRejected for a mask without a clip."""
        roles = {ref.role for ref in job.inputs}
        if roles & {"mask", "mask_video"}:
            if "source_video" not in roles or {"mask", "mask_video"} <= roles:
                raise ProviderRejected("VACE takes one mask, with the clip that it belongs to")
            return "video_edit"
        if roles & {"first", "last"}:
            return "video_extension"
        return "video_repainting" if "source_video" in roles else "image_reference"

    def parameters(self, job: JobSpec) -> dict[str, Any]:
        made = super().parameters(job)
        if self.function(job) == "video_repainting":
            made["control_condition"] = CONTROLS[job.options.get("control", "depth")]
        elif "control" in job.options:
            made["control_condition"] = CONTROLS[job.options["control"]]
        return made


def _upload(policy: Mapping[str, Any], path: Path) -> Call:
    """The form that the store asks for. Raises KeyError if the policy is not whole."""
    kind, name = media_type(path), f"{uuid4().hex}{path.suffix.lower()}"
    form = {
        "OSSAccessKeyId": policy["oss_access_key_id"], "Signature": policy["signature"], "policy": policy["policy"],
        "key": f"{policy['upload_dir']}/{name}", "x-oss-object-acl": policy["x_oss_object_acl"],
        "x-oss-forbid-overwrite": policy["x_oss_forbid_overwrite"], "success_action_status": "200",
        "x-oss-content-type": kind,
    }  # fmt: skip
    return Call(
        "POST", policy["upload_host"], form=form, parts=(Part("file", name, path, kind),), signed=False
    )
