# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of RFC 6455 as hearing progress needs: a client that reads text, answers pings, and never waits for either."""

import base64
import hashlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MOST = 16 << 20
"""Bytes of one message; a preview picture is far below."""
CONNECT_S, HEAD_MAX, READ_AT_ONCE = 3.0, 16 << 10, 64 << 10


class Deaf(Exception):
    """There is no connection (any more). Never a reason to give up a job."""


class Websocket:
    """An open connection. Close it."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, leads: Callable[[str, int], list[str]] | None = None
    ) -> None:  # fmt: skip
        """``url`` is http or https, as the service's base is; ``leads`` gives the addresses that its host may have. Raises
        Deaf, and what ``leads`` raises."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        to = leads(host, parts.port or 80)[0] if leads else host
        self._buffer, self._message, self._kind = bytearray(), bytearray(), 0
        try:
            self._socket = socket.create_connection((to, parts.port or (443 if secure else 80)), CONNECT_S)
        except OSError as error:
            raise Deaf(str(error)) from error
        try:
            if secure:
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
            self._shake(parts.netloc, f"{parts.path or '/'}?{parts.query}".rstrip("?"), headers or {})
        except (OSError, ValueError, Deaf) as error:
            self._socket.close()
            raise Deaf(str(error)) from error

    def _shake(self, netloc: str, target: str, headers: Mapping[str, str]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {target} HTTP/1.1",
            f"Host: {netloc.rpartition('@')[2]}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if any("\r" in line or "\n" in line for line in lines):
            raise Deaf("a header has a line break")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        deadline = time.monotonic() + CONNECT_S
        while b"\r\n\r\n" not in self._buffer:
            chunk = self._socket.recv(4096)
            if not chunk or len(self._buffer) > HEAD_MAX or time.monotonic() > deadline:
                raise Deaf("no answer to the handshake")
            self._buffer += chunk
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        first, *others = head.decode("latin-1").split("\r\n")
        told = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in others)
        }
        wanted = base64.b64encode(
            hashlib.sha1((key + GUID).encode(), usedforsecurity=False).digest()
        ).decode()
        if first.split()[1:2] != ["101"] or told.get("sec-websocket-accept") != wanted:
            raise Deaf(f"the server does not speak websocket: {first[:80]}")

    def send(self, text: str) -> None:
        """A text message. Raises Deaf."""
        self._send(TEXT, text.encode())

    def heard(self, budget_s: float = 0.05) -> list[str]:
        """The text messages that are there, without waiting for more. Raises Deaf when the connection has ended."""
        found: list[str] = []
        deadline = time.monotonic() + budget_s
        while True:
            while (frame := self._frame()) is not None:
                self._take(*frame, found)
            if time.monotonic() > deadline or not self._read():
                return found

    def close(self) -> None:
        """Says goodbye and hangs up."""
        with suppress(Deaf):
            self._send(CLOSE, (1000).to_bytes(2, "big"))
        self._socket.close()

    def _read(self) -> bool:
        """More bytes into the buffer; False if there are none now."""
        self._socket.settimeout(0.0)
        try:
            chunk = self._socket.recv(READ_AT_ONCE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise Deaf(str(error)) from error
        if not chunk:
            raise Deaf("the server hung up")
        self._buffer += chunk
        return True

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """(last of its message, kind, content) of a whole frame at the head of the buffer."""
        data = self._buffer
        if len(data) < 2:
            return None
        start, length = 2, data[1] & 0x7F
        if length > 125:
            start = 4 if length == 126 else 10
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:start], "big")
        if data[1] & 0x80 or data[0] & 0x70 or length > MOST:
            raise Deaf(
                "the server breaks the protocol"
            )  # masked, an extension nobody asked for, or too large
        if len(data) < start + length:
            return None
        frame = bool(data[0] & 0x80), data[0] & 0x0F, bytes(data[start : start + length])
        del data[: start + length]
        return frame

    def _take(self, last: bool, kind: int, content: bytes, found: list[str]) -> None:
        if kind == PING:
            return self._send(PONG, content)
        if kind == CLOSE:
            self.close()
            raise Deaf("the server closed the connection")
        if kind in (TEXT, BINARY):
            self._kind, self._message = kind, bytearray()
        if kind > BINARY:
            return None  # a pong, or what later versions may say
        if self._kind == TEXT:
            self._message += content
            if len(self._message) > MOST:
                raise Deaf("the server breaks the protocol")
        if last:
            if self._kind == TEXT:
                found.append(self._message.decode("utf-8", "replace"))
            self._kind = 0
        return None

    def _send(self, kind: int, content: bytes) -> None:
        """One masked frame, as every client's must be."""
        size = len(content)
        head = bytes([0x80 | kind])
        if size < 126:
            head += bytes([0x80 | size])
        else:
            head += bytes([0x80 | (126 if size < 1 << 16 else 127)]) + size.to_bytes(
                2 if size < 1 << 16 else 8, "big"
            )
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at & 3] for at, byte in enumerate(content))
        try:
            self._socket.settimeout(CONNECT_S)
            self._socket.sendall(head + mask + masked)
        except OSError as error:
            raise Deaf(str(error)) from error
