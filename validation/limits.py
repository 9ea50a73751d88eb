# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits that decide, from the one data file that says how each was derived."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..pipeline.errors import InputError

DISPLACED = frozenset({"scaled", "turned", "wrong_motion"})
"""Exact names of a displacement, which is limited under its common one."""
PLACED = DISPLACED | {"shifted", "rubber", "joint", "sliding"}
AT_END = 1.75
"""So many times stronger what is found of a part's place must be at an end of a take to be sure."""
FILE = Path(__file__).with_name("limits.json")


@dataclass(frozen=True)
class Limit:
    """``value`` a measure may reach in ``unit``; ``margin`` what a take's own noise may add (deviations of the part's
    own series); ``quiet`` the least share of it that a quiet part may be held to; ``sure`` how many times its limit a
    finding must be to fail a take, below that a person is asked; ``says`` what the measure is."""

    value: float
    unit: str
    says: str
    margin: float = 4.0
    quiet: float = 1.0
    sure: float = 1.0


@dataclass(frozen=True)
class Presence:
    """Weights of the presence measures in the logistic score of absence, 0..1."""

    weights: dict[str, float]
    bias: float


@dataclass(frozen=True)
class Limits:
    """All limits, with the false-alarm rate they were set for."""

    of: dict[str, Limit]
    presence: Presence
    provenance: dict[str, Any]
    digest: str

    def sure(self, kind: str, strength: float, at_end: bool = False) -> bool:
        """True if a fault ``strength`` times its limit fails a take: clean ones have shown some kinds a little, most at
        the end or beginning of a take, where a place can be compared with one side only."""
        limit = self.of.get("shifted" if kind in DISPLACED else kind)
        wanted = 1.0 if limit is None else limit.sure * (AT_END if at_end and kind in PLACED else 1.0)
        return strength >= wanted

    def says(self, kind: str, unit: str) -> str:
        """What is measured of a kind in this unit ("outline" in px, or as the share that is lost), "" if unknown."""
        of_kind = (limit for name, limit in self.of.items() if name == kind or name.startswith(f"{kind}_"))
        return next((limit.says for limit in of_kind if limit.unit == unit), "")


@cache
def load_limits(path: Path = FILE) -> Limits:
    """Reads the limits. Raises InputError for a damaged installation."""
    from ..pipeline.store import digest_json

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        of = {
            name: Limit(
                entry["value"],
                entry["unit"],
                entry["says"],
                entry["margin"],
                entry.get("quiet", 1.0),
                entry.get("sure", 1.0),
            )
            for name, entry in data["limits"].items()
        }
        presence = Presence(dict(data["presence"]["weights"]), float(data["presence"]["bias"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "The limits of Validate can't be read", where=str(path), todo="Install the extension again."
        ) from error
    return Limits(of, presence, data["provenance"], digest_json(data))
