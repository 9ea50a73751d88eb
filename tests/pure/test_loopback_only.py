# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests can't speak to another computer, and that is itself tested."""

import socket

import pytest

from tests.plugin_loopback import SpokeToTheWorld, is_ours


def test_another_computer_is_refused_before_anything_is_sent():
    with socket.socket() as other, pytest.raises(SpokeToTheWorld):
        other.connect(("192.0.2.1", 443))
    with pytest.raises(SpokeToTheWorld):
        socket.getaddrinfo("example.com", 443)


def test_this_machine_is_not():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        (b"localhost", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_what_is_ours(host, ours):
    assert is_ours(host) is ours
