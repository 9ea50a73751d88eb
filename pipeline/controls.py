# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model wants of the clips that steer it: kinds, polarity, size, frame count, rate, codec, range, bit depth.

This is data, read from the ``controls`` table of a catalogue entry (docs/clips.md shows one); the rendering room
makes clips by it, the clients send them. ``evidence`` keeps for every fact where it is from: a tag (DOC, SDK, SPEC,
WIRE, 3P, USE; U is unconfirmed) and the source.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

from .errors import InputError

PICTURES = ("first", "last", "keys")
KINDS = ("beauty", "depth", "edges", "normals", "matte", "ids", *PICTURES)
CODECS = ("h264", "ffv1", "png")
WHITE: Mapping[str, tuple[str, ...]] = {
    "depth": ("near", "far"),
    "matte": ("change", "keep"),
    "edges": ("line", "paper"),
}
"""What white may mean by kind; the first is meant where an entry says nothing."""
CURVES = ("disparity", "linear", "log")
AXES = ("opengl", "directx")
SOURCES = ("direct", "extracted", "prompt_reference")


@dataclass(frozen=True)
class SizeRule:
    """Pixels: either one of ``exact``, or both sides multiples of ``multiple``, at most ``max`` (long side, short
    side; 0 = any) and at least ``min`` a side, at one of ``ratios`` ("16:9") if there are any. ``fill`` says how
    another ratio is met: pad (nothing is lost) or crop."""

    multiple: int = 2
    max: tuple[int, int] = (0, 0)
    min: int = 0
    exact: tuple[tuple[int, int], ...] = ()
    ratios: tuple[str, ...] = ()
    fill: str = "pad"


@dataclass(frozen=True)
class CountRule:
    """``step`` n + ``offset`` frames (4n+1: step 4, offset 1) within ``frames`` and ``seconds`` (0 = no limit)."""

    step: int = 1
    offset: int = 0
    frames: tuple[int, int] = (1, 0)
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def name(self) -> str:
        """As people write it: any, 4n, 4n+1."""
        return "any" if self.step == 1 else f"{self.step}n" + (f"+{self.offset}" if self.offset else "")


@dataclass(frozen=True)
class RateRule:
    """Frames a second, exact: one of ``rates`` ("24", "24000/1001"), or within ``min`` and ``max`` ("" = any)."""

    rates: tuple[str, ...] = ()
    min: str = ""
    max: str = ""


@dataclass(frozen=True)
class Control:
    """One kind of clip as the model wants it.

    ``white``: what white means (see WHITE). ``curve``: how depth becomes grey. ``axes``: of normals. ``bits``: 16 only
    as grey PNG. ``line_px``: width of edges in the clip's pixels. ``count``: of key frames. ``source``: whether the
    model takes this pass as it is (direct), computes its own from the beauty (extracted) or only reads it by the
    prompt (prompt_reference). ``field``: where it goes in the request.
    """

    kind: str
    white: str = ""
    curve: str = "disparity"
    axes: str = "opengl"
    codec: str = "h264"
    range: str = "limited"
    bits: int = 8
    line_px: float = 2.0
    count: tuple[int, int] = (0, 0)
    source: str = "direct"
    field: str = ""


@dataclass(frozen=True)
class Controls:
    """All that a model takes, with the common rules of its clips."""

    kinds: Mapping[str, Control]
    size: SizeRule = SizeRule()
    count: CountRule = CountRule()
    rate: RateRule = RateRule()
    evidence: Mapping[str, str] = field(default_factory=dict)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The facts that nobody has confirmed, e.g. ``kinds.depth.white``."""
        return tuple(sorted(fact for fact, said in self.evidence.items() if said.split()[:1] == ["U"]))

    def table(self) -> dict[str, Any]:
        """As plain data, which ``parse_controls`` reads back."""
        kinds = {
            name: {k: v for k, v in asdict(one).items() if k != "kind"} for name, one in self.kinds.items()
        }
        return {**{name: asdict(getattr(self, name)) for name in ("size", "count", "rate")}, "kinds": kinds,
                "evidence": dict(self.evidence)}  # fmt: skip


def parse_controls(table: Mapping[str, Any], where: str) -> Controls:
    """From the ``controls`` table of an entry. Raises InputError that names the file and the key."""
    body = dict(table)
    kinds = {
        name: check_control(_build(Control, {**dict(one), "kind": name}, f"{where}, kinds.{name}"), where)
        for name, one in body.pop("kinds", {}).items()
    }
    rules = {
        name: _build(kind, body.pop(name, {}), f"{where}, {name}")
        for name, kind in (("size", SizeRule), ("count", CountRule), ("rate", RateRule))
    }
    made = _build(Controls, {**body, **rules, "kinds": kinds}, where)
    assert isinstance(made, Controls)
    _check_rules(made, where)
    return made


def facts(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The dotted names of what a ``controls`` table states, without its evidence."""
    for name, value in table.items():
        here = f"{path}.{name}" if path else name
        if here == "evidence":
            continue
        if isinstance(value, Mapping) and value:
            yield from facts(value, here)
        else:
            yield here


def _build(kind: type, table: Any, where: str) -> Any:
    if not isinstance(table, Mapping):
        raise InputError("The catalogue has a value where a table belongs", where=where)
    unknown = sorted(set(table) - {item.name for item in fields(kind)})
    if unknown:
        raise InputError(f"The catalogue has an unknown key {unknown[0]!r}", where=where)
    return kind(**{key: _frozen(value) for key, value in table.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def check_control(control: Control, where: str) -> Control:
    """``control`` with what its kind leaves no choice. Raises InputError for what can't be or must not be made."""
    if control.kind in PICTURES:
        control = replace(control, codec="png")
    whites = WHITE.get(control.kind, ("",))
    control = replace(control, white=control.white or whites[0])
    allowed = (
        ("kind", control.kind, KINDS), ("white", control.white, whites), ("codec", control.codec, CODECS),
        ("curve", control.curve, CURVES), ("axes", control.axes, AXES), ("source", control.source, SOURCES),
        ("range", control.range, ("limited", "full")), ("bits", control.bits, (8, 16)),
    )  # fmt: skip
    for name, value, choice in allowed:
        if value not in choice:
            todo = f"It may be {' or '.join(str(each) for each in choice) if any(choice) else 'left out'}."
            raise InputError(f"A {control.kind} clip has {name} = {value!r}", where=where, todo=todo)
    if control.kind == "ids" and control.codec == "h264":
        todo = 'Use codec = "ffv1" or "png", or one matte (white on black) for each part.'
        raise InputError("Coloured mattes don't survive H.264 with 4:2:0", where=where, todo=todo)
    if control.bits == 16 and (control.codec != "png" or control.kind not in ("depth", "matte")):
        raise InputError("16 bits are for depth and mattes as PNG", where=where, todo='Write codec = "png".')
    return control


def _check_rules(made: Controls, where: str) -> None:
    low, high = made.count.frames
    if made.count.step < 1 or not 0 <= made.count.offset < max(made.count.step, 1) or 0 < high < low:
        raise InputError(
            "The rule of the frame count makes no sense", where=where, todo="Write step = 4, offset = 1."
        )
    if made.size.multiple < 1 or made.size.fill not in ("pad", "crop"):
        raise InputError(
            "The rule of the size makes no sense", where=where, todo='Write fill = "pad" or "crop".'
        )
    try:
        for text in (*made.rate.rates, made.rate.min or "1", made.rate.max or "1"):
            if Fraction(text) <= 0:
                raise ValueError(text)
        for ratio in made.size.ratios:
            width, height = ratio.split(":")
            if int(width) <= 0 or int(height) <= 0:
                raise ValueError(ratio)
    except (ValueError, ZeroDivisionError, TypeError) as error:
        todo = 'Write rates as "24" or "24000/1001", ratios as "16:9".'
        raise InputError(
            f"The catalogue has a number that is none: {error}", where=where, todo=todo
        ) from error
