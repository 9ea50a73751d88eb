# SPDX-License-Identifier: GPL-3.0-or-later
"""Luma Agents: one endpoint for everything, told apart by ``type``; files are put beside it and referenced by id.

There is no cancel, no list and no name of our own: a create that got no answer can't be found again, so the number of
the request is kept with the handle for their support.
"""

import base64
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...pipeline.errors import InputError, ProviderBusy, ProviderRejected
from ..adapter import Adapter, media_type
from ..auth import Bearer, only_key
from ..calls import Call, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State

UPLOAD_MAX, READY_TRIES = 5 << 30, 120
"""Bytes of a file, and how often it is asked whether a file is ready, a second apart."""
GRID_FPS = 24
"""The frames on which keyframes of a generated film are set."""
STATES = {
    "queued": State.QUEUED, "processing": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED,
}  # fmt: skip
CODES = {
    "content_moderated": (FailureKind.MODERATED, "stopped it for its content"),
    "budget_exhausted": (FailureKind.QUOTA, "says that the budget is used up"),
    "image_too_large": (FailureKind.MEDIA_REJECTED, "says that a file is too large"),
    "unsupported_format": (FailureKind.MEDIA_REJECTED, "does not take this kind of file"),
    "corrupt_input": (FailureKind.MEDIA_REJECTED, "can't read a file that was sent"),
    "invalid_request": (FailureKind.INVALID_REQUEST, "refused the request"),
    "rate_limited": (FailureKind.RATE_LIMITED, "asks to slow down"),
}
CONTROLS = {
    "depth": ("depth", "enabled"), "depth_blur": ("depth", "blur"),
    "normals": ("normals", "enabled"), "normals_augmentation": ("normals", "augmentation"),
    "pose": ("pose", "enabled"), "pose_strength": ("pose", "strength"),
    "trajectory": ("trajectory", "enabled"), "trajectory_sparsity": ("trajectory", "sparsity"),
    "face": ("face", "enabled"),
}  # fmt: skip
"""Our options for what Luma computes from the source and holds on to."""


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> Bearer:
    """Authorization: Bearer KEY."""
    return Bearer(only_key(keys, "Luma"))


class Luma(Adapter):
    """Film edits, films and pictures of the Agents API."""

    # -- files --------------------------------------------------------------------------------------------------

    def put(self, path: Path, role: str) -> MediaRef:
        """Registers the file, puts its bytes where Luma says (unsigned), and waits until it has been looked through."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        if size > UPLOAD_MAX:
            raise InputError(f"{path.name} has {size >> 30} GB, Luma takes 5 GB", where=str(path))
        told = {
            "mime_type": media_type(path),
            "size_bytes": size,
            "filename": path.name,
            "purpose": "reference" if role in ("reference", "keyframe") else "input",
        }
        begun = self._asked(Call("POST", "/files", json=told))
        upload = begun.table.get("upload")
        if not isinstance(upload, dict) or not isinstance(upload.get("url"), str):
            raise ProviderRejected("Luma did not say where to put the file", where=path.name)
        told_headers = upload.get("headers")
        headers = {str(k): str(v) for k, v in told_headers.items()} if isinstance(told_headers, dict) else {}
        self._asked(Call("PUT", upload["url"], body=path, headers=headers, signed=False))
        name = str(begun.table.get("id"))
        self._asked(Call("POST", f"/files/{name}/complete"))
        for _ in range(READY_TRIES):
            file = self._asked(Call("GET", f"/files/{name}")).table
            if file.get("state") == "ready":
                return MediaRef("asset_id", name, role)
            if file.get("state") in ("failed", "deleted"):
                says = self.wire.clean(str(file.get("failure_reason") or ""))
                raise ProviderRejected(f"Luma refused the file: {says or 'no reason given'}", where=path.name)
            self.wire.wait(1.0)
        raise ProviderBusy("Luma has not finished looking through the file", where=path.name)

    def _asked(self, call: Call) -> Reply:
        reply = self.wire.ask(call)
        if not reply.ok:
            self.reject(reply)
        return reply

    # -- the job ------------------------------------------------------------------------------------------------

    def create(self, job: JobSpec) -> Call:
        """POST /generations; the type follows from what is given."""
        kind = str(self.model.payload["kind"])
        body: dict[str, Any] = {"model": self.model.payload["model"], "prompt": job.prompt, "type": kind}
        if kind == "image":
            body |= image_body(job)
        elif source := job.input("source_video"):
            body["source"] = reference(source, film=True)
            body["video"] = {"resolution": job.options.get("resolution", "720p"), "edit": edit(job)}
        else:
            body["video"] = film(job)
        if "ratio" in job.options:
            body["aspect_ratio"] = job.options["ratio"]
        return Call("POST", "/generations", json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        request = reply.headers.get("x-request-id", "")
        return self.handle(reply.table.get("id"), **({"request_id": request} if request else {}))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/generations/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        said = reply.table
        state = STATES.get(str(said.get("state")), State.UNKNOWN)
        if state is State.FAILED:
            return Snapshot(state, failure=self.told(said))
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        items = said.get("output") if isinstance(said.get("output"), list) else []
        links = [
            one["url"] for one in items or () if isinstance(one, dict) and isinstance(one.get("url"), str)
        ]
        if not links:
            says = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done, but there is no result")
            return Snapshot(State.FAILED, failure=says)
        outputs = tuple(
            Output(f"{number:02d}", MediaRef("https", link, "result"), kind_of_link(link))
            for number, link in enumerate(links)
        )
        return Snapshot(state, 1.0, outputs=outputs)

    # -- what it says -------------------------------------------------------------------------------------------

    def told(self, said: Mapping[str, Any]) -> Failure:
        """What a failure_code means."""
        code = str(said.get("failure_code") or "")
        kind, says = CODES.get(code, (FailureKind.PROVIDER_INTERNAL, "failed"))
        words = str(said.get("failure_reason") or "")
        return self.failure(kind, says, f"{words} ({code})" if code else words)

    def why(self, reply: Reply) -> Failure:
        """429 is said for two reasons; a code is believed before the status."""
        if str(reply.table.get("failure_code")) in CODES:
            return self.told(reply.table)
        failure = super().why(reply)
        if reply.status == 429 and b"concurrent" in reply.body.lower():
            return self.failure(FailureKind.CONCURRENCY, "is at work on as many jobs as the account may have")
        return failure


def reference(ref: MediaRef, *, film: bool = False) -> dict[str, str]:
    """A file as Luma wants it named: exactly one of file_id, generation_id, data and url."""
    if ref.kind == "asset_id":
        return {"file_id": ref.value}
    if ref.kind == "job_output":
        return {"generation_id": ref.value}
    if ref.kind == "data_uri":
        head, _, data = ref.value.partition(",")
        base64.b64decode(data, validate=True)
        return {"data": data, "media_type": head.removeprefix("data:").partition(";")[0]}
    found = {"url": ref.value}
    if film:  # needed for films only
        found["media_type"] = kind_of_link(ref.value, "video/mp4")
    return found


def edit(job: JobSpec) -> dict[str, Any]:
    """video.edit: how strong, what is held on to, and frames that are given. The controls are computed from the source."""
    body: dict[str, Any] = {}
    if "auto" in job.options:
        body["auto_controls"] = job.options["auto"]
    if "strength" in job.options:
        body["strength"] = job.options["strength"]
    for name, (signal, field) in CONTROLS.items():
        if name in job.options:
            body.setdefault("controls", {}).setdefault(signal, {})[field] = job.options[name]
    return body | keyframes(job, float(job.options.get("fps", GRID_FPS)))


def film(job: JobSpec) -> dict[str, Any]:
    """video of a film made from words and frames."""
    options = job.options
    body: dict[str, Any] = {
        "resolution": options.get("resolution", "720p"),
        "duration": f"{options.get('seconds', 5)}s",
    }
    for role, field in (("first", "start_frame"), ("last", "end_frame")):
        if ref := job.input(role):
            body[field] = reference(ref)
    body |= {name: options[name] for name in ("loop", "hdr", "exr_export") if name in options}
    given = keyframes(job, GRID_FPS)
    if given and ("start_frame" in body or "end_frame" in body or body.get("loop")):
        raise ProviderRejected("Luma takes keyframes, or a first and last frame and loops, not both")
    return body | given


def image_body(job: JobSpec) -> dict[str, Any]:
    """The fields of a picture; with one to edit it is another type."""
    body: dict[str, Any] = {}
    if source := job.input("picture"):
        body |= {"type": "image_edit", "source": reference(source)}
    if pictures := job.all("reference"):
        body["image_ref"] = [reference(ref) for ref in pictures]
    if "format" in job.options:
        body["output_format"] = job.options["format"]
    return body


def keyframes(job: JobSpec, fps: float) -> dict[str, Any]:
    """Given frames and the frames they stand on. Raises ProviderRejected where they do not match."""
    refs = job.all("keyframe")
    if not refs:
        return {}
    places = job.options.get("keyframes_at", [0.0] if len(refs) == 1 else [])
    indexes = [round(float(at) * fps) for at in places]
    if len(indexes) != len(refs) or len(set(indexes)) != len(indexes) or min(indexes) < 0:
        raise ProviderRejected(
            f"There are {len(refs)} keyframes for the places {list(places)}",
            todo="Give each its own second of the clip.",
        )
    return {"keyframes": [reference(ref) for ref in refs], "keyframe_indexes": indexes}


def kind_of_link(link: str, otherwise: str = "application/octet-stream") -> str:
    """The media type that an address promises."""
    return mimetypes.guess_type(urlsplit(link).path)[0] or otherwise
