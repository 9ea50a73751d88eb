# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test run needs before the first test file is collected; loaded by tests/conftest.py."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_status = pytest.StashKey[int]()


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the root as a plain folder: it has an __init__.py, but it is the extension, not a test package."""
    if path == ROOT:
        return pytest.Dir.from_parent(parent, path=path)
    return None


def _is_loopback(host: object) -> bool:
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _refuse_network(event: str, args: tuple[object, ...]) -> None:
    """Audit hook: a test that reaches beyond this machine fails where it does so."""
    if event == "socket.getaddrinfo":
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = args[1]
        if not isinstance(address, tuple):  # a Unix socket
            return
        host = address[0]
    else:
        return
    if not _is_loopback(host):
        raise RuntimeError(
            f"a test tried to reach {host!r}: the suite runs offline, use a server on 127.0.0.1"
        )


def pytest_configure(config: pytest.Config) -> None:
    with contextlib.suppress(ImportError):  # not in every Blender
        import hypothesis

        # The gate always tries the same examples; at a desk every run tries new ones.
        hypothesis.settings.register_profile("gate", derandomize=True)
        if os.environ.get("CI"):
            hypothesis.settings.load_profile("gate")
    sys.addaudithook(_refuse_network)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_status] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave at once where bpy is loaded: bpy 4.x can crash or hang at interpreter exit after green tests."""
    if "bpy" in sys.modules and _status in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_status])
