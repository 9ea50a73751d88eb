# SPDX-License-Identifier: GPL-3.0-or-later
"""Several takes of a shot in one table: best first, with figures that can be worked out by hand."""

import re

import pytest
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.validation.page_compare import Row, compare_shot, render_comparison, write_comparison

from tests.pure import browser
from tests.pure.validation_page_data import EVIL, stamped


def data(take: str, verdict: str, *found: tuple[str, list[int]]) -> dict:
    findings = [
        {
            "part": part,
            "others": [],
            "frames": frames,
            "kind": "rubber",
            "title": "bends",
            "severity": "major",
        }
        for part, frames in found
    ]
    return {
        "take": take, "verdict": verdict, "summary": f"{verdict}: {take}", "findings": findings, "page": "report.html",
        "parts": [{"name": name, "verdict": verdict, "why": ""} for name in ("lid", "peg")], "frame_map": [[f, f] for f in range(1, 21)],
    }  # fmt: skip


def shot(folder, *records):
    for record, made in records:
        name = record["take"]
        Manifest("holdfast/report", {}, {}, record).save(folder / "reports" / name / "report.json")
        (folder / "reports" / name / "report.html").write_text("page")
        (folder / "reports" / name / "poster.jpg").write_bytes(stamped(3, 90, 320))
        Manifest("holdfast/take", {}, {}, {"take": name, **made}, made={"seconds": 95}).save(
            folder / "takes" / name / "take.json"
        )
    return folder / "reports"


def cells(text: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", text.split("<tbody>")[1], re.S)
    return [
        [re.sub(r"<[^>]*>", " ", cell).split() for cell in re.findall(r"<td.*?</td>", row, re.S)]
        for row in rows
    ]


def test_frames_that_hold_by_part():
    row = Row(data("t1", "fail", ("lid", [1, 5]), ("lid", [4, 8]), ("", [20, 20])))
    assert row.held == pytest.approx({"lid": 1 - 9 / 20, "peg": 1 - 1 / 20})


def test_best_first_with_links_and_figures(tmp_path):
    paid = {
        "cost_micros": 420_000,
        "currency": "USD",
        "provider": "far",
        "look": "INK",
        "seed": 7,
        "parent": "t001",
    }
    reports = shot(tmp_path, (data("t001", "fail", ("lid", [1, 10])), {"cost_micros": 0}), (data("t002", "fail", ("lid", [1, 2])), paid),
                   (data("t003", "review"), {}), (data("t004", "pass"), {"cost_micros": 900_000}), (data("t005", "pass"), {"cost_micros": 100_000}))  # fmt: skip
    (reports / "t006").mkdir()
    (reports / "t006" / "report.json").write_text("{}")
    text = compare_shot(reports).read_text(encoding="utf-8")
    table = cells(text)
    assert [row[0][0] for row in table] == ["t005", "t004", "t003", "t002", "t001"]
    assert 'href="t002/report.html"' in text and text.count("data:image/jpeg") == 5 and "<script" not in text
    second = table[3]
    assert second[2:7] == [["1"], ["bends"], ["95", "%"], ["90", "%"], ["100", "%"]]
    assert second[7:] == [["0.42", "USD"], ["1", "min", "35", "s"], ["far"], ["INK"], ["7"], ["t001"]]


def test_names_are_escaped_and_a_missing_report_is_said(tmp_path):
    record = data("t001", "fail", (EVIL, [1, 2]))
    record["parts"][0]["name"] = record["findings"][0]["title"] = EVIL
    text = render_comparison([Row(record, {"look": EVIL, "provider": EVIL})])
    assert EVIL not in text and "<img src=x" not in text and text.count("<style>") == 1
    with pytest.raises(InputError):
        write_comparison([tmp_path / "nothing"], tmp_path / "index.html")


def test_of_many_parts_those_that_hold_least_have_a_column():
    record = data("t001", "fail", ("p077", [1, 10]))
    record["parts"] = [{"name": f"p{k:03d}", "verdict": "pass", "why": ""} for k in range(200)]
    text = render_comparison([Row(record)])
    assert "<th>p077</th>" in text and "188 more parts" in text


def test_it_opens_in_a_real_browser(tmp_path):
    if browser.find() is None:
        pytest.skip("no Chromium on this machine: the comparison is not opened")
    reports = shot(
        tmp_path / "shot", (data("t001", "fail", ("lid", [1, 10])), {}), (data("t002", "pass"), {})
    )
    window = browser.Browser(tmp_path / "profile")
    try:
        window.open(compare_shot(reports).as_uri())
        for width in (1440, 420):
            window.emulate(width)
            assert window.js("document.documentElement.scrollWidth") <= width
        bars = window.js(
            "[...document.querySelectorAll('tbody tr:last-child .bars')].map(b => getComputedStyle(b).backgroundSize)"
        )
        assert bars[1].startswith("50%") and bars[2].startswith("100%")
        assert window.js("document.querySelector('img').naturalWidth") == 320
        assert [
            e["entry"]["text"] for e in window.of("Log.entryAdded") if e["entry"]["level"] == "error"
        ] == []
    finally:
        window.close()
