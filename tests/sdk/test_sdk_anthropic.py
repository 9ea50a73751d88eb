# SPDX-License-Identifier: GPL-3.0-or-later
"""Anthropic's own SDK drives the loopback server, makes the shape as we do, and its requests are ours."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.structured import for_grammar

from tests.loopback import media
from tests.loopback.anthropic import AnthropicServer
from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of

anthropic = pytest.importorskip("anthropic")
SHAPE: dict[str, Any] = {
    "type": "object", "title": "Plan", "required": ["shots"], "$defs": {"take": {"type": "integer", "minimum": 1}},
    "properties": {
        "shots": {"type": "array", "minItems": 2, "items": {
            "type": "object", "additionalProperties": True, "required": ["id"], "properties": {
                "id": {"type": "string", "format": "uuid"}, "note": {"type": "string", "maxLength": 9, "description": "Short"},
                "camera": {"type": "string", "enum": ["static", "orbit"]}, "take": {"$ref": "#/$defs/take"},
                "odd": {"type": "string", "format": "colour"}, "fixed": {"const": 3, "type": "integer"},
            }}},
        "either": {"oneOf": [{"type": "null"}, {"type": "number", "maximum": 3}], "description": "Either"},
        "few": {"type": "array", "minItems": 1, "items": {"type": "boolean"}},
    }}  # fmt: skip


@pytest.fixture
def server() -> Iterator[AnthropicServer]:
    with AnthropicServer() as running:
        yield running


def client(server: AnthropicServer) -> Any:
    return anthropic.Anthropic(api_key=server.key, base_url=server.url, max_retries=0)


def test_the_shape_is_theirs() -> None:
    assert for_grammar(SHAPE) == anthropic.transform_schema(SHAPE)


def test_the_request_is_theirs(server: AnthropicServer, tmp_path: Path) -> None:
    data = base64.b64encode(media.png()).decode()
    server.plan = {"shots": [{"id": "a"}, {"id": "b"}]}
    message = client(server).messages.create(
        model="model-under-test", max_tokens=900, system="Be short.",
        messages=[{"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/b.png"}},
            {"type": "text", "text": "Plan 2 shots"},
        ]}],
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": anthropic.transform_schema(SHAPE)}},
    )  # fmt: skip
    assert message.stop_reason == "end_turn" and json.loads(message.content[0].text) == server.plan
    told = {"model": "model-under-test"}
    adapter = adapter_for("anthropic", "messages", server, tmp_path / "spool", settings=told)
    (tmp_path / "a.png").write_bytes(media.png())
    web = type(given := adapter.put(tmp_path / "a.png", "picture"))(
        "https", "https://example.com/b.png", "picture"
    )
    adapter.submit(
        job_of("anthropic", "messages", given, web, prompt="Plan 2 shots", schema=SHAPE, system="Be short.",
               max_tokens=900, effort="low")
    )  # fmt: skip
    theirs, mine = server.log
    assert theirs.headers["anthropic-version"] == "2026-10-21"
    assert_same(mine, theirs)


def test_refusals_are_understood_alike(server: AnthropicServer) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        anthropic.Anthropic(api_key="wrong-key", base_url=server.url, max_retries=0).messages.create(
            model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}]
        )
    server.reason = "max_tokens"
    message = client(server).messages.create(
        model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}]
    )
    assert message.stop_reason == "max_tokens"
