# SPDX-License-Identifier: GPL-3.0-or-later
"""Likeness with planted changes, the push-in without holes, the contact sheet, the reference sheet, ink of strokes."""

import cv2
import numpy as np
import pytest
from holdfast.clients import idea_film, idea_ink, idea_reference, idea_sheet
from holdfast.clients.idea_look import (
    palette,
    palette_distance,
    shape_likeness,
    shape_of,
    subject,
    verdict,
)
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.pictures import write_picture
from PIL import Image


def product(body=(60, 130, 120), lid=(190, 140, 90), ground=200.0, shift=0, scale=1.0, square=False):
    """(240, 240, 3) a vase with a lid on a shaded ground; and where it is."""
    y, x = np.mgrid[0:240, 0:240].astype(np.float32)
    shade = ground + 25 * (y / 240) - 18 * (x / 240)
    picture = np.stack([shade, shade, shade - 6], -1)
    mask = np.zeros((240, 240), np.uint8)
    cx = 120 + shift
    if square:
        cv2.rectangle(mask, (cx - round(60 * scale), 90), (cx + round(60 * scale), 215), 1, -1)
    else:
        cv2.ellipse(mask, (cx, 150), (round(45 * scale), round(60 * scale)), 0, 0, 360, 1, -1)
    picture[mask > 0] = body
    top = np.zeros_like(mask)
    cv2.ellipse(top, (cx, 150 - round(66 * scale)), (round(34 * scale), round(18 * scale)), 0, 0, 360, 1, -1)
    picture[top > 0] = lid
    light = 0.85 + 0.3 * (x / 240)
    both = (mask | top) > 0
    picture[both] *= light[both][:, None]
    noise = np.random.default_rng(3).normal(0, 1.5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8), both


def test_the_subject_is_found_before_its_ground():
    picture, truth = product()
    found = subject(picture)
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    ground = product()[0][:60, :60]
    assert not subject(np.ascontiguousarray(ground)).any(), "an empty ground has no subject"


def test_a_pale_pane_is_part_of_the_subject_and_a_hole_is_none():
    picture, _ = product(ground=120.0)
    pane, hole = np.zeros((240, 240), np.uint8), np.zeros((240, 240), np.uint8)
    cv2.ellipse(pane, (108, 150), (14, 30), 0, 0, 360, 1, -1)
    cv2.ellipse(hole, (140, 150), (10, 26), 0, 0, 360, 1, -1)
    y, x = np.mgrid[0:240, 0:240]
    shade = 120 + 25 * (y / 240) - 18 * (x / 240)
    ground = np.stack([shade, shade, shade - 6], -1)
    picture[hole > 0] = ground[hole > 0].astype(np.uint8)
    picture[pane > 0] = (ground[pane > 0] + 16).astype(np.uint8)
    found = subject(picture)
    assert found[150, 108], "what is not the ground is closed"
    assert not found[150, 140], "through a hole the ground is seen"


def test_the_palette_is_that_of_the_product():
    picture, _ = product()
    found = palette(picture, subject(picture))
    assert sum(shade.share for shade in found) == pytest.approx(1.0)
    assert found == palette(picture, subject(picture)), "the same for the same picture"
    near = [
        min(abs(np.array(shade.rgb) - colour).max() for shade in found)
        for colour in ((60, 130, 120), (190, 140, 90))
    ]
    assert max(near) < 22
    assert all(shade.hex == "#{:02x}{:02x}{:02x}".format(*shade.rgb) for shade in found)


def test_planted_changes_are_measured():
    first, mask = product()
    shades = palette(first, mask)

    def apart(**changes):
        other, where = product(**changes)
        found = subject(other)
        assert (found & where).sum() / (found | where).sum() > 0.9
        return palette_distance(shades, palette(other, found)), shape_likeness(
            shape_of(mask), shape_of(found)
        )

    same = apart(shift=25, scale=0.8)
    assert same[0] < 3 and same[1] > 0.93, "place and size don't count"
    red = apart(body=(150, 50, 60))
    assert red[0] > 10 and red[1] > 0.93
    slightly = apart(body=(64, 136, 118))
    assert slightly[0] < 4 < red[0]
    box = apart(square=True)
    assert box[0] < 5 and box[1] < 0.75
    assert verdict(*same).startswith("The same colours") and "same outline" in verdict(*same)
    assert verdict(*red).startswith("Other colours") and "another outline" in verdict(*box)
    assert "can't be compared" in verdict(3.0, None)


def test_the_push_in_has_no_holes_moves_in_depth_and_is_eased(monkeypatch):
    monkeypatch.setattr(idea_film, "LEAST_PX", 240)
    picture, _ = product()
    layers, says = idea_film.layers_of(idea_film.sized(picture))
    assert len(layers) == 2 and "depth is guessed" in says
    film = list(idea_film.frames(layers, 13))
    assert film[0].shape == picture.shape
    wide = cv2.resize(picture, None, fx=idea_film.MARGIN, fy=idea_film.MARGIN, interpolation=cv2.INTER_CUBIC)
    off = (wide.shape[0] - 240) // 2
    assert np.abs(film[0].astype(int) - wide[off : off + 240, off : off + 240]).mean() < 6, (
        "it begins with the picture"
    )
    assert min(frame.min(axis=-1).min() for frame in film) > 30, "no hole: nothing is darker than the darkest"
    widths = [int(subject(frame).any(axis=0).sum()) for frame in film]
    before, after = widths[0], widths[-1]
    assert 1.05 < after / before < 1.3
    ground = layers[0]
    moved = list(idea_film.frames([idea_film.Layer(ground.rgb, ground.alpha, ground.far)], 3))
    assert np.abs(moved[0].astype(int) - moved[-1]).mean() < np.abs(film[0].astype(int) - film[-1]).mean()
    steps = np.abs(np.diff([frame.astype(int) for frame in film], axis=0)).mean(axis=(1, 2, 3))
    assert steps[0] < 0.4 * steps[5:7].max() and steps[-1] < 0.5 * steps[5:7].max(), "at rest at both ends"
    assert idea_film.eased(0) == 0 and idea_film.eased(1) == 1 and idea_film.eased(0.5) == 0.5


def test_the_subject_stays_in_the_picture():
    picture, mask = product(scale=1.15)
    layers, _ = idea_film.layers_of(picture)
    assert mask[-25].any(), "it begins near the border"
    last = list(idea_film.frames(layers, 2))[-1]
    found = subject(last)
    assert not found[0].any() and not found[:, 0].any() and not found[-1].any()


def test_a_picture_without_a_subject_is_pushed_in_plainly():
    y, x = np.mgrid[0:120, 0:160].astype(np.float32)
    ground = np.stack([150 + y / 3, 140 + x / 4, 120 + 0 * x], -1).astype(np.uint8)
    layers, says = idea_film.layers_of(ground)
    assert len(layers) == 1 and "plain push-in" in says
    assert all(frame.min() > 80 for frame in idea_film.frames(layers, 3))


def cells(folder, count):
    for number in range(count):
        write_picture(folder / f"{number}.png", product(shift=number)[0])
    return [
        {"name": f"1{number}", "picture": str(folder / f"{number}.png"), "prompt": "A lamp " * 80, "line": "seed 3   $0.08",
         "locked": number == 1, "starred": number == 0}
        for number in range(count)
    ]  # fmt: skip


def test_the_contact_sheet_has_pages(tmp_path):
    request = {"title": "lantern sh010", "brief": "A lamp", "out": str(tmp_path / "sheet"), "facts": False}
    made = idea_sheet.run({**request, "ideas": cells(tmp_path, 16)}, Context())
    assert len(made["pages"]) == 2 and (tmp_path / "sheet-2.png").exists()
    pdf = (tmp_path / "sheet.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 2
    first = np.asarray(Image.open(made["pages"][0]))
    assert first.shape == (1240, 1754, 3)
    lock = (np.abs(first.astype(int) - idea_sheet.LOCK).sum(-1) < 12).sum()
    made = idea_sheet.run({**request, "facts": True, "ideas": cells(tmp_path, 6)}, Context())
    assert made["pages"] == [str(tmp_path / "sheet.png")] and lock > 1000
    with pytest.raises(InputError, match="no picture"):
        idea_sheet.run({**request, "ideas": []}, Context())


def test_words_stay_in_their_cell():
    face = idea_sheet.font(16)
    lines = idea_sheet.fitted("word " * 60 + "x" * 90, face, 200, 4)
    assert (
        len(lines) == 4 and lines[-1].endswith("...") and all(face.getlength(line) <= 200 for line in lines)
    )
    assert idea_sheet.fitted("", face, 200, 4) == []


def test_a_reference_sheet_and_what_is_near_to_it(tmp_path):
    for name, picture in (("locked", product()[0]), ("front", product(scale=0.9)[0])):
        write_picture(tmp_path / f"{name}-of.png", picture)
    request = {
        "product": "lamp", "out": str(tmp_path / "ref"), "materials": [{"name": "Body", "colour": "#3c8278", "says": "glaze"}],
        "locked": {"name": "1a", "picture": str(tmp_path / "locked-of.png"), "words": "A lamp"},
        "views": [{"view": "front", "picture": str(tmp_path / "front-of.png")}],
    }  # fmt: skip
    data = idea_reference.run(request, Context())
    assert [each["view"] for each in data["views"]] == ["locked", "front"] and data["palette"][0][
        "share"
    ] > 0.2
    assert (tmp_path / "ref/reference.png").stat().st_size > 10_000
    path = tmp_path / "ref" / "reference.json"
    Manifest(idea_reference.SCHEMA, {}, {}, data).save(path)
    assert idea_reference.near(product(shift=9)[0], path)["de"] < 3
    changed = idea_reference.near(product(body=(150, 50, 60), square=True)[0], path)
    assert changed["de"] > 8 and changed["shape"] < 0.75 and changed["says"].startswith(("Near", "Other"))
    blank = idea_reference.near(np.full((64, 64, 3), 128, np.uint8), path)
    assert blank["shape"] is None and blank["edges"] is None


def test_strokes_become_ink_on_paper():
    turn = np.linspace(0, 2 * np.pi, 40)[:-1]
    ring = np.stack([0.02 * np.cos(turn), 0 * turn, 0.03 * np.sin(turn)], 1)
    right, up, normal = idea_ink.plane_of(ring, np.array([0.0, -1.0, 0.0]))
    assert (
        normal == pytest.approx([0, -1, 0])
        and up == pytest.approx([0, 0, 1])
        and right == pytest.approx([1, 0, 0])
    )
    page, size = idea_ink.ink([(ring, np.full(39, 0.0004), True)], right, up)
    assert size == pytest.approx((0.04, 0.06), rel=0.01)
    dark = page.min(axis=-1) < 100
    assert 0.005 < dark.mean() < 0.1 and tuple(page[0, 0]) == idea_ink.PAPER
    middle = dark[page.shape[0] // 2]
    assert middle[: len(middle) // 2].any() and middle[len(middle) // 2 :].any(), (
        "closed: both sides are drawn"
    )
    with pytest.raises(InputError, match="empty"):
        idea_ink.ink([], right, up)
    with pytest.raises(InputError, match="single point"):
        idea_ink.ink([(np.zeros((2, 3)), np.ones(2), False)], right, up)
    floor = np.stack([0.02 * np.cos(turn), 0.03 * np.sin(turn), 0 * turn], 1)
    assert idea_ink.plane_of(floor, np.array([0.0, -0.3, 1.0]))[1] == pytest.approx([0, 1, 0])
