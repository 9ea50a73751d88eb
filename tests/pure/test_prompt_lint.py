# SPDX-License-Identifier: GPL-3.0-or-later
"""Lint of prompt contracts: every rule has an example that it finds and one that it leaves alone; nothing makes it fail."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from holdfast.pipeline.prompts.contract import Part, PromptContract
from holdfast.pipeline.prompts.lint import RULES, Finding, lint, worst
from holdfast.pipeline.prompts.reading import SEVERITIES, About
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.prompt_data import ABOUT, ABOUTS, CONTRACTS, EXAMPLES, GOOD, changed, made


def rules_of(contract: PromptContract, about: About = ABOUT) -> list[str]:
    return [each.rule for each in lint(contract, about)]


def test_every_rule_has_an_example_and_a_name_of_its_own() -> None:
    assert list(EXAMPLES) == [rule.id for rule in RULES]
    order = [SEVERITIES.index(rule.severity) for rule in RULES]
    assert order == sorted(order)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_the_planted_example_is_found_and_the_near_miss_is_not(rule: str) -> None:
    bad, good = EXAMPLES[rule]
    found = [each for each in lint(*bad) if each.rule == rule]
    print(
        *(f"{each.severity} {each.field} {each.index}: {each.says} {each.todo}" for each in found), sep="\n"
    )
    assert found
    assert [each for each in lint(*good) if each.rule == rule] == []
    for each in found:
        assert each.says.endswith((".", "”.")) and each.todo.endswith(".") and "  " not in each.says


def test_the_good_contract_is_clean() -> None:
    assert lint(GOOD, ABOUT) == []
    assert worst([]) == "" and worst(lint(made(purpose=""), ABOUT)) == "hint"


@settings(max_examples=300, deadline=None)
@given(CONTRACTS, ABOUTS)
def test_it_never_raises_and_says_where(contract: PromptContract, about: About) -> None:
    for each in lint(contract, about):
        assert isinstance(each, Finding) and each.severity in SEVERITIES
        text = _text(contract, each)
        assert 0 <= each.start <= each.end <= len(text), (each, text)


def _text(contract: PromptContract, each: Finding) -> str:
    value = getattr(contract, each.field)
    if isinstance(value, str):
        return value
    if each.index < 0 or each.field == "criteria":
        return ""
    one = value[each.index] if each.index < len(value) else ""
    return one if isinstance(one, str) else getattr(one, "takes", "") or getattr(one, "says", "")


SPACES = st.lists(st.sampled_from((" ", "  ", "\t", "\n", "\u00a0 ")), min_size=4, max_size=4)


@settings(max_examples=200, deadline=None)
@given(CONTRACTS, ABOUTS, SPACES)
def test_spaces_do_not_count(contract: PromptContract, about: About, spaces: list[str]) -> None:
    def spaced(text: str) -> str:
        return spaces[0] + re.sub(r" ", lambda _match: spaces[1], text) + spaces[2]

    wide = replace(
        contract, role=spaced(contract.role), purpose=spaced(contract.purpose), output=spaced(contract.output),
        change=(*map(spaced, contract.change), spaces[3]), keep=tuple(map(spaced, contract.keep)),
        negative=tuple(map(spaced, contract.negative)),
        parts=tuple(Part(spaces[3] + part.name, spaced(part.says)) for part in contract.parts),
    )  # fmt: skip
    assert wide == contract and wide.digest == contract.digest
    assert lint(wide, about) == lint(contract, about)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("the GEO_body morphs into a bird", "deforms-part"),
        ("everything melts", "deforms-part"),
        ("the product is fluid", "deforms-part"),
        ("the lid must not melt", None),
        ("fluid ink lines around the lid", None),
        ("a dreamlike sky behind the lid", None),
        ("the background dissolves into mist", None),
        ("swirling brush strokes on the lid", None),
        ("surreal", "deforms-something"),
        ("the lids wobble", "deforms-part"),
    ],
)
def test_deforming_words_count_where_they_are_said_of_parts(line: str, rule: str | None) -> None:
    found = [each for each in rules_of(changed(line)) if each.startswith("deforms")]
    assert found == ([rule] if rule else [])


def test_a_finding_points_at_its_word_and_offers_a_safer_one() -> None:
    contract = changed("ink lines", "warm light, and the lid melts slowly")
    (found,) = [each for each in lint(contract, ABOUT) if each.rule == "deforms-part"]
    assert contract.change[found.index][found.start : found.end] == "melts"
    assert "runs of paint on the surface" in found.todo and "said of “lid”" in found.says


def test_an_exception_in_a_change_is_no_contradiction() -> None:
    line = "repaint everything but leave the background"
    assert "change-and-keep" not in rules_of(changed(line, keep=("the background",)))
    assert "change-and-keep" in rules_of(changed("paint over the background", keep=("the background",)))


def test_lettering_that_must_be_readable_may_not_be_changed() -> None:
    criteria = replace(GOOD.criteria, readable=("lid",))
    assert "change-and-keep" in rules_of(changed("new lettering on the lid", criteria=criteria))
    assert "change-and-keep" not in rules_of(changed("new colours on the lid", criteria=criteria))


def test_a_reference_is_found_beside_the_file(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "ink.png").write_bytes(b"x")
    about = replace(ABOUT, root=folder)
    reference = EXAMPLES["reference-missing"][0][0].references[0]
    for path, missing in (("//ink.png", False), ("ink.png", False), ("//no.png", True), ("a\0b", True)):
        contract = made(references=(replace(reference, path=path),))
        assert ("reference-missing" in rules_of(contract, about)) == missing, path
