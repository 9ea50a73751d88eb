# SPDX-License-Identifier: GPL-3.0-or-later
"""The report page: it escapes what a scene may be called, and works offline in a real Chromium."""

import base64
import json
import re

import cv2
import numpy as np
import pytest
from holdfast.validation.page import data_uri, picked, render_page, write_page

from tests.pure import browser

EVIL = '</script><img src=x onerror="document.title=1">'
FRAMES = 20


def stamped(number: int, shade: int) -> str:
    """A picture that carries its frame number as eight light or dark blocks, most significant first."""
    picture = np.full((180, 320, 3), shade, np.uint8)
    for bit in range(8):
        picture[60:120, bit * 40 : bit * 40 + 40] = 255 if number >> (7 - bit) & 1 else 0
    return data_uri(picture, 320)


def page_data(part: str = "lid") -> dict:
    square = [0.4, 0.4, 0.6, 0.4, 0.6, 0.6, 0.4, 0.6]
    values = [0.1 if not 7 <= i <= 12 else 2.0 for i in range(FRAMES)]
    signal = {"values": values, "limit": 1.0, "unit": "px", "says": "What it is."}
    finding = {
        "id": "f01", "part": part, "frames": [108, 113], "worst": 110, "kind": "rubber", "severity": "major", "confidence": 0.9,
        "measure": "bend", "value": 2.0, "limit": 1.0, "unit": "px", "says": f"{part} bends.", "suggestion": "Rerun.",
        "also": [], "crop": "", "picture": stamped(0, 90), "title": "bends",
    }  # fmt: skip
    pictures = [
        {"index": i, "render": stamped(i, 60), "take": stamped(i + 100, 200), "outlines": {part: [square]}}
        for i in range(FRAMES)
    ]
    return {
        "take": "t001", "verdict": "fail", "summary": f"fail: {part} bends 108-113", "size": [320, 180], "fps": [24, 1],
        "frames": [101 + i for i in range(FRAMES)], "sources": [101 + i for i in range(FRAMES)], "pictures": pictures,
        "findings": [finding], "parts": [{"name": part, "verdict": "fail", "why": "bends"}, {"name": "peg", "verdict": "pass", "why": "holds"}],
        "signals": {part: {"rubber": signal}, "peg": {"rubber": {**signal, "values": [None] * FRAMES}}}, "titles": {"rubber": "bends"},
        "notes": [], "rate": "", "look": "", "provider": "",
    }  # fmt: skip


def test_names_cannot_break_out_of_the_page():
    text = render_page(page_data(EVIL))
    assert EVIL not in text
    assert text.count("</script>") == 2
    stored = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert json.loads(stored[1])["parts"][0]["name"] == EVIL


def test_page_forbids_the_network():
    text = render_page(page_data())
    assert "default-src 'none'" in text
    assert not re.search(r"https?://", text.replace("http://www.w3.org", ""))


@pytest.mark.parametrize(("count", "needed"), [(5, []), (400, [3, 399]), (1000, list(range(300)))])
def test_long_takes_get_fewer_pictures_but_those_of_findings(count, needed):
    found = picked(count, needed, 160)
    assert found == sorted(set(found))
    assert len(found) <= max(160, min(count, 160)) + 80
    assert set(needed[:80]) <= set(found)


def test_pictures_are_reduced_jpegs():
    raw = base64.b64decode(data_uri(np.zeros((720, 1280, 3), np.uint8), 512).split(",")[1])
    assert cv2.imdecode(np.frombuffer(raw, np.uint8), 1).shape == (288, 512, 3)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    if browser.find() is None:
        pytest.skip("no Chromium on this machine: the report page is not opened")
    opened = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


def frame_number(window) -> int:
    """The number stamped into the right (take) side of the viewer, read back from its canvas."""
    window.js("mode('onion'); S.wipe = 1; S.outlines = false; draw()")
    bits = window.js(
        "Array.from({length: 8}, (_, i) => { const c = document.getElementById('stage');"
        " return c.getContext('2d').getImageData((i + .5) * c.width / 8, c.height / 2, 1, 1).data[0] })"
    )
    return sum(1 << (7 - i) for i, value in enumerate(bits) if value > 128)


def test_page_in_a_real_browser(window, tmp_path):
    path = tmp_path / "report.html"
    write_page(path, page_data(EVIL))
    window.open(path.as_uri())
    window.js("Promise.all(images.flatMap(i => [i.r, i.t]).map(i => i.decode()))")
    assert window.js("document.querySelectorAll('.card').length") == 1
    window.js("go(0); document.querySelector('.card').click()")
    assert window.js("document.getElementById('where').textContent") == "Frame 110"
    assert frame_number(window) == 109
    window.press("ArrowRight")
    assert frame_number(window) == 110
    window.press("End")
    assert frame_number(window) == 119
    for index in range(FRAMES):
        window.js(f"go({index})")
        assert frame_number(window) == 100 + index
    for mode in ("wipe", "side", "difference", "onion"):
        window.js(f"document.querySelector('[data-mode={mode}]').click()")
        assert window.js("S.mode") == mode
    window.js("S.outlines = true; document.querySelectorAll('#tabs button')[1].click()")
    window.js("charts[0].c.onclick({offsetX: charts[0].c.clientWidth / 2})")
    assert abs(window.js("S.at") - FRAMES // 2) <= 1
    assert window.js("document.title").startswith("t001")
    asked = {request["request"]["url"].split(":", 1)[0] for request in window.of("Network.requestWillBeSent")}
    assert asked <= {"file", "data", "about"}
    assert window.of("Runtime.exceptionThrown") == []
    assert [entry for entry in window.of("Log.entryAdded") if entry["entry"]["level"] == "error"] == []
