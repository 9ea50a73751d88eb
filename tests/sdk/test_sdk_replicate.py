# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicate's own client drives the loopback server, and our requests are its requests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import replicate as vendor
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.clients.payload import body_of
from replicate.exceptions import ReplicateError

from tests.loopback.compare import COUNTED, assert_same
from tests.loopback.harness import adapter_for, job_of, model_of, until_done
from tests.loopback.media import mp4
from tests.loopback.replicate import VERSION, Replicate

SAM, SEEDANCE = "meta/sam-2-video", "bytedance/seedance-2.0"


@pytest.fixture
def server() -> Iterator[Replicate]:
    with Replicate() as made:
        yield made


def test_files_and_a_prediction_by_version(server: Replicate, tmp_path: Path) -> None:
    theirs = vendor.Client(api_token=server.key, base_url=server.url)
    ours = adapter_for("replicate", SAM, server, tmp_path, base=server.base, settings={"wait_s": 5})
    film = tmp_path / "input.mp4"
    film.write_bytes(mp4())
    file, ref = theirs.files.create(film), ours.put(film, "source_video")
    their, our = server.of("POST", "/files")
    assert_same(our, their)
    assert our.parts == their.parts, "name and type of the part too"

    job = job_of("replicate", SAM, ref, prompt="", click_coordinates="[1,2]")
    body = {**body_of(job, model_of("replicate", SAM)), "input_video": file.urls["get"]}
    version = theirs.models.get(SAM).latest_version.id
    assert version == VERSION
    made = theirs.predictions.create(version=version, input=body, wait=5)
    assert made.status == "succeeded", "it waited"
    mine = ours.submit(job)
    their, our = server.of("POST", "/predictions$")
    assert_same(our, their, free={"input_video"}, headers=(*COUNTED, "prefer"))
    their, our = server.of("GET", "/models/")
    assert_same(our, their)

    made.reload()
    assert until_done(ours, mine).state is State.SUCCEEDED and len(made.output) == 3
    their, our = server.of("GET", "/predictions/")
    assert {"path": 0} | {**as_plain(our), "path": 0} == {**as_plain(their), "path": 0}


def as_plain(received: object) -> dict[str, object]:
    """What counts of a GET."""
    from tests.loopback.compare import as_data

    return as_data(received)  # type: ignore[arg-type]


def test_by_model_cancel_and_list(server: Replicate, tmp_path: Path) -> None:
    theirs = vendor.Client(api_token=server.key, base_url=server.url)
    ours = adapter_for("replicate", SEEDANCE, server, tmp_path, base=server.base)
    job = job_of("replicate", SEEDANCE, MediaRef("https", "https://a/b.png", "first"), seconds=5)
    made = theirs.models.predictions.create(SEEDANCE, input=body_of(job, model_of("replicate", SEEDANCE)))
    mine = ours.submit(job)
    their, our = server.of("POST", "/predictions$")
    assert_same(our, their)

    theirs.predictions.cancel(mine.job_id)
    assert ours.cancel(mine) is CancelOutcome.REQUESTED
    their, our = server.of("POST", "/cancel$")
    assert_same(our, their)
    assert ours.poll(mine).state is State.CANCELLED

    assert [each.id for each in theirs.predictions.list()] == [mine.job_id, made.id]
    with pytest.raises(Exception, match="2 jobs"):
        ours.find(job, 0.0)
    their, our = server.of("GET", "/predictions$")
    assert_same(our, their)


def test_the_vendor_reads_the_servers_refusals(server: Replicate) -> None:
    theirs = vendor.Client(api_token=server.key, base_url=server.url)
    with pytest.raises(ReplicateError) as told:
        theirs.predictions.create(version=VERSION, input={})
    assert told.value.status == 422 and "input_video is required" in str(told.value.detail)
    with pytest.raises(ReplicateError) as told:
        vendor.Client(api_token="wrong", base_url=server.url).models.get(SAM)
    assert told.value.status == 401 and told.value.title == "Unauthenticated"
