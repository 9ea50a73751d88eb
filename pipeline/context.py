# SPDX-License-Identifier: GPL-3.0-or-later
"""What a worker task is given besides its request: where to report and when to stop."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from .errors import Cancelled

Item = TypeVar("Item")


class CancelToken:
    """Set once by whoever wants the stage to stop; asked often by the stage."""

    def __init__(self, probe: Callable[[], bool] | None = None) -> None:
        self._cancelled = False
        self._probe = probe
        self.hurry_at: float | None = None

    def cancel(self) -> None:
        """Asks the stage to stop at its next check."""
        self._cancelled = True

    def hurry(self) -> None:
        """The same, of a system that ends this process soon."""
        self._cancelled, self.hurry_at = True, self.hurry_at or time.monotonic()

    @property
    def cancelled(self) -> bool:
        """True once somebody asked to stop."""
        if not self._cancelled and self._probe is not None and self._probe():
            self._cancelled = True
        return self._cancelled

    def check(self) -> None:
        """Raises Cancelled if somebody asked to stop."""
        if self.cancelled:
            raise Cancelled()


@dataclass
class Context:
    """``progress(fraction in 0..1, sentence)``, ``log(line)`` and the cancel token of a running task. ``hold(on)`` asks
    not to be ended now, and says when that is over."""

    progress: Callable[[float, str], None] = lambda fraction, message: None
    log: Callable[[str], None] = lambda line: None
    cancel: CancelToken = field(default_factory=CancelToken)
    hold: Callable[[bool], None] = lambda on: None

    @contextmanager
    def holding(self) -> Iterator[None]:
        """While what must not be broken off is done: a request that may bill is on its way."""
        self.hold(True)
        try:
            yield
        finally:
            self.hold(False)

    def part(self, start: float, end: float) -> "Context":
        """The same context with progress 0..1 mapped onto start..end of this one."""
        outer = self.progress
        return Context(
            lambda fraction, message: outer(start + (end - start) * fraction, message),
            self.log,
            self.cancel,
            self.hold,
        )

    def about(self, what: str) -> "Context":
        """The same context; its sentences say first what they are about, if anything."""
        outer = self.progress
        told = f"{what[:1].upper()}{what[1:]}: " if what else ""
        return Context(lambda fraction, message: outer(fraction, f"{told}{message}"), self.log, self.cancel)

    def each(self, items: Sequence[Item], message: str) -> Iterator[Item]:
        """Goes through ``items``, reporting progress and checking for cancel before each."""
        for index, item in enumerate(items):
            self.cancel.check()
            self.progress(index / len(items), f"{message} {index + 1}/{len(items)}")
            yield item
        self.progress(1.0, message)
