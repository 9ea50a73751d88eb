# SPDX-License-Identifier: GPL-3.0-or-later
"""A good contract of a small shot, strategies for any contract, and an example for and against every rule of lint."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from holdfast.pipeline.intent import BACKGROUNDS, MOST_OUTLINE_PX, Intent
from holdfast.pipeline.prompts.contract import Part, PromptContract, Reference
from holdfast.pipeline.prompts.fields import UNITS, Fields
from holdfast.pipeline.prompts.reading import About
from hypothesis import strategies as st

NAMES = ("GEO_body", "lid", "peg")
ABOUT = About(parts=NAMES, camera="locked")
GOOD = PromptContract(
    role="a painter of storybook backgrounds",
    purpose="opening shot of a title sequence",
    change=("hand-drawn ink lines and watercolour on rough paper", "warm evening light from the left"),
    keep=("the shape and place of every part", "what is drawn on the body"),
    parts=(Part("GEO_body"), Part("lid", "bayonet lid"), Part("peg")),
    negative=("flicker", "extra objects"),
    look="ink_wash",
)
SHORT = Fields(label="a short model", most=80)
NO_PICTURES = Fields(label="a model", cite="")


def made(**changes: Any) -> PromptContract:
    """The good contract with these fields instead."""
    return replace(GOOD, **changes)


def changed(*lines: str, **changes: Any) -> PromptContract:
    return made(change=lines, **changes)


STAYS = Intent(background="stays")
RUST = Intent(palette=("#b7410e", "#f2e6d0"))
REFERENCE = Reference("style", "here.png", "the paper grain")
# rule: (contract that breaks it, what is known), (contract that comes close and does not, what is known)
EXAMPLES: dict[str, tuple[tuple[PromptContract, About], tuple[PromptContract, About]]] = {
    "no-change": ((changed(), ABOUT), (changed("ink"), ABOUT)),
    "no-keep": ((made(keep=()), ABOUT), (made(keep=("the framing",)), ABOUT)),
    "no-parts": ((made(parts=()), ABOUT), (made(parts=(Part("lid"),)), ABOUT)),
    "part-unnamed": (
        (made(parts=GOOD.parts[:2]), ABOUT),
        (made(parts=GOOD.parts[:2], keep=("the shape of the peg",)), ABOUT),
    ),
    "change-and-keep": (
        (changed("the silhouette and outline of the bayonet lid get rounder", keep=("the outline of the lid",)), ABOUT),
        (changed("the bayonet lid becomes hammered brass", keep=("the outline of the lid",)), ABOUT),
    ),
    "deforms-part": ((changed("the lid melts like wax"), ABOUT), (changed("melting watercolour edges, lid of brass"), ABOUT)),
    "hides-part": ((changed("smoke covers the peg"), ABOUT), (changed("smoke covers the table behind the peg"), ABOUT)),
    "forbids-part": ((made(negative=("the lid",)), ABOUT), (made(negative=("bent lid",)), ABOUT)),
    "asked-and-forbidden": (
        (changed("bold ink lines", negative=("ink lines",)), ABOUT),
        (changed("bold ink", negative=("ink blots",)), ABOUT),
    ),
    "background-moves": (
        (changed("a drifting background of clouds", criteria=STAYS), ABOUT),
        (changed("a drifting background of clouds"), ABOUT),
    ),
    "outside-palette": (
        (changed("a turquoise wash", criteria=RUST), ABOUT),
        (changed("an orange wash, black lines", criteria=RUST), ABOUT),
    ),
    "colour-over-time": (
        (changed("colours cycle like neon"), ABOUT),
        (changed("colours cycle like neon", criteria=Intent(recolour=True)), ABOUT),
    ),
    "light-over-time": (
        (changed("day turns to night"), ABOUT),
        (changed("day turns to night", criteria=Intent(relight=True)), ABOUT),
    ),
    "camera-moves": ((changed("ink, slow dolly in"), ABOUT), (changed("ink, slow dolly in"), About(NAMES, "moves"))),
    "camera-locked": (
        (changed("ink, locked-off camera"), About(NAMES, "moves")),
        (changed("ink, locked-off camera"), ABOUT),
    ),
    "retimes": ((changed("ink in slow motion"), ABOUT), (changed("ink with a slow, loose line"), ABOUT)),
    "readable-unknown": (
        (made(criteria=Intent(readable=("badge",))), ABOUT),
        (made(criteria=Intent(readable=("bayonet lid",))), ABOUT),
    ),
    "reference-missing": ((made(references=(REFERENCE,)), ABOUT), (made(references=()), ABOUT)),
    "too-long": ((GOOD, replace(ABOUT, fields=SHORT)), (GOOD, replace(ABOUT, fields=replace(SHORT, most=2000)))),
    "double-negative": ((made(negative=("no text",)), ABOUT), (made(negative=("nonsense text",)), ABOUT)),
    "part-unknown": ((made(parts=(*GOOD.parts, Part("wheel"))), ABOUT), (made(), ABOUT)),
    "new-background": (
        (changed("ink, a new background", criteria=STAYS), ABOUT),
        (changed("ink, the background is a misty harbour", criteria=STAYS), ABOUT),
    ),
    "adds-part": ((changed("ink, two pegs on the table"), ABOUT), (changed("ink of two colours, the peg of oak"), ABOUT)),
    "negative-words": ((changed("ink without clutter"), ABOUT), (changed("ink on a bare table, knotted lines"), ABOUT)),
    "promises": ((made(keep=("pixel-perfect outlines",)), ABOUT), (made(keep=("the outlines of every part",)), ABOUT)),
    "too-many": ((changed(*"abcdefgh"), ABOUT), (changed(*"abcdefg"), ABOUT)),
    "references-refused": (
        (made(references=(REFERENCE,)), replace(ABOUT, fields=NO_PICTURES)),
        (made(), replace(ABOUT, fields=NO_PICTURES)),
    ),
    "reference-bare": (
        (made(references=(Reference("style", "here.png"),)), ABOUT),
        (made(references=(REFERENCE,)), ABOUT),
    ),
    "weights": ((changed("ink (paper:1.4)"), ABOUT), (changed("ink (on paper)"), ABOUT)),
    "deforms-something": ((changed("dreamlike"), ABOUT), (changed("a dreamlike mood"), ABOUT)),
    "empty": ((made(purpose=""), ABOUT), (made(), ABOUT)),
    "twice": ((changed("ink", "Ink"), ABOUT), (changed("ink", "ink lines"), ABOUT)),
    "praise": ((changed("a stunning masterpiece in ink"), ABOUT), (changed("ink with two line widths"), ABOUT)),
}  # fmt: skip

WORDS = st.sampled_from((
    "ink", "melting", "the lid", "GEO_body's", "no", "without", "new background", "morphs", "slow motion", "red", "and", ",", "pan", "8k", "keep",
    "the shape", "outline", "(a:1.2)", "vanishes", "another peg", "smoke covers", "drifting background", "but", ".", "colours", "\u3000", "é", "𝄞",
))  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map(" ".join))
LINES = st.lists(TEXTS, max_size=4).map(tuple)
INTENTS = st.builds(
    Intent, st.booleans(), st.booleans(), st.floats(0, MOST_OUTLINE_PX), st.sampled_from(BACKGROUNDS),
    st.lists(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True), unique=True, max_size=3).map(tuple),
    st.lists(st.sampled_from((*NAMES, "badge")), unique=True, max_size=2).map(tuple),
)  # fmt: skip
PARTS = st.lists(
    st.builds(Part, st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), TEXTS), max_size=4
).map(tuple)
REFERENCES = st.lists(st.builds(Reference, TEXTS, TEXTS, TEXTS), max_size=3).map(tuple)
CONTRACTS = st.builds(
    PromptContract, TEXTS, TEXTS, LINES, LINES, PARTS, REFERENCES, TEXTS, INTENTS, LINES, st.sampled_from(("ink", "clay")),
)  # fmt: skip
FIELDS = st.builds(
    Fields, negative=st.sampled_from(("", "negative_prompt")), most=st.integers(0, 400), negative_most=st.integers(0, 40),
    unit=st.sampled_from(sorted(UNITS)), cite=st.sampled_from(("", "Image {n}", "@{tag}", "<<<image_{n}>>>", "{n0}")),
    pictures=st.integers(0, 3),
)  # fmt: skip
ABOUTS = st.builds(
    About, st.lists(st.sampled_from((*NAMES, "knob")), unique=True).map(tuple), st.sampled_from(("", "locked", "moves")),
    st.one_of(st.none(), FIELDS),
)  # fmt: skip
