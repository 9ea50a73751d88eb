# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time, for the threads of a worker."""

from queue import SimpleQueue
from types import TracebackType


class Turn:
    """A context manager that only one thread is inside of."""

    def __init__(self) -> None:
        self._token: SimpleQueue[None] = SimpleQueue()
        self._token.put(None)

    def __enter__(self) -> None:
        self._token.get()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._token.put(None)
