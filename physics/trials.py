# SPDX-License-Identifier: GPL-3.0-or-later
"""The trials that a joint goes through in the lab: pull, shake, unlock, insert, and those that must fail.

Each is a generator that yields after every simulated frame and returns what it measured.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from .kit import Kit
from .lab import lab_scene
from .rigid import Array, multiply, rotation, translation
from .stepper import LabSettings, Trial
from .trials_maths import placed, smooth
from .units import DEG, MM, to_deg, to_mm
from .verify import Engagement, engagement

RAMP, HOLD = 12, 12
"""Frames in which a pull grows to its force, and for which it then stays."""
PUSH = 0.3 * MM
"""How far beyond the seat the hand pushes, and beyond the stop it turns (radians): springs take it up."""
OVERTURN = 2.0 * DEG


@dataclass(frozen=True)
class Outcome:
    """What a trial measured, frame by frame: depth mm, turned degrees, force N; and the last engagement."""

    last: Engagement
    released: bool
    depth_mm: tuple[float, ...]
    turned_deg: tuple[float, ...]
    force_n: tuple[float, ...]
    tilt_deg: float
    lateral_mm: float

    def to_json(self) -> dict[str, object]:
        """For the proof, with the traces."""
        traces = {
            "depth_mm": list(self.depth_mm),
            "turned_deg": list(self.turned_deg),
            "force_n": list(self.force_n),
        }
        return {
            "released": self.released, "depth_mm": to_mm(self.last.depth), "turned_deg": to_deg(self.last.turned),
            "tilt_deg": self.tilt_deg, "lateral_mm": self.lateral_mm, "trace": traces,
        }  # fmt: skip


TrialGenerator = Generator[None, None, Outcome]


class _Recorder:
    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.rows: list[tuple[Engagement, float]] = []

    def add(self, pose: Array, force: float = 0.0) -> bool:
        """Notes a frame; True once the peg is out of the socket's hold (half its depth away)."""
        self.rows.append((engagement(pose, self.kit), force))
        return self.rows[-1][0].gap > 0.5 * self.kit.depth

    def outcome(self) -> Outcome:
        last = self.rows[-1][0]
        return Outcome(
            last=last,
            released=last.gap > 0.5 * self.kit.depth,
            depth_mm=tuple(to_mm(row.depth) for row, _ in self.rows),
            turned_deg=tuple(to_deg(row.turned) for row, _ in self.rows),
            force_n=tuple(round(force, 6) for _, force in self.rows),
            tilt_deg=max(to_deg(row.tilt) for row, _ in self.rows),
            lateral_mm=max(to_mm(row.lateral) for row, _ in self.rows),
        )


def pull(
    kit: Kit, settings: LabSettings, pose: Array, force: float, *, with_lugs: bool = True
) -> TrialGenerator:
    """Pulls the peg out of the socket along the axis, from ``pose``: a ramp to ``force`` newtons, then a hold."""
    record = _Recorder(kit)
    with lab_scene("pull") as lab:
        trial = Trial(lab, kit, settings, pose, with_lugs=with_lugs)
        for frame in range(RAMP + HOLD):
            now = force * min(1.0, (frame + 1) / RAMP)
            if record.add(trial.step((0.0, 0.0, now / settings.mass)), now):
                break
            yield
    return record.outcome()


def shake(kit: Kit, settings: LabSettings, pose: Array, peak: float) -> TrialGenerator:
    """Shakes the socket along x, y and z by ``peak`` m/s2; in its own frame the peg feels the opposite."""
    record = _Recorder(kit)
    wave = (0.5, 1.0, 0.5, -0.5, -1.0, -0.5)
    with lab_scene("shake") as lab:
        trial = Trial(lab, kit, settings, pose)
        for axis in range(3):
            for part in wave:
                push = [0.0, 0.0, -9.81]
                push[axis] += peak * part
                if record.add(trial.step((push[0], push[1], push[2])), settings.mass * peak * abs(part)):
                    return record.outcome()
                yield
    return record.outcome()


def by_hand(kit: Kit, settings: LabSettings, start: Array, way: Sequence[Array]) -> TrialGenerator:
    """Leads the peg by a spring hand through the wished poses ``way`` from ``start``; contacts decide the rest."""
    record = _Recorder(kit)
    with lab_scene("hand") as lab:
        trial = Trial(lab, kit, settings, start, hand=True)
        for wish in way:
            record.add(trial.step(hand=wish))
            yield
    return record.outcome()


def insertion(kit: Kit, settings: LabSettings, aside: float) -> TrialGenerator:
    """Inserts and twists with contacts: the hand enters ``aside`` metres off the axis and turns past the stop."""
    top = kit.depth + 1.0 * MM
    way = [placed(kit, top - (top + PUSH) * smooth(k / 24), kit.entry, aside) for k in range(1, 25)]
    turned = kit.turn * (kit.twist + OVERTURN)
    way += [placed(kit, -PUSH, kit.entry + turned * smooth(k / 24), aside) for k in range(1, 25)]
    way += [way[-1]] * 8
    return by_hand(kit, settings, placed(kit, top, kit.entry, aside), way)


def blocked(kit: Kit, settings: LabSettings) -> TrialGenerator:
    """Pushes the peg straight down with its lugs beside the slots: it must stop at the rim."""
    top, angle = kit.depth + 1.0 * MM, kit.entry - kit.turn * (kit.slot_half + kit.lug_half)
    way = [placed(kit, top - 0.8 * top * smooth(k / 16), angle) for k in range(1, 17)]
    return by_hand(kit, settings, placed(kit, top, angle), way)


def reverse_twist(kit: Kit, settings: LabSettings, pose: Array, *, turn: bool = True) -> TrialGenerator:
    """From the locked ``pose``: turns back to the slots (or not, as a control), then draws the peg out."""
    back = -kit.turn * kit.twist if turn else 0.0
    way = [multiply(pose, rotation(2, back * smooth(k / 16))) for k in range(1, 17)] + [
        multiply(pose, rotation(2, back))
    ] * 4
    top = 0.75 * kit.depth
    way += [multiply(translation((0.0, 0.0, top * smooth(k / 12))), way[-1]) for k in range(1, 13)]
    return by_hand(kit, replace(settings, friction=0.2), pose, way)
