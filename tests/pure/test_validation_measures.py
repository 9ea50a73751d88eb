# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures of Validate against analytic pictures, and the rules that decide against hand-made series."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from holdfast.validation.agree import second
from holdfast.validation.anchors import Rig, displacement, without_slide
from holdfast.validation.contours import Edges, measure_outline, trace
from holdfast.validation.explain import RULES, explain
from holdfast.validation.gates import Span, runs, spans
from holdfast.validation.limits import load_limits
from holdfast.validation.plates import Plate, local_structure, to_lab
from holdfast.validation.signals import KINDS, Signal, absence
from holdfast.validation.surface import follow
from holdfast.validation.timemap import change, find_map, fingerprint, likeness
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

SIZE = (640, 360)


def disc_plate(take_at=(320.0, 180.0), take_radius=60.0, colour=(200, 90, 40), there=True) -> Plate:
    """A disc of radius 60 at the middle in the truth; wherever it is told in the take, in other colours."""

    def picture(at, radius, fill, back):
        big = np.full((SIZE[1] * 4, SIZE[0] * 4, 3), back, np.uint8)
        if fill is not None:
            cv2.circle(big, (round(at[0] * 4), round(at[1] * 4)), round(radius * 4), fill, -1)
        return np.asarray(cv2.resize(big, SIZE, interpolation=cv2.INTER_AREA), np.uint8)

    beauty = picture((320, 180), 60, (90, 120, 200), (60, 60, 60))
    take = picture(take_at, take_radius, colour if there else None, (225, 220, 205))
    yy, xx = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    ids = (np.hypot(xx + 0.5 - 320, yy + 0.5 - 180) <= 60).astype(np.uint8)
    depth = np.where(ids > 0, 1.0, 2.0).astype(np.float32)
    lab = to_lab(take)
    return Plate(
        1, lab, to_lab(beauty), local_structure(lab[..., 0].copy(), 1.0), np.zeros_like(ids), ids, depth
    )


def outline(plate: Plate):
    return measure_outline(Edges.of(plate), trace(plate, 1), plate.unit, np.random.default_rng(0))


def test_outline_in_place_is_found_whatever_the_colours():
    found = outline(disc_plate())
    assert found.lost == 0
    assert found.ratio > 0.8
    assert np.hypot(*found.offset) < 0.6


def test_outline_of_a_missing_part_is_lost():
    found = outline(disc_plate(there=False))
    assert found.lost > 0.95
    assert abs(found.null) < 1


@pytest.mark.parametrize(("dx", "dy"), [(4, 0), (-3, 2), (0, -5)])
def test_shift_of_the_outline_is_measured_in_pixels(dx, dy):
    found = outline(disc_plate(take_at=(320 + dx, 180 + dy)))
    assert found.offset == pytest.approx((dx, dy), abs=0.7)
    assert found.gain > 0.5


def test_scale_of_the_outline_is_measured():
    found = outline(disc_plate(take_radius=63.0))
    assert found.scale == pytest.approx(63 / 60, abs=0.012)


def test_trace_gives_the_occluder_the_contour_between_two_parts():
    plate = disc_plate()
    plate.ids[150:210, 300:340] = 2
    plate.depth[150:210, 300:340] = 0.5
    assert 2 in trace(plate, 1).beyond or not (trace(plate, 1).beyond == 2).any()
    assert not (trace(plate, 1).beyond == 2).any(), "the smaller part is in front: it draws the contour"
    assert (trace(plate, 2).beyond == 1).all()


def test_displacement_splits_rigid_and_bend():
    yy, xx = np.mgrid[0:80, 0:80].astype(np.float32)
    everywhere = np.ones((80, 80), bool)
    turn = np.stack([0.05 * (yy - 40), -0.05 * (xx - 40)], -1) + np.float32([3, 0])
    rigid = displacement(turn.astype(np.float32), everywhere, 1.0)
    assert rigid.bend < 0.03
    assert rigid.moved == pytest.approx((3, 0), abs=0.15)
    wave = np.stack([3 * np.sin(yy / 8), np.zeros_like(xx)], -1).astype(np.float32)
    assert displacement(wave, everywhere, 1.0).bend > 2
    assert displacement(wave, everywhere, 2.0).bend == pytest.approx(
        displacement(wave, everywhere, 1.0).bend / 2
    )


@given(arrays(np.float32, (5, 2), elements=st.floats(-9, 9, width=32)), st.floats(0, 1.2))
def test_sliding_along_the_shading_is_free(slide, share):
    flow = (share * slide).astype(np.float32)
    assert np.abs(without_slide(flow[None], slide[None])).max() < 1e-3


def test_follow_takes_out_the_render_s_own_change_only():
    light = np.array([20.0, 0, 0])
    assert np.linalg.norm(follow(0.7 * light, light)) < 1e-6
    assert np.linalg.norm(follow(np.array([20.0, 15, 0]), light)) == pytest.approx(15)
    assert np.linalg.norm(follow(np.array([0.0, 0, 9]), np.zeros(3))) == pytest.approx(9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3, 1, 2], 2), ([5, 1], 1), ([9, 9, 0.1, 0.2], 0.2), ([np.nan, 4, np.nan, 2], 2)],
)
def test_second_smallest(values, expected):
    assert second(values) == expected


def test_one_reading_says_nothing():
    assert np.isnan(second([4.0]))


def moving(shift: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    picture = np.full((180, 320, 3), 90, np.uint8) + rng.integers(0, 4, (180, 320, 3), dtype=np.uint8)
    cv2.rectangle(
        picture, (30 + 7 * shift, 40 + 2 * shift), (90 + 7 * shift, 120 + 2 * shift), (220, 160, 60), -1
    )
    return picture


@pytest.mark.parametrize("lag", [-3, 2])
def test_time_map_finds_a_lag_in_another_look(lag):
    source = [fingerprint(moving(i)) for i in range(24)]
    take = [fingerprint(255 - moving(min(23, max(0, i + lag)))) for i in range(24)]
    found = find_map(likeness(take, source), likeness(source, source), change(source))
    middle = slice(4, 20)
    assert (found.source[middle] - np.arange(24)[middle] == lag).all()
    assert found.score[middle].mean() > 0.5


def test_time_map_keeps_the_expected_map_of_a_good_take_and_of_a_still_one():
    source = [fingerprint(moving(i)) for i in range(24)]
    take = [fingerprint(255 - moving(i)) for i in range(24)]
    assert (
        find_map(likeness(take, source), likeness(source, source), change(source)).source == np.arange(24)
    ).all()
    still = [fingerprint(moving(0)) for _ in range(12)]
    found = find_map(likeness(still, still), likeness(still, still), change(still))
    assert not found.certain.any()
    assert (found.source == np.arange(12)).all()


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 2))
def test_runs_cover_exactly_what_is_hot(hot, gap):
    found = runs(np.array(hot, bool), gap)
    assert all(hot[a] and hot[b] for a, b in found)
    inside = {i for a, b in found for i in range(a, b + 1)}
    assert {i for i, h in enumerate(hot) if h} <= inside
    assert all(b[0] - a[1] > gap + 1 for a, b in pairwise(found))


def signal(values, limit=1.0, kind="rubber") -> Signal:
    values = np.asarray(values, float)
    return Signal("lid", kind, "bend", "px", values, np.full(len(values), limit), 0.1)


def test_a_fault_lasts_three_frames_with_one_missing():
    assert spans(signal([0, 2, 2, 0, 0, 0])) == []
    (found,) = spans(signal([0, 0, 2, 2, np.nan, 3, 0, 0]))
    assert (found.first, found.last, found.worst) == (2, 5, 5)
    assert spans(signal([np.nan] * 6)) == []


def span(part, kind, first, last, value=2.0) -> Span:
    return Span(part, kind, kind, "", first, last, first, value, 1.0)


def touching(*pairs):
    table = {name: [frozenset() for _ in range(40)] for name in ("lid", "peg", "body")}
    for a, b in pairs:
        table[a] = [frozenset({b}) for _ in range(40)]
    return table


def test_a_vanished_part_explains_its_other_signs_and_its_neighbours_shape():
    found = [
        span("peg", "vanished", 5, 12),
        span("peg", "colour_drift", 5, 12, 9),
        span("lid", "outline", 6, 10, 5),
    ]
    (cause,) = explain(found, touching(("lid", "peg")))
    assert cause.span.kind == "vanished"
    assert len(cause.explained) == 2
    apart = explain(found, touching())
    assert {c.span.part for c in apart} == {"peg", "lid"}


def test_two_vanished_parts_are_two_findings():
    found = [span("peg", "vanished", 5, 12), span("lid", "vanished", 5, 12)]
    assert len(explain(found, touching(("lid", "peg")))) == 2


def test_a_bend_takes_a_neighbour_s_weaker_bend_but_not_a_stronger_one():
    weak = [span("lid", "rubber", 5, 12, 3), span("peg", "rubber", 5, 12, 1.5)]
    assert [c.span.part for c in explain(weak, touching(("lid", "peg")))] == ["lid"]
    elsewhere = [span("lid", "rubber", 5, 12, 3), span("peg", "rubber", 22, 30, 1.5)]
    assert len(explain(elsewhere, touching(("lid", "peg")))) == 2


def test_every_rule_names_known_kinds_and_every_kind_has_a_limit():
    known = set(KINDS) | {"frame_map", "frozen"}
    for rule in RULES:
        assert {rule.cause} | rule.effects | rule.beside <= known
    assert set(KINDS) <= set(load_limits().of)


def test_absence_tells_gone_from_shifted_and_recoloured():
    rows = {
        "there": (0, 6, 1, 0, 0),
        "gone": (0.95, 0, 0.2, 0.95, 1),
        "recoloured": (0, 6, 1, 0, 1),
        "bent": (0.6, 1.2, 0.25, 0.05, 0.02),
    }
    table = {
        name: np.array([rows[r][i] for r in rows], float)
        for i, name in enumerate(("lost", "null", "ratio", "behind", "unlike"))
    }
    limits = load_limits()
    found = dict(zip(rows, absence(table, limits.presence), strict=True))
    limit = limits.of["vanished"].value
    assert found["gone"] > limit
    assert max(found["there"], found["recoloured"], found["bent"]) < limit


def test_a_part_that_is_shrunk_to_nothing_has_an_inverse() -> None:
    gone = np.zeros((4, 4))
    gone[:3, 3], gone[3, 3] = (1, 2, 3), 1
    camera = (np.diag([100.0, 100.0, 1.0]), np.eye(4))
    rig = Rig({1: {7: gone}, 2: {7: np.eye(4)}}, {1: camera, 2: camera}, False)
    assert np.isfinite(rig.carry(1, 2, 7)).all() and np.isfinite(rig.carry(2, 1, 7)).all()
