# SPDX-License-Identifier: GPL-3.0-or-later
"""Which intent switch would have kept Validate from crying wolf: offered to the person, never set by itself."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .intent import FREE, STAYS, Intent
from .words import NOT_A_FAULT, Word

ENOUGH = 3
"""False alarms of one kind and look before anything is offered: one may be a slip, three are the look's way."""
MOST_PX = 12
"""As much as the panel lets an outline grow."""
OUTLINE_STEP_PX = 3
"""Offered where the measure is a share, which tells no pixels."""
RECOLOUR, RELIGHT, BACKGROUND, OUTLINE = "recolour", "relight", "background", "outline_px"
SWITCH = {
    "colour_drift": RECOLOUR, "material": RECOLOUR, "flicker": RELIGHT, "background": BACKGROUND,
    "outline": OUTLINE, "wobble": OUTLINE, "scaled": OUTLINE,
}  # fmt: skip
"""By kind of fault. What is not here no look may do: vanish, bend, double, stand still."""
CHANGES = {
    RECOLOUR: "Parts may then change their colour over the shot; colour findings are no longer made.",
    RELIGHT: "The light may then change; of a colour only hue and chroma count.",
    BACKGROUND: "The background may then change.",
    OUTLINE: "Outlines may then lie {value} px off (in a picture 1920 wide).",
}


@dataclass(frozen=True)
class Offer:
    """Set ``setting`` of the intent to ``value``. ``says`` why, ``changes`` what it means; ``count`` false alarms."""

    setting: str
    value: bool | int | str
    kind: str
    look: str
    count: int
    says: str
    changes: str


def offers(words: Iterable[Word], look: str, intent: Intent) -> list[Offer]:
    """What to offer for a look after ``words`` (those that count, of the whole project); the most frequent first."""
    by_switch: dict[str, list[Word]] = {}
    counts: dict[tuple[str, str], int] = {}
    for word in words:
        if word.word == NOT_A_FAULT and word.look == look and word.kind in SWITCH:
            by_switch.setdefault(SWITCH[word.kind], []).append(word)
            counts[SWITCH[word.kind], word.kind] = counts.get((SWITCH[word.kind], word.kind), 0) + 1
    found = []
    for setting, said in by_switch.items():
        kind, count = max(
            ((kind, count) for (name, kind), count in counts.items() if name == setting),
            key=lambda pair: pair[1],
        )
        value = _value(setting, [word for word in said if word.kind == kind], intent)
        if count >= ENOUGH and value is not None:
            says = f"{count} findings of this kind in the look {_spelt(look)} were no faults."
            found.append(Offer(setting, value, kind, look, count, says, CHANGES[setting].format(value=value)))
    return sorted(found, key=lambda offer: -offer.count)


def _value(setting: str, said: list[Word], intent: Intent) -> bool | int | str | None:
    """What the switch would be set to; None if it is there already."""
    if setting == BACKGROUND:
        return FREE if intent.background == STAYS else None
    if setting != OUTLINE:
        return None if getattr(intent, setting) else True
    more = [word.value - word.limit for word in said if word.kind != "outline"]
    needed = max(1, math.ceil(max(more))) if more else OUTLINE_STEP_PX
    value = min(MOST_PX, int(intent.outline_px) + needed)
    return value if value > intent.outline_px else None


def _spelt(look: str) -> str:
    return look.replace("_", " ").lower() or "of this take"
