# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes, pictures, plans and motion as jobs have them: an adapter made anew for every step, and answers that get lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients import jobs as jobs_module
from holdfast.clients.jobs import Runner
from holdfast.pipeline.context import Context
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from tests.loopback import media
from tests.loopback.anthropic import AnthropicServer
from tests.loopback.harness import built_in
from tests.loopback.hunyuan import HunyuanServer
from tests.loopback.hunyuan_local import HunyuanLocalServer
from tests.loopback.krea import OWN, KreaServer
from tests.loopback.meshcapade import MeshcapadeServer
from tests.loopback.meshy import MeshyServer
from tests.loopback.openai import OpenAIServer
from tests.loopback.rodin import RodinServer
from tests.loopback.server import Fault, Loopback
from tests.loopback.stability import StabilityServer
from tests.loopback.tripo import TripoServer

SHAPE = {"type": "object", "required": ["shots"], "properties": {"shots": {"type": "array"}}}
CASES: dict[str, tuple[type[Loopback], str, str, dict[str, Any], str, bool]] = {
    "meshy": (MeshyServer, "image-to-3d", "picture", {}, "/image-to-3d$", True),
    "tripo": (TripoServer, "image-to-model", "picture", {}, "/image-to-model$", False),
    "rodin": (RodinServer, "gen-2", "picture", {}, "/rodin$", False),
    "hunyuan": (HunyuanServer, "pro", "picture", {}, "^/$", False),
    "hunyuan_local": (HunyuanLocalServer, "hunyuan3d-2", "picture", {}, "/send$", False),
    "stability": (StabilityServer, "stable-fast-3d", "picture", {}, "/stable-fast-3d$", False),
    "openai": (OpenAIServer, "gpt-image-2", "picture", {}, "/edits$", False),
    "krea": (KreaServer, OWN, "reference", {}, "/generate/", False),
    "anthropic": (AnthropicServer, "messages", "picture", {"schema": SHAPE}, "/messages$", False),
    "meshcapade": (
        MeshcapadeServer,
        "mocapade-avatar",
        "source_video",
        {"format": "glb"},
        "/fit-to-video$",
        True,
    ),
}  # service: server, model, role, options, where its create goes, whether it can be asked for a lost one
WORDLESS = ("hunyuan", "tripo", "meshcapade", "stability", "hunyuan_local")


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Loopback]]:
    monkeypatch.setattr(jobs_module, "TICK_S", 0.005)
    monkeypatch.setattr("holdfast.clients.wire.FIRST_WAIT_S", 0.001)
    with CASES[request.param][0]() as server:
        monkeypatch.setenv(f"HOLDFAST_{request.param.upper()}_KEY", server.key)
        yield request.param, server


class Swift(Runner):
    """Waits for nothing between polls."""

    def go_on(self, steps: int = 12) -> None:
        for _ in range(steps):
            self._paces.clear()
            for job in self.store.jobs():
                self.work(job.id)


def made(service: str, server: Loopback, project: Path, **more: Any) -> tuple[Swift, str]:
    _, model, role, options, _, _ = CASES[service]
    file = project / ("a.mp4" if role == "source_video" else "a.png")
    file.write_bytes(media.mp4() if role == "source_video" else media.png())
    asked = {
        "inputs": [{"path": str(file), "role": role, "sha256": ""}],
        "prompt": "" if service in WORDLESS else "ink", "options": {**options, **more},
    }  # fmt: skip
    store = JobStore(project)
    job = store.prepare(
        asked, Caps(), price=0, provider=service, model=model, shot="sh010", purpose="style", digest="d"
    )
    base = f"{server.url}/v1" if service == "openai" else server.url
    told = {service: {"base": base, "model": "model-under-test"}}
    return Swift(store, built_in(), False, Context(), told), job.id


def creates(service: str, server: Loopback) -> int:
    """Requests that made a job; Tencent's all go to one address."""
    found = server.of("POST", CASES[service][4])
    return len([one for one in found if one.headers.get("x-tc-action", "Submit").startswith("Submit")])


def test_from_the_file_to_the_result(case: tuple[str, Loopback], tmp_path: Path) -> None:
    service, server = case
    runner, job = made(service, server, tmp_path)
    runner.go_on()
    done = runner.store.get(job)
    assert done.step is Step.READY, done.says
    assert runner.store.results(done) and creates(service, server) == 1


def test_an_answer_that_is_lost_is_never_a_second_bill(case: tuple[str, Loopback], tmp_path: Path) -> None:
    service, server = case
    runner, job = made(service, server, tmp_path)
    server.faults.append(Fault(("POST", CASES[service][4]), drop="after"))
    runner.go_on()
    found = runner.store.get(job)
    assert creates(service, server) == 1
    assert found.step is (Step.READY if CASES[service][5] else Step.UNCERTAIN), found.says


def test_a_job_that_does_not_fit_is_refused_and_not_in_doubt(
    case: tuple[str, Loopback], tmp_path: Path
) -> None:
    service, server = case
    runner, job = made(service, server, tmp_path, nonsense=1)
    runner.go_on(3)
    assert runner.store.get(job).step is Step.FAILED and creates(service, server) == 0


def test_a_file_that_is_too_large_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MeshyServer() as server:
        monkeypatch.setenv("HOLDFAST_MESHY_KEY", server.key)
        runner, job = made("meshy", server, tmp_path)
        (tmp_path / "a.png").write_bytes(media.png() + bytes(20_000_000))
        runner.go_on(3)
        ended = runner.store.get(job)
    assert (
        ended.step is Step.FAILED and "larger than Meshy image to 3D takes" in ended.says and not server.log
    )


def test_what_was_billed_without_a_result_stays_billed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AnthropicServer() as server:
        monkeypatch.setenv("HOLDFAST_ANTHROPIC_KEY", server.key)
        runner, job = made("anthropic", server, tmp_path)
        runner.settings["anthropic"]["output_token_micros"] = 10
        server.reason = "refusal"
        runner.go_on(3)
        ended = runner.store.get(job)
    assert ended.step is Step.FAILED and "refused to answer" in ended.says
    assert ended.cost == 2000
