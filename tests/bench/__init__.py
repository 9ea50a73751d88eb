# SPDX-License-Identifier: GPL-3.0-or-later
"""Tuning takes and benches. Importing this makes the checkout importable as ``holdfast``."""

from tests import conftest

assert conftest.PACKAGE == "holdfast"
