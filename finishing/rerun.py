# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans that a provider draws again: those of a plan that touch are drawn as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .plan import Action


@dataclass(frozen=True)
class Rerun:
    """``frames`` (first, last) to replace, ``handles`` frames on either side to blend over, and what for; who draws,
    with which seed and strength of control (None: as the take)."""

    frames: tuple[int, int]
    handles: int
    parts: tuple[str, ...]
    findings: tuple[str, ...]
    faults: tuple[str, ...]
    provider: str = "rehearsal"
    seed: int = 0
    control: float | None = None

    def all_frames(self, frames: Sequence[int]) -> list[int]:
        """Those of a take's ``frames`` that must be drawn."""
        first, last = self.frames[0] - self.handles, self.frames[1] + self.handles
        return [frame for frame in frames if first <= frame <= last]

    def record(self, take: Path) -> dict[str, Any]:
        """As the request of ``finishing.repair`` and the take's spans carry it; drawn into a folder of ``take``."""
        return {
            "folder": str(take / "spans" / f"{self.frames[0]:04d}-{self.frames[1]:04d}"),
            "frames": list(self.frames),
            "handles": self.handles,
            "seed": self.seed,
            "part": self.parts[0] if len(self.parts) == 1 else "",
            "parts": [] if "" in self.parts else list(self.parts),
            "finding": ", ".join(self.findings),
            "fault": ", ".join(self.faults),
        }


def merged_reruns(actions: Sequence[Action], frames: Sequence[int]) -> list[Rerun]:
    """The spans to draw, in order, inside ``frames``; spans whose handles touch are one."""
    groups: list[list[Action]] = []
    for action in sorted(actions, key=lambda item: item.frames):
        touches = bool(groups) and action.reach[0] <= max(other.reach[1] for other in groups[-1]) + 1
        if touches and _provider(action) == _provider(groups[-1][0]):
            groups[-1].append(action)
        else:
            groups.append([action])
    return [_merged(group, frames) for group in groups]


def _merged(group: Sequence[Action], frames: Sequence[int]) -> Rerun:
    first = max(min(action.frames[0] for action in group), frames[0])
    last = min(max(action.frames[1] for action in group), frames[-1])
    return Rerun(
        frames=(first, last),
        handles=max(action.handles for action in group),
        parts=tuple(sorted({action.part for action in group})),
        findings=tuple(action.finding for action in group),
        faults=tuple(sorted({action.fault for action in group})),
        provider=_provider(group[0]),
        seed=max(int(action.settings.get("seed") or 0) for action in group),
        control=max(
            (float(c) for action in group if (c := action.settings.get("control")) is not None), default=None
        ),
    )


def _provider(action: Action) -> str:
    return str(action.settings.get("provider") or "rehearsal")
