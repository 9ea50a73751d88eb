# SPDX-License-Identifier: GPL-3.0-or-later
"""Kling's two designs against servers that speak their contracts: envelopes, tokens, tasks found by our own id."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from holdfast.clients.adapter import Adapter
from holdfast.clients.contract import CancelOutcome, FailureKind, MediaRef, State
from holdfast.clients.providers.kling_jwt import Token, auth, signed
from holdfast.pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain

from tests.loopback.harness import adapter_for, aged, job_of, model_of, until_done
from tests.loopback.kling import KlingJwtServer, KlingServer
from tests.loopback.media import mp4, png
from tests.loopback.server import Answer, Fault

LINK = "https://studio.example/a.mp4"
FILM = MediaRef("https", LINK, "source_video")
PAIR = {"HOLDFAST_KLING_JWT_KEY": KlingJwtServer.access, "HOLDFAST_KLING_JWT_SECRET": KlingJwtServer.secret}
BOTH = pytest.mark.parametrize("old", [False, True], ids=["key", "jwt"])


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[KlingServer]:
    old = getattr(request.node, "callspec", None) and request.node.callspec.params.get("old")
    with KlingJwtServer() if old else KlingServer() as made:
        yield made


@pytest.fixture
def older() -> Iterator[KlingJwtServer]:
    with KlingJwtServer() as made:
        yield made


def kling(server: KlingServer, spool: Path, model: str = "kling-3.0-omni", **more: Any) -> Adapter:
    """The adapter that fits the server."""
    if isinstance(server, KlingJwtServer):
        return adapter_for("kling_jwt", "kling-video-o1", server, spool, **{"keys": PAIR, **more})
    return adapter_for("kling", model, server, spool, **more)


def job(server: KlingServer, *inputs: MediaRef, **options: Any) -> Any:
    """A job for the same."""
    old = isinstance(server, KlingJwtServer)
    names = ("kling_jwt", "kling-video-o1") if old else ("kling", "kling-3.0-omni")
    return job_of(*names, *(inputs or (FILM,)), **options)


@BOTH
def test_the_cycle(server: KlingServer, tmp_path: Path, old: bool) -> None:
    adapter = kling(server, tmp_path)
    handle = adapter.submit(job(server))
    assert adapter.cancel(handle) is CancelOutcome.UNSUPPORTED
    states = [adapter.poll(handle) for _ in range(3)]
    assert [one.state for one in states] == [State.QUEUED, State.RUNNING, State.SUCCEEDED]
    assert states[2].cost_micros == 784_000
    (got,) = adapter.fetch(states[2].outputs[0], tmp_path / "out")
    assert got.path.read_bytes() == mp4() and "authorization" not in server.of("GET", "/files/")[0].headers


def test_what_is_sent(server: KlingServer, tmp_path: Path) -> None:
    adapter = kling(server, tmp_path)
    picture = tmp_path / "a.png"
    picture.write_bytes(png())
    bare = adapter.put(picture, "reference")
    assert not bare.value.startswith("data:")
    adapter.submit(job(server, FILM, bare, ratio="16:9", seconds=5))
    assert server.log[-1].path == "/omni-video/kling-3.0-omni" and server.log[-1].json == {
        "contents": [{"type": "prompt", "text": "ink drawing"}, {"type": "base_video", "url": LINK},
                     {"type": "refer_image", "url": bare.value}],
        "settings": {"resolution": "1080p", "aspect_ratio": "16:9", "duration": 5},
        "options": {"external_task_id": "0b6f5a1e-3c1d-4a8e-9f20-5d1c2b3a4e5f"},
    }  # fmt: skip
    film = kling(server, tmp_path, "kling-3.0")
    film.submit(job_of("kling", "kling-3.0", own_id="a", audio="native"))
    assert server.log[-1].path == "/text-to-video/kling-3.0"
    assert server.log[-1].json["settings"] == {"resolution": "1080p", "duration": 5, "audio": "native"}
    film.submit(job_of("kling", "kling-3.0", MediaRef("https", LINK, "first"), own_id="b"))
    assert server.log[-1].path == "/image-to-video/kling-3.0"
    assert server.log[-1].json["contents"][1] == {"type": "first_frame", "url": LINK}


def test_what_the_older_one_is_sent(older: KlingJwtServer, tmp_path: Path) -> None:
    adapter = kling(older, tmp_path)
    refs = (FILM, MediaRef("https", LINK, "reference"), MediaRef("https", LINK, "first"))
    adapter.submit(job(older, *refs, resolution="720p", seconds=5, keep_sound=True))
    assert older.log[-1].json == {
        "model_name": "kling-video-o1", "prompt": "ink drawing", "mode": "std", "duration": "5",
        "image_list": [{"image_url": LINK, "type": "first_frame"}, {"image_url": LINK}],
        "video_list": [{"video_url": LINK, "refer_type": "base", "keep_original_sound": "yes"}],
        "external_task_id": "0b6f5a1e-3c1d-4a8e-9f20-5d1c2b3a4e5f",
    }  # fmt: skip
    with pytest.raises(ProviderRejected, match="aspect_ratio"):
        adapter.submit(job(older, MediaRef("https", LINK, "reference"), own_id="other"))


@BOTH
@pytest.mark.parametrize("in_200", [False, True])
@pytest.mark.parametrize(
    "code, error, says",
    [
        (1101, ProviderRejected, "arrears"),
        (1102, ProviderRejected, "used up"),
        (1103, ProviderRejected, "not allow"),
        (1201, ProviderRejected, "refused it"),
        (1301, ProviderRejected, "its content"),
        (1302, ProviderBusy, "slow down"),
        (1303, ProviderBusy, "as many jobs"),
    ],
)
def test_codes(
    server: KlingServer, tmp_path: Path, old: bool, code: int, in_200: bool, error: type[Exception], says: str
) -> None:
    server.refuse, server.in_200 = code, in_200
    with pytest.raises(error, match=says):
        kling(server, tmp_path).submit(job(server))
    assert not server.tasks


@BOTH
def test_too_many_at_once_and_the_wrong_key(server: KlingServer, tmp_path: Path, old: bool) -> None:
    wrong = {**PAIR, "HOLDFAST_KLING_JWT_SECRET": "wrong"} if old else {"KLING_API_KEY": "wrong-key"}
    with pytest.raises(ProviderRejected, match="did not accept the key"):
        kling(server, tmp_path, keys=wrong).submit(job(server))
    server.parallel = 0
    with pytest.raises(ProviderBusy, match="as many jobs"):
        kling(server, tmp_path).submit(job(server))


@BOTH
def test_an_answer_that_never_came_is_found_by_our_id(server: KlingServer, tmp_path: Path, old: bool) -> None:
    adapter = kling(server, tmp_path)
    assert adapter.find(job(server), 0.0) is None
    server.faults = [Fault(("POST", ""), drop="after")]
    with pytest.raises(Uncertain):
        adapter.submit(job(server))
    found = adapter.find(job(server), 0.0)
    assert found is not None and found.job_id in server.tasks and len(server.tasks) == 1
    assert until_done(adapter, found).state is State.SUCCEEDED
    with pytest.raises(Refused):
        adapter.find(job(server, own_id=""), 0.0)


@BOTH
def test_a_missing_record(server: KlingServer, tmp_path: Path, old: bool) -> None:
    adapter = kling(server, tmp_path)
    handle = adapter.submit(job(server))
    server.tasks.clear()
    for in_200 in (False, True):
        server.in_200 = in_200
        assert adapter.poll(handle).state is State.UNKNOWN
        assert adapter.poll(aged(handle, 600)).state is State.EXPIRED
        assert adapter.find(job(server), 0.0) is None


@BOTH
@pytest.mark.parametrize(
    "words, kind",
    [
        ("internal failure", FailureKind.PROVIDER_INTERNAL),
        ("Failure to pass the risk control", FailureKind.MODERATED),
    ],
)
def test_failed_tasks(server: KlingServer, tmp_path: Path, old: bool, words: str, kind: FailureKind) -> None:
    server.script, server.ending = ["failed"], words
    adapter = kling(server, tmp_path)
    failed = until_done(adapter, adapter.submit(job(server)))
    assert failed.failure is not None and (failed.failure.kind, failed.failure.billed) == (kind, False)


def test_the_state_as_an_object_and_odd_answers(server: KlingServer, tmp_path: Path) -> None:
    server.as_list = False
    server.billing = [{"charge_type": "cash", "amount": "0.42"}]
    adapter = kling(server, tmp_path)
    handle = adapter.submit(job(server))
    assert until_done(adapter, handle).cost_micros == 420_000
    odd: list[tuple[Any, State]] = [
        ({"code": 0, "data": {"id": handle.job_id, "status": "dreaming"}}, State.UNKNOWN),
        ({"code": 0, "data": [{"id": handle.job_id, "status": "succeeded", "outputs": None}]}, State.FAILED),
        ({"code": 0, "data": None}, State.UNKNOWN),
    ]
    for body, state in odd:
        server.faults = [Fault(("GET", "tasks"), 1, Answer(200, body))]
        assert adapter.poll(handle).state is state
    server.faults = [Fault(("GET", "tasks"), 5, Answer(429, {"code": 1302, "message": "too fast"}))]
    with pytest.raises(ProviderBusy):
        adapter.poll(handle)


@BOTH
def test_films_are_refused_as_files(server: KlingServer, tmp_path: Path, old: bool) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4())
    with pytest.raises(Refused, match="public address"):
        kling(server, tmp_path).put(clip, "source_video")
    with pytest.raises(ProviderRejected):
        kling(server, tmp_path).submit(job(server, MediaRef("data_uri", "AAAA", "source_video")))
    assert not server.log


def test_a_result_that_is_gone(server: KlingServer, tmp_path: Path) -> None:
    adapter = kling(server, tmp_path)
    done = until_done(adapter, adapter.submit(job(server)))
    server.tasks.clear()
    with pytest.raises(ProviderRejected, match="no longer"):
        adapter.fetch(done.outputs[0], tmp_path / "out")


def test_tokens_are_renewed_and_both_keys_are_needed(older: KlingJwtServer, tmp_path: Path) -> None:
    now = [1000.0]
    token = Token("a", "s", lambda: now[0])

    def made() -> str:
        return str(token(requests.Request("GET", "http://x").prepare()).headers["Authorization"])

    first = made()
    now[0] += 1400
    assert made() == first
    now[0] += 200
    assert made() != first
    older.late = 1900
    with pytest.raises(ProviderRejected, match=r"did not accept the key.*expired"):
        kling(older, tmp_path).submit(job(older))
    with pytest.raises(Refused, match="access key and a secret key"):
        auth({"KLING_ACCESS_KEY": "a"}, {})


def test_tokens_are_those_of_the_standard() -> None:
    """The example that every page on JSON Web Tokens shows."""
    payload = {"sub": "1234567890", "name": "John Doe", "iat": 1516239022}
    assert signed(payload, "your-256-bit-secret") == (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )


def test_prices() -> None:
    price = model_of("kling", "kling-3.0").price
    rates = [price.estimate_micros(1, options={"resolution": r}) for r in ("720p", "1080p", "4k")]
    assert rates == [84_000, 112_000, 420_000]
    assert price.estimate_micros(1, options={"resolution": "720p", "audio": "native"}) == 126_000
