# SPDX-License-Identifier: GPL-3.0-or-later
"""Volcengine's visual API: OmniHuman (a picture speaks) and DreamActor (a picture moves as a clip does)."""

import time
from collections.abc import Mapping
from typing import Any

from requests.auth import AuthBase

from ...pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain
from ..adapter import GONE_AFTER_S, Adapter
from ..calls import Call, Reply, table_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..wire import LOST
from .volc_sign import Volc4

FINE = 10000
STATES = {
    "in_queue": State.QUEUED,
    "generating": State.RUNNING,
    "done": State.SUCCEEDED,
    "expired": State.EXPIRED,
}
FIELDS = {"picture": "image_url", "audio": "audio_url", "source_video": "video_url"}
CODES = {
    50400: (FailureKind.AUTH, "does not allow this with the key given"),
    50429: (FailureKind.RATE_LIMITED, "asks to slow down"),
    50430: (FailureKind.CONCURRENCY, "has as many jobs of yours as it takes at once"),
    50500: (FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
    50501: (FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
}
MODERATED = range(50411, 50420)


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """From the vendor's pair of names, or from ours, which holds both as "id:key". Raises Refused."""
    pair = keys.get("VOLC_ACCESSKEY", ""), keys.get("VOLC_SECRETKEY", "")
    ours = tuple(keys.get("HOLDFAST_OMNIHUMAN_KEY", "").split(":", 1))
    access, secret = ours if len(ours) == 2 else pair
    if not access or not secret:
        raise Refused(
            "There is no key for Volcengine's visual API",
            todo='Set VOLC_ACCESSKEY and VOLC_SECRETKEY, or enter both as "id:key".',
        )
    return Volc4(access, secret, str(settings.get("region", "cn-north-1")), "cv")


class OmniHuman(Adapter):
    """One model, which the API calls ``req_key``."""

    def call(self, which: str, body: Mapping[str, Any]) -> Call:
        """A request for an action: ``submit_action`` or ``result_action`` of the settings."""
        action = {"submit_action": "CVSubmitTask", "result_action": "CVGetResult"}[which]
        params = {"Action": str(self.settings.get(which, action)), "Version": "2022-08-31"}
        return Call("POST", "/", params=params, json={"req_key": self.model.model, **body})

    def create(self, job: JobSpec) -> Call:
        body: dict[str, Any] = {
            field: ref.value for role, field in FIELDS.items() if (ref := job.input(role)) is not None
        }
        if masks := [ref.value for ref in job.all("mask")]:
            body["mask_url"] = masks
        if job.prompt and self.model.prompt_max:
            body["prompt"] = job.prompt
        if job.seed is not None and self.model.seed.strength != "none":
            body["seed"] = job.seed
        if "resolution" in job.options:
            body["output_resolution"] = int(job.options["resolution"])
        if "fast" in job.options:
            body["pe_fast_mode"] = job.options["fast"]
        return self.call("submit_action", body)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        if reply.table.get("code") != FINE:
            failure = self.why(reply)
            if failure.kind is FailureKind.PROVIDER_INTERNAL:  # as with a 5xx: it may have begun
                raise Uncertain(failure.says, todo=LOST)
            self.reject(reply)
        return self.handle(table_of(reply.table.get("data")).get("task_id"))

    def status(self, handle: Handle) -> Call:
        return self.call("result_action", {"task_id": handle.job_id})

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        body = reply.table
        data = table_of(body.get("data"))
        if body.get("code") != FINE:
            return self._says_no(reply)
        word = str(data.get("status"))
        if word == "not_found":
            late = time.time() - handle.created_at < GONE_AFTER_S
            failure = self.failure(FailureKind.NOT_FOUND, "does not know the job (any more)")
            return Snapshot(State.UNKNOWN if late else State.EXPIRED, failure=failure)
        state = STATES.get(word, State.UNKNOWN)
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        if not data.get("video_url"):
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done but gives no film")
            return Snapshot(State.FAILED, failure=failure)
        film = Output("00", MediaRef("https", str(data["video_url"]), "result"), "video/mp4")
        return Snapshot(state, 1.0, outputs=(film,))

    def _says_no(self, reply: Reply) -> Snapshot:
        """A code that is not the good one, in place of a state. Raises ProviderBusy, ProviderRejected."""
        failure = self.why(reply)
        if failure.kind in (FailureKind.RATE_LIMITED, FailureKind.CONCURRENCY):
            raise ProviderBusy(failure.says)
        if failure.kind is FailureKind.AUTH:
            raise ProviderRejected(failure.says)
        return Snapshot(State.FAILED, failure=failure)

    def why(self, reply: Reply) -> Failure:
        code, message = reply.table.get("code"), str(reply.table.get("message") or "")
        if not isinstance(code, int):
            return super().why(reply)
        if code in MODERATED:
            return self.failure(FailureKind.MODERATED, "refused the content", f"{message} ({code})")
        kind, says = CODES.get(code, (FailureKind.INVALID_REQUEST, "refused it"))
        return self.failure(kind, says, f"{message} ({code})")
