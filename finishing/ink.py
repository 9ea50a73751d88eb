# SPDX-License-Identifier: GPL-3.0-or-later
"""The line that a look draws along a part's edge, measured across the edge on good frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..pipeline.pictures import F32
from .clean import Good

INK_PX = 2.5
"""How far from the matte's edge a look may draw the part's outline, in px at 640 wide."""


@dataclass(frozen=True)
class Ink:
    """The part's outline across its edge: coverage 0..1 for each of ``at`` px (inside positive), one colour."""

    at: F32
    amount: F32
    colour: F32

    @classmethod
    def none(cls) -> "Ink":
        """No line at all."""
        return cls(np.zeros(1, np.float32), np.zeros(1, np.float32), np.zeros(3, np.float32))

    def over(self, edge: F32) -> F32:
        """(H, W) coverage of the line for a signed distance (H, W)."""
        return np.interp(edge, self.at, self.amount, left=0.0, right=0.0).astype(np.float32)


def ink_profile(goods: Sequence[Good], scale: float) -> Ink:
    """How much the outline covers at each distance from the edge, from the good frames."""
    reach = (INK_PX + 0.5) * scale
    edges, takes, bases = [], [], []
    for good in goods:
        band = np.abs(good.edge) < reach
        cover = np.clip(good.edge[band] + 0.5, 0, 1)[:, None]
        edges.append(good.edge[band])
        takes.append(good.plate.take[band])
        bases.append(good.behind[band] * (1 - cover) + good.styled[band] * cover)
    edge, take, base = np.concatenate(edges), np.concatenate(takes), np.concatenate(bases)
    core = np.abs(edge) < 0.8 * scale
    away = np.linalg.norm(take - base, axis=1)
    strongest = core & (away >= np.percentile(away[core], 80)) if core.any() else core
    colour = np.median(take[strongest], 0) if strongest.any() else np.zeros(3, np.float32)
    span = colour - base
    amount = np.clip((span * (take - base)).sum(1) / np.maximum((span**2).sum(1), 1.0), 0, 1)
    at = np.arange(-reach, reach + 0.25, 0.5 * scale)
    bins = [amount[np.abs(edge - centre) < 0.35 * scale] for centre in at]
    mean = np.array([float(np.median(values)) if len(values) else 0.0 for values in bins])
    mean = np.clip(mean - 0.5 * (mean[0] + mean[-1]), 0, 1)
    return Ink(at.astype(np.float32), mean.astype(np.float32), colour.astype(np.float32))
