# SPDX-License-Identifier: GPL-3.0-or-later
"""LTX (Lightricks), version 2: one address for each kind of job, uploads of its own, no way to cancel."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...pipeline.errors import ProviderBusy, ProviderRejected
from ..adapter import Adapter
from ..calls import Call, Reply, table_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State

STATES = {
    "pending": State.QUEUED, "queued": State.QUEUED, "processing": State.RUNNING, "completed": State.SUCCEEDED,
    "failed": State.FAILED,
}  # fmt: skip
TYPES = {
    "rate_limit_error": (FailureKind.RATE_LIMITED, "asks to slow down"),
    "concurrency_limit_error": (FailureKind.CONCURRENCY, "has as many jobs of yours as it takes at once"),
}
CONTENT_WORDS = ("content", "moderation", "safety", "policy")
FIELDS = {"first": "image_uri", "last": "last_frame_uri", "audio": "audio_uri", "source_video": "video_uri"}
OPTIONS = {
    "seconds": "duration", "resolution": "resolution", "fps": "fps", "camera": "camera_motion", "audio": "generate_audio",
    "start": "start_time", "side": "mode",
}  # fmt: skip


class Ltx(Adapter):
    """Every kind of job of a model."""

    def put(self, path: Path, role: str) -> MediaRef:
        """Asks for a place, then puts the bytes there with the headers that are asked for."""
        reply = self.wire.ask(Call("POST", "v1/upload"))
        if not reply.ok:
            self.reject(reply)
        told = reply.table
        headers = told.get("required_headers") or {}
        if not told.get("upload_url") or not told.get("storage_uri") or not isinstance(headers, dict):
            raise ProviderBusy(f"{self.wire.name} gave no place to upload to")
        heads = {str(key): str(value) for key, value in headers.items()}
        sent = self.wire.ask(Call("PUT", told["upload_url"], body=path, headers=heads, signed=False))
        if not sent.ok:
            raise ProviderBusy(f"{self.wire.name}'s store did not take the file ({sent.status})")
        return MediaRef("vendor_uri", str(told["storage_uri"]), role, _moment(told.get("expires_at")))

    def endpoint(self, job: JobSpec) -> str:
        """What is asked for, by what is given. Raises ProviderRejected for an option of another kind of job."""
        roles = {ref.role for ref in job.inputs}
        if "source_video" in roles:
            task = str(job.options.get("task", "retake"))
            return "video-to-video-hdr" if task == "hdr" else task
        if "task" in job.options:
            raise ProviderRejected(f"{self.model.label} needs a clip for this")
        if "audio" in roles:
            return "audio-to-video"
        if "last" in roles and "first" not in roles:
            raise ProviderRejected(f"{self.model.label} takes a last frame only with a first frame")
        return "image-to-video" if "first" in roles else "text-to-video"

    def create(self, job: JobSpec) -> Call:
        end = self.endpoint(job)
        body: dict[str, Any] = {FIELDS[ref.role]: ref.value for ref in job.inputs}
        if end == "video-to-video-hdr":
            return Call("POST", f"v2/{end}", json=body)
        body |= {theirs: job.options[ours] for ours, theirs in OPTIONS.items() if ours in job.options}
        body |= {"prompt": job.prompt} if job.prompt else {}
        if end == "retake":
            body.setdefault("start_time", 0)
            body["mode"] = self.settings.get("retake_mode", "replace_video")
            if "duration" not in body:
                raise ProviderRejected(
                    f"{self.model.label} draws a span again", todo="Say how many seconds of it."
                )
        else:
            body["model"] = self.model.model
        if end == "extend":
            body.setdefault("mode", "end")
        elif end != "retake":
            body.setdefault("generate_audio", False)
        return Call("POST", f"v2/{end}", json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        name = reply.table.get("id")
        return self.handle(name, f"v2/{self.endpoint(job)}/{name}")

    def named(self, handle: Handle, job: JobSpec) -> Handle:
        """A job is asked for below the address of its kind."""
        return replace(handle, poll_ref=f"v2/{self.endpoint(job)}/{handle.job_id}")

    def status(self, handle: Handle) -> Call:
        return Call("GET", handle.poll_ref)

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        body = reply.table
        state = STATES.get(str(body.get("status")), State.UNKNOWN)
        wait = reply.retry_after_s
        if state is State.FAILED:
            return Snapshot(state, failure=self._failed(table_of(body.get("error")), reply))
        if state is not State.SUCCEEDED:
            return Snapshot(state, retry_after_s=wait)
        result = table_of(body.get("result"))
        for key, kind in (("video_url", "video/mp4"), ("exr_frames_url", "application/zip")):
            if result.get(key):
                made = Output("00", MediaRef("https", str(result[key]), "result"), kind)
                return Snapshot(state, 1.0, outputs=(made,))
        failure = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done but gives no film")
        return Snapshot(State.FAILED, failure=failure)

    def why(self, reply: Reply) -> Failure:
        error = reply.table.get("error")
        if not isinstance(error, dict) or (reply.status != 422 and error.get("type") not in TYPES):
            return super().why(reply)
        return self._failed(error, reply)

    def _failed(self, error: dict[str, Any], reply: Reply) -> Failure:
        word, message = str(error.get("type") or ""), str(error.get("message") or "")
        if word in TYPES:
            kind, says = TYPES[word]
            wait = reply.retry_after_s
            tail = f"{message} (again after {wait:.0f} s)" if wait is not None else message
            return self.failure(kind, says, tail)
        if any(part in f"{word} {message}".lower() for part in CONTENT_WORDS):
            return self.failure(FailureKind.MODERATED, "refused the content", message)
        if reply.status == 422:
            return self.failure(FailureKind.INVALID_REQUEST, "refused it", message)
        return self.failure(FailureKind.PROVIDER_INTERNAL, "could not do it", f"{message} ({word})")


def _moment(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
