# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of parts as names of folders; pure, needs no Blender."""

import unicodedata
from collections import Counter
from collections.abc import Iterable

from .cryptomatte import murmur3

LONGEST_BYTES = 40
"""Of a safe name in UTF-8: Windows takes 260 characters for a whole path."""
_UNSAFE = frozenset('<>:"/\\|?*%{}~')
"""What file systems refuse, what patterns ({}), frame numbers (%) give a meaning, and the mark of our own hashes."""
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"))
)


def folders(names: Iterable[str]) -> dict[str, str]:
    """A folder's name for each of the different ``names``: safe on every system, unique even where case is ignored.

    A name that is safe stays as it is; one that had to be changed, and those that a file system which ignores case or
    how accents are composed would take for each other, carry their hash. So a folder's name depends on no other part,
    as long as names differ in more than case.
    """
    wanted = {name: _safe(name) for name in sorted(set(names))}
    alike = Counter(_seen(safe) for safe in wanted.values())
    result: dict[str, str] = {}
    taken: set[str] = set()
    for name, safe in wanted.items():
        folder = safe
        if safe != name or alike[_seen(safe)] > 1:
            folder = f"{safe}~{murmur3(name.encode(errors='replace')):08x}"
        while _seen(folder) in taken:
            folder += "~"
        taken.add(_seen(folder))
        result[name] = folder
    return result


def _safe(name: str) -> str:
    """``name`` without what file systems can't hold; never empty."""
    composed = unicodedata.normalize("NFC", name)
    kept = "".join(
        "_" if each in _UNSAFE or unicodedata.category(each)[0] == "C" else each for each in composed
    )
    kept = kept.encode()[:LONGEST_BYTES].decode(errors="ignore").strip(" .")
    if kept.split(".")[0].strip().lower() in _RESERVED or not kept:
        return f"_{kept}"
    return kept


def _seen(name: str) -> str:
    """What a file system that ignores case and the make-up of accents sees."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
