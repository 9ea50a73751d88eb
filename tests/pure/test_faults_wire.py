# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that drip, stop, cut off, lie or hang up: what is said, what is repeated, and above all what is in doubt."""

import gzip
import socket
import time

import pytest
from holdfast.clients.calls import Call
from holdfast.clients.wire import Insecure
from holdfast.pipeline.context import CancelToken
from holdfast.pipeline.errors import Cancelled, ProviderBusy, ProviderRejected, Uncertain

from ..loopback.raw import Raw, answered, answers, certificate, drip, request_of, reset
from .fault_parts import quick, wire_to

POST, GET = Call("POST", "/jobs", json={"prompt": "ink"}), Call("GET", "/jobs/1")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    quick(monkeypatch)


def drip_head(link: socket.socket) -> None:
    request_of(link)
    drip(link, b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 50)


def drip_body(link: socket.socket) -> None:
    request_of(link)
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(link, b" " * 1000)


def first_fast(link: socket.socket) -> None:
    """A reader that asks for a whole megabyte by now must not wait for it for ever."""
    request_of(link)
    link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b" " * 3_000_000)
    drip(link, b" " * 1000)


def for_ever_100(link: socket.socket) -> None:
    request_of(link)
    while True:
        link.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 50)
        time.sleep(0.01)


def silent(link: socket.socket) -> None:
    request_of(link)
    link.recv(1)


def cut(link: socket.socket) -> None:
    request_of(link)
    link.sendall(answered(b'{"id": "j', length=100))


def cut_chunked(link: socket.socket) -> None:
    request_of(link)
    link.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"id"\r\nff\r\n: 1')


def hung_up(link: socket.socket) -> None:
    request_of(link)
    reset(link)


def garbage(link: socket.socket) -> None:
    request_of(link)
    link.sendall(b"\x16\x03\x01 SSH-2.0 \r\n\r\n")


def headers_without_end(link: socket.socket) -> None:
    request_of(link)
    link.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000)


ODD = [
    drip_head,
    drip_body,
    first_fast,
    for_ever_100,
    silent,
    cut,
    cut_chunked,
    hung_up,
    garbage,
    headers_without_end,
]


@pytest.mark.parametrize("talk", ODD, ids=lambda talk: talk.__name__)
def test_after_a_create_there_is_doubt_and_no_second_one(talk):
    with Raw(talk) as server, pytest.raises(Uncertain, match="Studio") as caught:
        began = time.monotonic()
        try:
            wire_to(server.url).send(POST)
        finally:
            assert time.monotonic() - began < 2.0
    assert server.met == 1 and "look in your account" in str(caught.value)


@pytest.mark.parametrize("talk", [drip_body, cut_chunked, hung_up], ids=lambda talk: talk.__name__)
def test_what_costs_nothing_is_asked_again_and_then_left(talk, monkeypatch):
    monkeypatch.setattr("holdfast.clients.wire.TRIES", 2)
    with Raw(talk) as server:
        with pytest.raises(ProviderBusy):
            wire_to(server.url).ask(GET)
        assert server.met == 2


def test_a_body_that_is_never_read_is_no_request():
    """A part of a request is none: nothing was begun, nobody has to look anywhere."""

    def deaf(link):
        time.sleep(1.5)

    with Raw(deaf) as server, pytest.raises(ProviderBusy, match="whole request, so nothing was begun"):
        wire_to(server.url).send(Call("POST", "/jobs", body=b"x" * (64 << 20)))
    assert server.met == 1


def test_hung_up_within_the_body_is_no_request():
    def half(link):
        link.recv(1000)
        reset(link)

    with Raw(half) as server, pytest.raises(ProviderBusy, match="nothing was begun"):
        wire_to(server.url).send(Call("POST", "/jobs", body=b"x" * (64 << 20)))


def test_a_refusal_in_the_midst_of_the_body_is_heard():
    def too_large(link):
        link.recv(1000)
        link.sendall(answered(b"{}", status="413 Payload Too Large"))
        link.shutdown(socket.SHUT_WR)
        while link.recv(1 << 20):
            pass

    with Raw(too_large) as server:
        assert wire_to(server.url).send(Call("POST", "/jobs", body=b"x" * (8 << 20))).status == 413


def test_a_slow_line_may_take_its_time_with_a_large_body():
    """All of it takes longer than any wait is allowed to, and than an answer is."""

    def slow(link):
        taken, began = 0, time.monotonic()
        while taken < 16 << 20:
            taken += len(link.recv(1 << 18))
            time.sleep(max(0.0, began + taken / (16 << 20) - time.monotonic()))
        link.sendall(answered(b"{}"))

    body, began = b"x" * ((16 << 20) + 1000), time.monotonic()
    with Raw(slow) as server:
        assert wire_to(server.url).send(Call("POST", "/jobs", body=body)).ok
    assert time.monotonic() - began > 0.9


def test_too_large_an_answer_to_a_create_is_doubt_and_to_a_question_is_refused(monkeypatch):
    monkeypatch.setattr("holdfast.clients.wire.MAX_REPLY", 100_000)
    _, talk = answers(answered(b" " * 200_000))
    with Raw(talk) as server:
        with pytest.raises(Uncertain, match="more than"):
            wire_to(server.url).send(POST)
        with pytest.raises(ProviderRejected, match="more than"):
            wire_to(server.url).ask(GET)
        assert server.met == 2


def test_a_packed_answer_is_read_and_a_bomb_is_not(monkeypatch):
    fine = answered(gzip.compress(b'{"id": 1}'), headers="Content-Encoding: gzip\r\n")
    bomb = answered(gzip.compress(bytes(40 << 20)), headers="Content-Encoding: gzip\r\n")
    torn = answered(gzip.compress(b'{"id": 1}' * 999)[:-9], headers="Content-Encoding: gzip\r\n")
    odd = answered(b"xxxx", headers="Content-Encoding: br\r\n")
    _, talk = answers(fine, bomb, torn, odd)
    with Raw(talk) as server:
        wire = wire_to(server.url)
        assert wire.ask(GET).table == {"id": 1}
        with pytest.raises(ProviderRejected, match="more than 32 MB"):
            wire.ask(GET)
        for _ in range(2):
            with pytest.raises(Uncertain, match="broke off"):
                wire.send(POST)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_create_is_not_sent_on(status):
    _, talk = answers(answered(b"", status=f"{status} Moved", headers="Location: /other\r\n"))
    with Raw(talk) as server, pytest.raises(ProviderRejected, match="not followed"):
        wire_to(server.url).send(POST)
    assert server.met == 1


def test_see_other_means_that_it_was_done():
    _, talk = answers(answered(b"", status="303 See Other", headers="Location: /other\r\n"))
    with Raw(talk) as server, pytest.raises(Uncertain):
        wire_to(server.url).send(POST)


def test_a_create_never_uses_a_connection_that_may_be_dead():
    def once(link):
        request_of(link)
        link.sendall(answered(b"{}"))
        request_of(link)  # hangs up on the second, as a server does that closes an idle connection
        reset(link)

    with Raw(once) as server:
        wire = wire_to(server.url)
        assert wire.ask(GET).ok and wire.send(POST).ok
        assert server.met == 2


# -- who the other side is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "says"),
    [("good", "signed by nobody known"), ("expired", "signed by nobody known|has expired"), ("other", "nobody known|another name")],
)  # fmt: skip
def test_a_certificate_that_is_wrong_is_said_and_nothing_is_sent(kind, says):
    path = certificate(kind)
    if path is None:
        pytest.skip("no openssl here")
    heard, talk = answers(answered(b"{}"))
    with Raw(talk, path) as server:
        waits: list[float] = []
        for way in ("send", "ask"):
            with pytest.raises(
                Insecure, match=f"not secure: its certificate.*({says}).*Nothing was sent"
            ) as caught:
                getattr(wire_to(server.url, waits=waits), way)(GET)
        assert heard == [] and waits == [] and server.met == 2, (
            "a certificate does not become better by asking again"
        )
        assert "HTTPSConnectionPool" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "says"), [("good", ""), ("expired", "has expired"), ("other", "another name")]
)
def test_a_certificate_of_a_known_authority(kind, says, monkeypatch):
    path = certificate(kind)
    if path is None:
        pytest.skip("no openssl here")
    heard, talk = answers(answered(b"{}"))
    with Raw(talk, path) as server:
        wire = wire_to(server.url)
        wire._session.verify = str(path)
        if says:
            with pytest.raises(Insecure, match=says):
                wire.send(POST)
            assert heard == []
        else:
            assert wire.send(POST).ok and b"ink" in heard[0]


def test_tls_that_breaks_after_the_request_is_doubt():
    """Not "the connection is not secure", which would mean that nothing was sent."""

    def torn(link):
        request_of(link)
        plain = socket.socket(fileno=link.detach())
        plain.sendall(b"\x17\x03\x03\x00\x05torn!")
        time.sleep(0.2)

    path = certificate("good")
    if path is None:
        pytest.skip("no openssl here")
    with Raw(torn, path) as server, pytest.raises(Uncertain):
        wire = wire_to(server.url)
        wire._session.verify = str(path)
        wire.send(POST)


def test_plain_http_where_tls_is_expected():
    with (
        Raw(lambda link: link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server,
        pytest.raises(Insecure, match=r"does not speak TLS|did not come about"),
    ):
        wire_to(server.url.replace("http:", "https:")).send(POST)


def test_a_name_that_nobody_knows(monkeypatch):
    def unknown(*_args, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ProviderBusy, match=r"Studio can't be reached \(localhost\)"):
        wire_to("http://localhost:1").send(POST)


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    waits: list[float] = []
    with pytest.raises(ProviderBusy, match="can't be reached"):
        wire_to(f"http://127.0.0.1:{port}", waits=waits).send(POST)
    assert waits == [], "a create is never repeated, not even where it surely did not arrive"


def test_a_key_that_no_header_can_hold_is_said_without_the_key():
    with (
        Raw(silent) as server,
        pytest.raises(ProviderRejected, match=r"can.t be sent\. Check the key") as caught,
    ):
        wire_to(server.url).send(Call("POST", "/jobs", headers={"X-Key": "Schlüssel-ключ"}))
    assert "ключ" not in str(caught.value)


# -- cancel and shutdown ---------------------------------------------------------------------------------------------


def test_a_cancel_waits_for_the_answer_to_a_create_but_not_to_a_question():
    token = CancelToken()

    def slow(link):
        request_of(link)
        token.cancel()
        time.sleep(0.15)
        link.sendall(answered(b'{"id": "j1"}'))

    with Raw(slow) as server:
        assert wire_to(server.url, token).send(POST).table == {"id": "j1"}
        token = CancelToken()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            wire_to(server.url, token).ask(GET)
        assert time.monotonic() - began < 0.14, "a silent server holds up no cancel"


def test_a_system_that_shuts_down_is_waited_for_a_little(monkeypatch):
    monkeypatch.setattr("holdfast.clients.wire.SHUT_DOWN_S", 0.2)
    monkeypatch.setattr("holdfast.clients.wire.SILENT_S", 9.0)
    token = CancelToken()

    def never(link):
        request_of(link)
        token.hurry()
        time.sleep(3)

    began = time.monotonic()
    with Raw(never) as server, pytest.raises(Uncertain):
        wire_to(server.url, token).send(POST)
    assert 0.15 < time.monotonic() - began < 0.6
