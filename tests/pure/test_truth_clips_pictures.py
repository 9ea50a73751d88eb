# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn in clips, against analytic truth: a ray-cast box over a slanted floor, the camera moving."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.controls import Control, SizeRule, check_control
from holdfast.pipeline.fitting import Fit, fit_size
from holdfast.pipeline.truth import GroundTruth
from holdfast.rendering.clips import lines, surface
from holdfast.rendering.clips.depth import Range, find_range, grey, inverse
from holdfast.rendering.clips.pictures import Frame, Look, part_colours
from hypothesis import given
from hypothesis import strategies as st

from . import clip_truth as scene

VIEWS = [scene.View((0.03 * i, -0.012 * i, 0.05 * i)) for i in range(4)]
SMALLER = fit_size(scene.SIZE, SizeRule(16, (120, 80)))
LARGER = fit_size(scene.SIZE, SizeRule(exact=((400, 240),)))
SAME = Fit(scene.SIZE, scene.SIZE)
FITS = {"smaller": SMALLER, "same": SAME, "larger": LARGER}


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return GroundTruth.open(scene.write(tmp_path_factory.mktemp("truth"), VIEWS))


@pytest.fixture(scope="module")
def ends(truth):
    return find_range(truth, Context())


def control(kind, **more):
    return check_control(Control(kind, **{"codec": "png", **more}), "test")


def draw(truth, number, fit, kind, ends, parts=("box",), change=True, **more):
    return Frame(truth, number, fit).draw(Look(control(kind, **more), ends, parts, change))


def clip_grid(fit):
    rows, columns = np.mgrid[0 : fit.clip[1], 0 : fit.clip[0]] + 0.5
    points = fit.to_source(np.stack([columns, rows], -1))
    return points, (points > 1).all(-1) & (points < np.array(scene.SIZE) - 1).all(-1)


def share_of(depth, ends, curve):
    """The formula, written again: the share of white of a depth, near being white."""
    n, f = ends.near, ends.far
    z = np.clip(np.where(depth > 0, depth, np.inf), n, f)
    return {"disparity": (1 / z - 1 / f) / (1 / n - 1 / f), "linear": (f - z) / (f - n),
            "log": np.log(f / z) / np.log(f / n)}[curve]  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_depth_of_the_floor_is_the_formula_in_every_frame(truth, ends, name):
    fit, compared = FITS[name], 0
    worst = dict.fromkeys(("disparity", "linear", "log"), 0.0)
    points, inside = clip_grid(fit)
    reach = 2 * int(2 * max(1, fit.scale[0])) + 1
    for number, view in enumerate(VIEWS, 1):
        box = scene.cast(view, points[..., 0], points[..., 1])[0]
        floor = inside & (cv2.dilate(box, np.ones((reach, reach), np.uint8)) == 0)
        depth = scene.floor_depth(view, points[..., 0], points[..., 1])
        compared += int(floor.sum())
        for curve in worst:
            stored = draw(truth, number, fit, "depth", ends, curve=curve).astype(float)
            error = np.abs(stored - share_of(depth, ends, curve) * 255)
            worst[curve] = max(worst[curve], float(error[floor].max()))
    print(f"{name}: worst depth error of 255 over {compared} pixels of {len(VIEWS)} frames: {worst}")
    assert compared > 5000 and max(worst.values()) <= 0.51  # rounding alone


def test_sixteen_bits_and_both_polarities(truth, ends):
    near = draw(truth, 2, SAME, "depth", ends, bits=16).astype(np.int64)
    far = draw(truth, 2, SAME, "depth", ends, bits=16, white="far")
    assert near.max() > 60000 and far.dtype == np.uint16
    assert np.abs(near + far - 65535).max() <= 1
    depth = truth.depth(2)
    assert near[depth == depth.min()].min() > near[depth == depth.max()].max()


@given(st.floats(0.01, 50), st.floats(1.01, 100), st.lists(st.floats(0.001, 1e4), min_size=2, max_size=20),
       st.sampled_from(["disparity", "linear", "log"]), st.sampled_from(["near", "far"]))  # fmt: skip
def test_grey_goes_one_way_from_end_to_end(near, ratio, depths, curve, white):
    ends = Range(near, near * ratio)
    z = np.array([*sorted(depths), near, near * ratio], np.float32)[None]
    seen = grey(inverse(z), ends, curve, white, 16)[0].astype(int)
    assert (np.diff(seen[:-2]) * (-1 if white == "near" else 1) >= 0).all()
    assert sorted(np.abs(seen[-2:] - ([65535, 0] if white == "near" else [0, 65535])))[-1] <= 2
    nothing = grey(np.zeros((1, 1), np.float32), ends, curve, white, 8)
    assert nothing == (0 if white == "near" else 255)


def test_the_range_is_of_the_parts_over_all_frames(truth, ends):
    depths = [(truth.depth(f), truth.ids(f)) for f in truth.frames]
    low = min(d[i > 0].min() for d, i in depths)
    high = max(d[i > 0].max() for d, i in depths)
    print(f"parts {low:.3f}-{high:.3f} m, range {ends.near}-{ends.far} m")
    margin = max(high - low, 0.1 * low) / 2
    assert 0.99 * (low - margin) <= ends.near <= low and high <= ends.far <= 1.01 * (high + margin)
    assert ends.near == float(f"{ends.near:.3g}")


def test_no_depth_between_surfaces(truth, ends):
    """Every grey of the clip is one of a source pixel near by: none lies between the box and the floor behind it."""
    for name, fit in FITS.items():
        clip = draw(truth, 1, fit, "depth", ends).astype(int)
        source = grey(inverse(truth.depth(1)), ends, "disparity", "near", 8).astype(int)
        points, inside = clip_grid(fit)
        least = np.full(clip.shape, 999)
        for dy in range(-2, 3):
            for dx in range(-2, 3):
                row = np.clip(points[..., 1].astype(int) + dy, 0, scene.SIZE[1] - 1)
                column = np.clip(points[..., 0].astype(int) + dx, 0, scene.SIZE[0] - 1)
                least = np.minimum(least, np.abs(source[row, column] - clip))
        print(f"{name}: farthest grey from any near source pixel {least[inside].max()}")
        assert least[inside].max() <= 3


def silhouette_and_folds(view):
    """Ends (N, 2, 2) in pixels of the box's visible edges: those with at least one visible face."""
    signs = [np.array([1 if i >> bit & 1 else -1 for bit in range(3)]) for i in range(8)]
    axes, start = scene.box_axes(), (np.array(view.shift) - scene.CENTRE) @ scene.box_axes().T
    pieces = []
    for i in range(8):
        for bit in range(3):
            j = i | 1 << bit
            if i == j:
                continue
            others = [axis for axis in range(3) if axis != bit]
            if any(start[axis] * signs[i][axis] > scene.HALF[axis] for axis in others):
                both = scene.CENTRE + np.stack([signs[i] * scene.HALF, signs[j] * scene.HALF]) @ axes
                pieces.append(view.project(both))
    return np.array(pieces)


def distance(points, pieces):
    """(N,) of points (N, 2) to the nearest of the pieces (M, 2, 2)."""
    a, b = pieces[:, 0], pieces[:, 1]
    along = ((points[:, None] - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1)
    foot = a + np.clip(along, 0, 1)[..., None] * (b - a)
    return np.linalg.norm(points[:, None] - foot, axis=-1).min(1)


@pytest.mark.parametrize("name", FITS)
def test_edges_of_a_box_are_where_projection_puts_them(truth, ends, name):
    fit = FITS[name]
    for number, view in enumerate(VIEWS, 1):
        drawn = draw(truth, number, fit, "edges", ends, line_px=2.0) / 255.0
        pieces = fit.to_clip(silhouette_and_folds(view))
        rows, columns = np.mgrid[0 : fit.clip[1], 0 : fit.clip[0]] + 0.5
        box = scene.cast(view, *np.moveaxis(fit.to_source(np.stack([columns, rows], -1)), -1, 0))
        points = np.stack([columns, rows], -1)[drawn > 0.5]
        off = distance(points, pieces)
        floor_end = np.abs(box[1][drawn > 0.5]) == 0  # the floor's own horizon, if any
        off = off[~floor_end]
        samples = np.concatenate([a + np.linspace(0.06, 0.94, 40)[:, None] * (b - a) for a, b in pieces])
        there = [drawn[max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2].max() for x, y in samples
                 if 1 < x < fit.clip[0] - 1 and 1 < y < fit.clip[1] - 1]  # fmt: skip
        missing = float(np.mean(np.array(there) < 0.5))
        print(
            f"{name} frame {number}: line to projection mean {off.mean():.3f}, 95 % {np.percentile(off, 95):.3f} clip px, missing {missing:.1%}"
        )
        assert (
            off.mean() < 0.8 and np.percentile(off, 95) < 1.0 + 0.6 * max(1, fit.scale[0]) and missing < 0.03
        )


def test_lines_lie_within_a_fraction_of_a_pixel(truth):
    """The middles of lines against the projected edges: silhouettes by the pass ``sure`` and without it, and folds."""
    errors = {"silhouettes": [], "silhouettes without sure": [], "folds": []}
    for number, view in enumerate(VIEWS, 1):
        frame = Frame(truth, number, SAME)
        torn = surface.tears(frame.inverse, 0.02) | frame.parting
        folded = surface.folds(frame.normal, torn)
        none = surface.Pairs(folded.across & False, folded.down & False)
        for name, edges, sure in (("silhouettes", frame.parting, truth.sure(number)), ("folds", folded, None),
                                  ("silhouettes without sure", frame.parting, None)):  # fmt: skip
            place = lines.places(frame.parting, sure, folded if name == "folds" else none, frame.inverse)
            middles = lines.segments(edges, place).mean(1)
            errors[name].append(distance(middles, silhouette_and_folds(view)))
    rms = {name: float(np.sqrt(np.mean(np.concatenate(found) ** 2))) for name, found in errors.items()}
    print("rms error in px:", {name: round(value, 3) for name, value in rms.items()})
    assert rms["silhouettes"] < 0.1 and rms["folds"] < 0.1 and rms["silhouettes without sure"] < 0.3


def test_a_static_scene_gives_the_same_picture_in_every_frame(tmp_path):
    still = GroundTruth.open(scene.write(tmp_path, [VIEWS[0]] * 3))
    ends = find_range(still, Context())
    for kind in ("depth", "edges", "normals", "matte", "ids", "beauty"):
        pictures = [draw(still, number, SMALLER, kind, ends) for number in (1, 2, 3)]
        assert all(np.array_equal(pictures[0], other) for other in pictures[1:]), kind


def test_a_steep_floor_and_a_round_part_draw_no_lines_inside():
    ends = Range(1.0, 3.0)
    rows = np.mgrid[0:60, 0:80][0] + 0.5
    slanted = (1 / np.linspace(0.2, 30, 60, dtype=np.float32))[:, None] + np.zeros((60, 80), np.float32)
    assert not surface.tears(np.float32(rows * 0.02), 0.0133).down.any()
    assert slanted.shape == (60, 80)
    y, x = (np.mgrid[0:80, 0:80] + 0.5 - 40) / 30
    z2 = 1 - x * x - y * y
    ball = np.where((z2 > 0)[..., None], np.stack([x, -y, np.sqrt(np.maximum(z2, 0))], -1), 0).astype(
        np.float32
    )
    depth = np.where(z2 > 0, 2 - 0.5 * np.sqrt(np.maximum(z2, 0)), 0).astype(np.float32)
    torn = surface.tears(inverse(depth), 0.04 * ends.inverse_span)
    drawn = torn | surface.folds(ball, torn)
    inside = drawn.pixels() & (z2 > 0.08)
    assert not inside.any()


def test_mattes_have_the_polarity_that_is_asked_for(truth, ends):
    cover = truth.matte("box", 3)
    cases = {
        ("change", True): cover,
        ("change", False): 1 - cover,
        ("keep", True): 1 - cover,
        ("keep", False): cover,
    }
    for (white, change), wanted in cases.items():
        seen = draw(truth, 3, SAME, "matte", ends, white=white, change=change)
        assert seen.ndim == 2 and np.abs(seen / 255 - wanted).max() < 0.5 / 255 + 1e-6, (white, change)
        fit = replace(LARGER)
        border = draw(truth, 3, fit, "matte", ends, white=white, change=change)[: fit.pad[1]]
        assert (
            fit.pad[1] > 0 and (border == (0 if white == "change" else 255)).all()
        )  # padding is never to be changed
    assert not draw(truth, 3, SAME, "matte", ends, parts=("none",)).any()


def test_normals_are_opengl_colours_or_directx_ones(truth, ends):
    seen = draw(truth, 1, SAME, "normals", ends).astype(float)
    wanted = (truth.normal(1) * 0.5 + 0.5) * 255
    there = (truth.normal(1) != 0).any(-1)
    assert np.abs(seen - wanted)[there].max() <= 0.51
    other = draw(truth, 1, SAME, "normals", ends, axes="directx").astype(float)
    assert np.abs(seen[..., 1] + other[..., 1] - 255).max() <= 1 and np.array_equal(
        seen[..., ::2], other[..., ::2]
    )
    for fit in (SMALLER, LARGER):
        length = np.linalg.norm(draw(truth, 1, fit, "normals", ends) / 127.5 - 1, axis=-1)
        assert np.abs(length - 1).max() < 0.02


def test_ids_keep_flat_colours(truth, ends):
    seen = draw(truth, 1, LARGER, "ids", ends)
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) == 2
    colours = part_colours(np.arange(200, dtype=np.uint16)[None])[0].astype(int)
    apart = np.abs(colours[:, None] - colours[None]).sum(-1) + 999 * np.eye(200)
    assert not colours[0].any() and apart[:30, :30].min() > 20 and apart.min() > 0
