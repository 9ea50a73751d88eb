# SPDX-License-Identifier: GPL-3.0-or-later
"""Runway: tasks made by one POST, asked for by id. Bodies are spelled by the catalogue, all but what has a shape of its own.

DELETE means two things there: it cancels a task at work, and destroys a finished one with its result. So the catalogue says
delete_overloaded: the state is asked for first. A task that ends between the two is lost, which nobody can prevent.
"""

import mimetypes
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...pipeline.errors import InputError, ProviderRejected
from ..adapter import Adapter, data_uri, media_type
from ..auth import Bearer, only_key
from ..calls import Call, Part, Reply, number
from ..contract import (
    Failure,
    FailureKind,
    Handle,
    JobSpec,
    MediaRef,
    Output,
    Snapshot,
    State,
)
from ..payload import body_of

UPLOAD_BYTES, UPLOAD_S = (512, 200 << 20), 24 * 3600.0
"""What an upload may have and how long it stays."""
STATES = {
    "PENDING": State.QUEUED,
    "THROTTLED": State.QUEUED,  # over the account's concurrency: accepted, it starts by itself
    "RUNNING": State.RUNNING,
    "SUCCEEDED": State.SUCCEEDED,
    "FAILED": State.FAILED,
    "CANCELLED": State.CANCELLED,
}
CODES = (
    ("SAFETY.", FailureKind.MODERATED, "stopped it for its content"),
    ("INPUT_PREPROCESSING.SAFETY", FailureKind.MODERATED, "stopped it for its content"),
    ("ASSET.INVALID", FailureKind.MEDIA_REJECTED, "can't use a file that was sent"),
    ("INTERNAL.BAD_OUTPUT", FailureKind.PROVIDER_INTERNAL, "made a result that was no good; it may be tried again"),
    ("", FailureKind.PROVIDER_INTERNAL, "failed"),
)  # fmt: skip
"""How a failureCode begins, and what it means."""
SHAPED_OPTIONS = ("keyframes_at", "keyframes_span", "tags")
TEXT_RATIOS = ("1280:720", "720:1280")


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> Bearer:
    """Authorization: Bearer KEY."""
    return Bearer(only_key(keys, "Runway"))


class Runway(Adapter):
    """All models of the catalogue's runway.toml."""

    def call(self, method: str, path: str, body: Any = None) -> Call:
        """Every request names the version of the API."""
        return Call(method, path, json=body, headers={"X-Runway-Version": str(self.settings["version"])})

    # -- files --------------------------------------------------------------------------------------------------

    def put(self, path: Path, role: str) -> MediaRef:
        """Asks where to, posts the file there (unsigned, its form shows who we are) and gets a runway:// address."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        if size > UPLOAD_BYTES[1]:
            raise InputError(f"{path.name} has {size >> 20} MB, Runway takes 200 MB", where=str(path))
        if size < UPLOAD_BYTES[0]:
            return MediaRef("data_uri", data_uri(path), role)
        begun = self.wire.ask(self.call("POST", "/v1/uploads", {"filename": path.name, "type": "ephemeral"}))
        place = begun.table
        if not begun.ok:
            self.reject(begun)
        if not (isinstance(place.get("uploadUrl"), str) and isinstance(place.get("runwayUri"), str)):
            raise ProviderRejected("Runway did not say where to put the file", where=path.name)
        fields = place.get("fields")
        form = {str(key): str(value) for key, value in fields.items()} if isinstance(fields, dict) else {}
        part = Part("file", path.name, path, media_type(path))
        sent = self.wire.ask(Call("POST", place["uploadUrl"], form=form, parts=(part,), signed=False))
        if not sent.ok:
            raise ProviderRejected(
                f"Runway's storage refused the file ({sent.status})",
                where=path.name,
                todo="Send it again; uploads need credits that were paid for.",
            )
        return MediaRef("vendor_uri", place["runwayUri"], role, time.time() + UPLOAD_S)

    # -- the job ------------------------------------------------------------------------------------------------

    def create(self, job: JobSpec) -> Call:
        """POST to the path of the model. Everything that is not a plain field is shaped below."""
        if 0 < self.model.prompt_max < len(job.prompt.encode("utf-16-le")) // 2:
            raise ProviderRejected(
                f"The prompt is longer than {self.model.label} takes ({self.model.prompt_max} characters)"
            )
        rules, first = self.model.payload, job.input("first")
        path = rules["path_first"] if first and "path_first" in rules else rules["path"]
        rest = replace(
            job,
            inputs=tuple(ref for ref in job.inputs if ref.role in rules.get("inputs", {})),
            options={key: value for key, value in job.options.items() if key not in SHAPED_OPTIONS},
        )
        body = {**body_of(rest, self.model), **shaped(job)}
        if path == "/v1/text_to_video" and body.get("ratio") not in TEXT_RATIOS:
            raise ProviderRejected(
                f"{self.model.label} makes {body.get('ratio')} only from a picture",
                todo=f"Choose {' or '.join(TEXT_RATIOS)}, or give a first frame.",
            )
        return self.call("POST", path, body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        estimate = self.micros(reply.table.get("estimatedCost"))
        return self.handle(
            reply.table.get("id"), **({} if estimate is None else {"estimate_micros": estimate})
        )

    def status(self, handle: Handle) -> Call:
        return self.call("GET", f"/v1/tasks/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        task = reply.table
        state = STATES.get(str(task.get("status")), State.UNKNOWN)
        cost = self.micros(task.get("cost"))
        links = task.get("output") if isinstance(task.get("output"), list) else []
        outputs = tuple(
            Output(f"{place:02d}", MediaRef("https", link, "result"), _media_type(link))
            for place, link in enumerate(link for link in links or () if isinstance(link, str))
        )
        failure = None
        if state is State.FAILED:
            failure = self.failed(task, cost)
        elif state is State.SUCCEEDED and not outputs:
            state = State.FAILED
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done, but there is no result")
        return Snapshot(
            state,
            number(task.get("progress")),
            outputs=outputs if state is State.SUCCEEDED else (),
            failure=failure,
            cost_micros=cost,
        )

    def stop(self, handle: Handle) -> Call:
        """Of a task that has ended this destroys the result; ``cancel`` looks first (delete_overloaded)."""
        return self.call("DELETE", f"/v1/tasks/{handle.job_id}")

    # -- what it says -------------------------------------------------------------------------------------------

    def why(self, reply: Reply) -> Failure:
        """A 400 for want of credits is not a bad request."""
        said = reply.table.get("error")
        if reply.status == 400 and isinstance(said, str) and "credit" in said.lower():
            return self.failure(FailureKind.QUOTA, "asks for credits", said)
        return super().why(reply)

    def failed(self, task: Mapping[str, Any], cost: int | None) -> Failure:
        """What a failureCode means; moderation of what was sent is billed."""
        code = str(task.get("failureCode") or "")
        kind, says = next((kind, says) for start, kind, says in CODES if code.startswith(start))
        billed = cost > 0 if cost is not None else (True if code.startswith("SAFETY.INPUT") else None)
        words = str(task.get("failure") or "")
        return self.failure(kind, says, f"{words} ({code})" if code else words, billed)

    def micros(self, cost: Any) -> int | None:
        """{"credits": n} in micros."""
        spent = number(cost.get("credits")) if isinstance(cost, dict) else None
        return None if spent is None else round(spent * self.settings["credit_micros"])


def shaped(job: JobSpec) -> dict[str, Any]:
    """The fields that are lists of objects. Raises ProviderRejected where pictures and their places do not match."""
    body: dict[str, Any] = {}
    if keys := job.all("keyframe"):
        body["keyframes"] = _keyframes(job, [ref.value for ref in keys])
    if pictures := job.all("reference"):
        tags = list(job.options.get("tags", ()))
        tags += [f"picture{count}" for count in range(len(tags) + 1, len(pictures) + 1)]
        body["referenceImages"] = [
            {"uri": ref.value, "tag": tag} for ref, tag in zip(pictures, tags, strict=False)
        ]
    if played := job.input("reference_video"):
        picture, film = job.input("picture"), job.input("source_video")
        if (picture is None) == (film is None):
            raise ProviderRejected("Act Two needs a picture or a film of the character, one of them")
        who = picture or film
        assert who is not None
        body["character"] = {"type": "image" if picture else "video", "uri": who.value}
        body["reference"] = {"type": "video", "uri": played.value}
    return body


def _keyframes(job: JobSpec, links: list[str]) -> list[dict[str, Any]]:
    places = job.options.get("keyframes_at", [0.0] if len(links) == 1 else [])
    spans = job.options.get("keyframes_span", [])
    if len(places) != len(links) or len(spans) not in (0, len(links)):
        raise ProviderRejected(
            f"There are {len(links)} keyframes, but {len(places)} places and {len(spans)} spans",
            todo="Give each its second of the clip, and all of them a span or none.",
        )
    frames: list[dict[str, Any]] = [
        {"seconds": float(at), "uri": uri} for at, uri in zip(places, links, strict=True)
    ]
    for frame, span in zip(frames, spans, strict=False):
        frame["range"] = {"start_seconds": int(span[0]), "end_seconds": int(span[1])}
    return frames


def _media_type(link: str) -> str:
    return mimetypes.guess_type(urlsplit(link).path)[0] or "application/octet-stream"
