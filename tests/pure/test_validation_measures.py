# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures of Validate against analytic pictures and displacement fields of known size."""

import cv2
import numpy as np
import pytest
from holdfast.validation.anchors import Facing, Rig
from holdfast.validation.backdrop import Backdrop
from holdfast.validation.contours import Edges, measure_outline, trace
from holdfast.validation.fits import MODES, PLANE, Lens, fit_normal, frame_of
from holdfast.validation.joints import joints_of
from holdfast.validation.plates import Plate, fitted, local_structure, middles, to_lab
from holdfast.validation.series import chroma, lit
from holdfast.validation.settle import settle
from holdfast.validation.surface import compare, follow, nearest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

SIZE = (640, 360)
K = np.array([[900.0, 0, 320], [0, 900, 180], [0, 0, 1]])


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
    ids = (np.hypot(xx + 0.5 - 320, yy + 0.5 - 180) <= 60).astype(np.int32)
    depth = np.where(ids > 0, 1.0, 2.0).astype(np.float32)
    lab = to_lab(take)
    return Plate(1, lab, to_lab(beauty), local_structure(lab[..., 0].copy(), 1.0), ids, depth)


def still_rig() -> Rig:
    camera = (K, np.eye(4))
    return Rig({1: {1: np.eye(4)}, 2: {1: np.eye(4)}}, {1: camera, 2: camera})


def outline(plate: Plate):
    rig = still_rig()
    ys, xs = np.nonzero(plate.ids == 1)
    points = rig.points(1, xs, ys, plate.depth[ys, xs])
    lens = Lens.of(points, np.stack([xs, ys], 1).astype(float), K, False)
    rng = np.random.default_rng(0)
    return measure_outline(Edges.of(plate), trace(plate, 1), plate, rig, lens, rng), lens


def test_outline_in_place_is_found_whatever_the_colours():
    found, _ = outline(disc_plate())
    print("shift of an outline in place, px:", np.hypot(*found.fit.field[:2]))
    assert found.lost == 0
    assert found.ratio > 0.8
    assert np.hypot(*found.fit.field[:2]) < 0.1


def test_outline_of_a_missing_part_is_lost():
    found, _ = outline(disc_plate(there=False))
    assert found.lost > 0.95
    assert abs(found.null) < 1
    assert found.fit is None


@pytest.mark.parametrize(("dx", "dy"), [(0.5, 0), (1.3, -0.4), (4, 0), (-3, 2), (0, -5)])
def test_shift_of_the_outline_is_measured_below_a_pixel(dx, dy):
    found, _ = outline(disc_plate(take_at=(320 + dx, 180 + dy)))
    error = np.hypot(found.fit.field[0] - dx, found.fit.field[1] - dy)
    print(f"shift {dx}, {dy}: error {error:.3f} px")
    assert error < 0.1 + 0.08 * np.hypot(dx, dy), "an outline that moved far is seen across its normals only"


def test_scale_of_the_outline_is_measured():
    found, lens = outline(disc_plate(take_radius=63.0))
    growth = found.fit.field[2] / lens.radius
    print(f"growth {growth:.4f}, planted 0.0500")
    assert growth == pytest.approx(0.05, abs=0.006)


def test_trace_gives_the_occluder_the_contour_between_two_parts():
    plate = disc_plate()
    plate.ids[150:210, 300:340] = 2
    plate.depth[150:210, 300:340] = 0.5
    inner = trace(plate, 1).inner
    near = (np.abs(inner[:, 0] - 320) < 26) & (np.abs(inner[:, 1] - 180) < 36)
    assert not near.any(), "the smaller part is in front: it draws the contour"
    assert len(trace(plate, 2).points) > 100


def test_places_beside_another_part_don_t_count():
    plate = disc_plate()
    assert trace(plate, 1).alone.all()
    plate.ids[:, 384:] = 2
    plate.depth[:, 384:] = 0.9
    contour = trace(plate, 1)
    right = contour.points[:, 0] > 378
    assert not contour.alone[right].any()
    assert contour.alone[contour.points[:, 0] < 300].all()


# -- displacement fields ---------------------------------------------------------------------------------------------


def cylinder(n=900, radius=0.04, height=0.06, away=0.5):
    """(points (n, 3), pixels (n, 2)) of the half of an upright cylinder that faces the camera."""
    rng = np.random.default_rng(1)
    angle, y = rng.uniform(-1.3, 1.3, n), rng.uniform(-height, height, n)
    points = np.stack([radius * np.sin(angle), y, away - radius * np.cos(angle)], 1)
    return points, pixels_of(points)


def pixels_of(points):
    return points[:, :2] / points[:, 2:] * 900 + (319.5, 179.5)


def read_back(field, points, pixels, seed=2):
    """The fit of a displacement field that is seen across random directions only."""
    lens = Lens.of(points, pixels, K, False)
    turn = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(points))
    across = np.stack([np.cos(turn), np.sin(turn)], 1)
    jacobian, polynomials = lens.jacobian(points), lens.polynomials(pixels)
    found = fit_normal(jacobian, polynomials, across, (across * field).sum(1), np.ones(len(points)))
    return found, lens, jacobian, polynomials


def whole_frame(jacobian, polynomials, motions):
    turn = np.random.default_rng(5).uniform(0, 2 * np.pi, len(jacobian))
    return frame_of(
        jacobian, polynomials, motions, np.stack([np.cos(turn), np.sin(turn)], 1), np.ones(len(jacobian))
    )


def rms(coefficients, shape):
    return float(np.sqrt(max(0.0, coefficients @ shape.products @ coefficients)))


@given(st.floats(-6, 6), st.floats(-6, 6), st.floats(-0.05, 0.05), st.floats(-5, 5))
@settings(max_examples=25, deadline=None)
def test_a_plane_motion_is_read_and_shows_no_bend(dx, dy, growth, turn_deg):
    points, pixels = cylinder()
    centre = pixels.mean(0)
    arm, c = pixels - centre, np.radians(turn_deg)
    turned = arm @ np.array([[np.cos(c), np.sin(c)], [-np.sin(c), np.cos(c)]]) * (1 + growth)
    found, lens, jacobian, polynomials = read_back(turned - arm + (dx, dy), points, pixels)
    shape = whole_frame(jacobian, polynomials, jacobian[..., 4:5])
    bend = rms(np.concatenate([np.zeros(PLANE), found.field[PLANE:]]), shape)
    assert found.field[0] == pytest.approx(dx, abs=0.12) and found.field[1] == pytest.approx(dy, abs=0.12)
    assert np.degrees(found.field[3] / lens.radius) == pytest.approx(turn_deg, abs=0.35)
    assert bend < 0.25


@pytest.mark.parametrize("amount", [1.0, 3.0])
def test_a_bend_is_read_as_bend(amount):
    points, pixels = cylinder()
    arm = (pixels - pixels.mean(0)) / 100
    field = amount * np.stack([arm[:, 1] ** 2, 0.5 * arm[:, 0] * arm[:, 1]], 1)
    found, _, jacobian, polynomials = read_back(field, points, pixels)
    shape = whole_frame(jacobian, polynomials, jacobian[..., 4:5])
    bend = rms(np.concatenate([np.zeros(PLANE), found.field[PLANE:]]), shape)
    left = field - field.mean(0)
    planted = float(np.sqrt((left**2).sum(1).mean()))
    print(f"bend {bend:.2f} px of {planted:.2f} px beyond its mean")
    assert 0.6 * planted < bend < 1.2 * planted


@pytest.mark.parametrize("turn_deg", [2.0, 5.0, -8.0])
def test_a_turn_about_the_axis_of_a_joint_is_told_in_degrees(turn_deg):
    points, pixels = cylinder()
    axis, point = np.array([0.0, 1, 0]), np.array([0.0, 0, 0.5])
    spin = Rotation.from_rotvec(np.radians(turn_deg) * axis).as_matrix()
    moved = (points - point) @ spin.T + point
    found, lens, jacobian, polynomials = read_back(pixels_of(moved) - pixels, points, pixels)
    shape = whole_frame(jacobian, polynomials, lens.seen(points, np.cross(axis, points - point))[..., None])
    motion = shape.motions[:, 0]
    angle = np.degrees((motion @ shape.products @ found.field) / (motion @ shape.products @ motion))
    rest = found.field - np.radians(angle) * motion
    explained = 1 - rms(rest, shape) ** 2 / rms(found.field, shape) ** 2
    print(f"turn {angle:.2f} deg, planted {turn_deg}; explained {explained:.3f}")
    assert angle == pytest.approx(turn_deg, rel=0.12)
    assert explained > 0.85


def test_what_is_locked_to_the_normals_slides_as_told():
    """A pattern of the normal on a turned cylinder: where it shows, against where the surface carried it."""
    xs = np.arange(-36, 37)
    radius_px, turn = 40.0, np.radians(6.0)
    slope = np.arcsin(xs / radius_px)
    field = np.zeros((9, len(xs), 3), np.float32)
    field[..., 0], field[..., 2] = np.sin(slope), -np.cos(slope)
    rows, columns = np.full(len(xs), 4), np.arange(len(xs))
    spin = Rotation.from_rotvec([0, turn, 0]).as_matrix()
    found = Facing.of(field, rows, columns).slide(spin)
    normal = np.stack([np.sin(slope), 0 * slope, -np.cos(slope)], 1) @ spin.T
    expected = radius_px * normal[:, 0] - xs
    middle = np.abs(xs) < 25
    error = np.abs(found[middle, 0] - expected[middle]).max()
    print(f"slide off by {error:.2f} px of {np.abs(expected[middle]).max():.1f}")
    assert error < 0.25


# -- put together over frames ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_pairs_settle_on_the_faulty_frames(seed):
    """A fault of any length below half of the take is found in its frames and nowhere else, wild pairs or not."""
    rng, count = np.random.default_rng(seed), 40
    first, length, size = rng.integers(0, 25), rng.integers(3, 15), rng.uniform(1, 9)
    truth = np.zeros((count, 2))
    truth[first : first + length] = (size, -size / 2)
    pairs = [(a, b) for a in range(count) for b in (a - 1, a - 8, a + 8) if 0 <= b < count]
    here, there = np.array(pairs).T
    values = truth[here] - truth[there] + rng.normal(0, 0.05, (len(pairs), 2))
    wild = rng.random(len(pairs)) < 0.04
    values[wild] += rng.uniform(-20, 20, (int(wild.sum()), 2))
    found = settle(count, here, there, values, np.ones(len(pairs)), 0.15)
    wrong = np.linalg.norm(found - truth, axis=1)
    print(f"off by {np.median(wrong):.3f}, at most {wrong.max():.2f}")
    assert np.median(wrong) < 0.15
    assert (wrong < 0.5).mean() > 0.9


def test_settling_in_windows_agrees_and_knows_nothing_of_unseen_frames():
    count = 400
    truth = np.zeros((count, 1))
    truth[170:190] = 4.0
    pairs = [(a, b) for a in range(count) for b in (a - 1, a - 6) if b >= 0 and 399 not in (a, b)]
    here, there = np.array(pairs).T
    found = settle(count, here, there, truth[here] - truth[there], np.ones(len(pairs)), 0.15)
    assert np.isnan(found[399, 0])
    assert np.abs(found[:399] - truth[:399]).max() < 0.2


def test_joints_are_read_from_poses_alone():
    axis, point = np.array([0.0, 0, 1]), np.array([0.1, 0.2, 0])
    poses = {}
    for frame in range(12):
        base, swung = np.eye(4), np.eye(4)
        base[:3, :3] = Rotation.from_euler("y", 2 * frame, degrees=True).as_matrix()
        spin = Rotation.from_rotvec(np.radians(5 * frame) * axis).as_matrix()
        swung[:3, :3], swung[:3, 3] = spin, point - spin @ point
        free = np.eye(4)
        free[:3, 3] = (0.1 * np.sin(frame), 0.1 * np.cos(2 * frame), 0.05 * frame)
        poses[frame] = {1: base, 2: base @ swung, 3: base @ free}
    rig = Rig(poses, {f: (K, np.eye(4)) for f in range(12)})
    (joint,) = joints_of(rig, [("plate", 1), ("leaf", 2), ("fly", 3)], list(range(12)))
    assert (joint.one[0], joint.other[0], joint.turns, joint.travels) == ("leaf", "plate", True, False)
    assert abs(joint.axis @ axis) == pytest.approx(1, abs=1e-6)
    assert np.linalg.norm(np.cross(joint.point - point, axis)) < 1e-6


# -- colours ---------------------------------------------------------------------------------------------------------


def test_follow_takes_out_the_render_s_own_change_only():
    light = np.array([20.0, 0, 0])
    assert np.linalg.norm(follow(0.7 * light, light)) < 1e-6
    assert np.linalg.norm(follow(np.array([20.0, 15, 0]), light)) == pytest.approx(15)
    assert np.linalg.norm(follow(np.array([0.0, 0, 9]), np.zeros(3))) == pytest.approx(9)


@settings(deadline=None)
@given(st.tuples(*[st.integers(60, 250)] * 3), st.floats(0.45, 1.0))
def test_less_light_leaves_the_chroma(rgb, light):
    linear = (np.array(rgb) / 255) ** 2.2
    both = [np.clip(255 * (linear * k) ** (1 / 2.2) + 0.5, 0, 255).astype(np.uint8) for k in (1.0, light)]
    bright, dark = (to_lab(c[None, None])[0, 0].astype(float) for c in both)
    assert lit(bright[0], dark[0]) * np.linalg.norm(chroma(bright) - chroma(dark)) < 5.5


def test_nearest_is_the_distance_to_the_nearest():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-50, 50, (40, 3)).astype(np.float32), rng.uniform(-50, 50, (9, 3)).astype(np.float32)
    expected = np.linalg.norm(a[:, None] - b[None], axis=2).min(1)
    assert np.abs(nearest(a, b) - expected).max() < 1e-2


def test_what_shows_the_colours_behind_is_gone():
    part, wall = np.float32([50, 30, 10]), np.float32([80, 0, 0])
    now = np.array([part] * 60 + [wall] * 40, np.float32)
    pixels = (np.arange(100), np.zeros(100, int))
    before = np.repeat(part[None], 100, 0)
    usual = (before, before, before, before[:20], np.repeat(wall[None], 9, 0), pixels)
    assert compare(now, *usual).gone == pytest.approx(0.4)
    recoloured = compare(before + np.float32([0, -25, 0]), *usual)
    assert recoloured.gone < 0.05
    assert recoloured.unlike == 1.0


def test_something_new_in_the_background_is_seen_and_a_part_is_not():
    plates = []
    for frame, there in ((1, True), (2, False)):
        plate = disc_plate()
        lab = plate.take_lab.copy()
        if there:
            lab[40:90, 480:540] = (30, 40, 20)
        plates.append(Plate(frame, lab, plate.beauty_lab, plate.structure, plate.ids, plate.depth))
    wall = Backdrop(still_rig(), plates[0])
    wall.compare(Backdrop(still_rig(), plates[1]))
    blob = wall.blob()
    assert blob.area == pytest.approx(50 * 60, rel=0.2)
    assert (blob.x, blob.y) == pytest.approx((510 / 640, 65 / 360), abs=0.02)


# -- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (960, 540)])
def test_a_take_that_is_shifted_and_scaled_is_read_back(size):
    """A picture drawn through a known map comes back in place, at any size of the take."""
    full = (1280, 720)
    yy, xx = np.mgrid[0:720, 0:1280].astype(np.float32)
    shot = np.stack(
        [(xx / 5) % 256, (yy / 3) % 256, 128 + 90 * np.sin(xx / 40) * np.sin(yy / 40)], -1
    ).astype(np.uint8)
    scale = size[0] / full[0]
    matrix = np.array([[0.96 * scale, 0, 11.0 * scale], [0, 0.96 * scale, 7.0 * scale]])
    centred = np.vstack([matrix, [0, 0, 1]])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    pixel = np.linalg.inv(half) @ centred @ half
    take = cv2.warpAffine(shot, pixel[:2], size, flags=cv2.INTER_AREA)
    back = fitted(take, matrix, (640, 360), full)[20:-20, 20:-20, 2].astype(float)
    expected = cv2.resize(shot, (640, 360), interpolation=cv2.INTER_AREA)[20:-20, 20:-20, 2].astype(float)
    print("mean difference, codes:", np.abs(back - expected).mean())
    assert np.abs(back - expected).mean() < 3


@given(st.integers(1, 5), st.integers(3, 9), st.integers(3, 9))
def test_middles_are_the_pixels_at_the_centres(step, width, height):
    ids = np.arange(width * step * height * step).reshape(height * step, width * step)
    small = middles(ids, (width, height))
    assert small.shape == (height, width)
    assert (small == ids[step // 2 :: step, step // 2 :: step][:height, :width]).all()


def test_modes_are_what_the_docs_say():
    assert MODES == PLANE + 18
