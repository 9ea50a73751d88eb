# SPDX-License-Identifier: GPL-3.0-or-later
"""fal and Replicate with a SAM 2 that knows its masks: each job gets those of the part that it was shown."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .fal import Fal
from .replicate import Replicate
from .server import Answer, Received, route

Ids = Sequence[NDArray[Any]]
"""For each frame of the film the part of every pixel, as the service sees it."""


def png_of(mask: NDArray[Any]) -> bytes:
    return bytes(cv2.imencode(".png", np.where(mask, 255, 0).astype(np.uint8))[1])


def film_of(masks: Sequence[NDArray[Any]]) -> bytes:
    """A black-and-white MP4."""
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "film.mp4")
        high, wide = masks[0].shape
        film = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"mp4v"), 24, (wide, high))
        for mask in masks:
            film.write(np.repeat(np.where(mask, 255, 0).astype(np.uint8)[..., None], 3, 2))
        film.release()
        return Path(path).read_bytes()


class ReplicateSam(Replicate):
    """``ids``: what it finds; ``shown``: what was clicked, as [(frame, x, y), ...] a job; ``spoil`` its pictures."""

    def __init__(self, ids: Ids) -> None:
        super().__init__()
        self.ids, self.shown, self.spoil = ids, [], lambda masks: masks
        self.pictures: dict[str, bytes] = {}

    def _step(self, number: str) -> dict[str, Any]:
        entry = super()._step(number)
        if entry["status"] == "succeeded" and number not in self.pictures:
            asked = entry["input"]
            places = eval(f"[{asked['click_coordinates']}]")  # "[391,239],[178,320]"
            frames = [int(each) for each in asked["click_frames"].split(",")]
            self.shown.append([(frame, *place) for frame, place in zip(frames, places, strict=True)])
            part = self.ids[frames[0]][places[0][1], places[0][0]]
            masks = self.spoil([ids == part for ids in self.ids])
            self.pictures |= {f"{number}_{n:04d}.png": png_of(mask) for n, mask in enumerate(masks)}
            entry["output"] = [
                f"{self.url}/files/{name}" for name in self.pictures if name.startswith(number)
            ]
            self.pictures[number] = b""
        return entry

    @route("GET", "/files/(?P<name>.+)")
    def result(self, received: Received, name: str) -> Answer:
        return Answer(body=self.pictures[name]) if name in self.pictures else super().result(received, name)


class FalSam(Fal):
    """``ids`` as above; it gives a film. ``look`` paints it: by default black and white."""

    def __init__(self, ids: Ids, look: Callable[[Sequence[NDArray[Any]]], bytes] = film_of) -> None:
        super().__init__()
        self.ids, self.look = ids, look

    def _work(self, request: Any) -> Answer:
        if request.model != "fal-ai/sam2/video":
            return super()._work(request)
        box, point = request.input["box_prompts"][0], request.input["prompts"][0]
        assert box["x_min"] <= point["x"] < box["x_max"] and box["frame_index"] == point["frame_index"]
        part = self.ids[point["frame_index"]][point["y"], point["x"]]
        name = f"masks{part}.mp4"
        self.media[name] = self.look([ids == part for ids in self.ids])
        return Answer(200, {"video": self._file(name, "video/mp4")})
