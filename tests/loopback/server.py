# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server for tests: routes of a service, a log of what came, and faults on request.

A service is a subclass with methods marked by ``route``. ``faults`` are taken by the next requests that they fit.
"""

import email.parser
import email.policy
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Received:
    """One request. Header names are lower case; ``parts`` of a multipart body: (name, file name, type, bytes)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def parts(self) -> list[tuple[str, str, str, bytes]]:
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        return [
            (str(part.get_param("name", header="content-disposition")), part.get_filename() or "",
             part.get_content_type(), part.get_payload(decode=True))
            for part in message.iter_parts()
        ]  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What is sent back: JSON, or raw bytes of a media type. ``talk`` takes the connection over after the headers."""

    status: int = 200
    json: Any = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    talk: Callable[[socket.socket], None] | None = None


@dataclass
class Fault:
    """A bad moment. ``answer`` instead of the service's own; ``drop`` "before" or "after" the service did its work: the
    connection is reset; ``slow`` seconds before the answer; ``drip`` seconds between its bytes; ``cut`` bytes of the
    body that are sent of those promised. ``on`` (method, pattern of the path) says for which requests, ``times`` how often."""

    on: tuple[str, str] = ("", "")
    times: int = 1
    answer: Answer | None = None
    drop: str = ""
    slow: float = 0.0
    drip: float = 0.0
    cut: int | None = None

    def fits(self, received: Received) -> bool:
        method, path = self.on
        return (
            self.times > 0 and method in ("", received.method) and re.search(path, received.path) is not None
        )


Handler = Callable[[Any, Received], Answer]


def route(method: str, pattern: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Marks a method that answers ``method`` on paths that match ``pattern`` whole; its named groups are arguments."""

    def mark(handler: Callable[..., Answer]) -> Callable[..., Answer]:
        handler.routes = [*getattr(handler, "routes", []), (method, re.compile(pattern))]  # type: ignore[attr-defined]
        return handler

    return mark


class Loopback:
    """A service at ``url`` while it is entered. ``key`` is what it accepts (see ``authorised``)."""

    key = "key-of-the-loopback"

    def __init__(self) -> None:
        self.log: list[Received] = []
        self.faults: list[Fault] = []
        self._routes = [
            (method, pattern, getattr(self, name))
            for name in dir(type(self))
            for method, pattern in getattr(getattr(type(self), name), "routes", [])
        ]
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.lock = threading.RLock()
        self.at_end = ExitStack()
        """Connections to it are closed with it: a run of all tests has more of them than a process may have open."""

    def __enter__(self) -> "Loopback":
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.at_end.close()
        self._server.shutdown()
        self._server.server_close()

    def authorised(self, received: Received) -> Answer | None:
        """The answer to a request without the right key; None lets it pass. Bearer by default."""
        if received.headers.get("authorization") == f"Bearer {self.key}":
            return None
        return Answer(401, {"error": "Unauthorized"})

    def open_to_all(self, received: Received) -> bool:
        """True for paths that need no key (signed links)."""
        return received.path.startswith("/files/")

    def of(self, method: str, pattern: str = "") -> list[Received]:
        """The requests that came, by method and pattern of the path."""
        return [r for r in self.log if r.method == method and re.search(pattern, r.path)]

    def answer(self, received: Received) -> Answer:
        """What the service says."""
        if not self.open_to_all(received) and (refused := self.authorised(received)) is not None:
            return refused
        for method, pattern, handler in self._routes:
            if method == received.method and (match := pattern.fullmatch(received.path)):
                with self.lock:
                    return handler(received, **match.groupdict())
        return Answer(404, {"error": f"no route {received.method} {received.path}"})

    def _fault(self, received: Received) -> Fault:
        with self.lock:
            found = next((fault for fault in self.faults if fault.fits(received)), None)
            if found is not None:
                found.times -= 1
            return found or Fault()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits 40 ms for the next packet

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else self._chunks()
                parts = urlsplit(self.path)
                headers = {key.lower(): value for key, value in self.headers.items()}
                received = Received(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
                with service.lock:
                    service.log.append(received)
                fault = service._fault(received)
                if fault.drop == "before":
                    return self._reset()
                answer = fault.answer or service.answer(received)
                if fault.drop == "after":
                    return self._reset()
                time.sleep(fault.slow)
                return self._say(answer, fault)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

            def _chunks(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return b""
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _say(self, answer: Answer, fault: Fault) -> None:
                if answer.talk is not None:
                    self.close_connection = True
                    self.send_response(answer.status)
                    for key, value in answer.headers.items():
                        self.send_header(key, value)
                    self.end_headers()
                    return answer.talk(self.connection)
                body = answer.body if answer.body is not None else b""
                kind = "application/octet-stream"
                if answer.body is None and answer.json is not None:
                    body, kind = json.dumps(answer.json).encode(), "application/json"
                self.send_response(answer.status)
                for key, value in {
                    "Content-Type": kind,
                    "Content-Length": str(len(body)),
                    **answer.headers,
                }.items():
                    self.send_header(key, value)
                self.end_headers()
                sent = body if fault.cut is None else body[: fault.cut]
                try:
                    if fault.drip:
                        for byte in sent:
                            self.wfile.write(bytes([byte]))
                            self.wfile.flush()
                            time.sleep(fault.drip)
                    elif self.command != "HEAD":
                        self.wfile.write(sent)
                except OSError:
                    self.close_connection = True  # the client has had enough
                if fault.cut is not None:
                    self.wfile.flush()
                    self._reset()
                return None

            def _reset(self) -> None:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

            def log_message(self, *args: object) -> None:
                """Says nothing: the log is kept."""

        return Requests
