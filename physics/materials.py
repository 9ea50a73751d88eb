# SPDX-License-Identifier: GPL-3.0-or-later
"""What parts are made of: densities with their sources, friction and bounce as starting points.

Friction and restitution are round values of one surface against its like, not measurements, and meant to be edited on
the proxies. Bullet multiplies those of the two bodies that touch, so that each carries the square root, its share.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Material:
    """``density`` in kg/m3, ``friction`` and ``restitution`` of the surface on its like; ``source`` of the density."""

    name: str
    density: float
    friction: float
    restitution: float
    source: str

    @property
    def share(self) -> tuple[float, float]:
        """(friction, restitution) of one body: the product of two such shares is that of the pair."""
        return float(np.sqrt(self.friction)), float(np.sqrt(self.restitution))


_ALL = (
    Material("ABS", 1040.0, 0.4, 0.3, "general-purpose moulding ABS, ISO 1183 data sheets: 1030-1060"),
    Material("PLA", 1240.0, 0.4, 0.2, "NatureWorks Ingeo 4043D data sheet: 1.24 g/cc"),
    Material("WOOD", 700.0, 0.5, 0.3, "European beech at 12 % moisture, Wood Handbook class: 680-720"),
    Material("STEEL", 7850.0, 0.5, 0.4, "EN 1991-1-1 table A.4, structural steel: 77-78.5 kN/m3"),
    Material("RUBBER", 1100.0, 0.9, 0.6, "vulcanised natural rubber: 1100-1200"),
    Material("GLASS", 2500.0, 0.4, 0.4, "EN 572-1, soda-lime glass: 2500"),
    Material("PETG", 1270.0, 0.4, 0.2, "copolyester data sheets, ISO 1183: 1.27 g/cc"),
    Material("NYLON", 1140.0, 0.3, 0.3, "unfilled polyamide 6 and 66, ISO 1183 data sheets: 1130-1150"),
    Material("PP", 905.0, 0.3, 0.3, "polypropylene homopolymer, ISO 1183 data sheets: 900-910"),
    Material("HDPE", 955.0, 0.25, 0.3, "high-density polyethylene, ISO 1183 data sheets: 941-965"),
    Material("POM", 1410.0, 0.25, 0.3, "acetal copolymer, ISO 1183 data sheets: 1.41 g/cc"),
    Material("PC", 1200.0, 0.4, 0.3, "polycarbonate, ISO 1183 data sheets: 1.20 g/cc"),
    Material("PMMA", 1190.0, 0.4, 0.3, "acrylic glass, ISO 1183 data sheets: 1.19 g/cc"),
    Material(
        "RESIN", 1180.0, 0.4, 0.2, "cured photopolymer resins for printing, data sheets: 1.15-1.20 g/cc"
    ),
    Material("PINE", 500.0, 0.5, 0.3, "Scots pine at 12 % moisture, Wood Handbook class: 480-550"),
    Material("CORK", 160.0, 0.7, 0.4, "natural cork, Gibson and Ashby, Cellular Solids: 120-240"),
    Material("CARDBOARD", 690.0, 0.5, 0.1, "solid board, paper handbooks: 600-800"),
    Material("LEATHER", 860.0, 0.7, 0.1, "dry leather, engineering handbooks: 860"),
    Material("ALUMINIUM", 2700.0, 0.5, 0.4, "EN 1991-1-1 table A.4: 27 kN/m3; pure: 2700"),
    Material("ZAMAK", 6700.0, 0.4, 0.4, "zinc casting alloy ZP0400, EN 12844: 6.7 kg/dm3"),
    Material("BRASS", 8500.0, 0.4, 0.4, "EN 1991-1-1 table A.4: 83-85 kN/m3; CuZn39Pb3: 8.47 kg/dm3"),
    Material("COPPER", 8900.0, 0.5, 0.4, "EN 1991-1-1 table A.4: 87-89 kN/m3; pure: 8.96 kg/dm3"),
    Material("PORCELAIN", 2400.0, 0.4, 0.3, "IEC 60672-3, group C 110: 2.2-2.4 g/cm3"),
    Material("STONE", 2700.0, 0.6, 0.2, "EN 1991-1-1 table A.1, granite: 27-30 kN/m3"),
    Material("SILICONE", 1150.0, 0.9, 0.4, "moulded silicone rubber, data sheets: 1.10-1.20 g/cc"),
    Material("EPS", 25.0, 0.5, 0.3, "expanded polystyrene, EN 13163 product data: 15-30"),
)
MATERIALS: dict[str, Material] = {material.name: material for material in _ALL}
