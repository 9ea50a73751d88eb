# SPDX-License-Identifier: GPL-3.0-or-later
"""J and F against the definition, written down slowly: whole pictures, dilated by a disk, pixel by pixel."""

import numpy as np
import pytest
from holdfast.pipeline.errors import UsageError
from holdfast.validation.jf import Spot, Statistics, boundary, contour, radius, region, spots
from hypothesis import given, settings
from hypothesis import strategies as st


def slow_boundary(seg: np.ndarray) -> np.ndarray:
    height, width = seg.shape
    out = np.zeros(seg.shape, bool)
    for y in range(height):
        for x in range(width):
            right = seg[y, x + 1] if x + 1 < width else False
            below = seg[y + 1, x] if y + 1 < height else False
            across = seg[y + 1, x + 1] if x + 1 < width and y + 1 < height else False
            differs = (seg[y, x] != right, seg[y, x] != below, seg[y, x] != across)
            if y == height - 1 and x == width - 1:
                out[y, x] = False
            elif y == height - 1:
                out[y, x] = differs[0]
            elif x == width - 1:
                out[y, x] = differs[1]
            else:
                out[y, x] = any(differs)
    return out


def slow_dilate(edges: np.ndarray, reach: int) -> np.ndarray:
    steps = np.arange(-reach, reach + 1)
    disk = steps[:, None] ** 2 + steps[None] ** 2 <= reach**2
    height, width = edges.shape
    out = np.zeros((height + 2 * reach, width + 2 * reach), bool)
    for y, x in zip(*np.nonzero(edges), strict=True):
        out[y : y + 2 * reach + 1, x : x + 2 * reach + 1] |= disk
    return out[reach : reach + height, reach : reach + width]


def slow_jf(mask: np.ndarray, truth: np.ndarray, reach: int) -> tuple[float, float]:
    union = (mask | truth).sum()
    j = (mask & truth).sum() / union if union else 1.0
    a, b = slow_boundary(mask), slow_boundary(truth)
    if a.sum() == 0 and b.sum() > 0:
        precision, recall = 1.0, 0.0
    elif a.sum() > 0 and b.sum() == 0:
        precision, recall = 0.0, 1.0
    elif a.sum() == 0:
        precision, recall = 1.0, 1.0
    else:
        precision = (a & slow_dilate(b, reach)).sum() / float(a.sum())
        recall = (b & slow_dilate(a, reach)).sum() / float(b.sum())
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return float(j), float(f)


@st.composite
def pairs(draw):
    """Two masks of one size: noise, empty, full, blobs, one pixel, or the same one moved."""
    shape = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))

    def one() -> np.ndarray:
        kind = draw(st.sampled_from(("noise", "empty", "full", "box", "pixel", "disk")))
        mask = np.zeros(shape, bool)
        y, x = rng.integers(shape[0]), rng.integers(shape[1])
        if kind == "noise":
            mask = rng.random(shape) < rng.random()
        elif kind == "full":
            mask[:] = True
        elif kind == "box":
            mask[y : y + rng.integers(1, 12), x : x + rng.integers(1, 12)] = True
        elif kind == "pixel":
            mask[y, x] = True
        elif kind == "disk":
            rows, columns = np.ogrid[: shape[0], : shape[1]]
            mask = (rows - y) ** 2 + (columns - x) ** 2 <= rng.integers(1, 60)
        return mask

    first = one()
    moved = np.roll(first, (int(rng.integers(-3, 4)), int(rng.integers(-3, 4))), (0, 1))
    return first, moved if draw(st.booleans()) else one()


@settings(max_examples=400, deadline=None)
@given(pairs(), st.one_of(st.integers(0, 30), st.sampled_from((0.008, 0.05, 0.2, 0.999))))
def test_equal_to_the_definition_on_any_tolerance(masks, tolerance):
    mask, truth = masks
    reach = radius(mask.shape, tolerance)
    a, b = Spot.of(mask), Spot.of(truth)
    assert (region(a, b), contour(a, b, mask.shape, reach)) == slow_jf(mask, truth, reach)
    assert np.array_equal(boundary(mask), slow_boundary(mask))


def test_equal_on_large_masks_with_wide_and_narrow_reach():
    rows, columns = np.ogrid[:90, :160]
    blobs = [
        (rows - y) ** 2 + ((columns - x) * 0.7) ** 2 < r * r
        for y, x, r in ((36, 55, 24), (43, 70, 26), (90, 159, 36))
    ]
    for reach in (0, 3, 18, 70):
        for mask, truth in zip(blobs, blobs[1:] + blobs[:1], strict=True):
            a, b = Spot.of(mask), Spot.of(truth)
            assert (region(a, b), contour(a, b, mask.shape, reach)) == slow_jf(mask, truth, reach)


def test_radius_is_that_of_the_benchmark():
    assert radius((1080, 1920)) == 18
    assert radius((480, 854)) == 8
    assert radius((1, 1)) == 1
    assert radius((1080, 1920), 7) == 7
    for nonsense in (-0.1, 2.5, float("nan"), float("inf")):
        with pytest.raises(UsageError):
            radius((10, 10), nonsense)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31), st.sampled_from((np.uint8, np.uint16)))
def test_every_number_of_an_id_map_is_cut_out(height, width, seed, kind):
    rng = np.random.default_rng(seed)
    ids = rng.choice(np.array((0, 0, 1, 2, 255, 60000 if kind == np.uint16 else 254), kind), (height, width))
    found = spots(ids)
    assert sorted(found) == sorted(int(n) for n in np.unique(ids) if n)
    for number, spot in found.items():
        whole = np.zeros(ids.shape, bool)
        whole[spot.top : spot.top + spot.mask.shape[0], spot.left : spot.left + spot.mask.shape[1]] = (
            spot.mask
        )
        assert np.array_equal(whole, ids == number)
        same = Spot.of(ids == number)
        assert (spot.top, spot.left, spot.mask.shape) == (same.top, same.left, same.mask.shape)


def test_decay_holds_beyond_frame_255():
    falling = np.linspace(1, 0, 1000)
    found = Statistics.of(list(falling))
    assert found.decay == pytest.approx(falling[:251].mean() - falling[749:].mean(), abs=2e-3)
    assert found.recall == pytest.approx(0.5, abs=1e-3)
    assert Statistics.of([0.7]) == Statistics(0.7, 1.0, 0.0)
    assert Statistics.of([1, 1, 1, 0, 0, 0, 0, 0]).decay == pytest.approx(1.0)
    with pytest.raises(UsageError):
        Statistics.of([])
