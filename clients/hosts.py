# SPDX-License-Identifier: GPL-3.0-or-later
"""Which computers a service is, from its entry in the catalogue and what a person set."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..pipeline.errors import UsageError
from .descriptor import Service

METADATA = frozenset({"169.254.169.254", "fd00:ec2::254"})
"""Link-local addresses that are a cloud's own, with credentials to be had; never somebody's machine."""


def is_loopback(host: str) -> bool:
    """True for this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(address: str) -> bool:
    """True for the address of another machine in the same house: RFC 1918, fc00::/7 (RFC 4193), link-local."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    if str(found) in METADATA:
        return False
    return any(found.version == net.version and found in net for net in PRIVATE)


PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)


def may_be_near(host: str) -> bool:
    """True for a private address, or a name that only the local network gives (*.local); where such a name leads is
    looked at whenever a connection is made."""
    return is_private(host) or (host.endswith(".local") and host != ".local")


def origin(url: str) -> str:
    """scheme://host:port of an address, as it is compared; empty for what is none."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    port = port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def address(service: Service, url: str) -> str:
    """``url`` if a service may be there: https, this computer, or, for one's own server, http in the local network.
    Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, _port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no address", where=service.label) from error
    if (
        parts.scheme not in ("https", "http")
        or not host
        or parts.query
        or parts.fragment
        or not url.isprintable()
    ):
        raise UsageError(f"{url!r} is no address", where=service.label, todo="Write it as https://host/path.")
    if "@" in parts.netloc or "\\" in url or " " in url:
        raise UsageError(
            "An address holds no name or key", where=service.label, todo="Use Type Key for a key."
        )
    if parts.scheme == "https" or is_loopback(host):
        return url
    if not is_loopback((urlsplit(service.base).hostname or "").lower()):
        todo = "Only a server of your own may be spoken to without encryption."
        raise UsageError(f"{service.label} is not spoken to over http", where=host, todo=todo)
    if not may_be_near(host):
        todo = "Use https, or a private address (192.168..., 10..., a name that ends in .local)."
        raise UsageError("http is for the local network alone", where=host, todo=todo)
    return url


def base_of(service: Service) -> str:
    """Its address."""
    return str(service.settings.get("base") or service.base)


def home(service: Service) -> str:
    """The host that requests go to."""
    return (urlsplit(base_of(service)).hostname or "").lower()


def plain(service: Service) -> str:
    """The origin of a server that is spoken to without encryption, beyond this computer; else empty."""
    base = base_of(service)
    return origin(base) if base.startswith("http://") and not is_loopback(home(service)) else ""


def hosts_of(service: Service) -> tuple[str, ...]:
    """All that it speaks to: its home, what else is an address among its settings, and where results lie. One without
    encryption stands with its scheme and port, so that nobody agreed to it by agreeing to the name."""
    return tuple(
        dict.fromkeys(
            host for host in (plain(service) or home(service), *_more(service), *service.hosts) if host
        )
    )


def _more(service: Service) -> Iterator[str]:
    for name, value in service.settings.items():
        if name != "base" and isinstance(value, str) and value.startswith("https://"):
            yield (urlsplit(value).hostname or "").lower()


def is_local(service: Service) -> bool:
    """True for a server on this machine: nothing leaves it, so nobody has to agree."""
    return is_loopback(home(service))
