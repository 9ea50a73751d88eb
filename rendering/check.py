# SPDX-License-Identifier: GPL-3.0-or-later
"""Ground truth that checks itself before anybody believes it."""

from pathlib import Path

from ..pipeline.context import Context
from ..pipeline.manifest import Manifest


def refuse_if_wrong(folder: Path, manifest: Manifest, ctx: Context) -> None:
    """Raises InputError naming frame, part and check."""
