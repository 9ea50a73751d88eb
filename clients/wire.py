# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests on the wire: to agreed hosts only, bounded in size and time, repeated only where that can't cost anything.

``ask`` repeats what fails in passing; ``send`` never does, and says apart what surely did not arrive (ProviderBusy) from
what may have (Uncertain). Redirects are followed by hand: to https or loopback, and without credentials to another host.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from ..pipeline.context import Context
from ..pipeline.errors import ProviderBusy, ProviderRejected, Refused, Uncertain
from .calls import Call, Reply
from .hosts import is_loopback

MAX_REPLY = 32 << 20
"""Bytes of an answer that is read into memory; pictures that come inside JSON need this much."""
CONNECT_S, SILENT_S, REPLY_S = 10.0, 60.0, 180.0
"""Seconds to connect, without a byte, and for a whole answer."""
TRIES, FIRST_WAIT_S, MOST_WAIT_S = 5, 0.5, 30.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
SURELY_NOT = frozenset({501, 529})
"""Of the server's own errors those that say that nothing was begun: not implemented, overloaded."""
HOPS = 5
LARGEST_READ = 1 << 20


@dataclass(frozen=True)
class Hosts:
    """Who may be spoken to. ``agreed``: host names, or ".name" for all below one, that a person has consented to;
    ``online``: Blender's own switch. This machine may always be spoken to."""

    agreed: tuple[str, ...] = ()
    online: bool = False

    def check(self, url: str) -> None:
        """Raises Refused with what to do."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if is_loopback(host) and parts.scheme in ("http", "https"):
            return
        if parts.scheme != "https" or not host or parts.username:
            raise Refused("An address that is not https was refused", where=f"{parts.scheme}://{host}")
        if not self.online:
            todo = "Allow it in Preferences > System > Network > Allow Online Access."
            raise Refused("Blender is offline, so nothing is sent", where=host, todo=todo)
        if not any(host == one or (one.startswith(".") and host.endswith(one)) for one in self.agreed):
            todo = "Agree to what is sent there (Jobs panel), or pass --consent with the service's name."
            raise Refused("Nobody has agreed to send anything to this host", where=host, todo=todo)


class Wire:
    """One service's connection."""

    def __init__(
        self,
        name: str,
        base: str,
        hosts: Hosts,
        context: Context,
        auth: AuthBase | None = None,
        secrets: Iterable[str] = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``name`` as people know the service; ``secrets`` are cut out of all that is said."""
        self.name, self.base, self.hosts, self.context = name, base.rstrip("/"), hosts, context
        self._auth, self._secrets = auth, tuple(s for s in secrets if len(s) >= 4)
        self._sleep = sleep
        self.kin: tuple[str, ...] = ()
        """Further hosts of the same service that get its credentials too (an upload's)."""
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy passwords, no .netrc: what is sent is what stands here
        self._session.headers.update({"User-Agent": "Holdfast", "Accept-Encoding": "identity"})

    def close(self) -> None:
        """Ends its connections."""
        self._session.close()

    def clean(self, text: str, most: int = 300) -> str:
        """``text`` from outside, fit to be shown: without our keys, on one line, not long."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= most else text[: most - 1] + "…"

    def address(self, url: str) -> str:
        """The whole address of a path below the base."""
        return url if "://" in url else f"{self.base}/{url.lstrip('/')}"

    def ask(self, call: Call) -> Reply:
        """A request that may be repeated: waits and asks again where that may help. Returns the last answer, whatever
        its status. Raises ProviderBusy if there was none, Refused, Cancelled."""
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                reply = self._once(call)
            except (ProviderBusy, Uncertain) as error:
                if last:
                    raise ProviderBusy(error.what, where=error.where, todo=error.todo) from error
                self.wait(self._pause(attempt))
                continue
            asked = reply.retry_after_s
            if reply.status not in AGAIN or last or (asked or 0.0) > MOST_WAIT_S:
                return reply
            self.wait(max(asked or 0.0, self._pause(attempt)))
        raise AssertionError("unreachable")

    def send(self, call: Call) -> Reply:
        """A request that is sent once, whatever happens. Raises ProviderBusy if it surely never arrived, Uncertain if it
        may have, Refused, Cancelled; any status is an answer; 5xx (but SURELY_NOT) and one that breaks off are none (Uncertain)."""
        reply = self._once(call)
        if reply.status >= 500 and reply.status not in SURELY_NOT:
            raise Uncertain(
                f"{self.name} answered with an error of its own ({reply.status})",
                todo="It may be at work all the same: look in your account before you send it again.",
            )
        return reply

    def credentials(self, url: str) -> dict[str, str]:
        """The headers that show who we are, for a connection that is not HTTP (a websocket); none for another host."""
        if self._auth is None or urlsplit(url).hostname != urlsplit(self.base).hostname:
            return {}
        return dict(self._auth(requests.Request("GET", self.base).prepare()).headers)

    def wait(self, seconds: float) -> None:
        """Sleeps, but not past a cancel."""
        end = time.monotonic() + seconds
        while True:
            self.context.cancel.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            self._sleep(min(left, 0.2))

    @staticmethod
    def _pause(attempt: int) -> float:
        """Full jitter, so that many do not come back at once."""
        return random.uniform(0.2, 1.0) * min(MOST_WAIT_S, FIRST_WAIT_S * 2.0**attempt)

    def _once(self, call: Call) -> Reply:
        with self.open(call) as answer:
            body = bytearray()
            deadline = time.monotonic() + max(REPLY_S, call.patience_s)
            try:
                for chunk in pieces(answer, self.context):
                    body += chunk
                    if len(body) > MAX_REPLY:
                        raise ProviderRejected(
                            f"{self.name} sent more than {MAX_REPLY >> 20} MB as an answer"
                        )
                    if time.monotonic() > deadline:
                        raise Uncertain(f"{self.name} did not finish its answer")
            except requests.RequestException as error:
                raise Uncertain(f"The answer of {self.name} broke off", todo=LOST) from error
            promised = answer.headers.get("content-length", "")
            if promised.isdigit() and len(body) < int(promised) and call.method != "HEAD":
                raise Uncertain(f"The answer of {self.name} broke off", todo=LOST)
            headers = {key.lower(): value for key, value in answer.headers.items()}
            return Reply(answer.status_code, headers, bytes(body), answer.url)

    def open(self, call: Call) -> requests.Response:
        """The answer with its body still to be read; redirects are followed. Close it (it is a context manager)."""
        home = urlsplit(self.base).hostname or ""
        for _ in range(HOPS):
            url = self.address(call.url)
            self.hosts.check(url)
            self.context.cancel.check()
            signed = call.signed and urlsplit(url).hostname in (home, *self.kin)
            answer = self._answer(replace(call, url=url, signed=signed))
            target = answer.headers.get("location", "") if answer.is_redirect else ""
            if not target:
                return answer
            answer.close()
            if call.method not in ("GET", "HEAD"):  # what was sent must not travel on
                raise ProviderRejected(
                    f"{self.name} sent the request on elsewhere, which was not followed", where=home
                )
            call = replace(call, url=urljoin(url, target), params={})
        raise ProviderRejected(f"{self.name} redirects without end", where=home)

    def _answer(self, call: Call) -> requests.Response:
        with ExitStack() as opened:

            def content(of: Path | bytes) -> Any:
                return of if isinstance(of, bytes) else opened.enter_context(of.open("rb"))

            files = [
                (p.field, (p.name or None, content(p.content), p.media_type or None)) for p in call.parts
            ] or None
            data: Any = None if call.body is None else content(call.body)
            request = requests.Request(
                call.method, call.url, params=dict(call.params) or None, headers=dict(call.headers),
                json=call.json, data=data if call.form is None else dict(call.form), files=files,
                auth=self._auth if call.signed else None,
            )  # fmt: skip
            try:
                prepared = self._session.prepare_request(request)
                return self._session.send(
                    prepared,
                    stream=True,
                    allow_redirects=False,
                    timeout=(CONNECT_S, call.patience_s or SILENT_S),
                )
            except requests.exceptions.SSLError as error:
                raise ProviderBusy(
                    f"The connection to {self.name} is not secure", todo=self.clean(str(error))
                ) from error
            except (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL) as error:
                raise ProviderBusy(
                    f"{self.name} can't be reached", where=urlsplit(call.url).hostname or ""
                ) from error
            except requests.ConnectionError as error:
                if never_sent(error):
                    raise ProviderBusy(
                        f"{self.name} can't be reached", where=urlsplit(call.url).hostname or ""
                    ) from error
                raise Uncertain(f"{self.name} did not answer", todo=LOST) from error
            except requests.RequestException as error:
                raise Uncertain(f"{self.name} did not answer", todo=LOST) from error


LOST = "It may be at work all the same: look in your account before you send it again."


def never_sent(error: requests.ConnectionError) -> bool:
    """True if no connection came about: unknown name, refused, unreachable."""
    reason = error.args[0] if error.args else None
    reason = getattr(reason, "reason", reason)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def pieces(answer: requests.Response, context: Context) -> Iterator[bytes]:
    """The body as it comes. Asks for about as much as arrives in half a second, so that a server that drips is seen as
    soon as one that is silent."""
    amount = 1
    while True:
        context.cancel.check()
        start = time.monotonic()
        try:
            chunk = answer.raw.read(amount, decode_content=True)
        except Exception as error:  # urllib3's own, of which requests knows only some here
            raise requests.ConnectionError(str(error)) from error
        if not chunk:
            return
        yield chunk
        took = time.monotonic() - start
        if took < 0.25:
            amount = min(amount * 2, LARGEST_READ)
        elif took > 1.0:
            amount = max(1, amount // 4)
