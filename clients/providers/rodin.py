# SPDX-License-Identifier: GPL-3.0-or-later
"""Rodin (Hyper3D): a form makes a task, its state is asked for by another key, and its files by a third call.

Links live ten minutes, so they are asked for anew with every look at a task that is done.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...pipeline.errors import ProviderBusy, ProviderRejected, Uncertain
from ..adapter import GONE_AFTER_S, Adapter, media_type
from ..calls import Call, Part, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..wire import LOST

LINKS_LIVE_S = 600.0
BY_FILES = "files:"
"""A task of which only the id is known is done when it has files."""
STATES = {
    "waiting": State.QUEUED, "generating": State.RUNNING, "done": State.SUCCEEDED, "failed": State.FAILED,
    "canceled": State.CANCELLED, "cancelled": State.CANCELLED,
}  # fmt: skip
NAMES = {
    "polycount": "quality_override", "format": "geometry_file_format",
    "topology": "mesh_mode", "tpose": "TAPose",
}  # fmt: skip
TYPES = {
    "glb": "model/gltf-binary", "fbx": "application/octet-stream", "obj": "model/obj", "stl": "model/stl",
    "usdz": "model/vnd.usdz+zip", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
}  # fmt: skip
ENDS = ("glb", "usdz", "fbx", "obj", "stl")
FAILURES = {
    "no_such_task": FailureKind.NOT_FOUND, "insufficient_funds": FailureKind.QUOTA, "unauthorized": FailureKind.AUTH,
}  # fmt: skip


class Rodin(Adapter):
    """Pictures or text to meshes."""

    def create(self, job: JobSpec) -> Call:
        pictures = job.all("picture")
        if not pictures and not job.prompt:
            raise ProviderRejected("Rodin needs pictures or a prompt")
        parts = [
            Part("images", f"{number:02d}{path.suffix.lower()}", path, media_type(path))
            for number, path in enumerate(Path(ref.value) for ref in pictures)
        ]
        fields: list[tuple[str, str]] = [("prompt", job.prompt)] if job.prompt else []
        for name, value in job.options.items():
            fields += [(NAMES.get(name, name), text) for text in spelled(value)]
        if job.seed is not None:
            fields.append(("seed", str(job.seed)))
        plain = [Part(name, "", text.encode(), "") for name, text in fields]
        return Call("POST", "/rodin", parts=(*parts, *plain))

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        self.refuse(reply)
        jobs = reply.table.get("jobs")
        key = jobs.get("subscription_key") if isinstance(jobs, dict) else None
        if not key:
            raise Uncertain(
                f"{self.wire.name} accepted the job but gave no key to ask for its state", todo=LOST
            )
        return self.handle(reply.table.get("uuid"), key)

    def refuse(self, reply: Reply) -> None:
        """A failure may come in a good answer. Raises ProviderRejected or ProviderBusy."""
        if said_no(reply.table):
            self.reject(reply)

    def named(self, handle: Handle, job: JobSpec) -> Handle:
        """The key that a state is asked for with stood only in the answer that was lost; files are asked for by the id."""
        return replace(handle, poll_ref=f"{BY_FILES}{handle.job_id}")

    def status(self, handle: Handle) -> Call:
        if handle.poll_ref.startswith(BY_FILES):
            return Call("POST", "/download", json={"task_uuid": handle.job_id})
        return Call("POST", "/status", json={"subscription_key": handle.poll_ref})

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        if said_no(reply.table):
            failure = self.why(reply)
            if failure.kind is FailureKind.NOT_FOUND:
                late = time.time() - handle.created_at < GONE_AFTER_S
                return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)
            raise ProviderBusy(failure.says)
        if handle.poll_ref.startswith(BY_FILES):
            files = tuple(outputs_of(reply.table.get("list"), time.time() + LINKS_LIVE_S))
            meshes = [file for file in files if not file.media_type.startswith("image/")]
            return Snapshot(State.SUCCEEDED, 1.0, outputs=files) if meshes else Snapshot(State.RUNNING)
        jobs = reply.table.get("jobs")
        words = [str(job.get("status")).lower() for job in jobs] if isinstance(jobs, list) else []
        state = together([STATES.get(word, State.UNKNOWN) for word in words])
        progress = words.count("done") / len(words) if words else None
        if state is State.FAILED:
            return Snapshot(
                state, progress, failure=self.failure(FailureKind.PROVIDER_INTERNAL, "could not finish this")
            )
        return Snapshot(state, progress, outputs=self.links(handle) if state is State.SUCCEEDED else ())

    def links(self, handle: Handle) -> tuple[Output, ...]:
        """Fresh addresses of the files. Raises ProviderBusy if they are not to be had now."""
        reply = self.wire.ask(Call("POST", "/download", json={"task_uuid": handle.job_id}))
        if not reply.ok or said_no(reply.table):
            raise ProviderBusy(self.why(reply).says)
        return tuple(outputs_of(reply.table.get("list"), time.time() + LINKS_LIVE_S))

    def why(self, reply: Reply) -> Failure:
        """``error`` is a word, ``message`` a sentence; the status says little."""
        failure, word = super().why(reply), str(reply.table.get("error") or "").strip().lower()
        kind = FAILURES.get(word, failure.kind)
        message = str(reply.table.get("message") or word)
        if kind is failure.kind and not reply.ok:
            return failure
        return self.failure(kind, "said no", message)


def said_no(body: Mapping[str, Any]) -> bool:
    """``error`` is absent, null or OK where all is well."""
    return str(body.get("error") or "OK").strip().upper() != "OK"


def together(states: list[State]) -> State:
    """The state of a task whose jobs are in these: it is done when all are."""
    for one in (State.FAILED, State.CANCELLED):
        if one in states:
            return one
    if states and all(state is State.SUCCEEDED for state in states):
        return State.SUCCEEDED
    if State.RUNNING in states or State.SUCCEEDED in states:
        return State.RUNNING
    return State.QUEUED if State.QUEUED in states else State.UNKNOWN


def outputs_of(files: Any, until: float) -> Iterator[Output]:
    """The meshes first, then textures and the preview; names of theirs tell the kind and nothing else."""
    found = [one for one in files if isinstance(one, dict)] if isinstance(files, list) else []
    named = [(str(one.get("name")).rpartition(".")[2].lower(), one.get("url")) for one in found]
    known = [(end, url) for end, url in named if end in TYPES and isinstance(url, str) and url]
    known.sort(key=lambda each: ENDS.index(each[0]) if each[0] in ENDS else len(ENDS))
    for number, (end, url) in enumerate(known):
        yield Output(f"{number:02d}", MediaRef("https", url, "result", until), TYPES[end])


def spelled(value: Any) -> list[str]:
    """An option as a form has it; the field of a list is repeated."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, list | tuple) and value and isinstance(value[0], str):
        return [str(each) for each in value]
    if isinstance(value, list | tuple):
        return ["[" + ",".join(f"{each:g}" for each in value) + "]"]
    return [str(value)]
