# SPDX-License-Identifier: GPL-3.0-or-later
"""Credits in money. What one is worth depends on a person's plan, so it is a setting of the service."""

from collections.abc import Mapping
from typing import Any


def worth(amount: Any, settings: Mapping[str, Any]) -> int | None:
    """Micros of the currency for an ``amount`` of credits; None if either is not known."""
    each = settings.get("credit_micros")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return None
    return round(amount * each) if isinstance(each, int | float) and each > 0 else None
