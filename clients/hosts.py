# SPDX-License-Identifier: GPL-3.0-or-later
"""Which computers a service is, from its entry in the catalogue."""

import ipaddress
from urllib.parse import urlsplit

from .descriptor import Service


def is_loopback(host: str) -> bool:
    """True for this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def home(service: Service) -> str:
    """The host that requests go to."""
    return (urlsplit(str(service.settings.get("base") or service.base)).hostname or "").lower()


def hosts_of(service: Service) -> tuple[str, ...]:
    """All that it speaks to: its home and where results lie."""
    return tuple(dict.fromkeys(host for host in (home(service), *service.hosts) if host))


def is_local(service: Service) -> bool:
    """True for a server on this machine: nothing leaves it, so nobody has to agree."""
    return is_loopback(home(service))
