# SPDX-License-Identifier: GPL-3.0-or-later
"""Prompt contracts: read back as they were, kept by version, told apart in words, and the criteria are Validate's."""

from __future__ import annotations

import ast
import json
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, UsageError
from holdfast.pipeline.intent import Intent
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.project import ShotFolder
from holdfast.pipeline.prompts import versions
from holdfast.pipeline.prompts.contract import SCHEMA, Part, PromptContract, Reference
from holdfast.pipeline.prompts.difference import difference
from holdfast.pipeline.prompts.review import ALWAYS, CRITERIA, asked, intent_of
from holdfast.validation.criteria import judge
from holdfast.validation.kinds import BY_NAME, CRITERION
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.prompt_data import CONTRACTS, GOOD, INTENTS, made
from tests.pure.test_validation_criteria import LABEL, World, sheet
from tests.repository import ROOT


@settings(max_examples=150, deadline=None)
@given(CONTRACTS)
def test_round_trip(contract: PromptContract) -> None:
    again = PromptContract.from_json(json.loads(json.dumps(contract.to_json())))
    assert again == contract and again.digest == contract.digest
    assert difference(contract, again) == []


def named_once(contract: PromptContract) -> tuple[object, ...]:
    """What a contract says, without how often it names a part or a picture."""
    rest = {key: value for key, value in contract.to_json().items() if key not in ("parts", "references")}
    return (
        {part.name: part.spoken for part in contract.parts},
        {each.path: each for each in contract.references},
        rest,
    )


@settings(max_examples=150, deadline=None)
@given(CONTRACTS, st.data())
def test_what_is_different_is_said(one: PromptContract, data: st.DataObject) -> None:
    """Of two contracts that differ in some fields."""
    other = data.draw(CONTRACTS)
    names = data.draw(st.sets(st.sampled_from([item.name for item in fields(PromptContract)]), max_size=3))
    two = replace(one, **{name: getattr(other, name) for name in names})
    assert (one.digest == two.digest) == (one == two)
    assert bool(difference(one, two)) == (named_once(one) != named_once(two))


def test_the_number_is_no_part_of_what_is_asked() -> None:
    assert GOOD.numbered(7, "x").digest == GOOD.digest != made(role="").digest


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "other"}, "no prompt contract"),
        ({"schema_version": 99}, "newer Holdfast"),
        ({"mood": "x"}, "unknown field 'mood'"),
        ({"role": 3}, "role is 3"),
        ({"keep": "the lid"}, "Write a list of texts"),
        ({"parts": [{"nme": "lid"}]}, "parts holds"),
        ({"parts": [{"says": "lid"}]}, "incomplete"),
        ({"references": 3}, "references is 3"),
        ({"criteria": {"palette": ["red"]}}, "no colour"),
        ({"version": True}, "version is True"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(change: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        PromptContract.from_json({**GOOD.to_json(), **change})


def test_versions_are_never_overwritten(tmp_path: Path) -> None:
    shot = ShotFolder(tmp_path / "sh010")
    folder = versions.folder_of(shot, "ink_wash")
    assert versions.latest(folder) is None and list(versions.history(folder)) == []
    first = versions.save(shot, GOOD)
    assert (first.path, first.contract.version) == (shot.prompts / "ink_wash" / "v001.json", 1)
    assert versions.save(shot, GOOD).path == first.path, "an equal contract is the same version"
    before = first.path.read_bytes()
    second = versions.save(shot, made(role="a potter"))
    assert (second.name, second.contract.parent) == ("v002", first.digest)
    back = versions.save(shot, GOOD)
    assert (back.name, back.digest) == ("v003", first.digest)
    assert first.path.read_bytes() == before
    assert [each.name for each in versions.history(folder)] == ["v003", "v002", "v001"]
    assert versions.version(folder, 2).contract.role == "a potter"
    with pytest.raises(InputError, match="There is v001, v002, v003"):
        versions.version(folder, 9)
    assert not list(folder.glob(".*")), "nothing is left half"
    assert Manifest.load(second.path, SCHEMA).inputs == {"parent": first.digest}


def test_a_damaged_version_is_passed_over_and_keeps_its_number(tmp_path: Path) -> None:
    shot = ShotFolder(tmp_path)
    path = versions.save(shot, GOOD).path
    path.write_text(path.read_text().replace("storybook", "comic"))
    with pytest.raises(InputError, match="changed by hand"):
        versions.load(path)
    assert versions.save(shot, GOOD).name == "v002"
    with pytest.raises(UsageError):
        versions.save(shot, replace(GOOD, look="../x"))


def test_the_hash_of_a_reference_is_kept(tmp_path: Path) -> None:
    (tmp_path / "ink.png").write_bytes(b"ink")
    contract = made(
        references=(Reference("style", "//ink.png", "the grain"), Reference("style", "//gone.png", "x"))
    )
    path = versions.save(ShotFolder(tmp_path / "s"), contract, tmp_path).path
    assert list(Manifest.load(path, SCHEMA).inputs) == ["reference //ink.png"]


def _save(arguments: tuple[str, int]) -> str:
    return versions.save(ShotFolder(Path(arguments[0])), made(role=f"painter {arguments[1]}")).name


def test_processes_that_save_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    with get_context("fork").Pool(4) as pool:
        names = pool.map(_save, [(str(tmp_path), number) for number in range(12)], chunksize=1)
    assert sorted(names) == [f"v{number:03d}" for number in range(1, 13)]


def test_the_difference_in_words() -> None:
    new = replace(GOOD, role="", change=(*GOOD.change[1:], "felt"), parts=(Part("lid", "cap"), Part("peg"), Part("knob")),
                  criteria=Intent(background="stays", palette=("#b7410e",), recolour=True, outline_px=3.0),
                  references=(Reference("style", "a.png", "the grain"),))  # fmt: skip
    said = difference(GOOD, new)
    print("\n".join(said))
    assert said == [
        "Role is empty now, was “a painter of storybook backgrounds”",
        "Change: “hand-drawn ink lines and watercolour on rough paper” is gone",
        "Change: “felt” is new",
        "Parts: GEO_body is gone",
        "Parts: lid is called “cap”, was “bayonet lid”",
        "Parts: knob is new",
        "References: a.png is new",
        "Criteria: Parts may change colour was off, is on",
        "Criteria: Outlines may grow was 0 px, is 3 px",
        "Criteria: Background was free, is stays",
        "Criteria: Palette was any, is #b7410e",
    ]


# The criteria are what Validate measures.


@given(INTENTS)
def test_a_contracts_criteria_are_the_intent_of_validate(intent: Intent) -> None:
    assert intent_of(made(criteria=intent)) == intent


def test_readable_parts_may_be_said_in_words() -> None:
    assert intent_of(made(criteria=Intent(readable=("Bayonet Lid", "lid", "body")))).readable == (
        "lid",
        "GEO_body",
    )


def test_every_criterion_offered_is_one_that_validate_measures() -> None:
    assert {each.name for each in CRITERIA} == {item.name for item in fields(Intent)}
    kinds = [kind for each in CRITERIA for kind in each.kinds] + [
        kind for _says, all_ in ALWAYS for kind in all_
    ]
    assert set(kinds) <= set(BY_NAME)
    offered = {kind for each in CRITERIA for kind in each.kinds if BY_NAME[kind].scope == CRITERION}
    assert offered == {kind.name for kind in BY_NAME.values() if kind.scope == CRITERION}
    read = set()
    for path in (ROOT / "validation").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                read |= {node.attr} if owner == "intent" else set()
    assert {each.name for each in CRITERIA} <= read, "each setting is read where takes are judged"


def test_validate_finds_what_breaks_the_criteria_of_a_contract() -> None:
    """A take with another wall from frame 12 on, a label of a strange colour and garbled letters."""

    def broken(world: World, frame: int) -> np.ndarray:
        wall = (120, 110, 100) if frame < 12 else (40, 60, 30)
        return world.paint(frame, wall, (60, 200, 220), (20, 20, 90), sheet("7J KDLM"))

    contract = made(
        parts=(Part("label", "the brass label"),),
        criteria=Intent(
            background="stays", palette=("#78695a", "#c8beaa", "#28285a"), readable=("the brass label",)
        ),
    )
    world = World(broken)
    for criteria, kinds in ((intent_of(contract), {"palette", "background", "readable"}), (Intent(), set())):
        readable = [LABEL for _name in criteria.readable]
        found, _notes = judge(world.subject(), criteria, readable, Context())
        assert {each.kind for each in found} == kinds


def test_what_is_asked_of_the_model_is_what_is_criterion() -> None:
    strict = made(criteria=Intent(background="stays", palette=("#b7410e",), readable=("lid",)))
    assert [criterion.name for criterion, _says in asked(strict)] == [each.name for each in CRITERIA]
    free = made(criteria=Intent(recolour=True, relight=True, outline_px=4.0))
    assert asked(free) == []
    assert "The lettering on the bayonet lid stays sharp" in {c.name: s for c, s in asked(strict)}["readable"]
