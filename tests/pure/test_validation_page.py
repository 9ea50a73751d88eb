# SPDX-License-Identifier: GPL-3.0-or-later
"""The report page: it escapes what a scene may be called, and works offline in a real Chromium."""

import json
import re
import shutil
from itertools import product

import cv2
import numpy as np
import pytest
from holdfast.validation.gallery import pack
from holdfast.validation.page import render_page, write_page

from tests.pure import browser
from tests.pure.validation_page_data import BITS, EVIL, FRAMES, page_data, stamped

READ = """(async () => {
  const c = document.getElementById('stage'), found = [];
  S.outlines = false; setMode('wipe'); S.wipe = 0.5;
  for (let i = 0; i <= LAST; i++) {
    delete c.dataset.drawn; go(i);
    while (c.dataset.drawn !== String(D.frames[i])) await new Promise(requestAnimationFrame);
    const x = c.getContext('2d'), bit = k => x.getImageData((k + .35) * c.width / 16, c.height / 2 + 24, 1, 1).data[0] > 128 ? 1 : 0;
    const number = from => { let n = 0; for (let k = 0; k < 8; k++) n = 2 * n + bit(from + k); return n; };
    found.push([number(0), number(8)]);
  }
  return found;
})()"""

SHIFT = """new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(e => { sum += e.value; })).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(sum), 200);
})"""


def test_names_cannot_break_out_of_the_page():
    text = render_page(page_data(EVIL))
    assert EVIL not in text and "<img src=x" not in text
    assert text.count("</script>") == 2 and text.count("<style>") == 1
    stored = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert json.loads(stored[1])["parts"][0]["name"] == EVIL


def test_page_forbids_the_network_and_foreign_scripts():
    text = render_page(page_data())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy
    assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|@import", text)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    if browser.find() is None:
        pytest.skip("no Chromium on this machine: the report page is not opened")
    opened = browser.Browser(tmp_path_factory.mktemp("profile"))
    opened.emulate(1440)
    yield opened
    opened.close()


@pytest.fixture
def opened(window, tmp_path):
    """The page of the report in which a part with an evil name bends, open, without a complaint by the browser."""
    path = tmp_path / "report.html"
    write_page(path, page_data(EVIL))
    window.events.clear()
    window.emulate(1440)
    window.open(path.as_uri())
    yield window
    assert (
        window.js("document.title").startswith("t001")
        and window.js("document.querySelectorAll('img[src=x]').length") == 0
    )
    complaints(window)


def complaints(window) -> None:
    """Nothing was fetched but the page, nothing was thrown, nothing was logged as an error."""
    asked = {request["request"]["url"].split(":", 1)[0] for request in window.of("Network.requestWillBeSent")}
    assert asked <= {"file", "data", "about"}
    assert window.of("Runtime.exceptionThrown") == []
    assert [
        entry["entry"]["text"] for entry in window.of("Log.entryAdded") if entry["entry"]["level"] == "error"
    ] == []


def where(window) -> str:
    window.js("new Promise(requestAnimationFrame)")
    return window.js("document.getElementById('where').textContent")


def test_every_frame_shows_its_own_render_and_take(opened):
    found = opened.js(READ)
    wrong = [i for i, pair in enumerate(found) if pair != [i, i + 100]]
    print(f"{len(found)} frames read back from both sides of the wipe, {len(wrong)} wrong")
    assert wrong == []


def test_worst_frame_is_there_at_once_and_a_click_away(opened):
    assert where(opened) == "Frame 110"
    opened.js("document.querySelectorAll('.card')[1].click()")
    assert where(opened) == "Frame 122"
    assert opened.js("document.querySelector('.card.on').dataset.finding") == "f02"
    opened.js("document.querySelector('#next .link').click()")
    assert where(opened) == "Frame 110"


def test_keyboard(opened):
    told = []
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft"):
        opened.press(key)
    told.append(where(opened))
    opened.press("ArrowRight", shift=True)
    told.append(where(opened))
    opened.press("End")
    opened.press("ArrowRight")
    told.append(where(opened))
    for _ in range(2):
        opened.press("n")
    told.append(where(opened))
    opened.press("p")
    told.append(where(opened))
    assert told == ["Frame 102", "Frame 112", "Frame 140", "Frame 110", "Frame 122"]
    for key, mode in zip("12345", ("wipe", "onion", "difference", "side", "take"), strict=True):
        opened.press(key)
        assert opened.js("document.querySelector('[data-mode][aria-pressed=true]').dataset.mode") == mode
    opened.press("o")
    opened.press("h")
    assert opened.js("[S.outlines, S.heat]") == [False, True]
    opened.press("?")
    assert opened.js("document.getElementById('keys').open") is True
    opened.press("?")
    opened.press(" ")
    opened.js("new Promise(done => setTimeout(done, 250))")
    opened.press(" ")
    assert opened.js("S.playing") is False and where(opened) != "Frame 122"


def test_wheel_zooms_at_the_pointer_and_both_sides_stay_locked(opened):
    opened.press("4")
    left, top, width, height = opened.rect("#stage")
    x, y = left + 0.15 * width, top + 0.5 * height
    inside = f"(() => {{ const [a, b, w, h] = rectangle(panels({width}, {height})[0]); return [({x - left} - a) / w, ({y - top} - b) / h] }})()"
    before = opened.js(inside)
    for _ in range(8):
        opened.mouse("mouseWheel", x, y, deltaX=0, deltaY=-120)
    assert opened.js("S.zoom") > 3
    assert np.allclose(opened.js(inside), before, atol=0.01)
    first, second = opened.js(f"panels({width}, {height}).map(rectangle)")
    assert np.allclose(np.array(second) - first, [width / 2 + 2, 0, 0, 0], atol=0.01)
    opened.mouse("mousePressed", x, y, held=True)
    opened.mouse("mouseMoved", x + 30, y + 10, held=True)
    opened.mouse("mouseReleased", x + 30, y + 10)
    moved = np.array(opened.js(f"rectangle(panels({width}, {height})[0])")) - first
    assert np.allclose(moved, [30, 10, 0, 0], atol=0.5)
    opened.press("f")
    assert opened.js("S.zoom") == 1


def test_the_wipe_is_dragged(opened):
    left, top, width, height = opened.rect("#stage")
    opened.mouse("mousePressed", left + width / 2, top + height / 2, held=True)
    opened.mouse("mouseMoved", left + width / 4, top + height / 2, held=True)
    opened.mouse("mouseReleased", left + width / 4, top + height / 2)
    assert abs(opened.js("S.wipe") - 0.25) < 0.01


def test_filters_and_the_parts(opened):
    assert opened.js("document.getElementById('count').textContent") == "2 findings"
    choose = "(() => { const box = document.getElementById('by-%s'); box.value = '%s'; box.onchange(); return [...document.querySelectorAll('.card:not([hidden])')].map(c => c.dataset.finding) })()"
    assert opened.js(choose % ("kind", "vanished")) == ["f02"]
    assert opened.js(choose % ("severity", "major")) == []
    assert opened.js("document.getElementById('nothing').hidden") is False
    assert opened.js(choose % ("kind", "")) == ["f01"]
    assert opened.js(choose % ("severity", "")) == ["f01", "f02"]
    assert opened.js(choose % ("part", "peg")) == ["f02"]
    assert opened.js("document.getElementById('count').textContent") == "1 of 2 findings"
    rows = opened.js(
        "[...document.querySelectorAll('#table tbody tr')].map(row => row.innerText.split('\\t')[1])"
    )
    assert rows == ["✕Fail", "✕Fail", "✓Pass"]


def test_plots_and_viewer_move_together(opened):
    assert opened.js("S.part") == EVIL
    assert opened.js("document.querySelector('.plot').dataset.kind") == "rubber"
    assert opened.js("document.querySelector('.plot[data-kind=rubber] p').textContent").startswith(
        "What it is."
    )
    assert opened.js("document.querySelectorAll('#plots .plot').length") == 2, (
        "what is far from its limit is folded"
    )
    opened.js(
        "document.getElementById('more').open = true; document.querySelector('.box').scrollIntoView({block: 'center'})"
    )
    opened.js("new Promise(requestAnimationFrame)")
    left, top, width, height = opened.rect(".plot[data-kind=rubber] .box")
    opened.js("go(10)")
    opened.mouse("mouseMoved", left + 40 + (width - 48) * 9.5 / FRAMES, top + height / 2)
    assert where(opened) == "Frame 110"
    assert "over" in opened.js("document.querySelector('.plot .name span').textContent")
    opened.mouse("mouseMoved", left + 40, top - 60)
    assert where(opened) == "Frame 111", "pointing only looks"
    opened.mouse("mousePressed", left + 40 + (width - 48) * 20.5 / FRAMES, top + height / 2, held=True)
    opened.mouse("mouseReleased", left + 40 + (width - 48) * 20.5 / FRAMES, top + height / 2)
    opened.mouse("mouseMoved", left + 40, top - 60)
    assert where(opened) == "Frame 121", "a click stays"
    opened.js("go(30)")
    cursor = opened.rect(".plot[data-kind=rubber] .box i")
    assert abs(cursor[0] - (left + 40 + (width - 48) * 30.5 / FRAMES)) < 2
    assert opened.js("document.querySelectorAll('.plot').length") == 4


def test_narrow_windows_and_dark(opened):
    for width, dark in product((1440, 900, 420), (False, True)):
        opened.emulate(width, dark=dark)
        assert opened.js("document.documentElement.scrollWidth") <= width
        ink, paper = opened.js(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        ink, paper = (sum(map(int, re.findall(r"\d+", text)[:3])) for text in (ink, paper))
        assert (ink > paper) is dark


def test_the_viewer_keeps_its_place_in_every_mode(opened):
    places = []
    for key in "12345oh":
        opened.press(key)
        places.append((opened.rect("#stage"), opened.rect("#measures")))
    assert len(set(places)) == 1
    shift = opened.js(SHIFT)
    print(f"layout shift while loading: {shift:.4f}")
    assert shift < 0.01


def test_print(opened, tmp_path):
    opened.emulate(760, 1000, dark=True, media="print")
    assert opened.js("getComputedStyle(document.getElementById('viewer')).display") == "none"
    assert opened.js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown = opened.js(
        "[...document.querySelectorAll('.card img')].filter(i => i.getBoundingClientRect().width > 100).length"
    )
    assert shown == 2
    picture = cv2.imdecode(np.frombuffer(opened.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 760 and (picture > 250).all(2).mean() > 0.4


def bits(row: np.ndarray) -> int:
    """The number in one row of blocks."""
    step = len(row) / BITS
    return sum(1 << (BITS - 1 - k) for k in range(BITS) if row[int((k + 0.35) * step)].mean() > 128)


def test_a_folder_opens_after_it_was_moved(window, tmp_path):
    data, made = page_data(), tmp_path / "made"
    (made / "frames").mkdir(parents=True)
    for i in range(FRAMES):
        for side, number in (("r", i), ("t", i + 100)):
            (made / f"frames/{i:05d}{side}.jpg").write_bytes(stamped(number, 120))
    pictures = {str(i): [f"frames/{i:05d}r.jpg", f"frames/{i:05d}t.jpg"] for i in range(FRAMES)}
    write_page(made / "report.html", {**data, "beside": True, "pictures": pictures})
    shutil.move(made, tmp_path / "moved here, with ümlaut")
    window.events.clear()
    window.emulate(1440)
    window.open((tmp_path / "moved here, with ümlaut" / "report.html").as_uri())
    window.js("setMode('take'); S.outlines = false; S.finding = null")
    for i in (0, 17, FRAMES - 1):
        window.js(
            f"(async () => {{ go({i}); while (document.getElementById('stage').dataset.drawn !== '{101 + i}') await new Promise(requestAnimationFrame) }})()"
        )
        window.js("new Promise(requestAnimationFrame)")
        left, top, width, height = (round(v) for v in window.rect("#stage"))
        picture = cv2.imdecode(np.frombuffer(window.screenshot(), np.uint8), cv2.IMREAD_COLOR)
        row = picture[top + height // 2 + 20, left : left + width]
        assert [bits(row[: width // 2]), bits(row[width // 2 :])] == [i + 100, i + 100]
    loaded = {e["request"]["url"].rsplit("/", 1)[1] for e in window.of("Network.requestWillBeSent")}
    assert "00039t.jpg" in loaded and len(loaded) < FRAMES * 2, "pictures are loaded as they are needed"
    complaints(window)


def test_many_parts_and_frames_still_draw_at_once(window, tmp_path):
    data = page_data("part 000", 2400, tuple(f"part {k:03d}" for k in range(1, 200)))
    ring = 0.02 * np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 2 * np.pi, 24)])
    every = {
        str(k): pack(ring + np.array([0.05 + 0.045 * (k % 20), 0.06 + 0.09 * (k // 20)])) for k in range(200)
    }
    data["outlines"] = dict.fromkeys(data["outlines"], every)
    write_page(tmp_path / "report.html", data)
    size = (tmp_path / "report.html").stat().st_size
    window.events.clear()
    window.open((tmp_path / "report.html").as_uri())
    loaded = window.js("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    stepped = window.js(
        "(() => { const t = performance.now(); for (let i = 0; i < 20; i++) { go(i); paint(); } return (performance.now() - t) / 20 })()"
    )
    changed = window.js(
        "(() => { const t = performance.now(); choosePart('part 150'); return performance.now() - t })()"
    )
    print(
        f"200 parts, 2,400 frames: {size / 1e6:.1f} MB, ready after {loaded:.0f} ms, {stepped:.1f} ms a frame, {changed:.0f} ms to change the part"
    )
    assert window.js("document.querySelectorAll('#table tbody tr').length") == 200
    complaints(window)
