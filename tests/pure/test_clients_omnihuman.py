# SPDX-License-Identifier: GPL-3.0-or-later
"""Volcengine's visual API: signed requests, failures inside a success, no way to cancel or find."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4
from tests.loopback.omnihuman import VisualServer, said
from tests.loopback.server import Answer, Fault

MODEL = "jimeng_realman_avatar_picture_omni_v15"
INPUTS = [
    MediaRef("https", f"https://example.org/{n}", role)
    for n, role in (("a.png", "picture"), ("a.mp3", "audio"))
]


@pytest.fixture
def server() -> Iterator[VisualServer]:
    with VisualServer() as running:
        yield running


@pytest.fixture
def human(server: VisualServer, tmp_path: Path) -> Adapter:
    return adapter_for("omnihuman", MODEL, server, tmp_path / "spool")


def test_a_picture_speaks(human: Adapter, server: VisualServer, tmp_path: Path) -> None:
    mask = MediaRef("https", "https://example.org/m.png", "mask")
    handle = human.submit(job_of("omnihuman", MODEL, *INPUTS, mask, seed=5, resolution="1080", fast=True))
    assert server.log[0].json == {
        "req_key": MODEL, "image_url": INPUTS[0].value, "audio_url": INPUTS[1].value, "mask_url": [mask.value],
        "prompt": "ink drawing", "seed": 5, "output_resolution": 1080, "pe_fast_mode": True,
    }  # fmt: skip
    assert [human.poll(handle).state for _ in range(2)] == [State.QUEUED, State.RUNNING]
    done = human.poll(handle)
    assert human.fetch(done.outputs[0], tmp_path / "out")[0].path.read_bytes() == mp4()
    assert human.cancel(handle) is CancelOutcome.UNSUPPORTED
    with pytest.raises(Refused):
        human.find(job_of("omnihuman", MODEL, *INPUTS), 0.0)


def test_a_picture_moves_as_a_clip_does(server: VisualServer, tmp_path: Path) -> None:
    actor = adapter_for("omnihuman", "jimeng_dreamactor_m20_gen_video", server, tmp_path)
    clip = MediaRef("https", "https://example.org/a.mp4", "source_video")
    handle = actor.submit(job_of("omnihuman", actor.model.model, INPUTS[0], clip))
    assert "prompt" not in server.log[0].json and until_done(actor, handle).state is State.SUCCEEDED


@pytest.mark.parametrize("pair", ["AKexample:wrong", "AKother:secret-of-the-loopback"])
def test_wrong_keys(server: VisualServer, tmp_path: Path, pair: str) -> None:
    other = adapter_for("omnihuman", MODEL, server, tmp_path, keys={"HOLDFAST_OMNIHUMAN_KEY": pair})
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        other.submit(job_of("omnihuman", MODEL, *INPUTS))
    with pytest.raises(Refused, match="no key"):
        adapter_for("omnihuman", MODEL, server, tmp_path, keys={"HOLDFAST_OMNIHUMAN_KEY": "half"})


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (said(50413, "risk"), ProviderRejected, "refused the content"),
        (said(50215, "invalid"), ProviderRejected, "invalid"),
        (said(50429, "limit"), ProviderBusy, "slow down"),
        (said(50430, "limit"), ProviderBusy, "at once"),
        (said(50500, "internal"), Uncertain, "error of its own"),
        (Answer(429, {}), ProviderBusy, "slow down"),
    ],
)
def test_a_refused_create_is_sent_once(
    human: Adapter, server: VisualServer, answer: Answer, error: type, words: str
) -> None:
    server.faults.append(Fault(answer=answer))
    with pytest.raises(error, match=words):
        human.submit(job_of("omnihuman", MODEL, *INPUTS))
    assert len(server.log) == 1


def test_failures_inside_a_success(human: Adapter, server: VisualServer) -> None:
    server.script = ["risk"]
    failure = until_done(human, human.submit(job_of("omnihuman", MODEL, *INPUTS))).failure
    assert failure is not None and failure.kind is FailureKind.MODERATED
    server.script = ["expired"]
    handle = human.submit(job_of("omnihuman", MODEL, *INPUTS))
    assert human.poll(handle).state is State.EXPIRED
    server.faults.append(Fault(answer=said(50429)))
    with pytest.raises(ProviderBusy):
        human.poll(handle)
    server.tasks.clear()
    assert human.poll(handle).state is State.UNKNOWN
    assert human.poll(aged(handle, 1e5)).state is State.EXPIRED
