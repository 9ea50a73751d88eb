# SPDX-License-Identifier: GPL-3.0-or-later
"""Volcengine's signature, version 4: HMAC-SHA256 over method, path, query, four headers and the body's hash."""

import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from requests.auth import AuthBase


class Volc4(AuthBase):
    """Signs each request with an access key and its secret."""

    def __init__(self, access: str, secret: str, region: str, service: str) -> None:
        self._access, self._secret, self._region, self._service = access, secret, region, service

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        body = r.body or b""
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        r.headers["X-Date"] = moment
        r.headers["X-Content-Sha256"] = _hash(body.encode() if isinstance(body, str) else body)
        r.headers["Authorization"] = self.signature(r.method or "GET", r.url or "", dict(r.headers))
        return r

    def signature(self, method: str, url: str, headers: dict[str, str]) -> str:
        """The header for a request that has X-Date and X-Content-Sha256."""
        lower = {key.lower(): value for key, value in headers.items()}
        parts = urlsplit(url)
        # the server leaves a usual port out; requests does not send one either
        names = {
            "host": parts.netloc,
            "x-content-sha256": lower["x-content-sha256"],
            "x-date": lower["x-date"],
        }
        if "content-type" in lower:
            names["content-type"] = lower["content-type"]
        listed = sorted(names)
        query = "&".join(
            sorted(f"{_q(k)}={_q(v)}" for k, v in parse_qsl(parts.query, keep_blank_values=True))
        )
        lines = [method, parts.path or "/", query, *(f"{n}:{names[n]}" for n in listed), "", ";".join(listed)]
        request = "\n".join([*lines, names["x-content-sha256"]])
        scope = f"{names['x-date'][:8]}/{self._region}/{self._service}/request"
        text = "\n".join(["HMAC-SHA256", names["x-date"], scope, _hash(request.encode())])
        key = self._secret.encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signed = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return f"HMAC-SHA256 Credential={self._access}/{scope}, SignedHeaders={';'.join(listed)}, Signature={signed}"


def _q(text: str) -> str:
    return quote(text, safe="-_.~")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
