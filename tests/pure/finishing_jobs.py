# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs for menders on the rolling ball: planted faults without files but the truth."""

import cv2
import numpy as np
from holdfast.finishing.job import Job
from holdfast.finishing.plan import Action
from holdfast.pipeline.truth import GroundTruth

from .finishing_scene import drawing, passes, write_truth

FRAMES = tuple(range(16))
SPAN = (6, 8)


class Kept(GroundTruth):
    """A package whose passes are read once."""

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in ("beauty", "ids", "matte", "depth", "normal"):
            return found
        kept = self.__dict__.setdefault("kept", {})

        def read(*key):
            if (name, *key) not in kept:
                kept[name, *key] = found(*key)
            return kept[name, *key]

        return read


def truth_in(folder):
    write_truth(folder, FRAMES)
    return Kept.open(folder)


def job(truth, kind, pictures, *, span=SPAN, handles=1, fault="shifted", bad=None, report=None, **settings):
    """A job on frames that are the clean drawing but for ``pictures`` {frame: (H, W, 3)}."""

    def below(frame):
        return pictures.get(frame, drawing(frame))

    action = Action("f01", kind, "ball", span, handles, fault, "", settings=settings)
    spoiled = {"ball": set(range(span[0] - 1, span[1] + 2))} if bad is None else bad
    return Job(truth, FRAMES, below, spoiled, action, report or {"findings": []}, {})


def lab(picture):
    return cv2.cvtColor(np.asarray(picture, np.float32) / 255, cv2.COLOR_RGB2LAB)


def difference(one, other, where):
    """Mean CIE76 dE."""
    return float(np.linalg.norm(lab(one) - lab(other), axis=-1)[where].mean())


def inside(frame, least=0.9):
    return passes(frame)["matte"] > least


def displaced(frame, field):
    """The drawing with the ball moved by ``field`` (H, W, 2) px over the bare wall."""
    rows, columns = np.mgrid[0:180, 0:320].astype(np.float32)
    x, y = columns - field[..., 0], rows - field[..., 1]
    cover = cv2.dilate(passes(frame)["matte"], np.ones((5, 5), np.uint8))
    cover = cv2.remap(cv2.GaussianBlur(cover, (0, 0), 0.7), x, y, cv2.INTER_LINEAR)[..., None]
    ball = cv2.remap(drawing(frame).astype(np.float32), x, y, cv2.INTER_CUBIC)
    wall = drawing(frame, ball=False).astype(np.float32)
    return np.rint(np.clip(wall + (ball - wall) * cover, 0, 255)).astype(np.uint8)


def toned(frame, change):
    """The drawing with the ball's Lab changed by ``change`` (3,) or by a function of Lab."""
    values = lab(drawing(frame))
    new = change(values) if callable(change) else values + np.float32(change)
    cover = passes(frame)["matte"][..., None]
    rgb = cv2.cvtColor((values + (new - values) * cover).astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
