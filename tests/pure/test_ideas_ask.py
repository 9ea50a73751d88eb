# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of an image model: roles, words, seeds, prices; and the pictures that are sent, clean of all but pixels."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from holdfast.clients import idea_ask
from holdfast.clients.descriptor import InputLimit, Price, SeedRule
from holdfast.clients.idea_ask import Order
from holdfast.clients.idea_board import Board, Idea, letters, mark, read_marks
from holdfast.clients.idea_pictures import cleaned, run
from holdfast.clients.registry import catalogue
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, ProviderRejected, UsageError
from PIL import Image, ImageCms

RUNWAY, GEMINI, OPENAI, KREA = (
    catalogue()[name]
    for name in (
        "runway/gen4_image",
        "gemini/gemini-2.5-flash-image",
        "openai/gpt-image-2",
        "krea/image/krea/krea-2/large",
    )
)


def test_every_image_model_with_an_adapter_can_be_chosen():
    found = {model.id for model in catalogue().values() if idea_ask.makes_pictures(model)}
    assert {RUNWAY.id, GEMINI.id, OPENAI.id, KREA.id} <= found
    assert not any(model.startswith("rehearsal/") for model in found)


def test_pictures_go_where_the_model_takes_them():
    assert idea_ask.roles_for(RUNWAY, 2, "brief") == ["reference", "reference"]
    assert idea_ask.roles_for(GEMINI, 3, "brief") == ["picture", "reference", "reference"]
    assert idea_ask.roles_for(OPENAI, 1, "edit") == ["picture"]
    assert idea_ask.roles_for(KREA, 1, "more") == ["reference"], "its own upload gives an address"
    with_sketch = replace(GEMINI, inputs={**GEMINI.inputs, "sketch": InputLimit(("path",), (0, 1))})
    assert idea_ask.roles_for(with_sketch, 1, "brief") == ["sketch"]
    assert idea_ask.roles_for(with_sketch, 1, "edit") == ["picture"], "an idea is no drawing"
    one = replace(RUNWAY, inputs={"picture": InputLimit(("data_uri",), (0, 1))})
    with pytest.raises(ProviderRejected, match=r"takes one picture.*2 are needed to mix two ideas"):
        idea_ask.roles_for(one, 2, "mix")
    web = replace(OPENAI, inputs={"reference": InputLimit(("https",), (0, 4))})
    with pytest.raises(ProviderRejected, match="no picture"):
        idea_ask.roles_for(web, 1, "edit")


def test_the_words_name_the_pictures_as_the_model_does():
    edit = Order("edit", "a red handle", 1, pictures=1)
    assert idea_ask.words_of(edit, RUNWAY).startswith("Change @picture1: a red handle.")
    assert "Image 1 and Image 2" in idea_ask.words_of(
        Order("mix", "", 1, pictures=2, before="A lamp"), GEMINI
    )
    assert idea_ask.words_of(Order("brief", " A  lamp ", 1), GEMINI) == "A lamp"
    assert "A lamp" in idea_ask.words_of(Order("more", "", 1, pictures=1, before="A lamp"), GEMINI)
    with pytest.raises(UsageError, match="no instruction"):
        idea_ask.words_of(Order("edit", " ", 1, pictures=1), GEMINI)
    with pytest.raises(ProviderRejected, match="1000"):
        idea_ask.words_of(Order("brief", "x" * 1001, 1), RUNWAY)


def test_every_variant_has_its_own_seed_and_digest():
    asks = idea_ask.asks_of(Order("brief", "A lamp", 3, seed=4_294_967_294), RUNWAY, [], "A lamp", 1)
    assert [each["request"]["seed"] for each in asks] == [4_294_967_295, 0, 1]
    without = idea_ask.asks_of(Order("brief", "A lamp", 3), replace(RUNWAY, seed=SeedRule()), [], "A lamp", 0)
    assert [each["request"]["seed"] for each in without] == [None] * 3
    for found in (asks, without):
        assert len({each["digest"] for each in found}) == 3
    again = idea_ask.asks_of(Order("brief", "A lamp", 2), replace(RUNWAY, seed=SeedRule()), [], "A lamp", 2)
    assert again[0]["digest"] == without[2]["digest"], "the same number is the same picture"


def test_several_at_a_time_where_the_model_offers_it():
    priced = replace(OPENAI, price=Price(per_result_micros=40_000, as_of="2026-11-01"))
    asks = idea_ask.asks_of(Order("brief", "A lamp", 6), priced, [], "A lamp", 0)
    assert [(each["results"], each["price"], each["request"]["options"]) for each in asks] == [
        (4, 160_000, {"count": 4}),
        (2, 80_000, {"count": 2}),
    ]
    assert idea_ask.price_of(priced, 6, {}) == 240_000
    assert idea_ask.price_of(RUNWAY, 4, {"ratio": "1280:720"}) == 4 * 50_000
    with pytest.raises(UsageError, match="33"):
        idea_ask.asks_of(Order("brief", "A lamp", 33), priced, [], "A lamp", 0)


def test_an_option_that_the_model_does_not_have_is_a_sentence():
    assert idea_ask.chosen_options(RUNWAY, {"ratio": "1280:720", "resolution": ""}) == {"ratio": "1280:720"}
    with pytest.raises(ProviderRejected, match="no resolution '4K'"):
        idea_ask.chosen_options(RUNWAY, {"resolution": "4K"})


def photo(path: Path) -> Path:
    """A picture as a telephone makes it: turned, with a place, a preview and a note in it."""
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[:30] = (200, 30, 30)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x013B] = 6, "SECRET-NOTE", "SECRET-NAME"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 11.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(path, quality=95, exif=exif, icc_profile=profile, comment=b"SECRET-COMMENT")
    return path


def test_nothing_but_pixels_is_sent(tmp_path):
    path = photo(tmp_path / "photo.jpg")
    assert b"SECRET" in path.read_bytes()
    data, suffix, size = cleaned(path)
    assert suffix == ".png" and size == (60, 100), "upright, as it was seen"
    assert b"SECRET" not in data and b"eXIf" not in data and b"iCCP" not in data and b"tEXt" not in data
    again = Image.open(io.BytesIO(data))
    assert not again.getexif() and not again.info
    assert again.getpixel((55, 50))[0] > 180 and again.getpixel((5, 50))[0] < 40, "turned clockwise"


def test_pictures_are_made_as_small_as_the_model_takes(tmp_path):
    noise = np.random.default_rng(1).integers(0, 256, (900, 1400, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    data, suffix, size = cleaned(tmp_path / "noise.png", longest_px=700, most_bytes=200_000)
    assert suffix == ".jpg" and len(data) <= 200_000 and max(size) <= 700
    assert b"Exif" not in data
    clear = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    assert Image.open(io.BytesIO(cleaned(tmp_path / "clear.png")[0])).getpixel((5, 5)) == (255, 255, 255)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match="no picture"):
        cleaned(tmp_path / "text.png")
    task = {"path": str(tmp_path / "noise.png"), "role": "picture", "longest_px": 64, "most_bytes": 0}
    made = run({"pictures": [task, task], "out": str(tmp_path / "sent")}, Context())["pictures"]
    assert made[0]["sha256"] == made[1]["sha256"] and len(list((tmp_path / "sent").iterdir())) == 1


def test_the_cap_of_a_data_uri_leaves_room_for_its_letters():
    assert idea_ask.caps(GEMINI, "picture")["most_bytes"] * 4 / 3 < 15_728_640


def idea(name: str, *parents: str) -> Idea:
    return Idea(name, "p", "t", "0", (1, 1), "brief", "", "", "", "", 1, 0, "USD", True, "j", parents)


def test_the_board_and_its_marks(tmp_path):
    assert [letters(place) for place in (0, 25, 26, 701, 702)] == ["a", "z", "aa", "zz", "aaa"]
    board = Board(ideas={"1a": idea("1a", "2a"), "2a": idea("2a", "1a")})
    assert board.line("1a") == ["1a", "2a"], "even a circle in the files ends"
    assert Idea.from_json(idea("1a", "2b").to_json()) == idea("1a", "2b")
    with pytest.raises(InputError, match="damaged"):
        Idea.from_json({"name": "1a", "size": [1, 1]})
    mark(tmp_path, "1a", "starred", True)
    mark(tmp_path, "1b", "hidden", True)
    mark(tmp_path, "1a", "starred", True)
    assert read_marks(tmp_path) == {"starred": ["1a"], "hidden": ["1b"]}
    mark(tmp_path, "1a", "starred", False)
    (tmp_path / "ideas/marks.json").write_text("{")
    assert read_marks(tmp_path) == {"starred": [], "hidden": []}
