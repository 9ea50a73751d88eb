# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans by Anthropic's messages, and the shapes that they must have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.clients.structured import for_grammar, problem
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.anthropic import AnthropicServer
from tests.loopback.harness import adapter_for, job_of
from tests.loopback.server import Answer, Fault

SHAPE: dict[str, Any] = {
    "type": "object", "required": ["shots"], "properties": {"shots": {
        "type": "array", "minItems": 1, "maxItems": 4, "items": {
            "type": "object", "required": ["id", "duration_s"], "additionalProperties": False, "properties": {
                "id": {"type": "string", "minLength": 1}, "duration_s": {"type": "number", "minimum": 0.5, "maximum": 30},
                "camera": {"type": "string", "enum": ["static", "orbit"], "description": "How it moves"},
            }}}}}  # fmt: skip


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    with AnthropicServer() as running:
        yield running


def of(
    server: AnthropicServer, tmp_path: Path, keys: dict[str, str] | None = None, **settings: object
) -> Adapter:
    told = {"model": "model-under-test", **settings}
    return adapter_for("anthropic", "messages", server, tmp_path / "spool", keys=keys, settings=told)


def plan(*inputs: MediaRef, **options: Any) -> Any:
    return job_of("anthropic", "messages", *inputs, prompt="Plan 1 shot", **{"schema": SHAPE, **options})


def test_a_plan_of_the_agreed_shape(server: AnthropicServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path, input_token_micros=3, output_token_micros=15)
    (tmp_path / "a.png").write_bytes(media.png())
    given = adapter.put(tmp_path / "a.png", "picture")
    web = MediaRef("https", "https://example.com/b.png", "reference")
    handle = adapter.submit(plan(given, web, system="Be short.", max_tokens=900, effort="low"))
    sent = server.log[0]
    assert sent.headers["anthropic-version"] == "2026-10-21" and "x-api-key" not in sent.headers
    body = sent.json
    assert (body["model"], body["max_tokens"], body["system"]) == ("model-under-test", 900, "Be short.")
    first, second, words = body["messages"][0]["content"]
    assert first["source"]["media_type"] == "image/png" and not first["source"]["data"].startswith("data:")
    assert second["source"] == {"type": "url", "url": web.value} and words["text"] == "Plan 1 shot"
    assert body["output_config"]["effort"] == "low" and "temperature" not in body
    done = adapter.poll(handle)
    assert done.state is State.SUCCEEDED and done.cost_micros == 6000 and handle.job_id == "msg_01"
    [file] = adapter.fetch(done.outputs[0], tmp_path / "got")
    assert file.path.name == "00.json" and json.loads(file.path.read_bytes()) == server.plan
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("reason", "says"),
    [("refusal", "refused to answer"), ("max_tokens", "ran out of room"), ("pause_turn", "halfway"),
     ("model_context_window_exceeded", "more than it can hold"), ("tool_use", "tool"), ("new_reason", "not known")],
)  # fmt: skip
def test_an_answer_that_ended_otherwise_is_no_success(
    server: AnthropicServer, tmp_path: Path, reason: str, says: str
) -> None:
    server.reason = reason
    adapter = of(server, tmp_path)
    ended = adapter.poll(adapter.submit(plan()))
    assert ended.state is State.FAILED and ended.failure is not None and not ended.outputs
    assert ended.failure.billed is True and says in ended.failure.says
    assert (ended.failure.kind is FailureKind.MODERATED) == (reason == "refusal")


@pytest.mark.parametrize(
    ("shots", "says"),
    [([], "entries"), ([{"id": "a"}], r"shots\[0\] lacks duration_s"), ([{"id": "a", "duration_s": 99}], "more than 30"),
     ([{"id": "a", "duration_s": True}], "no number"), ([{"id": "", "duration_s": 1}], "letters"),
     ([{"id": "a", "duration_s": 1, "camera": "drone"}], "none of static, orbit"),
     ([{"id": "a", "duration_s": 1, "more": 1}], "has more"), ("x", "no array")],
)  # fmt: skip
def test_limits_that_a_grammar_does_not_hold(
    server: AnthropicServer, tmp_path: Path, shots: object, says: str
) -> None:
    server.plan = {"shots": shots}
    adapter = of(server, tmp_path, output_token_micros=10)
    ended = adapter.poll(adapter.submit(plan()))
    assert ended.state is State.FAILED and ended.failure is not None and ended.cost_micros == 2000
    assert re.search(says, ended.failure.says)


def test_refusals(server: AnthropicServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path)
    server.text = "Here is your plan"
    ended = adapter.poll(adapter.submit(plan()))
    assert ended.failure is not None and "no JSON" in ended.failure.says
    for status, word, kind, says in (
        (402, "billing_error", ProviderRejected, "payment"), (403, "permission_error", ProviderRejected, "allow"),
        (413, "request_too_large", ProviderRejected, "too much"), (429, "rate_limit_error", ProviderBusy, "slow down"),
        (529, "overloaded_error", ProviderBusy, "overloaded"), (400, "invalid_request_error", ProviderRejected, "refused"),
    ):  # fmt: skip
        server.faults = [
            Fault(answer=Answer(status, {"type": "error", "error": {"type": word, "message": "m"}}))
        ]
        with pytest.raises(kind, match=says):
            adapter.submit(plan())
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        of(server, tmp_path, {"ANTHROPIC_API_KEY": "wrong-key"}).submit(plan())
    with pytest.raises(Refused, match="No model"):
        of(server, tmp_path, model="").submit(plan())
    with pytest.raises(ProviderRejected, match="shape of its answer"):
        adapter.submit(plan(schema=None))


def test_a_lost_answer_is_not_asked_for_again(server: AnthropicServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path)
    for fault in (Fault(drop="after"), Fault(cut=20), Fault(answer=Answer(504, {}))):
        server.faults = [fault]
        with pytest.raises(Uncertain):
            adapter.submit(plan())
    assert server.made == 2
    with pytest.raises(Refused):
        adapter.find(plan(), 0.0)
    adapter.submit(plan())
    assert adapter.find(plan(), 0.0) is not None


def test_shapes_are_closed_and_limits_told_in_words() -> None:
    made = for_grammar(SHAPE)
    assert made["additionalProperties"] is False
    shots = made["properties"]["shots"]
    assert shots["minItems"] == 1 and shots["description"] == "{maxItems: 4}"
    assert shots["items"]["properties"]["duration_s"]["description"] == "{minimum: 0.5, maximum: 30}"
    named = {
        "$defs": {"x": {"type": "integer", "const": 3}},
        "anyOf": [{"$ref": "#/$defs/x"}, {"type": "null"}],
    }
    assert for_grammar(named)["anyOf"] == [{"$ref": "#/$defs/x"}, {"type": "null"}]
    assert [problem(value, named) for value in (3, None)] == ["", ""] and "not 3" in problem(4, named)
    assert problem(5, {"type": "number", "exclusiveMaximum": 5}) and not problem(5, {"type": "integer"})
