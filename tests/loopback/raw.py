# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of raw sockets, for what no HTTP library would send; also over TLS with certificates made for the test."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

Talk = Callable[[socket.socket], None]


def request_of(link: socket.socket) -> bytes:
    """A whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = link.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length and (chunk := link.recv(65536)):
        body += chunk
    return head + b"\r\n\r\n" + body


def reset(link: socket.socket) -> None:
    """Hangs up with a reset."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    link.close()


def answered(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None) -> bytes:
    """An answer as bytes."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n".encode() + body


def drip(link: socket.socket, data: bytes, pause_s: float = 0.02) -> None:
    """Byte by byte, for as long as the other side listens."""
    with suppress(OSError):
        for byte in data:
            link.sendall(bytes([byte]))
            time.sleep(pause_s)


class Raw:
    """At ``url`` while it is entered; ``talk`` has each connection. ``met`` counts them, ``heard`` are whole requests."""

    def __init__(self, talk: Talk, certificate: Path | None = None) -> None:
        self.talk, self.met, self.heard = talk, 0, []
        self._listen = socket.create_server(("127.0.0.1", 0))
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._listen.getsockname()[1]}"

    def __enter__(self) -> "Raw":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listen.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                link, _ = self._listen.accept()
                self.met += 1
                threading.Thread(target=self._one, args=(link,), daemon=True).start()

    def _one(self, link: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                link = self._tls.wrap_socket(link, server_side=True)
            self.talk(link)
        link.close()


def answers(*data: bytes) -> tuple[list[bytes], Talk]:
    """What was asked, and a talk that gives the answers in turn, the last for ever."""
    heard: list[bytes] = []

    def talk(link: socket.socket) -> None:
        heard.append(request_of(link))
        link.sendall(data[min(len(heard), len(data)) - 1])

    return heard, talk


@cache
def certificate(kind: str) -> Path | None:
    """A key with its certificate, for 127.0.0.1: "good" (trusted if it is given as authority), "expired", "other" (for
    another name). None without openssl."""
    program = shutil.which("openssl")
    if program is None:
        return None
    folder = Path(mkdtemp(prefix="certificates-"))
    path, name = folder / f"{kind}.pem", "DNS:other.invalid" if kind == "other" else "IP:127.0.0.1"
    times = (
        ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"]
        if kind == "expired"
        else ["-days", "9"]
    )
    made = [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
            str(path), "-out", str(folder / "c"), "-subj", "/CN=loopback", "-addext", f"subjectAltName={name}"]  # fmt: skip
    if subprocess.run([*made, *times], capture_output=True, check=False).returncode:
        if kind != "expired":
            return None
        return _expired(program, folder, path)
    path.write_bytes(path.read_bytes() + (folder / "c").read_bytes())
    return path


def _expired(program: str, folder: Path, path: Path) -> Path | None:
    """By ``openssl ca``, since older ones take no dates elsewhere."""
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    (folder / "conf").write_text(
        f"[ca]\ndefault_ca=x\n[x]\ndatabase={folder}/index\nserial={folder}/serial\nnew_certs_dir={folder}\n"
        "default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1\n"
    )
    for more in (
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path,
         "-out", folder / "r", "-subj", "/CN=loopback"],
        ["ca", "-batch", "-selfsign", "-config", folder / "conf", "-keyfile", path, "-in", folder / "r", "-out",
         folder / "c", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-notext"],
    ):  # fmt: skip
        if subprocess.run([program, *map(str, more)], capture_output=True, check=False).returncode:
            return None
    path.write_bytes(path.read_bytes() + (folder / "c").read_bytes())
    return path
