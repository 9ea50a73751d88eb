# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptors are data that is checked; jobs are refused before anything is sent; adapters keep the protocol."""

from importlib import import_module
from pathlib import Path

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.check import check_job
from holdfast.clients.contract import CancelOutcome, Handle, JobSpec, MediaRef, Snapshot, State
from holdfast.clients.descriptor import Descriptor, Price, load_catalogue, read_catalogue
from holdfast.clients.registry import catalogue, connect, model_of, models
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import InputError, ProviderRejected, UsageError
from hypothesis import given
from hypothesis import strategies as st

EXTRA = """
[[model]]
provider = "rehearsal"
model = "lit-sphere-1"
mode = "video_restyle"
label = "Mine"
adapter = "offline.rehearsal:Rehearsal"
network = false
[model.inputs]
[[model]]
provider = "studio"
model = "x"
mode = "video_restyle"
label = "Studio"
adapter = "offline.nothing:Nothing"
network = true
[model.inputs.video]
kinds = ["https"]
count = [1, 2]
[model.seed]
strength = "similar"
range = [0, 99]
"""


@pytest.fixture
def rehearsal() -> Descriptor:
    return model_of("rehearsal", "video_restyle")


def _job(**change: object) -> JobSpec:
    base: dict[str, object] = {
        "provider": "rehearsal", "model": "lit-sphere-1", "inputs": (MediaRef("path", "/t", "truth"),),
        "seed": 1, "options": {"look": "CEL", "grain": 0.5},
    }  # fmt: skip
    return JobSpec(**{**base, **change})  # type: ignore[arg-type]


def test_every_entry_of_the_catalogue_has_its_adapter() -> None:
    entries, services = catalogue(), read_catalogue().services
    assert models("video_restyle")[0].provider == "rehearsal"
    for entry in entries.values():
        if entry.adapter and entry.network:
            module, _, name = entry.adapter.partition(":")
            made = getattr(import_module(f"holdfast.clients.{module}"), name)
            assert issubclass(made, Adapter) and services[entry.provider].base, entry.id
            continue
        if entry.adapter:
            assert connect(entry, Context()) is not None
            continue
        with pytest.raises(UsageError, match="no adapter yet"):
            connect(entry, Context())


def test_user_entries_replace_and_add(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EXTRA)
    entries = load_catalogue([path])
    assert entries["rehearsal/lit-sphere-1"].label == "Mine"
    assert entries["studio/x"].inputs["video"].count == (1, 2)
    with pytest.raises(UsageError, match="adapter"):
        connect(entries["studio/x"], Context())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[[model]]\nprovider = 'a'", "incomplete"),
        ("[[model", "can't be read"),
        (EXTRA.replace("network = true", "network = true\ncolour = 1"), "colour"),
        (EXTRA.replace('strength = "similar"', 'strength = "maybe"'), "maybe"),
    ],
)
def test_bad_catalogue_names_the_fault(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=word):
        load_catalogue([path])


def test_job_within_limits(rehearsal: Descriptor) -> None:
    check_job(_job(), rehearsal)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"inputs": ()}, "truth"),
        ({"inputs": (MediaRef("https", "x", "truth"),)}, "https"),
        ({"inputs": (MediaRef("path", "x", "truth"), MediaRef("path", "y", "mask"))}, "mask"),
        ({"seed": -1}, "seed"),
        ({"prompt": "x" * 5000}, "4000"),
        ({"options": {"look": "OIL"}}, "OIL"),
        ({"options": {"grain": 1.5}}, "grain"),
        ({"options": {"steps": 4}}, "steps"),
    ],
)
def test_job_over_a_limit_is_refused(rehearsal: Descriptor, change: dict[str, object], word: str) -> None:
    with pytest.raises(ProviderRejected, match=word):
        check_job(_job(**change), rehearsal)


def test_unknown_provider_lists_the_known() -> None:
    with pytest.raises(UsageError, match="rehearsal"):
        model_of("nobody", "video_restyle")


def test_rehearsal_answers_the_rest_of_the_protocol(rehearsal: Descriptor) -> None:
    provider = connect(rehearsal, Context())
    lost = Handle("rehearsal", "gone", "", 0.0)
    assert provider.poll(lost).state is State.UNKNOWN and provider.cancel(lost) is CancelOutcome.TOO_LATE
    with pytest.raises(InputError, match="missing"):
        provider.put(Path("/nowhere/truth"), "truth")


def test_terminal_states() -> None:
    assert {state for state in State if state.terminal} == {
        State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED,
    }  # fmt: skip
    assert Snapshot(State.QUEUED).outputs == ()


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.floats(0, 3600))
def test_price_is_integer_and_grows(job: int, second: int, seconds: float) -> None:
    price = Price(per_job_micros=job, per_second_micros=second)
    assert job <= price.estimate_micros(seconds) <= job + second * (seconds + 1)
