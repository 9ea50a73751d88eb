# SPDX-License-Identifier: GPL-3.0-or-later
"""Load this checkout as a Blender extension into the running bpy, as Blender itself does it.

A temporary local extension repository holds one link, `holdfast`, to the checkout; the add-on is enabled from
there, so that its package name, relative imports, preferences and user folder are those of an installed one.
Used by the launcher, the benchmarks and the tests; never shipped.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
EXTENSION_ID = "holdfast"
REPOSITORY = "holdfast_checkout"


def isolate() -> Path:
    """Point Blender's user folders at a new temporary folder; call before the first `import bpy`."""
    if "bpy" in sys.modules:
        raise RuntimeError("isolate() comes too late: bpy is imported already")
    folder = Path(tempfile.mkdtemp(prefix="holdfast-user-"))
    os.environ["BLENDER_USER_RESOURCES"] = str(folder)
    return folder


def enable(user_folder: Path, root: Path = ROOT) -> ModuleType:
    """Enable the extension under `root` and return its root module; raises what its register() raises."""
    import bpy  # isort: skip
    import addon_utils  # exists only once bpy is imported

    repository = user_folder / "checkout"
    repository.mkdir(parents=True, exist_ok=True)
    link = repository / EXTENSION_ID
    if not link.is_symlink():
        link.symlink_to(root, target_is_directory=True)
    repositories = bpy.context.preferences.extensions.repos
    if not any(repo.module == REPOSITORY for repo in repositories):
        repositories.new(name="Checkout", module=REPOSITORY, custom_directory=str(repository))

    def fail(error: Exception) -> NoReturn:
        raise error

    module = addon_utils.enable(f"bl_ext.{REPOSITORY}.{EXTENSION_ID}", default_set=True, handle_error=fail)
    if module is None:
        raise RuntimeError("Blender did not enable the extension and gave no reason")
    return module


def leave(status: int) -> NoReturn:
    """End the process at once with `status`: bpy 4.x as a module can hang or crash in an ordinary exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
