# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that no honest server sends: the adapters of films and pictures say so in an error of ours; none breaks."""

import json
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.calls import Reply, table_of, tables_of
from holdfast.clients.contract import Handle
from holdfast.pipeline.errors import HoldfastError

from tests.loopback.harness import adapter_for, job_of
from tests.loopback.server import Loopback

ADAPTERS = [
    ("ark", "seedance-1-5-pro-251215"), ("gemini", "gemini-omni-1.2-flash"), ("gemini", "gemini-3.1-flash-image"),
    ("dashscope", "wan2.7-videoedit"), ("minimax", "MiniMax-H3"), ("minimax", "MiniMax-Hailuo-02"), ("ltx", "ltx-2-3-pro"),
    ("omnihuman", "jimeng_realman_avatar_picture_omni_v15"),
]  # fmt: skip
NAMES = (  # noqa: SIM905
    "id status task task_id output task_status video_url content url error errors code message details retryDelay items "
    "safety_identifier steps candidates parts inlineData data mimeType finishReason promptFeedback blockReason file "
    "file_id base_resp status_code status_msg result usage type exr_frames_url uri responseId"
).split()
WORDS = ["succeeded", "completed", "done", "SUCCEEDED", "FAILED", "failed", "Success", "Fail", "UNKNOWN", "not_found", "",
         "RESOURCE_EXHAUSTED", "video", "https://x/y.mp4", "AA==", "!", "0b6f5a1e-3c1d-4a8e-9f20-5d1c2b3a4e5f"]  # fmt: skip
ODD = [None, True, 0, 1, -3, 1002, 1026, 10000, 50411, 10**400, 0.5, float("nan")]


def odd(random_: random.Random, depth: int = 0) -> Any:
    """Any JSON."""
    kind = random_.randrange(6 if depth < 4 else 4)
    if kind < 4:
        return random_.choice(ODD if kind < 2 else WORDS)
    if kind == 4:
        return [odd(random_, depth + 1) for _ in range(random_.randrange(3))]
    return {random_.choice(NAMES): odd(random_, depth + 1) for _ in range(random_.randrange(8))}


@pytest.mark.parametrize(("service", "model"), ADAPTERS)
def test_odd_answers(service: str, model: str, tmp_path: Path) -> None:
    keys = {"HOLDFAST_OMNIHUMAN_KEY": "id:key"} if service == "omnihuman" else None
    adapter = adapter_for(service, model, Loopback(), tmp_path, keys=keys)
    adapter.wire.ask = lambda call: Reply(404, {}, b"{}")  # type: ignore[method-assign]
    job = job_of(service, model)
    handle, random_ = Handle(service, "j1", "j1", time.time()), random.Random(f"{service}/{model}")
    for _ in range(400):
        body = {random_.choice(NAMES): odd(random_) for _ in range(random_.randrange(10))}
        if random_.random() < 0.5:
            body |= {"status": random_.choice(WORDS), "code": 10000}
        reply = Reply(random_.choice([200, 200, 400, 422, 429]), {}, json.dumps(body).encode())
        for ask in (
            lambda reply=reply: adapter.snapshot(reply, handle),
            lambda reply=reply: adapter.created(reply, job),
            lambda reply=reply: adapter.found(reply, job, 0.0),
            lambda reply=reply: adapter.why(reply),
        ):
            with suppress(HoldfastError, NotImplementedError):
                ask()


def test_tables() -> None:
    assert table_of({"a": 1}) == {"a": 1} and table_of([]) == table_of(None) == {}
    assert tables_of([{"a": 1}, 2]) == [{"a": 1}] and tables_of({"a": 1}) == tables_of(None) == []
