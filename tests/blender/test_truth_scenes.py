# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage on scenes that no one made for it: what is given, what is refused, and that the scene stays as it was.

docs/truth-scenes.md is the table of these.
"""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import pytest
from holdfast.pipeline.errors import HoldfastError

from . import real_scenes, real_settings, scene_dump
from . import truth_scenes as scenes

QUICK = (
    real_scenes.hair_particles, real_scenes.transparent, real_scenes.seen_through_glass, real_scenes.instances,
    real_scenes.linked_library, real_scenes.names_of_the_world, real_scenes.zero_scale, real_settings.view_layers,
    real_settings.artists_compositor, real_settings.camera_markers, real_scenes.edit_mode, real_settings.holdout_part,
    real_settings.holdout_before_the_parts,
)  # fmt: skip
ASKED = real_settings.GIVEN if os.environ.get("HOLDFAST_SLOW") else QUICK
"""HOLDFAST_SLOW=1 tries all of them, a minute or two."""


@pytest.mark.parametrize("build", ASKED, ids=lambda build: build.__name__)
def test_given(build, tmp_path: Path) -> None:
    build()
    scene = bpy.context.scene
    before = scene_dump.everything()
    truth = scenes.make(tmp_path)
    assert scene_dump.differences(before, scene_dump.everything()) == []
    first = truth.frames[0]
    for name, pixels in real_settings.GIVEN[build].items():
        seen = int((truth.ids(first) == truth.part(name).id).sum())
        assert abs(seen - pixels) <= 2, f"{name} has {seen} pixels, not {pixels}"
        assert truth.whole(name, first).sum() >= 0.9 * pixels
    for frame in (2, 1):
        scene.frame_set(frame)
        assert scenes.STAGE.state(scene, scenes.shot_in(tmp_path)).status == "fresh", f"at frame {frame}"


@pytest.mark.parametrize("build", real_settings.REFUSED, ids=lambda build: build.__name__)
def test_refused_with_a_sentence(build, tmp_path: Path) -> None:
    build()
    before = scene_dump.everything()
    with pytest.raises(HoldfastError, match=real_settings.REFUSED[build]):
        scenes.make(tmp_path)
    assert scene_dump.differences(before, scene_dump.everything()) == []


def test_time_is_remapped_in_poses_as_in_pictures(tmp_path: Path) -> None:
    """The lid is at the pose of the stretched time, and its pixels with it."""
    real_settings.time_remapped()
    truth = scenes.make(tmp_path)
    assert abs(truth.pose("lid", 2)[0, 3] - 0.6) < 0.1 - 1e-3
    centre = truth.project(truth.pose("lid", 2)[:3, 3][None], 2)[0]
    rows, columns = (truth.ids(2) == truth.part("lid").id).nonzero()
    assert abs(columns.mean() + 0.5 - centre[0]) < 0.5 and abs(rows.mean() + 0.5 - centre[1]) < 0.5


def test_the_frame_rate_is_exact(tmp_path: Path) -> None:
    real_settings.odd_frame_rate()
    assert tuple(scenes.make(tmp_path).fps) == (30000, 1001)
