# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in a test may speak to another computer: an audit hook refuses every socket that is not of this machine."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

OURS = frozenset({"localhost", "", None})


class SpokeToTheWorld(BaseException):
    """Not an Exception, so that no code under test takes it for a bad day of the network."""


def is_ours(host: object) -> bool:
    """True for this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in OURS:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    """The hook; it stays for the life of the process."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not is_ours(address[0]):
            raise SpokeToTheWorld(f"{event} to {address[0]}")
    elif event == "socket.getaddrinfo" and not is_ours(arguments[0]):
        raise SpokeToTheWorld(f"a test asked for the address of {arguments[0]}")


def pytest_configure() -> None:
    sys.addaudithook(watch)
