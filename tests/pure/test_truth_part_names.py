# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of parts: file-safe and apart whatever the parts are called."""

from __future__ import annotations

import unicodedata

from holdfast.rendering.part_names import folders
from hypothesis import given
from hypothesis import strategies as st

TRICKY = ("body", "Body", "BODY", "con", "CON", "con.txt", "lpt¹", "a/b", "a\\b", "a:b", "..", ".", "", " ", "x.", "x",
          ".x", "тело", "蓋", "é", "e\u0301", "ß", "ss", "İ", "a~b", "{part}", "%04d", "a" * 63, "a" * 63 + "b", "é" * 31,
          "ﬁ", "fi", "K", "\u212a", "_con", "_", "nul ", "a\u202eb", "a\nb", "🧸" * 15)  # fmt: skip
NAMES = st.lists(
    st.one_of(st.sampled_from(TRICKY), st.text(max_size=63), st.text("aA.~_/ \u0301e", max_size=5))
)


def _seen(name: str) -> str:
    return unicodedata.normalize("NFKD", name).casefold()


@given(NAMES)
def test_folders_are_safe_and_apart(names: list[str]) -> None:
    found = folders(names)
    assert set(found) == set(names) and len({_seen(each) for each in found.values()}) == len(found)
    assert found == folders(reversed(names))
    for folder in found.values():
        assert folder and len(folder.encode()) <= 63 and folder[-1] not in ". " and folder[0] not in ". "
        assert not set(folder) & set('<>:"/\\|?*%{}') and min(map(ord, folder)) >= 32
        assert folder.split(".")[0].strip().lower() not in {
            "con",
            "prn",
            "aux",
            "nul",
            "com1",
            "lpt1",
            "lpt¹",
        }


@given(NAMES)
def test_another_part_that_differs_in_more_than_case_renames_no_folder(names: list[str]) -> None:
    before, after = folders(names), folders([*names, "qqqq"])
    assert all(after[name] == folder for name, folder in before.items() if name != "qqqq")


def test_plain_names_stay_and_reach_the_disk(tmp_path) -> None:
    found = folders(TRICKY)
    assert folders(["lid", "Teapot body", "тело", "x"]) == {n: n for n in ("lid", "Teapot body", "тело", "x")}
    for folder in found.values():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}.0001.png").touch()
    assert len(list(tmp_path.iterdir())) == len(TRICKY)
