# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's own SDK drives the loopback server, and our requests are its requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter

from tests.loopback import media
from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of
from tests.loopback.openai import OpenAIServer

openai = pytest.importorskip("openai")
MODEL = "gpt-image-2.6-sunburst"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


def client(server: OpenAIServer) -> Any:
    return openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0)


def ours(server: OpenAIServer, tmp_path: Path) -> Adapter:
    return adapter_for("openai", MODEL, server, tmp_path / "spool", base=f"{server.url}/v1")


def test_an_edit_is_theirs(server: OpenAIServer, tmp_path: Path) -> None:
    paths = {role: tmp_path / f"{role}.png" for role in ("picture", "reference", "mask")}
    for number, path in enumerate(paths.values()):
        path.write_bytes(media.png(shade=40 + number))
    answer = client(server).images.edit(
        image=[paths["picture"], paths["reference"]], mask=paths["mask"], prompt="ink", model=MODEL, n=2,
        size="1536x1024", quality="high", output_format="jpeg", background="opaque", input_fidelity="high",
    )  # fmt: skip
    assert len(answer.data) == 2 and answer.usage.total_tokens == 1100
    adapter = ours(server, tmp_path)
    job = job_of(
        "openai", MODEL, *[adapter.put(path, role) for role, path in paths.items()], prompt="ink", count=2, ratio="3:2",
        quality="high", format="jpeg", background="opaque", input_fidelity="high",
    )  # fmt: skip
    adapter.submit(job)
    theirs, mine = server.log
    assert_same(mine, theirs)
    assert sorted(n for n, *_ in mine.parts) == sorted(n for n, *_ in theirs.parts)
    assert [kind for n, _, kind, _ in mine.parts if n == "mask"] == ["image/png"]


def test_words_alone_are_theirs(server: OpenAIServer, tmp_path: Path) -> None:
    client(server).images.generate(prompt="a lantern", model=MODEL, size="1024x1024", n=1)
    ours(server, tmp_path).submit(job_of("openai", MODEL, prompt="a lantern", ratio="1:1", count=1))
    assert_same(server.log[1], server.log[0])


def test_refusals_are_understood_alike(server: OpenAIServer) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client(server).images.generate(prompt="forbidden", model=MODEL)
    assert caught.value.code == "moderation_blocked"
    server.paid = False
    with pytest.raises(openai.RateLimitError):
        client(server).images.generate(prompt="a lantern", model=MODEL)
