# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look may change: the strict default, round trips, and a sentence for everything that makes no sense."""

import json

import pytest
from holdfast.pipeline.errors import InputError
from holdfast.pipeline.intent import BACKGROUNDS, MOST_OUTLINE_PX, Intent
from hypothesis import given
from hypothesis import strategies as st

INTENTS = st.builds(
    Intent,
    st.booleans(),
    st.booleans(),
    st.floats(0, MOST_OUTLINE_PX),
    st.sampled_from(BACKGROUNDS),
    st.lists(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True), unique=True, max_size=4).map(tuple),
    st.lists(st.text(min_size=1), unique=True, max_size=3).map(tuple),
)


def test_default_is_strict():
    assert Intent() == Intent(False, False, 0.0, "free", (), ())
    assert Intent.from_json(None) == Intent.from_json({}) == Intent()


@given(INTENTS)
def test_round_trip(intent):
    assert Intent.from_json(json.loads(json.dumps(intent.to_json()))) == intent


def test_colours_are_lower_case_and_once():
    assert Intent.from_json({"palette": ["#D84F2A", "#d84f2a", "#000000"]}).palette == ("#d84f2a", "#000000")


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"recolor": True}, "Unknown setting 'recolor'"),
        ({"recolour": 1}, "recolour is 1"),
        ({"relight": "yes"}, "relight is 'yes'"),
        ({"outline_px": -1}, "can't grow by -1"),
        ({"outline_px": float("nan")}, "can't grow by nan"),
        ({"outline_px": True}, "can't grow by True"),
        ({"outline_px": 1e9}, "pixels of a picture 1920 wide"),
        ({"background": "moves"}, "background is 'moves'"),
        ({"background": ["stays"]}, "It may be free or stays"),
        ({"palette": "#ff0000"}, "Write a list of texts"),
        ({"palette": ["red"]}, "'red' is no colour"),
        ({"palette": ["#ff00001"]}, "Write it as #rrggbb"),
        ({"palette": [255]}, "palette is"),
        ({"readable": [""]}, "readable is"),
        ([], "must be a table"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(record, says):
    with pytest.raises(InputError) as raised:
        Intent.from_json(record)
    assert says in str(raised.value)
