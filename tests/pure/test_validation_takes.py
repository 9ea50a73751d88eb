# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole takes with planted faults through the stage: right part, right kind, right frames, and nothing else."""

import json
import shutil

import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Cancelled, InputError
from holdfast.pipeline.manifest import Manifest
from holdfast.pipeline.truth import GroundTruth
from holdfast.validation.stage import SCHEMA, run

from tests.bench.tuning import Fault, Studio, library, write_take, write_truth

FRAMES = 30


@pytest.fixture(scope="module")
def shot(tmp_path_factory):
    """A truth package of the joint scene, the studio that makes takes of it, and a folder for takes."""
    folder = tmp_path_factory.mktemp("shot")
    studio = Studio(library((320, 180), FRAMES)[0])
    write_truth(studio, folder / "truth")
    return folder, studio, GroundTruth.open(folder / "truth").digest


def named(look, *faults):
    return "_".join([look, *(f"{fault.kind}_{fault.part}_{fault.frames[0]}" for fault in faults)])


def check(shot, look, *faults):
    """The report on such a take, which is made and judged once."""
    folder, studio, digest = shot
    name = named(look, *faults)
    report = folder / "reports" / name
    if not report.exists():
        write_take(studio, folder / name, look, faults, digest)
        request = {"truth": str(folder / "truth"), "take": str(folder / name), "out": str(report)}
        run(request, Context())
    return Manifest.load(report / "report.json", SCHEMA).data


@pytest.mark.parametrize("look", ["beauty", "ink_wash", "cel", "clay"])
def test_clean_takes_pass(shot, look):
    data = check(shot, look)
    assert data["findings"] == []
    assert data["verdict"] == "pass", data["summary"]
    assert data["summary"].startswith("pass: ")


@pytest.mark.parametrize(
    ("look", "fault", "kind"),
    [
        ("ink_wash", Fault("vanish", "lid", (8, 15)), "vanished"),
        ("clay", Fault("vanish", "peg", (1, 6)), "vanished"),
        ("ink_wash", Fault("rubber", "lid", (8, 16), 24.0), "rubber"),
        ("clay", Fault("colour", "lid", (6, 14), 20.0), "colour_drift"),
        ("ink_wash", Fault("flicker", "lid", (6, 14), 8.0), "flicker"),
    ],
)
def test_one_fault_is_one_finding(shot, look, fault, kind):
    data = check(shot, look, fault)
    assert data["verdict"] == "fail"
    assert [(f["part"], f["kind"]) for f in data["findings"]] == [(fault.part, kind)], data["summary"]
    first, last = data["findings"][0]["frames"]
    assert abs(first - fault.frames[0] - 1) <= 1
    assert abs(last - fault.frames[1] - 1) <= 1
    others = {part["name"]: part["verdict"] for part in data["parts"] if part["name"] != fault.part}
    assert "fail" not in others.values()


def test_report_is_whole(shot):
    folder, _, digest = shot
    fault = Fault("vanish", "lid", (8, 15))
    data = check(shot, "ink_wash", fault)
    report = folder / "reports" / named("ink_wash", fault)
    manifest = Manifest.load(report / "report.json", SCHEMA)
    assert manifest.inputs["truth"] == digest
    assert set(manifest.files) >= {"measures.json", "report.html", data["findings"][0]["crop"]}
    assert all((report / name).exists() for name in manifest.files)
    series = json.loads((report / data["series"]).read_text())
    assert len(series["parts"]["lid"]["signals"]["vanished"]["values"]) == len(series["frames"]) == FRAMES


def test_planted_defects_are_never_read(shot):
    folder, _, _ = shot
    assert check(shot, "ink_wash")["verdict"] == "pass"
    lied = folder / "lied"
    shutil.copytree(folder / "ink_wash", lied)
    take = Manifest.load(lied / "take.json", "holdfast/take")
    defects = [{"kind": "vanish", "part": "lid", "frames": [3, 20]}]
    Manifest(take.schema, {"defects": defects}, take.inputs, take.data).save(lied / "take.json")
    found = run(
        {"truth": str(folder / "truth"), "take": str(lied), "out": str(folder / "reports" / "lied")},
        Context(),
    )
    assert found["verdict"] == "pass"


def test_a_take_of_another_shot_is_refused(shot, tmp_path):
    folder, studio, _ = shot
    write_take(studio, tmp_path / "t009", "beauty", (), "0" * 64)
    request = {
        "truth": str(folder / "truth"),
        "take": str(tmp_path / "t009"),
        "out": str(tmp_path / "report"),
    }
    with pytest.raises(InputError, match="another ground truth"):
        run(request, Context())
    assert not (tmp_path / "report").exists()


def test_cancel_leaves_no_report(shot, tmp_path):
    folder, _, _ = shot
    check(shot, "beauty")
    ctx = Context()
    ctx.progress = lambda fraction, message: ctx.cancel.cancel() if fraction > 0.3 else None
    request = {
        "truth": str(folder / "truth"),
        "take": str(folder / "beauty"),
        "out": str(tmp_path / "report"),
    }
    with pytest.raises(Cancelled):
        run(request, ctx)
    assert not (tmp_path / "report" / "report.json").exists()


def test_a_damaged_frame_is_named(shot, tmp_path):
    folder, _, _ = shot
    check(shot, "beauty")
    damaged = shutil.copytree(folder / "beauty", tmp_path / "damaged")
    (damaged / "frames" / "0007.png").write_bytes(b"not a picture")
    request = {
        "truth": str(folder / "truth"),
        "take": str(damaged),
        "out": str(tmp_path / "report"),
    }
    with pytest.raises(InputError, match=r"0007\.png"):
        run(request, Context())
