# SPDX-License-Identifier: GPL-3.0-or-later
"""Google's Gemini API: pictures, which come back at once, and what its video shares with them."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from requests.auth import AuthBase

from ...pipeline.errors import ProviderRejected
from ..adapter import TODO, Adapter
from ..auth import Header, only_key
from ..calls import Call, Reply, table_of, tables_of
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef

MOST_INLINE = 20 << 20
"""Bytes of a whole request with its pictures inside."""
BLOCKED = ("SAFETY", "PROHIBITED", "RECITATION", "BLOCKLIST", "SPII", "MODEL_ARMOR")
STATUSES = {
    "UNAUTHENTICATED": (FailureKind.AUTH, "did not accept the key"),
    "PERMISSION_DENIED": (FailureKind.AUTH, "does not allow this with the key given"),
    "FAILED_PRECONDITION": (FailureKind.UNSUPPORTED, "does not offer this to your account or country"),
    "RESOURCE_EXHAUSTED": (FailureKind.RATE_LIMITED, "asks to slow down, or the quota is used up"),
    "NOT_FOUND": (FailureKind.NOT_FOUND, "does not know this (any more)"),
    "INTERNAL": (FailureKind.PROVIDER_INTERNAL, "has an error of its own"),
    "UNAVAILABLE": (FailureKind.PROVIDER_INTERNAL, "is overloaded"),
    "DEADLINE_EXCEEDED": (FailureKind.PROVIDER_INTERNAL, "took too long"),
}


def auth(keys: Mapping[str, str], settings: Mapping[str, Any]) -> AuthBase:
    """The key in Google's own header."""
    return Header("x-goog-api-key", only_key(keys, "Google Gemini"))


class GeminiBase(Adapter):
    """Addresses and errors of the API."""

    @property
    def version(self) -> str:
        """The first part of every path."""
        return str(self.settings.get("version", "v1"))

    def why(self, reply: Reply) -> Failure:
        error = reply.table.get("error")
        if not isinstance(error, dict):
            return super().why(reply)
        message = str(error.get("message") or "")
        if "API_KEY_INVALID" in json.dumps(error.get("details") or []):
            return self.failure(FailureKind.AUTH, "did not accept the key", message)
        status = str(error.get("status"))
        if status not in STATUSES:
            return super().why(reply)
        kind, says = STATUSES[status]
        return self.failure(kind, says, message + _asks_to_wait(error.get("details")))


def _asks_to_wait(details: Any) -> str:
    for detail in tables_of(details):
        if detail.get("retryDelay"):
            return f" (again after {detail['retryDelay']})"
    return ""


class Images(GeminiBase):
    """Image models. HTTP 200 without a picture is how they refuse."""

    def create(self, job: JobSpec) -> Call:
        parts: list[dict[str, Any]] = [{"text": job.prompt}]
        parts += [_part(ref) for role in ("picture", "reference") for ref in job.all(role)]
        if sum(len(ref.value) for ref in job.inputs) > MOST_INLINE:
            raise ProviderRejected(
                f"{self.wire.name} takes {MOST_INLINE >> 20} MB of pictures in a request",
                todo="Send fewer or smaller ones.",
            )
        config: dict[str, Any] = {"responseModalities": ["IMAGE"]}
        names = {"ratio": "aspectRatio", "resolution": "imageSize"}
        shape = {theirs: job.options[ours] for ours, theirs in names.items() if ours in job.options}
        if shape:
            config["imageConfig"] = shape
        if job.seed is not None:
            config["seed"] = job.seed
        path = f"{self.version}/models/{self.model.model}:generateContent"
        return Call(
            "POST", path, json={"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
        )

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        body = reply.table
        found, reasons = [], [str(table_of(body.get("promptFeedback")).get("blockReason") or "")]
        for candidate in tables_of(body.get("candidates")):
            reasons.append(str(candidate.get("finishReason") or ""))
            for part in tables_of(table_of(candidate.get("content")).get("parts")):
                data = table_of(part.get("inlineData") or part.get("inline_data"))
                if data.get("data") and not part.get("thought"):
                    found.append(
                        (str(data.get("mimeType") or data.get("mime_type")), content_of(str(data["data"])))
                    )
        if found:
            return self.keep(str(body.get("responseId") or job.own_id or "answered"), found)
        reason = ", ".join(word for word in reasons if word and word != "STOP")
        if any(word in reason for word in BLOCKED):
            failure = self.failure(FailureKind.MODERATED, "refused the content", reason)
        else:
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "answered without a picture", reason)
        if body.get("candidates"):  # something was made and held back, which may be billed
            return self.keep(str(body.get("responseId") or job.own_id or "answered"), [], failure=failure)
        raise ProviderRejected(failure.says, todo=TODO.get(failure.kind, ""))


def _part(ref: MediaRef) -> dict[str, Any]:
    if ref.kind != "data_uri":
        return {"fileData": {"fileUri": ref.value}}
    head, _, data = ref.value.partition(",")
    return {"inlineData": {"mimeType": head.removeprefix("data:").partition(";")[0], "data": data}}


def content_of(text: str) -> bytes:
    """Base64 in either alphabet, which Google's JSON allows. Raises ProviderRejected."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProviderRejected("Google Gemini sent a result that can't be read") from error
