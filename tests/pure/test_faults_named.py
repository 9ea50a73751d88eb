# SPDX-License-Identifier: GPL-3.0-or-later
"""A person says "it is there" and gives the id that the account shows: every adapter can go on with that alone, or says
plainly that it can't."""

import json
import time
from pathlib import Path

import pytest
from holdfast.clients import job_steps
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import Handle, MediaRef, State
from holdfast.clients.job_steps import handle_of
from holdfast.pipeline import jobs_decide
from holdfast.pipeline.errors import ExitCode, ProviderRejected, UsageError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.money import Caps

from tests.loopback.fal import Fal as FalServer
from tests.loopback.harness import adapter_for, built_in, job_of, until_done
from tests.loopback.ltx import LtxServer
from tests.loopback.meshy import MeshyServer
from tests.loopback.rodin import RodinServer
from tests.loopback.server import Loopback

REMOTE = "task-4711"
NETWORK = sorted(name for name, model in built_in().models.items() if model.network and model.adapter)
KEYS = {"KEY": "a", "SECRET": "b"}


def given(service: str) -> Handle:
    """What is written down of a job that a person found."""
    return Handle(service, REMOTE, "", time.time() - 999)


def adapter(name: str, folder: Path, server: Loopback) -> Adapter:
    service, _, model = name.partition("/")
    base = server.url if service != "comfyui" else "http://127.0.0.1:9"
    return adapter_for(service, model, server, folder / "spool", base=base)


@pytest.mark.parametrize("name", NETWORK)
def test_an_id_alone_leads_to_the_job_or_to_a_sentence(name, tmp_path):
    ours, (service, _, model) = adapter(name, tmp_path, Loopback()), name.partition("/")
    try:
        handle = ours.named(given(service), job_of(service, model, MediaRef("path", "", "first")))
    except ProviderRejected as error:
        assert "can't be asked for it later. If your account there shows it" in str(error)
        assert type(ours).status is Adapter.status
        return
    call = ours.status(handle)
    told = json.dumps([call.url, dict(call.params), call.json, dict(call.form or {}), str(call.body)])
    assert REMOTE in told and handle.poll_ref and handle.job_id == REMOTE


SERVERS = [
    (FalServer, "fal", "fal-ai/wan-vace-14b/depth", MediaRef("https", "https://x/a.mp4", "control_video")),
    (MeshyServer, "meshy", "text-to-3d", None),
    (LtxServer, "ltx", "ltx-2-pro", MediaRef("https", "https://x/a.png", "first")),
]


@pytest.mark.parametrize(("kind", "service", "model", "ref"), SERVERS, ids=[each[1] for each in SERVERS])
def test_what_was_made_is_polled_by_its_id_as_by_its_own_handle(kind, service, model, ref, tmp_path):
    names = [name for name in NETWORK if name.startswith(f"{service}/")]
    model = model if f"{service}/{model}" in names else names[0].partition("/")[2]
    with kind() as server:
        ours = adapter_for(service, model, server, tmp_path / "spool")
        wanted = {"seconds": 6, "resolution": "1920x1080"} if service == "ltx" else {}
        job = job_of(service, model, *([ref] if ref else []), **wanted)
        handle = ours.submit(job)
        by_id = ours.named(Handle(service, handle.job_id, "", time.time()), job)
        assert ours.status(by_id) == ours.status(handle)
        assert until_done(ours, by_id).state is State.SUCCEEDED


def test_rodin_is_asked_for_the_files_of_a_task_whose_key_was_lost(tmp_path):
    with RodinServer() as server:
        ours = adapter_for("rodin", "gen-2", server, tmp_path / "spool")
        job = job_of("rodin", "gen-2")
        made = ours.submit(job)
        by_id = ours.named(Handle("rodin", made.job_id, "", time.time() - 999), job)
        done = ours.poll(by_id)
        assert done.state is State.SUCCEEDED and done.outputs[0].media_type == "model/gltf-binary"
        unknown = ours.named(Handle("rodin", "uuid-9", "", time.time() - 999), job)
        assert ours.poll(unknown).state is State.EXPIRED


def test_a_found_job_goes_on_with_what_was_asked_for(tmp_path):
    """Which address a job is asked for below may follow from its inputs, which are in its request."""
    store = JobStore(tmp_path)
    request = {
        "inputs": [{"path": "/gone.png", "role": "first", "sha256": "x"}],
        "prompt": "p",
        "options": {},
    }
    facts = {"provider": "ltx", "model": "m", "shot": "", "purpose": "take"}
    job = store.prepare(request, Caps(), price=1, **facts)
    store.move(job.id, Step.SUBMITTING, begun=time.time())
    store.move(job.id, Step.UNCERTAIN)
    found = jobs_decide.found(store, job.id, " task-1 ")
    model = next(name for name in NETWORK if name.startswith("ltx/")).partition("/")[2]
    ours = adapter_for("ltx", model, Loopback(), tmp_path / "spool")
    assert handle_of(store, found, ours).poll_ref == "v2/image-to-video/task-1"
    assert job_steps.YOUR_TURN


@pytest.mark.parametrize(
    "wrong", ["", "a b", "../x", "x?y=1", "a#b", "x" * 300, "https://evil.invalid/..", "%2e%2e", "a\nb"]
)
def test_what_is_no_id_is_said_and_changes_nothing(tmp_path, wrong):
    store = JobStore(tmp_path)
    job = store.prepare({"inputs": []}, Caps(), price=1, provider="x", model="m", shot="", purpose="take")
    store.move(job.id, Step.SUBMITTING)
    store.move(job.id, Step.UNCERTAIN)
    with pytest.raises(UsageError, match=r"no id of a job.*Copy it from your account"):
        jobs_decide.found(store, job.id, wrong)
    assert store.get(job.id).step is Step.UNCERTAIN and UsageError.exit_code == ExitCode.USAGE
