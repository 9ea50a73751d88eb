# SPDX-License-Identifier: GPL-3.0-or-later
"""fal's own client drives the loopback server, and our requests are its requests."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fal_client.client as fal_module
import pytest
from fal_client import Completed, FalClientHTTPError, Queued, SyncClient
from holdfast.clients.contract import CancelOutcome, Handle, State
from holdfast.clients.payload import body_of
from holdfast.clients.providers import fal as ours_module

from tests.loopback.compare import COUNTED, assert_same
from tests.loopback.fal import Fal, refused
from tests.loopback.harness import adapter_for, job_of, model_of, until_done
from tests.loopback.media import mp4
from tests.loopback.server import Received

DEPTH = "fal-ai/wan-22-vace-fun-a14b/depth"
UPLOAD = (*COUNTED, "x-fal-object-lifecycle", "x-fal-object-lifecycle-preference", "accept")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fal]:
    with Fal() as made:
        monkeypatch.setattr(fal_module, "QUEUE_URL_FORMAT", made.url + "/")
        monkeypatch.setattr(fal_module, "REST_URL", made.url)
        monkeypatch.setattr(fal_module, "CDN_URL", made.url)
        yield made


def test_whole_cycle_and_equal_requests(server: Fal, tmp_path: Path) -> None:
    film = tmp_path / "input.mp4"
    film.write_bytes(mp4())
    theirs = SyncClient(key=server.key)
    ours = adapter_for("fal", DEPTH, server, tmp_path, settings={"rest": server.url})

    url = theirs.upload_file(film)
    ref = ours.put(film, "control_video")
    for pattern in ("/storage/auth/token", "/files/upload"):
        their, our = server.of("POST", pattern)
        headers = COUNTED if pattern == "/files/upload" else (*COUNTED, "accept")
        assert_same(our, their, headers=headers)
        assert our.body == their.body or pattern.startswith("/storage")
    assert [body for _, body in server.uploads.values()] == [mp4(), mp4()]
    their, our = server.of("POST", "/files/upload")
    assert our.headers["x-fal-file-name"] == their.headers["x-fal-file-name"] == "input.mp4"

    job = job_of("fal", DEPTH, ref, seed=7, resolution="720p")
    body = {**body_of(job, model_of("fal", DEPTH)), "video_url": url}
    handle = theirs.submit(DEPTH, body)
    mine = ours.submit(job)
    their, our = server.of("POST", "depth$")
    assert_same(our, their, free={"video_url"})

    assert isinstance(handle.status(), Queued) and ours.poll(mine).state is State.QUEUED
    their, our = server.of("GET", "/status$")
    number = {"path": ""}
    assert {**vars(our), **number, "headers": 0, "at": 0} == {**vars(their), **number, "headers": 0, "at": 0}
    assert handle.get(interval=0)["video"]["url"].endswith("/files/out.mp4")
    assert until_done(ours, mine).state is State.SUCCEEDED
    their, our = (each for each in server.of("GET", "requests/[^/]+$"))
    assert our.query == their.query and our.headers["authorization"] == their.headers["authorization"]


def test_a_large_file_goes_in_parts(server: Fal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fal_module, "MULTIPART_THRESHOLD", 1000)
    monkeypatch.setattr(fal_module, "MULTIPART_CHUNK_SIZE", 1000)
    monkeypatch.setattr(ours_module, "MULTIPART_ABOVE", 1000)
    monkeypatch.setattr(ours_module, "PART", 1000)
    film = tmp_path / "input.mp4"
    film.write_bytes(mp4())
    SyncClient(key=server.key).upload_file(film)
    their = list(server.log)
    ours = adapter_for("fal", DEPTH, server, tmp_path, settings={"rest": server.url})
    ref = ours.put(film, "control_video")
    mine = server.log[len(their) :]
    assert [body for _, body in server.uploads.values()] == [mp4(), mp4()]
    assert ref.value.endswith("/files/b/1_input.mp4")

    def key(each: Received) -> tuple[str, str]:
        return each.method, each.path.replace("/1_", "/0_")

    for our, other in zip(sorted(mine, key=key), sorted(their, key=key), strict=True):
        ordered = replace(other, path=other.path.replace("/0_", "/1_"))
        if our.method == "POST" and our.path.endswith("complete"):  # theirs go side by side
            ordered = replace(
                ordered, body=json.dumps({"parts": sorted(other.json["parts"], key=by_number)}).encode()
            )
        assert_same(our, ordered)
        assert our.method != "PUT" or our.body == other.body


def by_number(part: dict[str, int]) -> int:
    return part["partNumber"]


def test_cancel_is_the_same_request(server: Fal, tmp_path: Path) -> None:
    theirs = SyncClient(key=server.key)
    ours = adapter_for("fal", DEPTH, server, tmp_path, settings={"rest": server.url})
    body = {"prompt": "ink", "video_url": f"{server.url}/files/out.mp4"}
    handle = theirs.submit(DEPTH, body)
    handle.cancel()
    assert isinstance(handle.status(), Completed)
    rebuilt = theirs.get_handle(DEPTH, handle.request_id)
    assert rebuilt.cancel_url == handle.cancel_url, "the addresses are those that the vendor builds"
    mine = Handle("fal", handle.request_id, handle.status_url, 0.0, {
        "status_url": handle.status_url, "response_url": handle.response_url, "cancel_url": handle.cancel_url,
    })  # fmt: skip
    assert ours.cancel(mine) is CancelOutcome.TOO_LATE
    their, our = server.of("PUT")
    assert_same(our, their)


def test_the_vendor_reads_the_servers_refusals(server: Fal) -> None:
    theirs = SyncClient(key=server.key)
    server.result = refused("prompt", "flagged", "content_policy_violation")
    handle = theirs.submit(DEPTH, {"prompt": "x"})
    with pytest.raises(FalClientHTTPError) as told:
        handle.get(interval=0)
    assert told.value.status_code == 422 and told.value.error_type == "content_policy_violation"
    with pytest.raises(FalClientHTTPError):
        SyncClient(key="wrong").submit(DEPTH, {"prompt": "x"})
