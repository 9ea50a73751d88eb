# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress is heard or it is not: no server holds a job up by it, and none fills the memory."""

import base64
import gc
import hashlib
import time
import warnings

import pytest
from holdfast.clients import websocket
from holdfast.clients.websocket import GUID, Deaf, Websocket

from ..loopback.raw import Raw, certificate, drip, request_of, reset
from .fault_parts import peak_mb


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(websocket, "CONNECT_S", 0.2)


def accepted(link) -> bytes:
    """The answer to the handshake."""
    asked = request_of(link)
    key = asked.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
    sign = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    return f"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: {sign}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "talk",
    [
        lambda link: time.sleep(1.0),
        lambda link: (request_of(link), drip(link, b"HTTP/1.1 101 x\r\n" * 99, 0.01)),
        lambda link: (request_of(link), reset(link)),
        lambda link: (request_of(link), link.sendall(b"A" * 100_000)),
        lambda link: (request_of(link), link.sendall(b"HTTP/1.1 101 x\r\nSec-WebSocket-Accept: no\r\n\r\n")),
        lambda link: (request_of(link), link.sendall(b"\xff\r\n\r\n")),
    ],
    ids=["silent", "drips", "resets", "floods", "lies", "mumbles"],
)
def test_a_handshake_that_fails_is_over_soon(talk):
    with Raw(talk) as server:
        began = time.monotonic()
        with pytest.raises(Deaf):
            Websocket(server.url)
        assert time.monotonic() - began < 0.8


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        (b"\x81\x7f" + (1 << 40).to_bytes(8, "big"), "breaks the protocol"),
        (b"\x81\x85abcdHello", "breaks the protocol"),
        (b"\xf1\x01x", "breaks the protocol"),
        (b"\x88\x00", "closed the connection"),
    ],
)
def test_frames_that_no_honest_server_sends(frames, says):
    def talk(link):
        link.sendall(accepted(link) + frames)
        time.sleep(0.3)

    with Raw(talk) as server:
        line = Websocket(server.url)
        with pytest.raises(Deaf, match=says):
            for _ in range(50):
                line.heard()
                time.sleep(0.01)
        line.close()


def test_a_message_without_end_is_not_kept():
    part = b"\x01\x7e\xff\xff" + b"x" * 65535
    more = b"\x00\x7e\xff\xff" + b"x" * 65535

    def talk(link):
        link.sendall(accepted(link) + part)
        while True:
            link.sendall(more)

    def listen():
        line = Websocket(server.url)
        while True:
            line.heard()

    with Raw(talk) as server:
        took, said = peak_mb(listen)
    print(f"{took:.1f} MB")
    assert "breaks the protocol" in said and took < 60


def test_a_certificate_that_nobody_knows_leaves_no_socket_open():
    path = certificate("good")
    if path is None:
        pytest.skip("no openssl here")
    with Raw(lambda link: None, path) as server, warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with pytest.raises(Deaf, match="certificate"):
            Websocket(server.url)
        gc.collect()
