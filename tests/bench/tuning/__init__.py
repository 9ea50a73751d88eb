# SPDX-License-Identifier: GPL-3.0-or-later
"""Tuning takes: analytic scenes in many looks, clean and with faults of known dose.

scene = library()[0]
studio = Studio(scene, cache=CACHE_FOLDER)
target = targets(scene, "ink_wash")["shift"][0]
fault = Fault("shift", target.part, target.frames, 4.0)      # px of a picture 1920 wide
picture = studio.frame("ink_wash", 12, (fault,))              # (H, W, 3) uint8 RGB
truth_and_take = Source(studio, "ink_wash", (fault,))
"""

from tests import bench

from .faults import DOSES, VARIANTS, VISIBLE, Fault
from .library import library
from .looks import LOOKS
from .source import Source, write_take, write_truth
from .studio import Studio
from .takes import TAKE_DOSES
from .targets import Target, hidden, targets

assert bench.__doc__

__all__ = [
    "DOSES", "LOOKS", "TAKE_DOSES", "VARIANTS", "VISIBLE", "Fault", "Source", "Studio", "Target", "hidden", "library",
    "targets", "write_take", "write_truth",
]  # fmt: skip
