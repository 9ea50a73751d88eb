# SPDX-License-Identifier: GPL-3.0-or-later
"""The tuning takes are what they claim: exact truth, shams that change nothing, faults only where and as strong as planted."""

import numpy as np
import pytest
from holdfast.validation.plates import TakeFrames, TruthFrames, load_plate

from tests.bench.tuning import (
    DOSES,
    LOOKS,
    TAKE_DOSES,
    VARIANTS,
    VISIBLE,
    Fault,
    Source,
    Studio,
    hidden,
    library,
    targets,
)
from tests.bench.tuning.scenes import cast, vectors

SIZE = (240, 135)
HOME = {
    "text": "logo",
    "not_back": "occlusion",
    "not_hidden": "occlusion",
    "merge": "joint",
    "slip": "slider",
}


@pytest.fixture(scope="module")
def studios():
    return {scene.name: Studio(scene) for scene in library(SIZE)}


def planted(studios, kind, dose, look="beauty", variant=""):
    studio = studios[HOME.get(kind, "tumble")]
    at = targets(studio.scene)[kind][0]
    return studio, Fault(kind, at.part, at.frames, dose, at.other, variant, ramp=0)


def apart(studio, look, index, *faults):
    """(H, W) codes by which a faulty frame differs from the clean one."""
    return np.abs(studio.frame(look, index, faults).astype(int) - studio.frame(look, index)).max(-1)


def test_there_are_enough_scenes_and_looks(studios):
    assert len(studios) >= 12
    assert len(LOOKS) >= 12


@pytest.mark.parametrize("name", ["joint", "handheld", "gears"])
def test_vectors_lead_to_the_same_surface_point(studios, name):
    """A pixel's surface point, found again in the next frame where the vector says, has the same place in the part."""
    scene = studios[name].scene
    here, there = (cast(scene, scene.when(i), exact=True) for i in (20, 21))
    to = vectors(scene, 20, here)[..., :2]
    h, w = here.ids.shape
    ys, xs = np.nonzero(here.ids)
    x2, y2 = (np.floor(np.stack([xs, ys]) + 0.5 + to[ys, xs].T)).astype(int)
    inside = (x2 >= 0) & (y2 >= 0) & (x2 < w) & (y2 < h)
    ys, xs, x2, y2 = ys[inside], xs[inside], x2[inside], y2[inside]
    same = here.ids[ys, xs] == there.ids[y2, x2]
    far = np.linalg.norm(here.local[ys, xs] - there.local[y2, x2], axis=-1)[same]
    metre_px = scene.K[0, 0] / here.depth[ys, xs][same]
    print(name, "median distance px", np.median(far * metre_px), "same part", same.mean())
    assert np.median(far * metre_px) < 1.0
    assert same.mean() > 0.9


def test_ids_depth_and_normals_agree_with_projection(studios):
    scene = studios["crowd"].scene
    t, got = scene.when(7), cast(scene, scene.when(7), exact=True)
    for i, part in enumerate(scene.parts):
        mask = got.ids == i + 1
        world = got.local[mask] @ part.pose(t)[:3, :3].T + part.pose(t)[:3, 3]
        uvz = scene.project(world, t)
        ys, xs = np.nonzero(mask)
        error = np.abs(uvz - np.stack([xs + 0.5, ys + 0.5, got.depth[mask]], 1)).max()
        assert error < 1e-6
        assert np.abs(np.linalg.norm(got.normal[mask], axis=1) - 1).max() < 1e-6


def test_mattes_sum_to_one_where_sure(studios):
    studio = studios["joint"]
    total = sum(studio.matte(name, 12) for name in studio.scene.names)
    assert total.max() <= 1.01
    ids, sure = studio.exact(12).ids, studio.sure(12)
    assert (sure[ids == 1] <= studio.matte("body", 12)[ids == 1] + 0.01).all()
    assert (studio.whole("peg", 12) >= studio.matte("peg", 12) - 0.01).all()


@pytest.mark.parametrize("look", ["beauty", "brush", "natural", "neon", "squeezed", "watercolour"])
def test_a_sham_is_the_clean_frame(studios, look):
    studio, fault = planted(studios, "sham", 0.0)
    worst = apart(studio, look, fault.frames[0] + 3, fault).max()
    print(look, "sham", worst, "codes")
    assert worst <= 2


@pytest.mark.parametrize("kind", sorted(set(DOSES) - {"sham"}))
def test_a_fault_shows_in_its_frames_alone(studios, kind):
    for variant in VARIANTS.get(kind, ("",)):
        studio, fault = planted(studios, kind, VISIBLE[kind], variant=variant)
        first, last = fault.frames
        assert (apart(studio, "beauty", (first + last) // 2, fault) > 6).sum() >= 6
        for index in (first - 1, last + 1):
            if 0 <= index < studio.scene.frames:
                assert not apart(studio, "beauty", index, fault).any()


@pytest.mark.parametrize("kind", sorted(kind for kind, (doses, _) in DOSES.items() if len(doses) > 1))
def test_more_dose_changes_more(studios, kind):
    change = []
    for dose in DOSES[kind][0]:
        studio, fault = planted(studios, kind, dose)
        change.append(int(apart(studio, "beauty", fault.frames[0] + 2, fault).sum()))
    print(kind, change)
    assert change == sorted(change)
    assert change[0] > 0


def test_hidden_is_fully_hidden(studios):
    studio = studios["occlusion"]
    first, last = hidden(studio.scene, "ball")
    assert last - first >= 4
    assert studio.matte("ball", (first + last) // 2).max() == 0
    assert studio.whole("ball", (first + last) // 2).sum() > 60


def test_take_faults_keep_the_size_and_change_something(studios):
    studio = studios["tumble"]
    for kind, (doses, _) in TAKE_DOSES.items():
        fault = Fault(kind, frames=(10, 12), dose=doses[-1])
        pictures = [studio.frame("beauty", i, (fault,)) for i in (9, 11, 14)]
        assert all(p.shape == (135, 240, 3) and p.dtype == np.uint8 for p in pictures)
        assert any(
            (p != studio.frame("beauty", i)).any() for p, i in zip(pictures, (9, 11, 14), strict=True)
        ), kind


def test_cache_is_read_and_gives_the_same(studios, tmp_path):
    scene = studios["tumble"].scene
    first = Studio(scene, tmp_path).frame("natural", 5)
    assert len(list(tmp_path.rglob("0005.png"))) == 1
    again = Studio(scene, tmp_path)
    again.fine = None  # a cast would fail
    assert (again.frame("natural", 5) == first).all()


def test_source_gives_what_validate_asks(studios):
    source = Source(studios["tumble"], "clay")
    truth: TruthFrames = source
    take: TakeFrames = source
    plate = load_plate(truth, take, 4, 4, (0.0, 0.0))
    assert plate.ids.shape == SIZE[::-1]
    assert set(np.unique(plate.ids)) == {0, 1, 2}
