# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of pictures that are worth looking at: Runway's API, and as results the lantern in colours of the seed."""

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .media import mp4
from .runway import RunwayServer
from .server import Answer, Received, route

SHEET = Path(__file__).parents[2] / "docs" / "images" / "contact_sheet.png"
LOOKS = ((294, 494), (690, 494), (1086, 494), (1481, 494))
"""Where the looks stand on the sheet of the demo."""
SIDE = 378


@cache
def painted(seed: int) -> bytes:
    """A PNG: one of the looks, its hues turned by the seed."""
    sheet = cv2.imdecode(np.fromfile(SHEET, np.uint8), cv2.IMREAD_COLOR)
    left, top = LOOKS[seed % len(LOOKS)]
    picture = cv2.cvtColor(sheet[top : top + SIDE, left : left + SIDE], cv2.COLOR_BGR2HSV)
    picture[..., 0] = (picture[..., 0].astype(int) + 23 * (seed // len(LOOKS))) % 180
    large = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_HSV2BGR), (512, 512), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".png", large)[1])


class Painter(RunwayServer):
    """Done at the first look; ``slow`` names seeds whose task goes on for ever, ``refused`` those that fail."""

    def __init__(self) -> None:
        super().__init__()
        self.script, self.expired, self.credits, self.daily = ["SUCCEEDED"], -1, 8, 1000
        self.slow: set[int] = set()
        self.refused: set[int] = set()

    @route("POST", "/v1/(?P<kind>[a-z_]+)")
    def make(self, received: Received, kind: str) -> Answer:
        answer = super().make(received, kind)
        for task in self.tasks.values():
            seed = task["body"].get("seed", 0)
            if seed in self.slow or seed in self.refused:
                task["state"] = "RUNNING" if seed in self.slow else "FAILED"
        return answer

    @route("GET", "/v1/tasks/(?P<name>[^/]+)")
    def state(self, received: Received, name: str) -> Answer:
        task: dict[str, Any] = self.tasks.get(name, {})
        if task.get("body", {}).get("seed") in self.slow:
            return Answer(
                200,
                {"id": name, "status": "RUNNING", "progress": 0.42, "createdAt": "2026-11-21T08:07:12.000Z"},
            )
        return super().state(received, name)

    @route("GET", r"/files/(?P<name>[^.]+)\.(?P<polls>\d+)\.(?P<kind>\w+)")
    def file(self, received: Received, name: str, polls: str, kind: str) -> Answer:
        task = self.tasks.get(name)
        if task is None:
            return Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
        return Answer(body=painted(int(task["body"].get("seed", 0))) if kind == "png" else mp4())
