# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of whole takes: which frame is shown when, crops, scales, offsets, colour ranges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from .faults import Fault

U8 = NDArray[np.uint8]
TAKE_DOSES: dict[str, tuple[tuple[float, ...], str]] = {
    "lag": ((1, 2, 3), "frames"), "drop": ((1, 3), "frames"), "freeze": ((3, 5, 8), "frames"),
    "duplicate": ((3, 5), "every nth"), "retime": ((0.5, 0.8, 1.25, 2), "speed"),
    "crop": ((2, 5, 10), "%"), "zoom": ((-3, 3), "%"), "offset": ((2, 3, 6), "px"),
    "limited_range": ((1,), ""), "full_range": ((1,), ""),
}  # fmt: skip
"""Every fault of a take: its doses and their unit. Of ``frames`` only the first counts (drop, freeze)."""


def source(faults: tuple[Fault, ...], index: int, count: int) -> int:
    """The frame that the take shows at ``index``."""
    for fault in faults:
        first, n = fault.frames[0], fault.dose
        if fault.kind == "lag":
            index -= int(n)
        elif fault.kind == "drop":
            index += int(n) if index >= first else 0
        elif fault.kind == "freeze":
            index = first if first <= index < first + int(n) else index
        elif fault.kind == "duplicate":
            index -= 1 if index % int(n) == int(n) - 1 else 0
        elif fault.kind == "retime":
            index = round(index * n)
    return min(max(index, 0), count - 1)


def picture(faults: tuple[Fault, ...], out: U8) -> U8:
    """The picture with the take's framing and range faults."""
    h, w = out.shape[:2]
    for fault in faults:
        n = fault.dose
        if fault.kind == "crop":
            x, y = round(w * n / 200), round(h * n / 200)
            out = cv2.resize(out[y : h - y, x : w - x], (w, h), interpolation=cv2.INTER_CUBIC)
        elif fault.kind in ("zoom", "offset"):
            s = 1 + n / 100 if fault.kind == "zoom" else 1.0
            px = n * w / 1920 if fault.kind == "offset" else 0.0
            move = np.float32([[s, 0, (1 - s) * w / 2 + 0.8 * px], [0, s, (1 - s) * h / 2 + 0.6 * px]])
            out = cv2.warpAffine(out, move, (w, h), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        elif fault.kind == "limited_range":
            out = (out.astype(np.float32) * (219 / 255) + 16.5).astype(np.uint8)
        elif fault.kind == "full_range":
            out = np.clip((out.astype(np.float32) - 16) * (255 / 219) + 0.5, 0, 255).astype(np.uint8)
    return out
