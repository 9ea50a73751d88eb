# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's SDK goes the whole way with the loopback server, and our requests are its own."""

from pathlib import Path

import pytest
from holdfast.clients.contract import CancelOutcome, MediaRef, State

from tests.loopback.ark import ArkServer
from tests.loopback.compare import assert_same
from tests.loopback.harness import adapter_for, job_of

sdk = pytest.importorskip("volcenginesdkarkruntime")
MODEL = "dreamina-seedance-2-5-260628"
URL = "https://example.org/clip.mp4"
CONTENT = [
    {"type": "text", "text": "ink drawing"},
    {"type": "video_url", "video_url": {"url": URL}, "role": "reference_video"},
]
OWN = "0b6f5a1e-3c1d-4a8e-9f20-5d1c2b3a4e5f"


def test_task_status_list_and_cancel(tmp_path: Path) -> None:
    with ArkServer() as server:
        tasks = sdk.Ark(base_url=server.base, api_key=server.key, max_retries=0).content_generation.tasks
        made = tasks.create(
            model=MODEL, content=CONTENT, watermark=False, ratio="adaptive", duration=-1, resolution="720p",
            generate_audio=False, omni_reference_task_type="video_editing", safety_identifier=OWN,
        )  # fmt: skip
        assert [tasks.get(task_id=made.id).status for _ in range(2)] == ["queued", "running"]
        done = tasks.get(task_id=made.id)
        assert done.status == "succeeded" and done.content.video_url and done.usage.completion_tokens
        assert done.safety_identifier == OWN
        assert tasks.list(page_num=1, page_size=100, model=MODEL).items[0].id == made.id
        server.script = ["queued"]
        second = tasks.create(model=MODEL, content=CONTENT, duration=-1, ratio="adaptive")
        tasks.delete(task_id=second.id)
        assert tasks.get(task_id=second.id).status == "cancelled"
        theirs, server.log[:] = list(server.log), []

        ark = adapter_for("ark", MODEL, server, tmp_path, base=server.base)
        job = job_of(
            "ark", MODEL, MediaRef("https", URL, "source_video"), own_id=OWN, audio=False, resolution="720p"
        )
        handle = ark.submit(job)
        assert ark.poll(handle).state is State.QUEUED
        assert ark.find(job, 0.0) is not None
        assert ark.cancel(handle) is CancelOutcome.REQUESTED
        ours = server.log
        assert_same(ours[0], theirs[0])
        assert_same(ours[2], next(r for r in theirs if "page_num" in r.query))
        mine, other = ours[-1], next(r for r in theirs if r.method == "DELETE")
        assert mine.path.rpartition("/")[0] == other.path.rpartition("/")[0]
        assert (mine.method, mine.json, mine.headers["authorization"]) == (
            other.method, other.json, other.headers["authorization"])  # fmt: skip
        assert ours[1].path.rpartition("/")[0] == theirs[1].path.rpartition("/")[0]
