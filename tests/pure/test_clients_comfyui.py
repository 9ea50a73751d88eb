# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI: a person's workflow with our clips in it, and everything the server is known to answer."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, Handle, JobSpec, State
from holdfast.pipeline.errors import InputError, ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.comfyui import ComfyUI, frame, tell
from tests.loopback.harness import adapter_for, aged, job_of, until_done
from tests.loopback.media import mp4, png
from tests.loopback.server import Answer, Fault

VACE: dict[str, Any] = {
    "1": {"class_type": "VHS_LoadVideo", "inputs": {"video": "old.mp4"}, "_meta": {"title": "Holdfast depth"}},
    "2": {"class_type": "LoadImage", "inputs": {"image": "old.png"}, "_meta": {"title": "Holdfast: first"}},
    "3": {"class_type": "KSampler", "_meta": {"title": "Sampler"}, "inputs": {
        "seed": 1, "steps": 20, "cfg": 6.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
        "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "wan_vace.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "?", "clip": ["4", 1]}, "_meta": {"title": "Positive"}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}, "_meta": {"title": "Negative"}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "10": {"class_type": "VHS_VideoCombine", "inputs": {"images": ["8", 0], "frame_rate": 16}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "bl"}},
    "11": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}},
}  # fmt: skip
BIND = {
    "prompt": "Positive.text",
    "negative": "7",
    "width": "5.width",
    "height": "EmptyLatentImage.height",
    "seed": "3.seed",
}


@pytest.fixture
def server() -> Iterator[ComfyUI]:
    with ComfyUI() as made:
        yield made


def adapter(server: ComfyUI, tmp_path: Path, **settings: Any) -> Adapter:
    path = tmp_path / "vace.json"
    if not path.exists():
        path.write_text(json.dumps(VACE))
    told = {"workflow": str(path), "bind": BIND, "output": "", **settings}
    return adapter_for("comfyui", "wan-vace", server, tmp_path / "spool", settings=told, keys={})


def job(ours: Adapter, tmp_path: Path, **more: Any) -> JobSpec:
    film, still = tmp_path / "depth.mp4", tmp_path / "first.png"
    film.write_bytes(mp4())
    still.write_bytes(png())
    refs = ours.put(film, "control_video"), ours.put(still, "first")
    return job_of(
        "comfyui", "wan-vace", *refs, seed=7, **{"control": "depth", "width": 832, "height": 480, **more}
    )


def test_a_workflow_with_our_clips_from_upload_to_disk(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path, output="10")
    asked = job(ours, tmp_path, negative="blur")
    assert sorted(server.input.values()) == sorted([mp4(), png()])
    handle = ours.submit(asked)
    assert handle.job_id == asked.own_id
    sent = server.of("POST", "/prompt")[0]
    assert "authorization" not in sent.headers
    made = sent.json["prompt"]
    assert (
        made["1"]["inputs"]["video"] == asked.inputs[0].value and made["1"]["inputs"]["video"] in server.input
    )
    assert made["2"]["inputs"]["image"] == asked.inputs[1].value
    assert (made["6"]["inputs"]["text"], made["7"]["inputs"]["text"]) == ("ink drawing", "blur")
    assert (made["3"]["inputs"]["seed"], made["5"]["inputs"]["width"], made["5"]["inputs"]["height"]) == (
        7,
        832,
        480,
    )
    waiting = ours.poll(handle)
    assert (waiting.state, waiting.queue_position) == (State.QUEUED, 0)
    done = until_done(ours, handle)
    assert done.state is State.SUCCEEDED and len(done.outputs) == 1
    [got] = ours.fetch(done.outputs[0], tmp_path / "take")
    assert got.path.name == "00.mp4" and got.path.read_bytes() == mp4()


def test_all_that_is_saved_comes_and_previews_do_not(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(job(ours, tmp_path)))
    names = [ours.fetch(out, tmp_path / "take")[0].path.name for out in done.outputs]
    assert names == ["00.png", "01.png", "02.mp4"]
    server.history[ours_id(server)]["outputs"]["9"]["images"][0]["filename"] = "gone.png"
    again = ours.poll(Handle("comfyui", ours_id(server), ours_id(server), time.time()))
    with pytest.raises(ProviderRejected, match="no longer"):
        ours.fetch(again.outputs[0], tmp_path / "take")


def ours_id(server: ComfyUI) -> str:
    return next(iter(server.history))


def test_a_folder_of_pictures(server: ComfyUI, tmp_path: Path) -> None:
    ours, folder = adapter(server, tmp_path), tmp_path / "depth"
    folder.mkdir()
    with pytest.raises(InputError, match="0 pictures"):
        ours.put(folder, "control_video")
    for number in (10, 9):
        (folder / f"f{number:04d}.png").write_bytes(png(shade=number))
    ref = ours.put(folder, "control_video")
    assert server.input == {f"{ref.value}/00000.png": png(shade=9), f"{ref.value}/00001.png": png(shade=10)}
    with pytest.raises(InputError):
        ours.put(tmp_path / "none.mp4", "control_video")


def test_progress_is_heard_and_history_stays_the_truth(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    asked = job(ours, tmp_path)
    server.waits, server.runs = 0, 30
    server.told = [
        tell("progress", value=1, max=10, prompt_id=asked.own_id, node="3"),
        frame(b"are you there?", 9),
        frame(b"\0\0\0\1" + png(), 2),
        frame(b'{"type": "progress_', 1, last=False),
        frame(b'state", "data": {"prompt_id": "%s", "nodes": {' % asked.own_id.encode(), 0, last=False),
        frame(b'"1": {"state": "finished", "value": 1, "max": 1}, "3": {"state": "running", "value": 12, "max": 20}}}}', 0),
        tell("progress_state", prompt_id="another", nodes={"1": {"value": 1, "max": 1}}),
        frame(b"not json"),
    ]  # fmt: skip
    handle = ours.submit(asked)
    heard = None
    for _ in range(25):
        snapshot = adapter(server, tmp_path).poll(handle)  # as in a worker: a new one for every question
        heard = snapshot.progress if snapshot.progress is not None else heard
        if heard and heard > 0.1:
            break
        time.sleep(0.01)
    assert heard == pytest.approx((1 + 12 / 20) / len(VACE))
    deadline = time.monotonic() + 5
    while not server.heard and time.monotonic() < deadline:
        time.sleep(0.01)
    pong = b"".join(server.heard)
    assert pong[0] == 0x8A and pong[1] == 0x80 | 14, "a masked pong"
    assert bytes(b ^ pong[2 + (i & 3)] for i, b in enumerate(pong[6:20])) == b"are you there?"
    server.sockets[asked.own_id].close()
    server.runs = 0
    assert until_done(ours, handle).state is State.SUCCEEDED


def test_without_a_websocket_the_job_goes_on(server: ComfyUI, tmp_path: Path) -> None:
    server.faults.append(Fault(("GET", "/ws"), times=9, answer=Answer(404)))
    ours = adapter(server, tmp_path)
    server.waits, server.runs = 0, 4
    handle = ours.submit(job(ours, tmp_path))
    assert [ours.poll(handle).state for _ in range(5)][-1] is State.RUNNING
    assert until_done(ours, handle).state is State.SUCCEEDED
    assert len(server.of("GET", "/ws")) == 3


@pytest.mark.parametrize(
    ("change", "words", "error"),
    [
        (
            {"4.ckpt_name": "no.safetensors"},
            "the server has no 'no.safetensors' for ckpt_name",
            ProviderRejected,
        ),
        ({"3.class_type": "WanVaceSampler"}, "lacks a node.*WanVaceSampler", ProviderRejected),
        ({"5.width": None}, "'EmptyLatentImage' .node 5.: width is not connected", ProviderRejected),
    ],
)
def test_what_is_wrong_with_a_workflow_is_said_plainly(
    server: ComfyUI, tmp_path: Path, change: dict[str, Any], words: str, error: type[Exception]
) -> None:
    made = json.loads(json.dumps(VACE))
    for place, value in change.items():
        number, name = place.split(".")
        target = made[number] if name == "class_type" else made[number]["inputs"]
        target[name] = value
        if value is None:
            del target[name]
    ours = adapter(server, tmp_path, workflow=made, bind={**BIND, "width": "9.filename_prefix"})
    with pytest.raises(error, match=words):
        ours.submit(job(ours, tmp_path))
    server.input.clear()
    assert not server.pending


def test_a_clip_that_the_server_lost(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    asked = job(ours, tmp_path)
    server.input.clear()
    with pytest.raises(ProviderRejected, match=r"'Holdfast depth' .node 1.*Invalid video file"):
        ours.submit(asked)


@pytest.mark.parametrize(
    ("ending", "state", "words"),
    [
        ({"node_id": "3", "node_type": "KSampler", "exception_type": "RuntimeError", "traceback": ["secret/path"],
          "exception_message": "sizes of tensors must match\n"}, State.FAILED, "failed in 'Sampler' (node 3): sizes"),
        ({"node_id": "3", "exception_type": "torch.OutOfMemoryError", "exception_message": "Allocation on device"},
         State.FAILED, "ran out of graphics memory in 'Sampler'"),
        ("interrupted", State.CANCELLED, "stopped"),
    ],
)  # fmt: skip
def test_executions_that_fail(server: ComfyUI, tmp_path: Path, ending: Any, state: State, words: str) -> None:
    server.ending = ending
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(job(ours, tmp_path)))
    assert done.state is state and done.failure is not None and words in done.failure.says
    assert "secret" not in done.failure.says and done.failure.kind is FailureKind.PROVIDER_INTERNAL


def test_a_run_that_made_nothing(server: ComfyUI, tmp_path: Path) -> None:
    server._outputs = lambda workflow: {}  # type: ignore[method-assign]
    ours = adapter(server, tmp_path)
    done = until_done(ours, ours.submit(job(ours, tmp_path)))
    assert done.state is State.FAILED and done.failure is not None and "change the seed" in done.failure.says


def test_cancel_waiting_running_ended(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    asked = job(ours, tmp_path)
    server.waits = 99
    handle = ours.submit(asked)
    assert ours.cancel(handle) is CancelOutcome.REQUESTED and not server.pending
    assert ours.poll(handle).state is State.CANCELLED
    assert not server.of("POST", "/interrupt"), "what runs is another's"

    server.waits, server.runs = 0, 99
    fresh = adapter(server, tmp_path)
    handle = fresh.submit(asked)
    while fresh.poll(handle).state is not State.RUNNING:
        pass
    assert fresh.cancel(handle) is CancelOutcome.REQUESTED
    assert server.of("POST", "/interrupt")[0].json == {"prompt_id": handle.job_id}
    assert fresh.poll(handle).state is State.CANCELLED
    assert fresh.cancel(handle) is CancelOutcome.TOO_LATE


def test_a_restart_of_the_server_forgets_the_job(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    handle = ours.submit(job(ours, tmp_path))
    server.restart()
    assert ours.poll(handle).state is State.UNKNOWN
    gone = ours.poll(aged(handle, 600))
    assert gone.state is State.EXPIRED and gone.failure is not None and "restarted" in gone.failure.says


def test_a_create_that_got_no_answer_is_found_by_our_id(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path, output="10")
    asked = job(ours, tmp_path)
    assert ours.find(asked, 0.0) is None
    server.faults.append(Fault(("POST", "/prompt"), drop="after"))
    with pytest.raises(Uncertain):
        ours.submit(asked)
    found = ours.find(asked, 0.0)
    assert found is not None and found.job_id == asked.own_id and len(server.pending) == 1
    assert until_done(ours, found).state is State.SUCCEEDED
    again = ours.find(asked, 0.0)
    assert again is not None and len(ours.poll(again).outputs) == 1, (
        "in the history too, with the node that was chosen"
    )
    with pytest.raises(Refused):
        ours.find(JobSpec("comfyui", "wan-vace", ()), 0.0)
    server.faults.append(Fault(("GET", "/queue"), times=9, answer=Answer(502)))
    with pytest.raises(ProviderBusy):
        ours.find(asked, 0.0)


def test_a_server_that_is_not_there_and_a_key_for_a_proxy(server: ComfyUI, tmp_path: Path) -> None:
    ours = adapter(server, tmp_path)
    asked = job(ours, tmp_path)
    nobody = adapter_for("comfyui", "wan-vace", server, tmp_path, keys={}, base="http://127.0.0.1:9",
                         settings={"workflow": VACE, "bind": BIND})  # fmt: skip
    with pytest.raises(ProviderBusy, match="can't be reached"):
        nobody.submit(asked)
    keyed = adapter_for("comfyui", "wan-vace", server, tmp_path, settings={"workflow": VACE, "bind": BIND})
    keyed.submit(asked)
    assert server.of("POST", "/prompt")[-1].headers["authorization"] == f"Bearer {server.key}"
    assert server.of("GET", "/ws")[-1].headers["authorization"] == f"Bearer {server.key}"
