# SPDX-License-Identifier: GPL-3.0-or-later
"""Anthropic's messages for plans: words and pictures in, JSON of an agreed shape out, in one request.

A grammar holds the shape but not every limit, and an answer may end early, so it is checked here once more.
"""

import json
from typing import Any

from ...pipeline.errors import ProviderRejected, Refused
from ..adapter import Adapter
from ..calls import Call, Reply
from ..contract import Failure, FailureKind, Handle, JobSpec, MediaRef
from ..structured import for_grammar, problem

PATIENCE_S = 600.0
ENDED_WELL = ("end_turn", "stop_sequence")
KINDS = {
    "authentication_error": (FailureKind.AUTH, "did not accept the key"),
    "permission_error": (FailureKind.AUTH, "does not allow this with the key given"),
    "billing_error": (FailureKind.QUOTA, "asks for payment or credits"),
    "rate_limit_error": (FailureKind.RATE_LIMITED, "asks to slow down"),
    "overloaded_error": (FailureKind.PROVIDER_INTERNAL, "is overloaded"),
    "request_too_large": (FailureKind.MEDIA_REJECTED, "says that it was sent too much"),
}
NO_GOOD = {
    "refusal": "refused to answer",
    "max_tokens": "ran out of room before the end (max_tokens); allow more, or ask for less",
    "model_context_window_exceeded": "was given more than it can hold; give it less",
    "pause_turn": "stopped halfway",
    "tool_use": "asked for a tool that it was not given",
}


class Anthropic(Adapter):
    """Plans of shots as JSON."""

    def create(self, job: JobSpec) -> Call:
        name, schema = str(self.settings.get("model") or ""), job.options.get("schema")
        if not name:
            raise Refused(
                "No model of Anthropic is chosen",
                todo='Set "model" of this service to the one that you may use.',
            )
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise ProviderRejected("A plan needs the shape of its answer, a JSON schema of an object")
        pictures = [*job.all("picture"), *job.all("reference")]
        content = [{"type": "image", "source": source(ref)} for ref in pictures]
        output: dict[str, Any] = {"format": {"type": "json_schema", "schema": for_grammar(schema)}}
        if "effort" in job.options:
            output["effort"] = job.options["effort"]
        body: dict[str, Any] = {
            "model": name,
            "max_tokens": job.options.get("max_tokens", 8000),
            "messages": [{"role": "user", "content": [*content, {"type": "text", "text": job.prompt}]}],
            "output_config": output,
        }
        if job.options.get("system"):
            body["system"] = job.options["system"]
        headers = {"anthropic-version": str(self.settings.get("version", "2026-10-21"))}
        return Call("POST", "/v1/messages", json=body, headers=headers, patience_s=PATIENCE_S)

    def created(self, reply: Reply, job: JobSpec) -> Handle:
        """An answer that is no plan is billed like one, so it is kept as a failure and not taken for a refusal."""
        body = reply.table
        name, cost = str(body.get("id") or job.own_id), self.cost(body)
        reason = str(body.get("stop_reason"))
        if reason not in ENDED_WELL:
            kind = FailureKind.MODERATED if reason == "refusal" else FailureKind.INVALID_REQUEST
            says = NO_GOOD.get(reason, f"ended for a reason that is not known ({self.wire.clean(reason)})")
            return self.keep(name, [], cost, self.failure(kind, says, billed=True))
        blocks = body.get("content")
        texts = [b.get("text") for b in blocks if isinstance(b, dict)] if isinstance(blocks, list) else []
        text = "".join(one for one in texts if isinstance(one, str))
        try:
            plan = json.loads(text)
            wrong = problem(plan, job.options["schema"])
        except (ValueError, RecursionError):
            wrong = "it is no JSON"
        if wrong:
            says = "answered a plan that breaks the rules"
            failure = self.failure(FailureKind.PROVIDER_INTERNAL, says, wrong, billed=True)
            return self.keep(name, [], cost, failure)
        content = json.dumps(plan, ensure_ascii=False, indent=1).encode()
        return self.keep(name, [("application/json", content)], cost)

    def cost(self, body: dict[str, Any]) -> int | None:
        """What the tokens cost, if the settings say what one does."""
        usage, total, known = body.get("usage"), 0.0, False
        for name in ("input", "output"):
            count = usage.get(f"{name}_tokens") if isinstance(usage, dict) else None
            each = self.settings.get(f"{name}_token_micros", 0)
            if isinstance(count, int) and each:
                total, known = total + count * each, True
        return round(total) if known else None

    def why(self, reply: Reply) -> Failure:
        error = reply.table.get("error")
        body = error if isinstance(error, dict) else {}
        if found := KINDS.get(str(body.get("type"))):
            return self.failure(*found, str(body.get("message") or ""))
        return super().why(reply)


def source(ref: MediaRef) -> dict[str, str]:
    """A picture as a block has it."""
    if ref.kind == "data_uri":
        head, _, data = ref.value.partition(";base64,")
        return {"type": "base64", "media_type": head.removeprefix("data:"), "data": data}
    return {"type": "url", "url": ref.value}
