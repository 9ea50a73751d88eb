# SPDX-License-Identifier: GPL-3.0-or-later
"""What one action of a plan works with, and what it gives: a mender makes one frame after another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..pipeline.errors import InputError
from ..pipeline.manifest import Manifest
from ..pipeline.pictures import U8
from ..pipeline.truth import GroundTruth
from .order import UNUSABLE
from .plan import Action
from .plates import Plate, read_plate

GOODS = 3
"""Good frames on either side of a span that teach the look and give the paint."""


class Refused(InputError):
    """The action can't do this fault honestly; the plan goes on with the next one."""


class Mender(Protocol):
    """Makes the frames of an action."""

    @property
    def frames(self) -> Sequence[int]:
        """The frames that it changes."""

    def mend(self, frame: int) -> U8:
        """(H, W, 3) uint8. Raises Refused, InputError."""

    def record(self) -> dict[str, Any]:
        """What the take's manifest says of it besides the action."""


@runtime_checkable
class Steadying(Protocol):
    """A mender that makes a part change less from frame to frame, and can tell whether it did."""

    def unrest(self, picture_of: Callable[[int], U8]) -> float:
        """dE from frame to frame in the pictures (H, W, 3) that ``picture_of`` gives of each frame."""


@dataclass(frozen=True)
class Job:
    """``below`` gives a frame as earlier steps left it; ``bad`` frames by part that nothing can be learnt from;
    ``report`` and ``measured`` (measures.json) say what Validate found."""

    truth: GroundTruth
    frames: tuple[int, ...]
    below: Callable[[int], U8]
    bad: Mapping[str, set[int]]
    action: Action
    report: Mapping[str, Any]
    measured: Mapping[str, Any]

    @property
    def span(self) -> list[int]:
        """The take's frames that the action may touch."""
        first, last = self.action.reach
        return [frame for frame in self.frames if first <= frame <= last]

    @property
    def parts(self) -> list[str]:
        """The parts that the action is for."""
        return list(self.action.settings.get("parts") or ([self.action.part] if self.action.part else []))

    def plate(self, frame: int, part: str) -> Plate:
        """What is known of a part in a frame."""
        return read_plate(self.truth, frame, part, self.below(frame))

    def goods(self, part: str) -> list[int]:
        """The nearest frames on either side that show the part right."""
        spoiled = self.bad.get(part, set()) | self.bad.get("", set()) | set(self.span)
        return good_frames(self.frames, self.span, spoiled)

    def series(self, part: str, name: str) -> dict[int, float]:
        """A raw measure of a part by scene frame, as far as it was measured."""
        values = self.measured.get("parts", {}).get(part, {}).get("measures", {}).get(name) or []
        frames = self.measured.get("frames", [])
        return {
            int(frame): float(value)
            for frame, value in zip(frames, values, strict=False)
            if value is not None and value == value
        }


def good_frames(frames: Sequence[int], span: Sequence[int], spoiled: set[int]) -> list[int]:
    """The nearest unspoiled frames on either side of a span, at most GOODS each, and as many where one side is
    short."""
    if not span:
        return []
    free = [frame for frame in frames if frame not in spoiled]
    before = [frame for frame in free if frame < span[0]][::-1]
    after = [frame for frame in free if frame > span[-1]]
    take_before = max(GOODS, 2 * GOODS - len(after))
    take_after = max(GOODS, 2 * GOODS - len(before))
    return sorted(before[:take_before] + after[:take_after])


def faulty_frames(report: Manifest, replaced: Iterable[int]) -> dict[str, set[int]]:
    """Frames by part that a report found fault with and nothing replaced since: nothing can be learned from them.
    A fault that leaves nothing of the picture is listed under ""."""
    fresh, found = set(replaced), dict[str, set[int]]()
    for finding in report.data["findings"]:
        if not finding.get("part") and finding["kind"] not in (*UNUSABLE, "frame_map"):
            continue  # a wrong palette, say, is no reason not to learn from a frame
        first, last = finding["frames"]
        frames = set(range(first - 1, last + 2)) - fresh  # a fault fades in and out
        for part in (str(finding.get("part") or ""), *map(str, finding.get("others") or ())):
            found.setdefault(part, set()).update(frames)
    return found
