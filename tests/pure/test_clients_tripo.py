# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's third version, against a server that speaks its contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.clients.providers import tripo
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback import media
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.server import Answer, Fault
from tests.loopback.tripo import TripoServer


@pytest.fixture
def server() -> Iterator[TripoServer]:
    with TripoServer() as running:
        yield running


def of(server: TripoServer, model: str, tmp_path: Path, **settings: object) -> Adapter:
    return adapter_for("tripo", model, server, tmp_path / "spool", settings=settings)


def url(role: str) -> MediaRef:
    return MediaRef("https", f"https://example.com/{role}.png", role)


def test_text_with_three_seeds(server: TripoServer, tmp_path: Path) -> None:
    adapter = of(server, "text-to-model", tmp_path)
    job = job_of("tripo", "text-to-model", prompt="a lantern", seed=7, image_seed=8, texture_seed=9, polycount=20000,
                 negative="rust", texture_quality="detailed")  # fmt: skip
    handle = adapter.submit(job)
    assert server.log[0].json == {
        "prompt": "a lantern", "model": "v2.5-20250123", "model_seed": 7, "image_seed": 8, "texture_seed": 9,
        "face_limit": 20000, "negative_prompt": "rust", "texture_quality": "detailed",
    }  # fmt: skip
    first = adapter.poll(handle)
    assert (first.state, first.queue_position) == (State.QUEUED, 3)
    done = until_done(adapter, handle)
    assert done.cost_micros == 300_000
    [file] = adapter.fetch(done.outputs[0], tmp_path)
    assert file.path.name == "00.glb"
    assert "authorization" not in server.log[-1].headers


def test_a_picture_is_uploaded_small_or_large(
    server: TripoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, path = of(server, "image-to-model", tmp_path), tmp_path / "lamp.png"
    path.write_bytes(media.png())
    small = adapter.put(path, "picture")
    assert (small.kind, small.value) == ("asset_id", "file_0") and server.files["file_0"] == media.png()
    monkeypatch.setattr(tripo, "IN_FORM", 10)
    large = adapter.put(path, "picture")
    assert server.files[large.value] == media.png()
    assert "authorization" not in server.of("PUT")[0].headers
    adapter.submit(job_of("tripo", "image-to-model", large, prompt=""))
    assert server.log[-1].json["input"] == large.value
    with pytest.raises(Refused):
        adapter.put(path, "mask")
    unknown = MediaRef("asset_id", "file_9", "picture")
    with pytest.raises(ProviderRejected, match=r"said no: file_token not found\. Look at the document"):
        adapter.submit(job_of("tripo", "image-to-model", unknown, prompt=""))
    server.faults = [Fault(("PUT", ""), times=9, answer=Answer(403))]
    with pytest.raises(ProviderBusy, match="storage"):
        adapter.put(path, "picture")


def test_views_have_their_places(server: TripoServer, tmp_path: Path) -> None:
    adapter = of(server, "multiview-to-model", tmp_path)
    adapter.submit(job_of("tripo", "multiview-to-model", url("view_back"), url("view_front"), prompt=""))
    assert server.log[0].json["inputs"] == [url("view_front").value, None, url("view_back").value, None]
    with pytest.raises(ProviderRejected, match="1 to 1 view_front"):
        adapter.submit(job_of("tripo", "multiview-to-model", url("view_back"), prompt=""))


def test_operations_on_earlier_tasks(server: TripoServer, tmp_path: Path) -> None:
    mesh = MediaRef("job_output", "t1", "mesh")
    of(server, "texture", tmp_path).submit(
        job_of("tripo", "texture", mesh, url("reference"), prompt="oak", seed=3)
    )
    assert server.log[-1].path == "/v3/models/texture"
    assert server.log[-1].json == {
        "input": "t1", "model": "v2.5-20250123", "texture_seed": 3,
        "texture_prompt": {"text": "oak", "style_image": url("reference").value},
    }  # fmt: skip
    of(server, "convert", tmp_path).submit(
        job_of("tripo", "convert", mesh, prompt="", format="FBX", polycount=9000)
    )
    assert server.log[-1].json == {"input": "t1", "format": "FBX", "face_limit": 9000}
    of(server, "rig", tmp_path).submit(
        job_of("tripo", "rig", mesh, prompt="", rig_type="biped", format="fbx")
    )
    assert server.log[-1].json == {"input": "t1", "rig_type": "biped", "out_format": "fbx"}
    depth = of(server, "image-to-depth", tmp_path)
    done = until_done(
        depth, depth.submit(job_of("tripo", "image-to-depth", url("picture"), prompt="", kind="gray"))
    )
    assert done.outputs[0].media_type == "image/png"


def test_failures_in_a_good_envelope(server: TripoServer, tmp_path: Path) -> None:
    job = job_of("tripo", "text-to-model")
    server.credits = 0
    with pytest.raises(ProviderRejected, match="You need more credits"):
        of(server, "text-to-model", tmp_path).submit(job)
    told = of(server, "text-to-model", tmp_path, codes={"quota": [2010], "concurrency": [2000]})
    with pytest.raises(ProviderRejected, match="balance"):
        told.submit(job)
    server.faults = [Fault(answer=Answer(200, {"code": 2000, "message": "too many at once"}))]
    with pytest.raises(ProviderBusy, match="another job has ended"):
        told.submit(job)
    server.faults = [Fault(answer=Answer(429, {"code": 1, "message": "slow"}, headers={"Retry-After": "2"}))]
    with pytest.raises(ProviderBusy, match="slow down"):
        told.submit(job)
    with pytest.raises(ProviderRejected, match="key"):
        adapter_for("tripo", "text-to-model", server, tmp_path, keys={"TRIPO_API_KEY": "tsk_other"}).submit(
            job
        )


@pytest.mark.parametrize(
    ("word", "state", "kind"),
    [("failed", State.FAILED, FailureKind.PROVIDER_INTERNAL), ("banned", State.FAILED, FailureKind.MODERATED),
     ("cancelled", State.CANCELLED, None), ("expired", State.EXPIRED, None), ("dreaming", State.UNKNOWN, None)],
)  # fmt: skip
def test_words_for_the_end(
    server: TripoServer, tmp_path: Path, word: str, state: State, kind: FailureKind | None
) -> None:
    adapter = of(server, "text-to-model", tmp_path)
    server.script = [word]
    snapshot = adapter.poll(adapter.submit(job_of("tripo", "text-to-model")))
    assert snapshot.state is state and (snapshot.failure.kind if snapshot.failure else None) is kind
    if snapshot.failure:
        assert snapshot.failure.billed is False


def test_lost_records_and_lost_answers(server: TripoServer, tmp_path: Path) -> None:
    adapter = of(server, "text-to-model", tmp_path, codes={"not_found_or_expired": [2001]})
    handle = adapter.submit(job_of("tripo", "text-to-model"))
    server.tasks.clear()
    assert adapter.poll(handle).state is State.UNKNOWN
    assert adapter.poll(aged(handle, 600)).state is State.EXPIRED
    server.faults = [Fault(answer=Answer(200, {"code": 2001, "message": "not there"}))]
    assert adapter.poll(aged(handle, 600)).state is State.EXPIRED
    server.faults = [Fault(answer=Answer(200, {"code": 77, "message": "odd"}))]
    with pytest.raises(ProviderBusy, match="odd"):
        adapter.poll(handle)
    server.faults = [Fault(("POST", ""), drop="after")]
    job = job_of("tripo", "text-to-model")
    with pytest.raises(Uncertain):
        adapter.submit(job)
    with pytest.raises(Refused, match="can't be asked"):
        adapter.find(job, 0.0)
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED
    server.faults = [Fault(("GET", "/files/"), answer=Answer(404))]
    done = until_done(adapter, adapter.submit(job))
    with pytest.raises(ProviderRejected, match="expired"):
        adapter.fetch(done.outputs[0], tmp_path)
