# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's SDK goes the whole way with the loopback server, and our requests are its own."""

from pathlib import Path

import pytest
from holdfast.clients.contract import CancelOutcome, MediaRef, State

from tests.loopback.compare import COUNTED, assert_same
from tests.loopback.dashscope import DashScopeServer
from tests.loopback.harness import adapter_for, job_of
from tests.loopback.media import mp4

dashscope = pytest.importorskip("dashscope")
EDIT, VACE = "wan2.7-videoedit", "wan2.1-vace-plus"
HEADERS = (*COUNTED, "x-dashscope-async", "x-dashscope-ossresourceresolve")
FREE = {"extend_prompt", "url"}  # the SDK adds a field that it calls deprecated; names in the store are ours


def test_upload_edit_status_and_cancel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    with DashScopeServer() as server:
        monkeypatch.setattr(dashscope, "base_http_api_url", f"{server.url}/api/v1")
        theirs_api = dashscope.VideoSynthesis
        made = theirs_api.async_call(
            model=EDIT, prompt="ink drawing", negative_prompt="blur", api_key=server.key, seed=1, resolution="720P",
            media=[{"type": "video", "url": f"file://{clip}"}], audio_setting="origin", prompt_extend=False,
            watermark=False,
        )  # fmt: skip
        assert made.status_code == 200 and made.output.task_status == "PENDING"
        states = [
            theirs_api.fetch(made.output.task_id, api_key=server.key).output.task_status for _ in range(2)
        ]
        done = theirs_api.fetch(made.output.task_id, api_key=server.key)
        assert states == ["PENDING", "RUNNING"] and done.output.video_url.startswith(server.url)
        second = theirs_api.async_call(
            model=VACE, prompt="ink drawing", api_key=server.key, control_condition="depth", strength=0.9,
            extra_input={"function": "video_repainting", "video_url": "https://example.org/a.mp4"},
            prompt_extend=False, watermark=False,
        )  # fmt: skip
        assert theirs_api.cancel(second.output.task_id, api_key=server.key).status_code == 200
        theirs, server.log[:] = list(server.log), []

        wan = adapter_for("dashscope", EDIT, server, tmp_path / "spool")
        job = job_of(
            "dashscope", EDIT, wan.put(clip, "source_video"), seed=1, resolution="720P", sound="origin", negative="blur"
        )  # fmt: skip
        handle = wan.submit(job)
        assert [wan.poll(handle).state for _ in range(3)][-1] is State.SUCCEEDED
        vace = adapter_for("dashscope", VACE, server, tmp_path / "spool")
        source = MediaRef("https", "https://example.org/a.mp4", "source_video")
        handle = vace.submit(job_of("dashscope", VACE, source, control="depth", strength=0.9))
        assert vace.cancel(handle) is CancelOutcome.REQUESTED
        ours = server.log
        assert [r.method for r in ours] == [r.method for r in theirs]
        for mine, other in zip(ours, theirs, strict=True):
            task = "/tasks/" in mine.path
            # the SDK names a function for every model; ours only where the document has one
            free = {*FREE, "key", *(() if VACE.encode() in mine.body else ("function",))}
            if task:
                assert mine.path.split("/")[:4] == other.path.split("/")[:4]
                assert mine.headers["authorization"] == other.headers["authorization"]
            else:
                assert_same(mine, other, free=free, headers=HEADERS)
