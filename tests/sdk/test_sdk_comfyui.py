# SPDX-License-Identifier: GPL-3.0-or-later
"""Our websocket against a server of another's making (websockets), since ComfyUI has no client of its own."""

import threading
import time
from collections.abc import Iterator

import pytest
from holdfast.clients.websocket import Deaf, Websocket
from websockets.sync.server import Server, ServerConnection, serve


@pytest.fixture
def server() -> Iterator[tuple[str, list[object]]]:
    got: list[object] = []

    def talk(connection: ServerConnection) -> None:
        got.append(connection.request.path)
        got.append(connection.request.headers.get("Authorization"))
        connection.send("hello")
        connection.send(b"\0\0\0\1picture")
        connection.send(iter(["in ", "three ", "pieces"]))
        connection.send("long " * 20000)
        got.append(connection.ping("you?").wait(5))
        got.append(connection.recv(5))
        got.append(connection.recv(5))
        connection.close(1000, "enough")

    made: Server = serve(talk, "127.0.0.1", 0, compression=None)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.socket.getsockname()[1]}", got
    made.shutdown()


def test_against_a_strict_server(server: tuple[str, list[object]]) -> None:
    url, got = server
    ours = Websocket(f"{url}/ws?clientId=me", {"Authorization": "Bearer k"})
    heard: list[str] = []
    deadline = time.monotonic() + 5
    while len(heard) < 3 and time.monotonic() < deadline:
        heard += ours.heard()
        time.sleep(0.01)
    assert heard == ["hello", "in three pieces", "long " * 20000]
    while len(got) < 3 and time.monotonic() < deadline:
        assert ours.heard() == []
    ours.send("é" * 100)
    ours.send("x" * 70000)
    with pytest.raises(Deaf):
        while time.monotonic() < deadline:
            ours.heard()
    assert got == ["/ws?clientId=me", "Bearer k", True, "é" * 100, "x" * 70000]


def test_what_is_no_websocket() -> None:
    with pytest.raises(Deaf):
        Websocket("http://127.0.0.1:9/ws")
    with pytest.raises(Deaf):
        Websocket("http://127.0.0.1:9/ws", {"A": "b\r\nC: d"})
