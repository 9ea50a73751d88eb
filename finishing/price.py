# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action will take: seconds on this machine, and money where a provider draws."""

from collections.abc import Callable, Mapping

from ..pipeline.money import words
from .ladder import ASK, DEFLICKER, HOLD, RERUN, RESTORE, RETIME, WARP

SECONDS: Mapping[str, float] = {
    RESTORE: 1.6, WARP: 1.8, HOLD: 1.2, DEFLICKER: 0.8, RETIME: 0.5, RERUN: 0.8, ASK: 0.0,
}  # fmt: skip
"""Of one frame of 960 x 540, on one core of 2024; other sizes by their pixels."""
TEXTURE_SECONDS = 2.0
"""Of one frame whose texture is replaced."""
Pricer = Callable[[str, int, tuple[int, int]], int | None]
"""Of a provider, frames and their rate: micros, or None."""
_PIXELS = 960 * 540
_FREE = ("rehearsal", "offline")


def price_of(provider: str, frames: int, fps: tuple[int, int] = (24, 1)) -> int | None:
    """Micros of the account's currency for ``frames`` frames of a shot of ``fps``; None: unknown. Of a remote model nobody
    in this room knows the price: a plan is told who does (``Circumstances.price``)."""
    return 0 if provider in _FREE else None


def seconds_of(kind: str, frames: int, size: tuple[int, int], *, texture: bool = False) -> float:
    """How long ``frames`` frames of (width, height) will take on this machine, a provider's queue not counted;
    ``texture``: Deflicker replaces it."""
    each = TEXTURE_SECONDS if texture else SECONDS[kind]
    return round(each * frames * size[0] * size[1] / _PIXELS, 1)


def price_words(cost_micros: int | None) -> str:
    """As "free", "$0.42" or "price unknown"."""
    return "price unknown" if cost_micros is None else words(cost_micros)
