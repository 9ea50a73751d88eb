# SPDX-License-Identifier: GPL-3.0-or-later
"""Kling, the design with an API key: the model is in the path, what goes in is a list of contents.

Answers come in an envelope whose ``code`` may say no in a 200. Our own id is sent along and can be asked for, so that a
create which got no answer is found again. Films are taken by a public address only; there is no upload and no cancel.
"""

import mimetypes
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...pipeline.errors import InputError, ProviderRejected, Refused
from ...pipeline.sniff import PICTURES, kind_of_file
from ..adapter import GONE_AFTER_S, TODO, Adapter, data_uri
from ..auth import Bearer, only_key
from ..calls import Call, Reply, number
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State

STATES = {"submitted": State.QUEUED, "processing": State.RUNNING, "succeeded": State.SUCCEEDED, "succeed": State.SUCCEEDED,
          "failed": State.FAILED}  # fmt: skip
"""Both spellings of success: the older API has the shorter one."""
AUTH_CODES, MISSING_CODES = (1000, 1001, 1002, 1003, 1004), (1202, 1203)
CODES = {
    **dict.fromkeys(AUTH_CODES, (FailureKind.AUTH, "did not accept the key")),
    **dict.fromkeys(MISSING_CODES, (FailureKind.NOT_FOUND, "does not know this (any more)")),
    1100: (FailureKind.AUTH, "says that something is wrong with the account"),
    1101: (FailureKind.QUOTA, "says that the account is in arrears"),
    1102: (FailureKind.QUOTA, "says that the resource pack is used up"),
    1103: (FailureKind.AUTH, "does not allow this with the key given"),
    1300: (FailureKind.MODERATED, "stopped it by its policy"),
    1301: (FailureKind.MODERATED, "stopped it for its content"),
    1302: (FailureKind.RATE_LIMITED, "asks to slow down"),
    1303: (FailureKind.CONCURRENCY, "is at work on as many jobs as the resource pack allows"),
    1304: (FailureKind.AUTH, "does not allow requests from this address"),
}
CONTENTS = {"source_video": "base_video", "reference_video": "feature_video", "control_video": "feature_video",
            "first": "first_frame", "keyframe": "middle_frame", "last": "last_frame", "reference": "refer_image"}  # fmt: skip
SETTINGS = {"resolution": "resolution", "ratio": "aspect_ratio", "seconds": "duration", "audio": "audio"}
FLAGGED = ("risk", "sensitive", "safety", "policy")
PICTURE_BYTES = 10 << 20


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> Bearer:
    """Authorization: Bearer KEY."""
    return Bearer(only_key(keys, "Kling"))


class Envelope(Adapter):
    """What both designs of Kling share: the envelope, its codes, pictures as bare base64."""

    def put(self, path: Path, role: str) -> MediaRef:
        """Pictures go along in the request, without the head of a data URI. Films can't be given as files."""
        try:
            picture = kind_of_file(path) in PICTURES
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        if not picture:
            raise Refused(
                f"{self.wire.name} takes films by a public address only",
                where=path.name,
                todo="Put the clip where it can be fetched by https and give its address.",
            )
        return MediaRef("data_uri", data_uri(path, PICTURE_BYTES, bare=True), role)

    def data(self, reply: Reply) -> Any:
        """What is in the envelope. Raises what a code that is not 0 means."""
        if reply.table.get("code") != 0:
            failure = self.why(reply)
            if failure.kind in (FailureKind.RATE_LIMITED, FailureKind.CONCURRENCY):
                self.reject(reply)
            raise ProviderRejected(failure.says, todo=TODO.get(failure.kind, ""))
        return reply.table.get("data")

    def why(self, reply: Reply) -> Failure:
        """The code says more than the status."""
        code, words = reply.table.get("code"), str(reply.table.get("message") or "")
        if isinstance(code, int) and code in CODES:
            kind, says = CODES[code]
            return self.failure(kind, says, words, billed=False if kind is FailureKind.MODERATED else None)
        if reply.ok:
            return self.failure(FailureKind.INVALID_REQUEST, f"refused it (code {code})", words)
        return super().why(reply)

    def ended_badly(self, words: str) -> Failure:
        """A job that failed; nothing is billed then."""
        flagged = any(word in words.lower() for word in FLAGGED)
        kind = FailureKind.MODERATED if flagged else FailureKind.PROVIDER_INTERNAL
        return self.failure(kind, "stopped it for its content" if flagged else "failed", words, billed=False)

    def missing(self, reply: Reply, handle: Handle) -> Snapshot:
        """A record that is not there: late, or gone."""
        late = time.time() - handle.created_at < GONE_AFTER_S
        failure = self.failure(FailureKind.NOT_FOUND, "does not know this (any more)")
        return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)

    def done(self, links: list[Any], cost_micros: int | None) -> Snapshot:
        """A success with its results; one without any is none."""
        found = [link for link in links if isinstance(link, str) and link]
        if not found:
            says = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done, but there is no result")
            return Snapshot(State.FAILED, failure=says)
        outputs = tuple(
            Output(f"{place:02d}", MediaRef("https", link, "result"), _media_type(link))
            for place, link in enumerate(found)
        )
        return Snapshot(State.SUCCEEDED, 1.0, outputs=outputs, cost_micros=cost_micros)

    def units(self, amount: Any) -> int | None:
        """Units as they are billed, in micros."""
        units = number(amount)
        return None if units is None else round(units * self.settings["unit_micros"])


class Kling(Envelope):
    """3.0 and later."""

    def create(self, job: JobSpec) -> Call:
        rules = self.model.payload
        contents: list[dict[str, Any]] = [{"type": "prompt", "text": job.prompt}] if job.prompt else []
        contents += [{"type": CONTENTS[ref.role], "url": ref.value} for ref in job.inputs]
        path = rules["path"]
        if "path_text" in rules and not job.inputs:
            path = rules["path_text"]
        body: dict[str, Any] = {"contents": contents}
        settings = {**rules.get("fixed", {})}
        settings |= {field: job.options[name] for name, field in SETTINGS.items() if name in job.options}
        if settings:
            body["settings"] = settings
        if job.own_id:
            body["options"] = {"external_task_id": job.own_id}
        return Call("POST", path, json=body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        data = self.data(reply)
        return self.handle(data.get("id") if isinstance(data, dict) else None)

    def status(self, handle: Handle) -> Call:
        return Call("GET", "/tasks", params={"task_ids": handle.job_id})

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        if reply.table.get("code") in MISSING_CODES:
            return self.missing(reply, handle)
        task = next((one for one in tasks_in(self.data(reply)) if str(one.get("id")) == handle.job_id), None)
        if task is None:
            return self.missing(reply, handle)
        state = STATES.get(str(task.get("status")), State.UNKNOWN)
        if state is State.FAILED:
            return Snapshot(state, failure=self.ended_badly(str(task.get("message") or "")))
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        outputs = task.get("outputs") if isinstance(task.get("outputs"), list) else []
        links = [
            one.get("url") for one in outputs or () if isinstance(one, dict) and one.get("type") != "audio"
        ]
        return self.done(links, self.billed(task.get("billing")))

    def billed(self, billing: Any) -> int | None:
        """Units and cash together; None if nothing is said."""
        if not isinstance(billing, list) or not billing:
            return None
        each = [one for one in billing if isinstance(one, dict)]
        units = [self.units(one.get("amount")) or 0 for one in each if one.get("charge_type") == "unit"]
        cash = [number(one.get("amount")) or 0.0 for one in each if one.get("charge_type") == "cash"]
        return sum(units) + round(sum(cash) * 1e6)

    def lookup(self, job: JobSpec, since: float) -> Call | None:
        return Call("GET", "/tasks", params={"external_task_ids": job.own_id}) if job.own_id else None

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        if reply.table.get("code") in MISSING_CODES:
            return None
        found = tasks_in(self.data(reply))
        return self.handle(found[0].get("id")) if found else None


def tasks_in(data: Any) -> list[dict[str, Any]]:
    """The tasks of an answer: documents show a list as well as a single object."""
    items = data if isinstance(data, list) else [data]
    return [one for one in items if isinstance(one, dict) and one.get("id")]


def _media_type(link: str) -> str:
    return mimetypes.guess_type(urlsplit(link).path)[0] or "video/mp4"
