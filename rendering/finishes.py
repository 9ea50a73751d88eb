# SPDX-License-Identifier: GPL-3.0-or-later
"""The variants of look development: what each kind of part is made of, as plain numbers. No bpy."""

import colorsys
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

Colour = tuple[float, float, float]
SLOTS = ("primary", "secondary", "accent")
"""Body, lid, peg: the first asset's parts, the next ones', and mechanism features."""


@dataclass(frozen=True)
class Finish:
    """A surface. ``base`` and ``second`` are display sRGB 0..1; ``pattern`` is "", "wood", "glaze", "felt" or
    "hammered" and mixes the second colour or relief in, ``pattern_scale`` periods per metre."""

    base: Colour
    second: Colour = (0.0, 0.0, 0.0)
    metallic: float = 0.0
    roughness: float = 0.5
    coat: float = 0.0
    sheen: float = 0.0
    pattern: str = ""
    pattern_scale: float = 120.0

    def to_json(self) -> dict[str, Any]:
        """Plain data for manifests and requests."""
        return asdict(self)


def _tuples(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}


@dataclass(frozen=True)
class Variant:
    """A look of the whole product: a finish per slot and the colour of the sweep behind it (sRGB)."""

    id: str
    label: str
    finishes: Mapping[str, Finish]
    sweep: Colour
    pane: Colour
    line: Colour

    def palette(self, asset_index: int) -> dict[str, list[float]]:
        """The colours of an asset's texture: coat, drawn panes and lines, and its peg."""
        base = self.finishes[slot_of(asset_index, False)].base
        peg = self.finishes["accent"].base
        return {"base": list(base), "accent": list(self.pane), "line": list(self.line), "peg": list(peg)}

    def to_json(self) -> dict[str, Any]:
        """Plain data for the manifest; ``Variant.from_json`` reads it back."""
        return {
            **asdict(self),
            "finishes": {slot: finish.to_json() for slot, finish in self.finishes.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Variant":
        """A variant from a manifest. Raises TypeError or KeyError for anything else."""
        finishes = {slot: Finish(**_tuples(record["finishes"][slot])) for slot in SLOTS}
        return cls(**{**_tuples(record), "finishes": finishes})


BRASS = Finish((0.80, 0.60, 0.30), metallic=1.0, roughness=0.28)
CREAM = Finish((0.86, 0.80, 0.68), (0.72, 0.63, 0.48), roughness=0.42, coat=0.2)
# label, primary, secondary, accent, sweep, pane, line
_BASES: tuple[tuple[str, Finish, Finish, Finish, Colour, Colour, Colour], ...] = (
    (
        "Celadon ceramic and birch",
        Finish((0.42, 0.62, 0.57), (0.27, 0.46, 0.43), roughness=0.28, coat=0.6, pattern="glaze"),
        Finish((0.76, 0.57, 0.36), (0.58, 0.39, 0.21), roughness=0.48, coat=0.1, pattern="wood"),
        CREAM,
        (0.66, 0.64, 0.60),
        (0.98, 0.80, 0.42),
        (0.13, 0.19, 0.18),
    ),
    (
        "Brass and amber glass",
        Finish((0.82, 0.40, 0.08), (0.55, 0.20, 0.03), roughness=0.12, coat=1.0, pattern="glaze"),
        replace(BRASS, pattern="hammered", pattern_scale=260.0),
        Finish((0.40, 0.36, 0.33), metallic=1.0, roughness=0.35),
        (0.30, 0.32, 0.36),
        (1.00, 0.80, 0.36),
        (0.20, 0.10, 0.05),
    ),
    (
        "Oxblood lacquer",
        Finish(
            (0.46, 0.06, 0.06),
            (0.28, 0.02, 0.03),
            roughness=0.2,
            coat=1.0,
            pattern="glaze",
            pattern_scale=60.0,
        ),
        Finish((0.09, 0.08, 0.085), roughness=0.16, coat=1.0),
        BRASS,
        (0.72, 0.66, 0.58),
        (0.93, 0.72, 0.38),
        (0.80, 0.60, 0.30),
    ),
    (
        "Birch and felt",
        Finish((0.80, 0.63, 0.43), (0.66, 0.47, 0.28), roughness=0.5, pattern="wood"),
        Finish(
            (0.19, 0.27, 0.42),
            (0.13, 0.19, 0.32),
            roughness=0.95,
            sheen=0.8,
            pattern="felt",
            pattern_scale=900.0,
        ),
        Finish((0.55, 0.36, 0.20), (0.42, 0.26, 0.13), roughness=0.5, pattern="wood"),
        (0.60, 0.65, 0.66),
        (0.97, 0.86, 0.62),
        (0.25, 0.16, 0.10),
    ),
)


def _turn(colour: Colour, hue: float, light: float) -> Colour:
    h, s, v = colorsys.rgb_to_hsv(*colour)
    r, g, b = colorsys.hsv_to_rgb((h + hue) % 1.0, s, min(max(v * light, 0.03), 0.95))
    return (round(r, 4), round(g, 4), round(b, 4))


def _fraction(seed: int, number: int, what: str) -> float:
    """0..1 that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}/{what}".encode()).digest()[:4], "big") / 2**32


def variants(count: int, seed: int) -> list[Variant]:
    """``count`` variants, the same for the same seed: the bases first, then recoloured ones.

    Seed 1 gives the bases as they are; any other shifts their hues a little.
    """
    found: list[Variant] = []
    for number in range(count):
        label, *finishes, sweep, pane, line = _BASES[number % len(_BASES)]
        again = number // len(_BASES)
        wide = 0.0 if seed == 1 and again == 0 else (0.05 if again == 0 else 0.5)
        hue = (_fraction(seed, number, "hue") - 0.5) * 2 * wide
        light = 1 + (_fraction(seed, number, "light") - 0.5) * min(wide, 0.25)
        turned = [
            replace(f, base=_turn(f.base, hue, light), second=_turn(f.second, hue, light)) for f in finishes
        ]
        name = label if not again else f"{label}, colour {again + 1}"
        dressed = dict(zip(SLOTS, turned, strict=True))
        found.append(Variant(f"v{number + 1:02d}", name, dressed, sweep, pane, line))
    return found


def slot_of(asset_index: int, features: bool) -> str:
    """Which slot a part takes its finish from: mechanism parts the accent, assets in turn the other two."""
    return "accent" if features else SLOTS[asset_index % 2]
