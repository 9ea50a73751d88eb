# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicate: predictions by model or by version. Results and records go an hour after the end."""

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ...pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused
from ..adapter import Adapter, media_type
from ..calls import Call, Part, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..payload import body_of, results

STATES = {
    "starting": State.QUEUED,
    "processing": State.RUNNING,
    "succeeded": State.SUCCEEDED,
    "failed": State.FAILED,
    "canceled": State.CANCELLED,
    "aborted": State.CANCELLED,
}
KEPT_S = 3600.0
FILE_MAX = 100 << 20
PAGES = 5
SLACK_S = 120.0
"""How far the service's clock and ours may be apart."""
_PERCENT = re.compile(r"(\d{1,3})%\|")
_MODERATED = re.compile(r"nsfw|sensitive|safety|moderat|content policy|\(E005\)", re.IGNORECASE)


class Replicate(Adapter):
    """Any model of Replicate, as the catalogue spells it."""

    _version = ""

    # -- files ----------------------------------------------------------------------------------------------------

    def put(self, path: Path, role: str) -> MediaRef:
        """Into Replicate's files. Raises InputError, ProviderRejected, ProviderBusy."""
        try:
            size = path.stat().st_size
        except OSError as error:
            raise InputError(f"Can't read {path.name}: {error.strerror}", where=str(path)) from error
        if size > FILE_MAX:
            raise InputError(f"{path.name} has {size >> 20} MB, Replicate takes 100 MB", where=str(path))
        reply = self.wire.ask(self.upload_call(path))
        if not reply.ok:
            self.reject(reply)
        urls = reply.table.get("urls")
        if not isinstance(urls, dict) or not isinstance(urls.get("get"), str):
            raise ProviderRejected("Replicate took the file but gave it no address", where=path.name)
        return MediaRef("https", urls["get"], role, posix(reply.table.get("expires_at")))

    def upload_call(self, path: Path) -> Call:
        """The file as a form."""
        part = Part("content", "input" + path.suffix.lower(), path, media_type(path))
        return Call("POST", "files", parts=(part,))

    # -- jobs -----------------------------------------------------------------------------------------------------

    def version(self) -> str:
        """The version to run, "" for a model that is run by its name. The newest one is asked for where none is named."""
        named = str(self.settings.get("version") or self.model.payload.get("version") or "")
        if named != "latest":
            return named
        if not self._version:
            reply = self.wire.ask(Call("GET", f"models/{self.model.model}"))
            if not reply.ok:
                self.reject(reply)
            newest = reply.table.get("latest_version") or {}
            self._version = str(newest.get("id") or "")
        if not self._version:
            raise ProviderRejected(f"Replicate names no version of {self.model.label}")
        return self._version

    def create(self, job: JobSpec) -> Call:
        headers = {}
        if wait := min(int(self.settings.get("wait_s") or 0), 45):  # longer than we listen would be lost
            headers["Prefer"] = f"wait={wait}"
        if most := str(self.settings.get("cancel_after") or ""):
            headers["Cancel-After"] = most
        body: dict[str, Any] = {"input": body_of(job, self.model)}
        if version := self.version():
            return Call("POST", "predictions", json={**body, "version": version}, headers=headers)
        return Call("POST", f"models/{self.model.model}/predictions", json=body, headers=headers)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(reply.table.get("id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"predictions/{handle.poll_ref}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        table = reply.table
        state = STATES.get(str(table.get("status")), State.UNKNOWN)
        if state is State.SUCCEEDED:
            return self._result(table)
        failure = self._failure(table) if state in (State.FAILED, State.CANCELLED) else None
        return Snapshot(state, _progress(table.get("logs")), failure=failure)

    def _result(self, table: Mapping[str, Any]) -> Snapshot:
        found = results(table.get("output"), self.model)
        if not found:
            ended = posix(table.get("completed_at"))
            gone = table.get("data_removed") or (ended and time.time() - ended > KEPT_S)
            if gone:
                failure = self.failure(
                    FailureKind.NOT_FOUND, "keeps results for an hour, and that is over", "", True
                )
                return Snapshot(State.EXPIRED, failure=failure)
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "finished without a file", "", True)
            return Snapshot(State.FAILED, failure=failure)
        home = self.wire.base + "/"
        digits = max(2, len(str(len(found) - 1)))
        outputs = tuple(
            Output(f"{number:0{digits}d}", MediaRef("vendor_uri" if url.startswith(home) else "https", url, role),
                   kind or "application/octet-stream")
            for number, (role, url, kind) in enumerate(found)
        )  # fmt: skip
        return Snapshot(State.SUCCEEDED, 1.0, outputs=outputs, raw={"metrics": table.get("metrics") or {}})

    def _failure(self, table: Mapping[str, Any]) -> Failure:
        said = str(table.get("error") or "")
        if _MODERATED.search(said):
            return self.failure(FailureKind.MODERATED, "refused the content", said)
        if table.get("status") != "failed":
            return self.failure(FailureKind.PROVIDER_INTERNAL, "stopped the job", said)
        return self.failure(FailureKind.PROVIDER_INTERNAL, "could not finish", said)

    def stop(self, handle: Handle) -> Call:
        return Call("POST", f"predictions/{handle.poll_ref}/cancel")

    # -- a create that got no answer ------------------------------------------------------------------------------

    def lookup(self, job: JobSpec, since: float) -> Call:
        return Call("GET", "predictions")

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        """By model, time and what was asked for. Raises Refused if it may be one of several."""
        wanted = body_of(replace(job, inputs=()), self.model)  # files have other addresses by now
        fits: list[Mapping[str, Any]] = []
        for _ in range(PAGES):
            entries = [each for each in reply.table.get("results") or [] if isinstance(each, dict)]
            fits += [each for each in entries if self._fits(each, wanted, since)]
            oldest = min((posix(each.get("created_at")) or 0.0 for each in entries), default=0.0)
            onward = reply.table.get("next")
            if not entries or oldest < since - SLACK_S or not isinstance(onward, str):
                break
            reply = self.wire.ask(Call("GET", onward))
            if not reply.ok:
                raise ProviderBusy(self.why(reply).says)
        if len(fits) > 1:
            raise Refused(
                f"Replicate has {len(fits)} jobs that may be this one",
                todo="Look in your account there, then decide.",
            )
        return self.handle(fits[0].get("id")) if fits else None

    def _fits(self, entry: Mapping[str, Any], wanted: Mapping[str, Any], since: float) -> bool:
        if entry.get("model") != self.model.model:
            return False
        begun = posix(entry.get("created_at"))
        if begun is None or begun < since - SLACK_S:
            return False
        asked = entry.get("input")
        return not isinstance(asked, dict) or not asked or all(asked.get(k) == v for k, v in wanted.items())

    def why(self, reply: Reply) -> Failure:
        if reply.status == 422:
            said = str(reply.table.get("detail") or reply.table.get("title") or "")
            kind = FailureKind.MODERATED if _MODERATED.search(said) else FailureKind.INVALID_REQUEST
            return self.failure(kind, "refused the request", said)
        return super().why(reply)


def posix(said: Any) -> float | None:
    """Seconds of an ISO time; None if it is none."""
    try:
        return datetime.fromisoformat(str(said)).timestamp()
    except ValueError:
        return None


def _progress(logs: Any) -> float | None:
    """The last percentage that a progress bar in the logs shows."""
    found = _PERCENT.findall(logs[-4000:]) if isinstance(logs, str) else []
    return min(int(found[-1]), 100) / 100 if found else None
