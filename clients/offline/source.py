# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads ground truth frames for the rehearsal, and the few frames that set a shot's constants for every chunk."""

import numpy as np

from ...pipeline.truth import GroundTruth
from .layers import FrameTruth

SAMPLES = 6


def frame_truth(truth: GroundTruth, frame: int) -> FrameTruth:
    """All passes of one frame that the rehearsal needs. Raises InputError for a frame that is not there."""
    camera = truth.camera(frame)
    depth = truth.depth(frame)
    return FrameTruth(
        frame=frame,
        beauty=truth.beauty(frame).astype(np.float32) / 255,
        ids=truth.ids(frame),
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
