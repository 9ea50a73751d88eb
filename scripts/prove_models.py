# SPDX-License-Identifier: GPL-3.0-or-later
"""Lock found models together and prove it: cut each in two, plant peg and bore, run Physics, write docs/models.md.

`prove_models.py` takes every model (a process each), `--only NAME` some of them, `--table` only writes the page anew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import blender_host
import models
import models_page
from models import MODELS, STORE, Model

RESULTS = STORE / "results"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--only", nargs="*", default=[], help="names of models")
    options.add_argument(
        "--table", action="store_true", help="write the page from the results that are there"
    )
    options.add_argument("--one", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.one:
        return one(next(model for model in MODELS if model.name == chosen.one))
    RESULTS.mkdir(parents=True, exist_ok=True)
    missing = 0
    for model in MODELS if not chosen.table else ():
        if chosen.only and model.name not in chosen.only:
            continue
        missing += not _in_a_process(model)
    found = [json.loads(path.read_text()) for path in map(result_of, MODELS) if path.exists()]
    if not found:
        print("no model could be had")
        return 1
    models_page.write(found, [picture_of(model) for model in MODELS if result_of(model).exists()])
    engaged = sum(record["verdict"] == "engaged" for record in found)
    print(f"{engaged} of {len(found)} models engaged; {missing} could not be had")
    return 0 if engaged >= 10 else 1


def result_of(model: Model) -> Path:
    return RESULTS / f"{model.name.replace(' ', '_')}.json"


def picture_of(model: Model) -> Path:
    return result_of(model).with_suffix(".png")


def _in_a_process(model: Model) -> bool:
    try:
        models.fetch(model)
    except models.Missing as why:
        print(f"{model.name}: missing: {why}")
        return False
    command = [sys.executable, str(Path(__file__)), "--one", model.name]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        told = (ran.stdout.strip().splitlines() or [""])[-1]
        if ran.returncode:
            told = " | ".join((ran.stdout + ran.stderr).strip().splitlines()[-3:])
            result_of(model).unlink(missing_ok=True)
    except subprocess.TimeoutExpired:
        told = "took more than four minutes"
        result_of(model).unlink(missing_ok=True)
    print(f"{model.name}: {told}", flush=True)
    return True


def one(model: Model) -> int:
    """One model in this process: its record and its picture."""
    user_folder = blender_host.isolate()
    sys.modules["holdfast"] = extension = blender_host.enable(user_folder)
    import models_blender

    record = models_blender.prove(model, models.fetch(model), extension.__name__)
    try:
        models_blender.photograph(picture_of(model), extension.__name__)
    except RuntimeError as error:
        print(f"no picture: {error}")
    result_of(model).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    print(f"{record['verdict']}: {record['says']}")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    blender_host.leave(main())
