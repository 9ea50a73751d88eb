# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes what the drawing functions of an overlay raise, and how long they take, while a window draws."""

from __future__ import annotations

import time
from typing import Any

_KEPT: dict[str, Any] = {}


def watched(overlay: Any, names: tuple[str, ...]) -> tuple[list[BaseException], list[float]]:
    """(errors, seconds) of the functions ``names`` of the module ``overlay``, which grow until ``unwatched``."""
    errors: list[BaseException] = []
    spent: list[float] = []
    overlay.remove()
    for name in names:
        _KEPT[name] = function = getattr(overlay, name)

        def timed(function: Any = function) -> None:
            began = time.thread_time()
            try:
                function()
            except BaseException as error:
                errors.append(error)
                raise
            spent.append(time.thread_time() - began)

        setattr(overlay, name, timed)
    overlay.add()
    return errors, spent


def unwatched(overlay: Any) -> None:
    """Gives the overlay its own functions back."""
    overlay.remove()
    while _KEPT:
        setattr(overlay, *_KEPT.popitem())
    overlay.add()
