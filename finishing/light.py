# SPDX-License-Identifier: GPL-3.0-or-later
"""How a look's paint changes when its surface turns or its light changes, learnt from changes alone.

From a part that hardly turns nobody can tell paint from light: both stay where they are. So the model is fitted to
the differences between good frames at the same point of the surface, where the paint cancels, starting from nothing:
what the frames can't tell stays nothing, and the paint that is brought keeps its own light.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..pipeline.pictures import F32
from .look import NORMAL_CELL, Fine, Look, features_of, fine_map
from .plates import Mask, Plate, sample, signed_distance, visible, way

_GAINS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ROUNDS = 6
_LEAST = 60
_SAMPLES = 1500
_STRONGEST = 64.0
_BEYOND = 0.15
"""Turn of the normal that is nothing new, whatever was learnt from."""


@dataclass(frozen=True)
class Light:
    """``gain`` of the look's soft idea of a change, and a fine one that was learnt from changes; ``turned`` how far
    the normals turned in what it was learnt from (length of their difference)."""

    look: Look
    gain: float
    fine: Fine
    turned: float = 0.0

    def beyond(self, turn: F32) -> F32:
        """(H, W) 0..1 for a ``turn`` (H, W) of the normal: how much it exceeds what was learnt from, so that the
        look itself must say what the light does."""
        return np.asarray(np.clip((turn - self.turned) / max(self.turned, _BEYOND), 0, 1), np.float32)

    def predict(self, plate: Plate, where: Mask) -> F32:
        """(H, W, 3) float32 at ``where``, 0 elsewhere; only differences of it mean something."""
        result = np.zeros((*plate.size, 3), np.float32)
        features = features_of(plate, where)
        if len(features):
            result[where] = self.of(features)
        return result

    def of(self, features: F32) -> F32:
        """(N, 3) of (N, 6) features."""
        soft = self.gain * self.look.of(features) if self.gain else 0.0
        return np.asarray(soft + self.fine.at(features), np.float32)


def learn_light(plates: Sequence[Plate], look: Look, reach: float) -> Light:
    """From good frames in pairs as far apart as they are; ``reach`` px from the outline count."""
    soft = replace(look, fine=None)
    pairs = [
        found for plate in plates if (found := _pair(plate, _farthest(plate, plates), reach)) is not None
    ]
    if not pairs:
        return Light(soft, 0.0, Fine.none())
    here, there, change = (np.concatenate([pair[index] for pair in pairs]) for index in range(3))
    turned = float(np.percentile(turn_of(here[:, :3] - there[:, :3]) * NORMAL_CELL, 90))
    moved = soft.of(here) - soft.of(there)
    gain = min(_GAINS, key=lambda trial: float(np.abs(change - trial * moved).mean()) + 0.02 * trial)
    left = np.clip(change - gain * moved, -_STRONGEST, _STRONGEST)
    fine = Fine.none()
    for turn in range(
        _ROUNDS
    ):  # both ends of every difference; alternating keeps what neither end can tell at 0
        one = (
            fine_map(here, left + fine.at(there)) if turn % 2 == 0 else fine_map(there, fine.at(here) - left)
        )
        fine = fine.towards(one, 0.7)
    before, after = np.abs(left).mean(), np.abs(left - fine.at(here) + fine.at(there)).mean()
    return Light(soft, gain, fine if after < 0.9 * before else Fine.none(), turned)


def turn_of(change: F32) -> F32:
    """(...) length of a ``change`` (..., 3) of normals."""
    return np.asarray(np.linalg.norm(change, axis=-1), np.float32)


def _farthest(plate: Plate, plates: Sequence[Plate]) -> Plate:
    return max(plates, key=lambda other: abs(other.frame - plate.frame))


def _pair(here: Plate, there: Plate, reach: float) -> tuple[F32, F32, F32] | None:
    """Features (N, 6) of the same points of the surface in two frames, and how their colours (N, 3) differ."""
    if here.frame == there.frame:
        return None
    path = way(here, there, here.own)
    where = visible(here, there, path, here.own) & (signed_distance(here.matte) > reach)
    where &= sample(signed_distance(there.matte), path) > reach
    places = np.flatnonzero(where)
    if len(places) < _LEAST:
        return None
    chosen = np.zeros(where.size, bool)
    chosen[places[:: max(len(places) // _SAMPLES, 1)]] = True
    chosen = chosen.reshape(where.shape)
    turned = replace(there, normal=sample(there.normal, path), beauty=sample(there.beauty, path))
    change = here.take[chosen] - sample(there.take, path)[chosen]
    return features_of(here, chosen), features_of(turned, chosen), change
