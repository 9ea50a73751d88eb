# SPDX-License-Identifier: GPL-3.0-or-later
"""Kling up to 3.0: an access key and a secret make a token for half an hour; a job is asked for by its own kind of path."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.auth import AuthBase

from ...pipeline.errors import Refused
from ..calls import Call, Reply
from ..contract import Handle, JobSpec, Snapshot, State
from .kling import MISSING_CODES, STATES, Envelope

TOKEN_S, RENEW_S, EARLY_S = 1800, 300, 5
"""How long a token holds, how much of that must be left, and how far back it begins, for clocks that differ."""
MODES = {"720p": "std", "1080p": "pro"}


def token(access: str, secret: str, now: float) -> str:
    """What Kling wants to read, from the POSIX second ``now``."""
    return signed({"iss": access, "exp": int(now) + TOKEN_S, "nbf": int(now) - EARLY_S}, secret)


def signed(payload: Mapping[str, Any], secret: str) -> str:
    """A JSON Web Token (RFC 7519) with HMAC SHA-256."""
    parts = ({"alg": "HS256", "typ": "JWT"}, payload)
    text = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return f"{text}.{_base64(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Token(AuthBase):
    """Authorization: Bearer TOKEN; a new one before the old one ends."""

    def __init__(self, access: str, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._access, self._secret, self._clock = access, secret, clock
        self._token, self._made = "", 0.0

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        now = self._clock()
        if not self._token or not 0 <= now - self._made < TOKEN_S - RENEW_S:
            self._token, self._made = token(self._access, self._secret, now), now
        r.headers["Authorization"] = f"Bearer {self._token}"
        return r


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> Token:
    """From the access key and the secret key. Raises Refused if one is missing."""
    access = keys.get("HOLDFAST_KLING_JWT_KEY") or keys.get("KLING_ACCESS_KEY")
    secret = keys.get("HOLDFAST_KLING_JWT_SECRET") or keys.get("KLING_SECRET_KEY")
    if not access or not secret:
        raise Refused(
            "Kling's older API needs an access key and a secret key",
            todo="Set HOLDFAST_KLING_JWT_KEY and HOLDFAST_KLING_JWT_SECRET.",
        )
    return Token(access, secret)


class KlingJwt(Envelope):
    """omni-video: a clip to edit, or one to take motion from, with pictures."""

    def create(self, job: JobSpec) -> Call:
        options = job.options
        body: dict[str, Any] = {"model_name": self.model.model, "prompt": job.prompt}
        pictures = [
            {"image_url": ref.value, **({"type": kind} if kind else {})}
            for role, kind in (("first", "first_frame"), ("last", "end_frame"), ("reference", ""))
            for ref in job.all(role)
        ]
        if pictures:
            body["image_list"] = pictures
        if film := job.input("source_video") or job.input("reference_video"):
            refer = "base" if film.role == "source_video" else "feature"
            keep = "yes" if options.get("keep_sound") else "no"
            body["video_list"] = [{"video_url": film.value, "refer_type": refer, "keep_original_sound": keep}]
        body["mode"] = MODES[str(options.get("resolution", "1080p"))]
        if "ratio" in options:
            body["aspect_ratio"] = options["ratio"]
        if "seconds" in options:  # a string there
            body["duration"] = str(options["seconds"])
        if job.own_id:
            body["external_task_id"] = job.own_id
        return Call("POST", self.path, json=body)

    @property
    def path(self) -> str:
        """Of this kind of job; asking below another kind finds nothing."""
        return str(self.model.payload["path"])

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        data = self.data(reply)
        return self.handle(data.get("task_id") if isinstance(data, dict) else None)

    def status(self, handle: Handle) -> Call:
        return Call("GET", f"{self.path}/{handle.job_id}")

    def snapshot(self, reply: Reply, handle: Handle) -> Snapshot:
        if reply.table.get("code") in MISSING_CODES:
            return self.missing(reply, handle)
        data = self.data(reply)
        task = data if isinstance(data, dict) else {}
        state = STATES.get(str(task.get("task_status")), State.UNKNOWN)
        if state is State.FAILED:
            return Snapshot(state, failure=self.ended_badly(str(task.get("task_status_msg") or "")))
        if state is not State.SUCCEEDED:
            return Snapshot(state)
        result = task.get("task_result") if isinstance(task.get("task_result"), dict) else {}
        lists = [(result or {}).get(key) for key in ("videos", "images")]
        made = [one for each in lists if isinstance(each, list) for one in each]
        links = [one.get("url") for one in made if isinstance(one, dict)]
        return self.done(links, self.units(task.get("final_unit_deduction")))

    def lookup(self, job: JobSpec, since: float) -> Call | None:
        return Call("GET", f"{self.path}/{job.own_id}") if job.own_id else None

    def found(self, reply: Reply, job: JobSpec, since: float) -> Handle | None:
        if reply.table.get("code") in MISSING_CODES:
            return None
        data = self.data(reply)
        return self.handle(data.get("task_id")) if isinstance(data, dict) and data.get("task_id") else None
