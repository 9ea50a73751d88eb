# SPDX-License-Identifier: GPL-3.0-or-later
"""Typefaces that answer nonsense are not used."""

from __future__ import annotations

from pathlib import Path

import pytest
from holdfast.finishing import lettering
from PIL import ImageFont


class Broken:
    """A varied font whose widths are not initialised, as seen inside a real Blender."""

    size = 32

    def get_variation_axes(self) -> list[dict[str, object]]:
        return []

    def set_variation_by_axes(self, values: list[float]) -> None:
        pass

    def getlength(self, text: str) -> float:
        return -2192544.4


def test_a_typeface_without_widths_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sound = ImageFont.truetype
    monkeypatch.setattr(ImageFont, "truetype", lambda font, size=10, *more, **named: (
        Broken() if isinstance(font, str) else sound(font, size, *more, **named)))  # fmt: skip
    font = lettering.Lettering((str(tmp_path / "broken.woff2"),)).font("Lantern", 32)
    assert 60 < font.getlength("Lantern") < 300


def test_a_sound_typeface_measures() -> None:
    assert lettering._measures(lettering._default(32))
