# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's pictures: edited in a form, made from words in JSON; the answer holds them as base64."""

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

from ...pipeline.errors import ProviderRejected
from ..adapter import Adapter, media_type
from ..calls import Call, Part, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec

SIZES = {"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536", "auto": "auto"}
NAMES = {"ratio": "size", "count": "n", "format": "output_format"}
PATIENCE_S = 360.0
UNPAID = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class OpenAI(Adapter):
    """Pictures from words, and pictures changed by words, whole or under a mask."""

    def create(self, job: JobSpec) -> Call:
        fields = {"model": self.model.model, "prompt": job.prompt}
        for name, value in job.options.items():
            fields[NAMES.get(name, name)] = SIZES[value] if name == "ratio" else value
        pictures = [*job.all("picture"), *job.all("reference")]
        if not pictures:
            if job.all("mask"):
                raise ProviderRejected("OpenAI takes a mask only with the picture that it belongs to")
            return Call("POST", "/images/generations", json=fields, patience_s=PATIENCE_S)
        parts = [part("image[]", number, Path(ref.value)) for number, ref in enumerate(pictures)]
        parts += [part("mask", 0, Path(ref.value)) for ref in job.all("mask")]
        form = {name: str(value) for name, value in fields.items()}
        return Call("POST", "/images/edits", form=form, parts=tuple(parts), patience_s=PATIENCE_S)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        pictures = list(pictures_of(reply))
        name, cost = job.own_id or "job", self.cost(reply)
        if not pictures:  # it may be billed all the same
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, "answered without a picture")
            return self.keep(name, [], cost, failure)
        kind = f"image/{reply.table.get('output_format') or job.options.get('format', 'png')}"
        return self.keep(name, [(kind, picture) for picture in pictures], cost)

    def cost(self, reply: Reply) -> int | None:
        """What the tokens cost, if the settings say what one does."""
        usage = reply.table.get("usage")
        total, known = 0.0, False
        for name in ("input", "output"):
            count = usage.get(f"{name}_tokens") if isinstance(usage, dict) else None
            each = self.settings.get(f"{name}_token_micros", 0)
            if isinstance(count, int) and each:
                total, known = total + count * each, True
        return round(total) if known else None

    def why(self, reply: Reply) -> Failure:
        error = reply.table.get("error")
        body = error if isinstance(error, dict) else {}
        code, message = str(body.get("code") or ""), str(body.get("message") or "")
        if code in ("moderation_blocked", "content_policy_violation"):
            return self.failure(FailureKind.MODERATED, "did not allow this", message)
        if code in UNPAID or body.get("type") == "insufficient_quota":
            return self.failure(FailureKind.QUOTA, "asks for payment or credits", message)
        return super().why(reply)


def part(field: str, number: int, path: Path) -> Part:
    """A picture of a form, under a name that tells nothing of where it lay."""
    return Part(field, f"picture{number:02d}{path.suffix.lower()}", path, media_type(path))


def pictures_of(reply: Reply) -> Iterator[bytes]:
    """The pictures of an answer."""
    data = reply.table.get("data")
    for one in data if isinstance(data, list) else ():
        text = one.get("b64_json") if isinstance(one, dict) else None
        try:
            picture = base64.b64decode(text or "", validate=True)
        except (binascii.Error, TypeError, ValueError):
            continue
        if picture:
            yield picture
