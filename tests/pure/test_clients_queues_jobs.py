# SPDX-License-Identifier: GPL-3.0-or-later
"""fal, Replicate, ComfyUI and NIM as jobs have them: an adapter made anew for every step, and answers that get lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients import jobs as jobs_module
from holdfast.clients.descriptor import read_catalogue
from holdfast.clients.jobs import Runner
from holdfast.pipeline.context import Context
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from tests.loopback.comfyui import ComfyUI
from tests.loopback.fal import Fal
from tests.loopback.harness import built_in
from tests.loopback.media import mp4
from tests.loopback.nvidia import NIM
from tests.loopback.replicate import Replicate
from tests.loopback.server import Fault, Loopback

DEPTH, SAM = "fal-ai/wan-22-vace-fun-a14b/depth", "meta/sam-2-video"
FLOW = {
    "1": {"class_type": "VHS_LoadVideo", "inputs": {"video": "x"}, "_meta": {"title": "Holdfast depth"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "?", "clip": ["1", 1]}, "_meta": {"title": "Holdfast prompt"}},
    "9": {"class_type": "VHS_VideoCombine", "inputs": {"images": ["1", 0], "frame_rate": 16}},
}  # fmt: skip
CASES = {
    "fal": (Fal, DEPTH, "control_video", {}, ("POST", "/depth$")),
    "replicate": (Replicate, SAM, "source_video", {"click_coordinates": "[1,2]"}, ("POST", "/predictions$")),
    "comfyui": (
        ComfyUI,
        "wan-vace",
        "control_video",
        {"workflow": FLOW, "control": "depth"},
        ("POST", "/prompt$"),
    ),
    "nvidia": (NIM, "cosmos3-transfer", "control_video", {"control": "depth"}, ("POST", "/v1/infer$")),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Loopback]]:
    monkeypatch.setattr(jobs_module, "TICK_S", 0.005)
    monkeypatch.setattr("holdfast.clients.wire.FIRST_WAIT_S", 0.001)
    with CASES[request.param][0]() as server:
        for name in ("HOLDFAST_FAL_KEY", "HOLDFAST_REPLICATE_KEY"):
            monkeypatch.setenv(name, server.key)
        yield request.param, server


class Swift(Runner):
    """Waits for nothing between polls."""

    def go_on(self, steps: int = 30) -> None:
        for _ in range(steps):
            self._paces.clear()  # services' limits on polls are others' tests
            for job in self.store.jobs():
                self.work(job.id)


def made(service: str, server: Loopback, project: Path, **more: Any) -> tuple[Swift, str]:
    _, model, role, options, _ = CASES[service]
    film = project / "clip.mp4"
    film.write_bytes(mp4())
    asked = {
        "inputs": [{"path": str(film), "role": role, "sha256": ""}],
        "prompt": "ink",
        "options": {**options, **more},
    }
    if service == "replicate":
        asked["prompt"] = ""
    store = JobStore(project)
    job = store.prepare(
        asked, Caps(), price=0, provider=service, model=model, shot="sh010", purpose="style", digest="d"
    )
    base = f"{server.url}/v1" if service == "replicate" else server.url
    return Swift(store, built_in(), False, Context(), {service: {"base": base, "rest": server.url}}), job.id


def test_from_the_clip_to_the_result(case: tuple[str, Loopback], tmp_path: Path) -> None:
    service, server = case
    runner, job = made(service, server, tmp_path)
    runner.go_on()
    done = runner.store.get(job)
    assert done.step is Step.READY, done.says
    assert len(runner.store.results(done)) == (3 if service == "replicate" else 1)
    assert len(server.of(*CASES[service][4])) == 1


def test_an_answer_that_is_lost_is_never_a_second_bill(case: tuple[str, Loopback], tmp_path: Path) -> None:
    service, server = case
    runner, job = made(service, server, tmp_path)
    server.faults.append(Fault(CASES[service][4], drop="after"))
    runner.go_on()
    found = runner.store.get(job)
    assert len(server.of(*CASES[service][4])) == 1
    can_be_asked = service in ("replicate", "comfyui")
    assert found.step is (Step.READY if can_be_asked else Step.UNCERTAIN), found.says


def test_a_job_that_does_not_fit_is_refused_and_not_in_doubt(
    case: tuple[str, Loopback], tmp_path: Path
) -> None:
    service, server = case
    wrong = {"comfyui": {"width": 832}, "nvidia": {"control": ["seg", "wsm"]}}.get(service, {"nonsense": 1})
    runner, job = made(service, server, tmp_path, **wrong)
    runner.go_on(3)
    assert runner.store.get(job).step is Step.FAILED and not server.of(*CASES[service][4])


def test_cancel(case: tuple[str, Loopback], tmp_path: Path) -> None:
    service, server = case
    if service == "nvidia":
        pytest.skip("it has answered before it could be stopped")
    runner, job = made(service, server, tmp_path)
    runner.go_on(1)
    runner.store.move(job, Step.CANCELLING)
    runner.go_on(10)
    assert runner.store.get(job).step is Step.CANCELLED, runner.store.get(job).says


def test_services_are_complete() -> None:
    services = read_catalogue().services
    for name in CASES:
        assert services[name].keys[0] == f"HOLDFAST_{name.upper()}_KEY" and services[name].retention
