# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up shot with two parts, and films of its pieces as a model would return them: alike, but each a run of its own."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from holdfast.pipeline.fitting import Fit
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_gray
from holdfast.pipeline.pieced import Film
from holdfast.pipeline.placing import Clip
from holdfast.pipeline.truth import MANIFEST, SCHEMA, GroundTruth

SIZE, FRAMES = (320, 180), 20
WINDOWS = ((0, 13), (7, 13))
"""Where the two pieces lie in the shot: they share frames 8 to 13."""
Change = Callable[[np.ndarray, int], np.ndarray]


def ids_at(frame: int) -> np.ndarray:
    """(H, W) of frame 1..FRAMES: a box (1) that stays and a disc (2) that moves 3 px a frame."""
    ids = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    ids[90:160, 60:150] = 1
    cv2.circle(ids, (120 + 3 * frame, 70), 32, 2, -1)
    return ids


@cache
def noise(seed: int, blur: float) -> np.ndarray:
    """(H, W) of spread 1."""
    made = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(SIZE[1], SIZE[0])), (0, 0), blur)
    return (made / made.std()).astype(np.float32)


@cache
def picture(frame: int, run: int, grain: float = 2.5) -> np.ndarray:
    """(H, W, 3) float32 of one run of the model: the same shot and brushwork, grain and slow stains of the run's own."""
    ids = ids_at(frame)
    made = np.empty((*ids.shape, 3), np.float32)
    made[:] = np.linspace(60, 150, SIZE[0])[None, :, None] * [1.0, 0.95, 0.8] + 14 * noise(1, 3)[..., None]
    for number, colour in ((1, (180, 90, 50)), (2, (70, 130, 160))):
        brush = np.roll(noise(1 + number, 2.0), 3 * frame if number == 2 else 0, 1)
        made[ids == number] = (np.array(colour) + 18 * brush[..., None])[ids == number]
    made += (
        grain * noise(100 * run + frame, 0.7)[..., None] + 0.8 * grain * noise(7000 + run, 12.0)[..., None]
    )
    return made


def write_truth(folder: Path) -> GroundTruth:
    """The package as far as joining reads it."""
    frames = list(range(1, FRAMES + 1))
    for frame in frames:
        write_gray(folder / f"ids.{frame:04d}.png", ids_at(frame))
    parts = [{"id": i, "name": n, "object": n, "bounds": None} for i, n in enumerate(("box", "disc"), 1)]
    data = {
        "size": list(SIZE), "fps": [24, 1], "frames": frames, "motion_hash": "m", "camera": [], "parts": parts,
        "passes": {"ids": {"pattern": "ids.{frame:04d}.png"}}, "poses": "poses.npz", "colour": {},
    }  # fmt: skip
    Manifest(SCHEMA, {}, {}, data).save(folder / MANIFEST)
    return GroundTruth.open(folder)


def write_film(path: Path, pictures: list[np.ndarray], rate: float = 24.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    high, wide = pictures[0].shape[:2]
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (wide, high))
    film.set(cv2.VIDEOWRITER_PROP_QUALITY, 100)
    for each in pictures:
        film.write(np.rint(np.clip(each, 0, 255)).astype(np.uint8)[..., ::-1].copy())
    film.release()
    return path


def as_it_is(made: np.ndarray, frame: int) -> np.ndarray:
    return made


def films(folder: Path, *changes: Change, run: int = 1, windows=WINDOWS, grain: float = 2.5) -> list[Film]:
    """The films of the pieces in ``windows``; the n-th is what its change (if there is one) makes of run n."""
    found = []
    for number, (first, count) in enumerate(windows):
        shows = tuple(range(first + 1, first + count + 1))
        change = changes[number] if number < len(changes) else as_it_is
        pictures = [change(picture(frame, run + number, grain), frame) for frame in shows]
        path = write_film(folder / f"{number + 1}.mp4", pictures)
        found.append(Film(path, Clip(shows, Fraction(24), Fit(SIZE, SIZE)), first))
    return found
