# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot of drawn boxes that move, and takes of it with faults of the whole picture; in memory, without files."""

from types import SimpleNamespace

import cv2
import numpy as np

SIZE, FRAMES = (480, 270), 40
PATHS = (
    (lambda t: (70 + 300 * t, 70 + 30 * np.sin(5 * t)), (64, 44), (200, 60, 50)),
    (lambda t: (380 - 220 * t, 190 - 60 * t * t), (50, 60), (60, 130, 210)),
    (lambda t: (240 + 40 * np.cos(6 * t), 120 + 90 * t), (40, 34), (230, 200, 70)),
)
_RNG = np.random.default_rng(3)
_WALL = cv2.GaussianBlur(_RNG.normal(0, 1, (SIZE[1], SIZE[0])), (0, 0), 5)
_WALL = 120 + 25 * np.sign(_WALL) + 8 * _WALL / _WALL.std()
_GRAIN = cv2.GaussianBlur(_RNG.normal(0, 1, (80, 80)), (0, 0), 2.5)
_GRAIN = _GRAIN / _GRAIN.std()
PARTS = tuple(SimpleNamespace(id=i + 1, name=f"box{i}") for i in range(len(PATHS)))


def draw(time: float, shown: dict | None = None, recolour: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(render, ids) at a time 0..1; ``shown`` {part: (dx, dy) or None} moves parts or leaves them out."""
    picture, ids = np.repeat(_WALL[..., None], 3, 2).copy(), np.zeros(SIZE[::-1], np.uint8)
    for number, (path, (w, h), colour) in enumerate(PATHS):
        move = (shown or {}).get(number, (0.0, 0.0))
        if move is None:
            continue
        x, y = np.add(path(time), move)
        tone = np.array(colour[::-1] if recolour else colour, float)
        patch = np.clip(tone + 18 * _GRAIN[:h, :w, None], 0, 255)
        way = np.float32([[1, 0, x - w / 2], [0, 1, y - h / 2]])
        cover = cv2.warpAffine(np.ones((h, w), np.float32), way, SIZE)
        laid = cv2.warpAffine(patch.astype(np.float32), way, SIZE, borderMode=cv2.BORDER_REPLICATE)
        picture = picture * (1 - cover[..., None]) + laid * cover[..., None]
        ids[cover > 0.5] = number + 1
    return np.clip(picture, 0, 255).astype(np.uint8), ids


def restyle(picture: np.ndarray, seed: int) -> np.ndarray:
    """A look: other tones, softer, with grain of its own."""
    out = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.8)
    out = 255 * (out / 255) ** 1.4 * np.float32([0.9, 0.8, 0.95]) + 12
    return np.clip(out + np.random.default_rng(seed).normal(0, 3, out.shape), 0, 255).astype(np.uint8)


class Truth:
    """Quacks like pipeline.truth.GroundTruth; ``of`` (render, ids) by position."""

    def __init__(self, of, fps=(24, 1)):
        self.of, self.fps = of, fps
        self.size = of[0][0].shape[1::-1]
        self.frames = tuple(range(1, len(of) + 1))
        self.parts = PARTS

    def beauty(self, frame):
        return self.of[frame - 1][0]

    def ids(self, frame):
        return self.of[frame - 1][1]


class Take:
    """Quacks like pipeline.take.TakeFolder."""

    def __init__(self, pictures, **data):
        self.pictures, self.folder = pictures, "take"
        self.frames = tuple(range(1, len(pictures) + 1))
        self.manifest = SimpleNamespace(data={"fps": [24, 1], **data})

    def frame(self, frame):
        return self.pictures[frame - 1]


def moving() -> tuple[Truth, list[np.ndarray]]:
    """The shot and its clean restyle."""
    of = [draw(i / (FRAMES - 1)) for i in range(FRAMES)]
    return Truth(of), [restyle(draw(i / (FRAMES - 1), recolour=True)[0], i) for i in range(FRAMES)]


def fitted(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``picture`` of the shot as a take shows it: ``matrix`` (2, 3) from the shot's pixels to the take's."""
    way = matrix.copy()
    way[:, 2] += way[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(picture, way, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
