# SPDX-License-Identifier: GPL-3.0-or-later
"""Gemini Omni: films by interactions, with files that are uploaded first and fetched with the key."""

import re
import time
from pathlib import Path
from typing import Any

from ...pipeline.errors import InputError, ProviderBusy, ProviderRejected
from ...pipeline.store import read_json, write_json
from ..adapter import media_type
from ..answers import ANSWER
from ..calls import Call, Reply, table_of, tables_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from .gemini import BLOCKED, GeminiBase, auth, content_of

__all__ = ["Omni", "auth"]

STATES = {
    "queued": State.QUEUED, "in_progress": State.RUNNING, "requires_action": State.RUNNING,
    "requires_continuation": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED,
    "incomplete": State.FAILED, "budget_exceeded": State.FAILED, "cancelled": State.CANCELLED,
}  # fmt: skip
KINDS = {"source_video": "video", "reference": "image", "first": "image"}
FILE_DAYS_S, FILE_WAIT_S, FILE_LOOKS = 48 * 3600.0, 2.0, 150
SEEN = "files.json"
"""Where the results' addresses are written when they are first told: later answers may bring the film itself instead."""


class Omni(GeminiBase):
    """Edit, extend and make films."""

    def put(self, path: Path, role: str) -> MediaRef:
        """A resumable upload in one piece, and the wait until the file is ready."""
        kind = media_type(path)
        if KINDS.get(role) == "video" and kind != "video/mp4":
            raise InputError(f"{self.wire.name} is given films as MP4", where=path.name)
        size = path.stat().st_size
        about = {"mime_type": kind, "size_bytes": size}
        start = {
            "X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size), "X-Goog-Upload-Header-Content-Type": kind,
        }  # fmt: skip
        begun = self._asked(Call("POST", f"upload/{self.version}/files", json={"file": about}, headers=start))
        target = begun.headers.get("x-goog-upload-url", "")
        if not target:
            raise ProviderBusy(f"{self.wire.name} gave no address to upload to")
        send = {
            "X-Goog-Upload-Command": "upload, finalize",
            "X-Goog-Upload-Offset": "0",
            "Content-Type": kind,
        }
        sent = self._asked(Call("POST", target, body=path, headers=send, signed=False))
        file = table_of(sent.table.get("file"))
        for _ in range(FILE_LOOKS):
            if file.get("state") == "ACTIVE":
                return MediaRef("vendor_uri", str(file["uri"]), role, time.time() + FILE_DAYS_S)
            if file.get("state") == "FAILED" or not file.get("name"):
                raise ProviderRejected(f"{self.wire.name} can't use the file", where=path.name)
            self.wire.wait(FILE_WAIT_S)
            file = self._asked(Call("GET", f"{self.version}/{file['name']}")).table
        raise ProviderBusy(f"{self.wire.name} does not get the file ready")

    def _asked(self, call: Call) -> Reply:
        reply = self.wire.ask(call)
        if not reply.ok:
            self.reject(reply)
        return reply

    def create(self, job: JobSpec) -> Call:
        content: list[dict[str, Any]] = []
        body: dict[str, Any] = {"model": self.model.model, "background": True}
        for role, kind in KINDS.items():
            for ref in job.all(role):
                if ref.kind == "job_output":  # the film of an earlier job there
                    body["previous_interaction_id"] = ref.value
                else:
                    content.append(_content(ref, kind))
        content.append({"type": "text", "text": job.prompt})
        config: dict[str, Any] = {"video_config": {"task": self._task(job)}}
        if job.seed is not None:
            config["seed"] = job.seed
        wanted = {"type": "video", "delivery": "uri"}
        wanted |= {name: job.options[ours] for ours, name in (("ratio", "aspect_ratio"), ("resolution", "resolution"))
                   if ours in job.options}  # fmt: skip
        if "seconds" in job.options:
            wanted["duration"] = f"{job.options['seconds']:g}s"
        body |= {"input": [{"type": "user_input", "content": content}], "generation_config": config}
        return Call("POST", f"{self.version}/interactions", json={**body, "response_format": wanted})

    @staticmethod
    def _task(job: JobSpec) -> str:
        if job.input("source_video") is not None:
            return str(job.options.get("task", "edit"))
        if job.input("first") is not None:
            return "image_to_video"
        return "reference_to_video" if job.input("reference") is not None else "text_to_video"

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(reply.table.get("id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"{self.version}/interactions/{handle.job_id}", params={"stream": "false"})

    def stop(self, handle: Handle) -> Call:
        return Call("POST", f"{self.version}/interactions/{handle.job_id}/cancel")

    def poll(self, handle: Handle) -> Snapshot:
        """Once the result's file is known, only that file is asked about; a film that came inside an answer is kept."""
        if (self.spool / ANSWER).exists():
            return self.spooled(handle)
        if (self.spool / SEEN).exists():
            return self._ready(read_json(self.spool / SEEN)["uris"])
        return super().poll(handle)

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        body = reply.table
        state = STATES.get(str(body.get("status")), State.UNKNOWN)
        raw = {"usage": body["usage"]} if body.get("usage") else {}
        if state is State.FAILED:
            return Snapshot(state, failure=self._failed(body), raw=raw)
        if state is not State.SUCCEEDED:
            return Snapshot(state, raw=raw)
        films = [
            item
            for step in tables_of(body.get("steps"))
            for item in tables_of(step.get("content"))
            if item.get("type") == "video" and step.get("type", "model_output") == "model_output"
        ]
        uris = [str(item["uri"]) for item in films if item.get("uri")]
        if uris:
            write_json(self.spool / SEEN, {"uris": uris})
            return self._ready(uris)
        inline = [(str(item.get("mime_type")), str(item["data"])) for item in films if item.get("data")]
        if not inline:
            return Snapshot(State.FAILED, failure=self._failed(body), raw=raw)
        kept = [(kind, content_of(data)) for kind, data in inline]
        return self.spooled(self.keep(handle.job_id, kept))

    def _ready(self, uris: list[str]) -> Snapshot:
        """Succeeded when every file is ACTIVE."""
        outputs = []
        for number, uri in enumerate(uris):
            name = re.search(r"files/([A-Za-z0-9_-]+)", uri)
            if name is None:
                outputs.append(Output(f"{number:02d}", MediaRef("https", uri, "result"), "video/mp4"))
                continue
            reply = self.wire.ask(Call("GET", f"{self.version}/files/{name[1]}"))
            if reply.status == 404:
                failure = self.failure(FailureKind.NOT_FOUND, "does not have the result any more")
                return Snapshot(State.EXPIRED, failure=failure)
            if not reply.ok:
                raise ProviderBusy(self.why(reply).says)
            if reply.table.get("state") == "FAILED":
                failure = self.failure(FailureKind.PROVIDER_INTERNAL, "could not finish the film's file")
                return Snapshot(State.FAILED, failure=failure)
            if reply.table.get("state") != "ACTIVE":
                return Snapshot(State.RUNNING)
            path = f"{self.version}/files/{name[1]}:download?alt=media"
            outputs.append(Output(f"{number:02d}", MediaRef("vendor_uri", path, "result"), "video/mp4"))
        return Snapshot(State.SUCCEEDED, 1.0, outputs=tuple(outputs))

    def _failed(self, body: dict[str, Any]) -> Failure:
        status, errors = str(body.get("status")), [body.get("error"), *tables_of(body.get("errors"))]
        errors += [step.get("error") for step in tables_of(body.get("steps"))]
        texts = [f"{e.get('message', '')} ({e.get('code', '')})" for e in errors if isinstance(e, dict)]
        text = "; ".join(texts)
        if status == "budget_exceeded":
            return self.failure(FailureKind.QUOTA, "says that the budget is used up", text)
        if any(word in text.upper() for word in BLOCKED):
            return self.failure(FailureKind.MODERATED, "refused the content", text)
        says = "gave no film" if status == "completed" else "could not do it"
        return self.failure(FailureKind.PROVIDER_INTERNAL, says, text)


def _content(ref: MediaRef, kind: str) -> dict[str, Any]:
    if ref.kind == "data_uri":
        head, _, data = ref.value.partition(",")
        return {"type": kind, "mime_type": head.removeprefix("data:").partition(";")[0], "data": data}
    made = {"type": kind, "uri": ref.value}
    return {**made, "mime_type": "video/mp4"} if kind == "video" else made
