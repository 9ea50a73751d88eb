# SPDX-License-Identifier: GPL-3.0-or-later
"""The published schema of report.json and measures.json holds for what the stage writes, and ships with the extension."""

import json

import jsonschema
import pytest
from holdfast.pipeline.context import Context
from holdfast.pipeline.truth import GroundTruth
from holdfast.validation.stage import run

from scripts import dist
from tests.bench.tuning import Fault, Studio, library, write_take, write_truth
from tests.repository import ROOT

PATH = "validation/report.schema.json"
SCHEMA = json.loads((ROOT / PATH).read_text(encoding="utf-8"))
REPORT = jsonschema.Draft202012Validator(SCHEMA)
MEASURES = jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": "#/$defs/measures"})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report of a small take in which a part vanishes."""
    folder, studio = tmp_path_factory.mktemp("shot"), Studio(library((192, 108), 12)[0])
    write_truth(studio, folder / "truth")
    write_take(
        studio,
        folder / "takes" / "t001",
        "clay",
        [Fault("vanish", "lid", (4, 8))],
        GroundTruth.open(folder / "truth").digest,
    )
    out = folder / "reports" / "t001"
    run({"truth": str(folder / "truth"), "take": str(folder / "takes" / "t001"), "out": str(out)}, Context())
    return out


def test_the_schema_is_one_and_ships():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert PATH in {path.as_posix() for path in dist.sources(ROOT)}


def test_real_reports_are_as_the_schema_says(made):
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    assert [f"{error.json_path}: {error.message}" for error in REPORT.iter_errors(report)] == []
    assert [
        str(error) for error in MEASURES.iter_errors(json.loads((made / "measures.json").read_text()))
    ] == []
    assert {"report.html", "poster.jpg"} <= {path.name for path in made.iterdir()}


def test_every_key_of_a_report_is_described(made):
    data = json.loads((made / "report.json").read_text(encoding="utf-8"))["data"]
    of = {
        name: set(SCHEMA["$defs"][name]["properties"])
        for name in ("data", "finding", "part", "fit", "intent")
    }
    assert set(data) <= of["data"]
    assert {key for finding in data["findings"] for key in finding} <= of["finding"]
    assert {key for part in data["parts"] for key in part} <= of["part"]
    assert set(data.get("fit") or {}) <= of["fit"] and set(data.get("intent") or {}) <= of["intent"]


@pytest.mark.parametrize("broken", [
    {"verdict": "maybe"}, {"frame_map": [[1]]}, {"findings": [{"id": "f01"}]}, {"parts": [{"name": "lid"}]}, {"intent": {"palette": ["red"]}},
])  # fmt: skip
def test_what_is_wrong_is_refused(made, broken):
    report = json.loads((made / "report.json").read_text(encoding="utf-8"))
    report["data"].update(broken)
    assert not REPORT.is_valid(report)
