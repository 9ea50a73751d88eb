# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof page: everything that was checked is on it, nothing breaks out of it, and it needs nothing from outside."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from holdfast.physics import drawing, page, page_tables, plots
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.manifest import Manifest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure import browser
from tests.pure.proof_data import EVIL, SQUARE, Reader, check, path_points, proof


def test_every_check_and_control_is_on_the_page_with_its_figures():
    data = proof()
    read = Reader(page.render(data))
    assert read.open == []
    for one in data["checks"]:
        assert one["says"] in read.text, one["id"]
    rows = [attrs for tag, attrs in read.tags if tag == "tr" and attrs.get("class") in ("ok", "bad")]
    assert len(rows) == len(data["checks"])
    for words in ("Engaged", "lid in body", "0.0002 mm", "≤ 0.001 mm", "came off", "must hold", "must fail", "EN 71-1 8.4",
                  "2 of 2", "6 of 6", "Frame 52", "90 N", "49.05", "m/s²", "at 3 moments", "Early twist"):  # fmt: skip
        assert words in read.text, words


def test_failed_checks_say_what_was_found_and_the_verdict_is_not_colour_alone():
    data = proof()
    data["verdict"] = "not_engaged"
    data["checks"][1] = check("swept.penetration", 0.35, 0.01, ok=False, says="The parts stay apart")
    data["checks"][3] = check("pull.held", 1.0, 0.0, ok=False, unit="released", says="The lock holds 90 N")
    text = page.render(data)
    read = Reader(text)
    assert "Not met: The parts stay apart (found 0.35 mm, ≤ 0.01 mm)" in read.text
    assert "Not met: The lock holds 90 N (found came off, must hold)" in read.text
    assert "Not engaged" in read.text and 'aria-label="Not engaged"' in text and "35 ×" in read.text
    assert len([attrs for tag, attrs in read.tags if tag == "tr" and attrs.get("class") == "bad"]) == 2


def test_a_missed_control_is_named():
    data = proof()
    data["verdict"] = "inconclusive"
    data["checks"][6] = check("control.early_twist", 0.001, 0.01, ok=False)
    read = Reader(page.render(data))
    assert "did not" in read.text and "1 of 2" in read.text and "Inconclusive" in read.text


def test_nothing_from_outside_and_no_script():
    text = page.render(proof(), page.Context(hashes={"Motion": "ab" * 32}))
    read = Reader(text)
    assert not {"script", "link", "iframe", "img", "object", "base", "form"} & {tag for tag, _ in read.tags}
    for tag, attrs in read.tags:
        assert not any(name.startswith("on") for name in attrs), (tag, attrs)
        for name in ("src", "href", "xlink:href", "action"):
            assert (attrs.get(name) or "#").startswith("#"), (tag, attrs)
    assert not re.search(r"https?:|@import|url\((?!#)", text)
    assert "default-src 'none'" in text
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(ids)


def test_names_cannot_break_out_of_the_page():
    data = proof(EVIL, EVIL)
    data["joint"][EVIL] = EVIL
    data["tests"][EVIL] = {"trace": {EVIL: [1.0, 2.0]}, EVIL: EVIL}
    data["checks"] += [
        check(EVIL, 1.0, 2.0, unit=EVIL, says=EVIL),
        check(f"control.{EVIL}", 1.0, 2.0, unit=EVIL),
    ]
    data["motion"][EVIL] = [1.0, 2.0, 3.0]
    data["sections"][0].update(view=EVIL, why=EVIL, says=EVIL, lines=[{"from": [0, 0], "to": [1, 1], "says": "<"}],
                               dims=[{"from": [0, 0], "to": [1, 0], "says": EVIL}])  # fmt: skip
    data["protocol"] = [{"name": EVIL, "source": EVIL}]
    data["verdict"], data["lab"][EVIL] = EVIL, EVIL
    context = page.Context(EVIL, {"events": {EVIL: [1, 2]}}, {EVIL: EVIL}, {EVIL: EVIL}, EVIL)
    text = page.render([data, data], context)
    read = Reader(text)
    assert read.open == [] and "img" not in {tag for tag, _ in read.tags}
    assert text.count("</style>") == 1 and EVIL not in text
    assert EVIL in read.text


@pytest.mark.parametrize("missing", [*proof(), "everything"])
def test_older_proofs_with_missing_keys_are_shown_as_far_as_they_go(missing):
    data = proof()
    for key in [missing] if missing != "everything" else list(data):
        del data[key]
    for empty in (data, {**data, missing: None}, {**data, missing: {}}):
        assert Reader(page.render(empty)).open == []


def test_damaged_details_do_not_stop_the_page():
    data = proof()
    data["checks"] += [
        {"id": "odd"},
        {"value": "text", "limit": None},
        check("x", math.nan, 1.0, ok=False),
        "nonsense",
    ]
    data["tests"]["pull"] = {"trace": {"depth_mm": [None, 1.0, math.inf, 2.0], "force_n": [1.0]}}
    data["motion"] = {"times": [], "depth_mm": [1.0], "words": "none"}
    data["sections"] = [{}, {"shapes": [{"role": "other", "loops": []}]}]
    read = Reader(page.render(data))
    assert read.open == [] and "not measured" in read.text


def test_several_joints_have_a_summary_that_leads_to_each():
    second = proof("lamp", "cap")
    second["verdict"] = "inconclusive"
    read = Reader(page.render([proof(), second]))
    assert "1 of 2 joints engaged" in read.text
    links = [attrs["href"] for tag, attrs in read.tags if tag == "a"]
    ids = {attrs.get("id") for tag, attrs in read.tags if tag == "main"}
    assert {link[1:] for link in links} == ids == {"joint-1", "joint-2"}
    assert Reader(page.render({"joints": [proof(), second]})).text == read.text
    assert sum(tag == "h1" for tag, _ in read.tags) == 1


values = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=2, max_size=60)


@settings(max_examples=80, deadline=None)
@given(first=values, second=values, limit=st.one_of(st.none(), st.floats(-1e6, 1e6)))
def test_plots_draw_every_point_inside_their_frame(first, second, limit):
    count = max(len(first), len(second))
    plot = plots.Plot("A & B", "mm", [0.5 * k for k in range(count)], [plots.Series(first, "one"), plots.Series(second, "<two>")],
                      limits=(None, limit), phases=[plots.Phase("in", 0.0, 4.0), plots.Phase("out", 4.0, 9.0)])  # fmt: skip
    svg = plots.draw(plot)
    known = sum(value is not None for value in first + second)
    if not known:
        assert "not measured" in svg
        return
    assert path_points(svg) == known
    for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", "".join(re.findall(r'class="line[^>]*', svg))):
        assert plots.LEFT - 0.1 <= float(x) <= plots.WIDTH - plots.RIGHT + 0.1
        assert plots.TOP - 0.1 <= float(y) <= plots.HEIGHT - plots.BOTTOM + 0.1
    assert "nan" not in svg and "inf" not in svg and Reader(svg).open == []


def test_the_motion_and_each_trial_are_plotted_point_by_point():
    data = proof()
    text = page.render(data)
    drawn = re.findall(r'<svg class="plot".*?</svg>', text, re.S)
    assert [path_points(svg) for svg in drawn[:3]] == [3, 3, 3]
    assert [path_points(svg) for svg in drawn[3:]] == [4, 4, 4, 4, 4], (
        "two trials with two traces, a control with one"
    )
    assert "limit 0.01 mm" in drawn[2]


def test_a_long_trace_keeps_its_peaks():
    many = [math.sin(0.01 * k) for k in range(20_000)]
    many[7_777], many[12_345] = 5.0, -7.0
    points = plots.thinned([float(k) for k in range(len(many))], many)
    assert len(points) <= plots.MOST_POINTS
    assert (7_777.0, 5.0) in points and (12_345.0, -7.0) in points
    assert [time for time, _ in points] == sorted(time for time, _ in points)


@settings(max_examples=200, deadline=None)
@given(low=st.floats(-1e5, 1e5), span=st.floats(1e-4, 1e5))
def test_ticks_are_round_and_within(low, span):
    found = plots.ticks(low, low + span)
    assert 2 <= len(found) <= 12
    assert all(low - 1e-5 * span <= tick <= low + span * (1 + 1e-5) for tick in found)
    step = found[1] - found[0]
    assert min(abs(step / 10.0 ** math.floor(math.log10(step) + 1e-6) - k) for k in (1, 2, 5, 10)) < 1e-3


def test_numbers_are_written_as_people_do():
    written = {
        0.0: "0",
        0.05: "0.05",
        -1.5: "−1.5",
        90.0: "90",
        1e-9: "1e-09",
        math.nan: "not measured",
        3: "3",
    }
    assert {value: page_tables.number(value) for value in written} == written
    assert page_tables.number([0.0, -1.0]) == "0, −1" and page_tables.number("<b>") == "&lt;b&gt;"
    assert page_tables.measure(60.0, "°") == "60°"
    assert [page_tables.unit_of(key) for key in ("pull_n", "torque_nm", "depth_mm", "ramp_n_s", "lugs")] == [
        "N",
        "N m",
        "mm",
        "N/s",
        "",
    ]


def test_the_scale_bar_of_a_drawing_is_to_scale():
    section = {
        "title": "t",
        "window": [-20.0, -10.0, 20.0, 10.0],
        "shapes": [{"role": "peg", "loops": [SQUARE]}],
    }
    svg = drawing.draw(section, "k")
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
    bar = float(re.search(r'class="bar"[^>]*h([\d.]+)', svg)[1])
    length = float(re.search(r">([\d.]+) mm<", svg)[1])
    assert bar / length == pytest.approx(width / 40.0, rel=0.01)
    corners = re.search(r'class="fill peg"[^>]* d="M([\d.]+) ([\d.]+)L([\d.]+)', svg)
    assert float(corners[3]) - float(corners[1]) == pytest.approx(8.0 * width / 40.0, abs=0.02)


def stored(folder: Path, *, other: bool = False) -> tuple[Manifest, Manifest]:
    data = {
        "motion_hash": "12" * 32,
        "frames": [1, 72],
        "events": {"insert": [1, 1.4], "twist": [1.5, 2]},
        "joints": [proof()["joint"]],
    }
    motion = Manifest(
        page.MOTION_SCHEMA,
        {},
        {},
        data,
        made={"at": "2026-11-20T10:00:00Z", "host": "secret-host", "blender": "4.5.0"},
    )
    proven = Manifest(
        page.PROOF_SCHEMA,
        {},
        {"motion": "00" if other else motion.digest},
        {k: v for k, v in proof().items() if k != "joint"},
    )
    motion.save(folder / "motion.json")
    proven.save(folder / "proof.json")
    return motion, proven


def test_the_page_of_a_motion_folder_carries_its_hashes(tmp_path):
    motion, proven = stored(tmp_path)
    path = page.proof_page(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "proof.html" and sorted(p.name for p in tmp_path.iterdir()) == [
        "motion.json",
        "proof.html",
        "proof.json",
    ]
    for words in (
        "12" * 32,
        motion.digest,
        proven.digest,
        "4.5.0",
        "lid in body",
        "frames 1 to 72",
        ">twist<",
    ):
        assert words in text, words
    assert "secret-host" not in text and "another motion" not in text


def test_a_proof_of_another_motion_is_said_to_be(tmp_path):
    stored(tmp_path, other=True)
    assert "another motion" in page.proof_page(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "motion.json").unlink()
    assert "Engaged" in page.proof_page(tmp_path).read_text(encoding="utf-8")
    (tmp_path / "proof.json").unlink()
    with pytest.raises(InputError):
        page.proof_page(tmp_path)


def test_page_in_a_real_browser(tmp_path):
    if browser.find() is None:
        pytest.skip("no Chromium on this machine: the proof page is not opened")
    folder = tmp_path / "motion"
    folder.mkdir()
    stored(folder)
    window = browser.Browser(tmp_path / "profile")
    try:
        window.open(page.proof_page(folder).as_uri())
        for width in (1200, 380):
            window.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=900,
                deviceScaleFactor=1,
                mobile=False,
            )
            assert window.js("document.documentElement.scrollWidth") <= width
            small = window.js(
                "Math.min(...[...document.querySelectorAll('svg.plot .tick')].map(t => t.getBoundingClientRect().height))"
            )
            print(f"at {width} px the smallest tick label is {small:.1f} px high")
            assert small >= 9.0
        assert window.of("Runtime.exceptionThrown") == []
        assert [entry for entry in window.of("Log.entryAdded") if entry["entry"]["level"] == "error"] == []
    finally:
        window.close()
