# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of the worker process: ``python worker_boot.py JOB_FOLDER``. Never imported by Blender.

The worker is Blender's own Python without Blender. It is told the module search path of the process
that started it, since wheels of extensions are not where a bare interpreter looks.
"""

import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path

PACKAGE = "holdfast_worker"
"""Loaded from its folder under this name, whatever that folder is called and whatever lies beside it."""


def main(folder: Path) -> int:
    """Runs the job described in ``folder/job.json`` and returns the exit code."""
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # the matrices here are small: one thread is the fastest
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    sys.path.extend(entry for entry in job["path"] if entry not in sys.path)
    root = Path(__file__).parents[1]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[PACKAGE])
    if job.get("secrets"):
        importlib.import_module(f"{PACKAGE}.pipeline.secret").hold_all(json.loads(sys.stdin.readline()))
    runtime = importlib.import_module(f"{PACKAGE}.pipeline.worker_runtime")
    return int(runtime.run_job(folder, job))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
