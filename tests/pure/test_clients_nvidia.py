# SPDX-License-Identifier: GPL-3.0-or-later
"""NIM: what it is asked, and every answer that it is documented to give."""

import base64
from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, job_of
from tests.loopback.media import glb, mp4, png
from tests.loopback.nvidia import NIM, refused
from tests.loopback.server import Answer, Fault

CLIP = MediaRef("data_uri", "data:video/mp4;base64," + base64.b64encode(mp4()).decode(), "control_video")
INFER = ("POST", "/v1/infer")


def adapter(server: NIM, tmp_path: Path, model: str, **more: Any) -> Adapter:
    return adapter_for("nvidia", model, server, tmp_path, keys=more.pop("keys", {}), **more)


def test_depth_and_edges_from_file_to_disk(tmp_path: Path) -> None:
    with NIM() as server:
        ours = adapter(server, tmp_path, "cosmos3-transfer")
        film = tmp_path / "depth.mp4"
        film.write_bytes(mp4())
        depth, edge = ours.put(film, "control_video"), ours.put(film, "control_video")
        assert depth.kind == "data_uri"
        job = job_of(
            "nvidia",
            "cosmos3-transfer",
            depth,
            edge,
            seed=7,
            control=["depth", "edge"],
            frames=49,
            strength=1.5,
        )
        handle = ours.submit(job)
        assert ours.create(job).patience_s == 3600, "it answers after minutes"
        sent = server.of(*INFER)[0]
        assert "authorization" not in sent.headers
        assert sent.json == {
            "model_mode": "video2video", "prompt": "ink drawing", "seed": 7, "resolution": "720_16_9",
            "num_frames": 49, "fps": 24.0, "flow_shift": 10.0,
            "transfer": {"depth": {"video": depth.value}, "edge": {"video": edge.value}, "control_guidance": 1.5,
                         "num_conditional_frames": 1, "num_first_chunk_conditional_frames": 0,
                         "num_video_frames_per_chunk": 49},
        }  # fmt: skip
        done = ours.poll(handle)
        assert done.state is State.SUCCEEDED
        [got] = ours.fetch(done.outputs[0], tmp_path / "take")
        assert got.path.read_bytes() == mp4() and got.path.name == "00.mp4"
        assert ours.cancel(handle) is CancelOutcome.UNSUPPORTED
        assert ours.find(job, 0.0) is not None, "it lies in the spool"


def test_edges_that_the_server_finds_and_controls_that_it_can_not(tmp_path: Path) -> None:
    with NIM() as server:
        ours = adapter(server, tmp_path, "cosmos3-transfer")
        plate = MediaRef("https", "https://a/b.mp4", "source_video")
        ours.submit(job_of("nvidia", "cosmos3-transfer", plate, control="edge"))
        body = server.of(*INFER)[0].json
        assert body["transfer"]["edge"] == {"preset_edge_threshold": "medium"}
        assert body["input_reference"] == "https://a/b.mp4"
        with pytest.raises(ProviderRejected, match="control clip of depth"):
            ours.submit(job_of("nvidia", "cosmos3-transfer", plate))
        with pytest.raises(ProviderRejected, match="what each of 2"):
            ours.submit(job_of("nvidia", "cosmos3-transfer", CLIP, CLIP))
        assert len(server.of(*INFER)) == 1


@pytest.mark.parametrize(
    ("role", "mode"), [("", "text2video"), ("first", "image2video"), ("source_video", "video2video")]
)
def test_the_mode_follows_what_is_given(tmp_path: Path, role: str, mode: str) -> None:
    with NIM() as server:
        refs = (MediaRef("https", "https://a/b", role),) if role else ()
        handle = adapter(server, tmp_path, "cosmos3").submit(job_of("nvidia", "cosmos3", *refs, frames=93))
        assert server.of(*INFER)[0].json["model_mode"] == mode and handle.poll_ref.startswith("spool:")


def test_predict_and_meshes_local_and_hosted(tmp_path: Path) -> None:
    with NIM("predict1") as server:
        first = MediaRef("https", "https://a/b.png", "first")
        job = job_of("nvidia", "cosmos-predict1", first, expand_prompt=False)
        adapter(server, tmp_path, "cosmos-predict1").submit(job)
        assert server.of(*INFER)[0].json == {
            "prompt": "ink drawing",
            "image": "https://a/b.png",
            "prompt_upsampling": False,
        }
    with NIM("trellis") as server:
        ours = adapter(server, tmp_path / "t", "microsoft/trellis")
        still = tmp_path / "a.png"
        still.write_bytes(png())
        picture = ours.put(still, "picture")
        done = ours.poll(
            ours.submit(job_of("nvidia", "microsoft/trellis", picture, prompt="", seed=3, format="glb"))
        )
        assert server.of(*INFER)[0].json == {
            "mode": "image",
            "image": picture.value,
            "seed": 3,
            "output_format": "glb",
        }
        assert ours.fetch(done.outputs[0], tmp_path / "m")[0].path.read_bytes() == glb()
        ours.submit(job_of("nvidia", "microsoft/trellis", prompt="a lantern"))
        assert server.of(*INFER)[1].json == {"mode": "text", "prompt": "a lantern"}
        ours.wire.base = "https://ai.api.nvidia.com"
        call = ours.create(job_of("nvidia", "microsoft/trellis", picture, prompt=""))
        assert call.url == "v1/genai/microsoft/trellis"


@pytest.mark.parametrize("finish", ["CONTENT_FILTERED", "ERROR"])
def test_an_answer_of_200_may_be_a_failure(tmp_path: Path, finish: str) -> None:
    with NIM("trellis") as server:
        server.finish = finish
        ours = adapter(server, tmp_path, "microsoft/trellis")
        with pytest.raises(
            ProviderRejected, match="refused the content" if finish != "ERROR" else "could not finish: ERROR"
        ):
            ours.submit(job_of("nvidia", "microsoft/trellis", prompt="x"))


def test_refusals(tmp_path: Path) -> None:
    with NIM() as server:
        ours, job = adapter(server, tmp_path, "cosmos3"), job_of("nvidia", "cosmos3")
        server.ready = False
        with pytest.raises(ProviderBusy, match="loading"):
            ours.submit(job)
        assert not server.of(*INFER), "nothing was sent"
        server.ready = True
        with pytest.raises(ProviderRejected, match="refused the content"):
            ours.submit(job_of("nvidia", "cosmos3", prompt="unsafe things"))
        for answer, error, word in (
            (
                refused("transfer.depth.video", "Field required", "missing"),
                ProviderRejected,
                "transfer.depth.video",
            ),
            (Answer(402, {"detail": "Credits expired"}), ProviderRejected, "Credits"),
            (Answer(429, {"detail": "Too many"}), ProviderBusy, "slow down"),
            (Answer(500, {"detail": "CUDA"}), Uncertain, "500"),
            (Answer(202, None, b""), Uncertain, "has not answered"),
            (Answer(200, {"seed": 1}), ProviderRejected, "without a result"),
            (Answer(200, {"b64_video": "%%%"}), ProviderRejected, "can't be read"),
        ):
            server.faults.append(Fault(INFER, answer=answer))
            with pytest.raises(error, match=word):
                ours.submit(job)
        server.faults.append(Fault(INFER, drop="after"))
        with pytest.raises(Uncertain):
            ours.submit(job)
        with pytest.raises(Refused, match="can't be asked"):
            ours.find(job, 0.0)
        with pytest.raises(ProviderRejected, match="600"):
            ours.submit(job_of("nvidia", "cosmos3", fps=600))


def test_the_hosted_service_wants_a_key(tmp_path: Path) -> None:
    with NIM() as server:
        server.keyed = True
        with pytest.raises(ProviderRejected, match="key"):
            adapter(server, tmp_path, "cosmos3").submit(job_of("nvidia", "cosmos3"))
        keyed = adapter(server, tmp_path, "cosmos3", keys={"HOLDFAST_NVIDIA_KEY": server.key})
        assert keyed.poll(keyed.submit(job_of("nvidia", "cosmos3"))).state is State.SUCCEEDED
