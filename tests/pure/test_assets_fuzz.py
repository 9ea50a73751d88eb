# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is done to a valid file, the check either takes it or says InputError, in a bounded number of steps."""

from __future__ import annotations

import copy
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from holdfast.assets.check import check_file
from holdfast.assets.facts import Limits
from holdfast.pipeline.errors import InputError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .assets_samples import glb, gltf_parts, write_all

LIMITS = Limits(memory_bytes=1 << 24)
STEPS = 60_000
"""Lines of Python that the check of such small files may take; 13,000 is the most for a valid one."""


class Counted:
    """Counts the lines of our code that run, and raises when there are too many: a time limit that no load upsets."""

    def __init__(self) -> None:
        self.lines = 0

    def __enter__(self) -> Counted:
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *args: object) -> None:
        sys.settrace(self.before)

    def trace(self, frame: FrameType, event: str, _arg: object) -> Any:
        if "assets" not in frame.f_code.co_filename:
            return None
        self.lines += event == "line"
        assert self.lines < STEPS, f"no end in {frame.f_code.co_filename}:{frame.f_lineno}"
        return self.trace


def check(path: Path) -> int:
    with Counted() as counted:
        try:
            check_file(path, LIMITS)
        except InputError as error:
            assert str(error).endswith((".", "]")) and len(str(error)) < 2000
    return counted.lines


@pytest.fixture(scope="module")
def samples() -> Iterator[dict[str, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        yield {path.name: path for path in write_all(Path(folder))}


NAMES = ("tetra.glb", "tetra.gltf", "tetra.obj", "tetra.stl", "text.stl", "tetra.ply", "big.ply", "text.ply",
         "uneven.ply", "tetra.fbx", "tetra.usdc", "tetra.usda", "tetra.usdz")  # fmt: skip


def test_valid_files_take_few_steps(samples: dict[str, Path]) -> None:
    steps = {name: check(path) for name, path in samples.items()}
    assert set(steps) == set(NAMES)
    assert max(steps.values()) < STEPS / 4, steps
    assert min(steps.values()) > 10, steps  # the counter does count


damage = st.one_of(
    st.tuples(st.just("flip"), st.floats(0, 1, exclude_max=True), st.integers(0, 255)),
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(0)),
    st.tuples(st.just("word"), st.floats(0, 1, exclude_max=True), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])),
    st.tuples(st.just("repeat"), st.floats(0, 1, exclude_max=True), st.integers(1, 64)),
)


def spoil(data: bytes, kind: str, where: float, value: int) -> bytes:
    at = int(where * len(data))
    if kind == "cut":
        return data[:at]
    if kind == "flip":
        return data[:at] + bytes([value]) + data[at + 1 :]
    if kind == "word":
        return data[:at] + bytes([value]) * 4 + data[at + 4 :]
    return data[:at] + data[at : at + 32] * value + data[at:]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(damage, min_size=1, max_size=4))
def test_damaged_bytes(samples: dict[str, Path], name: str, damages: list[tuple[str, float, int]]) -> None:
    data = samples[name].read_bytes()
    for kind, where, value in damages:
        data = spoil(data, kind, where, value)
    path = samples[name].with_name(f"spoilt{samples[name].suffix}")
    path.write_bytes(data)
    check(path)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*at, key))


ODD = (
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**63,
    1e308,
    "",
    "x",
    "../x",
    "data:,",
    [],
    {},
    [0],
    [-1],
    [[]],
    {"x": 1},
    0.5,
)


@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_odd_values_in_a_document(samples: dict[str, Path], data: st.DataObject) -> None:
    doc, binary = gltf_parts()
    doc = json.loads(
        json.dumps(doc | {"skins": [{"joints": [0]}], "animations": [{"samplers": [], "channels": []}]})
    )
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(list(places(doc))))
        target = doc
        for key in above:
            target = target[key]
        target[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    path = samples["tetra.glb"].with_name("odd.glb")
    path.write_bytes(glb(doc, binary))
    check(path)
