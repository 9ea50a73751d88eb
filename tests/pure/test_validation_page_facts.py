# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report page says in words."""

from holdfast.validation.page_facts import next_steps

from tests.pure.validation_page_data import finding


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
