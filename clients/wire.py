# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests on the wire: to agreed hosts only, bounded in size and time, repeated only where that can't cost anything.

``ask`` repeats what fails in passing; ``send`` never does, and says apart what surely did not arrive (ProviderBusy) from
what may have (Uncertain). Redirects are followed by hand: to https or loopback, and without credentials to another host.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection

from ..pipeline.context import Context
from ..pipeline.errors import HoldfastError, ProviderBusy, ProviderRejected, Refused, Uncertain
from .calls import Call, Reply
from .hosts import is_loopback, origin
from .line import Connections, Limits, pieces, secure_says
from .near import NearConnection

MAX_REPLY = 32 << 20
"""Bytes of an answer that is read into memory; pictures that come inside JSON need this much."""
CONNECT_S, SILENT_S, REPLY_S = 10.0, 60.0, 180.0
"""Seconds to connect, without a byte, and for a whole answer."""
TRIES, FIRST_WAIT_S, MOST_WAIT_S = 5, 0.5, 30.0
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
SURELY_NOT = frozenset({501, 529})
"""Of the server's own errors those that say that nothing was begun: not implemented, overloaded."""
HOPS = 5
SHUT_DOWN_S = 3.0
"""How long a request that may bill is still waited for when the system ends the process."""


@dataclass(frozen=True)
class Hosts:
    """Who may be spoken to. ``agreed``: host names, or ".name" for all below one, that a person has consented to;
    ``online``: Blender's own switch. This machine may always be spoken to. ``plain``: the one origin in the local network
    that the person set, and agreed to, for http (scheme, host and port: see near.py for where it may lead)."""

    agreed: tuple[str, ...] = ()
    online: bool = False
    plain: str = ""

    def check(self, url: str) -> None:
        """Raises Refused with what to do."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise Refused("What is no address was refused", where=url[:60]) from error
        host = (parts.hostname or "").lower()
        if is_loopback(host) and parts.scheme in ("http", "https"):
            return
        unencrypted = bool(self.plain) and origin(url) == self.plain and not parts.username
        if (parts.scheme != "https" and not unencrypted) or not host or parts.username:
            raise Refused("An address that is not https was refused", where=f"{parts.scheme}://{host}")
        if not self.online:
            todo = "Allow it in Preferences > System > Network > Allow Online Access."
            raise Refused("Blender is offline, so nothing is sent", where=host, todo=todo)
        below = [one for one in self.agreed if one.startswith(".") and host.endswith(one)]
        if self.plain not in self.agreed if unencrypted else not (host in self.agreed or below):
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
        self._calm = 0
        self.sent = 0
        """How many requests that are sent once were begun."""
        self.limits = Limits(self._stop)
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy passwords, no .netrc: what is sent is what stands here
        connections = Connections(self.limits, NearConnection if hosts.plain else HTTPConnection)
        self._session.mount("http://", connections)
        self._session.mount("https://", connections)
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
            except Insecure:
                raise  # a certificate does not become better
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
        """A request that is sent once, whatever happens. Raises ProviderBusy if it surely never arrived whole, Uncertain
        if it may have, Refused; any status is an answer; 5xx (but SURELY_NOT) and one that breaks off are none (Uncertain).

        A cancel is not looked at until the answer is here: it could only bring doubt. On a connection of its own, since a
        server may hang up an old one at the very moment that it is used."""
        self._session.close()
        with self.calm():
            self.limits.begun = False
            try:
                reply = self._once(call)
            except TooMuch as error:
                raise Uncertain(error.what, todo=LOST) from error
            finally:
                self.sent += self.limits.begun
        if (reply.status >= 500 and reply.status not in SURELY_NOT) or reply.status == 303:
            raise Uncertain(
                f"{self.name} answered with an error of its own ({reply.status})",
                todo="It may be at work all the same: look in your account before you send it again.",
            )
        return reply

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Inside, a cancel waits; only a system that shuts down does not wait long."""
        self._calm += 1
        try:
            with self.context.holding():
                yield
        finally:
            self._calm -= 1

    def _stop(self) -> None:
        cancel = self.context.cancel
        if not self._calm:
            cancel.check()
        elif cancel.hurry_at is not None and time.monotonic() > cancel.hurry_at + SHUT_DOWN_S:
            raise TimeoutError("the system is shutting down")

    @property
    def auth(self) -> AuthBase | None:
        """What signs its requests; keys can't be read from it."""
        return self._auth

    def credentials(self, url: str) -> dict[str, str]:
        """The headers that show who we are, for a connection that is not HTTP (a websocket); none for another host."""
        if self._auth is None or urlsplit(url).hostname != urlsplit(self.base).hostname:
            return {}
        return dict(self._auth(requests.Request("GET", self.base).prepare()).headers)

    def wait(self, seconds: float) -> None:
        """Sleeps, but not past a cancel."""
        end = time.monotonic() + seconds
        while True:
            self._stop()
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
            try:
                for chunk in pieces(answer):
                    body += chunk
                    if len(body) > MAX_REPLY:
                        raise TooMuch(f"{self.name} sent more than {MAX_REPLY >> 20} MB as an answer")
            except requests.RequestException as error:
                raise Uncertain(f"The answer of {self.name} broke off", todo=LOST) from error
            headers = {key.lower(): value for key, value in answer.headers.items()}
            return Reply(answer.status_code, headers, bytes(body), answer.url)

    def open(self, call: Call) -> requests.Response:
        """The answer with its body still to be read; redirects are followed. Close it (it is a context manager)."""
        home = urlsplit(self.base).hostname or ""
        silent_s = call.patience_s or SILENT_S
        self.limits.start(max(REPLY_S, call.patience_s), silent_s)
        for _ in range(HOPS):
            url = self.address(call.url)
            self.hosts.check(url)
            self._stop()
            signed = call.signed and urlsplit(url).hostname in (home, *self.kin)
            answer = self._answer(replace(call, url=url, signed=signed))
            target = answer.headers.get("location", "") if answer.is_redirect else ""
            if not target or (answer.status_code == 303 and call.method == "POST"):
                return answer  # 303 to a POST: it was done, and what came of it is elsewhere
            answer.close()
            if call.method not in ("GET", "HEAD"):  # what was sent must not travel on
                raise ProviderRejected(
                    f"{self.name} sent the request on elsewhere, which was not followed", where=home
                )
            call = replace(call, url=urljoin(url, target), params={})
        raise ProviderRejected(f"{self.name} redirects without end", where=home)

    def _answer(self, call: Call) -> requests.Response:
        self.limits.begun = self.limits.whole = False
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
                return self._session.send(prepared, stream=True, allow_redirects=False, timeout=CONNECT_S)
            except (requests.RequestException, UnicodeError) as error:
                none = self._none(call, error)
                cause = None if isinstance(none, ProviderRejected) else error
        raise none from cause  # out here, so that a header that can't be sent is not even its context

    def _none(self, call: Call, error: Exception) -> HoldfastError:
        """Why there was no answer, and whether the request may have arrived: a part of one is no request."""
        host = urlsplit(call.url).hostname or ""
        if self.limits.whole:
            return Uncertain(f"{self.name} did not answer", todo=LOST)
        if self.limits.begun:
            return ProviderBusy(
                f"{self.name} did not take the whole request, so nothing was begun", where=host
            )
        if isinstance(error, requests.exceptions.SSLError):
            todo = "Nothing was sent. Check the address, the clock of this computer, and whoever runs that server."
            return Insecure(
                f"The connection to {self.name} is not secure: {secure_says(error)}", where=host, todo=todo
            )
        if isinstance(error, UnicodeError | requests.exceptions.InvalidHeader):
            todo = "Check the key and the address."
            return ProviderRejected(f"The request to {self.name} has a letter that can't be sent", todo=todo)
        return ProviderBusy(f"{self.name} can't be reached", where=host)


class Insecure(ProviderBusy):
    """The other side is not who it should be, or can't be asked who it is. Nothing was sent."""


class TooMuch(ProviderRejected):
    """An answer that no memory should hold."""


LOST = "It may be at work all the same: look in your account before you send it again."
