# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all, and manifests that say what they were made from."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from holdfast.pipeline.errors import Cancelled, HoldfastError, InputError, StorageError, UsageError, from_json
from holdfast.pipeline.manifest import VERSION, Manifest, stale_reason
from holdfast.pipeline.store import (
    canonical_json,
    digest_json,
    flushed_together,
    hash_file,
    read_json,
    storage,
    write_bytes,
    write_json,
    writing,
)
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def manifest(**changes: object) -> Manifest:
    plain = Manifest("holdfast/motion", {"depth_mm": 12.0}, {"assets": "a1"}, {"frames": [1, 2]})
    return replace(plain, **changes)


@given(JSON)
def test_equal_values_have_equal_bytes_and_survive(value: object) -> None:
    assert json.loads(canonical_json(value)) == value
    assert digest_json(value) == digest_json(json.loads(json.dumps(value)))


def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    target = tmp_path / "take.json"
    write_json(target, {"take": "t001"})
    with pytest.raises(RuntimeError), writing(target) as part:
        part.write_text("half a")
        raise RuntimeError("killed")
    assert read_json(target) == {"take": "t001"}
    assert [path.name for path in tmp_path.iterdir()] == ["take.json"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "can't be written"), (errno.EIO, "Writing failed")],
)
def test_storage_errors_are_sentences(number: int, words: str) -> None:
    with pytest.raises(StorageError, match=words) as caught, storage("/out/frame.png"):
        raise OSError(number, os.strerror(number))
    assert "/out/frame.png" in str(caught.value)


def test_manifest_round_trip_and_digest(tmp_path: Path) -> None:
    (tmp_path / "poses.npz").write_bytes(b"poses")
    made = manifest().with_files(tmp_path, [tmp_path / "poses.npz"])
    made.save(tmp_path / "motion.json")
    loaded = Manifest.load(tmp_path / "motion.json", "holdfast/motion")
    assert loaded.digest == made.digest
    assert loaded.files == {"poses.npz": hash_file(tmp_path / "poses.npz")}
    assert replace(made, made={"at": "another day"}).digest == made.digest
    assert replace(made, data={"frames": [1, 3]}).digest != made.digest


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: "[]", "not a Holdfast manifest"),
        (lambda text: text.replace('"version": 1', f'"version": {VERSION + 1}'), "newer Holdfast"),
        (lambda text: text.replace("holdfast/motion", "holdfast/take"), "holds 'holdfast/take'"),
        (lambda text: text.replace("12.0", "13.0"), "changed by hand"),
        (lambda text: text.replace('"data": {', '"data_": {'), "is damaged"),
    ],
)
def test_a_spoilt_manifest_is_refused_with_a_sentence(tmp_path: Path, spoil, words: str) -> None:
    path = tmp_path / "motion.json"
    manifest().save(path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(InputError, match=words):
        Manifest.load(path, "holdfast/motion")


def test_a_missing_manifest_is_none_or_a_sentence(tmp_path: Path) -> None:
    assert Manifest.find(tmp_path / "motion.json", "holdfast/motion") is None
    with pytest.raises(InputError, match=r"motion\.json is missing"):
        Manifest.load(tmp_path / "motion.json", "holdfast/motion")


def test_staleness_is_decided_by_inputs_and_settings_alone() -> None:
    fresh = manifest()
    assert stale_reason(fresh, {"depth_mm": 12.0}, {"assets": "a1"}) is None
    assert stale_reason(fresh, {"depth_mm": 11.0}, {"assets": "a1"}) == "setting 'depth_mm' changed"
    assert stale_reason(fresh, {"depth_mm": 12.0}, {"assets": "a2"}) == "assets changed"
    assert stale_reason(fresh, {"depth_mm": 12.0}, {}) == "its inputs changed"
    assert stale_reason(None, {}, {}) == "not made yet"


def test_errors_travel_between_processes() -> None:
    for error in (InputError("No camera", where="sh010", todo="Add one."), UsageError("What"), Cancelled()):
        back = from_json(error.to_json())
        assert type(back) is type(error)
        assert str(back) == str(error)
        assert back.exit_code == error.exit_code
    assert type(from_json({"type": "os.system", "what": "x"})) is HoldfastError


def test_files_flushed_together_are_whole_and_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    with pytest.raises(RuntimeError), flushed_together():
        write_bytes(tmp_path / "lost", b"1")
        raise RuntimeError
    assert flushed == [] and (tmp_path / "lost").read_bytes() == b"1"
    with flushed_together():
        for name in "abc":
            write_bytes(tmp_path / name, name.encode())
        assert flushed == [] and (tmp_path / "a").read_bytes() == b"a"
    assert len(flushed) == 3
    write_bytes(tmp_path / "d", b"d")
    assert len(flushed) == 4
