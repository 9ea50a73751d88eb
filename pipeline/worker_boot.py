# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of the worker process: ``python worker_boot.py JOB_FOLDER``. Never imported by Blender.

The worker is Blender's own Python without Blender. It is told the module search path of the process
that started it, since wheels of extensions are not where a bare interpreter looks.
"""

import importlib
import json
import sys
from pathlib import Path


def main(folder: Path) -> int:
    """Runs the job described in ``folder/job.json`` and returns the exit code."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    sys.path.extend(entry for entry in job["path"] if entry not in sys.path)
    package = Path(__file__).parents[1]
    sys.path.append(str(package.parent))
    runtime = importlib.import_module(f"{package.name}.pipeline.worker_runtime")
    return int(runtime.run_job(folder, job))


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
