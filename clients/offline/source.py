# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads ground truth frames for the rehearsal, and the few frames that set a shot's constants for every chunk."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ...pipeline.truth import GroundTruth
from .ink import smoothstep
from .layers import THIRDS, FrameTruth

F32 = NDArray[np.float32]
SAMPLES = 6
NOISE_KERNEL = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)
"""Blind to flat and evenly shaded surfaces; six standard deviations of pixel noise (Immerkaer 1996)."""
CLEAN, NOISY = 0.008, 0.02
"""Noise of the parts (0..1 display values) where smoothing begins and is whole: denoised renders have 0.002 to
0.005, eight samples without a denoiser 0.05."""


def frame_truth(truth: GroundTruth, frame: int) -> FrameTruth:
    """All passes of one frame that the rehearsal needs. Raises InputError for a frame that is not there."""
    camera = truth.camera(frame)
    depth, ids = truth.depth(frame), truth.ids(frame)
    return FrameTruth(
        frame=frame,
        beauty=quiet(truth.beauty(frame).astype(np.float32) / 255, ids),
        ids=ids,
        coverage={name: truth.matte(name, frame) for name in truth.names},
        depth=np.where(np.isfinite(depth) & (depth < 1e6), depth, 0).astype(np.float32),
        normal=np.nan_to_num(truth.normal(frame)),
        K=camera.K,
        world_to_camera=camera.world_to_camera,
        poses={name: truth.pose(name, frame) for name in truth.names},
        part_ids={part.name: part.id for part in truth.parts},
        orthographic=camera.orthographic,
    )


def samples(truth: GroundTruth) -> list[FrameTruth]:
    """A few frames spread over the whole shot, the same whichever frames are asked for."""
    picks = np.unique(np.linspace(0, len(truth.frames) - 1, SAMPLES).round().astype(int))
    return [frame_truth(truth, truth.frames[index]) for index in picks]


def quiet(beauty: F32, ids: NDArray[np.uint8]) -> F32:
    """(H, W, 3) the picture without the grain of a render of few samples, which hard tones would turn into speckles
    that boil. A clean render stays as it is, to the bit."""
    ripple = np.abs(cv2.filter2D(beauty @ THIRDS, -1, NOISE_KERNEL))
    noise = float(np.median(ripple[ids > 0] if ids.any() else ripple)) / (6 * 0.6745)
    share = smoothstep(CLEAN, NOISY, np.array(noise, np.float32))
    if share == 0:
        return beauty
    return np.asarray(beauty + (cv2.medianBlur(beauty, 3) - beauty) * share, np.float32)
