# SPDX-License-Identifier: GPL-3.0-or-later
"""How a request shows who sends it. Keys live in memory only; nothing here can be printed."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import requests
from requests.auth import AuthBase

from ..pipeline.errors import Refused
from .descriptor import Descriptor, Service


class Nobody(AuthBase):
    """For services that ask for nothing: a server of one's own."""

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return r


class Header(AuthBase):
    """A key in a header: ``Header("X-API-Key", key)``, ``Header("Authorization", key, "Key ")``."""

    def __init__(self, name: str, key: str, before: str = "") -> None:
        self._name, self._value = name, before + key

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers[self._name] = self._value
        return r


class Bearer(Header):
    """Authorization: Bearer KEY."""

    def __init__(self, key: str) -> None:
        super().__init__("Authorization", key, "Bearer ")


def only_key(keys: Mapping[str, str], service: str) -> str:
    """The one key of a service. Raises Refused if there is none."""
    found = next((key for key in keys.values() if key), "")
    if not found:
        raise Refused(
            f"There is no key for {service}",
            todo="Enter it in the Jobs panel, or set its environment variable.",
        )
    return found


def auth_of(
    model: Descriptor, service: Service, keys: Mapping[str, str], settings: Mapping[str, Any]
) -> AuthBase:
    """What the adapter's module makes of the keys; Bearer if it says nothing. Raises Refused without a key."""
    module = import_module(f".{model.adapter.partition(':')[0]}", __package__)
    make = getattr(module, "auth", None)
    if make is not None:
        made: AuthBase = make(keys, settings)
        return made
    return Bearer(only_key(keys, service.label))
