# SPDX-License-Identifier: GPL-3.0-or-later
"""What adapters share: the job protocol made of a few small questions, each answered with plain data.

An adapter says which request creates a job, which asks for its state, which stops it, and reads the answers. It never
sends anything itself, so tests can lay its requests beside those of the vendor's own SDK.
"""

import base64
import mimetypes
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain
from ..pipeline.sniff import kind_of_file
from ..pipeline.store import read_json
from .answers import ANSWER, Answers
from .calls import Call, Reply
from .check import check_job
from .contract import (
    CancelOutcome,
    Failure,
    FailureKind,
    Fetched,
    Handle,
    JobSpec,
    MediaRef,
    Output,
    Snapshot,
    State,
)
from .descriptor import Descriptor
from .download import download
from .wire import LOST, Wire

DATA_URI_MAX = 8 << 20
MEDIA_TYPE = {"jpeg": "image/jpeg", "mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm", "png": "image/png",
              "webp": "image/webp", "glb": "model/gltf-binary", "obj": "model/obj", "fbx": "application/octet-stream"}  # fmt: skip
BY_STATUS = {
    401: (FailureKind.AUTH, "did not accept the key"),
    403: (FailureKind.AUTH, "does not allow this with the key given"),
    402: (FailureKind.QUOTA, "asks for payment or credits"),
    404: (FailureKind.NOT_FOUND, "does not know this (any more)"),
    408: (FailureKind.PROVIDER_INTERNAL, "took too long"),
    410: (FailureKind.NOT_FOUND, "does not have this any more"),
    413: (FailureKind.MEDIA_REJECTED, "says that a file is too large"),
    415: (FailureKind.MEDIA_REJECTED, "does not take this kind of file"),
    429: (FailureKind.RATE_LIMITED, "asks to slow down"),
}
GONE_AFTER_S = 120.0
"""A record that can't be found so long after its job was made is gone; before, it may be late."""


class Adapter(Answers):
    """Base of the adapters. Those of a kind override the questions; the protocol below is the same for all."""

    def __init__(
        self, wire: Wire, model: Descriptor, spool: Path, settings: Mapping[str, Any] | None = None
    ) -> None:
        """``spool``: the job's own folder for what comes back at once; ``settings``: the service's, with the person's."""
        self.wire, self.model, self.spool = wire, model, spool
        self.settings = dict(settings or {})

    # -- the questions ------------------------------------------------------------------------------------------

    def create(self, job: JobSpec) -> Call:
        """The request that makes the job. It may bill, and is sent once."""
        raise NotImplementedError

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        """The handle in a 2xx answer to ``create``. Raises ProviderRejected if that says no after all."""
        raise NotImplementedError

    def status(self, handle: Handle) -> Call:
        """The request for the job's state."""
        raise NotImplementedError

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        """The state in a 2xx answer to ``status``."""
        raise NotImplementedError

    def stop(self, handle: Handle) -> Call | None:
        """The request that cancels; None if the service has none."""
        return None

    def lookup(self, job: JobSpec, since: float) -> Call | None:
        """The request that finds a job which got no answer; None if the service can't be asked."""
        return None

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        """The job in a 2xx answer to ``lookup``, None if it is not there."""
        return None

    def named(self, handle: Handle, job: JobSpec) -> Handle:
        """The handle of a job of which a person gave the id alone. Services that poll by more than that override this.
        Raises ProviderRejected where an id is no way to a result."""
        if type(self).status is Adapter.status:
            raise ProviderRejected(
                f"{self.wire.name} answers with the result itself and can't be asked for it later",
                todo="If your account there shows it, bring it in with Import Take; else send it again as new.",
            )
        return replace(handle, poll_ref=handle.job_id)

    def why(self, reply: Reply) -> Failure:
        """What an answer that is not 2xx says. Services that say more than the status override this."""
        kind, says = BY_STATUS.get(
            reply.status, (FailureKind.INVALID_REQUEST, f"refused it ({reply.status})")
        )
        if reply.status >= 500:
            kind, says = FailureKind.PROVIDER_INTERNAL, f"has an error of its own ({reply.status})"
        return self.failure(kind, says, message_of(reply))

    # -- the protocol -------------------------------------------------------------------------------------------

    def put(self, path: Path, role: str) -> MediaRef:
        """As it is where a form takes the file itself, as a data URI where the model takes one and the file is small.
        Services with an upload override this."""
        limit = self.model.inputs.get(role)
        if limit is not None and "path" in limit.kinds:
            return self.as_path(path, role, limit.max_bytes)
        if limit is None or "data_uri" not in limit.kinds:
            raise Refused(f"{self.model.label} can't be given a file for {role}", where=path.name)
        return MediaRef("data_uri", data_uri(path, limit.max_bytes or DATA_URI_MAX), role)

    def submit(self, job: JobSpec) -> Handle:
        """Sends ``create``, once. Raises ProviderRejected, ProviderBusy (it surely did not begin), Uncertain."""
        check_job(job, self.model)
        try:
            call = self.create(job)
        except InputError as error:  # nothing was sent, so nothing is in doubt
            raise ProviderRejected(error.what, where=error.where, todo=error.todo) from error
        reply = self.wire.send(call)
        if not reply.ok:
            self.reject(reply)
        return self.created(reply, job)

    def poll(self, handle: Handle) -> Snapshot:
        """Raises ProviderBusy if no answer is to be had now, Refused if not with this key, ProviderRejected."""
        if handle.poll_ref.startswith("spool:"):
            return self.spooled(handle)
        reply = self.wire.ask(self.status(handle))
        if reply.ok:
            return self.snapshot(reply, handle)
        failure = self.why(reply)
        if failure.kind is FailureKind.NOT_FOUND:
            late = time.time() - handle.created_at < GONE_AFTER_S
            return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)
        if failure.kind in (FailureKind.RATE_LIMITED, FailureKind.PROVIDER_INTERNAL, FailureKind.CONCURRENCY):
            busy = ProviderBusy(failure.says)
            busy.after_s = reply.retry_after_s
            raise busy
        if failure.kind in (FailureKind.AUTH, FailureKind.QUOTA):  # the job is there all the same
            raise Refused(failure.says, todo=TODO[failure.kind])
        raise ProviderRejected(failure.says)

    def fetch(self, output: Output, folder: Path) -> list[Fetched]:
        """Brings one output into ``folder``. Raises ProviderRejected, ProviderBusy, StorageError."""
        if output.ref.kind == "path":
            return [self.moved(Path(output.ref.value), folder, output.name)]
        rule = self.model.output
        signed = output.ref.kind == "vendor_uri"
        return [
            download(
                self.wire, output.ref.value, folder, output.name, rule.kinds, rule.most_bytes, signed=signed
            )
        ]

    def cancel(self, handle: Handle) -> CancelOutcome:
        """Sends ``stop``; a job that has ended meanwhile is too late. Raises ProviderBusy if the answer is no promise.

        Where the same request destroys a job that has ended (delete_overloaded), the state is asked for first and the
        request is sent once: repeated, it might come after the end."""
        call, deletes = self.stop(handle), self.model.job.cancel == "delete_overloaded"
        if call is None:
            return CancelOutcome.UNSUPPORTED
        if deletes and self.poll(handle).state.terminal:
            return CancelOutcome.TOO_LATE
        try:
            reply = self.wire.send(call) if deletes else self.wire.ask(call)
        except Uncertain as error:
            raise ProviderBusy(f"{self.wire.name} did not say whether it stops") from error
        if reply.ok:
            return CancelOutcome.REQUESTED
        failure = self.why(reply)
        if failure.kind in (FailureKind.RATE_LIMITED, FailureKind.PROVIDER_INTERNAL):
            raise ProviderBusy(failure.says)
        return CancelOutcome.TOO_LATE

    def find(self, job: JobSpec, since: float) -> Handle | None:
        """Raises Refused where the service can't be asked; what came back at once lies in the spool."""
        if (self.spool / ANSWER).exists():
            return self.spooled_handle(read_json(self.spool / ANSWER)["job_id"])
        call = self.lookup(job, since)
        if call is None:
            raise Refused(
                f"{self.wire.name} can't be asked whether it got the job",
                todo="Look in your account there, then decide.",
            )
        reply = self.wire.ask(call)
        if reply.status == 404:
            return None
        if not reply.ok:
            raise ProviderBusy(self.why(reply).says)
        return self.found(reply, job, since)

    # -- help for adapters --------------------------------------------------------------------------------------

    def as_path(self, path: Path, role: str, most_bytes: int = 0) -> MediaRef:
        """A file that will travel inside the request. Raises InputError if it is too large or can't be read."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        if most_bytes and size > most_bytes:
            says = f"{path.name} has {size / 1e6:.1f} MB, more than {self.model.label} takes ({most_bytes / 1e6:.1f} MB)"
            raise InputError(says, where=str(path))
        return MediaRef("path", str(path), role)

    def reject(self, reply: Reply) -> None:
        """Raises what a refused ``create`` means: ProviderBusy where trying again later may help, else ProviderRejected."""
        failure = self.why(reply)
        busy = failure.kind in (
            FailureKind.RATE_LIMITED,
            FailureKind.CONCURRENCY,
            FailureKind.PROVIDER_INTERNAL,
        )
        raise (ProviderBusy if busy else ProviderRejected)(failure.says, todo=TODO.get(failure.kind, ""))

    def handle(self, job_id: Any, poll_ref: Any = "", **raw: Any) -> Handle:
        """A handle of this service. Raises Uncertain if the answer had no id: it may be at work, and may bill."""
        if not isinstance(job_id, str | int) or job_id == "":
            raise Uncertain(f"{self.wire.name} accepted the job but gave it no id", todo=LOST)
        return Handle(self.model.provider, str(job_id), str(poll_ref or job_id), time.time(), raw)


TODO = {
    FailureKind.AUTH: "Check the key of this service in the preferences.",
    FailureKind.QUOTA: "Look at your balance there.",
    FailureKind.RATE_LIMITED: "Nothing was begun. Try again later.",
    FailureKind.CONCURRENCY: "Nothing was begun. Try again when another job has ended.",
    FailureKind.MODERATED: "Change the prompt or the pictures.",
}


def message_of(reply: Reply) -> str:
    """The words in an answer, wherever services put them."""
    body = reply.table
    for key in ("error", "message", "detail", "msg", "errors", "failure", "failure_reason"):
        value = body.get(key)
        while isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("message") or value.get("msg") or value.get("detail") or value.get("code")
        if isinstance(value, str) and value:
            return value
    return ""


def data_uri(path: Path, most_bytes: int = DATA_URI_MAX, *, bare: bool = False) -> str:
    """A file as a data URI, or as ``bare`` base64. Raises InputError if it is too large or can't be read."""
    try:
        content, kind = path.read_bytes(), kind_of_file(path)
    except OSError as error:
        raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
    text = base64.b64encode(content).decode()
    if len(text) > most_bytes:
        raise InputError(
            f"{path.name} has {len(text) >> 10} kB, too much to send inside a request", where=str(path)
        )
    return text if bare else f"data:{media_type(path, kind)};base64,{text}"


def media_type(path: Path, kind: str = "") -> str:
    """image/png and so on, by content where it is known."""
    kind = kind or kind_of_file(path)
    return MEDIA_TYPE.get(kind) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
