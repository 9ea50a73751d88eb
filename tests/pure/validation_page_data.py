# SPDX-License-Identifier: GPL-3.0-or-later
"""A small report as its page gets it, with a number stamped into every picture."""

from functools import cache

import cv2
import numpy as np
from holdfast.validation.gallery import data_uri, pack
from holdfast.validation.page_series import signals

EVIL = '</script><img src=x onerror="document.title=1">{{style}}'
FRAMES = 40
BITS = 8


@cache
def stamped(number: int, shade: int, width: int = 640) -> bytes:
    """JPEG that carries its number twice, in its left and in its right half, as eight light or dark blocks each."""
    picture = np.full((180, 320, 3), shade, np.uint8)
    for half in (0, 160):
        for bit in range(BITS):
            light = number >> (BITS - 1 - bit) & 1
            picture[60:120, half + bit * 20 : half + bit * 20 + 20] = 235 if light else 20
    big = cv2.resize(picture, (width, width * 9 // 16), interpolation=cv2.INTER_NEAREST)
    return cv2.imencode(".jpg", big)[1].tobytes()


def measures(parts: list[str], kinds: list[str], frames: list[int], hot: tuple[int, int] = (7, 12)) -> dict:
    """As measures.json: the first kind of the first part is over its limit at positions ``hot``."""
    quiet = [0.1 + 0.05 * (i % 5) for i in range(len(frames))]
    loud = [2.0 if hot[0] <= i <= hot[1] else v for i, v in enumerate(quiet)]
    of = {
        part: {"measures": {}, "signals": {
            kind: {"measure": "bend", "unit": "px", "limits": [1.0] * len(frames), "values": loud if part == parts[0] and kind == kinds[0] else quiet}
            for kind in kinds}}
        for part in parts
    }  # fmt: skip
    return {"frames": frames, "parts": of}


def finding(number: int, part: str, kind: str, frames: list[int], severity: str = "major") -> dict:
    """One as the page gets it."""
    return {
        "id": f"f{number:02d}", "part": part, "others": [], "frames": frames, "worst": sum(frames) // 2, "kind": kind,
        "title": "bends" if kind == "rubber" else "vanished", "severity": severity, "confidence": 0.9, "measure": "bend",
        "value": 2.0, "limit": 1.0, "unit": "px", "mm": 0.4, "where": None, "says": f"{part} bends.", "suggestion": "Rerun.", "also": [],
        "picture": data_uri(stamped(1, 90)), "pixels": [640, 360],
    }  # fmt: skip


def page_data(part: str = "lid", count: int = FRAMES, others: tuple[str, ...] = ("peg", "body")) -> dict:
    """Frames 101.. of a take in which ``part`` bends at 108 to 113 and the first other part vanishes at 120 to 124."""
    frames, parts = [101 + i for i in range(count)], [part, *others]
    found = [finding(1, part, "rubber", [108, 113]), finding(2, others[0], "vanished", [120, 124], "minor")]
    square = pack(np.array([[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]))
    return {
        "verdict": "fail", "sentence": f"{part} bends 108-113.", "next": [{"do": "Rerun", "what": [[f"{part} 108–113", "f01"]]}],
        "take": "t001", "stage": "full", "size": [640, 360], "fps": [24, 1], "frames": frames, "sources": frames, "findings": found,
        "parts": [{"name": name, "verdict": "fail" if k < 2 else "pass", "why": "bends" if k < 2 else "holds"} for k, name in enumerate(parts)],
        "signals": signals(measures(parts, ["rubber", "vanished", "flicker", "outline"][: 4 if len(parts) < 50 else 2], frames), found, lambda kind, unit: "What it is." * (kind == "rubber")),
        "heat": None, "names": parts,
        "pictures": {str(i): [data_uri(stamped(i, 60)), data_uri(stamped(i + 100, 200))] for i in range(min(count, FRAMES))},
        "outlines": {str(i): {"0": square} for i in range(min(count, FRAMES))}, "beside": False, "width": 640,
        "facts": [{"label": "Timing", "says": "as it should"}], "notes": [], "rate": "",
    }  # fmt: skip
