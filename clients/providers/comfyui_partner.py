# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of a Comfy account, for partner nodes: sent with a workflow that has such nodes, to a server that is trusted.

Requests are plain data that tests compare and that may be written down, so they only hold a mark; the key takes its place
in memory, where a request is signed, and nowhere else.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase

from ...pipeline.errors import Refused
from ..auth import Bearer
from ..calls import Call, Reply
from ..hosts import is_loopback

PROXY, OWN, THEIRS = "HOLDFAST_COMFYUI_KEY", "HOLDFAST_COMFY_ORG_KEY", "API_KEY_COMFY_ORG"
FIELD, MARK = "api_key_comfy_org", "holdfast:key-of-a-comfy-account"
_partners: dict[tuple[str, str], bool] = {}
"""By server and class of node, since an adapter is made anew for every question."""


class Signed(AuthBase):
    """A Bearer key for a proxy, if there is one, and the account's key where a request has its mark."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._proxy, self._account = keys.get(PROXY, ""), keys.get(OWN) or keys.get(THEIRS) or ""

    @property
    def account(self) -> bool:
        """Whether there is the key of an account."""
        return bool(self._account)

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._proxy:
            r = Bearer(self._proxy)(r)
        body = r.body if isinstance(r.body, bytes) else b""
        if self._account and MARK.encode() in body:
            parts = urlsplit(str(r.url))
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                raise Refused(
                    "The key of the Comfy account is not sent without encryption", where=parts.netloc
                )
            told = json.loads(body)
            if told.get("extra_data", {}).get(FIELD) == MARK:
                told["extra_data"][FIELD] = self._account
                r.prepare_body(data=json.dumps(told).encode(), files=None)
        return r


def partners(ask: Callable[[Call], Reply], base: str, workflow: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The classes of nodes in a workflow that call a partner, by what the server says of each."""
    classes: Iterable[str] = dict.fromkeys(str(node.get("class_type")) for node in workflow.values())
    return [name for name in classes if _is_partner(ask, base, name)]


def _is_partner(ask: Callable[[Call], Reply], base: str, name: str) -> bool:
    if (base, name) not in _partners:
        reply = ask(Call("GET", f"object_info/{quote(name, safe='')}"))
        if not reply.ok:
            return False  # not remembered: it may be installed later
        told = reply.table.get(name)
        _partners[base, name] = isinstance(told, Mapping) and told.get("api_node") is True
    return _partners[base, name]
