# SPDX-License-Identifier: GPL-3.0-or-later
"""A tracker that behaves like a remote one: it follows the mask of a part through the film by optical flow.

For rehearsing Validate's masks before the first paid request. It follows whatever moves, as trackers tend to: its J and F
say little of a take, and are as good as a day of practice.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...pipeline.errors import InputError
from ...pipeline.pictures import F32, U8
from .remote import RemoteRehearsal, auth, film_of, write_film

__all__ = ["RemoteTracker", "auth", "followed"]


class RemoteTracker(RemoteRehearsal):
    """Takes the film, the part's mask and the frame that it is of; gives a black-and-white film."""

    def draw(self, record: Mapping[str, Any], day: str, path: Path) -> None:
        """Raises InputError for what it can't follow, StorageError, Cancelled."""
        frames, rate = film_of(Path(record["inputs"]["source_video"]))
        mask = cv2.imread(str(record["inputs"]["mask"]), cv2.IMREAD_GRAYSCALE)
        index = int(record["options"].get("frame_index", 0))
        if mask is None or not 0 <= index < len(frames):
            raise InputError("The mask or its frame can't be read", where=str(record["inputs"]["mask"]))
        greys = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]
        start = cv2.resize(mask, greys[0].shape[::-1]).astype(np.float32)
        masks: dict[int, F32] = {index: start}
        for step in (1, -1):
            at = index
            while 0 <= at + step < len(greys):
                self.wire.context.cancel.check()
                masks[at + step] = followed(masks[at], greys[at], greys[at + step])
                at += step
        found = [np.where(masks[each] > 127, 255, 0).astype(np.uint8) for each in range(len(greys))]
        found = found[: max(1, len(found) - 3)] if day == "short" else found
        write_film(path, [cv2.cvtColor(each, cv2.COLOR_GRAY2BGR) for each in found], rate)


def followed(mask: F32, before: U8, now: U8) -> F32:
    """The mask (H, W) 0..255 of the frame ``before`` in the frame ``now`` (H, W grey)."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(now, before, None)
    rows, columns = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    return np.asarray(cv2.remap(mask, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
