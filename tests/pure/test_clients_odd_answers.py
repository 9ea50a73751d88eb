# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that no honest server sends: an adapter says so in an error of ours, or makes nothing of them; it never breaks."""

import json
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.calls import Reply, number
from holdfast.clients.contract import Handle, MediaRef
from holdfast.pipeline.errors import HoldfastError

from tests.loopback.harness import adapter_for, job_of
from tests.loopback.server import Loopback

ADAPTERS = [("runway", "aleph2"), ("luma", "ray-3.2"), ("luma_legacy", "ray-2"), ("kling", "kling-3.0-omni"),
            ("kling_jwt", "kling-video-o1"), ("topaz", "gcg-5")]  # fmt: skip
NAMES = (  # noqa: SIM905
    "id status state output outputs cost credits failure failureCode error code data task_id task_status task_result "
    "videos images url billing amount charge_type download progress estimates assets video failure_code "
    "failure_reason message errorCode errors path generations request created_at type requestId estimatedCost"
).split()
WORDS = ["SUCCEEDED", "FAILED", "completed", "failed", "succeeded", "succeed", "complete", "j1", "https://x/y.mp4", "unit",
         "cash", "nan", "inf", "1e999", ""]  # fmt: skip
ODD = [None, True, 0, 1, -3, 1203, 1301, 10**400, 0.5, 1e308, float("nan"), float("inf")]


def odd(random_: random.Random, depth: int = 0) -> Any:
    """Any JSON."""
    kind = random_.randrange(6 if depth < 4 else 4)
    if kind < 4:
        return random_.choice(ODD if kind < 2 else WORDS)
    if kind == 4:
        return [odd(random_, depth + 1) for _ in range(random_.randrange(3))]
    return {random_.choice(NAMES): odd(random_, depth + 1) for _ in range(random_.randrange(8))}


@pytest.mark.parametrize("service, model", ADAPTERS)
def test_odd_answers(service: str, model: str, tmp_path: Path) -> None:
    adapter = adapter_for(service, model, Loopback(), tmp_path)
    job = job_of(service, model, MediaRef("https", "https://x/a.mp4", "source_video"))
    handle, random_ = Handle(service, "j1", "j1", time.time()), random.Random(f"{service}/{model}")
    for _ in range(1500):
        body = {random_.choice(NAMES): odd(random_) for _ in range(random_.randrange(10))}
        if random_.random() < 0.5:
            body["code"] = 0
        reply = Reply(random_.choice([200, 200, 400, 429]), {}, json.dumps(body).encode())
        for ask in (
            lambda reply=reply: adapter.snapshot(reply, handle),
            lambda reply=reply: adapter.created(reply, job),
            lambda reply=reply: adapter.found(reply, job, 0.0),
            lambda reply=reply: adapter.why(reply),
        ):
            with suppress(HoldfastError, NotImplementedError):
                ask()


def test_numbers() -> None:
    assert [number(value) for value in (1, 2.5, "0.42", -1)] == [1.0, 2.5, 0.42, -1.0]
    assert [number(value) for value in (None, "", "nan", float("inf"), 10**400, [], 1e300)] == [None] * 7
    assert [Reply(429, {"retry-after": said}, b"").retry_after_s for said in ("5", "inf", "nan", "x")] == [
        5.0, None, None, None]  # fmt: skip
