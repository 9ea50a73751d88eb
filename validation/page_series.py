# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures and heat maps as the report page holds them: rounded, thinned, small."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .kinds import BY_NAME, phrase

F64 = NDArray[np.float64]
MOST_VALUES = 300_000
"""Values in the page; of more, those that never come near their limit are thinned, peaks kept."""
NEAR = 0.6
HEAT_ROWS_A_STRIP = 100
HEAT_SHADES = 15
HEAT_FROM, HEAT_TO = 50, 200
"""100 is at the limit: what is under half of it is clear, twice and more is brightest."""
HEAT_COLOURS = ((0.0, (68, 1, 84)), (0.35, (180, 40, 110)), (0.7, (250, 140, 30)), (1.0, (252, 255, 164)))
"""From dark violet to light yellow: the lightness alone tells, whoever looks (after "inferno" by S. van der Walt)."""


def rounded(value: float) -> float | int | None:
    """Three digits; None for what is not known."""
    if not np.isfinite(value):
        return None
    short = float(f"{value:.3g}")
    return int(short) if short == int(short) else short


def _array(values: Sequence[float | None]) -> F64:
    return np.array([np.nan if value is None else value for value in values], float)


def thinned(values: F64, step: int) -> F64:
    """The highest of every ``step`` values, NaN where none of them is known."""
    if step <= 1:
        return values
    filled = np.pad(values, (0, -len(values) % step), constant_values=np.nan).reshape(-1, step)
    known = np.where(np.isnan(filled), -np.inf, filled).max(1)
    return np.where(np.isfinite(known), known, np.nan)


def signals(measures: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], says: Callable[[str, str], str]) -> dict[str, Any]:  # fmt: skip
    """Per part and kind {u unit, m measure, l limit or limits, v values, s step if thinned, t highest / limit}; and what
    ``says`` tells of a kind in a unit, by "kind unit": parts may have one in px, or as a share."""
    said = {(finding["part"], finding["kind"]) for finding in findings}
    table = [(part, kind, entry, _array(entry["values"]), _array(entry["limits"]))
             for part, kinds in measures["parts"].items() for kind, entry in kinds["signals"].items()]  # fmt: skip
    near = [(part, kind) in said or _reach(v, limits) >= NEAR for part, kind, _, v, limits in table]
    frames = max(1, len(measures["frames"]))
    room = MOST_VALUES / frames
    dull = -(-(len(table) - sum(near)) // max(1.0, room - sum(near)))
    of_note = -(-sum(near) // room)
    found: dict[str, Any] = {part: {} for part in measures["parts"]}
    for close, (part, kind, entry, values, limits) in zip(near, table, strict=True):
        if not np.isfinite(values).any():
            continue
        step = int(max(1, min(of_note if close else dull, frames)))
        flat = len(limits) and np.nanmax(limits) - np.nanmin(limits) < 1e-9
        record = {
            "u": entry["unit"], "m": entry["measure"], "t": rounded(_reach(values, limits)),
            "v": [rounded(v) for v in thinned(values, step)],
            "l": rounded(limits[0]) if flat else [rounded(v) for v in thinned(limits, step)],
        }  # fmt: skip
        found[part][kind] = record | ({"s": step} if step > 1 else {})
    told = {(kind, record["u"]) for kinds in found.values() for kind, record in kinds.items()}
    words = {f"{kind} {unit}": says(kind, unit) for kind, unit in sorted(told)}
    return {"of": found, "titles": {k: phrase(k) for k in _kinds(found)}, "says": words}


def _kinds(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The kinds that show, in the order of the table of kinds."""
    shown = {kind for by_kind in found.values() for kind in by_kind}
    return [kind for kind in BY_NAME if kind in shown] + sorted(shown - set(BY_NAME))


def _reach(values: F64, limits: F64) -> float:
    """How many times its limit the signal reaches at most."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(limits > 0, values / limits, np.nan)
    return float(np.nanmax(share)) if np.isfinite(share).any() else 0.0


def heat(path: Path) -> dict[str, Any] | None:
    """The heat map of every frame as strips of small pictures, or None if there is none or nothing is in it.

    heat.npz holds ``heat`` (F, rows, columns) uint8, 100 x value / limit of what shows there. Each strip stacks ``per``
    frames.
    """
    try:
        with np.load(path) as stored:
            maps = np.asarray(stored["heat"])
    except (OSError, ValueError, KeyError, IndexError, BadZipFile):
        return None
    if maps.ndim != 3 or not (maps >= HEAT_FROM).any():
        return None
    count, rows, columns = maps.shape
    strength = np.clip((maps.astype(float) - HEAT_FROM) / (HEAT_TO - HEAT_FROM), 0, 1)
    shades = np.where(maps < HEAT_FROM, 0, 1 + np.rint(strength * (HEAT_SHADES - 1))).astype(np.uint8)
    strips = [
        shades[i : i + HEAT_ROWS_A_STRIP].reshape(-1, columns) for i in range(0, count, HEAT_ROWS_A_STRIP)
    ]
    return {"rows": rows, "columns": columns, "per": HEAT_ROWS_A_STRIP, "strips": [_strip(s) if s.any() else "" for s in strips],
            "shown": [bool(m.any()) for m in shades]}  # fmt: skip


def _strip(shades: NDArray[np.uint8]) -> str:
    picture = Image.fromarray(shades, "P")
    levels = np.linspace(0, 1, HEAT_SHADES)
    stops = [stop for stop, _ in HEAT_COLOURS]
    colours = np.stack([np.interp(levels, stops, [c[i] for _, c in HEAT_COLOURS]) for i in range(3)], 1)
    picture.putpalette(bytes(3) + np.rint(colours).astype(np.uint8).tobytes())
    out = io.BytesIO()
    alpha = bytes([0, *(int(60 + 110 * level) for level in levels)])
    picture.save(out, "PNG", bits=4, transparency=alpha, optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
