# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that keep to a time, whatever trickles in, and that know how much of a request left.

A time limit of a socket is one for the next byte; a server that sends one byte a minute never meets it. So every byte is
waited for in short steps, and between them the limits of the whole exchange are looked at, and whether somebody cancelled.
"""

import io
import math
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

STEP_S = 0.25
SLICE = 1 << 16
LARGEST_READ = 1 << 20
LEAST_RATE, PATIENCE_S = 4096, 60.0
"""A body that has moved fewer bytes a second for so long has stopped."""


@dataclass
class Limits:
    """What the connections of a wire keep to. ``stop`` raises when somebody cancelled; all must be over at ``until`` and
    nothing may be silent for ``silent_s`` (monotonic seconds); ``rated``: fewer bytes than LEAST_RATE are none.

    ``begun`` and ``whole``: how much of the last request was handed to the system."""

    stop: Callable[[], None] = lambda: None
    until: float = math.inf
    seconds: float = math.inf
    silent_s: float = 60.0
    rated: bool = False
    begun: bool = False
    whole: bool = False
    _looked: float = 0.0
    _since: float = 0.0
    _got: int = 0

    def start(self, seconds: float, silent_s: float, *, rated: bool = False) -> None:
        """For what comes next: how long all of it may take, how long it may be silent."""
        self.seconds, self.silent_s = seconds, silent_s
        self._go(time.monotonic() + seconds, rated)

    def sending(self) -> None:
        """A request leaves: it may take as long as it takes, while it moves."""
        self._go(math.inf, True)

    def sent(self) -> None:
        """It has left whole; the answer has its own time."""
        self.whole = True
        self._go(time.monotonic() + self.seconds, False)

    def _go(self, until: float, rated: bool) -> None:
        self.until, self.rated = until, rated
        self._since, self._got = time.monotonic(), 0

    def check(self, came: int = 0) -> None:
        """Raises TimeoutError past a limit, and what ``stop`` raises."""
        now = time.monotonic()
        self._got += came
        if now > self.until:
            raise TimeoutError("it took too long as a whole")
        if now - self._looked > STEP_S:
            self._looked = now
            self.stop()
        if self.rated and (passed := now - self._since) > PATIENCE_S:
            if self._got < LEAST_RATE * passed:
                raise TimeoutError("it has all but stopped")
            self._since, self._got = now, 0


@dataclass
class Line:
    """A connected socket that keeps to ``limits``; all else is the socket's own."""

    plain: Any
    limits: Limits

    def __post_init__(self) -> None:
        self.plain.settimeout(STEP_S)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def settimeout(self, seconds: float | None) -> None:
        """Limits decide."""

    def sendall(self, data: Any) -> None:
        """In slices: a limit for all of a large body would be one for slow lines."""
        view = memoryview(data).cast("B")
        while view:
            self.limits.begun = True
            count = self._patiently(partial(self.plain.send, view[:SLICE]))
            self.limits.check(count)
            view = view[count:]

    def recv_into(self, into: Any) -> int:
        """Bytes that came, 0 at the end."""
        count = self._patiently(partial(self.plain.recv_into, into))
        self.limits.check(count)
        return count

    def makefile(self, *_args: Any, **_more: Any) -> io.BufferedReader:
        """For reading, as http.client asks for it."""
        return io.BufferedReader(_Raw(self))

    def _patiently(self, step: Callable[[], int]) -> int:
        end = time.monotonic() + self.limits.silent_s
        while True:
            try:
                return step()
            except TimeoutError:
                self.limits.check()
                if time.monotonic() > end:
                    raise


class _Raw(io.RawIOBase):
    """What is read of a line; keeps its socket open, as a file of the socket does."""

    def __init__(self, line: Line) -> None:
        self._line, self._hold = line, line.plain.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        return self._line.recv_into(into)

    def close(self) -> None:
        self._hold.close()
        super().close()


class Connections(HTTPAdapter):
    """Those of one wire."""

    def __init__(self, limits: Limits, plain: type[HTTPConnection] = HTTPConnection) -> None:
        """``plain``: what connects for http."""
        self._limits, self._plain = limits, plain
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Puts our connections into the pools."""
        super().init_poolmanager(*args, **more)
        limits = self._limits

        class Timed:
            def connect(self: Any) -> None:
                super().connect()  # type: ignore[misc]
                self.sock = Line(self.sock, limits)

            def request(self, *args: Any, **more: Any) -> None:
                limits.sending()
                super().request(*args, **more)  # type: ignore[misc]
                limits.sent()

        pools: dict[str, tuple[type, type]] = {
            "http": (HTTPConnectionPool, self._plain), "https": (HTTPSConnectionPool, HTTPSConnection)
        }  # fmt: skip
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": type("Connection", (Timed, kind), {})})
            for scheme, (pool, kind) in pools.items()
        }


@dataclass
class _Unpacked:
    """The content of a packed answer, a bounded piece at a time."""

    inside: Any = field(default_factory=lambda: zlib.decompressobj(wbits=47))

    def of(self, packed: bytes) -> Iterator[bytes]:
        while True:
            try:
                found = self.inside.decompress(packed, LARGEST_READ)
            except zlib.error as error:
                raise requests.exceptions.ContentDecodingError(str(error)) from error
            packed = self.inside.unconsumed_tail
            if found:
                yield found
            if self.inside.eof or (not packed and len(found) < LARGEST_READ):
                return

    def end(self) -> None:
        if not self.inside.eof:
            raise requests.ConnectionError("the packed answer broke off")


def pieces(answer: requests.Response) -> Iterator[bytes]:
    """The body as it comes, unpacked if the server packed it unasked. Asks for about as much as arrives in half a second.
    Raises requests.RequestException where it breaks off."""
    packing = answer.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise requests.exceptions.ContentDecodingError(f"packed as {packing[:40]}")
    unpacked = _Unpacked() if packing not in ("", "identity") else None
    amount, came = 1, 0
    while True:
        start = time.monotonic()
        try:
            chunk = answer.raw.read(amount, decode_content=False)
        except (OSError, ValueError) as error:  # the end of a connection that was closed under it
            raise requests.ConnectionError(str(error)) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in ("urllib3", "http"):
                raise
            raise requests.ConnectionError(str(error)) from error
        came += len(chunk)
        if not chunk:
            break
        yield from unpacked.of(chunk) if unpacked else (chunk,)
        took = time.monotonic() - start
        if took < 0.25:
            amount = min(amount * 2, LARGEST_READ)
        elif took > 1.0:
            amount = max(1, amount // 4)
    if unpacked:
        unpacked.end()
    promised = answer.headers.get("content-length", "")
    if promised.isdigit() and came < int(promised) and answer.request.method != "HEAD":
        raise requests.ConnectionError(f"{came} of {promised} bytes came")


def secure_says(error: Exception) -> str:
    """What is wrong with a certificate, in words; "" if it is something else."""
    text = str(error)
    for sign, says in (
        ("self-signed", "its certificate is signed by nobody known"),
        ("self signed", "its certificate is signed by nobody known"),
        ("unable to get local issuer", "its certificate is signed by nobody known"),
        ("certificate has expired", "its certificate has expired"),
        ("not yet valid", "its certificate is not valid yet"),
        ("Hostname mismatch", "its certificate is for another name"),
        ("IP address mismatch", "its certificate is for another name"),
        ("doesn't match", "its certificate is for another name"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS"),
    ):
        if sign in text:
            return says
    return "the secure connection did not come about"


__all__ = ["Connections", "Limits", "Line", "pieces", "secure_says"]
