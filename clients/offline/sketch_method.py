# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way a drawn outline becomes solid: turned, cut from a plate, or blown up; with the reasons in words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .outline_features import Feature
from .sketch_ink import Mask

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """``region`` (H, W) bool upright outline; symmetry 0..1; areas of free-standing inner outlines in px; the contour in
    mm (N, 2)."""

    region: Mask
    symmetry: float
    centre_line: bool
    features: tuple[Feature, ...]
    hole_areas: list[int]
    contour: F64


def suggest(evidence: Evidence) -> tuple[str, float, tuple[str, ...]]:
    """(REVOLVE, EXTRUDE or INFLATE; confidence 0..1; reasons)."""
    single = _single_runs(evidence.region)
    flip = float(_overlap(evidence.region, evidence.region[::-1]) > 0.94)
    corners = _cornered(evidence.contour)
    holes = sum(a for a in evidence.hole_areas) / max(int(evidence.region.sum()), 1)
    even = float(np.clip((evidence.symmetry - 0.84) / 0.1, 0, 1))
    says: list[tuple[str, float, str]] = [
        ("REVOLVE", 0.9 * even * single**3, f"its halves are {100 * evidence.symmetry:.0f} % alike"),
        ("INFLATE", 0.9 * (1 - even), f"its halves differ ({100 * evidence.symmetry:.0f} % alike)"),
        ("INFLATE", 0.6 * (1 - corners) * (1 - single), "its outline is round and branches"),
        (
            "EXTRUDE",
            0.75 * corners * (1 - single**4),
            "its outline has straight edges and corners and branches",
        ),
        ("EXTRUDE", 0.5 * corners * (1 - even), "its outline has straight edges and corners"),
        ("EXTRUDE", 0.45 * flip * even, "it is symmetric top to bottom too"),
    ]
    if evidence.centre_line:
        says.append(("REVOLVE", 0.6, "a centre line is drawn"))
    says += [("REVOLVE", 0.5, f"a {f.kind} is drawn on its axis") for f in evidence.features]
    if holes > 0.015 and not evidence.centre_line:
        says.append(("EXTRUDE", 0.75 * max(corners, flip), "closed inner outlines look like holes"))
    totals = {
        method: sum(weight for m, weight, _ in says if m == method)
        for method in ("REVOLVE", "EXTRUDE", "INFLATE")
    }
    best = max(totals, key=lambda method: totals[method])
    rest = max(value for method, value in totals.items() if method != best)
    confidence = float(np.clip(0.5 + 0.5 * (totals[best] - rest) / max(totals[best], 1e-6), 0, 0.99))
    return best, confidence, tuple(text for method, weight, text in says if method == best and weight > 0.15)


def _single_runs(region: Mask) -> float:
    """Share of the rows with ink that are one piece."""
    starts = (region & ~np.pad(region, ((0, 0), (1, 0)))[:, :-1]).sum(axis=1)
    rows = starts > 0
    return float((starts[rows] == 1).mean()) if rows.any() else 0.0


def _overlap(a: Mask, b: Mask) -> float:
    rows = np.flatnonzero(a.any(axis=1))
    a = a[rows[0] : rows[-1] + 1]
    rows = np.flatnonzero(b.any(axis=1))
    b = b[rows[0] : rows[-1] + 1]
    return float((a & b).sum() / max((a | b).sum(), 1))


def _cornered(contour: F64) -> float:
    """Share of the turning of the outline that happens in sharp corners, 0 (smooth) to 1 (polygon)."""
    length = np.linalg.norm(np.diff(contour, axis=0, append=contour[:1]), axis=1)
    at = np.r_[0, np.cumsum(length)]
    even = np.linspace(0, at[-1], 161)[:-1]
    ring = np.vstack([contour, contour[:1]])
    points = np.stack([np.interp(even, at, ring[:, k]) for k in (0, 1)], axis=1)
    ahead, behind = np.roll(points, -2, axis=0) - points, points - np.roll(points, 2, axis=0)
    cross = behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]
    turn = np.abs(np.arctan2(cross, (ahead * behind).sum(axis=1)))
    return float(turn[turn > np.radians(38)].sum() / max(turn.sum(), 1e-9))
