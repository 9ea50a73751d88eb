# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a ComfyUI job is, heard over its websocket. Progress only: whether it has ended is asked of /history."""

import json
from collections.abc import Mapping
from typing import Any

from ...pipeline.errors import ProviderBusy, Refused
from ..near import near
from ..websocket import Deaf, Websocket
from ..wire import Wire

TRIES = 3
MOST = 32
"""Jobs that are listened to at once; the oldest are let go."""


class Progress:
    """One job's. Never raises for a connection that fails: then nothing is heard."""

    def __init__(self, wire: Wire, prompt_id: str) -> None:
        """``prompt_id`` names the client too, so the server tells it to nobody else."""
        self._wire, self._prompt = wire, prompt_id
        self.nodes = 0
        """How many the workflow has, if known."""
        self._socket: Websocket | None = None
        self._left = TRIES
        self._whole = False
        self._best = 0.0

    def listen(self) -> None:
        """Connects, so that nothing is missed from now on."""
        if self._socket is not None or self._left <= 0:
            return
        url = f"{self._wire.base}/ws?clientId={self._prompt}"
        try:
            self._wire.hosts.check(url)
            leads = near if self._wire.hosts.plain else None
            self._socket = Websocket(url, self._wire.credentials(url), leads)
        except (Deaf, Refused, ProviderBusy):
            self._left -= 1

    def heard(self) -> float | None:
        """0..1 if anything has been told so far."""
        self.listen()
        if self._socket is not None:
            try:
                for text in self._socket.heard():
                    self._take(text)
            except Deaf:
                self._socket, self._left = None, self._left - 1
        return self._best or None

    def close(self) -> None:
        """Hangs up."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._left = None, 0

    def _take(self, text: str) -> None:
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            return
        data = told.get("data") if isinstance(told, dict) else None
        if not isinstance(data, dict) or data.get("prompt_id", self._prompt) != self._prompt:
            return
        share = None
        if told.get("type") == "progress_state" and isinstance(data.get("nodes"), dict):
            self._whole = True
            parts = [_share(node) for node in data["nodes"].values()]
            share = sum(parts) / max(self.nodes, len(parts), 1)
        elif told.get("type") == "progress" and not self._whole:
            share = _share(data)
        if share is not None:
            self._best = max(self._best, min(share, 0.99))


def _share(told: Any) -> float:
    """value/max of a node."""
    if not isinstance(told, Mapping):
        return 0.0
    if told.get("state") == "finished":
        return 1.0
    value, most = told.get("value"), told.get("max")
    if not isinstance(value, int | float) or not isinstance(most, int | float) or most <= 0:
        return 0.0
    return min(max(value / most, 0.0), 1.0)


_HEARD: dict[tuple[str, str], Progress] = {}
"""By server and job, since an adapter is made anew for every question."""


def progress_of(wire: Wire, prompt_id: str) -> Progress:
    """What listens to a job in this process."""
    while len(_HEARD) >= MOST and (wire.base, prompt_id) not in _HEARD:
        _HEARD.pop(next(iter(_HEARD))).close()
    return _HEARD.setdefault((wire.base, prompt_id), Progress(wire, prompt_id))


def forget(wire: Wire, prompt_id: str) -> None:
    """Hangs up, when a job has ended."""
    if (heard := _HEARD.pop((wire.base, prompt_id), None)) is not None:
        heard.close()
