# SPDX-License-Identifier: GPL-3.0-or-later
"""fal: one queue for many models. COMPLETED is not success: the result must be asked for, and may be an error."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.auth import AuthBase

from ...pipeline.errors import InputError, ProviderBusy, ProviderRejected
from ...pipeline.store import write_bytes
from ..adapter import Adapter, media_type, message_of
from ..auth import Header, only_key
from ..calls import Call, Reply
from ..contract import CancelOutcome, Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..payload import body_of, data_of, results

STATES = {
    "IN_QUEUE": State.QUEUED,
    "IN_PROGRESS": State.RUNNING,
    "COMPLETED": State.SUCCEEDED,
    "CANCELLATION_REQUESTED": State.RUNNING,
    "CANCELLED": State.CANCELLED,
}
MULTIPART_ABOVE, PART = 100 << 20, 10 << 20
"""Bytes from which the vendor's own client sends a file in parts, and bytes of a part."""
FILE_MAX = 1 << 30
URLS = ("status_url", "response_url", "cancel_url")


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """Authorization: Key ..., not Bearer."""
    return Header("Authorization", only_key(keys, "fal"), "Key ")


class Fal(Adapter):
    """Any model of fal, as the catalogue spells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rest = str(self.settings.get("rest") or "https://rest.fal.ai").rstrip("/")
        self.wire.kin = (urlsplit(self.rest).hostname or "",)

    # -- files ----------------------------------------------------------------------------------------------------

    def put(self, path: Path, role: str) -> MediaRef:
        """Into fal's storage. Raises InputError, ProviderRejected, ProviderBusy."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        limit = self.model.inputs.get(role)
        most = limit.max_bytes if limit and limit.max_bytes else FILE_MAX
        if size > most:
            raise InputError(f"{path.name} has {size >> 20} MB, fal takes {most >> 20} MB", where=str(path))
        token = self._asked(self.token_call())
        if size > MULTIPART_ABOVE:
            return MediaRef("https", self._in_parts(path, token), role)
        return MediaRef("https", self._address(self._asked(self.upload_call(path, token)), path), role)

    def _address(self, answer: Mapping[str, Any], path: Path) -> str:
        url = answer.get("access_url")
        if not isinstance(url, str) or not url:
            raise ProviderRejected("fal took the file but gave it no address", where=path.name)
        return url

    def _in_parts(self, path: Path, token: Mapping[str, Any]) -> str:
        """A large file, one part after the other."""
        begin = self.upload_call(path, token)
        begun = self._asked(replace(begin, url=f"{begin.url}/multipart", body=None))
        url, done = self._address(begun, path), []
        home = f"{url}/multipart/{begun.get('uploadId')}"
        leave = {"Authorization": begin.headers["Authorization"]}
        typed = {**leave, "Content-Type": begin.headers["Content-Type"]}
        with path.open("rb") as stream:
            for number, part in enumerate(iter(lambda: stream.read(PART), b""), 1):
                reply = self.wire.ask(Call("PUT", f"{home}/{number}", body=part, headers=typed, signed=False))
                if not reply.ok:
                    self.reject(reply)
                done.append({"partNumber": number, "etag": reply.headers.get("etag", "")})
        self._asked(Call("POST", f"{home}/complete", json={"parts": done}, headers=leave, signed=False))
        return url

    def token_call(self) -> Call:
        """Asks for leave to upload."""
        url = f"{self.rest}/storage/auth/token"
        headers = {"Accept": "application/json"}
        return Call("POST", url, json={}, params={"storage_type": "fal-cdn-v3"}, headers=headers)

    def upload_call(self, path: Path, token: Mapping[str, Any]) -> Call:
        """The file itself, with that leave and not with the key."""
        headers = {
            "Authorization": f"{token.get('token_type', 'Bearer')} {token.get('token', '')}",
            "Content-Type": media_type(path),
            "X-Fal-File-Name": "input" + path.suffix.lower(),
            **self._lifecycle("X-Fal-Object-Lifecycle", "X-Fal-Object-Lifecycle-Preference"),
        }
        base = str(token.get("base_url", "")).rstrip("/")
        return Call("POST", f"{base}/files/upload", body=path, headers=headers, signed=False)

    def _asked(self, call: Call) -> dict[str, Any]:
        reply = self.wire.ask(call)
        if not reply.ok:
            self.reject(reply)
        return reply.table

    def _lifecycle(self, *names: str) -> dict[str, str]:
        """How long fal keeps files, if the person has set it; else the account's own time."""
        seconds = int(self.settings.get("keep_s") or 0)
        return dict.fromkeys(names, json.dumps({"expiration_duration_seconds": seconds})) if seconds else {}

    # -- jobs -----------------------------------------------------------------------------------------------------

    def create(self, job: JobSpec) -> Call:
        headers = self._lifecycle("X-Fal-Object-Lifecycle-Preference")
        if priority := self.settings.get("priority"):
            headers["X-Fal-Queue-Priority"] = str(priority)
        return Call("POST", self.model.model, json=body_of(job, self.model), headers=headers)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        table = reply.table
        urls = {name: table[name] for name in URLS if isinstance(table.get(name), str)}
        made = self.handle(table.get("request_id"), urls.get("status_url", ""), **urls)
        return made if len(urls) == len(URLS) else self.named(made, job)

    def named(self, handle: Handle, job: JobSpec) -> Handle:
        """With the addresses that fal documents, where it gave none: they leave out what follows the model's name."""
        owner = "/".join(self.model.model.split("/")[:2])
        base = self.wire.address(f"{owner}/requests/{handle.job_id}")
        urls = {
            "status_url": f"{base}/status",
            "response_url": base,
            "cancel_url": f"{base}/cancel",
            **handle.raw,
        }
        return replace(handle, poll_ref=urls["status_url"], raw=urls)

    def status(self, handle: Handle) -> Call:
        return Call("GET", handle.poll_ref, params={"logs": "false"})

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        table = reply.table
        state = STATES.get(str(table.get("status")), State.UNKNOWN)
        place = table.get("queue_position")
        if state is State.SUCCEEDED:
            return self._result(table, handle)
        return Snapshot(state, queue_position=place if isinstance(place, int) else None, raw=table)

    def _result(self, told: Mapping[str, Any], handle: Handle) -> Snapshot:
        """The second question: what came out, or why nothing did."""
        reply = self.wire.ask(Call("GET", str(handle.raw["response_url"])))
        told_why = told.get("error") or told.get("error_type")
        if not reply.ok:
            failure = self.why(reply)
            if not told_why and failure.kind is FailureKind.NOT_FOUND:
                return Snapshot(State.EXPIRED, failure=failure, raw=told)
            if not told_why and failure.kind is FailureKind.AUTH:
                raise ProviderRejected(failure.says)
            if not told_why and (reply.status == 429 or (reply.status >= 500 and not _error_type(reply))):
                raise ProviderBusy(failure.says)
            return self._failed(failure, told)
        if told_why:
            kind = _kind(str(told.get("error_type") or ""))
            return self._failed(self.failure(kind, "could not finish", str(told_why)), told)
        outputs = self._outputs(reply.table)
        if not outputs:
            says = self.failure(FailureKind.PROVIDER_INTERNAL, "finished without a file")
            return self._failed(says, told)
        return Snapshot(State.SUCCEEDED, 1.0, outputs=outputs, raw=_without_files(reply.table))

    def _failed(self, failure: Failure, told: Mapping[str, Any]) -> Snapshot:
        cancelled = "cancel" in str(told.get("error_type") or "").lower()
        return Snapshot(State.CANCELLED if cancelled else State.FAILED, failure=failure, raw=told)

    def _outputs(self, answer: dict[str, Any]) -> tuple[Output, ...]:
        found = [
            (MediaRef("https", url, role), kind or "application/octet-stream")
            for role, url, kind in results(answer, self.model)
        ]
        if data := data_of(answer, self.model):
            path = self.spool / "data.json"
            write_bytes(path, json.dumps(data).encode())
            found.append((MediaRef("path", str(path), "data"), "application/json"))
        return tuple(Output(f"{number:02d}", ref, kind) for number, (ref, kind) in enumerate(found))

    def stop(self, handle: Handle) -> Call:
        return Call("PUT", str(handle.raw["cancel_url"]))

    def cancel(self, handle: Handle) -> CancelOutcome:
        """400 and 404: it had ended. A 2xx is a request, not a promise, for what already runs."""
        reply = self.wire.ask(self.stop(handle))
        if reply.ok:
            return CancelOutcome.REQUESTED
        if reply.status in (400, 404, 409, 410):
            return CancelOutcome.TOO_LATE
        raise ProviderBusy(self.why(reply).says)

    def why(self, reply: Reply) -> Failure:
        detail = reply.table.get("detail")
        first = detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], dict) else {}
        word = str(first.get("type") or _error_type(reply))
        kind = _kind(word)
        if kind is FailureKind.MODERATED:
            return self.failure(kind, "refused the content", str(first.get("msg") or message_of(reply)))
        if first:
            loc = first.get("loc")
            field = str(loc[-1]) if isinstance(loc, list) and loc else ""
            kind = FailureKind.INVALID_REQUEST if kind is FailureKind.PROVIDER_INTERNAL else kind
            return self.failure(kind, f"refused {field or 'the request'}", str(first.get("msg") or word))
        if word and reply.status >= 400 and reply.status not in (401, 402, 403, 404, 429):
            billed = False if reply.status >= 500 else None  # fal: server errors are not billed
            return self.failure(kind, "could not finish", message_of(reply) or word, billed)
        return super().why(reply)


def _error_type(reply: Reply) -> str:
    return str(reply.table.get("error_type") or reply.headers.get("x-fal-error-type") or "")


def _kind(word: str) -> FailureKind:
    """Of a word of fal's, of which only some are documented."""
    word = word.lower()
    if any(part in word for part in ("content_policy", "moderat", "nsfw", "safety")):
        return FailureKind.MODERATED
    if word.startswith(("image_", "video_", "audio_", "file_", "unsupported_", "face_")):
        return FailureKind.MEDIA_REJECTED
    return FailureKind.PROVIDER_INTERNAL


def _without_files(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is worth keeping of an answer: the seed that was used and the like."""
    return {key: value for key, value in answer.items() if isinstance(value, int | float | bool)}
