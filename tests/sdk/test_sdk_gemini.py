# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's SDK goes the whole way with the loopback server, and our requests are its own."""

from pathlib import Path
from typing import Any

import pytest
from holdfast.clients.contract import CancelOutcome, MediaRef, State
from holdfast.clients.providers.gemini import content_of

from tests.loopback.compare import assert_same
from tests.loopback.gemini import GeminiServer
from tests.loopback.harness import adapter_for, job_of
from tests.loopback.media import mp4, png

genai = pytest.importorskip("google.genai")
OMNI, IMAGE = "gemini-omni-1.2-flash", "gemini-3.1-flash-image"
GET_HEADERS = ("x-goog-api-key",)  # the SDK sends a content type with requests that have no content


def _client(server: GeminiServer) -> Any:
    return genai.Client(api_key=server.key, http_options=genai.types.HttpOptions(base_url=server.url))


def test_picture(tmp_path: Path) -> None:
    types = genai.types
    with GeminiServer() as server:
        config = types.GenerateContentConfig(
            response_modalities=["IMAGE"], seed=4, image_config=types.ImageConfig(aspect_ratio="16:9", image_size="2K")
        )  # fmt: skip
        parts = ["ink drawing", types.Part.from_bytes(data=png(), mime_type="image/png")]
        client = _client(server)
        answer = client.models.generate_content(model=IMAGE, contents=parts, config=config)
        assert answer.candidates[0].content.parts[1].inline_data.data == png()
        server.finish = "IMAGE_SAFETY"
        blocked = client.models.generate_content(model=IMAGE, contents=parts, config=config)
        assert blocked.candidates[0].finish_reason == types.FinishReason.IMAGE_SAFETY
        server.finish = "STOP"

        images = adapter_for("gemini", IMAGE, server, tmp_path)
        (tmp_path / "a.png").write_bytes(png())
        ref = images.put(tmp_path / "a.png", "picture")
        images.submit(job_of("gemini", IMAGE, ref, seed=4, ratio="16:9", resolution="2K"))
        # Google's JSON takes both spellings of the media type and both alphabets of base64; the SDK uses the others
        assert_same(server.log[-1], server.log[0], free={"mimeType", "mime_type", "data"})
        inline = [r.json["contents"][0]["parts"][1]["inlineData"] for r in (server.log[-1], server.log[0])]
        assert content_of(inline[0]["data"]) == content_of(inline[1]["data"]) == png()
        assert inline[0]["mimeType"] == inline[1]["mime_type"] == "image/png"


def test_upload_edit_status_and_cancel(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    with GeminiServer() as server:
        client = _client(server)
        file = client.files.upload(file=str(clip))
        while client.files.get(name=file.name).state.name != "ACTIVE":
            pass
        content = [
            {"type": "video", "mime_type": "video/mp4", "uri": file.uri},
            {"type": "text", "text": "ink drawing"},
        ]
        made = client.interactions.create(
            model=OMNI, background=True, input=[{"type": "user_input", "content": content}],
            generation_config={"video_config": {"task": "edit"}, "seed": 3},
            response_format={"type": "video", "resolution": "720p", "delivery": "uri"},
        )  # fmt: skip
        while (now := client.interactions.get(made.id)).status != "completed":
            pass
        assert now.output_video.uri.startswith(server.url)
        result = client.files.download(file=now.output_video.uri.partition("v1beta/")[2])
        assert result == mp4()
        server.script = ["in_progress"]
        second = client.interactions.create(
            model=OMNI, input="x", background=True, response_format={"type": "video"}
        )
        assert client.interactions.cancel(second.id).status == "cancelled"
        theirs, server.log[:] = list(server.log), []
        server.script = ["in_progress", "completed"]

        omni = adapter_for("gemini", OMNI, server, tmp_path / "spool")
        omni.put(clip, "source_video")
        ref = MediaRef("vendor_uri", file.uri, "source_video")
        handle = omni.submit(job_of("gemini", OMNI, ref, seed=3, resolution="720p"))
        for _ in range(3):
            state = omni.poll(handle)
        assert state.state is State.SUCCEEDED
        omni.fetch(state.outputs[0], tmp_path / "out")
        server.script = ["in_progress"]
        assert omni.cancel(omni.submit(job_of("gemini", OMNI))) is CancelOutcome.REQUESTED
        _compare(server, theirs)


def _compare(server: GeminiServer, theirs: list[Any]) -> None:
    uploads = [n for n in server.log[0].headers if n.startswith("x-goog-upload")]
    assert_same(server.log[0], theirs[0], headers=(*uploads, "content-type", "x-goog-api-key"))
    sent = [next(r for r in log if r.path.startswith("/up/")) for log in (server.log, theirs)]
    assert sent[0].body == sent[1].body
    for name in ("x-goog-upload-command", "x-goog-upload-offset"):
        assert sent[0].headers[name] == sent[1].headers[name]
    assert_same(
        server.of("POST", "/interactions")[0], next(r for r in theirs if r.path.endswith("interactions"))
    )
    for part in ("/interactions/", ":download", "/cancel"):
        ours = next(r for r in server.log if part in r.path)
        other = next(r for r in theirs if part in r.path)
        assert (ours.method, ours.query) == (other.method, other.query)
        assert ours.path.split("/")[:3] == other.path.split("/")[:3]
        assert all(ours.headers[name] == other.headers[name] for name in GET_HEADERS)
