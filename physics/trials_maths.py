# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses for the trials: where a hand leads the peg, and motions that no real peg could make."""

import numpy as np

from .kit import Kit
from .rigid import Array, multiply, rotation, translation
from .units import DEG, MM


def placed(kit: Kit, height: float, angle: float, aside: float = 0.0) -> Array:
    """(4, 4) the peg frame in the socket frame: ``height`` over the seat, ``angle`` from locked, ``aside`` along x."""
    return multiply(translation((aside, 0.0, kit.seat + height)), rotation(2, angle))


def smooth(u: float) -> float:
    """Rest-to-rest progress 0..1 of a hand."""
    return u * u * (3.0 - 2.0 * u)


def turned_back(kit: Kit, pose: Array) -> Array:
    """The locked ``pose`` turned back to the slots: seated, but unlocked."""
    return multiply(pose, rotation(2, -kit.turn * kit.twist))


def wrong_motions(kit: Kit) -> dict[str, tuple[str, Array]]:
    """Motions that can't be made without going through material: words and (S, 4, 4) poses, each a small fault."""
    many = np.linspace(0.0, 1.0, 25)
    turn = kit.turn * kit.twist
    slot = kit.slot_half - kit.lug_half
    early = kit.lift + 0.05 * MM
    tilt = (kit.bore_radius - kit.peg_radius + 0.1 * MM) / kit.depth
    return {
        "early_twist": (
            "turned 0.05 mm before full depth",
            np.stack([placed(kit, early, kit.entry + turn * float(u)) for u in many]),
        ),
        "over_twist": (
            "turned 0.05 mm past the stop",
            np.stack([placed(kit, 0.0, kit.turn * 0.05 * MM / kit.lug_radius * float(u)) for u in many]),
        ),
        "misaligned_entry": (
            "entered 0.1 mm beside its slots",
            np.stack([placed(kit, kit.depth * (1 - float(u)), kit.entry + slot + 0.1 * MM / kit.contact) for u in many]),
        ),
        "wrong_axis": (
            f"entered with the axis tilted by {tilt / DEG:.1f} degrees",
            np.stack([multiply(placed(kit, kit.depth * (1 - float(u)), kit.entry), rotation(0, tilt)) for u in many]),
        ),
        "off_axis": (
            "locked 0.05 mm too far to the side",
            np.stack([placed(kit, 0.0, 0.0, kit.bore_radius - kit.peg_radius + 0.05 * MM)]),
        ),
        "too_deep": ("pressed 0.05 mm into its seat", np.stack([placed(kit, -0.05 * MM, 0.0)])),
    }  # fmt: skip
