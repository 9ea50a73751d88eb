# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent Cloud's signature, TC3-HMAC-SHA256, over the content type, the host and the body of a request."""

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

SIGNED = "content-type;host"


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret_key: str, service: str, stamp: int, host: str, content_type: str, body: bytes) -> str:
    """The signature (hex) of a POST to / at POSIX second ``stamp``."""
    day = time.strftime("%Y-%m-%d", time.gmtime(stamp))
    headers = f"content-type:{content_type}\nhost:{host}\n"
    request = f"POST\n/\n\n{headers}\n{SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{service}/tc3_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = _hmac(_hmac(_hmac(f"TC3{secret_key}".encode(), day), service), "tc3_request")
    return _hmac(key, f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{digest}").hex()


class TC3(AuthBase):
    """Signs each request with a pair of keys; the time it is sent is part of it."""

    def __init__(
        self, secret_id: str, secret_key: str, service: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._id, self._key, self._service, self._clock = secret_id, secret_key, service, clock

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        stamp, host = int(self._clock()), urlsplit(str(r.url)).netloc
        body = r.body.encode() if isinstance(r.body, str) else bytes(r.body or b"")
        kind = str(r.headers.get("Content-Type", ""))
        signed = signature(self._key, self._service, stamp, host, kind, body)
        day = time.strftime("%Y-%m-%d", time.gmtime(stamp))
        r.headers["Host"] = host
        r.headers["X-TC-Timestamp"] = str(stamp)
        r.headers["Authorization"] = (
            f"TC3-HMAC-SHA256 Credential={self._id}/{day}/{self._service}/tc3_request, "
            f"SignedHeaders={SIGNED}, Signature={signed}"
        )
        return r
