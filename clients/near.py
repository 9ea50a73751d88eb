# SPDX-License-Identifier: GPL-3.0-or-later
"""http in the local network: where a name leads is looked at when the connection is made, and nothing is sent elsewhere.

A name that led home when it was agreed to may lead to a public machine later (DNS rebinding), or to several: all its
addresses must be private, the connection goes to one of exactly these, and the address that answered is looked at again.
"""

import socket

from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from ..pipeline.errors import ProviderBusy, Refused
from .hosts import is_private


def resolved(host: str, port: int) -> list[str]:
    """All addresses of a host, each once. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def near(host: str, port: int) -> list[str]:
    """The addresses of a machine in the local network. Raises Refused if one of them is not, ProviderBusy if none is
    found."""
    try:
        found = resolved(host, port)
    except OSError as error:
        raise ProviderBusy(f"{host} can't be found in the local network") from error
    for each in found:
        check(host, each)
    return found


def check(host: str, address: str) -> None:
    """Raises Refused for an address that is not private."""
    if not is_private(address):
        raise Refused(
            "An address without encryption leads out of the local network, so nothing is sent",
            where=f"{host} is {address}", todo="Use https, or the private address itself.",
        )  # fmt: skip


class NearConnection(HTTPConnection):
    """A connection to a private address, or none."""

    def _new_conn(self) -> socket.socket:
        host, last = str(self._dns_host), None
        try:
            for each in near(host.strip("[]"), int(self.port or 80)):
                self._dns_host = each
                try:
                    return self._looked_at(host, super()._new_conn())
                except NewConnectionError as error:
                    last = error
        finally:
            self._dns_host = host  # its name is what the request says it is for
        raise last or NewConnectionError(self, f"{host} has no address")

    @staticmethod
    def _looked_at(host: str, made: socket.socket) -> socket.socket:
        try:
            check(host, str(made.getpeername()[0]))
        except Refused:
            made.close()
            raise
        return made
