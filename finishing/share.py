# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that two folders hold in common."""

import os
import shutil
from pathlib import Path

from ..pipeline.store import storage, writing


def share_file(source: Path, target: Path) -> None:
    """The same bytes under another name: a hard link where the disk has them, else a copy. Raises StorageError."""
    with storage(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:
            with writing(target) as part:
                shutil.copyfile(source, part)
