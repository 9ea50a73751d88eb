# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's pictures, against a server that speaks their contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, job_of
from tests.loopback.openai import OpenAIServer
from tests.loopback.server import Answer, Fault

MODEL = "gpt-image-2"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


def of(
    server: OpenAIServer, tmp_path: Path, keys: dict[str, str] | None = None, **settings: object
) -> Adapter:
    spool, base = tmp_path / "spool", f"{server.url}/v1"
    return adapter_for("openai", MODEL, server, spool, keys=keys, settings=settings, base=base)


def put(adapter: Adapter, tmp_path: Path, role: str = "picture") -> MediaRef:
    path = tmp_path / f"secret place {role}.png"
    path.write_bytes(media.png(shade=50 if role == "mask" else 120))
    return adapter.put(path, role)


def test_pictures_are_changed_under_a_mask(server: OpenAIServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path, input_token_micros=5.0, output_token_micros=40.0)
    given = [put(adapter, tmp_path), put(adapter, tmp_path, "reference"), put(adapter, tmp_path, "mask")]
    job = job_of(
        "openai", MODEL, *given, prompt="ink", ratio="3:2", quality="high", count=2, format="jpeg", seed=None
    )
    assert adapter.create(job).patience_s > 120
    handle = adapter.submit(job)
    parts = server.log[0].parts
    assert [(name, file) for name, file, _, _ in parts if file] == [
        ("image[]", "picture00.png"), ("image[]", "picture01.png"), ("mask", "picture00.png"),
    ]  # fmt: skip
    assert {name: body.decode() for name, file, _, body in parts if not file} == {
        "model": MODEL, "prompt": "ink", "size": "1536x1024", "quality": "high", "n": "2", "output_format": "jpeg",
    }  # fmt: skip
    done = adapter.poll(handle)
    assert done.state is State.SUCCEEDED and done.cost_micros == 40_500
    files = [adapter.fetch(out, tmp_path / "got")[0].path for out in done.outputs]
    assert [path.name for path in files] == ["00.jpg", "01.jpg"] and files[0].read_bytes() == media.jpeg()
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED


def test_words_alone(server: OpenAIServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path)
    done = adapter.poll(adapter.submit(job_of("openai", MODEL, prompt="a lantern", count=1)))
    assert server.log[0].json == {"model": MODEL, "prompt": "a lantern", "n": 1}
    assert done.cost_micros is None and [out.media_type for out in done.outputs] == ["image/png"]
    with pytest.raises(ProviderRejected, match="mask only with the picture"):
        adapter.submit(job_of("openai", MODEL, put(adapter, tmp_path, "mask")))


def test_refusals(server: OpenAIServer, tmp_path: Path) -> None:
    adapter = of(server, tmp_path)
    with pytest.raises(ProviderRejected, match=r"did not allow this.*safety system"):
        adapter.submit(job_of("openai", MODEL, prompt="forbidden"))
    server.paid = False
    with pytest.raises(ProviderRejected, match="payment or credits"):
        adapter.submit(job_of("openai", MODEL))
    server.faults = [Fault(answer=Answer(429, {"error": {"code": "rate_limit_exceeded", "message": "slow"}}))]
    with pytest.raises(ProviderBusy, match="slow down"):
        adapter.submit(job_of("openai", MODEL))
    for body in ({"data": []}, {"data": [{"b64_json": "%"}, {"b64_json": None}, 3]}, {}):
        server.faults = [Fault(answer=Answer(200, body))]
        ended = adapter.poll(adapter.submit(job_of("openai", MODEL)))
        assert ended.state is State.FAILED and ended.failure is not None and ended.failure.billed is None
    with pytest.raises(ProviderRejected) as caught:
        of(server, tmp_path, {"OPENAI_API_KEY": "sk-this-is-a-wrong-key"}).submit(job_of("openai", MODEL))
    assert "did not accept the key" in str(caught.value) and "sk-this" not in str(caught.value)


def test_a_lost_answer_is_not_asked_for_again(server: OpenAIServer, tmp_path: Path) -> None:
    adapter, job = of(server, tmp_path), job_of("openai", MODEL)
    for fault in (Fault(drop="after"), Fault(cut=30), Fault(answer=Answer(502, {}))):
        server.faults = [fault]
        with pytest.raises(Uncertain):
            adapter.submit(job)
    assert server.made == 2
    with pytest.raises(Refused):
        adapter.find(job, 0.0)
    adapter.submit(job)
    assert adapter.find(job, 0.0) is not None
