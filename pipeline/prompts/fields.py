# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model takes as a prompt: its fields, how long they may be and in what unit, how references are cited."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .contract import Reference

UNITS: dict[str, Callable[[str], int]] = {
    "characters": len,
    "utf16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "bytes": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "words": lambda text: len(text.split()),
}
UNIT_NAMES: Mapping[str, str] = {"utf16": "UTF-16 units"}
_TAG = re.compile(r"[^A-Za-z0-9]+")
TAG_LEAST, TAG_MOST = 3, 16


@dataclass(frozen=True)
class Fields:
    """``most`` of ``prompt``, ``negative_most`` of ``negative`` in ``unit`` (0: no limit is known). ``negative`` "" is a
    model without that field. ``cite`` is how a text names a reference, with {n} (from 1), {n0} or {tag}; "" is a model
    that takes no pictures beside the clip. ``pictures``: the most it takes (0: not known)."""

    model: str = ""
    label: str = "any model"
    prompt: str = "prompt"
    negative: str = ""
    most: int = 0
    negative_most: int = 0
    unit: str = "characters"
    cite: str = "Image {n}"
    pictures: int = 0
    evidence: str = ""
    unconfirmed: tuple[str, ...] = ()

    def measure(self, text: str) -> int:
        """How long a text is for this model."""
        return UNITS[self.unit](text)

    @property
    def short_unit(self) -> str:
        """The unit where there is no room for it; none for characters."""
        return "" if self.unit == "characters" else self.unit_name.split()[0]

    @property
    def unit_name(self) -> str:
        """The unit in words."""
        return UNIT_NAMES.get(self.unit, self.unit)


def tags(references: Sequence[Reference]) -> list[str]:
    """A tag for each reference by its role: letters, digits and _, 3 to 16 of them, each once."""
    made: list[str] = []
    for each in references:
        bare = _TAG.sub("_", each.role).strip("_").lower()[: TAG_MOST - 2].strip("_")
        if not bare or not bare[0].isalpha() or len(bare) < TAG_LEAST:
            bare = f"ref_{bare}".rstrip("_")[: TAG_MOST - 2]
        tag, number = bare, 2
        while tag in made:
            tag, number = f"{bare[: TAG_MOST - len(str(number))]}{number}", number + 1
        made.append(tag)
    return made


def cites(references: Sequence[Reference], fields: Fields) -> list[str]:
    """How the prompt names each reference; "" for those that the model can't take."""
    if not fields.cite:
        return [""] * len(references)
    most = fields.pictures or len(references)
    return [
        fields.cite.format(n=index + 1, n0=index, tag=tag) if index < most else ""
        for index, tag in enumerate(tags(references))
    ]
