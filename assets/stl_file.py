# SPDX-License-Identifier: GPL-3.0-or-later
"""STL, binary and text: the checker and the reader share it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .facts import Facts
from .gltf_file import mapped
from .lines import blocks, floats

_FACET = np.dtype([("normal", "<f4", 3), ("points", "<f4", (3, 3)), ("attribute", "<u2")])
_STEP = 1 << 20


def stl_blocks(facts: Facts) -> Iterator[NDArray[np.float64]]:
    """(N, 3, 3) corners of the triangles, a part at a time. Raises InputError."""
    size = facts.path.stat().st_size
    with facts.path.open("rb") as stream:
        head = stream.read(84)
    count = int.from_bytes(head[80:84], "little") if len(head) == 84 else -1
    if size == 84 + 50 * count:
        facts.format = "STL, binary"
        facts.most(count, facts.limits.triangles, "triangles")
        facets = mapped(facts.path)[84:].view(_FACET)
        for at in range(0, count, _STEP):
            points = facets["points"][at : at + _STEP].astype(np.float64)
            if not np.isfinite(points).all():
                raise facts.bad("has coordinates that are not finite numbers")
            yield points
    elif head.lstrip()[:5].lower() == b"solid":
        facts.format = "STL, text"
        yield from _text(facts)
    else:
        raise facts.bad(
            f"says {max(count, 0):,} triangles, and its {size:,} bytes hold another number of them"
        )


def _text(facts: Facts) -> Iterator[NDArray[np.float64]]:
    left: list[list[bytes]] = []
    closed = total = 0
    with facts.path.open("rb") as stream:
        for lines in blocks(facts, stream):
            rows = left + [line.split()[1:] for line in lines if line[:6].lower() == b"vertex"]
            closed += sum(line[:7].lower() == b"endloop" for line in lines)
            if any(len(row) != 3 for row in rows):
                raise facts.bad("has a vertex that is not of three coordinates")
            whole = len(rows) // 3 * 3
            total += whole // 3
            facts.most(total, facts.limits.triangles, "triangles")
            yield floats(facts, rows[:whole]).reshape(-1, 3, 3)
            left = rows[whole:]
    if left or closed != total:
        raise facts.bad("has a triangle that is not of three corners, or is cut off")


def check_stl(facts: Facts) -> None:
    """Fills in the facts of an STL. Raises InputError."""
    triangles = sum(len(block) for block in stl_blocks(facts))
    if not triangles:
        raise facts.bad("holds no triangles")
    facts.add_mesh(3 * triangles, triangles)
    facts.instances = 1
