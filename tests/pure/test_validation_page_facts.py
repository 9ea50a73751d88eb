# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report page asks and where it draws a take: findings that are not sure, takes that don't lie on the render."""

import pytest
from holdfast.pipeline.placed import Placed
from holdfast.validation.findings import perhaps
from holdfast.validation.page import write_page
from holdfast.validation.page_facts import next_steps

from tests.pure import browser
from tests.pure.test_validation_page import complaints
from tests.pure.validation_page_data import finding, page_data


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    if browser.find() is None:
        pytest.skip("no Chromium on this machine: the report page is not opened")
    opened = browser.Browser(tmp_path_factory.mktemp("profile"))
    opened.emulate(1440)
    yield opened
    opened.close()


def faint():
    """The page of a take in which the body's outline perhaps wobbles, and nothing else is wrong."""
    data = page_data()
    told = {
        **finding(3, "body", "wobble", [115, 119], "unsure"), "title": "outline wobbles", "value": 1.2,
        "says": "The outline of body wobbles by 1.2 px.", "suggestion": perhaps("Rerun this span with stronger edge control."),
    }  # fmt: skip
    why = {
        "why": "perhaps outline wobbles 115-119: too little to be sure",
        "decidable_by": "Look at these frames.",
    }
    parts = [{**part, "verdict": "pass", "why": "holds"} for part in data["parts"][:2]]
    parts.append({"name": "body", "verdict": "review", **why})
    steps = next_steps({"findings": [told], "parts": parts, "verdict": "review"})
    said = {"verdict": "review", "sentence": "Perhaps body outline wobbles 115-119."}
    return data | said | {"findings": [told], "parts": parts, "next": steps}


def test_what_is_unsure_is_asked_once_and_not_called_sure(window, tmp_path):
    data = faint()
    assert data["next"] == [
        {"do": "Look, and say in Blender whether it is a fault", "what": [["body 115–119", "f03"]]}
    ]
    write_page(tmp_path / "report.html", data)
    window.events.clear()
    window.emulate(1440)
    window.open((tmp_path / "report.html").as_uri())
    cards = window.js(
        "[...document.querySelectorAll('.card')].map(card => card.className + ': ' + card.innerText)"
    )
    assert len(cards) == 1 and "unsure" in cards[0].split(":")[0]
    assert "not sure" in cards[0] and "% sure" not in cards[0] and "Good takes" in cards[0]
    assert window.js("getComputedStyle(document.querySelector('.tag')).color") == window.js(
        "getComputedStyle(document.querySelector('.chip.review .m')).color"
    ), "in the colour of review, not of a fault"
    complaints(window)


def test_a_scaled_and_shifted_take_is_laid_on_the_render(window, tmp_path):
    data = page_data()
    fit = {"scale": [1.25, 0.8], "offset_px": [192.0, -54.0], "shake": [[101, 30.0, 0.0]]}
    write_page(tmp_path / "report.html", {**data, "fit": fit})
    window.emulate(1440)
    window.open((tmp_path / "report.html").as_uri())
    for frame, shake in ((101, 30.0), (102, 0.0)):
        box = window.js(f"laid([0, 0, {data['size'][0]}, {data['size'][1]}], {frame - 101})")
        whole = window.js(f"rectangle([0, 0, {data['size'][0]}, {data['size'][1]}])")
        placed = Placed.of(fit, frame, tuple(data["size"]))
        for x, y in ((0.0, 0.0), (0.7, 0.3)):  # of the render, y up
            u, v = placed.point(x, y)
            shown = box[0] + u * box[2], box[1] + (1 - v) * box[3]
            assert shown == pytest.approx(
                (whole[0] + x * whole[2], whole[1] + (1 - y) * whole[3]), abs=0.01
            ), shake
    window.js("S.finding = {...D.findings[0], kind: 'frame_fit'}")
    assert window.js("laid([0, 0, 640, 360], 0)") == window.js("rectangle([0, 0, 640, 360])"), (
        "that is the finding"
    )
    complaints(window)


def test_steps_are_the_most_urgent_first():
    severities = ("unsure", "minor", "major", "unsure")
    findings = [finding(k, "lid", "rubber", [k, k + 3], each) for k, each in enumerate(severities)]
    findings = [{**each, "suggestion": each["severity"]} for each in findings]
    parts = [{"name": "lid", "verdict": "fail"}]
    steps = next_steps({"findings": findings, "parts": parts, "verdict": "fail"})
    assert [step["do"] for step in steps] == [
        "Major",
        "Minor",
        "Look, and say in Blender whether it is a fault",
    ]
    assert [name for _words, name in steps[2]["what"]] == ["f00", "f03"]
