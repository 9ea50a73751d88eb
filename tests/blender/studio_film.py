# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter of the made-up service of tests/pure, as a worker process loads it: by the person's own catalogue.

There the extension has the worker's name; `holdfast` is made another name of the same modules.
"""

import sys

PACKAGE = __name__.partition(".")[0]
for _name, _module in list(sys.modules.items()):
    if _name == PACKAGE or _name.startswith(f"{PACKAGE}."):
        sys.modules["holdfast" + _name.removeprefix(PACKAGE)] = _module

from ..pure.jobs_service import StudioAdapter as Film  # noqa: E402


class Mute(Film):
    """One that can't be asked for a lost job."""

    lookups = False


__all__ = ["Film", "Mute"]
