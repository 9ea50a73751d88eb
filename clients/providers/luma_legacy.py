# SPDX-License-Identifier: GPL-3.0-or-later
"""Luma's older Dream Machine API: clips by public address, a list of what was made, no cancel.

Its DELETE removes a generation and is not documented to stop one, so it is not used to cancel.
"""

import calendar
import time
from collections.abc import Mapping
from typing import Any

from ...pipeline.errors import Refused
from ..adapter import Adapter
from ..auth import Bearer, only_key
from ..calls import Call, Reply
from ..contract import FailureKind, Handle, JobSpec, MediaRef, Output, Snapshot, State
from ..payload import body_of
from .luma import kind_of_link

STATES = {
    "queued": State.QUEUED, "dreaming": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED,
}  # fmt: skip
LISTED, CLOCK_S = 100, 120.0
"""How many of the newest are looked through, and how far clocks may differ."""


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> Bearer:
    """Authorization: Bearer KEY."""
    return Bearer(only_key(keys, "Luma Dream Machine"))


class LumaLegacy(Adapter):
    """Modify Video of Ray 2."""

    def create(self, job: JobSpec) -> Call:
        return Call("POST", str(self.model.payload["path"]), json=body_of(job, self.model))

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        return self.handle(reply.table.get("id"))

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"/generations/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        said = reply.table
        state = STATES.get(str(said.get("state")), State.UNKNOWN)
        assets = said.get("assets") if isinstance(said.get("assets"), dict) else {}
        link = (assets or {}).get("video")
        if state is State.FAILED:
            words = str(said.get("failure_reason") or "")
            moderated = "moderat" in words.lower()
            kind = FailureKind.MODERATED if moderated else FailureKind.PROVIDER_INTERNAL
            return Snapshot(state, failure=self.failure(kind, "failed", words))
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        if not isinstance(link, str) or not link:
            says = self.failure(FailureKind.PROVIDER_INTERNAL, "says it is done, but there is no result")
            return Snapshot(State.FAILED, failure=says)
        return Snapshot(
            state, 1.0, outputs=(Output("00", MediaRef("https", link, "result"), kind_of_link(link)),)
        )

    def lookup(self, job: JobSpec, since: float) -> Call:
        return Call("GET", "/generations", params={"limit": str(LISTED), "offset": "0"})

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        """The one generation whose request is ours and which began since. Raises Refused if there are several."""
        wanted, same = body_of(job, self.model), []
        unknown = {"media", "first_frame"} if any(ref.kind == "path" for ref in job.inputs) else set()
        listed = reply.table.get("generations")
        for one in listed if isinstance(listed, list) else ():
            request = one.get("request") if isinstance(one, dict) else None
            if not isinstance(request, dict):
                continue
            told = {key: value for key, value in request.items() if value is not None}
            if (
                _without(told, unknown) == _without(wanted, unknown)
                and _posix(one.get("created_at")) >= since - CLOCK_S
            ):
                same.append(one.get("id"))
        if len(same) > 1:
            raise Refused(
                f"{self.wire.name} has {len(same)} jobs like this one",
                todo="Look in your account there, then decide.",
            )
        return self.handle(same[0]) if same else None


def _without(body: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in names}


def _posix(text: object) -> float:
    """ISO 8601 in UTC as POSIX seconds; now if it can't be read, so that nothing is passed over."""
    try:
        return float(calendar.timegm(time.strptime(str(text)[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return time.time()
