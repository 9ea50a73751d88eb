# SPDX-License-Identifier: GPL-3.0-or-later
"""How a joint is loaded when it is proven: a short test of its own, or a standard's at full length. Pure: no Blender.

Sources: ISO 594-2:1998 (conical fittings with a Luer taper, lock fittings), 4.4 and 4.5 as its test reports give them:
an axial pull of 35 N reached at about 10 N/s and held for 10 s, and 0.02 N m of unscrewing torque held for 10 s at least.
EN 71-1:2014, 8.3 and 8.4: a torque of 0.34 N m, and a tension of 90 N (50 N where the part is 6 mm or less), each
reached within 5 s and held for 10 s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .spec import JointSpec, Parameter

LAB_RATE: Final = 24
"""Frames a second of the lab."""
SMALL_MM: Final = 6.0
"""Largest size of a part that EN 71-1 pulls with the smaller force."""


@dataclass(frozen=True)
class Protocol:
    """``pull_n`` newtons (0: the joint's own pull), ``small_pull_n`` of parts up to 6 mm; ``torque_nm`` in N m, 0 for none.
    ``rise_s`` seconds to the full pull and ``hold_s`` for which it stays, ``torque_rise_s`` and ``torque_hold_s`` of the torque.
    ``unscrews``: the torque turns back what locks by a twist; else it turns every joint against its stops."""

    name: str
    label: str
    says: str
    source: str
    pull_n: float = 0.0
    small_pull_n: float = 0.0
    rise_s: float = 0.5
    hold_s: float = 0.5
    torque_nm: float = 0.0
    torque_rise_s: float = 5.0
    torque_hold_s: float = 10.0
    unscrews: bool = False

    def pull(self, spec: JointSpec) -> float:
        """Newtons that a joint is pulled with."""
        if not self.pull_n:
            return spec.number("pull_n")
        small = max(2.0 * spec.peg_radius_mm, spec.peg_length_mm) <= SMALL_MM
        return self.small_pull_n if small and self.small_pull_n else self.pull_n

    def pull_curve(self, spec: JointSpec) -> list[float]:
        """Newtons frame by frame: an even rise, then held."""
        return load_curve(self.pull(spec), self.rise_s, self.hold_s)

    def torque_curve(self) -> list[float]:
        """Newton metres frame by frame."""
        return load_curve(self.torque_nm, self.torque_rise_s, self.torque_hold_s)

    def to_json(self) -> dict[str, Any]:
        """For the proof."""
        return {"name": self.label, "says": self.says, "source": self.source}


def load_curve(load: float, rise_s: float, hold_s: float, fps: int = LAB_RATE) -> list[float]:
    """A load that rises evenly for ``rise_s`` seconds and stays for ``hold_s``, frame by frame."""
    up, hold = round(rise_s * fps), round(hold_s * fps)
    return [load * min(1.0, (frame + 1) / up) for frame in range(up + hold)]


_EVERY = (
    Protocol("SHORT", "Short", "The joint's own pull, reached in half a second and held for half a second",
             "ramp and hold after ISO 594-2, shortened"),
    Protocol("ISO_594_2", "ISO 594-2", "35 N at 10 N/s held for 10 s, and 0.02 N·m of unscrewing torque for 10 s",
             "ISO 594-2:1998, separation force and unscrewing torque", 35.0, 0.0, 3.5, 10.0, 0.02, 1.0, 10.0, True),
    Protocol("EN_71_1_TENSION", "EN 71-1 Tension", "90 N (50 N for parts of 6 mm) reached in 5 s and held for 10 s",
             "EN 71-1:2014, 8.4 tension test", 90.0, 50.0, 5.0, 10.0),
    Protocol("EN_71_1_TORQUE", "EN 71-1 Torque", "0.34 N·m reached in 5 s and held for 10 s, and the joint's own pull",
             "EN 71-1:2014, 8.3 torque test", 0.0, 0.0, 0.5, 0.5, 0.34, 5.0),
)  # fmt: skip
PROTOCOLS: Final[Mapping[str, Protocol]] = {one.name: one for one in _EVERY}
SHORT: Final = PROTOCOLS["SHORT"]
PROTOCOL: Final = Parameter(
    "protocol", "Protocol", "", "SHORT", says="How the joint is pulled and twisted when it is proven",
    choices=tuple((one.name, one.label, one.says) for one in _EVERY),
)  # fmt: skip


def protocol_of(spec: JointSpec) -> Protocol:
    """The protocol that a joint is proven by."""
    return PROTOCOLS[str(spec.values.get("protocol", "SHORT"))]
