# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist allows a look to change, and what must hold beyond the parts: the measurable prompt contract."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from .errors import InputError

FREE, STAYS = "free", "stays"
BACKGROUNDS = (FREE, STAYS)
MOST_OUTLINE_PX = 64.0
"""Beyond this an outline says nothing about its part any more."""
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WHERE = "what a look may change"


@dataclass(frozen=True)
class Intent:
    """The default is strict: nothing may change but the style.

    ``recolour``: parts may change their colour over the shot. ``relight``: the light may change, so of a colour only
    its hue and chroma count. ``outline_px``: by how much outlines may grow, px of a picture 1920 wide.
    ``background``: "stays" (one place, whatever it shows) or "free". ``palette``: the colours that may show, as
    "#rrggbb"; none means any. ``readable``: names of the parts whose drawing must be readable.
    """

    recolour: bool = False
    relight: bool = False
    outline_px: float = 0.0
    background: str = FREE
    palette: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, record: Mapping[str, Any] | None) -> "Intent":
        """From a request or a report; None is the default. Raises InputError for what it can't mean."""
        if record is None:
            return cls()
        if not isinstance(record, Mapping):
            raise InputError("What a look may change must be a table", where=repr(record))
        known = [item.name for item in fields(cls)]
        for key in record:
            if key not in known:
                raise InputError(f"Unknown setting {key!r}", where=_WHERE, todo=f"It has {', '.join(known)}.")
        return cls(
            recolour=_switch(record, "recolour"),
            relight=_switch(record, "relight"),
            outline_px=_pixels(record.get("outline_px", 0.0)),
            background=_background(record.get("background", FREE)),
            palette=tuple(_colour(text) for text in _texts(record, "palette")),
            readable=tuple(_texts(record, "readable")),
        )

    def to_json(self) -> dict[str, Any]:
        """As plain data, which ``from_json`` reads back."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


def _switch(record: Mapping[str, Any], key: str) -> bool:
    value = record.get(key, False)
    if not isinstance(value, bool):
        raise InputError(f"{key} is {value!r}", where=_WHERE, todo="It may be true or false.")
    return value


def _pixels(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not 0 <= value <= MOST_OUTLINE_PX:
        todo = f"Write pixels of a picture 1920 wide, 0 to {MOST_OUTLINE_PX:.0f}."
        raise InputError(f"Outlines can't grow by {value!r}", where=_WHERE, todo=todo)
    return float(value)


def _background(value: Any) -> str:
    if value not in BACKGROUNDS:
        raise InputError(
            f"background is {value!r}", where=_WHERE, todo=f"It may be {' or '.join(BACKGROUNDS)}."
        )
    return str(value)


def _texts(record: Mapping[str, Any], key: str) -> list[str]:
    """The list of texts under ``key``, each once, in the order given."""
    value = record.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
        raise InputError(f"{key} is {value!r}", where=_WHERE, todo="Write a list of texts.")
    return list(dict.fromkeys(item.lower() if key == "palette" else item for item in value))


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise InputError(f"{text!r} is no colour", where=_WHERE, todo="Write it as #rrggbb, e.g. #d84f2a.")
    return text
