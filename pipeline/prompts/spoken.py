# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of parts as people say them, and how to find them in a sentence."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

_NUMBER = re.compile(r"\.\d{3,}$")
_STEPS = re.compile(r"[\s_.\-/]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
_NOISE = {"geo", "geom", "grp", "group", "mesh", "mdl", "obj", "prop", "low", "high", "lo", "hi", "lod", "sm", "sk", "mat", "proxy", "part"}  # fmt: skip


def spoken(name: str) -> str:
    """ "GEO_bayonetLid_low.001" -> "bayonet lid". A name of nothing but technical words stays as it is."""
    bare = _CAMEL.sub(" ", _NUMBER.sub("", name.strip()))
    words = [word.lower() for word in _STEPS.split(bare) if word]
    kept = [word for word in words if word not in _NOISE]
    numbered = [str(int(word)) if word.isdecimal() else word for word in kept or words]
    return " ".join(numbered) or name.strip()


def listed(names: Sequence[str]) -> str:
    """ "the lid, the body and the peg"."""
    said = [f"the {name}" for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}" if said else ""


@lru_cache(maxsize=256)
def name_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """Finds any of the names as whole words, the longest first; None without names."""
    wanted = sorted({name for name in names if name.strip()}, key=lambda name: (-len(name), name))
    if not wanted:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, wanted))})(?:'s|s)?(?!\w)", re.IGNORECASE)


def ways(name: str, says: str = "") -> tuple[str, ...]:
    """Every way in which a text may name a part."""
    return tuple(dict.fromkeys(way for way in (name, says, spoken(name)) if way.strip()))


def names_in(text: str, parts: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[str, int, int]]:
    """(part, start, end) of the first place where the text names each of the parts (name, its ways)."""
    for name, said in parts:
        pattern = name_pattern(said)
        found = pattern.search(text) if pattern is not None else None
        if found is not None:
            yield name, found.start(), found.end()
