# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit hook that refuses every socket that is not of this machine. Also run in the processes that tests start, where
nothing of the tests can be imported: so it is one file that needs nothing."""

import ipaddress
import os
import sys

OURS = frozenset({"localhost", "", None})
RECORD = "HOLDFAST_TESTS_WORLD"
"""Names the file that is written to: what happens in a thread or in another process must fail the test all the same."""


class SpokeToTheWorld(BaseException):
    """Not an Exception, so that no code under test takes it for a bad day of the network."""


def is_ours(host):
    """True for this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in OURS:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def watch(event, arguments):
    """The hook; it stays for the life of the process."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not is_ours(address[0]):
            refuse(f"{event} to {address[0]}")
    elif event == "socket.getaddrinfo" and not is_ours(arguments[0]):
        refuse(f"somebody asked for the address of {arguments[0]}")


def refuse(what):
    """Writes it down, and raises."""
    if path := os.environ.get(RECORD):
        with open(path, "a", encoding="utf-8") as stream:  # noqa: PTH123  imports here would be imports everywhere
            stream.write(f"{what} by process {os.getpid()}\n")
    raise SpokeToTheWorld(what)


if __name__ == "__watch__":
    sys.addaudithook(watch)
