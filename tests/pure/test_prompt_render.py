# SPDX-License-Identifier: GPL-3.0-or-later
"""A contract as a model's own text: within its length in its unit, the same every time, and nothing lost in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from holdfast.clients.descriptor import load_catalogue
from holdfast.clients.prompting import fields_of, table
from holdfast.pipeline.intent import Intent
from holdfast.pipeline.prompts.colours import colour_name, outside
from holdfast.pipeline.prompts.contract import Part, PromptContract, Reference
from holdfast.pipeline.prompts.fields import Fields, tags
from holdfast.pipeline.prompts.folding import fold
from holdfast.pipeline.prompts.render import ORDER, render, sentences
from holdfast.pipeline.prompts.spoken import spoken
from hypothesis import given, settings

from tests.pure.prompt_data import CONTRACTS, FIELDS, GOOD, made


@settings(max_examples=300, deadline=None)
@given(CONTRACTS, FIELDS)
def test_it_fits_and_says_what_it_dropped(contract: PromptContract, fields: Fields) -> None:
    found = render(contract, fields)
    assert found == render(PromptContract.from_json(contract.to_json()), fields)
    if fields.most:
        assert found.length <= fields.most
    if fields.negative and fields.negative_most:
        assert fields.measure(found.negative) <= fields.negative_most
    lost = [each.text for each in found.dropped if "longer" in each.why]
    for each in sentences(contract, fields):
        assert each.text in found.prompt or each.text in lost, each
    assert bool(found.negative) <= bool(fields.negative)


def test_least_important_goes_first() -> None:
    fields = Fields(cite="Image {n}")
    contract = made(
        references=(Reference("style", "a.png", "the paper grain"),), criteria=Intent(palette=("#b7410e",))
    )
    whole = render(contract, fields)
    assert not whole.dropped
    ranks = []
    for most in range(whole.length - 1, 0, -1):
        kinds = [each.kind for each in render(contract, replace(fields, most=most)).dropped]
        assert [ORDER.index(kind) for kind in kinds] == sorted(ORDER.index(kind) for kind in kinds)
        ranks.append(len(kinds))
    assert ranks == sorted(ranks)
    tight = render(contract, replace(fields, most=60))
    print(tight.prompt)
    assert tight.prompt.endswith("All parts stay rigid and whole.")


def test_parts_are_named_as_people_say_them() -> None:
    text = render(made(change=("GEO_body's paper is rough",)), Fields()).prompt
    print(text)
    assert text.startswith("Body's paper is rough.")
    assert (
        "The body, the bayonet lid and the peg: each stays whole and rigid, in its own shape, place and motion."
        in text
    )
    assert "GEO" not in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("GEO_bayonetLid_low.001", "bayonet lid"), ("lid", "lid"), ("leg_02", "leg 2"), ("LED", "led"), ("mesh", "mesh"), ("Peg Top", "peg top"),
        ("", ""), ("ß", "ß"), ("topRing3", "top ring 3"),
    ],
)  # fmt: skip
def test_spoken(name: str, said: str) -> None:
    assert spoken(name) == said


def test_negatives_go_to_their_field_or_are_said_as_what_stays() -> None:
    with_field = render(GOOD, Fields(negative="negative_prompt", negative_most=10))
    assert with_field.negative == "flicker" and "steady" not in with_field.prompt
    assert [each.text for each in with_field.dropped] == ["extra objects"]
    without = render(made(negative=("flicker", "purple elephants")), Fields())
    assert "The picture is steady from frame to frame." in without.prompt and not without.negative
    assert [(each.kind, each.text) for each in without.dropped] == [("avoided", "purple elephants")]
    assert fold("Extra objects") and fold("no text") and not fold("the lid")


def test_units() -> None:
    text = "a𝄞é b"
    assert [Fields(unit=unit).measure(text) for unit in ("characters", "utf16", "bytes", "words")] == [
        5,
        6,
        9,
        2,
    ]
    assert Fields(most=9, unit="utf16").unit_name == "UTF-16 units"


def test_references_are_cited_in_the_models_own_way() -> None:
    pictures = (
        Reference("style", "a.png", "the paper grain"),
        Reference("style", "b.png", "the colours"),
        Reference("2!", "c.png"),
    )
    assert tags(pictures) == ["style", "style2", "ref_2"]
    contract = made(references=pictures)
    at = render(contract, Fields(cite="@{tag}", pictures=2))
    assert (
        "Take the paper grain from @style (style)." in at.prompt
        and "Take the colours from @style2 (style)." in at.prompt
    )
    assert at.cited == (("@style", "a.png"), ("@style2", "b.png"))
    assert [each.why for each in at.dropped] == ["the model takes 2 pictures"]
    assert "<<<image_2>>>" in render(contract, Fields(cite="<<<image_{n}>>>")).prompt
    assert not render(contract, Fields(cite="")).cited


def test_every_model_of_the_catalogue_has_its_fields() -> None:
    assert [each.models for each in table()][-1] == "*"
    for name, model in load_catalogue().items():
        fields = fields_of(model)
        assert fields.model == name and fields.evidence
        found = render(GOOD, fields)
        assert not fields.most or found.length <= fields.most
    aleph = fields_of(load_catalogue()["runway/aleph2"])
    assert (aleph.prompt, aleph.most, aleph.unit, aleph.negative) == ("promptText", 1000, "utf16", "")


def test_the_catalogues_own_length_comes_first() -> None:
    model = load_catalogue()["rehearsal/lit-sphere-1"]
    assert fields_of(replace(model, prompt_max=77, negative_max=9)).most == 77
    assert fields_of(replace(model, prompt_max=77, negative_max=9)).negative == "negative_prompt"


def test_colours_by_name() -> None:
    assert colour_name("#b7410e") == "rust (#b7410e)"
    assert (
        outside("turquoise", ("#b7410e",))
        and not outside("Orange", ("#b7410e",))
        and not outside("gray", ("#b7410e",))
    )


def test_a_part_called_like_a_word_of_the_text_is_not_renamed_inside_words() -> None:
    contract = made(parts=(Part("lid_a", "lid"),), change=("solid lines on lid_a and lid_ab",))
    assert render(contract, Fields()).prompt.startswith("Solid lines on lid and lid_ab.")
